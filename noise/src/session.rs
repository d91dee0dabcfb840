//! A session's life: keys agreed, renewed every two minutes, old ones kept for stragglers, all wiped at the end.

use std::time::{Duration, Instant};

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::binding::{Binding, Role};
use crate::error::{HandshakeError, OpenError, RekeyError, SealError};
use crate::handshake::{Initiator, Responder};
use crate::key::{Psk, PublicKey, StaticKey};
use crate::transport::{Arrivals, Keys, Parts};

/// 120 s: fresh keys are asked for after this time (WireGuard's `REKEY_AFTER_TIME`).
pub const REKEY_AFTER: Duration = Duration::from_secs(120);

/// 180 s: without fresh keys nothing is sealed or opened any more (WireGuard's `REJECT_AFTER_TIME`).
pub const SESSION_LIFETIME: Duration = Duration::from_secs(180);

/// 10 s: how long the old keys still open packets that were on their way when the new ones came.
pub const OLD_KEYS_LIFETIME: Duration = Duration::from_secs(10);

/// 2^32 messages: the other reason to ask for fresh keys, far below what ChaCha20-Poly1305 allows.
const REKEY_AFTER_MESSAGES: u64 = 1 << 32;

/// What each re-handshake is made from: the same facts as the first.
struct Setup {
    ours: StaticKey,
    theirs: PublicKey,
    psk: Psk,
    binding: Binding,
}

/// Keys with the moment when they were agreed.
struct Epoch {
    keys: Keys,
    since: Instant,
}

impl Epoch {
    fn is_alive(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < SESSION_LIFETIME
    }
}

/// An agreed session between two members.
pub struct Session {
    role: Role,
    setup: Setup,
    /// What is sealed with.
    current: Epoch,
    /// Responder: agreed, but not yet seen in use by the initiator, so not yet sealed with.
    next: Option<Epoch>,
    /// Still opens what was on its way, until the moment beside it.
    previous: Option<(Epoch, Instant)>,
    /// Initiator: a re-handshake that waits for its answer.
    asked: Option<Initiator>,
    /// What came under keys that are replaced.
    finished: Arrivals,
}

impl Session {
    /// The initiator's end, from the answer to its first message.
    ///
    /// # Errors
    /// [`HandshakeError`] when `message` is not the answer to this handshake.
    pub fn from_second(
        initiator: Initiator,
        message: &[u8],
        ours: StaticKey,
        theirs: PublicKey,
        psk: Psk,
        binding: Binding,
        now: Instant,
    ) -> Result<Self, HandshakeError> {
        let keys = initiator.handle_second(message)?;
        let setup = Setup {
            ours,
            theirs,
            psk,
            binding,
        };
        Ok(Self::new(Role::Initiator, setup, keys, now))
    }

    /// The responder's end, with the message that answers (48 bytes).
    ///
    /// # Errors
    /// [`HandshakeError::Setup`] when the answer cannot be made.
    pub fn from_first(
        responder: Responder,
        ours: StaticKey,
        theirs: PublicKey,
        psk: Psk,
        binding: Binding,
        now: Instant,
    ) -> Result<(Self, Vec<u8>), HandshakeError> {
        let (keys, answer) = responder.write_second()?;
        let setup = Setup {
            ours,
            theirs,
            psk,
            binding,
        };
        Ok((Self::new(Role::Responder, setup, keys, now), answer))
    }

    fn new(role: Role, setup: Setup, keys: Keys, now: Instant) -> Self {
        Self {
            role,
            setup,
            current: Epoch { keys, since: now },
            next: None,
            previous: None,
            asked: None,
            finished: Arrivals::default(),
        }
    }

    /// The other side's static key, proved by the handshake.
    #[must_use]
    pub const fn remote_static(&self) -> PublicKey {
        self.setup.theirs
    }

    /// Seals a packet that may be lost or overtaken (a datagram).
    ///
    /// # Errors
    /// [`SealError`]: too old, or too long.
    pub fn seal_packet(&mut self, inside: &[u8], now: Instant) -> Result<Vec<u8>, SealError> {
        self.sealing(now)?.seal_packet(inside)
    }

    /// Seals a control message for the ordered stream.
    ///
    /// # Errors
    /// [`SealError`]: too old, or too long.
    pub fn seal_control(&mut self, inside: &[u8], now: Instant) -> Result<Vec<u8>, SealError> {
        self.sealing(now)?.seal_control(inside)
    }

    /// Seals a fragment of bulk for its ordered stream.
    ///
    /// # Errors
    /// [`SealError`]: too old, or too long.
    pub fn seal_bulk(&mut self, inside: &[u8], now: Instant) -> Result<Vec<u8>, SealError> {
        self.sealing(now)?.seal_bulk(inside)
    }

    fn sealing(&mut self, now: Instant) -> Result<&mut Keys, SealError> {
        if self.current.is_alive(now) {
            Ok(&mut self.current.keys)
        } else {
            Err(SealError::Expired)
        }
    }

    /// Opens a packet, each at most once.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with it.
    pub fn open_packet(&mut self, message: &[u8], now: Instant) -> Result<Vec<u8>, OpenError> {
        self.open(message, now, Keys::open_packet)
    }

