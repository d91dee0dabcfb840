//! Playout: packets come when the network pleases, sound leaves a few milliseconds at a time.
//!
//! What waits is measured against the quickest packet of the last seconds, and kept at what almost all packets need
//! (`delay.rs`): when it is more, a piece of sound is left out, when it is less, one is put in once more, each without a change of pitch
//! (`stretch.rs`). So it follows the network and the difference of the two clocks alike, to the millisecond. What is lost
//! is computed from the parities of later packets (`redundancy.rs`), else made up by the decoder.

mod delay;
mod stretch;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use self::delay::Delays;
use crate::Ticks;
use crate::audio::{BLOCK_SAMPLES, Packet, SAMPLE_RATE, Span};
use crate::redundancy::{Frame, Recovery};

/// 1 s of blocks: what is further ahead is dropped.
const CAPACITY: u32 = 100;

/// Frames whose coming is remembered: longer than parities follow.
const SEEN: usize = 64;

/// 200 ms: after making up sound for this long the speaker is taken to be silent, and starts anew.
const MAX_CONCEALED: u32 = 20;

/// 2 ms: what the player's own clock may be late.
const MARGIN: f64 = 0.002;

/// 4 ms, or a quarter: so much more than needed may wait.
const ABOVE: (f64, f64) = (0.004, 0.25);

/// 1 ms: so much less.
const BELOW: f64 = 0.001;

/// 60 ms more than needed: a piece is left out whatever it sounds like.
const FAR_ABOVE: f64 = 0.060;

/// An eighth: how fast the measure of what waits follows; it is put right at once when a piece is left out or put in.
const FOLLOW: f64 = 0.125;

/// 30 ms of sound that was played: where a piece to be put in is taken from, and what leaving one out needs.
const KEPT: usize = 1440;

/// The sound codec, as playout needs it.
pub trait Decode {
    /// Appends a frame to `out`. False, with nothing appended, when the bytes are no frame of that length.
    fn decode(&mut self, frame: &[u8], span: Span, out: &mut Vec<f32>) -> bool;
    /// Appends a block made up from what came before.
    fn conceal(&mut self, out: &mut Vec<f32>);
}

/// Why a packet was of no use.
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

/// Counts since the beginning, in blocks of 10 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayoutStats {
    /// Blocks of sound as it was sent.
    pub played: u64,
    /// Blocks made up because their sound was lost or late.
    pub concealed: u64,
    /// Blocks whose packet was lost, and that came from parities in later ones.
    pub recovered: u64,
    /// Times that a piece was left out, and put in.
    pub shortened: u64,
    /// See above.
    pub lengthened: u64,
    /// Packets that were of no use when they came, and frames that were none.
    pub dropped: u64,
}

/// One speaker's sound.
#[derive(Debug)]
pub struct Playout {
    recovery: Recovery,
    /// By their first block.
    waiting: BTreeMap<u32, Frame>,
    /// The block to be decoded next; `None` before the speaker has begun.
    next: Option<u32>,
    /// Consecutive concealed blocks that are not yet assigned to a block number.
    owed: u32,
    /// The last that came, so that one that was played and comes again is not taken for a late one.
    seen: VecDeque<u32>,
    /// Decoded and not yet played.
    ready: Vec<f32>,
    /// Played last.
    played: Vec<f32>,
    /// When what follows `ready` was captured.
    captured: Ticks,
    span: Span,
    delays: Delays,
    epoch: Option<Instant>,
    /// What waits, seconds.
    waits: Option<f64>,
    /// What is to wait beyond what the network needs.
    extra: Duration,
    counts: PlayoutStats,
}

impl Default for Playout {
    fn default() -> Self {
        Self {
            recovery: Recovery::default(),
            waiting: BTreeMap::new(),
            next: None,
            owed: 0,
            seen: VecDeque::new(),
            ready: Vec::with_capacity(2 * KEPT),
            played: Vec::with_capacity(KEPT + BLOCK_SAMPLES),
            captured: Ticks(0),
            span: Span::Ten,
            delays: Delays::default(),
            epoch: None,
            waits: None,
            extra: Duration::ZERO,
            counts: PlayoutStats::default(),
        }
    }
}

