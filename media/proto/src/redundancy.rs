//! Lost frames of sound from parities: each packet carries, beside its frame, exclusive ors of frames before it. One of which
//! a single frame is missing gives that frame, and with it perhaps another one's.
//!
//! What comes back is the frame itself, bit by bit, and the decoder goes on as if nothing had been lost. A second, coarser
//! encoding of the same sound, as Opus' own redundancy has it, leaves the decoder in another state than the encoder.

use std::collections::VecDeque;

use crate::Ticks;
use crate::audio::{BLOCK_SAMPLES, Packet, Protection, REACH, Span};

/// Frames and parities that a receiver keeps: beyond those that parities reach, what packets out of order need.
const KEPT: usize = 4 * REACH;

/// 5 frames: what a longer gap has taken is given up. Else all that follows would wait long for the next such gap.
const LONGEST_GAP: usize = 5;

/// A frame of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The number of its first block.
    pub first: u32,
    /// When that block's first sample was captured.
    pub captured: Ticks,
    /// How much sound it is.
    pub span: Span,
    /// Opus.
    pub data: Vec<u8>,
}

/// Makes packets of frames.
#[derive(Debug, Default)]
pub struct Protector {
    /// The last frames: the number of the first block, and the data. The newest last.
    sent: VecDeque<(u32, Vec<u8>)>,
}

impl Protector {
    /// The packet of a frame, whose data has the length that the protection gives it.
    pub fn pack(&mut self, frame: Frame, protection: Protection) -> Packet {
        let Frame {
            first,
            captured,
            span,
            data,
        } = frame;
        let mut covers = [false; REACH];
        let mut parities = Vec::with_capacity(protection.parities().len());
        for backs in protection.parities() {
            let mut parity = vec![0; data.len()];
            for back in *backs {
                let earlier = first.wrapping_sub(back * span.blocks());
                if let Some(earlier) = find(&self.sent, earlier, data.len()) {
                    add(&mut parity, earlier);
                    covers[*back as usize - 1] = true;
                }
            }
            parities.push(parity);
        }
        if self.sent.len() >= REACH {
            self.sent.pop_front();
        }
        self.sent.push_back((first, data.clone()));
        Packet {
            first,
            captured,
            span,
            protection,
            frame: data,
            covers,
            parities,
        }
    }
}

/// A parity some of whose frames are missing.
#[derive(Debug)]
struct Parity {
    /// The first blocks of the frames that it is made of.
    of: Vec<u32>,
    sum: Vec<u8>,
    /// Of the packet that it came with.
    first: u32,
    captured: Ticks,
    span: Span,
}

/// Takes packets of one sender, gives frames.
#[derive(Debug, Default)]
pub struct Recovery {
    known: VecDeque<(u32, Vec<u8>)>,
    parities: VecDeque<Parity>,
    /// The first block of the newest packet.
    newest: Option<u32>,
    /// Frames before this block are not looked for.
    since: u32,
}

impl Recovery {
    /// Takes a packet. Returns its frame, and after it those that were missing and now are known.
    pub fn handle_packet(&mut self, packet: Packet) -> Vec<Frame> {
        self.note_number(packet.first, packet.span);
        self.keep_parities(&packet);
        let own = Frame {
            first: packet.first,
            captured: packet.captured,
            span: packet.span,
            data: packet.frame,
        };
        self.note_known(&own);
        let mut frames = vec![own];
        while let Some(frame) = self.solve() {
            self.note_known(&frame);
            frames.push(frame);
        }
        frames
    }

    /// What was sent before the first packet is not missing, and what a long gap has taken no more.
    fn note_number(&mut self, first: u32, span: Span) {
        let follows = self.newest.is_some_and(|newest| {
            let packets = |count: usize| count as u32 * span.blocks();
            let ahead = first.saturating_sub(newest);
            let behind = newest.saturating_sub(first);
            ahead <= packets(LONGEST_GAP + 1) && behind <= packets(KEPT)
        });
        if follows {
            self.newest = self.newest.max(Some(first));
        } else {
            *self = Self {
                newest: Some(first),
                since: first,
                ..Self::default()
            };
        }
    }

    fn keep_parities(&mut self, packet: &Packet) {
        for (backs, sum) in packet.protection.parities().iter().zip(&packet.parities) {
            let covered = backs.iter().filter(|back| packet.covers[**back as usize - 1]);
            let of = covered.map(|back| packet.first.saturating_sub(back * packet.span.blocks()));
            let of: Vec<_> = of.collect();
            if of.iter().any(|first| *first < self.since) {
                continue;
            }
            if self.parities.len() >= KEPT {
                self.parities.pop_front();
            }
            self.parities.push_back(Parity {
                of,
                sum: sum.clone(),
                first: packet.first,
                captured: packet.captured,
                span: packet.span,
            });
        }
    }

    fn note_known(&mut self, frame: &Frame) {
        if self.known.len() >= KEPT {
            self.known.pop_front();
        }
        self.known.push_back((frame.first, frame.data.clone()));
    }

    /// The frame that a parity lacks alone.
    fn solve(&mut self) -> Option<Frame> {
        let known = &self.known;
        self.parities
            .retain(|parity| parity.missing(known).next().is_some());
        let at = self
            .parities
            .iter()
            .position(|parity| parity.missing(known).count() == 1)?;
        let parity = self.parities.remove(at)?;
        let first = parity.missing(known).next()?;
        let others = parity
            .of
            .iter()
            .filter_map(|of| find(known, *of, parity.sum.len()));
        let mut data = parity.sum.clone();
        others.for_each(|other| add(&mut data, other));
        let earlier = (parity.first - first) * BLOCK_SAMPLES as u32;
        Some(Frame {
            first,
            captured: Ticks(parity.captured.0.wrapping_sub(earlier)),
            span: parity.span,
            data,
        })
    }
}

