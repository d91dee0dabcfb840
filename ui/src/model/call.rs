//! The call: who is here, by which paths, and what is to be answered.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{CodeText, Rule, Saying};

/// Names a participant: its id in the call.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub Arc<str>);

/// How large somebody's picture is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileSize {
    /// The window is minimised: no picture is of use.
    Hidden,
    /// At most 225 rows: a picture of 180 does.
    Small,
    /// At most 540: 360 do.
    Medium,
    /// More.
    Large,
}

impl TileSize {
    /// Of a tile of so many rows of the screen.
    #[must_use]
    pub fn of(rows: f32) -> Self {
        if rows <= 225.0 {
            Self::Small
        } else if rows <= 540.0 {
            Self::Medium
        } else {
            Self::Large
        }
    }
}

/// A call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// This participant.
    pub me: PersonId,
    /// Its name.
    pub name: String,
    /// It started the call, or was let in.
    pub is_in: bool,
    /// When it came in, since the program's start.
    pub since: Duration,
    /// The others.
    pub people: Vec<Person>,
    /// Who waits to be let in, the first first.
    pub knocks: Vec<Knock>,
    /// Questions about routes, the oldest first.
    pub questions: Vec<Question>,
    /// Codes that were made here, the newest last.
    pub invites: Vec<Invite>,
    /// Every address that took part, and the sum of those without a row of their own.
    pub addresses: Vec<AddressRow>,
    /// What every route did.
    pub history: History,
    /// Where media may go unasked.
    pub rule: Rule,
    /// Addresses that are listened on.
    pub local: Vec<SocketAddr>,
    /// Addresses that the code says to contact, while nobody has let this participant in.
    pub contacts: Vec<SocketAddr>,
    /// The call is over.
    pub ended: Option<Ended>,
}

/// Why a call is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What to say.
    pub saying: Saying,
    /// As the user wished.
    pub as_wished: bool,
}

/// A participant.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Which.
    pub id: PersonId,
    /// The name that they gave themselves, cleaned; may be empty.
    pub name: String,
    /// Who let them in: a name; `None` for this participant.
    pub invited_by: Option<String>,
    /// The route to them.
    pub route: Option<Route>,
    /// Their user is being asked whether to connect.
    pub is_being_asked: bool,
    /// They send silence.
    pub muted: bool,
    /// They send a picture.
    pub has_video: bool,
    /// They speak just now.
    pub speaking: bool,
    /// How loud they are played: 1 as they come.
    pub volume: f32,
    /// How good the link is.
    pub quality: Quality,
    /// The newest round trip.
    pub round_trip: Option<Duration>,
    /// Share of their packets that did not arrive, 0 to 1.
    pub loss: f32,
    /// From them, bits a second.
    pub receiving: u64,
    /// To them, bits a second.
    pub sending: u64,
    /// Sound, from their microphone to this loudspeaker.
    pub audio_delay: Option<Duration>,
    /// Picture, from their camera to the decoder here.
    pub video_delay: Option<Duration>,
    /// Pictures a second.
    pub pictures: u32,
    /// Times that their picture froze.
    pub freezes: u32,
    /// Frames of their sound that were made up, in the last second.
    pub concealed: u64,
    /// Names of those whom they say they cannot hear; `None` for this participant.
    pub cannot_hear: Vec<Option<String>>,
}

/// How good a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quality {
    /// Nothing was measured yet.
    #[default]
    Unknown,
    /// Nobody notices anything.
    Good,
    /// Now and then something is missing.
    Fair,
    /// Words or pictures are missing.
    Poor,
    /// Nothing comes.
    Nothing,
}

/// How far a route has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteState {
    /// Nothing has approved it.
    #[default]
    Proposed,
    /// It may be used.
    Approved,
    /// Media flows.
    Active,
    /// Media flowed and has stopped.
    Paused,
    /// It is not used any more.
    Closed,
}

/// Where packets go, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Through this member: a name; `None` for straight.
    pub via: Option<String>,
    /// This end.
    pub local: SocketAddr,
    /// The interface of this end.
    pub interface: Option<String>,
    /// What that interface is: `cable`, `wifi`, …
    pub medium: Option<&'static str>,
    /// Where packets go.
    pub remote: SocketAddr,
    /// Over what they say to be connected.
    pub remote_medium: Option<&'static str>,
}

/// A route, now or at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path.
    pub path: Path,
    /// Whether media takes it.
    pub state: RouteState,
    /// What approved it: a word.
    pub approved_by: Option<&'static str>,
    /// What the other side's user says: `given`, `asked`, `denied`, `withheld`.
    pub theirs: &'static str,
    /// Why it took its last step: a word.
    pub reason: &'static str,
}

/// A question about a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which.
    pub id: u64,
    /// To whom: a name; `None` for whoever gave the code.
    pub name: Option<String>,
    /// Their tile.
    pub person: Option<PersonId>,
    /// The path that media took before.
    pub old: Option<Path>,
    /// The path in question.
    pub new: Path,
    /// What is different: a word.
    pub reason: &'static str,
    /// A yes tells everybody in the call the local address.
    pub tells_address: bool,
    /// The rule that would not have asked.
    pub wider_rule: Option<Rule>,
}

/// Somebody who wants to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// Who.
    pub id: PersonId,
    /// The name that they give themselves.
    pub name: String,
    /// Where they are.
    pub from: SocketAddr,
}

/// A code that was made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Counted from one.
    pub number: u64,
    /// The code.
    pub code: CodeText,
    /// How long it can be used, from now.
    pub expires_in: Duration,
    /// What became of it.
    pub state: InviteState,
}

/// What became of a code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InviteState {
    /// It can be used.
    #[default]
    Open,
    /// Somebody came with it: a name.
    UsedBy(String),
    /// It was withdrawn.
    Withdrawn,
    /// Its time is over.
    Expired,
}

/// What passed between one local and one remote address, as counted at the socket.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressRow {
    /// Local and remote; `None` for the sum of those without a row of their own.
    pub pair: Option<(SocketAddr, SocketAddr)>,
    /// The interface of the local one.
    pub interface: Option<String>,
    /// Whose: a name; `None` for a stranger.
    pub whose: Option<String>,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Packets refused at the socket.
    pub refused: u64,
    /// Sent in the last second, bits.
    pub sending: u64,
    /// Received in the last second, bits.
    pub receiving: u64,
    /// First and last time that something passed, since the program's start.
    pub first: Duration,
    /// The last time.
    pub last: Duration,
    /// Rates of the last minute.
    pub graph: Graph,
}

/// Both directions together, bits a second, a value a second, the newest last; at most 60.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph(pub VecDeque<u32>);

impl Graph {
    /// A minute of them.
    pub const LEN: usize = 60;

    /// Adds the newest.
    pub fn push(&mut self, bits: u64) {
        if self.0.len() >= Self::LEN {
            self.0.pop_front();
        }
        self.0.push_back(u32::try_from(bits).unwrap_or(u32::MAX));
    }
}

/// What every route did, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Steps that are not kept one by one any more.
    pub earlier: u64,
    /// The steps.
    pub steps: Arc<Vec<Step>>,
}

/// One step of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, since the program's start.
    pub at: Duration,
    /// The time of day where this machine is, `hh:mm:ss`.
    pub time: String,
    /// To whom: a name; `None` for whoever gave the code.
    pub name: Option<String>,
    /// The route after it.
    pub route: Route,
}
