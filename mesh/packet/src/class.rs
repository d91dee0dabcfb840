//! What a packet is for.

/// What a packet is for, in the order in which classes give way: the last first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Round-trip measurement between two members.
    Control,
    /// Part of an audio track.
    Audio,
    /// What media tells the other side of what came.
    Report,
    /// Part of a video track.
    Video,
    /// Nothing, to see how much the link carries.
    Padding,
    /// Goes along with bulk that leaves on a stream, which has no packets of its own: what becomes of it, becomes of that.
    Marker,
}

impl Class {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Control => 0,
            Self::Audio => 1,
            Self::Report => 2,
            Self::Video => 4,
            Self::Marker => 5,
            Self::Padding => 6,
        }
    }

    pub(crate) const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::Control),
            1 => Some(Self::Audio),
            2 => Some(Self::Report),
            4 => Some(Self::Video),
            5 => Some(Self::Marker),
            6 => Some(Self::Padding),
            _ => None,
        }
    }
}
