//! What goes into and comes out of a call.

use std::net::SocketAddr;
use std::time::Duration;

use libp2p_identity::PeerId;

use crate::channel::Channel;
use crate::code::Code;
use crate::connection::ConnId;
use crate::gate::Change;
use crate::id::AttemptId;
use crate::name::Name;
use crate::packet::Class;
use crate::reach::{Unreached, about_member};
use crate::route::{Answer, Question, QuestionId, Rule, Transition};
use crate::tag::Tag;
use crate::time::UnixTime;
use crate::wire::Refusal;

/// A wish of the user.
#[derive(Clone, Debug)]
pub enum Command {
    /// Let in who knocked.
    Admit(PeerId),
    /// Do not let in who knocked.
    Refuse(PeerId),
    /// Make another code. The wall clock says this, just now: the code says when it ends by it.
    NewCode(UnixTime),
    /// The machine slept for so long, which the monotonic clock may not have counted.
    Slept(Duration),
    /// Withdraw every code that is still open.
    Withdraw,
    /// Withdraw this code, if it is still open.
    WithdrawCode(Box<Code>),
    /// Send a message to one member. It arrives after those before it, unless the link is lost; what cannot be sent comes back
    /// as [`Event::Unsent`].
    Send(PeerId, Channel, Vec<u8>),
    /// The program has taken a message of [`Event::Message`], of so many bytes: its sender may send more.
    Consumed(ConnId, Channel, usize),
    /// Let media take the route in question.
    Approve(QuestionId),
    /// Never let it, in this call.
    Deny(QuestionId),
    /// Decide by another rule from now on.
    SetRule(Rule),
    /// Leave the call.
    Leave,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output {
    /// Change what the gate lets pass. Comes before what depends on it.
    Gate(Change),
    /// Open a connection to `remote`, its first destination connection id being `tag`.
    Dial {
        /// Comes back in [`crate::Side::Dialler`] or [`crate::Call::handle_dial_failed`].
        attempt: AttemptId,
        /// From where.
        local: SocketAddr,
        /// Where to.
        remote: SocketAddr,
        /// Who must answer, when that is known.
        peer: Option<PeerId>,
        /// The first packet's tag.
        tag: Tag,
        /// How long to wait for the handshake, and again while something comes.
        patience: Duration,
    },
    /// Open a socket on this address of ours, or open it anew if its interface is another one now; port 0 picks one. To
    /// be answered with [`crate::Call::handle_bound`], [`crate::Call::handle_port_taken`] or
    /// [`crate::Call::handle_not_pinned`].
    Bind(SocketAddr),
    /// Close the socket on this address of ours: it is gone, and nobody knows it.
    Unbind(SocketAddr),
    /// Send a frame on a connection's control stream.
    Frame(ConnId, Vec<u8>),
    /// Send a datagram on a connection.
    Datagram(ConnId, Class, Vec<u8>),
    /// Bulk waits to leave to this member: ask for it with [`crate::Call::handle_bulk_room`] when the link has room.
    BulkWaits(PeerId),
    /// Send a frame on a connection's stream for bulk.
    Bulk(ConnId, Vec<u8>),
    /// Close a connection once what was handed out for it is sent.
    Close(ConnId),
    /// A packet of a member.
    Packet(PeerId, Class, Vec<u8>),
    /// Something to tell the user or the program above.
    Event(Event),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A code was made.
    Code(Code),
    /// Nobody came with a code while it could be used.
    Expired(Code),
    /// Somebody of this name came with a code: it is of no more use to anybody else.
    Spent(Code, Name),
    /// Somebody came with a code and waits: answer with [`Command::Admit`] or [`Command::Refuse`].
    Knock {
        /// Who.
        peer: PeerId,
        /// The name that they give themselves.
        name: Name,
        /// Where they are.
        from: SocketAddr,
    },
    /// Somebody who had knocked went away before being answered.
    WentAway(PeerId),
    /// This participant was let in.
    Admitted,
    /// A member is here.
    Joined {
        /// Who.
        peer: PeerId,
        /// Their name.
        name: Name,
        /// Who let them in.
        invited_by: PeerId,
    },
    /// A member is no longer here.
    Left {
        /// Who.
        peer: PeerId,
        /// Their name.
        name: Name,
        /// Who let them in.
        invited_by: PeerId,
        /// How.
        why: Why,
    },
    /// A route took a step.
    Route(Box<Transition>),
    /// The user is to be asked about a route, to the member of this name: answer with [`Command::Approve`] or
    /// [`Command::Deny`].
    Ask(Box<Question>, Option<Name>),
    /// This member's user is being asked whether to contact us.
    Waiting(PeerId),
    /// A question is settled.
    Answered(QuestionId, Answer),
    /// A message of a member. Its room is taken until [`Command::Consumed`].
    Message {
        /// Whose.
        peer: PeerId,
        /// By which link it came.
        conn: ConnId,
        /// On which channel.
        channel: Channel,
        /// It.
        body: Vec<u8>,
    },
    /// This message was not sent: there is no link with the member, or no more, or no room, or it is too long.
    Unsent(PeerId, Channel, Vec<u8>),
    /// After [`Event::Unsent`] for want of room there is some again.
    Room(PeerId, Channel),
    /// An address that was awaited is there, or one has another port: these are listened on now.
    Listening(Vec<SocketAddr>),
    /// Something went wrong; the call goes on.
    Problem(Problem, Option<PeerId>),
    /// The call is over for this participant.
    Ended(End),
}

/// How a member went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// They said so.
    Left,
    /// Nobody can reach them any more.
    Lost,
    /// This machine's own system lets nothing out to them any more.
    CutOff,
}

