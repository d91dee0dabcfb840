//! Packets that leave a link.

use super::Class;

/// A packet that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// What it is.
    pub class: Class,
    /// Its number and what it carries.
    pub body: Vec<u8>,
    /// It is to be as large as if it carried so many bytes at the least.
    pub padded_to: usize,
}

impl Leaving {
    /// What it takes on the wire, bytes.
    #[must_use]
    pub fn wire_size(&self) -> u32 {
        sightline_packet::wire_size(self.class, self.body.len().max(self.padded_to))
    }

    pub(crate) const fn usual(class: Class, body: Vec<u8>) -> Self {
        Self {
            class,
            body,
            padded_to: 0,
        }
    }
}
