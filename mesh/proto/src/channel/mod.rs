//! Channels: what the programs of two members say to each other beside media, reliably and in order for as long as their link
//! lasts, and never more than the receiver has room for.
//!
//! ```text
//!   push ──► queue ── poll, while there is credit ──►   wire   ──► handle_message ──► the program
//!     │                      ▲                                                            │
//!     └─ full: given back    └──────── credit ◄──────────── handle_consumed ◄────────────┘
//! ```
//!
//! What is large goes as fragments on a stream of its own ([`Channel::is_bulk`]): only as much at a time as the link has room
//! for beside media, by which time the fragment is sealed (`bulk.rs`).
//!
//! A message takes credit, which the receiver gives anew once its program has taken the message. So a slow program makes the
//! other side's queue full, and its caller gets back what there is no room for; memory is bounded on both sides, nothing is
//! dropped without a word, and no connection ends for slowness. When a link is lost, what waited to be sent is given back; of
//! what was under way nobody knows whether it came. Who sends without credit breaks the protocol.

mod bulk;

use std::collections::VecDeque;

/// What a message takes beside its bytes: its place in queues, so that empty ones are bounded as well.
const COST: usize = 256;

/// A channel. They are served in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// What the media of two members say to each other: what is sent, wanted, heard.
    Feedback,
    /// What is large and in no hurry.
    Bulk,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Feedback, Self::Bulk];

    /// Its number on the wire.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Feedback => 0,
            Self::Bulk => 1,
        }
    }

    /// The channel of a number; `None` when there is none.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.id() == id)
    }

    /// The longest message, bytes.
    #[must_use]
    pub const fn max_message(self) -> usize {
        match self {
            // A report of everybody, whose names are as long as may be.
            Self::Feedback => 1280,
            Self::Bulk => 32 * 1024,
        }
    }

    /// How much may be under way or wait at the receiver, and as much again at the sender, bytes: messages, each with what it
    /// takes beside its bytes.
    #[must_use]
    pub const fn window(self) -> usize {
        match self {
            Self::Feedback => 4096,
            // 50 ms at 84 Mbit/s.
            Self::Bulk => 512 * 1024,
        }
    }

    /// Whether it goes on a stream of its own, paced with media, and not on the control stream.
    #[must_use]
    pub const fn is_bulk(self) -> bool {
        match self {
            Self::Feedback => false,
            Self::Bulk => true,
        }
    }

    /// What a message of so many bytes takes of a window: at the least so much that the messages of a whole window are few.
    const fn cost(self, len: usize) -> usize {
        let (cost, least) = (len + COST, self.least());
        if cost > least { cost } else { least }
    }

    const fn least(self) -> usize {
        match self {
            Self::Feedback => COST,
            Self::Bulk => 16 * 1024,
        }
    }

    /// How many messages that may be at the most.
    #[must_use]
    pub const fn max_messages(self) -> usize {
        self.window() / self.least()
    }
}

/// The peer sent more than it was given room for, or gave more than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation;

/// All channels of one link, this side's end.
#[derive(Debug, Default)]
pub struct Channels([End; Channel::ALL.len()]);

/// One channel's end.
#[derive(Debug, Default)]
struct End {
    queue: VecDeque<Vec<u8>>,
    /// What leaves as fragments just now, and how much of it has left.
    leaving: Option<(Vec<u8>, usize)>,
    /// What has come of a message that comes as fragments.
    arriving: Vec<u8>,
    /// What the queue holds.
    queued: usize,
    /// What is under way, or waits at the receiver.
    in_flight: usize,
    /// Somebody was turned away since there was room.
    was_full: bool,
    /// What the peer may not send before it is given credit: messages that came and have not been credited.
    received: usize,
    /// Of it, what the program has taken.
    consumed: usize,
}

impl Channels {
    /// A message is to be sent.
    ///
    /// # Errors
    /// The message, when it is too long or there is no room; [`Self::poll_room`] says when there is again.
    pub fn push(&mut self, channel: Channel, message: Vec<u8>) -> Result<(), Vec<u8>> {
        let end = self.end(channel);
        let cost = channel.cost(message.len());
        if message.len() > channel.max_message() {
            return Err(message);
        }
        if end.queued + cost > channel.window() {
            end.was_full = true;
            return Err(message);
        }
        end.queued += cost;
        end.queue.push_back(message);
        Ok(())
    }

    /// The next message that may be sent on the control stream, of the first channel that has one.
    pub fn poll(&mut self) -> Option<(Channel, Vec<u8>)> {
        let mut channels = Channel::ALL.into_iter().filter(|channel| !channel.is_bulk());
        channels.find_map(|channel| Some((channel, self.end(channel).take(channel)?)))
    }

    /// A channel on which somebody was turned away, and which has room again.
    pub fn poll_room(&mut self) -> Option<Channel> {
        let has_room = |channel: &Channel| {
            let end = &self.0[*channel as usize];
            end.was_full && end.queued <= channel.window() / 2
        };
        let channel = Channel::ALL.into_iter().find(has_room)?;
        self.end(channel).was_full = false;
        Some(channel)
    }

    /// The peer gives credit.
    ///
    /// # Errors
    /// [`Violation`]: more than was used.
    pub fn handle_credit(&mut self, channel: Channel, bytes: u32) -> Result<(), Violation> {
        let end = self.end(channel);
        let left = end.in_flight.checked_sub(bytes as usize);
        end.in_flight = left.ok_or(Violation)?;
        Ok(())
    }

    /// A message of so many bytes came.
    ///
    /// # Errors
    /// [`Violation`]: it is too long, or there was no credit for it.
    pub fn handle_message(&mut self, channel: Channel, len: usize) -> Result<(), Violation> {
        let end = self.end(channel);
        let received = end.received + channel.cost(len);
        if len > channel.max_message() || received > channel.window() {
            return Err(Violation);
        }
        end.received = received;
        Ok(())
    }

    /// The program has taken a message of so many bytes. Returns the credit that the peer is to be given, if it is time: so
    /// that it need not wait, and not for each message.
    pub fn handle_consumed(&mut self, channel: Channel, len: usize) -> Option<u32> {
        let end = self.end(channel);
        end.consumed = (end.consumed + channel.cost(len)).min(end.received);
        if end.consumed < channel.window() / 4 {
            return None;
        }
        let credit = std::mem::take(&mut end.consumed);
        end.received -= credit;
        u32::try_from(credit).ok()
    }

    /// What waits to be sent, when the link is gone.
    pub fn into_queued(self) -> impl Iterator<Item = (Channel, Vec<u8>)> {
        let ends = Channel::ALL.into_iter().zip(self.0);
        ends.flat_map(|(channel, end)| {
            let leaving = end.leaving.map(|(message, _)| message);
            let queued = leaving.into_iter().chain(end.queue);
            queued.map(move |message| (channel, message))
        })
    }

    const fn end(&mut self, channel: Channel) -> &mut End {
        &mut self.0[channel as usize]
    }
}

impl End {
    /// The next message, if there is credit for it.
    fn take(&mut self, channel: Channel) -> Option<Vec<u8>> {
        let cost = channel.cost(self.queue.front()?.len());
        if self.in_flight + cost > channel.window() {
            return None;
        }
        self.in_flight += cost;
        self.queued -= cost;
        self.queue.pop_front()
    }
}

#[cfg(test)]
mod tests;
