//! Whole streams on virtual time, with a codec whose frames say which part of a tone they are.

use proptest::prelude::*;

use super::*;
use crate::audio::{BLOCK, Protection, REACH};
use crate::chance::chance;
use crate::redundancy::Protector;

/// A tone of 200 Hz: a period of 5 ms.
const HERTZ: f64 = 200.0;

/// 5 ms: what is played at once.
const STEP: usize = BLOCK_SAMPLES / 2;

/// The codec: a frame is the number of its first block, and zeros.
#[derive(Default)]
struct Tone {
    next: f64,
}

impl Tone {
    fn append(&mut self, samples: usize, out: &mut Vec<f32>) {
        for _ in 0..samples {
            let turns = self.next * HERTZ / f64::from(SAMPLE_RATE);
            out.push(0.5 * (turns.fract() * std::f64::consts::TAU).sin() as f32);
            self.next += 1.0;
        }
    }
}

impl Decode for Tone {
    fn decode(&mut self, frame: &[u8], span: Span, out: &mut Vec<f32>) -> bool {
        if frame.last() != Some(&0) {
            return false;
        }
        let block = frame.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        self.next = f64::from(block) * BLOCK_SAMPLES as f64;
        self.append(span.samples(), out);
        true
    }

    fn conceal(&mut self, out: &mut Vec<f32>) {
        self.append(BLOCK_SAMPLES, out);
    }
}

/// The last of four: its parities are made of those before it.
fn packet(first: u32, span: Span, protection: Protection) -> Packet {
    let mut protector = Protector::default();
    let mut pack = |back: u32| {
        let first = first.wrapping_sub(back * span.blocks());
        let mut data = first.to_be_bytes().to_vec();
        data.resize(protection.frame_len(span), 0);
        let captured = Ticks(first.wrapping_mul(BLOCK_SAMPLES as u32));
        let frame = Frame {
            first,
            captured,
            span,
            data,
        };
        protector.pack(frame, protection)
    };
    for back in (1..=REACH as u32).rev() {
        pack(back);
    }
    pack(0)
}

struct Played {
    playout: Playout,
    /// The largest step between two samples, as a multiple of the tone's own.
    step: f32,
    /// What waited at each half of a block, ms.
    waits: Vec<f64>,
    /// Which blocks were silent.
    silent: Vec<bool>,
}

impl Played {
    fn counts(&self) -> PlayoutStats {
        self.playout.counts()
    }

    fn concealed(&self) -> f64 {
        self.counts().concealed as f64 / (self.counts().played + self.counts().concealed) as f64
    }

    /// What 95 % of the blocks waited at most, ms.
    fn usual_wait(&self, from: usize) -> f64 {
        let mut waits = self.waits[2 * from..].to_vec();
        waits.sort_by(f64::total_cmp);
        waits[waits.len() * 95 / 100]
    }

    fn longest_wait(&self, from: usize) -> f64 {
        self.waits[2 * from..].iter().copied().fold(0.0, f64::max)
    }
}

/// Plays `blocks`; the packet of block `n` leaves when its sound is complete and arrives `late(n)` ms after that, or never.
/// The sender's clock is `rate` times as fast.
fn play(
    blocks: u32,
    (span, protection): (Span, Protection),
    rate: f64,
    mut late: impl FnMut(u32) -> Option<f64>,
) -> Played {
    let start = Instant::now();
    let at = |ms: f64| start + Duration::from_secs_f64((ms + 100.0) / 1000.0);
    let mut arrivals: Vec<(f64, u32)> = (0..blocks + 100)
        .step_by(span.blocks() as usize)
        .filter_map(|first| {
            let complete = f64::from(first + span.blocks()) * 10.0 / rate;
            late(first).map(|late| (complete + late, first))
        })
        .collect();
    arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut arrivals = arrivals.into_iter().peekable();
    let mut playout = Playout::default();
    playout.micros(start);
    let mut tone = Tone::default();
    let (mut waits, mut silent, mut step, mut last) = (Vec::new(), Vec::new(), 0.0f32, None);
    let mut out = [0.0; STEP];
    for tick in 0..2 * blocks {
        let now = f64::from(tick) * 5.0 + 3.3;
        while let Some((arrives, first)) = arrivals.next_if(|(arrives, _)| *arrives <= now) {
            let _dropped = playout.handle_packet(packet(first, span, protection), at(arrives));
        }
        let is_sound = playout.poll_audio(&mut tone, &mut out, at(now)).is_some();
        let is_silent = out.iter().all(|sample| *sample == 0.0);
        if tick.is_multiple_of(2) {
            silent.push(is_silent);
        }
        if is_sound {
            for sample in out {
                if let Some(last) = last.replace(sample) {
                    step = step.max(f32::abs(sample - last));
                }
            }
        } else {
            last = out.last().copied().filter(|_| !is_silent);
        }
        waits.push(playout.delay().as_secs_f64() * 1000.0);
    }
    let own = 0.5 * (HERTZ * std::f64::consts::TAU / f64::from(SAMPLE_RATE)) as f32;
    Played {
        playout,
        step: step / own,
        waits,
        silent,
    }
}

