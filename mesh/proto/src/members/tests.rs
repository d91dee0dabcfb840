use super::*;

const CONN: ConnId = ConnId(1);

fn at(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

/// These members, known since `now`.
fn members(peers: &[PeerId], now: Instant) -> Members {
    let mut members = Members::default();
    for peer in peers {
        assert!(members.meet(*peer, Name::new("Ann"), PeerId::random(), now));
    }
    members
}

#[test]
fn who_has_no_link_and_whom_nobody_sees_is_gone_once_and_is_back_with_a_link() {
    let start = Instant::now();
    let [ann, bob] = [PeerId::random(), PeerId::random()];
    let mut members = members(&[ann, bob], start);
    assert!(!members.meet(ann, Name::new("Ann"), bob, start), "known");
    for peer in [&ann, &bob] {
        assert_eq!(members.handle_linked(peer, CONN, start), Some(false));
    }
    members.handle_heartbeat(&bob, CONN, BTreeSet::from([ann]), BTreeSet::new());
    assert_eq!(
        members.handle_unlinked(&ann, ConnId(9), start),
        None,
        "another link"
    );
    assert_eq!(members.handle_unlinked(&ann, CONN, start), Some(None));
    assert_eq!(members.poll_gone(at(start, 5000)), [], "Bob sees her");
    members.handle_heartbeat(&bob, CONN, BTreeSet::new(), BTreeSet::new());
    assert_eq!(members.poll_gone(at(start, 1199)), []);
    assert_eq!(members.poll_gone(at(start, 1200)), [(ann, false)]);
    assert_eq!(members.poll_gone(at(start, 9000)), [], "once");
    assert_eq!(members.here(), BTreeSet::from([bob]));
    assert_eq!(
        members.handle_linked(&ann, ConnId(2), at(start, 9000)),
        Some(true)
    );
    assert_eq!(members.here(), BTreeSet::from([ann, bob]));
}

#[test]
fn who_was_only_heard_of_has_longer_and_a_blocked_path_is_this_sides_fault() {
    let start = Instant::now();
    let ann = PeerId::random();
    let mut members = members(&[ann], start);
    assert_eq!(members.poll_gone(at(start, 5999)), []);
    let obstacle = crate::gate::Obstacle::Forbidden;
    members.get_mut(&ann).expect("known").unreached = Some(Unreached::Blocked(obstacle));
    assert_eq!(members.poll_gone(at(start, 6000)), [(ann, true)]);
}

#[test]
fn a_former_link_goes_with_the_one_that_serves() {
    let now = Instant::now();
    let ann = PeerId::random();
    let mut members = members(&[ann], now);
    members.handle_linked(&ann, CONN, now);
    members.handle_linked(&ann, ConnId(2), now);
    members.get_mut(&ann).expect("known").former = Some(CONN);
    assert_eq!(members.handle_unlinked(&ann, ConnId(2), now), Some(Some(CONN)));
    assert_eq!(members.links(), []);
}

#[test]
fn holes_are_mended_by_the_smallest_that_could_and_once_heartbeats_are_believed() {
    let start = Instant::now();
    let mut peers = [(); 4].map(|()| PeerId::random());
    peers.sort();
    let [smaller, me, ann, bob] = peers;
    let mut members = members(&[smaller, ann, bob], start);
    for (peer, sees) in [(smaller, vec![me]), (ann, vec![me]), (bob, vec![me])] {
        members.handle_linked(&peer, CONN, start);
        members.handle_heartbeat(&peer, CONN, sees.into_iter().collect(), BTreeSet::new());
    }
    let settled = at(start, 2000);
    assert_eq!(members.holes(me, &peers, at(start, 1999)), []);
    assert!(members.holes(me, &peers, settled).contains(&(ann, bob)));
    // Who is smaller and sees both does it.
    members.handle_heartbeat(&smaller, CONN, BTreeSet::from([me, ann, bob]), BTreeSet::new());
    assert!(!members.holes(me, &peers, settled).contains(&(ann, bob)));
    // And nobody, once they see each other.
    members.handle_heartbeat(&smaller, CONN, BTreeSet::from([me]), BTreeSet::new());
    members.handle_heartbeat(&ann, CONN, BTreeSet::from([me, bob]), BTreeSet::new());
    assert!(
        members.holes(me, &peers, settled).contains(&(ann, bob)),
        "only one says so"
    );
    members.handle_heartbeat(&bob, CONN, BTreeSet::from([me, ann]), BTreeSet::new());
    assert!(!members.holes(me, &peers, settled).contains(&(ann, bob)));
}

#[test]
fn offline_nobody_is_dialled_and_nobody_is_late() {
    let start = Instant::now();
    let ann = PeerId::random();
    let mut members = members(&[ann], start);
    assert!(members.seek(&ann, start) && !members.seek(&PeerId::random(), start));
    assert!(members.poll_seek(false, start).0.is_empty(), "there is no secret");
    members.get_mut(&ann).expect("known").reconnect = Some((CONN, Secret([1; 32])));
    let late = at(start, 60_000);
    assert!(members.poll_seek(true, at(start, 30_000)).0.is_empty());
    let (due, told) = members.poll_seek(false, late);
    assert_eq!((due.len(), due[0].peer, due[0].count), (1, ann, 1));
    assert_eq!(told, [ann]);
    assert!(
        members.poll_seek(false, at(late, 60_000)).1.is_empty(),
        "told once"
    );
    members.stop_seeking(&ann);
    assert_eq!(members.next_seek(), None);
}
