//! A picture as it is captured, encoded, decoded and shown.

use std::time::Instant;

/// The largest picture that is sent or shown: 1280×720 pixels.
pub const MAX_PIXELS: u32 = 1280 * 720;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size that pictures may have: at least 16×16, at most 1280×720 pixels in any shape.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let fits = width >= 16 && height >= 16 && width.checked_mul(height)? <= MAX_PIXELS;
        fits.then_some(Self { width, height })
    }

    /// The size of the two colour planes: half, rounded up.
    #[must_use]
    pub const fn chroma(self) -> Self {
        Self {
            width: self.width.div_ceil(2),
            height: self.height.div_ceil(2),
        }
    }

    /// Bytes of a plane of this size.
    #[must_use]
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }
}

/// A picture in I420: a plane of luma, then two of colour at half the size, 8 bits, limited range, no padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The size of the luma plane.
    pub size: Size,
    /// Y, then U, then V.
    pub data: Vec<u8>,
    /// When it was captured, by this machine's clock.
    pub captured: Instant,
}

impl Picture {
    /// A grey picture.
    #[must_use]
    pub fn grey(size: Size, captured: Instant) -> Self {
        let data = vec![128; size.area() + 2 * size.chroma().area()];
        Self { size, data, captured }
    }

    /// The three planes: Y, U, V.
    #[must_use]
    pub fn planes(&self) -> [&[u8]; 3] {
        let (y, rest) = self.data.split_at(self.size.area());
        let (u, v) = rest.split_at(self.size.chroma().area());
        [y, u, v]
    }

    /// The three planes, to draw on.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let (y, rest) = self.data.split_at_mut(self.size.area());
        let (u, v) = rest.split_at_mut(self.size.chroma().area());
        [y, u, v]
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
