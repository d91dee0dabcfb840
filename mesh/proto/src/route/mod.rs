//! Routes: paths to members, and whether media may take them.
//!
//! ```text
//!   judge.rs ─ what a rule says of a path: go, ask, or no
//!   table.rs ─ every route of a call: Proposed → Approved → Active → Paused → Closed; what the gate lets pass
//!   history.rs ─ each step of each route, with its reason and who approved it
//! ```

mod history;
mod judge;
mod table;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use libp2p_identity::PeerId;

use crate::interface::Medium;

pub use history::{Earlier, History};
pub use judge::{Known, Verdict, judge};
pub use table::{Answer, Question, QuestionId, RouteId, Table};
pub(crate) use table::{Holder, TableEvent};

/// Which addresses media may go to without a question; chosen by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rule {
    /// None: each path is asked about, each time.
    Ask,
    /// Those in the code that I accepted, and those that members share. Any change is asked about; a new port of
    /// the same address is not.
    #[default]
    Listed,
    /// As [`Rule::Listed`], and a path that was approved earlier in the call may come back.
    Same,
    /// Any address at which a member proves who it is.
    All,
    /// None, and nothing is asked.
    None,
}

/// How far a route has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is known; nothing has approved it.
    Proposed,
    /// It may be used, and is not (yet): it is being dialled, or one of both sides has still to agree to media.
    Approved,
    /// Media flows.
    Active,
    /// Media flowed and has stopped, until the reason is gone or another route is approved.
    Paused,
    /// It is not used any more.
    Closed,
}

/// What approved a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// The address stood in the code that the user accepted.
    Code,
    /// The member shares the address ([`Rule::Listed`]).
    Shared,
    /// It is the path that media took before ([`Rule::Listed`]).
    Unchanged,
    /// Only the port of the member's address is new ([`Rule::Listed`]).
    NewPort,
    /// It had been approved earlier in the call ([`Rule::Same`]).
    Before,
    /// [`Rule::All`].
    All,
    /// The user, asked.
    User,
}

/// How packets reach the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathKind {
    /// Straight.
    Direct,
    /// Through this other member, to whose address they go.
    Carried(PeerId),
}

/// Where packets go, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Straight or through a member.
    pub kind: PathKind,
    /// Our end.
    pub local: SocketAddr,
    /// The network interface of our end, when the operating system names one.
    pub interface: Option<String>,
    /// The address that packets go to: the member's, or its carrier's.
    pub remote: SocketAddr,
    /// The remote side's network type, if the member tells it.
    pub remote_medium: Option<Medium>,
}

/// Why a route took a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is the first path to this member.
    First,
    /// It is the path as it was, after a break.
    Again,
    /// The member's address is another.
    RemoteAddress,
    /// The port of the member's address is another.
    RemotePort,
    /// This side's address is another.
    LocalAddress,
    /// This side's network interface is another.
    LocalInterface,
    /// Straight instead of through a member, or the other way round.
    Kind,
    /// Another member carries.
    Carrier,
    /// The member is connected over something else now.
    RemoteInterface,
    /// A rule allows it.
    Rule,
    /// The user was asked and said yes.
    Agreed,
    /// The user was asked and said no.
    Denied,
    /// The member has caused more questions than a person should have to answer.
    TooMany,
    /// Both sides are ready for media.
    Ready,
    /// The other side's user is being asked.
    TheyAreAsked,
    /// The other side does not agree.
    TheyDenied,
    /// The other side agrees.
    TheyAgreed,
    /// Another path took its place.
    Replaced,
    /// Nothing comes from there any more.
    Lost,
    /// Nobody answered there.
    NoAnswer,
    /// This side's address or interface is gone.
    InterfaceGone,
    /// The member left, or this side did.
    Left,
}

/// The remote user's consent to media on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(index_only)]
pub enum Consent {
    /// Yes, or nobody had to be asked.
    #[n(0)]
    Given,
    /// They are being asked.
    #[n(1)]
    Asked,
    /// No: not by this path, for the rest of the call.
    #[n(2)]
    Denied,
    /// Their rule allows no media, and nobody is asked.
    #[n(3)]
    Withheld,
}

/// A route to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name for as long as it is not closed.
    pub id: RouteId,
    /// Whom it leads to; `None` while only a code says that somebody is there.
    pub peer: Option<PeerId>,
    /// The path.
    pub path: Path,
    /// Whether media takes it.
    pub state: State,
    /// What approved it, when something did.
    pub approved_by: Option<Approval>,
    /// What the other side's user says.
    pub theirs: Consent,
}

/// A step of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Since the program's start.
    pub at: Duration,
    /// The state before; `None` when the route is new.
    pub old: Option<State>,
    /// The route after it.
    pub route: Route,
    /// Why.
    pub reason: Reason,
}

impl Path {
    /// What is different from `before`, the weightiest first; `None` for the same path.
    #[must_use]
    pub fn change_from(&self, before: &Self) -> Option<Reason> {
        let both_known = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some();
        match (self.kind, before.kind) {
            (PathKind::Direct, PathKind::Carried(_)) | (PathKind::Carried(_), PathKind::Direct) => {
                Some(Reason::Kind)
            }
            (PathKind::Carried(now), PathKind::Carried(then)) if now != then => Some(Reason::Carrier),
            _ if both_known(&self.interface, &before.interface) && self.interface != before.interface => {
                Some(Reason::LocalInterface)
            }
            _ if self.local.ip() != before.local.ip() => Some(Reason::LocalAddress),
            _ if self.remote.ip() != before.remote.ip() => Some(Reason::RemoteAddress),
            _ if self.remote_medium.is_some()
                && before.remote_medium.is_some()
                && self.remote_medium != before.remote_medium =>
            {
                Some(Reason::RemoteInterface)
            }
            _ if self.remote.port() != before.remote.port() => Some(Reason::RemotePort),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.local, self.remote)
    }
}

macro_rules! words {
    ($kind:ty { $($variant:ident => $word:literal),* $(,)? }) => {
        impl $kind {
            /// A stable word for programs.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

words!(State {
    Proposed => "proposed", Approved => "approved", Active => "active", Paused => "paused", Closed => "closed",
});
words!(Approval {
    Code => "code", Shared => "shared", Unchanged => "unchanged", NewPort => "new_port", Before => "before",
    All => "all", User => "user",
});
words!(Consent { Given => "given", Asked => "asked", Denied => "denied", Withheld => "withheld" });
words!(Reason {
    First => "first", Again => "again", RemoteAddress => "remote_address", RemotePort => "remote_port",
    LocalAddress => "local_address", LocalInterface => "local_interface", Kind => "kind", Carrier => "carrier",
    RemoteInterface => "far_interface", Rule => "rule", Agreed => "agreed", Denied => "denied", TooMany => "too_many", Ready => "ready",
    TheyAreAsked => "they_are_asked", TheyDenied => "they_denied", TheyAgreed => "they_agreed",
    Replaced => "replaced", Lost => "lost", NoAnswer => "no_answer", InterfaceGone => "interface_gone",
    Left => "left",
});
