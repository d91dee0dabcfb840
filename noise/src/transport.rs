//! The keys of one handshake, and the messages sealed with them.

use snow::{HandshakeState, StatelessTransportState};

use crate::error::{HandshakeError, OpenError, SealError};
use crate::primitives::TAG_LEN;
use crate::replay::Window;

/// Session index and counter before the ciphertext, bytes.
const HEADER_LEN: usize = 4 + 8;

/// What sealing adds to a message, bytes: index, counter, tag.
pub const OVERHEAD: usize = HEADER_LEN + TAG_LEN;

/// What goes on streams counts in a part of the nonce space of its own, so that no two kinds ever share a nonce.
const CONTROL_BIT: u64 = 1 << 63;
const BULK_BIT: u64 = 1 << 62;

/// How many packets of the other side came, and how many its counters say that it sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Packets opened.
    pub received: u64,
    /// Packets sealed by the other side up to the newest that came.
    pub expected: u64,
}

/// 2^40: far above what keys that are renewed after 2^32 messages can reach.
const MAX_COUNTER: u64 = 1 << 40;

/// The two keys that one handshake agreed on, with the counters used under them.
pub struct Keys {
    state: StatelessTransportState,
    index: [u8; 4],
    packets_sent: u64,
    control: Ordered,
    bulk: Ordered,
    packets_received: u64,
    window: Window,
}

/// What goes on a stream: it keeps its order, so each message has exactly one counter that it can have.
struct Ordered {
    bit: u64,
    sent: u64,
    received: u64,
}

impl Ordered {
    const fn new(bit: u64) -> Self {
        Self {
            bit,
            sent: 0,
            received: 0,
        }
    }

    /// The counter of a message that is sealed now.
    const fn next(&mut self) -> u64 {
        let counter = self.bit | self.sent;
        self.sent += 1;
        counter
    }

    /// The counter of the message that comes next.
    const fn expected(&self) -> u64 {
        self.bit | self.received
    }
}

impl Keys {
    pub fn new(state: HandshakeState) -> Result<Self, HandshakeError> {
        let index = state
            .get_handshake_hash()
            .first_chunk()
            .copied()
            .ok_or(HandshakeError::Setup)?;
        let state = state
            .into_stateless_transport_mode()
            .map_err(|_| HandshakeError::Setup)?;
        Ok(Self {
            state,
            index,
            packets_sent: 0,
            control: Ordered::new(CONTROL_BIT),
            bulk: Ordered::new(BULK_BIT),
            packets_received: 0,
            window: Window::new(),
        })
    }

    /// The first four bytes of the handshake's hash: both sides know it without saying it.
    pub const fn index(&self) -> [u8; 4] {
        self.index
    }

    pub const fn messages_sent(&self) -> u64 {
        self.packets_sent
            .saturating_add(self.control.sent)
            .saturating_add(self.bulk.sent)
    }

    pub const fn arrivals(&self) -> Arrivals {
        Arrivals {
            received: self.packets_received,
            expected: self.window.next(),
        }
    }

    pub fn seal_packet(&mut self, inside: &[u8]) -> Result<Vec<u8>, SealError> {
        let counter = self.packets_sent;
        self.packets_sent += 1;
        self.seal(counter, inside)
    }

    pub fn seal_control(&mut self, inside: &[u8]) -> Result<Vec<u8>, SealError> {
        let counter = self.control.next();
        self.seal(counter, inside)
    }

    pub fn seal_bulk(&mut self, inside: &[u8]) -> Result<Vec<u8>, SealError> {
        let counter = self.bulk.next();
        self.seal(counter, inside)
    }

    fn seal(&self, counter: u64, inside: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut message = vec![0; inside.len() + OVERHEAD];
        message[..4].copy_from_slice(&self.index);
        message[4..HEADER_LEN].copy_from_slice(&counter.to_be_bytes());
        self.state
            .write_message(counter, inside, &mut message[HEADER_LEN..])
            .map_err(|_| SealError::TooLong(inside.len()))?;
        Ok(message)
    }

    pub fn open_packet(&mut self, message: Parts<'_>) -> Result<Vec<u8>, OpenError> {
        if message.counter >= MAX_COUNTER {
            return Err(OpenError::Forged);
        }
        if !self.window.is_fresh(message.counter) {
            return Err(OpenError::Replayed);
        }
        let inside = self.open(message)?;
        self.window.mark(message.counter);
        self.packets_received += 1;
        Ok(inside)
    }

    pub fn open_control(&mut self, message: Parts<'_>) -> Result<Vec<u8>, OpenError> {
        if message.counter != self.control.expected() {
            return Err(OpenError::Replayed);
        }
        let inside = self.open(message)?;
        self.control.received += 1;
        Ok(inside)
    }

    pub fn open_bulk(&mut self, message: Parts<'_>) -> Result<Vec<u8>, OpenError> {
        if message.counter != self.bulk.expected() {
            return Err(OpenError::Replayed);
        }
        let inside = self.open(message)?;
        self.bulk.received += 1;
        Ok(inside)
    }

    fn open(&self, message: Parts<'_>) -> Result<Vec<u8>, OpenError> {
        let mut inside = vec![0; message.ciphertext.len()];
        let len = self
            .state
            .read_message(message.counter, message.ciphertext, &mut inside)
            .map_err(|_| OpenError::Forged)?;
        inside.truncate(len);
        Ok(inside)
    }
}

/// A sealed message, taken apart.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    pub index: [u8; 4],
    counter: u64,
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    pub fn split(message: &'a [u8]) -> Result<Self, OpenError> {
        let (index, rest) = message.split_first_chunk().ok_or(OpenError::Short)?;
        let (counter, ciphertext) = rest.split_first_chunk().ok_or(OpenError::Short)?;
        if ciphertext.len() < TAG_LEN {
            return Err(OpenError::Short);
        }
        Ok(Self {
            index: *index,
            counter: u64::from_be_bytes(*counter),
            ciphertext,
        })
    }
}
