//! From a connection to a session: the Noise handshake, its roles, its context, its secret.

use std::time::Instant;

use libp2p_identity::PeerId;
use sightline_noise::{Binding, HandshakeError, Initiator, Psk, Responder, Session};

use super::connection::{Connected, Side};
use super::{Call, Output, PROTOCOL};
use crate::channel::Channels;
use crate::connection::{ConnId, Connection, Purpose};
use crate::dials::{Dial, Target};
use crate::expected::Origin;
use crate::path::PathMeter;
use crate::roster::Roster;
use crate::route::{Consent, RouteId};
use crate::session::{SessionState, Stage};
use crate::tag::ExpectId;
use crate::wire::Control;

impl Call {
    pub(super) fn initiate(
        &mut self,
        connected: &Connected,
        dial: &Dial,
        route: RouteId,
        now: Instant,
    ) -> Option<()> {
        let (theirs, context, purpose) = match dial.target {
            Target::Inviter => (
                self.code.as_ref()?.inviter,
                dial.secret.context(),
                Purpose::Inviter,
            ),
            Target::Member(peer, _) | Target::Reconnect(peer, _) => {
                let roster = self.roster.as_ref()?;
                (roster.get(&peer)?.card.noise(), *roster.call(), Purpose::Member)
            }
        };
        let psk = dial.secret.psk(&context);
        let binding = self.binding(connected, context);
        let (initiator, first) = Initiator::start(&self.noise, theirs, &psk, &binding, &mut self.rng).ok()?;
        let mut link = new_connection(
            connected,
            purpose,
            Stage::Initiating(initiator, psk),
            binding,
            now,
        );
        link.route = Some(route);
        link.replaces = match dial.target {
            Target::Reconnect(_, before) => Some(before),
            Target::Inviter | Target::Member(..) => None,
        };
        self.connections.insert(connected.conn, link);
        self.outputs.push_back(Output::Frame(connected.conn, first));
        Some(())
    }

    pub(super) fn respond(&mut self, connected: &Connected, id: ExpectId, now: Instant) -> Option<()> {
        let mut replaces = None;
        let (secret, context, purpose) = if let Some(secret) = self.issued_codes.secret(id) {
            (secret.clone(), secret.context(), Purpose::Guest(id))
        } else {
            let expectation = self.expected.get(id)?;
            let path = self.path(connected.local, connected.remote);
            if expectation.peer != connected.peer || self.routes.is_refused(Some(connected.peer), &path) {
                return None;
            }
            if let Origin::Reconnect(before) = expectation.origin {
                replaces = Some(before);
            }
            let call = *self.roster.as_ref().map(Roster::call)?;
            (expectation.secret.clone(), call, Purpose::Member)
        };
        let stage = Stage::Responding(secret.psk(&context));
        let binding = self.binding(connected, context);
        let mut link = new_connection(connected, purpose, stage, binding, now);
        link.replaces = replaces;
        self.connections.insert(connected.conn, link);
        Some(())
    }

    fn binding(&self, connected: &Connected, context: [u8; 16]) -> Binding {
        let (ours, theirs) = (self.me.to_bytes(), connected.peer.to_bytes());
        let (initiator, responder) = match connected.side {
            Side::Dialler(_) => (ours, theirs),
            Side::Listener(_) => (theirs, ours),
        };
        Binding {
            version: PROTOCOL,
            context,
            initiator,
            responder,
            exporter: connected.exporter.clone(),
        }
    }

    pub(super) fn handle_handshake(
        &mut self,
        conn: ConnId,
        frame: &[u8],
        now: Instant,
    ) -> Result<(), HandshakeError> {
        let mut link = self.connections.remove(&conn).ok_or(HandshakeError::Refused)?;
        let psk = match &link.session.stage {
            Stage::Initiating(_, psk) | Stage::Responding(psk) => psk.clone(),
            Stage::Open(_) => return Err(HandshakeError::Refused),
        };
        let stage = std::mem::replace(&mut link.session.stage, Stage::Responding(psk.clone()));
        let opened = self.open_session(&link, stage, psk, frame, now);
        let session = match opened {
            Ok((session, answer)) => {
                if let Some(answer) = answer {
                    self.outputs.push_back(Output::Frame(conn, answer));
                }
                session
            }
            Err(error) => {
                self.connections.insert(conn, link);
                return Err(error);
            }
        };
        link.session.stage = Stage::Open(Box::new(session));
        tracing::debug_span!("session", conn = conn.0).in_scope(|| {
            tracing::debug!(dialled = link.dialled, member = link.is_member(), "open");
        });
        let purpose_is_member = link.is_member();
        let knocks = matches!(link.purpose, Purpose::Inviter);
        self.connections.insert(conn, link);
        self.prove_route(conn, now);
        if knocks {
            self.send(conn, &Control::Knock(self.card.clone()), now);
        }
        if purpose_is_member {
            self.adopt(conn, now);
        }
        Ok(())
    }

    fn open_session(
        &mut self,
        link: &Connection,
        stage: Stage,
        psk: Psk,
        frame: &[u8],
        now: Instant,
    ) -> Result<(Session, Option<Vec<u8>>), HandshakeError> {
        let ours = self.noise.clone();
        let binding = link.session.binding.clone();
        match stage {
            Stage::Initiating(initiator, _) => {
                let theirs = match &link.purpose {
                    Purpose::Inviter => self.code.as_ref().map(|code| code.inviter),
                    _ => self.noise_of(&link.peer),
                };
                let theirs = theirs.ok_or(HandshakeError::Refused)?;
                let session = Session::from_second(initiator, frame, ours, theirs, psk, binding, now)?;
                Ok((session, None))
            }
            _ if link.dialled => Err(HandshakeError::Refused),
            _ => {
                let (responder, theirs) =
                    Responder::handle_first(&ours, &psk, &binding, frame, &mut self.rng)?;
                if link.is_member() && self.noise_of(&link.peer) != Some(theirs) {
                    return Err(HandshakeError::Refused);
                }
                let (session, answer) = Session::from_first(responder, ours, theirs, psk, binding, now)?;
                Ok((session, Some(answer)))
            }
        }
    }

    fn noise_of(&self, peer: &PeerId) -> Option<sightline_noise::PublicKey> {
        Some(self.roster.as_ref()?.get(peer)?.card.noise())
    }
}

fn new_connection(
    connected: &Connected,
    purpose: Purpose,
    stage: Stage,
    binding: Binding,
    now: Instant,
) -> Connection {
    let [control, packets, fragments, entries, introductions, changes] = Connection::buckets(now);
    Connection {
        peer: connected.peer,
        dialled: matches!(connected.side, Side::Dialler(_)),
        local: connected.local,
        remote: connected.remote,
        purpose,
        since: now,
        heard: now,
        session: SessionState { stage, binding },
        route: None,
        replaces: None,
        said: Consent::Given,
        medium: None,
        control,
        packets,
        fragments,
        entries,
        introductions,
        changes,
        path: PathMeter::default(),
        closing: None,
        channels: Channels::default(),
        told_difference: None,
    }
}
