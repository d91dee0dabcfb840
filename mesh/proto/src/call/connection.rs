//! Connections: dialled, accepted, opened by a handshake, closed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_noise::{Binding, HandshakeError, Initiator, Psk, Responder, Session};

use super::{Call, End, Event, Output, PROTOCOL, Problem};
use crate::gate::{Change, ExpectId};
use crate::link::{ConnId, Link, Meter, Purpose, Stage};
use crate::roster::Roster;
use crate::secret::Secret;
use crate::tag;
use crate::wire::Control;

/// 5 s: how long a handshake, and after it a knock, may take.
pub const SETUP_TIME: Duration = Duration::from_secs(5);

/// 300 ms: the time between dialling one address and the next (RFC 8305, section 5, allows 100 ms to 2 s).
const DIAL_STAGGER: Duration = Duration::from_millis(300);

/// Connections at once, those in their handshake among them.
const MAX_LINKS: usize = 48;

/// Names one attempt to reach somebody, by one or more addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DialId(pub u64);

/// Names one dialled address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Whom a dial is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Who made the code.
    Inviter,
    /// A member, and who introduced us.
    Member(PeerId, PeerId),
}

/// An attempt to reach somebody.
pub struct Dial {
    pub target: Target,
    secret: Secret,
    waiting: Vec<SocketAddr>,
    next_at: Instant,
    dialled: BTreeSet<Ticket>,
}

impl Dial {
    /// When the next address is due.
    pub fn next_at(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }
}

/// What an approved address is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// It is being dialled.
    Dial(DialId),
    /// A connection uses it.
    Link(ConnId),
}

/// A connection whose TLS handshake is done.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Its name from now on.
    pub conn: ConnId,
    /// Who is at the other end, by its certificate.
    pub peer: PeerId,
    /// Who dialled, and why.
    pub side: Side,
    /// Our end.
    pub local: SocketAddr,
    /// Their end.
    pub remote: SocketAddr,
    /// 32 bytes exported from the TLS session.
    pub exporter: [u8; 32],
}

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We did, by [`Output::Dial`].
    Dialler(Ticket),
    /// They did, with a tag of this code or introduction.
    Listener(ExpectId),
}

impl Call {
    pub(super) fn dial(
        &mut self,
        target: Target,
        secret: Secret,
        mut addresses: Vec<SocketAddr>,
        now: Instant,
    ) {
        addresses.reverse();
        let id = DialId(self.new_id());
        let dial = Dial {
            target,
            secret,
            waiting: addresses,
            next_at: now,
            dialled: BTreeSet::new(),
        };
        self.dials.insert(id, dial);
        self.dial_next_addresses(now);
    }

    pub(super) fn dial_next_addresses(&mut self, now: Instant) {
        for id in self.dials.keys().copied().collect::<Vec<_>>() {
            let ticket = Ticket(self.new_id());
            let wall = self.config.clock.wall_at(now);
            let Some(dial) = self.dials.get_mut(&id) else {
                continue;
            };
            if now < dial.next_at {
                continue;
            }
            let Some(remote) = dial.waiting.pop() else {
                continue;
            };
            dial.next_at = now + DIAL_STAGGER;
            dial.dialled.insert(ticket);
            let tag = tag::make(&dial.secret.tag_key(), wall, &mut self.rng);
            let peer = match dial.target {
                Target::Inviter => None,
                Target::Member(peer, _) => Some(peer),
            };
            self.approve(remote, Holder::Dial(id));
            self.outputs.push_back(Output::Dial {
                ticket,
                remote,
                peer,
                tag,
            });
        }
    }

    /// A dialled address could not be reached.
    pub fn handle_dial_failed(&mut self, ticket: Ticket, now: Instant) {
        let Some((id, dial)) = self
            .dials
            .iter_mut()
            .find(|(_, dial)| dial.dialled.contains(&ticket))
        else {
            return;
        };
        let id = *id;
        dial.dialled.remove(&ticket);
        dial.next_at = now;
        if dial.dialled.is_empty() && dial.waiting.is_empty() {
            let target = dial.target;
            self.dials.remove(&id);
            self.release(Holder::Dial(id));
            if target == Target::Inviter {
                self.end(End::Unreachable);
            }
        }
    }

    /// A connection stands; the Noise handshake follows on its control stream, which the dialler opens.
    pub fn handle_connected(&mut self, connected: &Connected, now: Instant) {
        let conn = connected.conn;
        let is_wanted = !self.ended && self.links.len() < MAX_LINKS;
        if is_wanted && self.set_up(connected, now).is_some() {
            return;
        }
        if let Side::Dialler(ticket) = connected.side {
            self.handle_dial_failed(ticket, now);
        }
        self.outputs.push_back(Output::Close(conn));
    }

