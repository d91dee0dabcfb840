//! Three participants in three network namespaces behind a bridge that is listened to. Each test says what it needs, and
//! `./run test` runs those whose needs are met.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sightline::event::{Event, LedgerRow, Stats, Step};
use sightline_tests::network::{Network, ip};
use sightline_tests::pick;
use sightline_tests::program::{self, PATIENCE, Program, code_to, is_loud};
use sightline_tests::screen::Screen;

const NEEDS: &str = "what this test needs";

/// Everything that passes an interface, written by tcpdump.
struct Capture {
    tcpdump: Child,
    file: tempfile::NamedTempFile,
}

const UDP: u8 = 17;

/// From where, and to where.
type Ends = (SocketAddr, SocketAddr);

/// Payload, bytes.
type Traffic = BTreeMap<Ends, u64>;

/// A captured IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Packet {
    from: SocketAddr,
    to: SocketAddr,
    protocol: u8,
    /// UDP payload, bytes; of a batch that the kernel has not cut yet, all of it.
    len: u64,
}

impl Capture {
    fn start(namespace: &str, interface: &str) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("a path");
        let tcpdump = Command::new("ip")
            .args(["netns", "exec", namespace, "tcpdump", "-i", interface])
            .args([
                "-n",
                // The headers are enough: how long a packet is stands in them.
                "-s",
                "128",
                "-U",
                "--immediate-mode",
                "-B",
                "16384",
                "-Z",
                "root",
                "-w",
                path,
            ])
            .stderr(Stdio::null())
            .spawn()
            .expect("tcpdump");
        let capture = Self { tcpdump, file };
        // The file's header is written once tcpdump listens.
        let deadline = Instant::now() + PATIENCE;
        while std::fs::metadata(capture.file.path()).map_or(0, |found| found.len()) < 24 {
            assert!(Instant::now() < deadline, "tcpdump does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        capture
    }

    /// Ethernet frames.
    fn frames(&self) -> Vec<Vec<u8>> {
        let bytes = std::fs::read(self.file.path()).expect("a capture");
        let mut rest = bytes.get(24..).unwrap_or_default();
        let mut frames = Vec::new();
        while let Some((header, after)) = rest.split_at_checked(16) {
            let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
            let Some((frame, after)) = after.split_at_checked(length) else {
                break;
            };
            frames.push(frame.to_vec());
            rest = after;
        }
        frames
    }

    fn packets(&self) -> Vec<Packet> {
        self.frames().iter().filter_map(|frame| packet(frame)).collect()
    }

    /// Payload from one address to the other, bytes.
    fn traffic(&self) -> Traffic {
        let mut traffic = BTreeMap::new();
        for packet in self.packets() {
            *traffic.entry((packet.from, packet.to)).or_default() += packet.len;
        }
        traffic
    }

    /// Waits until tcpdump has written down what `told` says of the packets for which `is_meant` holds: it lags behind
    /// the network.
    fn expect(&self, told: &Traffic, is_meant: impl Fn(&Ends) -> bool) {
        let meant = |traffic: &Traffic| -> Traffic {
            let meant = traffic.iter().filter(|(ends, _)| is_meant(ends));
            meant.map(|(ends, bytes)| (*ends, *bytes)).collect()
        };
        let told = meant(told);
        assert!(!told.is_empty(), "nothing to compare");
        let deadline = Instant::now() + PATIENCE;
        while meant(&self.traffic()) != told && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(
            meant(&self.traffic()),
            told,
            "the capture and what the ledgers say"
        );
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ended = self.tcpdump.kill();
        let _ended = self.tcpdump.wait();
    }
}

/// ICMPv6 by which the kernel says which multicast addresses it listens to (RFC 2710, RFC 3810), and finds routers
/// and neighbours (RFC 4861).
const KERNELS_OWN: [u8; 8] = [130, 131, 132, 133, 134, 135, 136, 143];

/// Of an Ethernet frame. ARP is not IP, and what takes its place over IPv6 is left out as well: the kernel needs it
/// to reach an approved neighbour.
fn packet(frame: &[u8]) -> Option<Packet> {
    const HOP_BY_HOP: u8 = 0;
    const ICMPV6: u8 = 58;
    const UDP_HEADER: usize = 8;
    let (ethernet, ip) = frame.split_at_checked(14)?;
    let number = |at: usize| u16::from_be_bytes([ip[at], ip[at + 1]]);
    let address_4 = |at: usize| IpAddr::from(<[u8; 4]>::try_from(&ip[at..at + 4]).expect("four"));
    let address_6 = |at: usize| IpAddr::from(<[u8; 16]>::try_from(&ip[at..at + 16]).expect("sixteen"));
    let (protocol, from, to, header, total) = match ethernet[12..] {
        [0x08, 0x00] => {
            let header = usize::from(ip[0] & 0x0f) * 4;
            (
                ip[9],
                address_4(12),
                address_4(16),
                header,
                usize::from(number(2)),
            )
        }
        [0x86, 0xdd] => {
            // Reports about multicast stand behind one header of options.
            let (protocol, header) = match ip[6] {
                HOP_BY_HOP => (ip[40], 40 + 8 * (usize::from(ip[41]) + 1)),
                protocol => (protocol, 40),
            };
            if protocol == ICMPV6 && KERNELS_OWN.contains(&ip[header]) {
                return None;
            }
            (
                protocol,
                address_6(8),
                address_6(24),
                header,
                40 + usize::from(number(4)),
            )
        }
        _ => return None,
    };
    let has_ports = ip.len() >= header + 4;
    let port = |at: usize| if has_ports { number(header + at) } else { 0 };
    Some(Packet {
        from: SocketAddr::new(from, port(0)),
        to: SocketAddr::new(to, port(2)),
        protocol,
        len: total.saturating_sub(header + UDP_HEADER) as u64,
    })
}

/// What a program's last ledger says of each pair of addresses, as `pick` finds it in a row; nothing is left out.
fn ledger(program: &Program, pick: impl Fn(&LedgerRow) -> (Ends, u64)) -> Traffic {
    let mut said = program.seen.iter().rev();
    let rows = said.find_map(pick!(Event::Ledger(ledger) => ledger.rows.clone()));
    let rows = rows.expect("a ledger");
    rows.iter().map(pick).filter(|(_, bytes)| *bytes > 0).collect()
}

fn sent(program: &Program) -> Traffic {
    ledger(program, |row| ((row.local, row.remote), row.counts.sent_bytes))
}

fn received(program: &Program) -> Traffic {
    ledger(program, |row| ((row.remote, row.local), row.counts.recv_bytes))
}

/// Everybody leaves. Returns what all of them say they sent.
fn leave_all(people: &mut [Program]) -> Traffic {
    let mut told = BTreeMap::new();
    for person in people {
        person.leave();
        told.extend(sent(person));
    }
    told
}

/// Waits for a second in which speech was heard.
fn hears(person: &mut Program) {
    person.wait("stats");
    while !is_loud(&person.stats()) {}
}

/// The newest route on which media flows.
fn active(program: &Program) -> Step {
    let mut said = program.seen.iter().rev();
    let active = said.find_map(pick!(Event::Route(step) if step.route.state == "active" => step.clone()));
    active.expect("a route")
}

fn interface(step: &Step) -> Option<&str> {
    step.route.path.interface.as_deref()
}

/// Programs that make no call, then a call of three by these addresses: nothing passes but what the ledgers say.
fn compare(network: &Network, address: fn(&Network, usize) -> String) {
    let capture = Capture::start(&network.bridge(), "br0");
    for arguments in [&["devices"][..], &["inspect", "ABC"], &["--help"]] {
        Program::start(arguments, Some(&network.host(0))).status();
    }
    assert_eq!(capture.packets(), [], "nothing is sent without a call");

    let mut people = network.call_on(address);
    for _ in 0..2 {
        people[0].wait("stats");
    }
    let told = leave_all(&mut people);
    capture.expect(&told, |_| true);
    assert_eq!(told.len(), 6, "three pairs, each both ways");
    assert_eq!(capture.traffic().len(), 6, "and nothing else");
    // Who leaves last has been sent everything that the ledger counts, and refused at most the others' last words.
    const LAST_WORDS: u64 = 2000;
    let captured = capture.traffic();
    for (ends, bytes) in received(&people[2]) {
        assert!(
            (bytes..bytes + LAST_WORDS).contains(&captured[&ends]),
            "{ends:?}: {bytes}"
        );
    }
    let odd: Vec<_> = capture
        .packets()
        .into_iter()
        .filter(|packet| packet.protocol != UDP || packet.to.port() == 53 || packet.to.ip().is_multicast())
        .collect();
    assert_eq!(odd, []);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn the_capture_shows_exactly_what_the_ledgers_say_and_nothing_before_a_call() {
    let network = Network::new(3).expect(NEEDS);
    compare(&network, Network::address);
}

#[test]
#[ignore = "needs root, ip, nft, tcpdump and a kernel with IPv6"]
fn over_ipv6_too_the_capture_shows_exactly_what_the_ledgers_say() {
    let network = Network::new(3).expect(NEEDS);
    network.add_ipv6();
    compare(&network, Network::address_6);
}

#[test]
#[ignore = "needs root, ip, nft, tcpdump, Xvfb, xdotool, ImageMagick and OpenGL"]
fn nothing_leaves_and_no_socket_is_open_before_a_call_in_the_window() {
    let network = Network::new(2).expect(NEEDS);
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/window-before");
    let screen = Screen::start("1080x720", pictures).expect(NEEDS);
    let [bob, ann] = [0, 1].map(|host| -> IpAddr { network.address(host).parse().expect("an address") });
    let mut starter = network.start(1, &["start", "--admit", "code"]);
    let code = starter.code();
    let host = network.host(0);
    let [outside, inside] = ["eth0", "lo"].map(|interface| Capture::start(&host, interface));
    let folder = tempfile::tempdir().expect("a folder");
    let assert_quiet = |window: &Program| {
        assert_eq!(window.sockets().as_deref(), Some(&[][..]));
        assert!(outside.frames().is_empty(), "{:?}", outside.frames());
    };

    let (mut window, start) = screen.open(folder.path(), "eth0", Some(&host));
    assert_quiet(&window);
    let _start_the_call = screen.prepare(start);
    assert_quiet(&window);
    screen.press("ctrl+q");
    assert_eq!(window.status(), 0);

    let (window, _) = screen.open(folder.path(), "eth0", Some(&host));
    let join = screen.enter_code(&code);
    assert_quiet(&window);
    let button = screen.prepare(join);
    assert_quiet(&window);
    // What is captured is in order: had anything left before, it would stand before what leaves now.
    screen.click(button);
    starter.wait("joined");
    assert!(
        window.sockets().is_some_and(|sockets| !sockets.is_empty()),
        "in a call they are seen"
    );
    let first = || outside.packets().first().copied();
    let deadline = Instant::now() + PATIENCE;
    while first().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let first = first().expect("the first packet of the call");
    assert_eq!((first.from.ip(), first.to.ip(), first.protocol), (bob, ann, UDP));
    assert!(inside.frames().is_empty(), "{:?}", inside.frames());
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn when_the_chosen_interface_goes_away_not_one_packet_takes_another_and_the_call_comes_back() {
    let network = Network::new(2).expect(NEEDS);
    for host in 0..2 {
        network.interface(host, "eth1", "up");
    }
    let elsewhere = Capture::start(&network.bridge(), "br0");
    let chosen = Capture::start(&network.bridge(), "br1");
    let pinned = ["--interface", "eth1"];
    let mut ann = network.start_on(
        0,
        &network.other_address(0),
        &[&["start", "--admit", "code"], &pinned[..]].concat(),
    );
    let code = ann.code();
    let mut bob = network.start_on(
        1,
        &network.other_address(1),
        &[&["join", "-"], &pinned[..]].concat(),
    );
    bob.tell(&code);
    ann.wait("first_audio");
    bob.wait("first_audio");
    assert_eq!(interface(&active(&bob)), Some("eth1"));

    // The default route, by the other interface, stays.
    network.interface(1, "eth1", "down");
    assert_eq!(bob.route("paused").reason, "interface_gone");
    bob.wait_for_problem("interface_gone");
    ann.wait("left");
    network.interface(1, "eth1", "up");
    bob.route("active");
    ann.wait("joined");
    hears(&mut ann);
    hears(&mut bob);
    let told = leave_all(&mut [ann, bob]);
    assert_eq!(elsewhere.packets(), [], "something took the other interface");
    chosen.expect(&told, |_| true);
}

/// Ann and Bob, who hear each other by `eth1`, Bob's from `address` and with these options.
fn call_on_eth1(network: &Network, address: &str, options: &[&str]) -> [Program; 2] {
    for host in 0..2 {
        network.interface(host, "eth1", "up");
    }
    let mut ann = network.start_on(0, &network.other_address(0), &["start", "--admit", "code"]);
    let code = ann.code();
    let mut bob = network.start_on(1, address, &[&["join", "-"], options].concat());
    bob.tell(&code);
    ann.wait("first_audio");
    bob.wait("first_audio");
    [ann, bob]
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn an_address_with_a_label_is_kept_to_its_interface_as_any_other() {
    for options in [&["--interface", "eth1"][..], &[]] {
        let network = Network::new(2).expect(NEEDS);
        let (host, labelled) = (network.host(1), "10.78.0.22");
        ip(&format!("-n {host} addr add {labelled}/24 dev eth1 label eth1:1"));
        // What is not kept to its interface takes the other one.
        let ann = network.other_address(0);
        ip(&format!("-n {host} route add {ann}/32 via 10.77.0.254"));
        for scope in ["all", "eth0", "eth1"] {
            network.set(&host, &format!("net/ipv4/conf/{scope}/rp_filter"), 0);
        }
        let elsewhere = Capture::start(&network.bridge(), "h1");
        let mut people = call_on_eth1(&network, labelled, options);
        assert_eq!(interface(&active(&people[1])), Some("eth1"));
        leave_all(&mut people);
        assert_eq!(elsewhere.packets(), [], "something took the other interface");
    }
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn when_the_chosen_interface_gets_another_name_nothing_goes_on_until_it_has_its_own_again() {
    let network = Network::new(2).expect(NEEDS);
    let elsewhere = Capture::start(&network.bridge(), "br0");
    let chosen = Capture::start(&network.bridge(), "br1");
    let address = network.other_address(1);
    let [mut ann, mut bob] = call_on_eth1(&network, &address, &["--interface", "eth1"]);
    network.rename(1, "eth1", "renamed0");
    assert_eq!(bob.route("paused").reason, "interface_gone");
    bob.wait_for_problem("interface_gone");
    // Ann calls several times meanwhile, and the socket is still there.
    ann.wait("left");
    network.rename(1, "renamed0", "eth1");
    assert_eq!(interface(&bob.route("active")), Some("eth1"));
    ann.wait("joined");
    hears(&mut ann);
    hears(&mut bob);
    let told = leave_all(&mut [ann, bob]);
    assert_eq!(elsewhere.packets(), [], "something took the other interface");
    chosen.expect(&told, |_| true);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn an_interface_that_gets_another_name_in_a_call_is_asked_about_and_shown_by_it() {
    let network = Network::new(2).expect(NEEDS);
    let [mut ann, mut bob] = call_on_eth1(&network, &network.other_address(1), &[]);
    network.rename(1, "eth1", "renamed0");
    let asked = bob.question();
    let [was, is] = [asked.old.as_ref(), Some(&asked.new.path)].map(|path| path?.interface.as_deref());
    assert_eq!((was, is), (Some("eth1"), Some("renamed0")));
    assert_eq!(asked.reason, "local_interface");
    bob.tell(&format!("approve {}", asked.id));
    assert_eq!(interface(&bob.route("active")), Some("renamed0"));
    hears(&mut ann);
    hears(&mut bob);
    leave_all(&mut [ann, bob]);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn when_both_interfaces_are_made_anew_the_call_comes_back_at_its_ports_and_codes_hold() {
    let network = Network::new(3).expect(NEEDS);
    for host in 0..3 {
        network.interface(host, "eth1", "up");
    }
    let address = |host: usize| format!("{}:{}", network.other_address(host), 4000 + host);
    let mut ann = network.start_on(0, &address(0), &["start", "--admit", "code"]);
    let [first, second] = [ann.code(), ann.another_code()];
    let mut bob = network.start_on(1, &address(1), &["join", "-"]);
    bob.tell(&first);
    ann.wait("first_audio");
    bob.wait("first_audio");
    for host in [0, 1] {
        ip(&format!("-n {} link del eth1", network.host(host)));
    }
    for host in [0, 1] {
        network.plug_in(host, 1);
        network.add_other_address(host);
        network.interface(host, "eth1", "up");
    }
    for (person, [here, there]) in [(&mut ann, [0, 1]), (&mut bob, [1, 0])] {
        let path = person.route("active").route.path;
        let ends = [path.local, path.remote].map(|end| end.to_string());
        assert_eq!(ends, [address(here), address(there)]);
        hears(person);
    }
    let mut carl = network.start_on(2, &address(2), &["join", "-"]);
    carl.tell(&second);
    carl.wait("joined");
    leave_all(&mut [ann, bob, carl]);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn a_call_moves_from_one_network_to_another_when_both_sides_agree() {
    let network = Network::new(3).expect(NEEDS);
    let captures = [
        Capture::start(&network.bridge(), "h0"),
        Capture::start(&network.bridge(), "h2"),
    ];
    let mut people = network.call();
    let [_, mover, _] = [0, 1, 2].map(|host| network.address(host));
    let old: IpAddr = mover.parse().expect("an address");
    // The cable is pulled out; another network is there.
    let host = network.host(1);
    network.interface(1, "eth0", "down");
    network.interface(1, "eth1", "up");
    ip(&format!("-n {host} route add default via 10.78.0.254"));
    let questions: Vec<_> = (0..2).map(|_| people[1].question()).collect();
    for question in &questions {
        assert_eq!(question.reason, "local_interface");
        let (was, is) = (question.old.as_ref().expect("a path"), &question.new.path);
        let interfaces = [was, is].map(|path| path.interface.as_deref());
        assert_eq!(interfaces, [Some("eth0"), Some("eth1")]);
        assert_eq!(was.local.ip(), old);
        people[1].tell(&format!("approve {}", question.id));
    }
    for listener in [0, 2] {
        let asked = people[listener].question();
        assert_eq!(asked.reason, "remote_address");
        people[listener].tell(&format!("approve {}", asked.id));
        while people[listener].route("active").route.path.remote != asked.new.path.remote {}
    }
    for person in &mut people {
        hears(person);
    }
    // That nobody is shown as gone meanwhile is proven on virtual time (`routes`).
    assert_eq!(members(&people[0]).len(), 2, "the same identity");
    let told = leave_all(&mut people);
    for (capture, host) in captures.iter().zip([0, 2]) {
        let address: IpAddr = network.address(host).parse().expect("an address");
        capture.expect(&told, |(from, _)| from.ip() == address);
    }
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn a_nat_that_forgets_costs_a_pause_and_not_the_call() {
    let network = Network::new(2).expect(NEEDS);
    let capture = Capture::start(&network.bridge(), "h0");
    let mut ann = network.start(0, &["start", "--admit", "code"]);
    let code = ann.code();
    let address = format!("{}:4000", network.address(1));
    let mut bob = network.start_on(1, &address, &["join", "-"]);
    bob.tell(&code);
    ann.wait("first_audio");
    bob.wait("first_audio");
    network.rebind(1, 4000, 5000);
    let outside: SocketAddr = format!("{}:5000", network.address(1))
        .parse()
        .expect("an address");
    let mut active = ann.route("active");
    while active.route.path.remote != outside {
        active = ann.route("active");
    }
    assert_eq!(active.route.approved_by.as_deref(), Some("new_port"));
    hears(&mut ann);
    hears(&mut bob);
    let mut said = ann.seen.iter().chain(&bob.seen);
    assert!(
        !said.any(|event| matches!(event, Event::Ask { .. })),
        "a port alone is not asked about"
    );
    let told = leave_all(&mut [ann, bob]);
    let ann: IpAddr = network.address(0).parse().expect("an address");
    capture.expect(&told, |(from, _)| from.ip() == ann);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn each_reason_why_nobody_is_reached_is_told_apart() {
    let network = Network::new(2).expect(NEEDS);
    let mut ann = network.start(0, &["start", "--admit", "code"]);
    let code = ann.code();
    let (home, elsewhere) = (network.address(1), network.other_address(1));
    let reason = |address: &str, code: &str| network.joins_in_vain(1, address, code);
    let host = network.host(1);
    let udp = |what: &str| {
        format!(
            "add table inet shut; add chain inet shut {what} {{ type filter hook {what} priority 0; }}; \
             add rule inet shut {what} meta l4proto udp drop"
        )
    };

    // Its interface is down.
    assert_eq!(reason(&elsewhere, &code), ("not_up".into(), 0));
    network.filter(1, &udp("output"));
    assert_eq!(reason(&home, &code), ("firewall".into(), 1));
    network.filter(1, "delete table inet shut");
    ip(&format!("-n {host} link set eth0 mtu 1000"));
    assert_eq!(reason(&home, &code), ("too_large".into(), 1));
    ip(&format!("-n {host} link set eth0 mtu 1500"));
    ip(&format!("-n {host} link add br9 type bridge"));
    ip(&format!("-n {host} addr add 172.17.0.1/16 dev br9"));
    let bridge = code_to(&["172.17.0.1:4433"], &code);
    assert_eq!(reason(&home, &bridge), ("own_addresses".into(), 0));
    let other_kind = code_to(&["[fd00::1]:4433"], &code);
    assert_eq!(reason(&home, &other_kind), ("no_pair".into(), 0));
    network.filter(0, &udp("input"));
    assert_eq!(reason(&home, &code), ("unreachable".into(), 1));
    network.filter(0, "delete table inet shut");

    let mut bob = network.start(1, &["join", "-"]);
    bob.tell(&code);
    bob.wait("joined");
    leave_all(&mut [ann, bob]);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn who_starts_while_the_link_is_down_gets_the_code_when_it_comes_up_and_who_joins_waits_a_moment() {
    let network = Network::new(2).expect(NEEDS);
    let mut ann = network.start_on(0, &network.other_address(0), &["start", "--admit", "code"]);
    ann.wait_for_problem("no_address_yet");
    network.interface(0, "eth1", "up");
    let listening = ann.wait_for("an address", pick!(Event::Listening { local } => local.clone()));
    let code = ann.code();
    assert!(
        listening[0].ip().to_string() == network.other_address(0) && listening[0].port() != 0,
        "{listening:?}"
    );
    network.interface(1, "eth1", "up");
    let mut bob = network.start_on(1, &network.other_address(1), &["join", "-"]);
    bob.tell(&code);
    bob.wait("joined");
    leave_all(&mut [ann, bob]);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn a_firewall_that_is_switched_on_in_a_call_is_named() {
    let network = Network::new(2).expect(NEEDS);
    let mut people = network.call();
    network.filter(
        1,
        "add table inet shut; add chain inet shut o { type filter hook output priority 0; }; \
         add rule inet shut o meta l4proto udp drop",
    );
    people[1].wait_for_problem("member_firewall");
    assert_eq!(people[1].left().1, "cut_off");
    leave_all(&mut people);
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn where_only_small_packets_pass_it_is_said_and_pictures_come_in_small_ones() {
    let network = Network::new(2).expect(NEEDS);
    let mut people = network.call();
    people[0].tell("camera test");
    let sees = |person: &mut Program| while person.stats().video.fps < 15 {};
    sees(&mut people[1]);
    network.filter(
        1,
        "add table inet narrow; add chain inet narrow in { type filter hook input priority 0; }; \
         add rule inet narrow in meta l4proto udp meta length > 1200 drop",
    );
    let told = people[0].wait_for_problem("small_packets_only");
    assert!(told.peer.is_some(), "{told:?}");
    people[1].listen();
    for _ in 0..5 {
        sees(&mut people[1]);
    }
    let mut said = people[1].seen.iter();
    assert!(
        !said.any(|event| matches!(event, Event::Problem { code, .. } if code == "small_packets_only")),
        "the other way they pass"
    );
    leave_all(&mut people);
}

#[test]
#[ignore = "needs root, ip, nft, tcpdump and a kernel with IPv6"]
fn an_ipv6_link_local_address_serves_within_its_link() {
    let network = Network::new(2).expect(NEEDS);
    let [here, there] = [0, 1].map(|host| format!("{}%eth0", network.link_local(host)));
    let mut ann = network.start_on(0, &here, &["start", "--admit", "code"]);
    let code = ann.code();
    let mut bob = network.start_on(1, &there, &["join", "-"]);
    bob.tell(&code);
    for person in [&mut ann, &mut bob] {
        let path = person.route("active").route.path;
        for address in [path.local, path.remote].map(|address| address.to_string()) {
            assert!(address.starts_with("[fe80") && address.contains('%'), "{address}");
        }
        hears(person);
    }
    for person in [&mut ann, &mut bob] {
        person.leave();
    }
}

#[test]
#[ignore = "needs root, ip, nft, tcpdump and a kernel with IPv6"]
fn an_ipv6_address_that_another_machine_has_is_told_in_words() {
    let network = Network::new(2).expect(NEEDS);
    for host in [0, 1] {
        network.link_local(host);
        ip(&format!("-n {} addr add fd00::1/64 dev eth0", network.host(host)));
        let is_known = |said: &str| said.contains("dadfailed") || !said.contains("tentative");
        let said = network.ipv6(host, is_known);
        assert_eq!(said.contains("dadfailed"), host == 1, "{said}");
    }
    let output = Command::new("ip")
        .args(["netns", "exec", &network.host(1)])
        .arg(program::path())
        .args(["start", "--share", "fd00::1"])
        .output()
        .expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("another machine"), "{said}");
}

#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn two_programs_on_one_machine_meet_by_its_address_in_the_network() {
    let network = Network::new(1).expect(NEEDS);
    let mut ann = network.start(0, &["start", "--admit", "code"]);
    let code = ann.code();
    let mut bob = network.start(0, &["join", "-"]);
    bob.tell(&code);
    for person in [&mut ann, &mut bob] {
        hears(person);
    }
    leave_all(&mut [ann, bob]);
}

/// The ids of everybody who joined.
fn members(person: &Program) -> BTreeSet<String> {
    let joined = person.seen.iter();
    joined
        .filter_map(pick!(Event::Joined { peer, .. } => peer.clone()))
        .collect()
}

/// How much is missed with how much loss is told on virtual time (`link` and `playout` of media/proto), where no other
/// program takes the processor away, and measured by the bench `loss`.
#[test]
#[ignore = "needs root, ip, nft and tcpdump"]
fn when_every_tenth_packet_is_lost_everybody_is_heard_and_seen_and_what_was_lost_is_made_good() {
    let network = Network::new(3).expect(NEEDS);
    let capture = Capture::start(&network.bridge(), "br0");
    let mut people = network.call();
    for person in &mut people {
        person.tell("camera test");
    }
    for host in 0..3 {
        network.lose(host, 10);
    }
    for person in &mut people {
        let members = members(person);
        assert_eq!(members.len(), 2);
        for member in members {
            let mut until = |what: &str, is_so: &dyn Fn(&Stats) -> bool| {
                let of_member =
                    pick!(Event::Stats(stats) if stats.peer == member && is_so(stats) => (**stats).clone());
                person.wait_for(what, of_member)
            };
            until("that something is lost", &|stats| stats.loss > 0.0);
            let before = until("statistics", &|_| true).audio.recovered;
            until("sound made of what came", &|stats| stats.audio.recovered > before);
            until("parts of pictures sent again", &|stats| stats.repaired > Some(0));
            for _ in 0..3 {
                until("sound and pictures", &|stats| {
                    is_loud(stats) && stats.video.fps > 0
                });
            }
        }
    }
    // Packets are lost on the way in, behind where they are captured.
    capture.expect(&leave_all(&mut people), |_| true);
}
