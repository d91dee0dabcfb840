//! Which paths this side's user lets media take: their rule, the code that they accepted, and of each member the paths that
//! media took, what they said yes to, and how often they may still be asked.
//!
//! ```text
//!   handle_yes ──►  agreed  ── handle_flows ──►  last  ── another path ──►  before (at most 16)
//!                       └───────────────┬───────────┴──────────────────────────┘
//!                                       ▼
//!                  rule, code ──► judge: go, ask, or no
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use crate::interface::Medium;
use crate::limit::Bucket;
use crate::route::{self, Known, Path, Reason, Rule, Verdict};

/// Paths to a member that are remembered besides the last.
const MAX_BEFORE: usize = 16;

/// Questions about one member: one every ten seconds for long, and sixteen in a row. What would cause more is turned
/// away unasked, so that nobody can be worn down.
const QUESTION_EVERY: Duration = Duration::from_secs(10);
const QUESTION_BURST: u32 = 16;

/// What the user lets media do.
#[derive(Debug)]
pub struct Consents {
    rule: Rule,
    /// Addresses in the code that the user accepted.
    in_code: Vec<SocketAddr>,
    members: BTreeMap<PeerId, Memory>,
}

/// What is remembered of one member's paths.
#[derive(Debug)]
struct Memory {
    /// The path that media took last.
    last: Option<Path>,
    /// Those before it.
    before: Vec<Path>,
    /// The path that the user agreed to, until media takes it.
    agreed: Option<Path>,
    /// How often the user may still be asked.
    questions: Bucket,
}

/// What others know of a path that is judged.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Addresses that the member shares.
    pub shared: &'a [SocketAddr],
    /// One of both sides has said no to it.
    pub is_refused: bool,
    /// It starts at a local address that the user does not share.
    pub is_unshared: bool,
}

impl Consents {
    /// Nobody is known yet.
    pub const fn new(rule: Rule) -> Self {
        Self {
            rule,
            in_code: Vec::new(),
            members: BTreeMap::new(),
        }
    }

    /// Where media may go unasked.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// The user chooses another rule.
    pub const fn set_rule(&mut self, rule: Rule) {
        self.rule = rule;
    }

    /// The user accepts a code with these addresses.
    pub fn handle_code(&mut self, addresses: impl Iterator<Item = SocketAddr>) {
        self.in_code = addresses.collect();
    }

    /// Somebody is a member.
    pub fn meet(&mut self, peer: PeerId, now: Instant) {
        self.members.entry(peer).or_insert_with(|| Memory {
            last: None,
            before: Vec::new(),
            agreed: None,
            questions: Bucket::new(QUESTION_EVERY, QUESTION_BURST, now),
        });
    }

    /// Somebody is no member any more.
    pub fn forget(&mut self, peer: &PeerId) {
        self.members.remove(peer);
    }

    /// What the rule says of a path to somebody.
    pub fn judge(&self, peer: &PeerId, path: &Path, facts: &Facts<'_>) -> Verdict {
        let memory = self.members.get(peer);
        let known = Known {
            last: memory.and_then(|memory| memory.last.as_ref()),
            in_code: &self.in_code,
            shared: facts.shared,
            before: memory.map_or(&[], |memory| &memory.before),
            agreed: memory.and_then(|memory| memory.agreed.as_ref()),
            denied: facts.is_refused,
            is_unshared: facts.is_unshared,
        };
        route::judge(self.rule, path, &known)
    }

    /// The path to a member that media took last.
    pub fn last(&self, peer: &PeerId) -> Option<&Path> {
        self.members.get(peer)?.last.as_ref()
    }

    /// What is different about a path from the one that media took last, if anything is.
    pub fn change(&self, peer: &PeerId, path: &Path) -> Option<Reason> {
        path.change_from(self.last(peer)?)
    }

    /// Whether the user may be asked about a member once more; if so, they are.
    pub fn take_question(&mut self, peer: &PeerId, now: Instant) -> bool {
        let memory = self.members.get_mut(peer);
        memory.is_none_or(|memory| memory.questions.take(now))
    }

    /// The user says yes to a path. That holds until media takes it, however often it has to be dialled for that.
    pub fn handle_yes(&mut self, peer: &PeerId, path: Path) {
        if let Some(memory) = self.members.get_mut(peer) {
            memory.agreed = Some(path);
        }
    }

    /// Media takes this path to a member from now on.
    pub fn handle_flows(&mut self, peer: &PeerId, path: Path) {
        let Some(memory) = self.members.get_mut(peer) else {
            return;
        };
        memory.agreed = None;
        let remote_medium = memory.last.as_ref().and_then(|last| last.remote_medium);
        let path = Path {
            remote_medium: path.remote_medium.or(remote_medium),
            ..path
        };
        let Some(last) = memory.last.replace(path) else {
            return;
        };
        let is_new = |before: &Path| last.change_from(before).is_some();
        if memory.before.iter().all(is_new) {
            if memory.before.len() >= MAX_BEFORE {
                memory.before.remove(0);
            }
            memory.before.push(last);
        }
    }

