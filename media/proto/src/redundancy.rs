//! Lost frames of sound from parities: each packet carries, beside its frame, exclusive ors of frames before it. A parity of
//! which one frame is missing gives that frame, which in turn may complete another parity.
//!
//! What comes back is the frame itself, bit by bit, and the decoder goes on as if nothing had been lost. A second, coarser
//! encoding of the same sound, as Opus' own redundancy has it, leaves the decoder in another state than the encoder.

use std::collections::VecDeque;

use crate::Ticks;
use crate::audio::{BLOCK_SAMPLES, Packet, Protection, REACH, Span};

/// Frames and parities that a receiver keeps: beyond those that parities reach, what packets out of order need.
const KEPT: usize = 4 * REACH;

/// 5 frames: what a longer gap has taken is given up. Of four in a row parities still give three; of more they give what
/// comes so late that all that follows would have to wait for the next such gap.
const LONGEST_GAP: u32 = 5;

/// 1 s of blocks: what is so far behind comes from a sender that began anew.
const ANOTHER_STREAM: u32 = 100;

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

/// The last frames of a stream.
#[derive(Debug, Default)]
struct Frames(VecDeque<Frame>);

impl Frames {
    fn push(&mut self, frame: Frame, most: usize) {
        if self.0.len() >= most {
            self.0.pop_front();
        }
        self.0.push_back(frame);
    }

    /// The newest of that number and length: both may come again after a sender began anew.
    fn find(&self, first: u32, len: usize) -> Option<&[u8]> {
        let mut newest_first = self.0.iter().rev();
        let found = newest_first.find(|frame| frame.first == first && frame.data.len() == len);
        found.map(|frame| frame.data.as_slice())
    }
}

/// Makes packets of frames.
#[derive(Debug, Default)]
pub struct Protector {
    sent: Frames,
}

impl Protector {
    /// The packet of a frame, whose data has the length that the protection gives it.
    pub fn pack(&mut self, frame: Frame, protection: Protection) -> Packet {
        let mut covers = [false; REACH];
        let mut parities = Vec::with_capacity(protection.parities().len());
        for backs in protection.parities() {
            let mut parity = vec![0; frame.data.len()];
            for back in *backs {
                let earlier = frame.first.checked_sub(back * frame.span.blocks());
                let earlier = earlier.and_then(|first| self.sent.find(first, frame.data.len()));
                if let Some(earlier) = earlier {
                    add(&mut parity, earlier);
                    covers[*back as usize - 1] = true;
                }
            }
            parities.push(parity);
        }
        self.sent.push(frame.clone(), REACH);
        Packet {
            first: frame.first,
            captured: frame.captured,
            span: frame.span,
            protection,
            frame: frame.data,
            covers,
            parities,
        }
    }
}

/// A parity, less the frames of it that are known.
#[derive(Debug)]
struct Parity {
    sum: Vec<u8>,
    /// The first blocks of the frames that are missing.
    missing: Vec<u32>,
    /// Of the packet that it came with.
    first: u32,
    captured: Ticks,
    span: Span,
}

impl Parity {
    fn take_out(&mut self, first: u32, data: &[u8]) {
        let at = self.missing.iter().position(|missing| *missing == first);
        if let Some(at) = at.filter(|_| data.len() == self.sum.len()) {
            self.missing.swap_remove(at);
            add(&mut self.sum, data);
        }
    }

    /// The frame that is left. Its sound was captured as much earlier as its number is less.
    fn into_frame(self) -> Option<Frame> {
        let first = *self.missing.first()?;
        let earlier = (self.first - first) * BLOCK_SAMPLES as u32;
        Some(Frame {
            first,
            captured: Ticks(self.captured.0.wrapping_sub(earlier)),
            span: self.span,
            data: self.sum,
        })
    }
}

/// Takes packets of one sender, gives frames.
#[derive(Debug, Default)]
pub struct Recovery {
    known: Frames,
    parities: VecDeque<Parity>,
    /// The first block of the newest packet.
    newest: Option<u32>,
    /// Frames before this block are not looked for.
    since: u32,
}

impl Recovery {
    /// Takes a packet. Returns its frame, and those that were missing and now are known.
    pub fn handle_packet(&mut self, packet: Packet) -> (Frame, Vec<Frame>) {
        self.note_number(packet.first, packet.span);
        self.keep_parities(&packet);
        let own = Frame {
            first: packet.first,
            captured: packet.captured,
            span: packet.span,
            data: packet.frame,
        };
        self.note_known(&own);
        let mut recovered = Vec::new();
        while let Some(frame) = self.solve() {
            self.note_known(&frame);
            recovered.push(frame);
        }
        (own, recovered)
    }

