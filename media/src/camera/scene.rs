//! A made-up scene that moves like a talking head before a still room, with a clock: digits for people, and a
//! strip of black and white squares for programs, both telling when the picture was captured.

use std::time::{Duration, Instant, SystemTime};

use super::{Camera, CameraError};
use crate::pace::Pacer;
use crate::picture::{Picture, Size};

/// 640×360.
const SIZE: Size = Size {
    width: 640,
    height: 360,
};

/// 30 pictures a second.
const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// Pixels of a square's side: large enough to survive any bit rate.
const SQUARE: usize = 16;

/// Squares of the strip: 32 bits of milliseconds, then 8 bits of check.
const BITS: usize = 40;

const BLACK: u8 = 16;
const WHITE: u8 = 235;

/// The scene.
#[derive(Debug)]
pub struct Scene {
    pacer: Pacer,
    start: Instant,
    background: Picture,
}

#[allow(clippy::disallowed_methods, reason = "the scene's clock")]
impl Default for Scene {
    fn default() -> Self {
        let start = Instant::now();
        Self {
            pacer: Pacer::new(INTERVAL),
            start,
            background: room(start),
        }
    }
}

impl Camera for Scene {
    fn read(&mut self) -> Result<Picture, CameraError> {
        let captured = self.pacer.wait() + INTERVAL;
        let since_start = captured.saturating_duration_since(self.start);
        Ok(draw(
            &self.background,
            captured,
            since_start,
            clock_millis(captured),
        ))
    }
}

/// The wall clock at `at` in milliseconds, wrapping after 49 days: the same in all processes of a machine.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "ties the scene's clock to the machine's"
)]
pub fn clock_millis(at: Instant) -> u32 {
    let wall = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = Instant::now();
    let at_wall = wall + at.saturating_duration_since(now);
    at_wall
        .saturating_sub(now.saturating_duration_since(at))
        .as_millis() as u32
}

/// The still part: a wall with soft light, a desk.
fn room(captured: Instant) -> Picture {
    let mut picture = Picture::grey(SIZE, captured);
    let [y, u, v] = picture.planes_mut();
    for (at, pixel) in y.iter_mut().enumerate() {
        let (row, column) = (at / SIZE.width as usize, at % SIZE.width as usize);
        let light = 90 + column / 10 + row / 8;
        let grain = (row.wrapping_mul(31) ^ column.wrapping_mul(17)) % 5;
        *pixel = (if row > 290 { 70 + grain * 3 } else { light + grain }) as u8;
    }
    u.fill(122);
    v.fill(136);
    picture
}

fn draw(background: &Picture, captured: Instant, since_start: Duration, millis: u32) -> Picture {
    let mut picture = background.clone();
    picture.captured = captured;
    let time = since_start.as_secs_f32();
    let head = (
        (320.0 + 60.0 * (time * 0.9).sin()) as i32,
        (190.0 + 14.0 * (time * 1.7).sin()) as i32,
    );
    disc(&mut picture, head, 70, (170, 110, 160));
    disc(&mut picture, (head.0 - 25, head.1 - 15), 8, (40, 128, 128));
    disc(&mut picture, (head.0 + 25, head.1 - 15), 8, (40, 128, 128));
    let mouth = 4 + (6.0 * (time * 11.0).sin().abs()) as i32;
    disc(&mut picture, (head.0, head.1 + 30), mouth + 8, (60, 120, 190));
    strip(&mut picture, millis);
    digits(&mut picture, millis);
    picture
}

fn disc(picture: &mut Picture, (cx, cy): (i32, i32), radius: i32, (luma, cb, cr): (u8, u8, u8)) {
    let size = picture.size;
    let [y, u, v] = picture.planes_mut();
    for row in (cy - radius).max(0)..(cy + radius).min(size.height as i32) {
        for column in (cx - radius).max(0)..(cx + radius).min(size.width as i32) {
            if (row - cy).pow(2) + (column - cx).pow(2) < radius * radius {
                y[row as usize * size.width as usize + column as usize] = luma;
                let at = row as usize / 2 * size.chroma().width as usize + column as usize / 2;
                u[at] = cb;
                v[at] = cr;
            }
        }
    }
}

/// 40 squares along the top, most significant bit first, white for 1.
fn strip(picture: &mut Picture, millis: u32) {
    let word = u64::from(millis) << 8 | u64::from(check(millis));
    for bit in 0..BITS {
        let is_set = word >> (BITS - 1 - bit) & 1 == 1;
        square(
            picture,
            bit * SQUARE,
            0,
            SQUARE,
            SQUARE,
            if is_set { WHITE } else { BLACK },
        );
    }
}

