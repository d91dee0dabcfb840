use super::*;

const ONE: DialId = DialId(1);
const TWO: DialId = DialId(2);

fn pair(n: u16) -> Pair {
    (([192, 0, 2, 1], 1).into(), ([198, 51, 100, 1], n).into())
}

fn begin(target: Target, pairs: Vec<Pair>, second_at: Option<Instant>) -> Begin<'static> {
    Begin {
        target,
        secret: Secret([7; 32]),
        remotes: &[],
        pairs,
        second_at,
        may_wait: false,
    }
}

fn member() -> Target {
    Target::Member(PeerId::random(), PeerId::random())
}

#[test]
fn pairs_are_tried_in_order_those_without_a_question_first_each_a_little_later() {
    let now = Instant::now();
    let mut dials = Dials::default();
    dials.begin(ONE, begin(member(), vec![pair(1), pair(2), pair(3)], None), now);
    let mut order = Vec::new();
    let mut at = Vec::new();
    let mut time = now;
    while let Some(due) = dials.poll_timeout() {
        time = time.max(due);
        at.push(time - now);
        let next = dials.poll_pair(ONE, Some(pair(2)), false);
        let Some(Next::Try(pair)) = next else {
            panic!("a pair: {next:?}");
        };
        order.push(pair.1.port());
        dials.handle_dialled(ONE, AttemptId(order.len() as u64), RouteId(1), time);
    }
    assert_eq!(order, [2, 1, 3]);
    let millis: Vec<_> = at.iter().map(Duration::as_millis).collect();
    assert_eq!(millis, [0, 300, 900]);
}

#[test]
fn there_is_one_question_about_a_member_and_the_other_dials_pairs_wait_with_it() {
    let now = Instant::now();
    let target = member();
    let back = Target::Reconnect(target.peer().expect("a member"), ConnId(4));
    let mut dials = Dials::default();
    dials.begin(ONE, begin(target, vec![pair(1), pair(3)], None), now);
    dials.begin(TWO, begin(back, vec![pair(2)], None), now);
    assert_eq!(dials.poll_pair(ONE, None, false), Some(Next::Try(pair(1))));
    dials.handle_asked(ONE, AttemptId(1), RouteId(1));
    assert_eq!(dials.poll_pair(TWO, None, true), Some(Next::Wait));
    dials.wait_for_answer(TWO, now);
    assert!(dials.take_over(TWO, now).is_some_and(|dial| dial.has_tried));
    assert_eq!(dials.asking().collect::<Vec<_>>(), [target]);
    // Its own question: it looks again later.
    assert_eq!(dials.poll_pair(ONE, None, true), Some(Next::Wait));
    dials.wait_for_answer(ONE, now);
    assert_eq!(dials.poll_timeout(), Some(now + LOOK_AGAIN));
    assert_eq!(dials.handle_answer(RouteId(9), now), []);
    assert_eq!(dials.handle_answer(RouteId(1), now), [(ONE, AttemptId(1))]);
}

#[test]
fn a_second_dial_asks_nobody() {
    let now = Instant::now();
    let mut dials = Dials::default();
    let later = now + Duration::from_secs(1);
    dials.begin(ONE, begin(member(), vec![pair(1)], Some(later)), now);
    assert_eq!(dials.poll_timeout(), Some(later));
    assert_eq!(dials.poll_pair(ONE, None, false), Some(Next::Wait));
    dials.wait_for_answer(ONE, later);
    assert!(dials.take_over(ONE, later).is_some());
}

#[test]
fn newer_secrets_go_to_running_dials_and_no_introducer_has_more_than_its_share() {
    let now = Instant::now();
    let introducer = PeerId::random();
    let mut dials = Dials::default();
    let first = Target::Member(PeerId::random(), introducer);
    let newer = Secret([8; 32]);
    assert!(!dials.refresh(first, &newer, true), "there is none");
    dials.begin(ONE, begin(first, vec![pair(1)], None), now);
    assert!(dials.refresh(first, &newer, true));
    assert!(dials.get(ONE).is_some_and(|dial| dial.secret.0 == newer.0));
    for n in 2..=MAX_DIALS_EACH as u64 {
        let other = Target::Member(PeerId::random(), introducer);
        assert!(!dials.refresh(other, &newer, true), "{n}");
        dials.begin(DialId(n), begin(other, vec![pair(1)], None), now);
    }
    assert!(dials.refresh(Target::Member(PeerId::random(), introducer), &newer, true));
    assert!(!dials.refresh(member(), &newer, true), "another introducer");
}

#[test]
fn pairs_are_bounded_known_once_and_forgotten_with_the_address() {
    let now = Instant::now();
    let mut dials = Dials::default();
    let many: Vec<_> = (1..100).chain(1..100).map(pair).collect();
    dials.begin(ONE, begin(Target::Inviter, many.clone(), None), now);
    assert_eq!(dials.0[&ONE].known.len(), MAX_PAIRS);
    dials.add_pairs_to_inviter(|_| many.clone());
    assert_eq!(dials.0[&ONE].waiting.len(), MAX_PAIRS);
    dials.forget_gone(&[], &[], now);
    assert!(dials.take_over(ONE, now).is_none(), "the address may come back");
    assert!(dials.take_over(ONE, now + LINK_TIME).is_some());
}

#[test]
fn an_attempt_that_connects_ends_its_dial_and_one_that_fails_does_not() {
    let now = Instant::now();
    let mut dials = Dials::default();
    dials.begin(ONE, begin(member(), vec![pair(1), pair(2)], None), now);
    for n in 1..=2 {
        dials.poll_pair(ONE, Some(pair(1)), false);
        dials.handle_dialled(ONE, AttemptId(n), RouteId(n), now);
    }
    assert_eq!(
        dials.handle_failed(AttemptId(1), Some(Delivery::Sent), now),
        Some(ONE)
    );
    assert_eq!(dials.handle_failed(AttemptId(1), None, now), None, "once");
    let (dial, route) = dials.handle_connected(AttemptId(2)).expect("a dial");
    assert_eq!((dial.attempt_ids(), route), (vec![AttemptId(2)], RouteId(2)));
    assert_eq!(dials.ids(), []);
}
