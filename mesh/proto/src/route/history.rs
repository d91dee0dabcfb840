//! Every step of every route, for as long as the call lasts.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use libp2p_identity::PeerId;

use super::{State, Transition};

/// Steps kept one by one; of older ones, only how many there were and when is kept.
const MAX_STEPS: usize = 1024;

/// What is left of the oldest steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// How many steps are not kept one by one any more.
    pub steps: u64,
    /// Of them, those after which media flowed.
    pub activations: u64,
    /// When the first of them was taken, since the program's start.
    pub first: Duration,
    /// When the last of them was taken.
    pub last: Duration,
}

/// The log of routes.
#[derive(Clone, Debug, Default)]
pub struct History {
    earlier: Earlier,
    steps: VecDeque<Transition>,
}

impl History {
    /// Writes a step down.
    pub fn push(&mut self, step: Transition) {
        if self.steps.len() >= MAX_STEPS
            && let Some(oldest) = self.take_oldest_of_the_busiest()
        {
            let is_first = self.earlier.steps == 0;
            self.earlier.first = if is_first {
                oldest.at
            } else {
                self.earlier.first.min(oldest.at)
            };
            self.earlier.steps += 1;
            self.earlier.activations += u64::from(oldest.route.state == State::Active);
            self.earlier.last = self.earlier.last.max(oldest.at);
        }
        self.steps.push_back(step);
    }

    /// Whoever has most steps loses the oldest one: nobody's coming and going wipes out what others did.
    fn take_oldest_of_the_busiest(&mut self) -> Option<Transition> {
        let mut counts: BTreeMap<Option<PeerId>, usize> = BTreeMap::new();
        for step in &self.steps {
            *counts.entry(step.route.peer).or_default() += 1;
        }
        let (busiest, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let at = self.steps.iter().position(|step| step.route.peer == busiest)?;
        self.steps.remove(at)
    }

    /// The steps that are kept one by one, the oldest first.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Transition> {
        self.steps.iter()
    }

    /// What is left of those before them.
    #[must_use]
    pub const fn earlier(&self) -> Earlier {
        self.earlier
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::route::{Consent, Path, PathKind, Reason, Route, RouteId};

    #[test]
    fn the_oldest_steps_are_summed_up_and_none_is_lost_silently() {
        let mut history = History::default();
        let address = SocketAddr::from(([192, 0, 2, 1], 1));
        let quiet = PeerId::random();
        for second in 0..3000 {
            history.push(Transition {
                at: Duration::from_secs(second),
                old: None,
                route: Route {
                    id: RouteId(second),
                    peer: (second == 1).then_some(quiet),
                    path: Path {
                        kind: PathKind::Direct,
                        local: address,
                        interface: None,
                        remote: address,
                        remote_medium: None,
                    },
                    state: if second % 2 == 0 {
                        State::Active
                    } else {
                        State::Paused
                    },
                    approved_by: None,
                    theirs: Consent::Given,
                },
                reason: Reason::Rule,
            });
        }
        assert_eq!(history.steps().count(), MAX_STEPS);
        let summed_up = 3000 - MAX_STEPS as u64;
        let expected = Earlier {
            steps: summed_up,
            // Every other one, from the first to the last, both of them among them.
            activations: summed_up / 2 + 1,
            first: Duration::ZERO,
            last: Duration::from_secs(summed_up),
        };
        assert!(
            history.steps().any(|step| step.route.peer == Some(quiet)),
            "of others than the busiest"
        );
        assert_eq!(history.earlier(), expected);
    }
}
