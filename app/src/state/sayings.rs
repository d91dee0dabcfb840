//! Which sentence says what the call and its codes have to say.

use sightline_media_proto::overuse::Degradation;
use sightline_mesh_proto::code::ParseError;
use sightline_mesh_proto::gate::Obstacle;
use sightline_mesh_proto::wire::Refusal;
use sightline_mesh_proto::{End, Problem, Unreached, Why};
use sightline_ui::model::{Ended, Saying, SayingKey};

/// A problem of the call.
pub const fn problem(problem: Problem) -> SayingKey {
    match problem {
        Problem::Malformed => SayingKey::Malformed,
        Problem::Flood => SayingKey::Flood,
        Problem::Handshake => SayingKey::Handshake,
        Problem::KeysExpired => SayingKey::KeysExpired,
        Problem::Dropped => SayingKey::Dropped,
        Problem::Roster => SayingKey::Roster,
        Problem::NotApproved => SayingKey::NotApproved,
        Problem::TooManyCodes => SayingKey::TooManyCodes,
        Problem::InterfaceGone => SayingKey::InterfaceGone,
        Problem::TooManyQuestions => SayingKey::TooManyQuestions,
        Problem::Stalled => SayingKey::Stalled,
        Problem::NotInCall => SayingKey::NotInCall,
        Problem::NoAddressYet => SayingKey::NoAddressYet,
        Problem::PortTaken => SayingKey::PortTaken,
        Problem::NotPinned => SayingKey::NotPinned,
        Problem::Sought => SayingKey::MemberSought,
        Problem::Unreached(why) => match why {
            Unreached::Silence => SayingKey::MemberUnreachable,
            Unreached::Unfinished => SayingKey::MemberUnfinished,
            Unreached::NoPair => SayingKey::MemberNoPair,
            Unreached::NotUp => SayingKey::MemberNotUp,
            Unreached::Own => SayingKey::MemberOwnAddresses,
            Unreached::Blocked(Obstacle::Forbidden) => SayingKey::MemberFirewall,
            Unreached::Blocked(Obstacle::TooLarge) => SayingKey::MemberTooLarge,
            Unreached::Blocked(Obstacle::NoRoute) => SayingKey::MemberNoRoute,
            Unreached::Blocked(Obstacle::Other) => SayingKey::MemberNotSent,
        },
    }
}

/// How a member went.
pub const fn gone(why: Why) -> SayingKey {
    match why {
        Why::Left => SayingKey::Left,
        Why::Lost => SayingKey::Lost,
        Why::CutOff => SayingKey::CutOff,
    }
}

/// Why a text is no code.
pub const fn code(error: &ParseError) -> SayingKey {
    match error {
        ParseError::Empty => SayingKey::CodeEmpty,
        ParseError::Character(_) => SayingKey::CodeCharacter,
        ParseError::LookAlike(_) => SayingKey::CodeLookAlike,
        ParseError::Cut => SayingKey::CodeCut,
        ParseError::TooLong => SayingKey::CodeTooLong,
        ParseError::Several => SayingKey::CodeSeveral,
        ParseError::WrongLetter => SayingKey::CodeWrongLetter,
        ParseError::NewerVersion => SayingKey::CodeNewerVersion,
        ParseError::NoAddress => SayingKey::CodeNoAddress,
    }
}

/// How far the call is degraded.
pub const fn degradation(degradation: Degradation) -> SayingKey {
    match degradation {
        Degradation::Nothing => SayingKey::LoadBack,
        Degradation::FrameRate => SayingKey::DegradedFrameRate,
        Degradation::Resolution => SayingKey::DegradedResolution,
        Degradation::NonSpeakers => SayingKey::DegradedNonSpeakers,
        Degradation::AllVideo => SayingKey::DegradedAllVideo,
    }
}

/// Why a call is over. The code that led to it may be `over` by this machine's clock, which says that.
pub fn ended(end: Option<End>, over: Option<String>) -> Ended {
    let key = match end {
        Some(End::Left) => SayingKey::Ended,
        Some(End::Unreachable(why)) => match why {
            Unreached::Silence if over.is_some() => SayingKey::UnreachableOver,
            Unreached::Silence => SayingKey::Unreachable,
            Unreached::Unfinished => SayingKey::Unfinished,
            Unreached::NoPair => SayingKey::NoPair,
            Unreached::NotUp => SayingKey::NotUp,
            Unreached::Own => SayingKey::OwnAddresses,
            Unreached::Blocked(Obstacle::Forbidden) => SayingKey::Firewall,
            Unreached::Blocked(Obstacle::TooLarge) => SayingKey::TooLarge,
            Unreached::Blocked(Obstacle::NoRoute) => SayingKey::NoRoute,
            Unreached::Blocked(Obstacle::Other) => SayingKey::NotSent,
        },
        Some(End::Impostor) => SayingKey::Impostor,
        Some(End::InviterGone) => SayingKey::InviterGone,
        Some(End::LineLost) => SayingKey::LineLost,
        Some(End::Refused(why)) => match why {
            Refusal::Declined => SayingKey::Declined,
            Refusal::Used => SayingKey::CodeUsed,
            Refusal::Withdrawn => SayingKey::CodeWithdrawn,
            Refusal::Expired => SayingKey::CodeExpired,
            Refusal::Full => SayingKey::Full,
            Refusal::Invalid => SayingKey::Refused,
        },
        None => SayingKey::Fault,
    };
    Ended {
        saying: Saying::new(key, over.unwrap_or_default()),
        as_wished: end == Some(End::Left),
    }
}