impl Playout {
    /// Takes a packet that arrived at `now`.
    ///
    /// # Errors
    /// [`Dropped`] says why nothing of it was kept.
    pub fn handle_packet(&mut self, packet: Packet, now: Instant) -> Result<(), Dropped> {
        let outcome = self.insert_all(packet, now);
        self.counts.dropped += u64::from(outcome.is_err());
        outcome
    }

    fn insert_all(&mut self, packet: Packet, now: Instant) -> Result<(), Dropped> {
        let (own, recovered) = self.recovery.handle_packet(packet);
        let outcome = self.insert(own, now);
        for frame in recovered {
            let blocks = frame.span.blocks();
            if self.insert(frame, now).is_ok() {
                self.counts.recovered += u64::from(blocks);
            }
        }
        outcome
    }

    fn insert(&mut self, frame: Frame, now: Instant) -> Result<(), Dropped> {
        let first = frame.first;
        if self.seen.contains(&first) {
            return Err(Dropped::Duplicate);
        }
        let ahead = self.next.map_or(0, |next| first.wrapping_sub(next).cast_signed());
        if ahead >= CAPACITY.cast_signed() {
            // A sender that jumped is followed once what is there has been played.
            if !self.waiting.is_empty() {
                return Err(Dropped::TooFarAhead);
            }
            self.restart();
        }
        if self.seen.len() >= SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(first);
        let came = self.micros(now);
        self.delays.handle_arrival(came - media_micros(first), came);
        if ahead < 0 {
            return Err(Dropped::Late);
        }
        if self.waiting.len() >= CAPACITY as usize {
            self.waiting.pop_first();
        }
        self.waiting.insert(first, frame);
        Ok(())
    }

    /// The sound that is played from `now` on. Returns when its first sample was captured; `None` for sound that is silent
    /// or made up.
    pub fn poll_audio(&mut self, decoder: &mut impl Decode, out: &mut [f32], now: Instant) -> Option<Ticks> {
        let has_begun = self.next.is_some() || self.begin(now);
        let made_up = self.counts.concealed;
        if has_begun && self.ready.len() < out.len() {
            self.adapt(decoder, out.len(), now);
        }
        while self.ready.len() < out.len() && self.next.is_some() {
            self.produce(decoder);
        }
        if self.ready.len() < out.len() {
            out.fill(0.0);
            return None;
        }
        let captured = self.captured.0.wrapping_sub(self.ready.len() as u32);
        out.copy_from_slice(&self.ready[..out.len()]);
        self.ready.drain(..out.len());
        self.played.extend_from_slice(out);
        let beyond = self.played.len().saturating_sub(KEPT);
        self.played.drain(..beyond);
        (self.counts.concealed == made_up).then_some(Ticks(captured))
    }

    /// How long sound is to wait beyond what the network needs: so that it does not run ahead of the picture.
    pub const fn set_extra(&mut self, extra: Duration) {
        self.extra = extra;
    }

    /// How long sound waits here.
    #[must_use]
    pub fn delay(&self) -> Duration {
        Duration::from_secs_f64(self.waits.unwrap_or_default().max(0.0))
    }

    /// How much sound the last packet carried: it was captured before it could leave.
    #[must_use]
    pub const fn frame(&self) -> Duration {
        Duration::from_millis(10 * self.span.blocks() as u64)
    }

    /// How long it is meant to wait.
    #[must_use]
    pub fn target(&self) -> Duration {
        Duration::from_secs_f64(self.wanted())
    }

    /// Counts since the beginning.
    #[must_use]
    pub const fn counts(&self) -> PlayoutStats {
        self.counts
    }

    /// Where to begin: not at what a stall left behind, but where as much waits as is needed.
    fn begin(&mut self, now: Instant) -> bool {
        let Some(quickest) = self.delays.quickest() else {
            return false;
        };
        let wanted = (self.wanted() * 1e6) as i64;
        let due = self.micros(now) - quickest - wanted;
        let starts = self.waiting.iter().rev().find(|(first, waiting)| {
            let begin = media_micros(**first);
            begin <= due && begin + waiting.span.micros() > due
        });
        let newest = self.waiting.last_key_value();
        let Some((first, waiting)) = starts.or(newest.filter(|(first, _)| media_micros(**first) <= due))
        else {
            return false;
        };
        let (first, captured) = (*first, waiting.captured);
        self.waiting.retain(|waiting, _| *waiting >= first);
        self.next = Some(first);
        self.captured = captured;
        true
    }

