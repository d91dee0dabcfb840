//! Exit statuses.

use std::process::ExitCode;

use sightline_mesh_proto::End;
use sightline_mesh_proto::wire::Refusal;

/// How the program ended, as other programs see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: as wished.
    Wished,
    /// 1: a demo in which somebody did not hear or see somebody, or a fault of this program.
    Failed,
    /// 2: wrong arguments.
    Arguments,
    /// 3: a code that cannot be used.
    Code,
    /// 4: nobody could be reached.
    Unreachable,
    /// 5: refused or removed.
    Refused,
}

impl Exit {
    /// The status that other programs see.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Wished => 0,
            Self::Failed => 1,
            Self::Arguments => 2,
            Self::Code => 3,
            Self::Unreachable => 4,
            Self::Refused => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

impl From<End> for Exit {
    fn from(end: End) -> Self {
        match end {
            End::Left => Self::Wished,
            End::Unreachable(_) | End::Impostor | End::InviterGone | End::LineLost => Self::Unreachable,
            End::Refused(Refusal::Used | Refusal::Withdrawn | Refusal::Expired) => Self::Code,
            End::Refused(_) => Self::Refused,
        }
    }
}