impl Parity {
    fn missing(&self, known: &VecDeque<(u32, Vec<u8>)>) -> impl Iterator<Item = u32> {
        let of = self.of.iter().copied();
        of.filter(move |of| find(known, *of, self.sum.len()).is_none())
    }
}

/// A frame by its number and length: a peer may give one number to two of different lengths.
fn find(frames: &VecDeque<(u32, Vec<u8>)>, first: u32, len: usize) -> Option<&[u8]> {
    let mut all = frames.iter();
    let found = all.find(|(number, data)| *number == first && data.len() == len);
    found.map(|(_, data)| data.as_slice())
}

fn add(sum: &mut [u8], data: &[u8]) {
    for (sum, byte) in sum.iter_mut().zip(data) {
        *sum ^= byte;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chance::chance;

    fn frame(first: u32, span: Span, protection: Protection) -> Frame {
        let len = protection.frame_len(span) as u32;
        let byte = |at: u32| (first.wrapping_mul(2_654_435_761) >> (at % 24)) as u8;
        Frame {
            first,
            captured: Ticks(first.wrapping_mul(BLOCK_SAMPLES as u32).wrapping_add(11)),
            span,
            data: (0..len).map(byte).collect(),
        }
    }

    /// What comes of so many packets of 10 ms of which those are lost, and with how many later than its own each frame came.
    fn sent(count: u32, protection: Protection, is_lost: impl Fn(u32) -> bool) -> Vec<Option<u32>> {
        let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
        let mut after = vec![None; count as usize];
        for first in 0..count {
            let packet = protector.pack(frame(first, Span::Ten, protection), protection);
            if is_lost(first) {
                continue;
            }
            for got in recovery.handle_packet(packet) {
                assert_eq!(got, frame(got.first, Span::Ten, protection));
                assert_eq!(
                    after[got.first as usize].replace(first - got.first),
                    None,
                    "twice"
                );
            }
        }
        after
    }

    #[test]
    fn what_is_lost_alone_or_two_in_a_row_is_there_again() {
        for (protection, first_of_two) in [(Protection::One, 3), (Protection::Two, 2)] {
            let alone = sent(20, protection, |n| n == 10);
            assert_eq!(alone[10], Some(1), "{protection:?}");
            let two = sent(20, protection, |n| n == 10 || n == 11);
            assert_eq!(two[10..12], [Some(first_of_two), Some(1)], "{protection:?}");
            assert!(two.iter().all(Option::is_some), "{protection:?}");
        }
    }

    #[test]
    fn what_was_sent_before_the_first_packet_or_in_a_long_gap_stays_away() {
        for protection in [Protection::One, Protection::Two] {
            let after = sent(60, protection, |n| n < 10 || (30..40).contains(&n));
            for (first, after) in after.iter().enumerate() {
                let is_lost = first < 10 || (30..40).contains(&first);
                assert_eq!(*after, (!is_lost).then_some(0), "{protection:?} {first}");
            }
        }
    }

    #[test]
    fn of_what_is_lost_by_chance_little_stays_lost() {
        for (loss, protection, most) in [
            (0.1, Protection::One, 0.003),
            (0.1, Protection::Two, 0.002),
            (0.2, Protection::Two, 0.011),
        ] {
            for seed in 0..5u32 {
                let after = sent(20_000, protection, |n| chance(n, seed) < loss);
                let gone = after.iter().filter(|after| after.is_none()).count() as f64 / 20_000.0;
                assert!(gone < most, "{loss} {protection:?} seed {seed}: {gone}");
            }
        }
    }

    #[test]
    fn frames_of_another_length_and_across_a_gap_are_not_mixed() {
        let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
        let mut first = 0;
        for (nth, (span, protection)) in [
            (Span::Ten, Protection::One),
            (Span::Ten, Protection::Two),
            (Span::Twenty, Protection::Two),
            (Span::Twenty, Protection::One),
        ]
        .into_iter()
        .cycle()
        .take(80)
        .flat_map(|way| [way; 5])
        .enumerate()
        {
            let packet = protector.pack(frame(first, span, protection), protection);
            first += span.blocks();
            if nth % 23 == 0 {
                // The microphone has missed something.
                first += 7;
            }
            if nth % 3 == 0 {
                continue;
            }
            for got in recovery.handle_packet(packet) {
                let is_whole = [Protection::One, Protection::Two]
                    .iter()
                    .any(|way| got == frame(got.first, got.span, *way));
                assert!(is_whole, "packet {nth}: {got:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_little_is_kept(
            packets in prop::collection::vec((prop_oneof![0..8u32, any::<u32>()], any::<[bool; 4]>(), any::<u8>()), 1..200),
        ) {
            let mut recovery = Recovery::default();
            for (first, [is_long, has_two, covers @ ..], byte) in packets {
                let span = if is_long { Span::Twenty } else { Span::Ten };
                let protection = if has_two { Protection::Two } else { Protection::One };
                let len = protection.frame_len(span);
                let packet = Packet {
                    first,
                    captured: Ticks(first),
                    span,
                    protection,
                    frame: vec![byte; len],
                    covers: [covers[0], covers[1], true],
                    parities: vec![vec![!byte; len]; protection.parities().len()],
                };
                let frames = recovery.handle_packet(packet);
                prop_assert_eq!(frames[0].first, first);
                prop_assert!(frames.len() <= 1 + KEPT);
                prop_assert!(recovery.known.len() <= KEPT && recovery.parities.len() <= KEPT);
            }
        }
    }
}
