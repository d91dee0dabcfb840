//! The way to a member, and whether media may take it.

use std::net::SocketAddr;

use libp2p_identity::PeerId;

/// Which addresses media may go to without a question; chosen by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Rule {
    /// Those in the code that I accepted, and those that members share.
    #[default]
    Listed,
    /// Any address at which a member proves who it is.
    All,
    /// None.
    None,
}

/// How far a route has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The member can be reached, but no rule allows media there.
    Proposed,
    /// Media flows.
    Active,
    /// The link is gone.
    Closed,
}

/// What allowed a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// The address stood in the code that the user accepted.
    Code,
    /// The member shares the address ([`Rule::Listed`]).
    Shared,
    /// [`Rule::All`].
    All,
}

/// A direct route to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whom it leads to.
    pub peer: PeerId,
    /// Whether media takes it.
    pub state: State,
    /// Our end.
    pub local: SocketAddr,
    /// Their end.
    pub remote: SocketAddr,
    /// What allowed it, when something did.
    pub approved_by: Option<Approval>,
}

/// What `rule` says of an address: `in_code` is the code that the user accepted, `shared` what the member shares.
#[must_use]
pub fn judge(
    rule: Rule,
    remote: SocketAddr,
    in_code: &[SocketAddr],
    shared: &[SocketAddr],
) -> Option<Approval> {
    match rule {
        Rule::None => None,
        _ if in_code.contains(&remote) => Some(Approval::Code),
        _ if shared.contains(&remote) => Some(Approval::Shared),
        Rule::Listed => None,
        Rule::All => Some(Approval::All),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_allows_what_it_says() {
        let [code, shared, other] = [1, 2, 3].map(|last| SocketAddr::from(([192, 0, 2, last], 1)));
        let verdicts = |rule| [code, shared, other].map(|to| judge(rule, to, &[code], &[shared]));
        assert_eq!(
            verdicts(Rule::Listed),
            [Some(Approval::Code), Some(Approval::Shared), None]
        );
        assert_eq!(
            verdicts(Rule::All),
            [Some(Approval::Code), Some(Approval::Shared), Some(Approval::All)]
        );
        assert_eq!(verdicts(Rule::None), [None; 3]);
    }
}
