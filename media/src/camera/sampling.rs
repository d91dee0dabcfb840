//! Pictures of a clip in whatever way their colours are sampled, as the program has them: I420 with 8 bits.

use y4m::{Colorspace, Frame};

use crate::picture::Size;

/// How a clip's planes are written.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// Pixels across and down that share one sample of colour.
    across: usize,
    down: usize,
    has_colour: bool,
    /// Bits of a sample beyond the eighth; any make it two bytes.
    more_bits: u32,
}

impl Sampling {
    /// Returns `None` for a kind that is not known.
    pub fn of(space: Colorspace) -> Option<Self> {
        let (across, down, has_colour, bits) = match space {
            Colorspace::C420 | Colorspace::C420jpeg | Colorspace::C420paldv | Colorspace::C420mpeg2 => {
                (2, 2, true, 8)
            }
            Colorspace::C420p10 => (2, 2, true, 10),
            Colorspace::C420p12 => (2, 2, true, 12),
            Colorspace::C422 => (2, 1, true, 8),
            Colorspace::C422p10 => (2, 1, true, 10),
            Colorspace::C422p12 => (2, 1, true, 12),
            Colorspace::C444 => (1, 1, true, 8),
            Colorspace::C444p10 => (1, 1, true, 10),
            Colorspace::C444p12 => (1, 1, true, 12),
            Colorspace::Cmono => (1, 1, false, 8),
            Colorspace::Cmono12 => (1, 1, false, 12),
            _ => return None,
        };
        Some(Self {
            across,
            down,
            has_colour,
            more_bits: bits - 8,
        })
    }

    /// The samples of a picture: Y, then U, then V. Without colour, and where a plane is too short, they are grey.
    pub fn to_i420(self, frame: &Frame<'_>, size: Size) -> Vec<u8> {
        if (self.across, self.down, self.more_bits) == (2, 2, 0) {
            return [frame.get_y_plane(), frame.get_u_plane(), frame.get_v_plane()].concat();
        }
        let (width, height) = (size.width as usize, size.height as usize);
        let mut data = Vec::with_capacity(size.samples());
        let y = frame.get_y_plane();
        data.extend((0..size.area()).map(|at| self.sample(y, at) as u8));
        // How many samples of colour make one of ours.
        let (columns, rows) = (2 / self.across, 2 / self.down);
        let (wide, high) = (width.div_ceil(self.across), height.div_ceil(self.down));
        for plane in [frame.get_u_plane(), frame.get_v_plane()] {
            for row in 0..height.div_ceil(2) {
                for column in 0..width.div_ceil(2) {
                    let ys = row * rows..((row + 1) * rows).min(high);
                    let xs = column * columns..((column + 1) * columns).min(wide);
                    let count = (ys.len() * xs.len()) as u32;
                    let samples = ys.flat_map(|y| xs.clone().map(move |x| y * wide + x));
                    let sum: u32 = samples.map(|at| self.sample(plane, at)).sum();
                    data.push(if self.has_colour {
                        ((sum + count / 2) / count) as u8
                    } else {
                        GREY as u8
                    });
                }
            }
        }
        data
    }

    fn sample(self, plane: &[u8], at: usize) -> u32 {
        if self.more_bits == 0 {
            return plane.get(at).map_or(GREY, |sample| u32::from(*sample));
        }
        let (samples, _) = plane.as_chunks();
        let sample = samples
            .get(at)
            .map(|sample| u32::from(u16::from_le_bytes(*sample)));
        sample.map_or(GREY, |sample| (sample >> self.more_bits).min(255))
    }
}

const GREY: u32 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 17,
        height: 16,
    };

    /// A picture of one colour, written in this way.
    fn written(space: Colorspace) -> Vec<u8> {
        let sampling = Sampling::of(space).expect("known");
        let plane = |pixels: usize, value: u32| -> Vec<u8> {
            let sample = value << sampling.more_bits;
            let bytes = if sampling.more_bits == 0 { 1 } else { 2 };
            sample.to_le_bytes()[..bytes].repeat(pixels)
        };
        let colour = if sampling.has_colour {
            17usize.div_ceil(sampling.across) * 16usize.div_ceil(sampling.down)
        } else {
            0
        };
        let planes = [plane(17 * 16, 200), plane(colour, 90), plane(colour, 160)];
        let frame = Frame::new(planes.each_ref().map(Vec::as_slice), None);
        sampling.to_i420(&frame, SIZE)
    }

    #[test]
    fn a_picture_shows_the_same_however_it_is_written() {
        let colours = [vec![200; 17 * 16], vec![90; 9 * 8], vec![160; 9 * 8]].concat();
        let grey = [vec![200; 17 * 16], vec![128; 2 * 9 * 8]].concat();
        for space in [
            Colorspace::C420,
            Colorspace::C420p10,
            Colorspace::C422,
            Colorspace::C422p12,
            Colorspace::C444,
            Colorspace::C444p10,
        ] {
            assert_eq!(written(space), colours, "{space:?}");
        }
        for space in [Colorspace::Cmono, Colorspace::Cmono12] {
            assert_eq!(written(space), grey, "{space:?}");
        }
    }
}
