//! What the real-time callbacks of sound devices do, and nothing else: copy between the device's buffer and a
//! lock-free ring. No allocation, no lock, no call to the system.

use cpal::{FromSample, Sample};
use rtrb::{Consumer, Producer};

/// Microphone callback: mixes each moment's channels into one sample and puts it into the ring. What finds no
/// room is dropped; returns how many samples that were.
pub fn take_input<T: Sample>(data: &[T], channels: usize, ring: &mut Producer<f32>) -> usize
where
    f32: FromSample<T>,
{
    let mut dropped = 0;
    for moment in data.chunks_exact(channels.max(1)) {
        let sum: f32 = moment.iter().map(|sample| f32::from_sample(*sample)).sum();
        if ring.push(sum / channels.max(1) as f32).is_err() {
            dropped += 1;
        }
    }
    dropped
}

/// Loudspeaker callback: takes samples from the ring to all channels, silence when there is none. Returns how
/// many moments were silent for that reason.
pub fn fill_output<T: Sample + FromSample<f32>>(
    data: &mut [T],
    channels: usize,
    ring: &mut Consumer<f32>,
) -> usize {
    let mut missing = 0;
    for moment in data.chunks_mut(channels.max(1)) {
        let sample = ring.pop().unwrap_or_else(|_| {
            missing += 1;
            0.0
        });
        moment.fill(T::from_sample(sample));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stereo_becomes_mono_and_mono_becomes_stereo() {
        let (mut producer, mut consumer) = rtrb::RingBuffer::new(4);
        assert_eq!(take_input(&[0.5f32, 0.1, -0.2, -0.4], 2, &mut producer), 0);
        let mut out = [0.0f32; 6];
        assert_eq!(fill_output(&mut out, 2, &mut consumer), 1);
        for (sample, expected) in out.iter().zip([0.3, 0.3, -0.3, -0.3, 0.0, 0.0]) {
            assert!((sample - expected).abs() < 1e-6, "{out:?}");
        }
        assert_eq!(take_input(&[0i16; 6], 1, &mut producer), 2, "the ring holds four");
    }
}
