//! What a rule says of a way.

use std::net::SocketAddr;

use super::{Approval, Kind, Reason, Rule, Way};
use crate::address::without_zone;

/// What is known when a way is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The way that media took last.
    pub last: Option<&'a Way>,
    /// Addresses in the code that the user accepted.
    pub in_code: &'a [SocketAddr],
    /// Addresses that the member shares.
    pub shared: &'a [SocketAddr],
    /// Ways to this member that were approved earlier.
    pub before: &'a [Way],
    /// The way that the user said yes to, and that media has not taken yet.
    pub agreed: Option<&'a Way>,
    /// The user has said no to this way.
    pub denied: bool,
    /// The way begins at an address of ours that the user has not ticked.
    pub unticked: bool,
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

/// What `rule` says of `way`.
#[must_use]
pub fn judge(rule: Rule, way: &Way, known: &Known<'_>) -> Verdict {
    if known.denied {
        return Verdict::No;
    }
    let change = known.last.and_then(|last| way.change_from(last));
    let is_direct = way.kind == Kind::Direct;
    let remote = without_zone(way.remote);
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
            .is_some_and(|agreed| way.change_from(agreed).is_none()) =>
        {
            Verdict::Go(Approval::User)
        }
        // No rule speaks for an address of one's own that one has not ticked.
        (Rule::All, ..) if known.unticked => Verdict::Ask(change.unwrap_or(Reason::LocalAddress)),
        (Rule::All, ..) => Verdict::Go(listed.unwrap_or(Approval::All)),
        (Rule::Ask, Some(_), None) => Verdict::Ask(Reason::Again),
        (Rule::Ask, _, change) => Verdict::Ask(change.unwrap_or(Reason::First)),
        (_, Some(_), None) => Verdict::Go(Approval::Unchanged),
        (_, None, _) if known.unticked => Verdict::Ask(Reason::LocalAddress),
        (_, None, _) => listed.map_or(Verdict::Ask(Reason::First), Verdict::Go),
        (_, _, Some(Reason::RemotePort)) if is_direct => Verdict::Go(Approval::NewPort),
        (Rule::Same, _, _) if known.before.iter().any(|old| way.change_from(old).is_none()) => {
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

    fn way(remote: SocketAddr) -> Way {
        Way {
            kind: Kind::Direct,
            local: at(100, 9),
            interface: Some("eth0".into()),
            remote,
            far: None,
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
        let verdicts = |rule| [code, shared, other].map(|remote| judge(rule, &way(remote), &known));
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
        let unticked = Known {
            unticked: true,
            ..known
        };
        for rule in [Rule::Listed, Rule::All] {
            assert_eq!(
                judge(rule, &way(shared), &unticked),
                Verdict::Ask(Reason::LocalAddress)
            );
        }
    }

    #[test]
    fn any_change_asks_even_to_a_listed_address_and_a_new_port_does_not() {
        let last = Way {
            far: Some(Medium::Wifi),
            ..way(at(1, 1))
        };
        let shared = [at(1, 1), at(2, 1), at(1, 2)];
        let carrier = PeerId::random();
        let known = Known {
            last: Some(&last),
            shared: &shared,
            ..Known::default()
        };
        let changes = [
            (way(at(2, 1)), Reason::RemoteAddress),
            (
                Way {
                    local: at(101, 9),
                    ..way(at(1, 1))
                },
                Reason::LocalAddress,
            ),
            (
                Way {
                    interface: Some("wg0".into()),
                    ..way(at(1, 1))
                },
                Reason::LocalInterface,
            ),
            (
                Way {
                    kind: Kind::Carried(carrier),
                    ..way(at(1, 1))
                },
                Reason::Kind,
            ),
            (
                Way {
                    far: Some(Medium::Mobile),
                    ..way(at(1, 1))
                },
                Reason::FarInterface,
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
            judge(Rule::Listed, &way(at(1, 2)), &known),
            Verdict::Go(Approval::NewPort)
        );
        assert_eq!(
            judge(Rule::Listed, &last, &known),
            Verdict::Go(Approval::Unchanged)
        );
        assert_eq!(judge(Rule::Ask, &last, &known), Verdict::Ask(Reason::Again));
        let other_carrier = Way {
            kind: Kind::Carried(PeerId::random()),
            ..way(at(1, 1))
        };
        let carried = Way {
            kind: Kind::Carried(carrier),
            ..way(at(1, 1))
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
        let called = way("[fe80::1%4]:1".parse().expect("an address"));
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
            assert_eq!(judge(rule, &way(at(1, 1)), &known), Verdict::No);
        }
    }
}
