//! What a rule says of a path.

use std::net::SocketAddr;

use super::{Approval, Path, PathKind, Reason, Rule};
use crate::address::without_zone;

/// What is known when a path is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The path that media took last.
    pub last: Option<&'a Path>,
    /// Addresses in the code that the user accepted.
    pub in_code: &'a [SocketAddr],
    /// Addresses that the member shares.
    pub shared: &'a [SocketAddr],
    /// Paths to this member that were approved earlier.
    pub before: &'a [Path],
    /// The path that the user said yes to, and that media has not taken yet.
    pub agreed: Option<&'a Path>,
    /// The user has said no to this path.
    pub denied: bool,
    /// Whether the path starts at a local address that the user does not share.
    pub is_unshared: bool,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Media may take it.
    Go(Approval),
    /// The user is to be asked, for this reason.
    Ask(Reason),
    /// Media may not take it.
    No,
}

/// What `rule` says of `path`.
#[must_use]
pub fn judge(rule: Rule, path: &Path, known: &Known<'_>) -> Verdict {
    if known.denied {
        return Verdict::No;
    }
    let change = known.last.and_then(|last| path.change_from(last));
    let is_direct = path.kind == PathKind::Direct;
    let remote = without_zone(path.remote);
    let listed = if is_direct && known.in_code.contains(&remote) {
        Some(Approval::Code)
    } else if is_direct && known.shared.contains(&remote) {
        Some(Approval::Shared)
    } else {
        None
    };
    match (rule, known.last, change) {
        (Rule::None, ..) => Verdict::No,
        _ if known
            .agreed
            .is_some_and(|agreed| path.change_from(agreed).is_none()) =>
        {
            Verdict::Go(Approval::User)
        }
        // No rule approves a local address that the user does not share.
        (Rule::All, ..) if known.is_unshared => Verdict::Ask(change.unwrap_or(Reason::LocalAddress)),
        (Rule::All, ..) => Verdict::Go(listed.unwrap_or(Approval::All)),
        (Rule::Ask, Some(_), None) => Verdict::Ask(Reason::Again),
        (Rule::Ask, _, change) => Verdict::Ask(change.unwrap_or(Reason::First)),
        (_, Some(_), None) => Verdict::Go(Approval::Unchanged),
        (_, None, _) if known.is_unshared => Verdict::Ask(Reason::LocalAddress),
        (_, None, _) => listed.map_or(Verdict::Ask(Reason::First), Verdict::Go),
        (_, _, Some(Reason::RemotePort)) if is_direct => Verdict::Go(Approval::NewPort),
        (Rule::Same, _, _) if known.before.iter().any(|old| path.change_from(old).is_none()) => {
            Verdict::Go(Approval::Before)
        }
        (_, _, Some(change)) => Verdict::Ask(change),
    }
}

#[cfg(test)]
mod tests {
    use libp2p_identity::PeerId;

    use super::*;
    use crate::interface::Medium;

