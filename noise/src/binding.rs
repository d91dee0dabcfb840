//! What a session is bound to: it cannot be moved to another connection, call, pair or role.

use zeroize::Zeroizing;

use crate::key::Exporter;

/// The side of a handshake. The initiator is who dialled, and who asks for fresh keys later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends the first message.
    Initiator,
    /// Answers it.
    Responder,
}

/// The facts that both sides must agree on for a handshake to succeed; they become its prologue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Version of Sightline's protocol.
    pub version: u8,
    /// What the two meet in: the call's id, or before admission the id of the code.
    pub context: [u8; 16],
    /// The initiator's `PeerId`, as bytes.
    pub initiator: Vec<u8>,
    /// The responder's `PeerId`, as bytes.
    pub responder: Vec<u8>,
    /// A value exported from the TLS connection, the same on both of its ends only.
    pub exporter: Exporter,
}

impl Binding {
    /// The prologue's bytes: a label, then each field, those of variable size with their length before them.
    #[must_use]
    pub fn prologue(&self) -> Zeroizing<Vec<u8>> {
        let label = b"sightline session";
        let peers = self.initiator.len() + self.responder.len();
        let len = label.len() + 1 + self.context.len() + 2 * (1 + 8) + peers + self.exporter.0.len();
        // A vector that grew would leave a part of the exporter behind.
        let mut bytes = Zeroizing::new(Vec::<u8>::with_capacity(len));
        bytes.extend_from_slice(label);
        bytes.push(self.version);
        bytes.extend_from_slice(&self.context);
        for (role, peer) in [(0, &self.initiator), (1, &self.responder)] {
            bytes.push(role);
            bytes.extend_from_slice(&(peer.len() as u64).to_be_bytes());
            bytes.extend_from_slice(peer);
        }
        bytes.extend_from_slice(&self.exporter.0);
        bytes
    }
}
