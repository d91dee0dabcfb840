//! A code in a picture: a photograph of a screen, a screenshot, what a camera sees.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use image::imageops::{FilterType, resize};
use image::{GrayImage, ImageReader, Limits};
use sightline_media::Picture;
use sightline_mesh_proto::Code;
use zeroize::Zeroizing;

/// The largest file that is read, bytes.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// Longer sides at which a picture is looked at, pixels.
const SIDES: [u32; 3] = [1600, 800, 450];

/// The most memory that a picture may take while it is read, bytes.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;

/// Why there is no code in a file; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// It cannot be read, or is no picture.
    #[error("This file is no picture that can be read: {0}.")]
    Unreadable(String),
    /// There is no code to be seen.
    #[error("There is no code in this picture.")]
    Empty,
}

impl PictureError {
    /// What the system or the decoder said, as a sentence; nothing where the picture could be read.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::Unreadable(cause) => format!("{cause}."),
            Self::Empty => String::new(),
        }
    }
}

/// The code in a file: PNG or JPEG.
///
/// # Errors
/// [`PictureError`].
pub fn read_file(path: &Path) -> Result<Code, PictureError> {
    let unreadable = |error: std::io::Error| PictureError::Unreadable(error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    BufReader::new(file)
        .take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    read_bytes(&bytes)
}

/// The code in a file's bytes: PNG or JPEG.
///
/// # Errors
/// [`PictureError`].
pub fn read_bytes(bytes: &[u8]) -> Result<Code, PictureError> {
    let unreadable = |error: &dyn std::fmt::Display| PictureError::Unreadable(error.to_string());
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| unreadable(&error))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| unreadable(&error))?;
    let picture = picture.into_luma8();
    // What is too fine to be read at one size may be read at another.
    let views = SIDES.iter().map(|side| smaller(&picture, *side));
    views.flatten().find_map(find).ok_or(PictureError::Empty)
}

/// The picture with at most so many pixels on its longer side; `None` when it is smaller already, but for the first
/// size.
fn smaller(picture: &GrayImage, side: u32) -> Option<GrayImage> {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= side {
        return (side == SIDES[0]).then(|| picture.clone());
    }
    let scaled = |length: u32| (u64::from(length) * u64::from(side) / u64::from(longer)).max(1) as u32;
    Some(resize(
        picture,
        scaled(width),
        scaled(height),
        FilterType::Triangle,
    ))
}

/// The code in what a camera saw.
#[must_use]
pub fn read_picture(picture: &Picture) -> Option<Code> {
    let [luma, ..] = picture.planes();
    find(GrayImage::from_raw(
        picture.size.width,
        picture.size.height,
        luma.to_vec(),
    )?)
}

/// The first square that holds a code of ours.
fn find(picture: GrayImage) -> Option<Code> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.into_raw();
    // Found by fuzzing: the library asserts that corners lie within 32 bits, and for some pictures they do not. It keeps
    // nothing between pictures, so a panic in it means only that this one shows no code.
    let texts = std::panic::catch_unwind(move || {
        let mut prepared =
            rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
        let grids = prepared.detect_grids().into_iter();
        grids
            .filter_map(|grid| Some(Zeroizing::new(grid.decode().ok()?.1)))
            .collect::<Vec<_>>()
    });
    let texts = texts.unwrap_or_default().into_iter();
    texts.filter_map(|text| Code::parse(&text).ok()).next()
}