    fn at(last: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], port))
    }

    fn path(remote: SocketAddr) -> Path {
        Path {
            kind: PathKind::Direct,
            local: at(100, 9),
            interface: Some("eth0".into()),
            remote,
            remote_medium: None,
        }
    }

    #[test]
    fn each_rule_says_of_a_first_way_what_it_promises() {
        let [code, shared, other] = [at(1, 1), at(2, 1), at(3, 1)];
        let known = Known {
            in_code: &[code],
            shared: &[shared],
            ..Known::default()
        };
        let verdicts = |rule| [code, shared, other].map(|remote| judge(rule, &path(remote), &known));
        let ask = Verdict::Ask(Reason::First);
        let [by_code, by_sharing] = [Approval::Code, Approval::Shared].map(Verdict::Go);
        assert_eq!(verdicts(Rule::Ask), [ask; 3]);
        assert_eq!(verdicts(Rule::Listed), [by_code, by_sharing, ask]);
        assert_eq!(verdicts(Rule::Same), [by_code, by_sharing, ask]);
        assert_eq!(
            verdicts(Rule::All),
            [by_code, by_sharing, Verdict::Go(Approval::All)]
        );
        assert_eq!(verdicts(Rule::None), [Verdict::No; 3]);
        let is_unshared = Known {
            is_unshared: true,
            ..known
        };
        for rule in [Rule::Listed, Rule::All] {
            assert_eq!(
                judge(rule, &path(shared), &is_unshared),
                Verdict::Ask(Reason::LocalAddress)
            );
        }
    }

    #[test]
    fn any_change_asks_even_to_a_listed_address_and_a_new_port_does_not() {
        let last = Path {
            remote_medium: Some(Medium::Wifi),
            ..path(at(1, 1))
        };
        let shared = [at(1, 1), at(2, 1), at(1, 2)];
        let carrier = PeerId::random();
        let known = Known {
            last: Some(&last),
            shared: &shared,
            ..Known::default()
        };
        let changes = [
            (path(at(2, 1)), Reason::RemoteAddress),
            (
                Path {
                    local: at(101, 9),
                    ..path(at(1, 1))
                },
                Reason::LocalAddress,
            ),
            (
                Path {
                    interface: Some("wg0".into()),
                    ..path(at(1, 1))
                },
                Reason::LocalInterface,
            ),
            (
                Path {
                    kind: PathKind::Carried(carrier),
                    ..path(at(1, 1))
                },
                Reason::Kind,
            ),
            (
                Path {
                    remote_medium: Some(Medium::Mobile),
                    ..path(at(1, 1))
                },
                Reason::RemoteInterface,
            ),
        ];
        for (changed, reason) in changes {
            assert_eq!(judge(Rule::Listed, &changed, &known), Verdict::Ask(reason));
            assert_eq!(judge(Rule::Ask, &changed, &known), Verdict::Ask(reason));
            assert!(matches!(judge(Rule::All, &changed, &known), Verdict::Go(_)));
            let again = Known {
                before: std::slice::from_ref(&changed),
                ..known
            };
            assert_eq!(judge(Rule::Same, &changed, &again), Verdict::Go(Approval::Before));
            assert_eq!(judge(Rule::Listed, &changed, &again), Verdict::Ask(reason));
        }
        assert_eq!(
            judge(Rule::Listed, &path(at(1, 2)), &known),
            Verdict::Go(Approval::NewPort)
        );
        assert_eq!(
            judge(Rule::Listed, &last, &known),
            Verdict::Go(Approval::Unchanged)
        );
        assert_eq!(judge(Rule::Ask, &last, &known), Verdict::Ask(Reason::Again));
        let other_carrier = Path {
            kind: PathKind::Carried(PeerId::random()),
            ..path(at(1, 1))
        };
        let carried = Path {
            kind: PathKind::Carried(carrier),
            ..path(at(1, 1))
        };
        let known = Known {
            last: Some(&carried),
            shared: &shared,
            ..Known::default()
        };
        assert_eq!(
            judge(Rule::Listed, &other_carrier, &known),
            Verdict::Ask(Reason::Carrier)
        );
    }

    #[test]
    fn a_listed_link_local_address_is_listed_on_whatever_link_it_is_called() {
        let shared: SocketAddr = "[fe80::1]:1".parse().expect("an address");
        let known = Known {
            shared: &[shared],
            ..Known::default()
        };
        let called = path("[fe80::1%4]:1".parse().expect("an address"));
        assert_eq!(
            judge(Rule::Listed, &called, &known),
            Verdict::Go(Approval::Shared)
        );
    }

    #[test]
    fn what_was_denied_stays_denied_under_every_rule() {
        let known = Known {
            in_code: &[at(1, 1)],
            denied: true,
            ..Known::default()
        };
        for rule in [Rule::Ask, Rule::Listed, Rule::Same, Rule::All, Rule::None] {
            assert_eq!(judge(rule, &path(at(1, 1)), &known), Verdict::No);
        }
    }
}
