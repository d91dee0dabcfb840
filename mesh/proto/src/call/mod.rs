//! One participant's view of a call.

mod admission;
mod channels;
mod config;
mod connection;
mod consent;
mod control;
mod dial;
mod handshake;
mod introduction;
mod media;
mod output;
mod presence;
mod roaming;
mod seeking;
mod unreached;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_noise::{FastKeyErasureRng, StaticKey};

use crate::address::Pair;
use crate::candidate::Candidate;
use crate::code::Code;
use crate::connection::{ConnId, Connection, Purpose};
use crate::consents::Consents;
use crate::dials::{Dials, Target};
use crate::expected::Expected;
use crate::gate::{Change, Delivery};
use crate::guests::Guests;
use crate::introductions::Introductions;
use crate::issued_codes::IssuedCodes;
use crate::members::Members;
use crate::name::Name;
use crate::roster::{CallId, Card, Early, Joined, Left, Roster};
use crate::route::{Reason, Table};
use crate::session::Stage;
use crate::sockets::Sockets;
use crate::time::UnixTime;
use crate::wire::Control;

pub use config::{Admit, Config};
pub use connection::{Closed, Connected, Side};
pub use output::{Command, End, Event, LinkStats, Output, Problem, Why};

/// Sightline's protocol, as bound into every session.
const PROTOCOL: u8 = 1;

/// 250 ms: how often a call looks at what is due.
const TICK: Duration = Duration::from_millis(250);

/// The state machine of one participant.
pub struct Call {
    config: Config,
    me: PeerId,
    noise: StaticKey,
    card: Card,
    rng: FastKeyErasureRng,
    /// The code that this participant joins with.
    code: Option<Code>,
    issued_codes: IssuedCodes,
    /// `None` until admitted.
    roster: Option<Roster>,
    early: Early,
    guests: Guests,
    members: Members,
    connections: BTreeMap<ConnId, Connection>,
    dials: Dials,
    expected: Expected,
    introductions: Introductions,
    routes: Table,
    consents: Consents,
    sockets: Sockets,
    /// What became of the last packet on each pair of addresses.
    deliveries: BTreeMap<Pair, Delivery>,
    /// A code was wished for when there was no address to put into it: what the wall clock said, and when.
    code_awaited: Option<(UnixTime, Instant)>,
    /// How often this participant has moved.
    moves: u32,
    outputs: VecDeque<Output>,
    next_id: u64,
    next_tick: Instant,
    next_beat: Instant,
    ended: bool,
}

/// A participant whose identity cannot sign its own card: not an Ed25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this call's identity could not be made")]
pub struct IdentityError;

impl Call {
    /// Starts a call of one. Its keys and secrets come from `rng`, the first code with [`Command::NewCode`].
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn start(config: Config, mut rng: FastKeyErasureRng, now: Instant) -> Result<Self, IdentityError> {
        let mut id: CallId = [0; 16];
        rand::Rng::fill_bytes(&mut rng, &mut id);
        let mut call = Self::new(config, rng, now)?;
        let mut roster = Roster::new(id);
        let entry = Joined::sign(call.card.clone(), &call.config.identity, &id).ok_or(IdentityError)?;
        roster.handle_joined(entry).map_err(|_| IdentityError)?;
        call.roster = Some(roster);
        Ok(call)
    }