/// Why the call is over for this participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It left.
    Left,
    /// Nobody could be reached at the code's addresses.
    Unreachable(Unreached),
    /// Whoever answered does not hold the code's key.
    Impostor,
    /// It was not let in.
    Refused(Refusal),
    /// The inviter went away before letting it in.
    InviterGone,
    /// Before the inviter let it in, nothing came from them any more, or too late.
    LineLost,
}

/// What went wrong with a peer; the sentence is for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A control message that this protocol does not have.
    #[error("A member's program sent a message that makes no sense. The connection to it was closed.")]
    Malformed,
    /// More control messages than any program needs.
    #[error("A member's program sent too many messages. The connection to it was closed.")]
    Flood,
    /// The handshake failed.
    #[error("Somebody who connected could not prove to be who they should be, and was turned away.")]
    Handshake,
    /// The session could not be renewed.
    #[error("The keys shared with a member could not be renewed in time. The connection was closed.")]
    KeysExpired,
    /// Packets that could not be read, came twice, or came too fast.
    #[error("Packets from a member's program made no sense and were dropped.")]
    Dropped,
    /// A roster entry with a wrong signature, or from nobody known.
    #[error("A member's program passed on a list of people that does not hold together.")]
    Roster,
    /// The rule that the user chose forbids it.
    #[error("Your rule for addresses does not allow a connection to this member.")]
    NotApproved,
    /// Sixteen codes are open.
    #[error("No further code can be made: sixteen are still open. Withdraw them first.")]
    TooManyCodes,
    /// This machine's address is gone.
    #[error(
        "A network address that this call uses is gone. What went from there is paused, and nothing goes out from \
         another one unasked."
    )]
    InterfaceGone,
    /// A member comes by ever new routes.
    #[error(
        "A member came by so many different routes that you are not asked about more of them for now. It was turned away."
    )]
    TooManyQuestions,
    /// The control stream was not read for too long.
    #[error("A member's program stopped reading. The connection to it was closed.")]
    Stalled,
    /// A code can only be made when one is in the call.
    #[error("A code can be made only in a call.")]
    NotInCall,
    /// No address that is shared is there.
    #[error(
        "No code can be made yet: none of the addresses that you share is there, because its network interface is down \
         or has only just come up. The code is made as soon as one is."
    )]
    NoAddressYet,
    /// A port that others know is in use.
    #[error(
        "A port that this call listened on is in use by another program now, so it listens on another one. Codes that you \
         gave out before lead to the old port: they work again when it is free, which is tried every few seconds. Until \
         then, give a new code."
    )]
    PortTaken,
    /// A socket could not be kept to its address's interface.
    #[error(
        "A network address cannot be used: its network interface cannot be made the only one that is used for it, and \
         nothing may leave by another. Use another address or another network."
    )]
    NotPinned,
    /// A member is still being sought.
    #[error(
        "This member has not been reached for half a minute. This program goes on looking for them, every few seconds, \
         until they are back or say that they leave. Nothing else is needed; if it takes long, ask them by another \
         channel whether they are still in the call."
    )]
    Sought,
    /// A member cannot be reached from here.
    #[error("{}", about_member(*.0))]
    Unreached(Unreached),
}

impl Problem {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Flood => "flood",
            Self::Handshake => "handshake",
            Self::KeysExpired => "keys_expired",
            Self::Dropped => "dropped",
            Self::Roster => "roster",
            Self::NotApproved => "not_approved",
            Self::TooManyCodes => "too_many_codes",
            Self::InterfaceGone => "interface_gone",
            Self::TooManyQuestions => "too_many_questions",
            Self::Stalled => "stalled",
            Self::NotInCall => "not_in_call",
            Self::NoAddressYet => "no_address_yet",
            Self::PortTaken => "port_taken",
            Self::NotPinned => "not_pinned",
            Self::Sought => "member_sought",
            Self::Unreached(why) => why.member_word(),
        }
    }
}

/// What was measured on the link to one member, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkStats {
    /// The newest round trip.
    pub rtt: Option<Duration>,
    /// The peer's clock (since its program's start) minus ours, microseconds.
    pub clock_offset: Option<i64>,
    /// Sealed bytes handed out, packets and control.
    pub sent_bytes: u64,
    /// Sealed bytes that came.
    pub received_bytes: u64,
    /// Packets that came.
    pub received: u64,
    /// Packets that should have come, by their counters.
    pub expected: u64,
    /// Packets that came and were unreadable, replayed or too many.
    pub dropped: u64,
}