    /// Opens a control message; they must come in the order in which they were sealed. What was inside may hold
    /// secrets, and wipes itself.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with it.
    pub fn open_control(&mut self, message: &[u8], now: Instant) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.open(message, now, Keys::open_control).map(Zeroizing::new)
    }

    /// Opens a fragment of bulk; they must come in the order in which they were sealed.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with it.
    pub fn open_bulk(&mut self, message: &[u8], now: Instant) -> Result<Vec<u8>, OpenError> {
        self.open(message, now, Keys::open_bulk)
    }

    fn open(
        &mut self,
        message: &[u8],
        now: Instant,
        open: fn(&mut Keys, Parts<'_>) -> Result<Vec<u8>, OpenError>,
    ) -> Result<Vec<u8>, OpenError> {
        self.wipe_old(now);
        let parts = Parts::split(message)?;
        if let Some(next) = self.next.take_if(|next| next.keys.index() == parts.index) {
            return self.open_first_under_next(next, parts, now, open);
        }
        let epoch = [
            Some(&mut self.current),
            self.previous.as_mut().map(|(old, _)| old),
        ]
        .into_iter()
        .flatten()
        .find(|epoch| epoch.keys.index() == parts.index)
        .ok_or(OpenError::UnknownIndex)?;
        if !epoch.is_alive(now) {
            return Err(OpenError::Expired);
        }
        open(&mut epoch.keys, parts)
    }

    /// The initiator is seen to use the next keys: from here on we seal with them, too.
    fn open_first_under_next(
        &mut self,
        mut next: Epoch,
        parts: Parts<'_>,
        now: Instant,
        open: fn(&mut Keys, Parts<'_>) -> Result<Vec<u8>, OpenError>,
    ) -> Result<Vec<u8>, OpenError> {
        match open(&mut next.keys, parts) {
            Ok(inside) => {
                self.switch_to(next, now);
                Ok(inside)
            }
            Err(error) => {
                self.next = Some(next);
                Err(error)
            }
        }
    }

    /// Packets that came and that should have come, over the whole session. Stragglers under replaced keys are
    /// not counted.
    #[must_use]
    pub const fn arrivals(&self) -> Arrivals {
        let current = self.current.keys.arrivals();
        Arrivals {
            received: self.finished.received.saturating_add(current.received),
            expected: self.finished.expected.saturating_add(current.expected),
        }
    }

    fn switch_to(&mut self, epoch: Epoch, now: Instant) {
        self.finished = self.arrivals();
        let old = std::mem::replace(&mut self.current, epoch);
        self.previous = Some((old, now + OLD_KEYS_LIFETIME));
    }

    fn wipe_old(&mut self, now: Instant) {
        self.previous.take_if(|(_, until)| *until <= now);
    }

    /// When [`Session::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let expiry = self.current.since + SESSION_LIFETIME;
        let rekey =
            (self.role == Role::Initiator && self.asked.is_none()).then(|| self.current.since + REKEY_AFTER);
        let wipe = self.previous.as_ref().map(|(_, until)| *until);
        [rekey, wipe].into_iter().flatten().fold(expiry, Instant::min)
    }

    /// Wipes keys whose time is over. Returns the first message of a re-handshake when one is due; it goes to
    /// the other side's [`Session::handle_first`] inside this session.
    pub fn handle_timeout(&mut self, now: Instant, rng: &mut impl CryptoRng) -> Option<Vec<u8>> {
        self.wipe_old(now);
        let due = now.saturating_duration_since(self.current.since) >= REKEY_AFTER
            || self.current.keys.messages_sent() >= REKEY_AFTER_MESSAGES;
        if self.role != Role::Initiator || self.asked.is_some() || !due || self.is_expired(now) {
            return None;
        }
        let setup = &self.setup;
        let (initiator, message) =
            Initiator::start(&setup.ours, setup.theirs, &setup.psk, &setup.binding, rng).ok()?;
        self.asked = Some(initiator);
        Some(message)
    }

    /// Responder: takes the first message of a re-handshake and returns the answer to send.
    ///
    /// # Errors
    /// [`RekeyError`] when it is not for this side, or not from the same keys, pair and connection.
    pub fn handle_first(
        &mut self,
        message: &[u8],
        now: Instant,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, RekeyError> {
        if self.role != Role::Responder {
            return Err(RekeyError::Unexpected);
        }
        let setup = &self.setup;
        let (responder, theirs) =
            Responder::handle_first(&setup.ours, &setup.psk, &setup.binding, message, rng)?;
        if theirs != setup.theirs {
            return Err(HandshakeError::Refused.into());
        }
        let (keys, answer) = responder.write_second()?;
        self.next = Some(Epoch { keys, since: now });
        Ok(answer)
    }

    /// Initiator: takes the answer; what is sealed next is sealed with the fresh keys.
    ///
    /// # Errors
    /// [`RekeyError`] when nothing was asked, or the answer does not fit.
    pub fn handle_second(&mut self, message: &[u8], now: Instant) -> Result<(), RekeyError> {
        let asked = self.asked.take().ok_or(RekeyError::Unexpected)?;
        let keys = asked.handle_second(message)?;
        self.switch_to(Epoch { keys, since: now }, now);
        Ok(())
    }

    /// Whether the keys are past [`SESSION_LIFETIME`]: the link is then to be closed.
    #[must_use]
    pub fn is_expired(&self, now: Instant) -> bool {
        !self.current.is_alive(now)
    }
}