    /// `None` when the connection is not wanted.
    fn set_up(&mut self, connected: &Connected, now: Instant) -> Option<()> {
        match connected.side {
            Side::Dialler(ticket) => {
                let (id, _) = self
                    .dials
                    .iter()
                    .find(|(_, dial)| dial.dialled.contains(&ticket))?;
                let id = *id;
                let dial = self.dials.remove(&id)?;
                self.approve(connected.remote, Holder::Link(connected.conn));
                self.release(Holder::Dial(id));
                let opened = self.initiate(connected, &dial, now);
                if opened.is_none() {
                    self.release(Holder::Link(connected.conn));
                }
                opened
            }
            Side::Listener(id) => self.respond(connected, id, now),
        }
    }

    fn initiate(&mut self, connected: &Connected, dial: &Dial, now: Instant) -> Option<()> {
        let (theirs, context, purpose) = match dial.target {
            Target::Inviter => (
                self.code.as_ref()?.inviter,
                dial.secret.context(),
                Purpose::Inviter,
            ),
            Target::Member(peer, _) => {
                let roster = self.roster.as_ref()?;
                (roster.get(&peer)?.card.noise(), *roster.call(), Purpose::Member)
            }
        };
        let psk = dial.secret.psk(&context);
        let binding = self.binding(connected, context);
        let (initiator, first) = Initiator::start(&self.noise, theirs, &psk, &binding, &mut self.rng).ok()?;
        let stage = Stage::Initiating(initiator, psk);
        self.links
            .insert(connected.conn, new_link(connected, purpose, stage, binding, now));
        self.outputs.push_back(Output::Frame(connected.conn, first));
        Some(())
    }

