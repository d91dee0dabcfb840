//! Codes that were made here, and what became of each.

use std::time::{Duration, Instant};

use sightline_mesh_proto::Code;
use sightline_mesh_proto::code::DEFAULT_LIFETIME;
use sightline_ui::model::{Invite, InviteState};

/// Codes of this participant's, the newest last.
#[derive(Debug, Default)]
pub struct Invites(Vec<Given>);

#[derive(Debug)]
struct Given {
    code: Code,
    state: InviteState,
    ends_at: Instant,
}

impl Invites {
    /// A code was made.
    pub fn add(&mut self, code: Code, now: Instant) {
        self.0.push(Given {
            code,
            state: InviteState::Open,
            ends_at: now + DEFAULT_LIFETIME,
        });
    }

    /// Something became of a code.
    pub fn set_state(&mut self, code: &Code, state: &InviteState) {
        for given in self.0.iter_mut().filter(|given| given.code == *code) {
            given.state.clone_from(state);
        }
    }

    /// Takes back the code of this number, counted from one, or every code. Returns those that were open.
    pub fn withdraw(&mut self, number: Option<u64>) -> Vec<Code> {
        let is_meant = |at: usize| number.is_none_or(|number| at as u64 + 1 == number);
        let mut withdrawn = Vec::new();
        for (at, given) in self.0.iter_mut().enumerate() {
            if is_meant(at) && given.state == InviteState::Open {
                given.state = InviteState::Withdrawn;
                withdrawn.push(given.code.clone());
            }
        }
        withdrawn
    }

    /// The machine slept for so long: codes have so much less time left.
    pub fn handle_sleep(&mut self, slept: Duration, now: Instant) {
        for given in &mut self.0 {
            given.ends_at = given.ends_at.checked_sub(slept).unwrap_or(now);
        }
    }

    /// As the window has them, with the time that is left.
    pub fn shown(&self, now: Instant) -> Vec<Invite> {
        let invite = |(at, given): (usize, &Given)| Invite {
            number: at as u64 + 1,
            code: given.code.to_string().into(),
            expires_in: given.ends_at.saturating_duration_since(now),
            state: given.state.clone(),
        };
        self.0.iter().enumerate().map(invite).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::moment;
    use super::*;

    const CODE: &str = "CAAQC-AIBAE-AQCAI-BAEAQ-CAIBA-EAQCA-IBAEA-QCAIB-AEAQC-AIBAE-AQCAQ-CAIBA-EAQCA-IBAEA-QCAIB-\
                        AEAQC-AIBAE-AQCAI-BAEAQ-CAIBA-EAQC7-77777-YBAAD-MAAAC-A4IVC-ZHOKC-KQ";

    /// Three codes, made at the start.
    fn invites() -> (Invites, [Code; 3]) {
        let mut invites = Invites::default();
        let codes = [1, 2, 3].map(|minutes| {
            let mut code = Code::parse(CODE).expect("a code");
            code.expires.0 -= 60 * minutes;
            code
        });
        for code in &codes {
            invites.add(code.clone(), moment(0).now);
        }
        (invites, codes)
    }

    fn states(invites: &Invites) -> Vec<InviteState> {
        let shown = invites.shown(moment(0).now);
        shown.into_iter().map(|invite| invite.state).collect()
    }

    #[test]
    fn a_code_is_withdrawn_by_its_number_or_with_all_that_are_open() {
        use InviteState::{Open, UsedBy, Withdrawn};
        let (mut invites, [first, second, third]) = invites();
        assert_eq!(invites.withdraw(Some(2)), [second]);
        assert_eq!(states(&invites), [Open, Withdrawn, Open]);
        assert_eq!(invites.withdraw(Some(2)), [], "it is withdrawn already");
        assert_eq!(invites.withdraw(Some(4)), [], "there is none of this number");
        invites.set_state(&first, &UsedBy("Bob".into()));
        assert_eq!(invites.withdraw(None), [third]);
        assert_eq!(states(&invites), [UsedBy("Bob".into()), Withdrawn, Withdrawn]);
    }

    #[test]
    fn a_machine_that_slept_has_older_codes() {
        let (mut invites, _) = invites();
        let left = |invites: &Invites| invites.shown(moment(10).now)[0].expires_in;
        let before = left(&invites);
        invites.handle_sleep(Duration::from_secs(60), moment(10).now);
        assert_eq!(left(&invites) + Duration::from_secs(60), before);
        invites.handle_sleep(Duration::from_secs(1 << 40), moment(10).now);
        assert_eq!(left(&invites), Duration::ZERO);
    }
}