    /// A member says for the first time over what it is connected: that is no change of the path.
    pub fn learn_remote_medium(&mut self, peer: &PeerId, medium: Medium) {
        let last = self.members.get_mut(peer).and_then(|memory| memory.last.as_mut());
        if let Some(path) = last.filter(|path| path.remote_medium.is_none()) {
            path.remote_medium = Some(medium);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Approval, PathKind};

    fn at(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 9))
    }

    fn path(local: u8, remote: u8) -> Path {
        Path {
            kind: PathKind::Direct,
            local: at(local),
            interface: None,
            remote: at(remote),
            remote_medium: None,
        }
    }

    const NOTHING: Facts<'static> = Facts {
        shared: &[],
        is_refused: false,
        is_unshared: false,
    };

    /// A member that is known, and what the user consents to.
    fn with_member(rule: Rule) -> (Consents, PeerId, Instant) {
        let (mut consents, peer, now) = (Consents::new(rule), PeerId::random(), Instant::now());
        consents.meet(peer, now);
        (consents, peer, now)
    }

    #[test]
    fn a_yes_holds_until_media_takes_the_path_and_the_rule_decides_after_that() {
        let (mut consents, peer, _) = with_member(Rule::Ask);
        let first = path(1, 2);
        assert_eq!(
            consents.judge(&peer, &first, &NOTHING),
            Verdict::Ask(Reason::First)
        );
        consents.handle_yes(&peer, first.clone());
        for _ in 0..2 {
            let verdict = consents.judge(&peer, &first, &NOTHING);
            assert_eq!(
                verdict,
                Verdict::Go(Approval::User),
                "however often it is dialled"
            );
        }
        let other = path(1, 3);
        assert_eq!(
            consents.judge(&peer, &other, &NOTHING),
            Verdict::Ask(Reason::First)
        );
        consents.handle_flows(&peer, first.clone());
        assert_eq!(
            consents.judge(&peer, &first, &NOTHING),
            Verdict::Ask(Reason::Again)
        );
        consents.set_rule(Rule::Listed);
        assert_eq!(
            consents.judge(&peer, &first, &NOTHING),
            Verdict::Go(Approval::Unchanged)
        );
    }

    #[test]
    fn a_path_that_media_took_before_may_come_back_by_the_rule_that_says_so() {
        let (mut consents, peer, _) = with_member(Rule::Same);
        for remote in 2..40 {
            consents.handle_flows(&peer, path(1, remote));
        }
        let verdict = |remote| consents.judge(&peer, &path(1, remote), &NOTHING);
        assert_eq!(verdict(39), Verdict::Go(Approval::Unchanged));
        for remote in 23..39 {
            assert_eq!(verdict(remote), Verdict::Go(Approval::Before), "{remote}");
        }
        assert_eq!(
            verdict(22),
            Verdict::Ask(Reason::RemoteAddress),
            "so many are remembered"
        );
        assert_eq!(consents.change(&peer, &path(2, 39)), Some(Reason::LocalAddress));
    }

    #[test]
    fn what_the_code_lists_goes_and_what_is_refused_or_unshared_does_not() {
        let (mut consents, peer, _) = with_member(Rule::Listed);
        consents.handle_code([at(2)].into_iter());
        let path = path(1, 2);
        assert_eq!(
            consents.judge(&peer, &path, &NOTHING),
            Verdict::Go(Approval::Code)
        );
        let refused = Facts {
            is_refused: true,
            ..NOTHING
        };
        assert_eq!(consents.judge(&peer, &path, &refused), Verdict::No);
        let unshared = Facts {
            is_unshared: true,
            ..NOTHING
        };
        assert_eq!(
            consents.judge(&peer, &path, &unshared),
            Verdict::Ask(Reason::LocalAddress)
        );
        let stranger = PeerId::random();
        assert_eq!(
            consents.judge(&stranger, &path, &NOTHING),
            Verdict::Go(Approval::Code),
            "whoever answers at the code's address"
        );
    }

    #[test]
    fn nobody_is_worn_down_with_questions() {
        let (mut consents, peer, now) = with_member(Rule::Ask);
        let asked = (0..100).filter(|_| consents.take_question(&peer, now)).count();
        assert_eq!(asked, QUESTION_BURST as usize);
        assert!(consents.take_question(&peer, now + QUESTION_EVERY));
        assert!(!consents.take_question(&peer, now + QUESTION_EVERY));
        consents.meet(peer, now);
        assert!(
            !consents.take_question(&peer, now),
            "who is met again is the same"
        );
    }

    #[test]
    fn over_what_a_member_is_connected_is_a_change_only_once_it_was_known() {
        let (mut consents, peer, _) = with_member(Rule::Listed);
        let with = |medium| Path {
            remote_medium: Some(medium),
            ..path(1, 2)
        };
        consents.handle_flows(&peer, path(1, 2));
        consents.learn_remote_medium(&peer, Medium::Wifi);
        assert_eq!(consents.change(&peer, &with(Medium::Wifi)), None);
        assert_eq!(
            consents.change(&peer, &with(Medium::Mobile)),
            Some(Reason::RemoteInterface)
        );
        consents.learn_remote_medium(&peer, Medium::Mobile);
        assert_eq!(
            consents.change(&peer, &with(Medium::Mobile)),
            Some(Reason::RemoteInterface),
            "it was said already"
        );
    }
}
