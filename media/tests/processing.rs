//! A voice in a simulated room: what the loudspeaker plays comes back into the microphone, a fan hums, people speak low and loud.
#![allow(clippy::expect_used, missing_docs)]

use std::sync::Arc;

use sightline_media::microphone::made_up_voice;
use sightline_media::{FarEnd, Processing, Processor, SharedProcessing};

const BLOCK: usize = 480;
const SECOND: usize = 48_000;

/// A room: the sound's way from the loudspeaker to the microphone, 12 ms and then a decaying echo, a fifth of it left.
struct Room {
    response: Vec<f32>,
    played: Vec<f32>,
}

impl Room {
    fn new() -> Self {
        let mut noise = Noise(7);
        let response = (0..6000).map(|n| {
            if n < 576 {
                return 0.0;
            }
            let direct = if n == 576 { 0.3 } else { 0.0 };
            direct + 0.02 * noise.next() * (-((n - 576) as f32) / 1200.0).exp()
        });
        Self {
            response: response.collect(),
            played: Vec::new(),
        }
    }

    /// What reaches the microphone of the block that is played now.
    fn echo(&mut self, block: &[f32]) -> Vec<f32> {
        self.played.extend_from_slice(block);
        let from = self.played.len() - block.len();
        (from..self.played.len())
            .map(|at| {
                let heard = self.response.iter().take(at + 1).enumerate();
                heard.map(|(delay, share)| share * self.played[at - delay]).sum()
            })
            .collect()
    }
}

struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 as f32 / u32::MAX as f32 * 2.0 - 1.0
    }
}

fn voice(seed: u64, seconds: usize, level: f32) -> Vec<f32> {
    made_up_voice(seed)
        .take(seconds * SECOND)
        .map(|sample| sample * level)
        .collect()
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32
}

fn decibels(one: f32, other: f32) -> f32 {
    10.0 * (one.max(1e-12) / other.max(1e-12)).log10()
}

struct Talk {
    wanted: Arc<SharedProcessing>,
    far_end: Arc<FarEnd>,
    processor: Processor,
}

impl Talk {
    fn new(processing: Processing) -> Self {
        let (wanted, far_end) = (Arc::new(SharedProcessing::default()), Arc::new(FarEnd::default()));
        wanted.set(processing);
        let processor = Processor::new(Arc::clone(&wanted), Arc::clone(&far_end));
        Self {
            wanted,
            far_end,
            processor,
        }
    }

    /// Processes what the microphone hears while something is played.
    fn run(&mut self, microphone: &[f32], played: Option<&[f32]>) -> Vec<f32> {
        let mut out = Vec::new();
        for (at, block) in microphone.chunks_exact(BLOCK).enumerate() {
            if let Some(played) = played {
                self.far_end.push(&played[at * BLOCK..(at + 1) * BLOCK]);
            }
            let mut block: [f32; BLOCK] = block.try_into().expect("a block");
            self.processor.process(&mut block);
            out.extend_from_slice(&block);
        }
        out
    }
}

const ECHO: Processing = Processing {
    echo: true,
    ..Processing::NONE
};

fn in_the_room(played: &[f32]) -> Vec<f32> {
    let mut room = Room::new();
    played.chunks(BLOCK).flat_map(|block| room.echo(block)).collect()
}

#[test]
fn after_two_seconds_thirty_decibels_of_the_echo_are_gone() {
    let played = voice(1, 6, 1.0);
    let echo = in_the_room(&played);
    let out = Talk::new(ECHO).run(&echo, Some(&played));
    let gone = decibels(power(&echo[2 * SECOND..]), power(&out[2 * SECOND..]));
    assert!(gone >= 30.0, "{gone} dB");
}

#[test]
fn who_speaks_at_the_same_time_is_still_heard() {
    let played = voice(1, 8, 1.0);
    let near = voice(4, 8, 0.7);
    let mut heard = in_the_room(&played);
    for (sample, near) in heard.iter_mut().zip(&near).skip(4 * SECOND) {
        *sample += near;
    }
    let out = Talk::new(ECHO).run(&heard, Some(&played));
    let kept = decibels(power(&out[5 * SECOND..]), power(&near[5 * SECOND..]));
    assert!(kept > -6.0, "{kept} dB of the near voice");
}

#[test]
fn a_voice_over_a_fan_stands_out_by_ten_decibels_more() {
    let mut noise = Noise(3);
    let (mut low, mut high) = (0.0, 0.0);
    // A hum and a rush: noise through two low passes.
    let fan: Vec<f32> = (0..12 * SECOND)
        .map(|_| {
            low += 0.05 * (noise.next() - low);
            high += 0.3 * (low - high);
            0.12 * high + 0.002 * noise.next()
        })
        .collect();
    // Two seconds of nothing but the fan, then a voice, then the fan alone again.
    let mut heard = fan.clone();
    for (sample, near) in heard[2 * SECOND..10 * SECOND].iter_mut().zip(voice(2, 8, 0.5)) {
        *sample += near;
    }
    let processing = Processing {
        noise: true,
        ..Processing::NONE
    };
    let out = Talk::new(processing).run(&heard, None);
    let ratio = |sound: &[f32]| {
        decibels(
            power(&sound[6 * SECOND..10 * SECOND]),
            power(&sound[11 * SECOND..]),
        )
    };
    let better = ratio(&out) - ratio(&heard);
    assert!(better >= 10.0, "{better} dB better");
    let kept = decibels(
        power(&out[6 * SECOND..10 * SECOND]),
        power(&heard[6 * SECOND..10 * SECOND]),
    );
    assert!(kept > -3.0, "the voice lost {kept} dB");
}

#[test]
fn who_speaks_low_and_who_speaks_loud_are_equally_loud_in_the_end() {
    let processing = Processing {
        gain: true,
        ..Processing::NONE
    };
    let level = |loudness: f32| {
        let out = Talk::new(processing).run(&voice(2, 20, loudness), None);
        decibels(power(&out[15 * SECOND..]), 1.0)
    };
    // 13 dB apart. Of real speech, 36 dB become 2; the made-up voice below this is not taken for speech.
    let (low, loud) = (level(0.2), level(0.9));
    assert!((low - loud).abs() <= 3.0, "{low} dB and {loud} dB");
}

#[test]
fn each_can_be_switched_while_somebody_talks() {
    let played = voice(1, 12, 1.0);
    let echo = in_the_room(&played);
    let mut talk = Talk::new(Processing::NONE);
    let part = |from: usize, to: usize| (from * SECOND..to * SECOND, from * SECOND..to * SECOND);
    let mut run = |from, to, processing| {
        let (own, far) = part(from, to);
        talk.wanted.set(processing);
        let out = talk.run(&echo[own.clone()], Some(&played[far]));
        decibels(power(&echo[own]), power(&out))
    };
    let off = run(0, 2, Processing::NONE);
    assert!(off.abs() < 0.01, "untouched: {off} dB");
    run(2, 5, ECHO);
    let on = run(5, 8, ECHO);
    assert!(on > 25.0, "{on} dB");
    let off = run(8, 10, Processing::NONE);
    assert!(off.abs() < 0.01, "untouched again: {off} dB");
}
