use super::pairs::Locals;
use super::*;
use crate::address::MAX_PAIRS;
use crate::reach::Unreached;

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn interface(name: &str, address: &str, index: u32) -> Interface {
    Interface {
        name: name.into(),
        address: address.parse().expect("an address"),
        medium: Medium::Wifi,
        index,
    }
}

fn outputs(sockets: &mut Sockets) -> Vec<Output> {
    std::iter::from_fn(|| sockets.poll_output()).collect()
}

const HOME: &str = "192.0.2.1:5000";

/// One socket at home, on an interface that is up.
fn at_home() -> Sockets {
    let mut sockets = Sockets::new(
        vec![at(HOME)],
        Vec::new(),
        vec![interface("wlan0", "192.0.2.1", 2)],
        vec![at(HOME).ip()],
    );
    assert_eq!(outputs(&mut sockets), [Output::Listen(at(HOME))]);
    sockets
}

#[test]
fn when_an_address_goes_another_is_opened_but_nobody_is_told_of_it() {
    let now = Instant::now();
    let mut sockets = at_home();
    let mobile = interface("wwan0", "198.51.100.7", 3);
    assert_eq!(sockets.handle_interfaces(vec![mobile.clone()], now), Some(true));
    let elsewhere = at("198.51.100.7:5000");
    assert_eq!(
        outputs(&mut sockets),
        [Output::Ignore(at(HOME)), Output::Bind(elsewhere)]
    );
    assert!(sockets.is_offline(), "until the socket is there");
    assert_eq!(
        sockets.handle_bound(elsewhere, elsewhere),
        Bound {
            is_other_place: false,
            is_shared_anew: false
        }
    );
    assert!(!sockets.is_offline() && !sockets.is_shared(&elsewhere));
    assert_eq!(
        sockets.shared_addresses(),
        [],
        "the shared one is gone, the other not shared"
    );
    assert_eq!(
        sockets.handle_interfaces(vec![mobile], now),
        None,
        "nothing has changed"
    );
}

#[test]
fn an_address_that_is_back_gets_its_old_port_and_one_that_never_comes_back_is_let_go() {
    let now = Instant::now();
    let mut sockets = at_home();
    let mobile = interface("wwan0", "198.51.100.7", 3);
    let elsewhere = at("198.51.100.7:5000");
    sockets.handle_interfaces(vec![mobile], now);
    sockets.handle_bound(elsewhere, elsewhere);
    outputs(&mut sockets);
    // Home again: its interface was made anew, so the socket is opened anew; the other one is of no use any more.
    let home = interface("wlan0", "192.0.2.1", 9);
    assert_eq!(sockets.handle_interfaces(vec![home], now), Some(true));
    assert_eq!(
        outputs(&mut sockets),
        [
            Output::Bind(at(HOME)),
            Output::Listen(at(HOME)),
            Output::Unbind(elsewhere)
        ]
    );
    assert!(sockets.may_open_again(&at(HOME)) && !sockets.is_open_on(&at(HOME)));
    sockets.handle_bound(at(HOME), at(HOME));
    assert_eq!(sockets.shared_addresses(), [at(HOME)]);
}

#[test]
fn where_another_program_has_the_port_another_one_stands_in_and_the_old_one_is_tried_again() {
    let now = Instant::now();
    let mut sockets = at_home();
    sockets.handle_interfaces(Vec::new(), now);
    sockets.handle_interfaces(vec![interface("wlan0", "192.0.2.1", 9)], now);
    outputs(&mut sockets);
    assert!(sockets.handle_port_taken(at(HOME), now), "the user is to know");
    assert_eq!(outputs(&mut sockets), [Output::Bind(at("192.0.2.1:0"))]);
    let other = at("192.0.2.1:6000");
    let bound = sockets.handle_bound(at("192.0.2.1:0"), other);
    assert!(bound.is_other_place && bound.is_shared_anew);
    assert!(sockets.is_shared(&other));
    outputs(&mut sockets);
    sockets.handle_timeout(now + OPEN_AGAIN / 2);
    assert_eq!(outputs(&mut sockets), []);
    sockets.handle_timeout(now + OPEN_AGAIN);
    assert_eq!(outputs(&mut sockets), [Output::Bind(at(HOME))]);
    // A socket that cannot be kept to its interface is not tried until that changes.
    sockets.handle_not_pinned(at(HOME));
    sockets.handle_timeout(now + 10 * OPEN_AGAIN);
    assert_eq!(outputs(&mut sockets), []);
}

#[test]
fn pairs_lead_to_somebody_else_from_addresses_that_may_be_known_first() {
    let mut sockets = at_home();
    let second = at("10.0.0.1:5000");
    let interfaces = vec![
        interface("wlan0", "192.0.2.1", 2),
        interface("eth0", "10.0.0.1", 3),
    ];
    sockets.handle_interfaces(interfaces, Instant::now());
    sockets.handle_bound(second, second);
    let remote = at("203.0.113.5:7000");
    assert_eq!(
        sockets.pairs(Locals::Shared, &[remote, remote]),
        [(at(HOME), remote)]
    );
    let all = Locals::All(None);
    assert_eq!(
        sockets.pairs(all, &[remote]),
        [(at(HOME), remote), (second, remote)]
    );
    let last = Locals::All(Some(second));
    assert_eq!(
        sockets.pairs(last, &[remote]),
        [(second, remote), (at(HOME), remote)]
    );
    // Its own address leads to another program on this machine, and from nowhere else.
    let own = at("192.0.2.1:8000");
    assert_eq!(sockets.pairs(all, &[own]), [(at(HOME), own)]);
    assert_eq!(sockets.pairs(all, &[at(HOME)]), []);
    let many: Vec<_> = (1..100).map(|n| SocketAddr::new(remote.ip(), n)).collect();
    assert_eq!(sockets.pairs(all, &many).len(), MAX_PAIRS);
}

#[test]
fn why_there_is_no_pair_is_known() {
    let now = Instant::now();
    let mut sockets = at_home();
    assert_eq!(sockets.why_no_pair(&[at("[2001:db8::1]:1")]), Unreached::NoPair);
    sockets.handle_own_addresses(vec![at(HOME).ip(), at("172.17.0.1:1").ip()]);
    assert_eq!(sockets.why_no_pair(&[at("172.17.0.1:1")]), Unreached::Own);
    sockets.handle_interfaces(Vec::new(), now);
    assert_eq!(sockets.why_no_pair(&[at("203.0.113.5:7000")]), Unreached::NotUp);
}
