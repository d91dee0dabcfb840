//! The jitter buffer: packets come when the network pleases, frames leave every 20 ms.
//!
//! It grows when a frame is late (the gap is concealed, and what follows is played that much later), and shrinks by skipping a
//! frame when for two seconds even the latest one had time to spare. So it follows the network and the
//! difference of the two clocks alike.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::audio::Packet;

/// 1 s of frames: what is further ahead is dropped.
const CAPACITY: usize = 50;

/// 10 ms: the first frame waits this long, so that the second need not be early.
const START_DELAY: Duration = Duration::from_millis(10);

/// 40 ms: what is kept of frames that came together when the speaker begins, or after a stall.
const START_FRAMES: u32 = 2;

/// 5 s of frames: how long a late frame is remembered before the buffer shrinks again.
const MEMORY: usize = 250;

/// 5 ms beyond one frame: time to spare for all remembered frames, from which on one is skipped.
const SPARE: Duration = Duration::from_millis(25);

/// 200 ms: after concealing for this long the speaker is taken to be silent, and starts anew.
const MAX_CONCEALED: u32 = 10;

/// What to play for the next 20 ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Playout {
    /// This frame.
    Frame(Packet),
    /// Something in place of a frame that is lost or late.
    Conceal,
    /// Nothing: the speaker has not begun, or fell silent.
    Silence,
}

/// Why a packet was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// Its moment has passed.
    #[error("the packet came too late")]
    Late,
    /// It is there already.
    #[error("the packet came twice")]
    Duplicate,
    /// It is more than a second ahead of what is played.
    #[error("the packet is too far ahead")]
    TooFarAhead,
}

/// Counts since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames played as they were sent.
    pub played: u64,
    /// Frames made up because one was lost or late.
    pub concealed: u64,
    /// Frames left out to lower the delay.
    pub skipped: u64,
    /// Packets that were of no use when they came.
    pub dropped: u64,
}

/// One speaker's buffer.
#[derive(Debug, Default)]
pub struct JitterBuffer {
    waiting: BTreeMap<u32, (Packet, Instant)>,
    /// The number of the frame to be played next; `None` before the speaker has begun.
    next: Option<u32>,
    /// Concealments in a row that stood for no number yet.
    owed: u32,
    /// Frames that were passed over, newest last: one that comes after all was late, not lost.
    passed_over: VecDeque<u32>,
    /// A frame came too late: what follows is to be played later.
    stretch: bool,
    /// How long each of the last frames waited.
    waits: VecDeque<Duration>,
    counts: Counts,
}

impl JitterBuffer {
    /// Takes a packet that arrived at `now`.
    ///
    /// # Errors
    /// [`Dropped`] says why it was not kept.
    pub fn handle_packet(&mut self, packet: Packet, now: Instant) -> Result<(), Dropped> {
        let outcome = self.insert(packet, now);
        self.counts.dropped += u64::from(outcome.is_err());
        outcome
    }

    fn insert(&mut self, packet: Packet, now: Instant) -> Result<(), Dropped> {
        if let Some(next) = self.next {
            let ahead = packet.seq.wrapping_sub(next).cast_signed();
            if ahead < 0 {
                self.stretch |= self.passed_over.contains(&packet.seq);
                return Err(Dropped::Late);
            }
            if ahead as usize >= CAPACITY {
                // A sender that jumped is followed once what is there has been played.
                if self.waiting.is_empty() {
                    self.restart();
                } else {
                    return Err(Dropped::TooFarAhead);
                }
            }
        }
        if self.waiting.contains_key(&packet.seq) {
            return Err(Dropped::Duplicate);
        }
        if self.waiting.len() >= CAPACITY {
            self.waiting.pop_first();
        }
        self.waiting.insert(packet.seq, (packet, now));
        Ok(())
    }