const QUICK: (Span, Protection) = (Span::Ten, Protection::Light);

#[test]
fn on_a_calm_way_nothing_is_made_up_and_hardly_anything_waits() {
    for span in [Span::Ten, Span::Twenty] {
        let played = play(1000, (span, Protection::Light), 1.0, |n| {
            Some(1.0 + 0.5 * chance(n, 1))
        });
        assert_eq!(played.counts().concealed, 0);
        assert!(played.longest_wait(400) <= 8.0, "{}", played.longest_wait(400));
        assert!(played.step < 1.1, "a click: {}", played.step);
    }
}

#[test]
fn what_is_lost_is_computed_from_later_packets() {
    for seed in 0..5 {
        for (loss, protection, reach, concealed) in [
            (0.05, Protection::Light, 3, 0.005),
            (0.10, Protection::Light, 3, 0.008),
            (0.20, Protection::Strong, 2, 0.012),
        ] {
            for span in [Span::Ten, Span::Twenty] {
                let played = play(6000, (span, protection), 1.0, |n| {
                    (chance(n, seed) >= loss).then_some(20.0 + 3.0 * chance(n, seed + 100))
                });
                let share = played.concealed();
                assert!(share < concealed, "{loss} {span:?} seed {seed}: {share}");
                let wait = 10.0 + f64::from(reach * span.blocks()) * 10.0 + 15.0;
                assert!(
                    played.usual_wait(3000) <= wait,
                    "{loss} {span:?} seed {seed}: {} ms",
                    played.usual_wait(3000)
                );
            }
        }
    }
}

#[test]
fn jitter_makes_it_wait_and_calm_makes_it_hurry_without_a_click() {
    let played = play(5000, QUICK, 1.0, |n| {
        Some(if n < 2000 { 90.0 * chance(n, 3) } else { 1.0 })
    });
    let late = play(2000, QUICK, 1.0, |n| Some(90.0 * chance(n, 3)));
    let young = play(600, QUICK, 1.0, |n| Some(90.0 * chance(n, 3)));
    let made_up = late.counts().concealed - young.counts().concealed;
    assert!(made_up <= 14, "{made_up} of 1400 blocks, once it knows the way");
    assert!(played.longest_wait(4000) <= 10.0, "{}", played.longest_wait(4000));
    assert!(played.step < 1.2, "a click: {}", played.step);
}

#[test]
fn clocks_that_run_differently_for_an_hour_are_followed_without_a_click() {
    for rate in [0.9998, 1.0002] {
        let played = play(360_000, QUICK, rate, |n| Some(2.0 + chance(n, 5)));
        assert_eq!(played.counts().concealed, 0, "{rate}");
        assert!(played.step < 1.1, "{rate}: a click: {}", played.step);
        assert!(
            played.longest_wait(1000) <= 15.0,
            "{rate}: {} ms",
            played.longest_wait(1000)
        );
        let changed = played.counts().shortened + played.counts().lengthened;
        assert!((50..600).contains(&changed), "{rate}: {changed}");
    }
}

#[test]
fn a_stall_does_not_become_delay() {
    // From 2 s to 2.9 s nothing comes, then everything at once.
    let played = play(1500, QUICK, 1.0, |n| {
        let sent = f64::from(n + 1) * 10.0;
        Some(if (2000.0..2900.0).contains(&sent) {
            2900.0 - sent
        } else {
            3.0
        })
    });
    assert!(
        played.silent[320..].iter().all(|silent| !silent),
        "speech goes on"
    );
    assert!(played.longest_wait(1400) <= 20.0, "{}", played.longest_wait(1400));
}

