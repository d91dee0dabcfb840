//! What the program above holds of the mesh: it starts, is told what to do, reports, and stops.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libp2p::identity::{Keypair, PeerId};
use quinn::Endpoint;
use rand::rngs::SysRng;
use rand::{Rng, TryRng};
use sightline_mesh_proto::address;
use sightline_mesh_proto::candidate::MAX_CANDIDATES;
use sightline_mesh_proto::gate::Gate;
use sightline_mesh_proto::ledger::Ledger;
use sightline_mesh_proto::route::Rule;
use sightline_mesh_proto::{Admit, Call, Clock, Code, Command, Config, FastKeyErasureRng, Name};
use tokio::sync::{Notify, mpsc};
use zeroize::Zeroizing;

use crate::actor::{Actor, Input};
use crate::endpoint::{EndpointError, Endpoints};
use crate::events::{Consumed, EVENTS, Events};
use crate::interfaces::{AddressState, Watcher};
use crate::record::{Record, SharedHistory, Stats};
use crate::socket::SharedGate;
use crate::tls::Tls;
use crate::traffic::Traffic;

/// Wishes that may wait for the loop.
const INPUTS: usize = 128;

/// How a participant comes into a call.
#[derive(Debug)]
pub enum Entry {
    /// It starts one.
    Start,
    /// It joins one.
    Join(Code),
}

/// What a participant brings.
#[derive(Debug)]
pub struct Setup {
    /// Started, or joined with a code.
    pub entry: Entry,
    /// Addresses to listen on and share; port 0 picks one. At most eight; one whose interface is down, or that the
    /// system is still making sure of, is used as soon as it can be.
    pub addresses: Vec<SocketAddr>,
    /// Shown to the others.
    pub name: Name,
    /// The only network interfaces that may be used; empty for all.
    pub interfaces: Vec<String>,
    /// Whether the others are told over what this participant is connected.
    pub tell_medium: bool,
    /// Where media may go unasked.
    pub rule: Rule,
    /// Who decides about knocks.
    pub admit: Admit,
    /// The program's clock.
    pub clock: Clock,
}

/// Why a participant cannot take part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An address cannot be used, or encryption cannot be set up.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// More addresses than a code holds.
    #[error("At most eight addresses can be shared, and there are {0}. Leave some out.")]
    TooMany(usize),
    /// This machine does not have the address.
    #[error("This machine does not have the address {0}, or may not use it. It has {1}.")]
    NotHere(IpAddr, String),
    /// Another machine has it as well.
    #[error(
        "The address {0} cannot be used: another machine in its network has it as well. Give this machine another one."
    )]
    Duplicate(IpAddr),
    /// The operating system gives no randomness, or no thread.
    #[error("The operating system refused what a call needs: {0}.")]
    System(String),
}

/// A participant's connection to its call. It owns one thread, which [`Mesh::stop`] ends.
pub struct Mesh {
    inputs: mpsc::Sender<Input>,
    waiting: Arc<Notify>,
    gate: SharedGate,
    history: SharedHistory,
    local: Vec<SocketAddr>,
    me: PeerId,
    thread: JoinHandle<()>,
}

impl Mesh {
    /// Binds the addresses and takes part. Before this, no socket is open. `traffic` says what leaves and gets
    /// what arrives.
    ///
    /// # Errors
    /// [`OpenError`]: a sentence for the user.
    pub fn start(setup: Setup, traffic: Arc<dyn Traffic>) -> Result<(Self, Events), OpenError> {
        let system = |error: &dyn std::fmt::Display| OpenError::System(error.to_string());
        let mut seed = Zeroizing::new([0u8; 32]);
        // The one time that the operating system is asked: every key and secret of the call comes from this, but for what TLS makes.
        SysRng
            .try_fill_bytes(&mut *seed)
            .map_err(|error| system(&error))?;
        let mut rng = FastKeyErasureRng::new(&seed);
        rng.fill_bytes(&mut *seed);
        let identity = Keypair::ed25519_from_bytes(&mut *seed).map_err(|error| system(&error))?;
        let tls = Tls::new(&identity).map_err(EndpointError::from)?;
        let gate = SharedGate::new(Gate::new(setup.clock));
        let history = SharedHistory::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| system(&error))?;
        let endpoints = Endpoints::new(&tls, &gate, !setup.interfaces.is_empty())?;
        let (opened, awaited, watcher) = {
            let _context = runtime.enter();
            let watcher = Watcher::start(setup.interfaces);
            let (opened, awaited) = open(&setup.addresses, &endpoints, &watcher)?;
            (opened, awaited, watcher)
        };
        let local: Vec<_> = opened.iter().map(|(local, _)| *local).collect();
        let config = Config {
            identity: identity.clone(),
            name: setup.name,
            addresses: local.clone(),
            awaited,
            interfaces: watcher.interfaces().to_vec(),
            own: watcher.own_addresses(),
            tell_medium: setup.tell_medium,
            rule: setup.rule,
            admit: setup.admit,
            clock: setup.clock,
        };
        let now = now();
        let call = match setup.entry {
            Entry::Start => Call::start(config, rng, now),
            Entry::Join(code) => Call::join(config, code, rng, now),
        };
        let call = call.map_err(|error| system(&error))?;
        let me = call.me();