/// Four bytes added up, inverted: neither a black nor a white strip is a time.
const fn check(millis: u32) -> u8 {
    let [a, b, c, d] = millis.to_be_bytes();
    !a.wrapping_add(b).wrapping_add(c).wrapping_add(d)
}

fn square(picture: &mut Picture, x: usize, y: usize, width: usize, height: usize, luma: u8) {
    let size = picture.size;
    let [plane, u, v] = picture.planes_mut();
    for row in y..(y + height).min(size.height as usize) {
        for column in x..(x + width).min(size.width as usize) {
            plane[row * size.width as usize + column] = luma;
            let at = row / 2 * size.chroma().width as usize + column / 2;
            u[at] = 128;
            v[at] = 128;
        }
    }
}

/// Minutes, seconds and tenths in seven segments, bottom left.
fn digits(picture: &mut Picture, millis: u32) {
    let (minutes, seconds, tenths) = (millis / 60_000 % 60, millis / 1000 % 60, millis / 100 % 10);
    square(picture, 8, 308, 152, 44, BLACK);
    let shown = [minutes / 10, minutes % 10, seconds / 10, seconds % 10, tenths];
    for (digit, x) in shown.into_iter().zip([14, 38, 70, 94, 128]) {
        segments(picture, digit as usize, x, 312);
    }
    for y in [320, 336] {
        square(picture, 62, y, 4, 4, WHITE);
    }
    square(picture, 120, 344, 4, 4, WHITE);
}

/// The segments of each digit: top, upper left, upper right, middle, lower left, lower right, bottom.
const SEGMENTS: [u8; 10] = [
    0b111_0111, 0b001_0010, 0b101_1101, 0b101_1011, 0b011_1010, 0b110_1011, 0b110_1111, 0b101_0010,
    0b111_1111, 0b111_1011,
];

fn segments(picture: &mut Picture, digit: usize, x: usize, y: usize) {
    let places = [
        (0, 0, 20, 4),
        (0, 0, 4, 18),
        (16, 0, 4, 18),
        (0, 16, 20, 4),
        (0, 18, 4, 18),
        (16, 18, 4, 18),
        (0, 32, 20, 4),
    ];
    let lit = SEGMENTS.get(digit).copied().unwrap_or_default();
    for (at, (dx, dy, width, height)) in places.into_iter().enumerate() {
        if lit >> (6 - at) & 1 == 1 {
            square(picture, x + dx, y + dy, width, height, WHITE);
        }
    }
}

/// Reads the strip: the milliseconds at which a scene was captured; `None` when there is no readable one.
#[must_use]
pub fn read_clock(picture: &Picture) -> Option<u32> {
    let width = picture.size.width as usize;
    if width < BITS * SQUARE || (picture.size.height as usize) < SQUARE {
        return None;
    }
    let [y, ..] = picture.planes();
    let mut word = 0u64;
    for bit in 0..BITS {
        let mut sum = 0u32;
        for row in SQUARE / 4..SQUARE * 3 / 4 {
            let start = row * width + bit * SQUARE + SQUARE / 4;
            sum += y[start..start + SQUARE / 2]
                .iter()
                .map(|pixel| u32::from(*pixel))
                .sum::<u32>();
        }
        let mean = sum / (SQUARE * SQUARE / 4) as u32;
        word = word << 1 | u64::from(mean > 126);
    }
    let millis = (word >> 8) as u32;
    (check(millis) == word as u8).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_in_the_picture_can_be_read() {
        let now = Instant::now();
        let background = room(now);
        for millis in [0, 1, 12_345_678, 0xffff_ffff, 0x5555_aaaa] {
            let picture = draw(
                &background,
                now,
                Duration::from_millis(u64::from(millis % 60_000)),
                millis,
            );
            assert_eq!(read_clock(&picture), Some(millis));
        }
        assert_eq!(read_clock(&background), None);
        assert_eq!(
            read_clock(&Picture::grey(
                Size {
                    width: 320,
                    height: 180
                },
                now
            )),
            None
        );
    }

    #[test]
    fn the_scene_moves() {
        let now = Instant::now();
        let background = room(now);
        let (a, b) = (
            draw(&background, now, Duration::ZERO, 0),
            draw(&background, now, Duration::from_millis(500), 0),
        );
        let changed = a.data().iter().zip(b.data()).filter(|(a, b)| a != b).count();
        assert!(changed > a.data().len() / 100, "{changed}");
    }
}