#[test]
fn frames_that_are_none_are_made_up_and_counted() {
    for span in [Span::Ten, Span::Twenty] {
        let start = Instant::now();
        let (mut playout, mut tone) = (Playout::default(), Tone::default());
        let mut out = [0.0; STEP];
        for n in 0..100 {
            let mut packet = packet(n * span.blocks(), span, Protection::Light);
            if n >= 50
                && let Some(last) = packet.frame.last_mut()
            {
                *last = 1;
            }
            let now = start + BLOCK * n * span.blocks();
            playout.handle_packet(packet, now).expect("in time");
            for step in 0..2 * span.blocks() {
                playout.poll_audio(&mut tone, &mut out, now + BLOCK / 2 * step);
            }
        }
        let counts = playout.counts();
        let foreign = counts.dropped;
        assert!((45..=50).contains(&foreign), "{span:?}: {counts:?}");
        assert_eq!(counts.concealed, foreign * u64::from(span.blocks()), "{span:?}");
        assert!(
            counts.played >= 45 * u64::from(span.blocks()),
            "{span:?}: {counts:?}"
        );
    }
}

#[test]
fn a_speaker_who_stops_falls_silent_and_begins_again() {
    let played = play(600, QUICK, 1.0, |n| (!(200..400).contains(&n)).then_some(1.0));
    assert!(played.counts().concealed <= u64::from(MAX_CONCEALED) + 1);
    assert!(played.silent[230..400].iter().all(|silent| *silent));
    assert!(played.silent[410..].iter().all(|silent| !silent));
}

#[test]
fn sound_waits_for_a_picture_that_is_later() {
    let mut playout = Playout::default();
    let start = Instant::now();
    let mut tone = Tone::default();
    let mut out = [0.0; BLOCK_SAMPLES];
    for block in 0..1000u32 {
        if block == 200 {
            playout.set_extra(Duration::from_millis(80));
        }
        let now = start + Duration::from_millis(10) * block;
        let _kept = playout.handle_packet(packet(block, Span::Ten, Protection::Light), now);
        playout.poll_audio(&mut tone, &mut out, now + Duration::from_millis(1));
    }
    let waits = playout.delay().as_millis();
    assert!((75..=105).contains(&waits), "{waits} ms");
    assert_eq!(playout.counts().concealed, 0);
}

/// Numbers that a peer may come up with.
fn wild() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0..4u32, u32::MAX - 4..=u32::MAX]
}

#[test]
fn the_last_numbers_there_are_can_be_played() {
    for first in u32::MAX - 3..=u32::MAX {
        for span in [Span::Ten, Span::Twenty] {
            let mut playout = Playout::default();
            let mut out = [0.0; STEP];
            let start = Instant::now();
            let _kept = playout.handle_packet(packet(first, span, Protection::Strong), start);
            for step in 0..100u32 {
                let now = start + Duration::from_millis(5) * step;
                playout.poll_audio(&mut Tone::default(), &mut out, now);
            }
        }
    }
}

proptest! {
    /// Whatever arrives, in whatever order: memory stays bounded, and every block is as long as it has to be.
    #[test]
    fn anything_may_arrive(steps in prop::collection::vec((wild(), 0u32..60, any::<bool>(), any::<bool>(), any::<bool>()), 1..400)) {
        let start = Instant::now();
        let mut playout = Playout::default();
        let mut tone = Tone::default();
        let mut out = [0.0; BLOCK_SAMPLES];
        for (tick, (wild, near, is_wild, has_two, is_long)) in (0u32..).zip(steps) {
            let now = start + Duration::from_millis(10) * tick;
            let first = if is_wild { wild } else { tick.wrapping_add(near) };
            let span = if is_long { Span::Twenty } else { Span::Ten };
            let protection = if has_two { Protection::Strong } else { Protection::Light };
            let _dropped = playout.handle_packet(packet(first, span, protection), now);
            playout.poll_audio(&mut tone, &mut out, now);
            prop_assert!(out.iter().all(|sample| sample.abs() <= 0.51));
            prop_assert!(playout.waiting.len() <= CAPACITY as usize);
            prop_assert!(playout.ready.len() <= 4 * KEPT && playout.played.len() <= KEPT);
        }
    }
}
