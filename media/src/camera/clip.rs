//! A Y4M clip in place of a camera, looped, at its own pace.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use y4m::{Decoder, Limits};

use super::sampling::Sampling;
use super::{Camera, CameraError};
use crate::pace::Pacer;
use crate::picture::{MAX_PIXELS, Picture, Size};
use crate::source::open_clip;

/// 30 pictures a second: a faster clip is thinned out, and one that does not say how fast it is goes as fast.
const MAX_RATE: f64 = 30.0;

/// Pixels whose sides differ by less are shown as squares.
const SQUARE: std::ops::Range<f64> = 0.98..1.02;

/// A clip.
pub struct Clip<R: Read + Seek = File> {
    decoder: Decoder<BufReader<SharedReader<R>>>,
    reader: SharedReader<R>,
    /// As it is written, and as it is shown: with square pixels.
    written: Size,
    size: Size,
    sampling: Sampling,
    has_own_rate: bool,
    pacer: Pacer,
    /// Of how many pictures one is shown.
    every: usize,
    path: String,
}

impl Clip<File> {
    /// Opens a file and reads its header and first picture.
    ///
    /// # Errors
    /// [`CameraError::Clip`].
    pub fn open(path: &Path) -> Result<Self, CameraError> {
        let name = path.display().to_string();
        let file = open_clip(path).map_err(|why| CameraError::Clip {
            path: name.clone(),
            why,
        })?;
        Self::new(file, name)
    }
}

impl<R: Read + Seek> Clip<R> {
    /// Reads a clip from anything that can be rewound; `name` is for messages.
    ///
    /// # Errors
    /// [`CameraError::Clip`].
    pub fn new(reader: R, name: String) -> Result<Self, CameraError> {
        let reader = SharedReader(std::sync::Arc::new(std::sync::Mutex::new(reader)));
        let (decoder, written, sampling) = decoder(&reader).map_err(|why| CameraError::Clip {
            path: name.clone(),
            why,
        })?;
        let rate = decoder.get_framerate();
        let has_own_rate = rate.num != 0 && rate.den != 0;
        let rate = if has_own_rate {
            rate.num as f64 / rate.den as f64
        } else {
            MAX_RATE
        };
        let pixel = decoder.get_pixel_aspect();
        let pixel = pixel.num.max(1) as f64 / pixel.den.max(1) as f64;
        if !(1.0..=1000.0).contains(&rate) {
            let why = format!("{rate} pictures a second make no sense");
            return Err(CameraError::Clip { path: name, why });
        }
        let every = (rate / MAX_RATE).ceil().max(1.0);
        let pacer = Pacer::new(Duration::from_secs_f64(every / rate));
        let mut clip = Self {
            decoder,
            reader,
            written,
            size: shown(written, pixel),
            sampling,
            has_own_rate,
            pacer,
            every: every as usize,
            path: name,
        };
        clip.next_data()?;
        Ok(clip)
    }

    /// The size of its pictures.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The planes of the next picture, from the beginning again after the last, without waiting for its time.
    ///
    /// # Errors
    /// [`CameraError::Clip`].
    pub fn next_data(&mut self) -> Result<Vec<u8>, CameraError> {
        for _ in 1..self.every {
            // The end is found below.
            let _end = self.decoder.read_frame();
        }
        let mut rewound = false;
        loop {
            match self.decoder.read_frame() {
                Ok(frame) => {
                    let data = self.sampling.to_i420(&frame, self.written);
                    return Ok(self.show(data));
                }
                // Whatever follows the last picture, another clip say, is behind its end.
                Err(_) if !rewound => {
                    rewound = true;
                    (self.decoder, ..) = decoder(&self.reader).map_err(|why| self.error(why))?;
                }
                Err(error) => return Err(self.error(explain(&error))),
            }
        }
    }

    /// A picture as it is shown.
    #[allow(clippy::disallowed_methods, reason = "a clip's clock")]
    fn show(&self, data: Vec<u8>) -> Vec<u8> {
        if self.size == self.written {
            return data;
        }
        let picture = Picture::new(self.written, data, Instant::now());
        picture.map_or_else(Vec::new, |picture| picture.reduced(self.size).data().to_vec())
    }

    fn error(&self, why: String) -> CameraError {
        CameraError::Clip {
            path: self.path.clone(),
            why,
        }
    }
}

impl<R: Read + Seek + Send> Camera for Clip<R> {
    #[allow(clippy::disallowed_methods, reason = "a clip's clock")]
    fn read(&mut self) -> Result<Picture, CameraError> {
        self.pacer.wait();
        let data = self.next_data()?;
        Picture::new(self.size, data, Instant::now())
            .ok_or_else(|| self.error("a frame is shorter than the header says".into()))
    }

    fn has_own_rate(&self) -> bool {
        self.has_own_rate
    }
}

type Opened<R> = (Decoder<BufReader<SharedReader<R>>>, Size, Sampling);

fn decoder<R: Read + Seek>(reader: &SharedReader<R>) -> Result<Opened<R>, String> {
    let mut reader = reader.clone();
    reader.rewind().map_err(|error| error.to_string())?;
    let limits = Limits {
        bytes: MAX_PIXELS as usize * 6,
    };
    let decoder = Decoder::new_with_limits(BufReader::new(reader), limits).map_err(|error| match error {
        y4m::Error::EOF => explain(&y4m::Error::ParseError(y4m::ParseError::InvalidY4M)),
        error => explain(&error),
    })?;
    let sampling =
        Sampling::of(decoder.get_colorspace()).filter(|_| says_its_colours(decoder.get_raw_params()));
    let sampling =
        sampling.ok_or("how its colours are sampled is said in no way that is known; convert it")?;
    let (width, height) = (decoder.get_width(), decoder.get_height());
    let size = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    let size = size
        .and_then(|(width, height)| Size::new(width, height))
        .ok_or_else(|| format!("{width}×{height} pixels are too few or too many (16×16 to 1280×720)"))?;
    Ok((decoder, size, sampling))
}

