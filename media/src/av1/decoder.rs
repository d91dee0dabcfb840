//! dav1d's Rust port: memory-safe decoding with bounds on size.

use std::time::Instant;

use dav1d::{PixelLayout, PlanarImageComponent, Settings};

use sightline_media_proto::obu;

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
pub struct Decoder(dav1d::Decoder);

impl Decoder {
    /// One thread, no picture held back.
    ///
    /// # Errors
    /// [`DecodeError::Setup`].
    pub fn new() -> Result<Self, DecodeError> {
        let mut settings = Settings::new();
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_frame_size_limit(MAX_PIXELS);
        dav1d::Decoder::with_settings(&settings)
            .map(Self)
            .map_err(|_| DecodeError::Setup)
    }

    /// Decodes a temporal unit; the picture is marked as `captured` then. `None` when there is none to show.
    ///
    /// # Errors
    /// [`DecodeError`]; the next key frame can be decoded again.
    pub fn decode(&mut self, data: Vec<u8>, captured: Instant) -> Result<Option<Picture>, DecodeError> {
        // A few bytes can ask for thousands of pictures.
        if !obu::count_frames(&data).is_ok_and(|frames| (1..=MAX_FRAMES).contains(&frames)) {
            return Err(DecodeError::Malformed);
        }
        let mut sent = self.0.send_data(data, None, None, None);
        let mut newest = None;
        for _ in 0..MAX_ROUNDS {
            if matches!(&sent, Err(error) if !matches!(error, dav1d::Error::Again)) {
                return Err(self.start_anew());
            }
            loop {
                match self.0.get_picture() {
                    Ok(picture) => match copy(&picture, captured) {
                        Ok(picture) => newest = Some(picture),
                        Err(error) => {
                            self.start_anew();
                            return Err(error);
                        }
                    },
                    Err(dav1d::Error::Again) => break,
                    Err(_) => return Err(self.start_anew()),
                }
            }
            if sent.is_ok() {
                return Ok(newest);
            }
            sent = self.0.send_pending_data();
        }
        Err(self.start_anew())
    }

    /// A decoder that still holds data of a broken unit would not take other data: it is replaced.
    fn start_anew(&mut self) -> DecodeError {
        match Self::new() {
            Ok(fresh) => {
                *self = fresh;
                DecodeError::Malformed
            }
            Err(error) => error,
        }
    }
}

fn copy(decoded: &dav1d::Picture, captured: Instant) -> Result<Picture, DecodeError> {
    let size = Size::new(decoded.width(), decoded.height()).ok_or(DecodeError::Unsupported)?;
    if decoded.pixel_layout() != PixelLayout::I420 || decoded.bit_depth() != 8 {
        return Err(DecodeError::Unsupported);
    }
    let mut data = Vec::with_capacity(size.area() + 2 * size.chroma().area());
    let planes = [
        (PlanarImageComponent::Y, size),
        (PlanarImageComponent::U, size.chroma()),
        (PlanarImageComponent::V, size.chroma()),
    ];
    for (component, size) in planes {
        let plane = decoded.plane(component);
        let stride = decoded.stride(component) as usize;
        let (width, height) = (size.width as usize, size.height as usize);
        let rows = plane.chunks(stride.max(1)).take(height);
        for row in rows {
            data.extend_from_slice(row.get(..width).ok_or(DecodeError::Unsupported)?);
        }
    }
    let expected = size.area() + 2 * size.chroma().area();
    if data.len() == expected {
        Ok(Picture { size, data, captured })
    } else {
        Err(DecodeError::Unsupported)
    }
}
