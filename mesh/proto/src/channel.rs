//! Channels: what the programs of two members say to each other beside media, reliably and in order for as long as their link
//! lasts, and never more than the receiver has room for.
//!
//! ```text
//!   push ──► queue ── poll, while there is credit ──►   wire   ──► handle_message ──► the program
//!     │                      ▲                                                            │
//!     └─ full: given back    └──────── credit ◄──────────── handle_consumed ◄────────────┘
//! ```
//!
//! A message takes credit, which the receiver gives anew once its program has taken the message. So a slow program makes the
//! other side's queue full, and its caller gets back what there is no room for; memory is bounded on both sides, nothing is
//! dropped without a word, and no connection ends for slowness. When a link is lost, what waited to be sent is given back; of
//! what was under way nobody knows whether it came. Who sends without credit breaks the protocol.

use std::collections::VecDeque;

/// What a message takes beside its bytes: its place in queues, so that empty ones are bounded as well.
const COST: usize = 256;

/// A channel. They are served in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// What the media of two members say to each other: what is sent, wanted, heard.
    Feedback,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Feedback];

    /// Its number on the wire.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Feedback => 0,
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
        }
    }

    /// How much may be under way or wait at the receiver, and as much again at the sender, bytes: messages, each with what it
    /// takes beside its bytes.
    #[must_use]
    pub const fn window(self) -> usize {
        match self {
            Self::Feedback => 4096,
        }
    }

    /// How many messages that may be at the most.
    #[must_use]
    pub const fn max_messages(self) -> usize {
        self.window() / COST
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
        let cost = message.len() + COST;
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

    /// The next message that may be sent, of the first channel that has one.
    pub fn poll(&mut self) -> Option<(Channel, Vec<u8>)> {
        for channel in Channel::ALL {
            let end = self.end(channel);
            let next = end.queue.front().map(|message| message.len() + COST);
            if let Some(cost) = next.filter(|cost| end.in_flight + cost <= channel.window()) {
                end.in_flight += cost;
                end.queued -= cost;
                return Some((channel, end.queue.pop_front()?));
            }
        }
        None
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
        let received = end.received + len + COST;
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
        end.consumed = (end.consumed + len + COST).min(end.received);
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
        ends.flat_map(|(channel, end)| end.queue.into_iter().map(move |message| (channel, message)))
    }

    const fn end(&mut self, channel: Channel) -> &mut End {
        &mut self.0[channel as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHANNEL: Channel = Channel::Feedback;

    /// What happens next between two members.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// The sender's program says something of this length.
        Say(usize),
        /// What may be sent is.
        Send,
        /// The receiver's program takes a message.
        Take,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..=CHANNEL.max_message()).prop_map(Step::Say),
            Just(Step::Send),
            Just(Step::Take)
        ]
    }

    proptest! {
        #[test]
        fn everything_that_is_taken_in_arrives_once_in_order_and_both_sides_stay_within_the_window(
            steps in prop::collection::vec(step(), 0..400),
        ) {
            let [mut sender, mut receiver] = [(), ()].map(|()| Channels::default());
            let (mut said, mut arrived, mut waiting) = (Vec::new(), Vec::new(), VecDeque::new());
            // In the end the receiver's program takes everything.
            let rest = [Step::Send, Step::Take].repeat(2 * steps.len() + 2);
            for step in steps.into_iter().chain(rest) {
                match step {
                    Step::Say(len) => {
                        let message = vec![said.len() as u8; len];
                        match sender.push(CHANNEL, message.clone()) {
                            Ok(()) => said.push(message),
                            Err(back) => prop_assert_eq!(back, message),
                        }
                    }
                    Step::Send => while let Some((_, message)) = sender.poll() {
                        prop_assert_eq!(receiver.handle_message(CHANNEL, message.len()), Ok(()));
                        waiting.push_back(message);
                    },
                    Step::Take => if let Some(message) = waiting.pop_front() {
                        if let Some(credit) = receiver.handle_consumed(CHANNEL, message.len()) {
                            prop_assert_eq!(sender.handle_credit(CHANNEL, credit), Ok(()));
                        }
                        arrived.push(message);
                    },
                }
                let held = |messages: &VecDeque<Vec<u8>>| messages.iter().map(|message| message.len() + COST).sum::<usize>();
                prop_assert!(held(&waiting) <= CHANNEL.window());
                prop_assert!(held(&sender.0[0].queue) <= CHANNEL.window());
            }
            prop_assert_eq!(arrived, said);
        }
    }

    #[test]
    fn who_is_turned_away_hears_once_when_there_is_room_again() {
        let mut channels = Channels::default();
        while channels.push(CHANNEL, vec![0; 500]).is_ok() {}
        assert_eq!(channels.poll_room(), None);
        while channels.poll().is_some() {}
        assert_eq!(channels.poll_room(), Some(CHANNEL));
        assert_eq!(channels.poll_room(), None);
        assert!(channels.push(CHANNEL, vec![0; 500]).is_ok());
        assert!(
            channels
                .push(CHANNEL, vec![0; CHANNEL.max_message() + 1])
                .is_err()
        );
    }

    #[test]
    fn who_sends_or_gives_more_than_there_is_breaks_the_protocol() {
        let mut channels = Channels::default();
        assert_eq!(channels.handle_credit(CHANNEL, 1), Err(Violation));
        assert_eq!(
            channels.handle_message(CHANNEL, CHANNEL.max_message() + 1),
            Err(Violation)
        );
        let fit = CHANNEL.window() / (100 + COST);
        for _ in 0..fit {
            assert_eq!(channels.handle_message(CHANNEL, 100), Ok(()));
        }
        assert_eq!(channels.handle_message(CHANNEL, 100), Err(Violation));
        // A program that says it took more than there was gives no credit for it.
        let credit = (0..2 * fit).filter_map(|_| channels.handle_consumed(CHANNEL, 100));
        let (given, taken) = (credit.sum::<u32>() as usize, fit * (100 + COST));
        assert!(
            given <= taken && given > taken - CHANNEL.window() / 4,
            "{given} of {taken}"
        );
    }
}
