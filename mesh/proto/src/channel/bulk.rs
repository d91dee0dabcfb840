//! Messages of bulk channels, as fragments.
//!
//! ```text
//!   fragment:   channel (7 bits)  last (1 bit)   bytes of the message
//! ```

use super::{Channel, Channels, Violation};

/// The header of a fragment, bytes.
const HEADER_LEN: usize = 1;

impl Channels {
    /// Whether something of a bulk channel may be sent now.
    pub fn has_bulk(&self) -> bool {
        bulk_channels().any(|channel| {
            let end = &self.0[channel as usize];
            let next = end.queue.front().map(|message| channel.cost(message.len()));
            end.leaving.is_some() || next.is_some_and(|cost| end.in_flight + cost <= channel.window())
        })
    }

    /// The next fragment of at most `room` bytes that may be sent, of the first bulk channel that has one.
    pub fn poll_fragment(&mut self, room: usize) -> Option<Vec<u8>> {
        let room = room.checked_sub(HEADER_LEN).filter(|room| *room > 0)?;
        for channel in bulk_channels() {
            let end = self.end(channel);
            let Some((message, sent)) = end.leaving.take().or_else(|| Some((end.take(channel)?, 0))) else {
                continue;
            };
            let until = message.len().min(sent + room);
            let is_last = until == message.len();
            let mut fragment = Vec::with_capacity(HEADER_LEN + until - sent);
            fragment.push(channel.id() << 1 | u8::from(is_last));
            fragment.extend_from_slice(&message[sent..until]);
            end.leaving = (!is_last).then_some((message, until));
            return Some(fragment);
        }
        None
    }

    /// A fragment came. Returns the message that it completes.
    ///
    /// # Errors
    /// [`Violation`]: it is none, of no bulk channel, says nothing, or there was no credit for it.
    pub fn handle_fragment(&mut self, fragment: &[u8]) -> Result<Option<(Channel, Vec<u8>)>, Violation> {
        let (header, bytes) = fragment.split_first().ok_or(Violation)?;
        let channel = Channel::from_id(header >> 1).filter(|channel| channel.is_bulk());
        let channel = channel.ok_or(Violation)?;
        let is_last = header & 1 == 1;
        let end = self.end(channel);
        let len = end.arriving.len() + bytes.len();
        let has_credit = end.received + channel.cost(len) <= channel.window();
        if len > channel.max_message() || !has_credit || (bytes.is_empty() && !is_last) {
            return Err(Violation);
        }
        end.arriving.extend_from_slice(bytes);
        if !is_last {
            return Ok(None);
        }
        let message = std::mem::take(&mut end.arriving);
        self.handle_message(channel, message.len())?;
        Ok(Some((channel, message)))
    }
}

fn bulk_channels() -> impl Iterator<Item = Channel> {
    Channel::ALL.into_iter().filter(|channel| channel.is_bulk())
}
