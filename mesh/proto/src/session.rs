//! The keys shared with whoever is at the other end of a connection: how far their agreement has come. They are bound to that
//! connection; another one has keys of its own.

use sightline_noise::{Binding, Initiator, Psk, Session};

/// How far the session has come.
#[allow(
    clippy::large_enum_variant,
    reason = "a handshake lives for milliseconds; boxing it saves nothing"
)]
pub enum Stage {
    /// We sent the first message of the handshake.
    Initiating(Initiator, Psk),
    /// We wait for it.
    Responding(Psk),
    /// There is a session.
    Open(Box<Session>),
}

/// The keys of one connection.
pub struct SessionState {
    pub stage: Stage,
    /// What both sides agree on in each handshake.
    pub binding: Binding,
}

impl SessionState {
    /// The session, once there is one.
    pub fn open(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::Open(session) => Some(session),
            Stage::Initiating(..) | Stage::Responding(_) => None,
        }
    }
}