    /// Joins the call that `code` leads to, and dials at once: giving the code is consent to its addresses.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn join(
        config: Config,
        code: Code,
        rng: FastKeyErasureRng,
        now: Instant,
    ) -> Result<Self, IdentityError> {
        let mut call = Self::new(config, rng, now)?;
        let secret = code.secret.clone();
        let addresses: Vec<_> = code.addresses().collect();
        call.consents.handle_code(code.addresses());
        call.dial(Target::Inviter, secret, &addresses, now);
        call.code = Some(code);
        Ok(call)
    }

    fn new(config: Config, mut rng: FastKeyErasureRng, now: Instant) -> Result<Self, IdentityError> {
        let noise = StaticKey::generate(&mut rng);
        let candidates: Vec<_> = config.addresses.iter().copied().map(Candidate::local).collect();
        let card =
            Card::sign(&config.identity, noise.public(), &config.name, &candidates).ok_or(IdentityError)?;
        let mut call = Self {
            me: config.identity.public().to_peer_id(),
            routes: Table::default(),
            consents: Consents::new(config.rule),
            sockets: Sockets::new(
                config.addresses.clone(),
                config.awaited.clone(),
                config.interfaces.clone(),
                config.own.clone(),
            ),
            deliveries: BTreeMap::new(),
            code_awaited: None,
            outputs: VecDeque::new(),
            moves: 0,
            config,
            noise,
            card,
            rng,
            code: None,
            issued_codes: IssuedCodes::default(),
            roster: None,
            early: Early::default(),
            guests: Guests::default(),
            members: Members::default(),
            connections: BTreeMap::new(),
            dials: Dials::default(),
            expected: Expected::default(),
            introductions: Introductions::default(),
            next_id: 0,
            next_tick: now,
            next_beat: now,
            ended: false,
        };
        call.change_sockets();
        Ok(call)
    }

    /// This participant's id in the call.
    #[must_use]
    pub const fn me(&self) -> PeerId {
        self.me
    }

    /// Takes a wish of the user.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Admit(peer) => self.admit(peer, now),
            Command::Refuse(peer) => self.refuse(peer, now),
            Command::NewCode(wall) => self.issue_code(wall, now),
            Command::Slept(slept) => self.handle_sleep(slept, now),
            Command::Withdraw => {
                self.code_awaited = None;
                self.issued_codes.withdraw(None, now);
            }
            Command::WithdrawCode(code) => {
                self.issued_codes.withdraw(Some(&code), now);
            }
            Command::Send(peer, channel, body) => self.send_message(peer, channel, body, now),
            Command::Consumed(conn, channel, len) => self.consume(conn, channel, len, now),
            Command::Approve(question) => self.answer(question, true, now),
            Command::Deny(question) => self.answer(question, false, now),
            Command::SetRule(rule) => self.set_rule(rule, now),
            Command::Leave => self.leave(now),
        }
    }

    /// What to do next; to be called until there is nothing.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Call::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let dials = self
            .dials
            .poll_timeout()
            .into_iter()
            .chain(self.members.next_seek());
        let dials = dials.filter(|_| !self.ended);
        dials.fold(self.next_tick, Instant::min)
    }

    /// Does what is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.ended {
            self.seek_next(now);
            self.dial_next_addresses(now);
        }
        if now < self.next_tick {
            return;
        }
        self.next_tick = now + TICK;
        if self.ended {
            return;
        }
        self.close_overdue_links(now);
        self.renew_keys(now);
        self.expected.handle_timeout(now);
        self.change_expected();
        self.introductions.handle_timeout(now);
        self.watch_the_silent(now);
        self.sockets.handle_timeout(now);
        self.change_sockets();
        let beat_due = now >= self.next_beat;
        if beat_due {
            self.next_beat = now + presence::HEARTBEAT;
            self.beat(now);
            self.mend_holes(now);
            self.pass_on_asking(now);
            self.tell_dropped();
            self.sweep_codes(now);
        }
        self.ping(beat_due, now);
        self.find_the_gone(now);
    }

    /// Members, with what is known of each.
    #[must_use]
    pub fn present(&self) -> Vec<PeerId> {
        self.roster.iter().flat_map(Roster::present).collect()
    }

    /// Members with a session at this moment.
    #[must_use]
    pub fn linked(&self) -> BTreeSet<PeerId> {
        self.members.linked()
    }

    fn leave(&mut self, now: Instant) {
        let farewell = self
            .roster
            .as_ref()
            .and_then(|roster| Left::sign(&self.config.identity, roster.call(), roster.get(&self.me)?));
        for conn in self.connections.keys().copied().collect::<Vec<_>>() {
            if let Some(left) = &farewell
                && self.connections.get(&conn).is_some_and(Connection::is_member)
            {
                self.send(conn, &Control::Bye(left.clone()), now);
            }
            self.close(conn, Reason::Left);
        }
        for peer in self
            .asking()
            .chain(self.members.iter().map(|(peer, _)| *peer))
            .collect::<Vec<_>>()
        {
            self.stop_dialling(peer, Reason::Left, now);
        }
        self.end(End::Left);
    }

    fn end(&mut self, why: End) {
        if !self.ended {
            self.ended = true;
            self.event(Event::Ended(why));
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn change_gate(&mut self, change: Change) {
        self.outputs.push_back(Output::Gate(change));
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn name_of(&self, peer: &PeerId) -> Name {
        let member = self.members.get(peer);
        member.map_or_else(|| Name::new(""), |member| member.name.clone())
    }

    /// Seals a control message and hands it out; without a session, does nothing.
    fn send(&mut self, conn: ConnId, message: &Control, now: Instant) {
        let Some(session) = self.usable(conn).and_then(Connection::open_session) else {
            return;
        };
        // An expired session is closed at the next tick.
        if let Ok(frame) = session.seal_control(&message.encode(), now) {
            self.outputs.push_back(Output::Frame(conn, frame));
        }
    }

    /// Ends a link because of what its peer did; the call goes on.
    fn fail(&mut self, conn: ConnId, problem: Problem) {
        let peer = self.connections.get(&conn).map(|link| link.peer);
        self.event(Event::Problem(problem, peer));
        self.close(conn, Reason::Lost);
    }

    /// Ends a link once what was handed out for it is sent. What still comes on it counts for nothing.
    fn close(&mut self, conn: ConnId, reason: Reason) {
        if let Some(link) = self.connections.get_mut(&conn) {
            link.closing = Some(reason);
        }
        tracing::debug_span!("connection", conn = conn.0)
            .in_scope(|| tracing::debug!(reason = reason.word(), "closing"));
        self.outputs.push_back(Output::Close(conn));
    }

    fn renew_keys(&mut self, now: Instant) {
        for conn in self.connections.keys().copied().collect::<Vec<_>>() {
            let Some(link) = self.connections.get_mut(&conn) else {
                continue;
            };
            let Stage::Open(session) = &mut link.session.stage else {
                continue;
            };
            if session.is_expired(now) {
                self.fail(conn, Problem::KeysExpired);
            } else if let Some(first) = session.handle_timeout(now, &mut self.rng) {
                tracing::debug_span!("session", conn = conn.0).in_scope(|| tracing::debug!("renewal begins"));
                self.send(conn, &Control::RekeyFirst(first.into()), now);
            }
        }
    }

    fn close_overdue_links(&mut self, now: Instant) {
        let overdue: Vec<_> = self
            .connections
            .iter()
            .filter(|(conn, link)| {
                let waits = match (&link.purpose, &link.session.stage) {
                    (_, Stage::Initiating(..) | Stage::Responding(_)) => true,
                    (Purpose::Guest(_), Stage::Open(_)) => !self.guests.is_waiting(**conn),
                    _ => false,
                };
                waits && now >= link.since + connection::SETUP_TIME
            })
            .map(|(conn, _)| *conn)
            .collect();
        for conn in overdue {
            self.close(conn, Reason::NoAnswer);
        }
    }
}