    fn restart(&mut self) {
        self.next = None;
        self.owed = 0;
        self.waits = None;
        self.ready.clear();
        self.played.clear();
    }

    fn wanted(&self) -> f64 {
        (self.delays.needed() + self.extra).as_secs_f64() + MARGIN
    }

    /// Measures what waits, now that the next frame is needed, and leaves a piece out or puts one in. `step` is how many
    /// samples are played at once: what is left of them when a frame is needed waits for nothing.
    fn adapt(&mut self, decoder: &mut impl Decode, step: usize, now: Instant) {
        let (Some(next), Some(quickest)) = (self.next, self.delays.quickest()) else {
            return;
        };
        let left = samples_seconds(self.ready.len());
        let spare = (self.micros(now) - quickest - media_micros(next)) as f64 / 1e6;
        let known = self.waits.get_or_insert(spare + left);
        *known += FOLLOW * (spare + left - *known);
        let (waits, wanted) = (*known, self.wanted());
        if waits - left < wanted - BELOW {
            if self.has_next() {
                self.produce(decoder);
                let put = stretch::lengthen(&self.played, &mut self.ready);
                self.counts.lengthened += u64::from(put > 0);
                self.note_change(put as f64);
            }
            return;
        }
        let above = waits - wanted;
        // What is left waits for nothing; beyond it only whole steps bring the next frame's moment forward.
        let step = samples_seconds(step);
        let steps = ((above - left + BELOW) / step).floor().max(0.0);
        let most = left + steps * step;
        if above > ABOVE.0.max(ABOVE.1 * wanted) && most > 0.0 {
            while self.ready.len() < KEPT && self.has_next() {
                self.produce(decoder);
            }
            let most = (most * f64::from(SAMPLE_RATE)) as usize;
            let cut = stretch::shorten(&mut self.ready, most, above > FAR_ABOVE);
            self.counts.shortened += u64::from(cut > 0);
            self.note_change(-(cut as f64));
        }
    }

    fn note_change(&mut self, samples: f64) {
        if let Some(waits) = &mut self.waits {
            *waits += samples / f64::from(SAMPLE_RATE);
        }
    }

    fn has_next(&self) -> bool {
        self.next.is_some_and(|next| self.waiting.contains_key(&next))
    }

    /// Decodes the next frame, or makes a block up.
    fn produce(&mut self, decoder: &mut impl Decode) {
        let Some(mut next) = self.next else { return };
        // Blocks already made up stand for those that are now known to be lost.
        while self.owed > 0 && !self.waiting.is_empty() && !self.waiting.contains_key(&next) {
            self.owed -= 1;
            next = next.wrapping_add(1);
        }
        self.next = Some(next);
        self.waiting.retain(|first, _| *first >= next);
        if let Some(waiting) = self.waiting.remove(&next) {
            let is_decoded = decoder.decode(&waiting.data, waiting.span, &mut self.ready);
            self.span = waiting.span;
            let blocks = waiting.span.blocks();
            self.next = Some(next.wrapping_add(blocks));
            self.captured = Ticks(waiting.captured.0.wrapping_add(waiting.span.samples() as u32));
            self.owed = 0;
            if is_decoded {
                self.counts.played += u64::from(blocks);
            } else {
                self.counts.dropped += 1;
                for _ in 0..blocks {
                    self.conceal(decoder);
                }
            }
            return;
        }
        if self.waiting.is_empty() {
            // It may still come, and is played then, that much later.
            self.owed += 1;
            if self.owed > MAX_CONCEALED {
                return self.restart();
            }
        } else {
            self.next = Some(next.wrapping_add(1));
            self.captured = Ticks(self.captured.0.wrapping_add(BLOCK_SAMPLES as u32));
        }
        self.conceal(decoder);
    }

    fn conceal(&mut self, decoder: &mut impl Decode) {
        decoder.conceal(&mut self.ready);
        self.counts.concealed += 1;
    }

    fn micros(&mut self, now: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(now);
        now.saturating_duration_since(epoch).as_micros() as i64
    }
}

fn media_micros(block: u32) -> i64 {
    i64::from(block) * 10_000
}

fn samples_seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests;