    /// What to play for the 20 ms that begin at `now`.
    pub fn poll_frame(&mut self, now: Instant) -> Playout {
        let Some(mut next) = self.next.or_else(|| self.begin(now)) else {
            return Playout::Silence;
        };
        if std::mem::take(&mut self.stretch) {
            self.passed_over.clear();
            self.waits.clear();
            self.counts.concealed += 1;
            return Playout::Conceal;
        }
        if self.has_time_to_spare() && self.waiting.len() > 1 {
            self.waiting.remove(&next);
            next = next.wrapping_add(1);
            self.waits.clear();
            self.counts.skipped += 1;
        }
        // Concealments already made stand for the frames that are now known to be lost.
        while self.owed > 0 && !self.waiting.is_empty() && !self.waiting.contains_key(&next) {
            self.owed -= 1;
            self.pass_over(next);
            next = next.wrapping_add(1);
        }
        if let Some((packet, arrived)) = self.waiting.remove(&next) {
            self.next = Some(next.wrapping_add(1));
            self.owed = 0;
            self.note_wait(now.saturating_duration_since(arrived));
            self.counts.played += 1;
            return Playout::Frame(packet);
        }
        self.next = Some(next);
        if !self.waiting.is_empty() {
            self.next = Some(next.wrapping_add(1));
            self.pass_over(next);
            self.counts.concealed += 1;
            return Playout::Conceal;
        }
        self.owed += 1;
        if self.owed > MAX_CONCEALED {
            self.restart();
            return Playout::Silence;
        }
        self.counts.concealed += 1;
        Playout::Conceal
    }

