//! AV1's units as its grammar allows them, whether our encoders make such or not: for the fuzzer, which would seldom
//! come upon them by changing bits.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use crate::fuzz::mutate;

/// What stands in AV1's place for a `value` of so many bits.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for at in (0..count).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> at & 1) as u8) << (7 - self.count % 8);
            }
            self.count += 1;
        }
    }

    /// `usual`, or now and then anything.
    fn push_about(&mut self, usual: u32, count: u32, rng: &mut StdRng) {
        let value = if rng.random_ratio(1, 40) {
            rng.random()
        } else {
            usual
        };
        self.push(value, count);
    }
}

/// A temporal unit: some of `real` (a sequence header's and frames' payloads, as encoders make them), and units of every
/// type and size between them.
pub fn temporal_unit(real: &Real, rng: &mut StdRng) -> Vec<u8> {
    let mut unit = vec![0x12, 0x00];
    if rng.random_ratio(1, 2) {
        let header = if rng.random_ratio(1, 2) {
            real.header.clone()
        } else {
            sequence_header(rng)
        };
        push_unit(&mut unit, 1, &header, rng);
    }
    while rng.random_ratio(1, 8) {
        push_other(&mut unit, real, rng);
    }
    let frame = mutate(&real.frames, rng);
    push_unit(
        &mut unit,
        if rng.random_ratio(1, 30) {
            rng.random_range(0..16)
        } else {
            6
        },
        &frame,
        rng,
    );
    while rng.random_ratio(1, 8) {
        push_other(&mut unit, real, rng);
    }
    unit
}

/// Payloads of real units.
pub struct Real {
    /// Of a sequence header.
    pub header: Vec<u8>,
    /// Of frames, the first a key frame.
    pub frames: Vec<Vec<u8>>,
}

impl Real {
    /// Takes temporal units apart.
    #[must_use]
    pub fn of(units: &[Vec<u8>]) -> Self {
        let mut real = Self {
            header: Vec::new(),
            frames: Vec::new(),
        };
        for unit in units {
            let mut rest = unit.as_slice();
            while let [header, after @ ..] = rest {
                let len = after.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
                let (size, after) = after.split_at(len);
                let size = size
                    .iter()
                    .rev()
                    .fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
                let (payload, after) = after.split_at(size);
                match header >> 3 & 15 {
                    1 => real.header = payload.to_vec(),
                    6 => real.frames.push(payload.to_vec()),
                    _ => {}
                }
                rest = after;
            }
        }
        real
    }
}

/// One unit of any type: metadata of every kind, also empty; tile groups and lists; headers that repeat or show a frame.
fn push_other(unit: &mut Vec<u8>, real: &Real, rng: &mut StdRng) {
    let kind = rng.random_range(0..16);
    let payload = match (kind, rng.random_range(0..4)) {
        (_, 0) => Vec::new(),
        (5, _) => {
            let mut metadata = vec![rng.random_range(0..8), 0xb5];
            metadata.extend((0..rng.random_range(0..6)).map(|_| rng.random::<u8>()));
            metadata.push(0x80);
            metadata.truncate(rng.random_range(0..=metadata.len()));
            metadata
        }
        // A frame that exists is shown, each of eight.
        (3 | 7, 1) => vec![0x80 | rng.random_range(0..8) << 4 | 0x08],
        (1, _) => sequence_header(rng),
        (3 | 4 | 6 | 7 | 8, _) => mutate(&real.frames, rng),
        _ => (0..rng.random_range(0..40)).map(|_| rng.random()).collect(),
    };
    push_unit(unit, kind, &payload, rng);
}

fn push_unit(unit: &mut Vec<u8>, kind: u8, payload: &[u8], rng: &mut StdRng) {
    let odd = |rng: &mut StdRng| u8::from(rng.random_ratio(1, 60));
    let extension = odd(rng);
    let has_size = 1 ^ odd(rng);
    unit.push(odd(rng) << 7 | kind << 3 | extension << 2 | has_size << 1 | odd(rng));
    if extension == 1 {
        unit.push(rng.random());
    }
    if has_size == 1 {
        let size = match rng.random_range(0..60) {
            0 => rng.random_range(0..=payload.len() * 2),
            1 => rng.random::<u32>() as usize,
            _ => payload.len(),
        };
        // Now and then in more bytes than it needs.
        let more = if rng.random_ratio(1, 40) {
            rng.random_range(1..9)
        } else {
            0
        };
        let needed = (usize::BITS - size.leading_zeros()).div_ceil(7).max(1) + more;
        for at in 0..needed {
            let low = size.checked_shr(7 * at).unwrap_or(0) as u8 & 0x7f;
            unit.push(low | u8::from(at + 1 < needed) << 7);
        }
    }
    unit.extend_from_slice(payload);
}

/// A sequence header (AV1 specification, section 5.5.1) with film grain, layers, timing, depth and sizes of all kinds.
fn sequence_header(rng: &mut StdRng) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push_about(0, 3, rng);
    bits.push_about(0, 1, rng);
    bits.push_about(0, 1, rng);
    bits.push_about(0, 1, rng);
    bits.push_about(0, 1, rng);
    let points = if rng.random_ratio(1, 20) {
        rng.random_range(0..32)
    } else {
        0
    };
    bits.push(points, 5);
    for _ in 0..=points {
        bits.push_about(0, 12, rng);
        bits.push_about(4, 5, rng);
    }
    bits.push_about(11, 4, rng);
    bits.push_about(11, 4, rng);
    bits.push_about(63, 12, rng);
    bits.push_about(47, 12, rng);
    bits.push_about(0, 1, rng);
    // Tools.
    bits.push(rng.next_u32(), 7);
    let order_hint = rng.random_range(0..2);
    bits.push(order_hint, 1);
    if order_hint == 1 {
        bits.push(rng.next_u32(), 2);
    }
    bits.push_about(1, 1, rng);
    bits.push_about(1, 1, rng);
    if order_hint == 1 {
        bits.push_about(6, 3, rng);
    }
    // Scaled pictures, loop filters, colour, film grain.
    bits.push_about(0, 1, rng);
    bits.push(rng.next_u32(), 2);
    bits.push_about(0, 6, rng);
    bits.push_about(0, 1, rng);
    bits.push_about(0, 1, rng);
    bits.push(1, 1);
    bits.bytes
}