/// Whether colours are as the header's own field says. Some programs say in a comment of theirs alone that they are not 4:2:0.
fn says_its_colours(header: &[u8]) -> bool {
    let fields = || header.split(|byte| *byte == b' ');
    let has_own = fields().any(|field| field.first() == Some(&b'C'));
    has_own || !fields().any(|field| field.starts_with(b"XYSCSS=") && !field.starts_with(b"XYSCSS=420"))
}

/// The size with square pixels, none more than are written. `pixel` is the width of a written one beside its height.
fn shown(written: Size, pixel: f64) -> Size {
    if SQUARE.contains(&pixel) {
        return written;
    }
    let (width, height) = (f64::from(written.width), f64::from(written.height));
    let even = |side: f64| (side as u32).max(16) & !1;
    let shown = if pixel > 1.0 {
        Size::new(written.width, even(height / pixel))
    } else {
        Size::new(even(width * pixel), written.height)
    };
    shown.unwrap_or(written)
}

fn explain(error: &y4m::Error) -> String {
    match error {
        y4m::Error::EOF => "it holds no whole picture".into(),
        y4m::Error::OutOfMemory => "its pictures are too large (1280×720 at most)".into(),
        y4m::Error::IoError(error) => error.to_string(),
        _ => "it is not a Y4M clip".into(),
    }
}

/// One reader for each pass over the clip.
struct SharedReader<R>(std::sync::Arc<std::sync::Mutex<R>>);

impl<R> Clone for SharedReader<R> {
    fn clone(&self) -> Self {
        Self(std::sync::Arc::clone(&self.0))
    }
}

impl<R> SharedReader<R> {
    fn with<T>(&self, act: impl FnOnce(&mut R) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl<R: Read> Read for SharedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.with(|reader| reader.read(buffer))
    }
}

impl<R: Seek> Seek for SharedReader<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.with(|reader| reader.seek(to))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn clip(header: &str, pictures: &[u8]) -> Vec<u8> {
        let mut bytes = format!("YUV4MPEG2 {header}\n").into_bytes();
        for value in pictures {
            bytes.extend_from_slice(b"FRAME\n");
            bytes.extend_from_slice(&[*value; 16 * 16 * 3 / 2]);
        }
        bytes
    }

    #[test]
    fn a_clip_is_looped() {
        let bytes = clip("W16 H16 F30:1 C420jpeg", &[10, 20, 30]);
        let mut clip = Clip::new(Cursor::new(bytes), "x".into()).expect("a clip");
        let shown: Vec<u8> = (0..6).map(|_| clip.next_data().expect("a picture")[0]).collect();
        assert_eq!(shown, [20, 30, 10, 20, 30, 10]);
    }

    #[test]
    fn whatever_follows_the_last_picture_is_behind_its_end() {
        let once = clip("W16 H16 F30:1 C420jpeg", &[10, 20]);
        for (name, rest) in [
            ("a newline", b"\n".to_vec()),
            ("another clip", once.clone()),
            ("a part", b"FRA".to_vec()),
        ] {
            let bytes = [once.clone(), rest].concat();
            let mut clip = Clip::new(Cursor::new(bytes), "x".into()).expect("a clip");
            let shown: Vec<u8> = (0..4).map(|_| clip.next_data().expect("a picture")[0]).collect();
            assert_eq!(shown, [20, 10, 20, 10], "{name}");
        }
    }

    #[test]
    fn pixels_that_are_not_square_are_shown_in_the_right_shape() {
        for (header, width, height) in [
            ("W180 H144 F25:1 A64:45", 180, 100),
            ("W180 H144 F25:1 A1:2", 90, 144),
            ("W180 H144 F25:1 A0:0", 180, 144),
            ("W180 H144 F25:1", 180, 144),
        ] {
            let mut bytes = format!("YUV4MPEG2 {header}\nFRAME\n").into_bytes();
            bytes.extend(vec![77; 180 * 144 * 3 / 2]);
            let mut clip = Clip::new(Cursor::new(bytes), "x".into()).expect("a clip");
            assert_eq!(clip.size(), Size { width, height }, "{header}");
            assert_eq!(
                clip.next_data().expect("a picture"),
                vec![77; clip.size().samples()]
            );
        }
    }

    #[test]
    fn a_clip_that_does_not_say_how_fast_it_is_can_be_shown() {
        for (rate, says) in [("F0:0", false), ("F0:1", false), ("F25:1", true)] {
            let bytes = clip(&format!("W16 H16 {rate}"), &[1]);
            let clip = Clip::new(Cursor::new(bytes), "x".into()).expect("a clip");
            assert_eq!(clip.has_own_rate(), says, "{rate}");
        }
    }

    #[test]
    fn each_fault_is_named() {
        let cases = [
            (clip("W16 H16 F30:1 XYSCSS=444", &[1]), "colours"),
            (clip("W8 H8 F30:1", &[1]), "8×8"),
            (clip("W64000 H64000 F30:1", &[1]), "too large"),
            (clip("W57600 H16 F30:1", &[1]), "57600×16"),
            (clip("W16 H16 F30:1", &[]), "no whole picture"),
            (clip("W16 H16 F1:90", &[1]), "pictures a second"),
            (b"RIFF".to_vec(), "not a Y4M"),
        ];
        for (bytes, expected) in cases {
            let error = Clip::new(Cursor::new(bytes), "x".into())
                .err()
                .expect("no clip")
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
