//! A picture as it is captured, encoded, decoded and shown.

use std::fmt;
use std::time::Instant;

use sightline_media_proto::obu;
pub use sightline_media_proto::obu::MAX_PIXELS;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size that pictures may have: sides of 16 to 4096, at most as many pixels as 1280×720.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Option<Self> {
        obu::is_size(width, height).then_some(Self { width, height })
    }

    /// The size of the two colour planes: half, rounded up.
    #[must_use]
    pub const fn chroma(self) -> Self {
        Self {
            width: self.width.div_ceil(2),
            height: self.height.div_ceil(2),
        }
    }

    /// The size in the same shape of at most so many rows, even both ways.
    #[must_use]
    pub fn within_height(self, height: u32) -> Self {
        if self.height <= height {
            return self;
        }
        let width = (u64::from(self.width) * u64::from(height) / u64::from(self.height)) as u32;
        Self {
            width: width.max(16) & !1,
            height: height & !1,
        }
    }

    /// Samples of a picture of this size, all planes together.
    #[must_use]
    pub const fn samples(self) -> usize {
        self.area() + 2 * self.chroma().area()
    }

    /// Bytes of a plane of this size.
    #[must_use]
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }
}

/// A picture in I420: a plane of luma, then two of colour at half the size, 8 bits, limited range, no padding.
#[derive(Debug)]
pub struct Picture {
    /// The size of the luma plane.
    pub size: Size,
    /// Y, then U, then V.
    data: Box<dyn PictureBuffer>,
    /// When it was captured, by this machine's clock.
    pub captured: Instant,
}

/// A copy is in the program's own memory.
impl Clone for Picture {
    fn clone(&self) -> Self {
        Self {
            data: Box::new(self.data().to_vec()),
            ..*self
        }
    }
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.captured == other.captured && self.data() == other.data()
    }
}

impl Eq for Picture {}

/// Memory that holds a picture: the program's own, or some that it shares with another process.
pub trait PictureBuffer: AsRef<[u8]> + AsMut<[u8]> + fmt::Debug + Send + Sync {}

impl<T: AsRef<[u8]> + AsMut<[u8]> + fmt::Debug + Send + Sync> PictureBuffer for T {}

impl Picture {
    /// A picture of these samples: Y, then U, then V. `None` when there are more or fewer than its size has.
    #[must_use]
    pub fn new(size: Size, data: impl PictureBuffer + 'static, captured: Instant) -> Option<Self> {
        let data: Box<dyn PictureBuffer> = Box::new(data);
        let has_all = (*data).as_ref().len() == size.samples();
        has_all.then_some(Self { size, data, captured })
    }

    /// A grey picture.
    #[must_use]
    pub fn grey(size: Size, captured: Instant) -> Self {
        let data = Box::new(vec![128; size.samples()]);
        Self { size, data, captured }
    }

    /// All samples: Y, then U, then V.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        (*self.data).as_ref()
    }

    /// The same, to write.
    pub fn data_mut(&mut self) -> &mut [u8] {
        (*self.data).as_mut()
    }

    /// The three planes: Y, U, V.
    #[must_use]
    pub fn planes(&self) -> [&[u8]; 3] {
        let (y, rest) = self.data().split_at(self.size.area());
        let (u, v) = rest.split_at(self.size.chroma().area());
        [y, u, v]
    }

    /// The three planes, to draw on.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let size = self.size;
        let (y, rest) = self.data_mut().split_at_mut(size.area());
        let (u, v) = rest.split_at_mut(size.chroma().area());
        [y, u, v]
    }

    /// The picture at a smaller size, each pixel the mean of those in its place.
    #[must_use]
    pub fn reduced(&self, size: Size) -> Self {
        let mut reduced = Self::grey(size, self.captured);
        let (from, to) = ([self.size, self.size.chroma()], [size, size.chroma()]);
        for (plane, (source, target)) in self.planes().iter().zip(reduced.planes_mut()).enumerate() {
            let (from, to) = (from[plane.min(1)], to[plane.min(1)]);
            let span = |at: usize, from: u32, to: u32| {
                let begin = at * from as usize / to as usize;
                let end = (at + 1) * from as usize / to as usize;
                begin..end.max(begin + 1)
            };
            let columns: Vec<_> = (0..to.width as usize)
                .map(|x| span(x, from.width, to.width))
                .collect();
            for (y, row) in target.chunks_exact_mut(to.width as usize).enumerate() {
                let rows = span(y, from.height, to.height);
                for (pixel, columns) in row.iter_mut().zip(&columns) {
                    let mut sum = 0;
                    for row in rows.clone() {
                        let row = &source[row * from.width as usize..];
                        sum += row[columns.clone()]
                            .iter()
                            .map(|pixel| u32::from(*pixel))
                            .sum::<u32>();
                    }
                    let count = (rows.len() * columns.len()) as u32;
                    *pixel = ((sum + count / 2) / count) as u8;
                }
            }
        }
        reduced
    }

    /// The picture at another size, each pixel taken from the nearest.
    #[must_use]
    pub fn scaled(&self, size: Size) -> Self {
        let mut scaled = Self::grey(size, self.captured);
        let (from, to) = ([self.size, self.size.chroma()], [size, size.chroma()]);
        for (plane, (source, target)) in self.planes().iter().zip(scaled.planes_mut()).enumerate() {
            let (from, to) = (from[plane.min(1)], to[plane.min(1)]);
            for (y, row) in target.chunks_exact_mut(to.width as usize).enumerate() {
                let source_y = y * from.height as usize / to.height as usize;
                for (x, pixel) in row.iter_mut().enumerate() {
                    let source_x = x * from.width as usize / to.width as usize;
                    *pixel = source[source_y * from.width as usize + source_x];
                }
            }
        }
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_picture_shows_the_same() {
        let size = Size {
            width: 640,
            height: 360,
        };
        let mut picture = Picture::grey(size, Instant::now());
        for (at, pixel) in picture.data_mut().iter_mut().enumerate() {
            *pixel = if at < size.area() {
                ((at % 640) / 4) as u8
            } else {
                90
            };
        }
        let small = size.within_height(180);
        assert_eq!((small.width, small.height), (320, 180));
        assert_eq!(size.within_height(720), size);
        let reduced = picture.reduced(small);
        let [y, u, v] = reduced.planes();
        for (at, pixel) in y.iter().enumerate() {
            assert_eq!(usize::from(*pixel), (at % 320) / 2, "at {at}");
        }
        assert!(u.iter().chain(v).all(|pixel| *pixel == 90));
        // Any ratio, however odd.
        let odd = Size {
            width: 1024,
            height: 575,
        };
        let reduced = Picture::grey(odd, Instant::now()).reduced(odd.within_height(180));
        assert!(reduced.data().iter().all(|pixel| *pixel == 128));
    }
}
