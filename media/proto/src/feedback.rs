//! What one participant's media asks of another's: carried by the call as an opaque, reliable message.

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Send a key frame: this receiver can show nothing without one.
    KeyFrame,
}

impl Feedback {
    /// The message's bytes: a kind (1).
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::KeyFrame => vec![1],
        }
    }

    /// Reads a message; `None` for one that this version does not have.
    #[must_use]
    pub const fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1] => Some(Self::KeyFrame),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_written_and_nothing_else_is() {
        assert_eq!(
            Feedback::decode(&Feedback::KeyFrame.encode()),
            Some(Feedback::KeyFrame)
        );
        for bytes in [&[][..], &[0], &[2], &[1, 1]] {
            assert_eq!(Feedback::decode(bytes), None);
        }
    }
}