    /// How long the last frames waited, at the median: the delay that this buffer adds.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let mut waits: Vec<_> = self.waits.iter().rev().take(50).copied().collect();
        waits.sort_unstable();
        waits.get(waits.len() / 2).copied().unwrap_or_default()
    }

    /// Counts since the beginning.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Where to begin: not at what a stall left behind, but at the newest frames.
    fn begin(&mut self, now: Instant) -> Option<u32> {
        let (_, (_, arrived)) = self.waiting.first_key_value()?;
        if now < *arrived + START_DELAY {
            return None;
        }
        let newest = *self.waiting.last_key_value()?.0;
        self.waiting.retain(|seq, _| newest - seq < START_FRAMES);
        self.waiting.first_key_value().map(|(first, _)| *first)
    }

    fn restart(&mut self) {
        self.next = None;
        self.owed = 0;
        self.waits.clear();
    }

    fn pass_over(&mut self, seq: u32) {
        if self.passed_over.len() >= MAX_CONCEALED as usize {
            self.passed_over.pop_front();
        }
        self.passed_over.push_back(seq);
    }

    fn note_wait(&mut self, wait: Duration) {
        if self.waits.len() >= MEMORY {
            self.waits.pop_front();
        }
        self.waits.push_back(wait);
    }

    fn has_time_to_spare(&self) -> bool {
        // Two seconds are enough to judge a young buffer.
        self.waits.len() >= MEMORY * 2 / 5 && self.waits.iter().all(|wait| *wait >= SPARE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Ticks;
    use crate::audio::{FRAME, PAYLOAD_LEN};

    fn packet(seq: u32) -> Packet {
        Packet {
            seq,
            captured: Ticks(seq.wrapping_mul(960)),
            payload: [0; PAYLOAD_LEN],
        }
    }

    /// Plays `ticks` frames of 20 ms; packet `n` arrives at `arrival(n)` milliseconds, or never.
    fn play(ticks: u32, arrival: impl Fn(u32) -> Option<f64>) -> (JitterBuffer, Vec<Playout>) {
        let start = Instant::now();
        let mut buffer = JitterBuffer::default();
        let mut arrivals: Vec<(f64, u32)> = (0..ticks + 50)
            .filter_map(|seq| arrival(seq).map(|at| (at, seq)))
            .collect();
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut arrivals = arrivals.into_iter().peekable();
        let mut played = Vec::new();
        for tick in 0..ticks {
            let at = f64::from(tick) * 20.0;
            while let Some((_, seq)) = arrivals.next_if(|(arrives, _)| *arrives <= at) {
                let _dropped =
                    buffer.handle_packet(packet(seq), start + Duration::from_secs_f64(at / 1000.0));
            }
            played.push(buffer.poll_frame(start + Duration::from_secs_f64(at / 1000.0)));
        }
        (buffer, played)
    }

    #[test]
    fn a_steady_network_is_played_without_a_gap() {
        let (buffer, _) = play(500, |seq| Some(f64::from(seq) * 20.0 + 3.0));
        assert_eq!(buffer.counts().concealed, 0);
        assert!(buffer.counts().played >= 497);
    }

    #[test]
    fn each_lost_packet_costs_one_concealment_and_no_delay() {
        let (buffer, _) = play(1000, |seq| (seq % 20 != 7).then_some(f64::from(seq) * 20.0 + 3.0));
        assert_eq!(buffer.counts().concealed, 50);
        assert!(
            buffer.delay() <= Duration::from_millis(40),
            "{:?}",
            buffer.delay()
        );
    }

    #[test]
    fn jitter_makes_it_grow_and_calm_makes_it_shrink() {
        let jitter = |seq: u32| if seq < 500 { f64::from(seq * 37 % 90) } else { 1.0 };
        let (buffer, played) = play(2000, |seq| Some(f64::from(seq) * 20.0 + jitter(seq)));
        let late = &played[300..500];
        assert!(
            late.iter().all(|out| matches!(out, Playout::Frame(_))),
            "it grew to the jitter"
        );
        assert!(buffer.counts().skipped >= 2, "{:?}", buffer.counts());
        assert!(
            buffer.delay() <= Duration::from_millis(45),
            "{:?}",
            buffer.delay()
        );
    }

    #[test]
    fn clocks_that_run_differently_are_followed() {
        // 200 ppm either way, for twenty minutes: twelve frames too many or too few.
        for rate in [0.9998, 1.0002] {
            let (buffer, _) = play(60_000, |seq| Some(f64::from(seq) * 20.0 * rate + 5.0));
            assert!(
                buffer.counts().concealed + buffer.counts().skipped <= 16,
                "{:?}",
                buffer.counts()
            );
            assert!(
                buffer.delay() <= Duration::from_millis(60),
                "{:?}",
                buffer.delay()
            );
        }
    }

    #[test]
    fn a_stall_does_not_become_delay() {
        // From 2 s to 2.9 s nothing comes, then everything at once.
        let (buffer, played) = play(300, |seq| {
            let sent = f64::from(seq) * 20.0;
            Some(if (2000.0..2900.0).contains(&sent) {
                2900.0
            } else {
                sent + 3.0
            })
        });
        assert!(
            buffer.delay() <= Duration::from_millis(60),
            "{:?}",
            buffer.delay()
        );
        let after = &played[200..];
        assert!(
            after.iter().all(|out| matches!(out, Playout::Frame(_))),
            "and speech goes on"
        );
    }

    #[test]
    fn a_speaker_who_stops_falls_silent_and_begins_again() {
        let (buffer, played) = play(300, |seq| {
            (!(100..200).contains(&seq)).then_some(f64::from(seq) * 20.0 + 1.0)
        });
        assert_eq!(buffer.counts().concealed, u64::from(MAX_CONCEALED));
        assert!(played[150..195].iter().all(|out| *out == Playout::Silence));
        assert!(matches!(played[250], Playout::Frame(_)));
    }

    proptest! {
        /// Whatever arrives, in whatever order: memory stays bounded, and no frame plays twice unless its sender began
        /// anew meanwhile, which is what a wild number is taken for.
        #[test]
        fn anything_may_arrive(steps in prop::collection::vec((any::<u32>(), 0u32..60, any::<bool>()), 1..500)) {
            let start = Instant::now();
            let mut buffer = JitterBuffer::default();
            let mut last: Option<u32> = None;
            for (tick, (wild, near, is_wild)) in (0u32..).zip(steps) {
                let now = start + FRAME * tick;
                let seq = if is_wild { wild } else { tick.wrapping_add(near) };
                if is_wild {
                    last = None;
                }
                let _dropped = buffer.handle_packet(packet(seq), now);
                prop_assert!(buffer.waiting.len() <= CAPACITY && buffer.waits.len() <= MEMORY);
                if let Playout::Frame(frame) = buffer.poll_frame(now) {
                    if buffer.next == Some(frame.seq.wrapping_add(1)) && last == Some(frame.seq) {
                        prop_assert!(false, "frame {} played twice", frame.seq);
                    }
                    last = Some(frame.seq);
                }
            }
        }
    }
}