    /// What was sent before the first packet is not missing, and what a long gap has taken no more.
    fn note_number(&mut self, first: u32, span: Span) {
        match self.newest {
            Some(newest) if first < newest && newest - first <= ANOTHER_STREAM => {}
            Some(newest) if first >= newest => {
                if first - newest > (LONGEST_GAP + 1) * span.blocks() {
                    self.since = first;
                }
                self.newest = Some(first);
            }
            _ => {
                *self = Self {
                    newest: Some(first),
                    since: first,
                    ..Self::default()
                }
            }
        }
    }

    fn keep_parities(&mut self, packet: &Packet) {
        for (backs, sum) in packet.protection.parities().iter().zip(&packet.parities) {
            let covered = backs.iter().filter(|back| packet.covers[**back as usize - 1]);
            let of = covered.map(|back| packet.first.checked_sub(back * packet.span.blocks()));
            let of: Option<Vec<_>> = of.collect();
            let Some(of) = of.filter(|of| of.iter().all(|first| *first >= self.since)) else {
                continue;
            };
            let mut parity = Parity {
                sum: sum.clone(),
                missing: of.clone(),
                first: packet.first,
                captured: packet.captured,
                span: packet.span,
            };
            for first in of {
                if let Some(data) = self.known.find(first, sum.len()) {
                    parity.take_out(first, data);
                }
            }
            if self.parities.len() >= KEPT {
                self.parities.pop_front();
            }
            self.parities.push_back(parity);
        }
    }

    fn note_known(&mut self, frame: &Frame) {
        for parity in &mut self.parities {
            parity.take_out(frame.first, &frame.data);
        }
        self.known.push(frame.clone(), KEPT);
    }

    /// The frame that a parity lacks alone.
    fn solve(&mut self) -> Option<Frame> {
        self.parities.retain(|parity| !parity.missing.is_empty());
        let at = self
            .parities
            .iter()
            .position(|parity| parity.missing.len() == 1)?;
        self.parities.remove(at)?.into_frame()
    }
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

    const WAYS: [(Span, Protection); 4] = [
        (Span::Ten, Protection::Light),
        (Span::Ten, Protection::Strong),
        (Span::Twenty, Protection::Strong),
        (Span::Twenty, Protection::Light),
    ];

    fn frame(first: u32, (span, protection): (Span, Protection)) -> Frame {
        let len = protection.frame_len(span) as u32;
        let byte = |at: u32| (first.wrapping_mul(2_654_435_761) >> (at % 24)) as u8;
        Frame {
            first,
            captured: Ticks(first.wrapping_mul(BLOCK_SAMPLES as u32).wrapping_add(11)),
            span,
            data: (0..len).map(byte).collect(),
        }
    }

    /// Sends so many packets, and those arrive that `arrives` names, in this order. Returns for each frame after how many
    /// arrivals it was known; every one is checked.
    fn sent(
        count: u32,
        way: (Span, Protection),
        arrives: impl IntoIterator<Item = u32>,
    ) -> Vec<Option<usize>> {
        let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
        // Not from 0: what is before the first is missing as well.
        let number = |nth: u32| (50 + nth) * way.0.blocks();
        let packets: Vec<_> = (0..count)
            .map(|nth| protector.pack(frame(number(nth), way), way.1))
            .collect();
        let mut after = vec![None; count as usize];
        for (arrivals, nth) in (1..).zip(arrives) {
            let (own, recovered) = recovery.handle_packet(packets[nth as usize].clone());
            for got in std::iter::once(own).chain(recovered) {
                assert_eq!(got, frame(got.first, way));
                after[(got.first / way.0.blocks() - 50) as usize].get_or_insert(arrivals);
            }
        }
        after
    }

    fn without(count: u32, lost: impl Fn(u32) -> bool) -> Vec<u32> {
        (0..count).filter(|nth| !lost(*nth)).collect()
    }

    #[test]
    fn what_is_lost_alone_or_two_in_a_row_is_there_again() {
        for way in WAYS {
            let alone = sent(20, way, without(20, |n| n == 10));
            assert_eq!(alone[10], alone[11], "{way:?}: with the next");
            let two = sent(20, way, without(20, |n| n == 10 || n == 11));
            let first = if way.1 == Protection::Light {
                two[13]
            } else {
                two[12]
            };
            assert_eq!([two[10], two[11]], [first, two[12]], "{way:?}");
        }
    }

    #[test]
    fn what_was_sent_before_the_first_packet_or_in_a_long_gap_stays_away() {
        for way in WAYS {
            for (gap, gives_up) in [(LONGEST_GAP, false), (LONGEST_GAP + 1, true)] {
                let is_lost = |n: u32| n < 10 || (30..30 + gap).contains(&n);
                let after = sent(60, way, without(60, is_lost));
                assert!(after[..10].iter().all(Option::is_none), "{way:?}");
                let in_gap = &after[30..30 + gap as usize];
                assert_eq!(in_gap.iter().all(Option::is_none), gives_up, "{way:?} {gap}");
            }
        }
    }

