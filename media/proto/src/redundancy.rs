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
mod tests;