    fn respond(&mut self, connected: &Connected, id: ExpectId, now: Instant) -> Option<()> {
        let (secret, context, purpose) = if let Some(secret) = self.book.secret(id) {
            (secret.clone(), secret.context(), Purpose::Guest(id, None))
        } else {
            let expectation = self.expectations.get(&id)?;
            if expectation.peer != connected.peer {
                return None;
            }
            let call = *self.roster.as_ref().map(Roster::call)?;
            (expectation.secret.clone(), call, Purpose::Member)
        };
        let stage = Stage::Responding(secret.psk(&context));
        let binding = self.binding(connected, context);
        self.links
            .insert(connected.conn, new_link(connected, purpose, stage, binding, now));
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
            exporter: connected.exporter,
        }
    }

    /// A frame came on a connection's control stream.
    pub fn handle_frame(&mut self, conn: ConnId, frame: &[u8], now: Instant) {
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        if link.closing || self.ended {
            return;
        }
        if !link.control.take(now) {
            return self.fail(conn, Problem::Flood);
        }
        link.meter.received_bytes += frame.len() as u64;
        match &mut link.stage {
            Stage::Open(session) => {
                let message = session
                    .open_control(frame, now)
                    .ok()
                    .and_then(|inside| Control::decode(&inside).ok());
                match message {
                    Some(message) => self.handle_control(conn, message, now),
                    None => self.fail(conn, Problem::Malformed),
                }
            }
            Stage::Initiating(..) | Stage::Responding(_) => {
                if self.handle_handshake(conn, frame, now).is_err() {
                    let was_inviter = self
                        .links
                        .get(&conn)
                        .is_some_and(|link| matches!(link.purpose, Purpose::Inviter));
                    self.fail(conn, Problem::Handshake);
                    if was_inviter {
                        self.end(End::Impostor);
                    }
                }
            }
        }
    }

    fn handle_handshake(&mut self, conn: ConnId, frame: &[u8], now: Instant) -> Result<(), HandshakeError> {
        let mut link = self.links.remove(&conn).ok_or(HandshakeError::Refused)?;
        let psk = match &link.stage {
            Stage::Initiating(_, psk) | Stage::Responding(psk) => psk.clone(),
            Stage::Open(_) => return Err(HandshakeError::Refused),
        };
        let stage = std::mem::replace(&mut link.stage, Stage::Responding(psk.clone()));
        let opened = self.open_session(&link, stage, psk, frame, now);
        let session = match opened {
            Ok((session, answer)) => {
                if let Some(answer) = answer {
                    self.outputs.push_back(Output::Frame(conn, answer));
                }
                session
            }
            Err(error) => {
                self.links.insert(conn, link);
                return Err(error);
            }
        };
        let remote = link.remote;
        link.stage = Stage::Open(Box::new(session));
        let purpose_is_member = link.is_member();
        let knocks = matches!(link.purpose, Purpose::Inviter);
        self.links.insert(conn, link);
        self.approve(remote, Holder::Link(conn));
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
        link: &Link,
        stage: Stage,
        psk: Psk,
        frame: &[u8],
        now: Instant,
    ) -> Result<(Session, Option<Vec<u8>>), HandshakeError> {
        let ours = self.noise.clone();
        let binding = link.binding.clone();
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

    /// A connection is closed, by whomever.
    pub fn handle_closed(&mut self, conn: ConnId, now: Instant) {
        let Some(link) = self.links.remove(&conn) else {
            return;
        };
        self.release(Holder::Link(conn));
        self.unlink(&link, conn, now);
        if matches!(link.purpose, Purpose::Inviter) {
            self.end(End::InviterGone);
        }
    }

    /// A peer announced a frame that is longer than any can be.
    pub fn handle_overlong_frame(&mut self, conn: ConnId) {
        if self.links.contains_key(&conn) {
            self.fail(conn, Problem::Malformed);
        }
    }

    /// A peer does not read its control stream.
    pub fn handle_stalled(&mut self, conn: ConnId) {
        if self.links.contains_key(&conn) {
            self.fail(conn, Problem::Stalled);
        }
    }

    pub(super) fn approve(&mut self, remote: SocketAddr, holder: Holder) {
        let holders = self.approvals.entry(remote).or_default();
        if holders.is_empty() {
            self.outputs.push_back(Output::Gate(Change::Approve(remote)));
        }
        holders.insert(holder);
    }

    fn release(&mut self, holder: Holder) {
        let mut revoked = Vec::new();
        self.approvals.retain(|remote, holders| {
            holders.remove(&holder);
            if holders.is_empty() {
                revoked.push(*remote);
            }
            !holders.is_empty()
        });
        for remote in revoked {
            self.change_gate(Change::Revoke(remote));
        }
    }

    /// Dispatches a control message of an open session.
    fn handle_control(&mut self, conn: ConnId, message: Control, now: Instant) {
        let is_member = self.links.get(&conn).is_some_and(Link::is_member);
        match message {
            Control::Knock(card) => self.handle_knock(conn, card, now),
            Control::Welcome { call, joined, left } => {
                self.handle_welcome(conn, *call, joined, left, now);
            }
            Control::Refused(why) => self.handle_refused(conn, why),
            Control::RekeyFirst(first) => {
                let link = self.links.get_mut(&conn);
                let answer = link
                    .and_then(Link::session)
                    .and_then(|session| session.handle_first(&first, now, &mut self.rng).ok());
                match answer {
                    Some(second) => self.send(conn, &Control::RekeySecond(second.into()), now),
                    None => self.fail(conn, Problem::Handshake),
                }
            }
            Control::RekeySecond(second) => {
                let session = self.links.get_mut(&conn).and_then(Link::session);
                if session.is_none_or(|session| session.handle_second(&second, now).is_err()) {
                    self.fail(conn, Problem::Handshake);
                }
            }
            _ if !is_member => self.fail(conn, Problem::Malformed),
            Control::Introduce { entry, secret, dial } => {
                self.handle_introduce(conn, entry, Secret(*secret), dial, now);
            }
            Control::Ready(peer) => self.handle_ready(conn, &peer, now),
            Control::Beat {
                roster,
                links,
                received,
                expected,
            } => {
                let links = links.iter().filter_map(crate::wire::Peer::id).collect();
                self.handle_beat(conn, *roster, links, (received, expected), now);
            }
            Control::Entries { joined, left } => self.handle_entries(conn, joined, left, now),
            Control::App(body) => {
                if let Some(link) = self.links.get(&conn) {
                    let peer = link.peer;
                    self.event(Event::Told(peer, body.into()));
                }
            }
            Control::Bye(left) => self.handle_bye(conn, left, now),
        }
    }

    /// What was measured on the way to a member.
    #[must_use]
    pub fn stats(&self, peer: &PeerId) -> Option<super::LinkStats> {
        let conn = self.link_of(peer)?;
        let link = self.links.get(&conn)?;
        let Stage::Open(session) = &link.stage else {
            return None;
        };
        let arrivals = session.arrivals();
        Some(super::LinkStats {
            rtt: link.meter.rtt(),
            clock_offset: link.meter.clock_offset(),
            sent_bytes: link.meter.sent_bytes,
            received_bytes: link.meter.received_bytes,
            received: arrivals.received,
            expected: arrivals.expected,
            dropped: link.meter.dropped,
            sent_loss: link.meter.sent_loss,
        })
    }
}

fn new_link(connected: &Connected, purpose: Purpose, stage: Stage, binding: Binding, now: Instant) -> Link {
    let [control, packets, entries] = Link::buckets(now);
    Link {
        peer: connected.peer,
        dialled: matches!(connected.side, Side::Dialler(_)),
        local: connected.local,
        remote: connected.remote,
        purpose,
        stage,
        since: now,
        binding,
        approval: None,
        control,
        packets,
        entries,
        meter: Meter::default(),
        closing: false,
    }
}
