//! Encoding video: AV1, live, by one of two encoders behind one trait.

mod aom;
mod rav1e_encoder;
mod references;

use std::str::FromStr;
use std::time::Instant;

use sightline_media_proto::effort::Speed;
use sightline_media_proto::rate::Bitrate;

use crate::picture::{Picture, Size};

/// An encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// One temporal unit, as `obu` writes it.
    pub data: Vec<u8>,
    /// Whether it can be decoded without any other.
    pub is_key: bool,
    /// No other builds on it.
    pub is_discardable: bool,
    /// When the picture was captured.
    pub captured: Instant,
}

/// Encodes pictures of one size as they come.
pub trait Encoder: Send {
    /// Encodes a picture, as a key frame if `force_key`. An encoder that holds pictures back returns earlier ones.
    ///
    /// # Errors
    /// [`EncodeError`].
    fn encode(&mut self, picture: &Picture, force_key: bool) -> Result<Vec<Encoded>, EncodeError>;

    /// Leaves the next picture out, if it is one that nothing would build on. Returns whether it is.
    fn leave_out(&mut self) -> bool {
        false
    }

    /// Changes the rate from the next picture on.
    ///
    /// # Errors
    /// [`EncodeError`].
    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), EncodeError>;

    /// Takes more or less time from the next picture on. rav1e has no speed to spare and stays at its fastest.
    ///
    /// # Errors
    /// [`EncodeError`].
    fn set_speed(&mut self, speed: Speed) -> Result<(), EncodeError>;
}

/// Why a picture was not encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The encoder does not accept the size or its settings.
    #[error("the picture encoder could not be set up: {0}")]
    Setup(String),
    /// It failed at a picture.
    #[error("the picture encoder failed: {0}")]
    Failed(String),
    /// The picture does not have the size that the encoder was made for.
    #[error("the picture has another size than those before")]
    Size,
}

/// Which encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncoderKind {
    /// libaom: the quickest at a given quality.
    #[default]
    Aom,
    /// rav1e: memory-safe; slower, and some pictures late.
    Rav1e,
}

impl FromStr for EncoderKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "aom" => Ok(Self::Aom),
            "rav1e" => Ok(Self::Rav1e),
            _ => Err(format!("“{name}” is none of: aom, rav1e")),
        }
    }
}

/// What an encoder begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The size of all its pictures.
    pub size: Size,
    /// Pictures a second, about.
    pub frame_rate: u32,
    /// May be changed later.
    pub bitrate: Bitrate,
    /// May be changed later.
    pub speed: Speed,
}

/// Makes an encoder.
///
/// # Errors
/// [`EncodeError::Setup`].
pub fn encoder(kind: EncoderKind, settings: Settings) -> Result<Box<dyn Encoder>, EncodeError> {
    Ok(match kind {
        EncoderKind::Aom => Box::new(aom::Aom::new(settings)?),
        EncoderKind::Rav1e => Box::new(rav1e_encoder::Rav1e::new(settings)?),
    })
}