    #[test]
    fn of_what_is_lost_by_chance_little_stays_lost() {
        for (loss, protection, most) in [
            (0.1, Protection::Light, 0.003),
            (0.1, Protection::Strong, 0.002),
            (0.2, Protection::Strong, 0.011),
        ] {
            for seed in 0..5u32 {
                let way = (Span::Ten, protection);
                let after = sent(20_000, way, without(20_000, |n| chance(n, seed) < loss));
                let gone = after.iter().filter(|after| after.is_none()).count() as f64 / 20_000.0;
                assert!(gone < most, "{loss} {protection:?} seed {seed}: {gone}");
            }
        }
    }

    #[test]
    fn packets_out_of_order_lose_nothing_that_can_be_recovered() {
        for way in WAYS {
            for seed in 0..20 {
                let mut arrives = without(200, |n| (20..190).contains(&n) && n % 7 == 3);
                // Up to five places too late or too early.
                arrives.sort_by_key(|nth| (f64::from(*nth) * 1000.0 + 5000.0 * chance(*nth, seed)) as u32);
                arrives.retain(|nth| *nth > 0);
                arrives.insert(0, 0);
                let after = sent(200, way, arrives);
                let gone = after.iter().filter(|after| after.is_none()).count();
                assert_eq!(gone, 0, "{way:?} seed {seed}");
            }
            // One that comes very late, just before one that is lost.
            let mut arrives = without(60, |n| n == 20 || n == 37);
            arrives.insert(arrives.iter().position(|n| *n == 36).expect("there") + 1, 20);
            assert!(sent(60, way, arrives)[37].is_some(), "{way:?}");
            // From here on the packets come eight earlier than those before them.
            let mut arrives = without(60, |n| n % 9 == 8);
            arrives.sort_by_key(|n| 2 * n + if *n < 30 { 17 } else { 0 });
            let after = sent(60, way, arrives);
            assert!(after[..20].iter().all(Option::is_some), "{way:?}: {after:?}");
            assert!(after[40..].iter().all(Option::is_some), "{way:?}: {after:?}");
        }
    }

    #[test]
    fn a_sender_that_began_anew_is_followed() {
        for way in WAYS {
            let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
            for nth in 300..320 {
                recovery.handle_packet(protector.pack(frame(nth * way.0.blocks(), way), way.1));
            }
            // A little before the old one's end, or far.
            for begins in [316, 0] {
                let mut protector = Protector::default();
                let mut found = Vec::new();
                for nth in begins..begins + 20 {
                    let mut again = frame(nth * way.0.blocks(), way);
                    again.data.fill(begins as u8);
                    let packet = protector.pack(again, way.1);
                    if nth != begins + 10 {
                        found.extend(recovery.handle_packet(packet).1);
                    }
                }
                let lost = (begins + 10) * way.0.blocks();
                let found = found
                    .iter()
                    .find(|found| found.first == lost)
                    .expect("it is there");
                assert!(found.data.iter().all(|byte| *byte == begins as u8), "{way:?}");
            }
        }
    }

    #[test]
    fn frames_of_another_length_and_across_a_gap_are_not_mixed() {
        let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
        let mut first = 0;
        let mut recovered = [0; WAYS.len()];
        let ways = (0..WAYS.len()).cycle().flat_map(|way| [way; 5]).take(400);
        for (nth, way) in ways.enumerate() {
            let packet = protector.pack(frame(first, WAYS[way]), WAYS[way].1);
            first += packet.span.blocks();
            if nth % 23 == 0 {
                // The microphone has missed something.
                first += 7;
            }
            if nth % 3 == 0 {
                continue;
            }
            for got in recovery.handle_packet(packet).1 {
                let of = WAYS.iter().position(|way| got == frame(got.first, *way));
                let of = of.unwrap_or_else(|| panic!("packet {nth}: {got:?}"));
                recovered[of] += 1;
            }
        }
        assert!(recovered.iter().all(|count| *count > 10), "{recovered:?}");
    }

    proptest! {
        #[test]
        fn whatever_comes_little_is_kept(
            packets in prop::collection::vec((prop_oneof![0..8u32, any::<u32>()], any::<[bool; 5]>(), any::<u8>()), 1..200),
        ) {
            let mut recovery = Recovery::default();
            for (first, [is_long, has_two, covers @ ..], byte) in packets {
                let span = if is_long { Span::Twenty } else { Span::Ten };
                let protection = if has_two { Protection::Strong } else { Protection::Light };
                let len = protection.frame_len(span);
                let packet = Packet {
                    first,
                    captured: Ticks(first),
                    span,
                    protection,
                    frame: vec![byte; len],
                    covers,
                    parities: vec![vec![!byte; len]; protection.parities().len()],
                };
                let (own, recovered) = recovery.handle_packet(packet);
                prop_assert_eq!(own.first, first);
                prop_assert!(recovered.len() <= KEPT);
                prop_assert!(recovery.known.0.len() <= KEPT && recovery.parities.len() <= KEPT);
            }
        }
    }
}
