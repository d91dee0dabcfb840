//! dav1d's Rust port: memory-safe decoding with bounds on size.

use std::time::Instant;

use sightline_media_proto::obu;

use super::session::{Decoded, Failed, Session};
use crate::picture::{MAX_PIXELS, Picture, Size};

/// Frames in one unit: ours have one; an encoder may hide one more behind it.
const MAX_FRAMES: usize = 2;

/// How often a unit that yields more than one picture is asked for the next; ours yield one.
const MAX_ROUNDS: usize = 16;

/// Why a picture was not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The decoder could not be set up.
    #[error("the picture decoder could not be set up")]
    Setup,
    /// Not AV1, damaged, or built on a picture that is not there.
    #[error("a picture could not be decoded")]
    Malformed,
    /// Larger than 1280×720, or not 8 bits in 4:2:0.
    #[error("a picture of a kind that is not shown")]
    Unsupported,
}

/// Decodes one sender's pictures.
pub struct Decoder(Session);

impl Decoder {
    /// One thread, no picture held back.
    ///
    /// # Errors
    /// [`DecodeError::Setup`].
    pub fn new() -> Result<Self, DecodeError> {
        Session::open(MAX_PIXELS)
            .map(Self)
            .map_err(|Failed| DecodeError::Setup)
    }

    /// Decodes a temporal unit; the picture is marked as `captured` then. `None` when there is none to show.
    ///
    /// # Errors
    /// [`DecodeError`]; the next key frame can be decoded again.
    pub fn decode(&mut self, data: &[u8], captured: Instant) -> Result<Option<Picture>, DecodeError> {
        // A few bytes can ask for thousands of pictures.
        if !obu::count_frames(data).is_ok_and(|frames| (1..=MAX_FRAMES).contains(&frames)) {
            return Err(DecodeError::Malformed);
        }
        let decoded = self.take(data, captured);
        if decoded.is_err() {
            // A decoder that still holds data of a broken unit would not take other data: it is replaced.
            *self = Self::new()?;
        }
        decoded
    }

    fn take(&mut self, data: &[u8], captured: Instant) -> Result<Option<Picture>, DecodeError> {
        let mut is_sent = self.0.send(data)?;
        let mut newest = None;
        for _ in 0..MAX_ROUNDS {
            while let Some(picture) = self.0.next_picture(|decoded| copy(decoded, captured))? {
                newest = Some(picture?);
            }
            if is_sent {
                return Ok(newest);
            }
            is_sent = self.0.send_pending()?;
        }
        Err(DecodeError::Malformed)
    }
}

impl From<Failed> for DecodeError {
    fn from(Failed: Failed) -> Self {
        Self::Malformed
    }
}

fn copy(decoded: &Decoded<'_>, captured: Instant) -> Result<Picture, DecodeError> {
    let size = Size::new(decoded.size.0, decoded.size.1).ok_or(DecodeError::Unsupported)?;
    if !decoded.is_usual {
        return Err(DecodeError::Unsupported);
    }
    let mut data = Vec::with_capacity(size.area() + 2 * size.chroma().area());
    let sizes = [size, size.chroma(), size.chroma()];
    for ((plane, stride), size) in decoded.planes.iter().zip(sizes) {
        for row in plane.chunks(*stride).take(size.height as usize) {
            data.extend_from_slice(row.get(..size.width as usize).ok_or(DecodeError::Unsupported)?);
        }
    }
    let expected = size.area() + 2 * size.chroma().area();
    if data.len() == expected {
        Ok(Picture { size, data, captured })
    } else {
        Err(DecodeError::Unsupported)
    }
}