        let (inputs, input_source) = mpsc::channel(INPUTS);
        let (event_sink, events) = mpsc::channel(EVENTS);
        let waiting = Arc::new(Notify::new());
        let consumed = Consumed::new(&waiting);
        let events = Events::new(events, consumed.clone());
        let thread = {
            let woken = Arc::clone(&waiting);
            let truth = (gate.clone(), history.clone());
            std::thread::Builder::new()
                .name("mesh".into())
                .spawn(move || {
                    runtime.block_on(async move {
                        let actor = Actor::new(
                            call,
                            &identity,
                            (endpoints, opened),
                            watcher,
                            truth,
                            traffic,
                            (event_sink, consumed),
                        );
                        if let Some(actor) = actor {
                            actor.run(input_source, &woken).await;
                        }
                    });
                    runtime.shutdown_timeout(Duration::from_millis(100));
                })
                .map_err(|error| system(&error))?
        };
        Ok((
            Self {
                inputs,
                waiting,
                gate,
                history,
                local,
                me,
                thread,
            },
            events,
        ))
    }

    /// This participant's id in the call.
    #[must_use]
    pub const fn me(&self) -> PeerId {
        self.me
    }

    /// The addresses that are listened on and shared, with their real ports.
    #[must_use]
    pub fn local(&self) -> &[SocketAddr] {
        &self.local
    }

    /// What sends to this mesh from other threads.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender {
            inputs: self.inputs.clone(),
            waiting: Arc::clone(&self.waiting),
        }
    }

    /// What was measured on each link; empty when the loop is too busy or over.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (reply, answer) = blocking::sync_channel(1);
        // A loop that is busy is asked again in a second.
        if self.inputs.try_send(Input::Stats(reply)).is_err() {
            return Vec::new();
        }
        answer.recv_timeout(Duration::from_secs(1)).unwrap_or_default()
    }

    /// What the call has done so far.
    #[must_use]
    pub fn record(&self) -> Record {
        Record {
            ledger: self.ledger(),
            history: self.history.lock().clone(),
        }
    }

    /// Every address that took part.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.gate.lock().ledger().clone()
    }

    /// Leaves the call if that has not been done, and ends the thread. Takes at most about half a second. Returns
    /// what the call has done, to the last packet.
    pub fn stop(self) -> Record {
        // When the loop is gone already, so is the call.
        let _gone = self.inputs.blocking_send(Input::Command(Command::Leave));
        drop(self.inputs);
        let _panicked = self.thread.join();
        let ledger = self.gate.lock().ledger().clone();
        let history = self.history.lock().clone();
        Record { ledger, history }
    }
}

/// Hands wishes to the mesh, from any thread but the mesh's own.
#[derive(Clone)]
pub struct Sender {
    inputs: mpsc::Sender<Input>,
    waiting: Arc<Notify>,
}

impl Sender {
    /// There is something to send: [`Traffic::poll_packet`] has it.
    pub fn wake(&self) {
        self.waiting.notify_one();
    }

    /// Hands over a wish; waits while the mesh is busy.
    pub fn send_command(&self, command: Command) {
        // When the loop is gone, so is the call that the wish was for.
        let _gone = self.inputs.blocking_send(Input::Command(command));
    }
}

/// Sockets that are open, and addresses on which one is to be opened as soon as that can be.
type Opened = (Vec<(SocketAddr, Endpoint)>, Vec<SocketAddr>);

/// Opens a socket on each address that can be used, unless one is of no use at all.
fn open(wishes: &[SocketAddr], endpoints: &Endpoints, watcher: &Watcher) -> Result<Opened, OpenError> {
    if wishes.len() > MAX_CANDIDATES {
        return Err(OpenError::TooMany(wishes.len()));
    }
    let (mut opened, mut awaited) = (Vec::new(), Vec::new());
    for wish in wishes {
        match watcher.state_of(wish) {
            None => return Err(OpenError::NotHere(wish.ip(), in_words(watcher))),
            Some(AddressState::Duplicate) => return Err(OpenError::Duplicate(wish.ip())),
            Some(AddressState::Down | AddressState::Tentative) => awaited.push(*wish),
            Some(AddressState::Up) => match endpoints.bind(*wish, watcher.interfaces()) {
                Ok((local, endpoint)) => opened.extend(endpoint.map(|endpoint| (local, endpoint))),
                // Not every system says that it is still making sure of an address.
                Err(EndpointError::Absent(_)) if !wish.ip().is_loopback() => awaited.push(*wish),
                Err(error) => return Err(error.into()),
            },
        }
    }
    Ok((opened, awaited))
}

/// The addresses that can be used, for a user who named another one.
fn in_words(watcher: &Watcher) -> String {
    let usable = watcher.interfaces().iter().map(|interface| interface.address);
    let usable: Vec<_> = usable
        .filter(|ip| !address::needs_zone(*ip))
        .map(|ip| ip.to_string())
        .collect();
    if usable.is_empty() {
        "none that could be used".to_owned()
    } else {
        usable.join(", ")
    }
}

#[allow(clippy::disallowed_methods, reason = "the mesh's clock")]
fn now() -> Instant {
    Instant::now()
}
