//! Three participants in three network namespaces behind a bridge that is listened to. Needs root, `ip`, `nft`
//! and `tcpdump`, and for the window a screen (`Xvfb`); where one is missing these tests say so and pass.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use sightline_tests::program::{PATIENCE, Program, code_to};
use sightline_tests::screen::Screen;

static NETWORKS: AtomicU32 = AtomicU32::new(0);

/// A bridge in a namespace of its own, with one further namespace for each participant.
struct Network {
    prefix: String,
    hosts: usize,
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

fn ip(arguments: &str) {
    let arguments: Vec<_> = arguments.split(' ').collect();
    assert!(succeeds("ip", &arguments), "ip {}", arguments.join(" "));
}

impl Network {
    /// `None`, said on standard error, where it cannot be made. Everybody's `eth0` is on one bridge, 10.77.0.0/24;
    /// their `eth1`, which is down at first, is on another, 10.78.0.0/24; a router joins the two.
    fn new(hosts: usize) -> Option<Self> {
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("sl{}x{number}", std::process::id() % 10_000);
        let probe = format!("{prefix}p");
        let can_make = succeeds("ip", &["netns", "add", &probe]);
        let has_tools = succeeds("tcpdump", &["--version"]) && succeeds("nft", &["--version"]);
        succeeds("ip", &["netns", "del", &probe]);
        if !can_make || !has_tools {
            eprintln!("skipped: needs root, `ip netns`, `nft` and `tcpdump`");
            return None;
        }
        let network = Self { prefix, hosts };
        let bridge = network.bridge();
        ip(&format!("netns add {bridge}"));
        network.quiet(&bridge);
        network.set(&bridge, "net/ipv4/ip_forward", 1);
        for side in [0, 1] {
            ip(&format!(
                "-n {bridge} link add br{side} type bridge mcast_snooping 0"
            ));
            ip(&format!(
                "-n {bridge} addr add 10.7{}.0.254/24 dev br{side}",
                7 + side
            ));
            ip(&format!("-n {bridge} link set br{side} up"));
        }
        for host in 0..hosts {
            let name = network.host(host);
            ip(&format!("netns add {name}"));
            network.quiet(&name);
            for (side, port) in [(0, "h"), (1, "k")] {
                ip(&format!(
                    "-n {name} link add eth{side} type veth peer name {port}{host} netns {bridge}"
                ));
                ip(&format!("-n {bridge} link set {port}{host} master br{side} up"));
            }
            ip(&format!(
                "-n {name} addr add {}/24 dev eth0",
                network.address(host)
            ));
            ip(&format!(
                "-n {name} addr add {}/24 dev eth1",
                network.other_address(host)
            ));
            ip(&format!("-n {name} link set lo up"));
            ip(&format!("-n {name} link set eth0 up"));
            ip(&format!("-n {name} route add default via 10.77.0.254"));
        }
        Some(network)
    }

    /// Through `/proc`: `sysctl` is not on every machine.
    fn set(&self, namespace: &str, setting: &str, value: u8) {
        let write = format!("echo {value} > /proc/sys/{setting}");
        succeeds("ip", &["netns", "exec", namespace, "sh", "-c", &write]);
    }

    fn interface(&self, host: usize, interface: &str, state: &str) {
        ip(&format!("-n {} link set {interface} {state}", self.host(host)));
    }

    /// The kernel's own IPv6 announcements would only blur what is listened for.
    fn quiet(&self, namespace: &str) {
        for scope in ["all", "default"] {
            self.set(namespace, &format!("net/ipv6/conf/{scope}/disable_ipv6"), 1);
        }
    }

    fn bridge(&self) -> String {
        format!("{}b", self.prefix)
    }

    fn host(&self, host: usize) -> String {
        format!("{}h{host}", self.prefix)
    }

    fn address(&self, host: usize) -> String {
        format!("10.77.0.{}", host + 1)
    }

    fn other_address(&self, host: usize) -> String {
        format!("10.78.0.{}", host + 1)
    }

    fn address_6(&self, host: usize) -> String {
        format!("fd77::{}", host + 1)
    }

    /// Gives everybody's `eth0` an IPv6 address as well. False, said on standard error, where the kernel has none.
    fn add_ipv6(&self) -> bool {
        if !Path::new("/proc/sys/net/ipv6").exists() {
            eprintln!("skipped: this kernel has no IPv6");
            return false;
        }
        for host in 0..self.hosts {
            let name = self.host(host);
            self.set(&name, "net/ipv6/conf/all/disable_ipv6", 0);
            // It is there at once, without asking whether somebody else has it.
            ip(&format!(
                "-n {name} addr add {}/64 dev eth0 nodad",
                self.address_6(host)
            ));
        }
        true
    }

    fn filter(&self, host: usize, rules: &str) {
        assert!(
            succeeds("ip", &["netns", "exec", &self.host(host), "nft", rules]),
            "nft {rules}"
        );
    }

    /// From now on the others see this host's packets come from another port, as behind a NAT that forgot.
    fn rebind(&self, host: usize, port: u16, outside: u16) {
        self.filter(
            host,
            &format!(
                "add table inet nat0; \
                 add chain inet nat0 out {{ type filter hook output priority -300; }}; \
                 add rule inet nat0 out udp sport {port} udp sport set {outside}; \
                 add chain inet nat0 in {{ type filter hook prerouting priority -300; }}; \
                 add rule inet nat0 in udp dport {outside} udp dport set {port}"
            ),
        );
    }

    fn lose(&self, host: usize, percent: u32) {
        let rules = format!(
            "add table inet loss; add chain inet loss in {{ type filter hook input priority 0; }}; \
             add rule inet loss in iif eth0 numgen random mod 100 < {percent} drop"
        );
        self.filter(host, &rules);
    }

    /// What `ip` says of the IPv6 addresses of a host's `eth0`, once `is_it` holds for it.
    fn ipv6(&self, host: usize, is_it: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = Command::new("ip")
                .args(["-n", &self.host(host), "-6", "-o", "addr", "show", "dev", "eth0"])
                .output();
            let said = String::from_utf8(output.expect("ip").stdout).expect("text");
            if is_it(&said) {
                return said;
            }
            assert!(Instant::now() < deadline, "the addresses stay: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Switches IPv6 on where a host is at first. Returns its link-local address, of which the system is not sure yet.
    fn link_local(&self, host: usize) -> String {
        self.set(&self.host(host), "net/ipv6/conf/eth0/disable_ipv6", 0);
        let said = self.ipv6(host, |said| said.contains("fe80"));
        let words = said.split_whitespace();
        let address = words.filter_map(|word| word.split('/').next());
        let mut link_local = address.filter(|address| address.starts_with("fe80"));
        link_local.next().expect("an address").to_owned()
    }

    /// Somebody joins who cannot reach anybody. Returns the reason that the program gives, and how many addresses were
    /// tried.
    fn joins_in_vain(&self, host: usize, address: &str, code: &str) -> (String, usize) {
        let mut program = self.start_on(host, address, &["join", "-"]);
        program.tell(code);
        assert_eq!(program.status(), 4, "it said: {:#?}", program.seen);
        let last = |name: &str| {
            let event = program.seen.iter().rfind(|event| event["event"] == name);
            event.expect(name).clone()
        };
        let rows = last("ledger")["rows"].as_array().expect("rows").len();
        (last("end")["why"].as_str().expect("a word").to_owned(), rows)
    }

    fn start(&self, host: usize, arguments: &[&str]) -> Program {
        self.start_on(host, &self.address(host), arguments)
    }

    fn start_on(&self, host: usize, address: &str, arguments: &[&str]) -> Program {
        let common = [
            "--json",
            "--share",
            address,
            "--name",
            address,
            "--microphone",
            "test",
        ];
        Program::start(&[arguments, &common].concat(), Some(&self.host(host)))
    }

    fn call(&self) -> Vec<Program> {
        self.call_on(Self::address)
    }

    /// A call of everybody, each linked with and hearing each, by these addresses.
    fn call_on(&self, address: fn(&Self, usize) -> String) -> Vec<Program> {
        let mut starter = self.start_on(0, &address(self, 0), &["start", "--admit", "code"]);
        let codes: Vec<_> = (1..self.hosts)
            .map(|host| {
                if host == 1 {
                    starter.code()
                } else {
                    starter.another_code()
                }
            })
            .collect();
        let mut people = vec![starter];
        for (host, code) in (1..).zip(codes) {
            let mut next = self.start_on(host, &address(self, host), &["join", "-"]);
            next.tell(&code);
            people.push(next);
        }
        let others = self.hosts - 1;
        for person in &mut people {
            let mut heard = BTreeSet::new();
            while heard.len() < others {
                heard.insert(
                    person.wait("first_audio")["peer"]
                        .as_str()
                        .expect("an id")
                        .to_owned(),
                );
            }
        }
        people
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in 0..self.hosts {
            succeeds("ip", &["netns", "del", &self.host(host)]);
        }
        succeeds("ip", &["netns", "del", &self.bridge()]);
    }
}

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
        let deadline = Instant::now() + Duration::from_secs(5);
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
fn ledger(program: &Program, pick: impl Fn(&Value) -> (Ends, u64)) -> Traffic {
    let ledger = program
        .seen
        .iter()
        .rfind(|event| event["event"] == "ledger")
        .expect("a ledger");
    let rows = ledger["rows"].as_array().expect("rows").iter();
    rows.map(pick).filter(|(_, bytes)| *bytes > 0).collect()
}

fn ends(from: &Value, to: &Value) -> Ends {
    let address = |value: &Value| value.as_str().expect("a text").parse().expect("an address");
    (address(from), address(to))
}

fn sent(program: &Program) -> Traffic {
    let bytes = |row: &Value| row["sent_bytes"].as_u64().expect("a count");
    ledger(program, |row| (ends(&row["local"], &row["remote"]), bytes(row)))
}

fn received(program: &Program) -> Traffic {
    let bytes = |row: &Value| row["recv_bytes"].as_u64().expect("a count");
    ledger(program, |row| (ends(&row["remote"], &row["local"]), bytes(row)))
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
    person.wait_for("speech", |event| {
        event["event"] == "stats"
            && event["audio"]["level_db"]
                .as_f64()
                .is_some_and(|level| level > -40.0)
    });
}

fn is_route(event: &Value, state: &str) -> bool {
    event["event"] == "route" && event["state"] == state
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
fn the_capture_shows_exactly_what_the_ledgers_say_and_nothing_before_a_call() {
    let Some(network) = Network::new(3) else { return };
    compare(&network, Network::address);
}

#[test]
fn over_ipv6_too_the_capture_shows_exactly_what_the_ledgers_say() {
    let Some(network) = Network::new(3) else { return };
    if network.add_ipv6() {
        compare(&network, Network::address_6);
    }
}

#[test]
fn nothing_leaves_and_no_socket_is_open_before_a_call_in_the_window() {
    let Some(network) = Network::new(2) else { return };
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/window-before");
    let screen = match Screen::start("1080x720", pictures) {
        Ok(screen) => screen,
        Err(missing) => return eprintln!("skipped: there is no {missing} here"),
    };
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
fn when_the_chosen_interface_goes_away_not_one_packet_takes_another_and_the_call_comes_back() {
    let Some(network) = Network::new(2) else { return };
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
    let active = bob
        .seen
        .iter()
        .rfind(|event| is_route(event, "active"))
        .expect("a route");
    assert_eq!(active["interface"], "eth1");

    // The default route, by the other interface, stays.
    network.interface(1, "eth1", "down");
    let paused = bob.wait_for("a pause", |event| is_route(event, "paused"));
    assert_eq!(paused["reason"], "interface_gone");
    bob.wait_for("a sentence", |event| {
        event["event"] == "problem" && event["code"] == "interface_gone"
    });
    ann.wait("left");
    network.interface(1, "eth1", "up");
    bob.wait_for("the way back", |event| is_route(event, "active"));
    ann.wait("joined");
    hears(&mut ann);
    hears(&mut bob);
    let told = leave_all(&mut [ann, bob]);
    assert_eq!(elsewhere.packets(), [], "something took the other interface");
    chosen.expect(&told, |_| true);
}

#[test]
fn a_call_moves_from_one_network_to_another_when_both_sides_agree() {
    let Some(network) = Network::new(3) else { return };
    let captures = [
        Capture::start(&network.bridge(), "h0"),
        Capture::start(&network.bridge(), "h2"),
    ];
    let mut people = network.call();
    let [_, mover, _] = [0, 1, 2].map(|host| network.address(host));
    let old = format!("{mover}:");
    // The cable is pulled out; another network is there.
    let host = network.host(1);
    network.interface(1, "eth0", "down");
    network.interface(1, "eth1", "up");
    ip(&format!("-n {host} route add default via 10.78.0.254"));
    let questions: Vec<_> = (0..2).map(|_| people[1].wait("ask")).collect();
    for question in &questions {
        assert_eq!(question["reason"], "local_interface");
        let ends = |way: &Value| [way["interface"].clone(), way["local"].clone()];
        let [was, is] = [&question["old"], &question["new"]].map(ends);
        assert_eq!((was[0].as_str(), is[0].as_str()), (Some("eth0"), Some("eth1")));
        assert!(was[1].as_str().is_some_and(|local| local.starts_with(&old)));
        people[1].tell(&format!("approve {}", question["id"]));
    }
    for listener in [0, 2] {
        let asked = people[listener].wait("ask");
        assert_eq!(asked["reason"], "remote_address");
        people[listener].tell(&format!("approve {}", asked["id"]));
        let consent = Instant::now();
        let new = asked["new"]["remote"].clone();
        people[listener].wait_for("the new route", |event| {
            is_route(event, "active") && event["remote"] == new
        });
        eprintln!("p{listener}: media again {:?} after consent", consent.elapsed());
    }
    for person in &mut people {
        hears(person);
    }
    for person in &people {
        assert!(
            person.seen.iter().all(|event| event["event"] != "left"),
            "a ghost"
        );
    }
    let ids = |person: &Program| -> BTreeSet<String> {
        let joined = person.seen.iter().filter(|event| event["event"] == "joined");
        joined.map(|event| event["peer"].to_string()).collect()
    };
    assert_eq!(ids(&people[0]).len(), 2, "the same identity");
    let told = leave_all(&mut people);
    for (capture, host) in captures.iter().zip([0, 2]) {
        let address: IpAddr = network.address(host).parse().expect("an address");
        capture.expect(&told, |(from, _)| from.ip() == address);
    }
}

#[test]
fn a_nat_that_forgets_costs_a_pause_and_not_the_call() {
    let Some(network) = Network::new(2) else { return };
    let capture = Capture::start(&network.bridge(), "h0");
    let mut ann = network.start(0, &["start", "--admit", "code"]);
    let code = ann.code();
    let address = format!("{}:4000", network.address(1));
    let mut bob = network.start_on(1, &address, &["join", "-"]);
    bob.tell(&code);
    ann.wait("first_audio");
    bob.wait("first_audio");
    network.rebind(1, 4000, 5000);
    let outside = format!("{}:5000", network.address(1));
    let active = ann.wait_for("the new port", |event| {
        is_route(event, "active") && event["remote"] == outside.as_str()
    });
    assert_eq!(active["approved_by"], "new_port");
    hears(&mut ann);
    hears(&mut bob);
    assert!(
        ann.seen
            .iter()
            .chain(&bob.seen)
            .all(|event| event["event"] != "ask"),
        "a port alone is not asked about"
    );
    let told = leave_all(&mut [ann, bob]);
    let ann: IpAddr = network.address(0).parse().expect("an address");
    capture.expect(&told, |(from, _)| from.ip() == ann);
}

#[test]
fn each_reason_why_nobody_is_reached_is_told_apart() {
    let Some(network) = Network::new(2) else { return };
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
fn who_starts_while_the_link_is_down_gets_the_code_when_it_comes_up_and_who_joins_waits_a_moment() {
    let Some(network) = Network::new(2) else { return };
    let mut ann = network.start_on(0, &network.other_address(0), &["start", "--admit", "code"]);
    ann.wait_for("that it waits", |event| {
        event["event"] == "problem" && event["code"] == "no_address_yet"
    });
    network.interface(0, "eth1", "up");
    let listening = ann.wait("listening");
    let code = ann.code();
    assert!(
        listening["local"][0]
            .as_str()
            .is_some_and(|local| local.starts_with(&network.other_address(0)) && !local.ends_with(":0")),
        "{listening}"
    );
    network.interface(1, "eth1", "up");
    let mut bob = network.start_on(1, &network.other_address(1), &["join", "-"]);
    bob.tell(&code);
    bob.wait("joined");
    leave_all(&mut [ann, bob]);
}

#[test]
fn a_firewall_that_is_switched_on_in_a_call_is_named() {
    let Some(network) = Network::new(2) else { return };
    let mut people = network.call();
    network.filter(
        1,
        "add table inet shut; add chain inet shut o { type filter hook output priority 0; }; \
         add rule inet shut o meta l4proto udp drop",
    );
    people[1].wait_for("the reason", |event| {
        event["event"] == "problem" && event["code"] == "member_firewall"
    });
    assert_eq!(people[1].wait("left")["why"], "cut_off");
    leave_all(&mut people);
}

#[test]
fn where_only_small_packets_pass_it_is_said_and_pictures_come_in_small_ones() {
    let Some(network) = Network::new(2) else { return };
    let mut people = network.call();
    people[0].tell("camera test");
    let has_pictures =
        |event: &Value| event["event"] == "stats" && event["video"]["fps"].as_u64() >= Some(15);
    people[1].wait_for("pictures", has_pictures);
    network.filter(
        1,
        "add table inet narrow; add chain inet narrow in { type filter hook input priority 0; }; \
         add rule inet narrow in meta l4proto udp meta length > 1200 drop",
    );
    let told = people[0].wait_for("what is lost", |event| {
        event["event"] == "problem" && event["code"] == "small_packets_only"
    });
    assert!(told["peer"].is_string(), "{told}");
    people[1].listen();
    for _ in 0..5 {
        people[1].wait_for("pictures again", has_pictures);
    }
    assert!(
        people[1]
            .seen
            .iter()
            .all(|event| event["code"] != "small_packets_only"),
        "the other way they pass"
    );
    leave_all(&mut people);
}

#[test]
fn a_link_local_address_serves_within_its_link() {
    let Some(network) = Network::new(2) else { return };
    let [here, there] = [0, 1].map(|host| format!("{}%eth0", network.link_local(host)));
    let mut ann = network.start_on(0, &here, &["start", "--admit", "code"]);
    let code = ann.code();
    let mut bob = network.start_on(1, &there, &["join", "-"]);
    bob.tell(&code);
    for person in [&mut ann, &mut bob] {
        let active = person.wait_for("a route", |event| is_route(event, "active"));
        for end in ["local", "remote"] {
            let address = active[end].as_str().expect("an address");
            assert!(address.starts_with("[fe80") && address.contains('%'), "{address}");
        }
        hears(person);
    }
    for person in [&mut ann, &mut bob] {
        person.leave();
    }
}

#[test]
fn an_address_that_another_machine_has_is_told_in_words() {
    let Some(network) = Network::new(2) else { return };
    for host in [0, 1] {
        network.link_local(host);
        ip(&format!("-n {} addr add fd00::1/64 dev eth0", network.host(host)));
        let is_known = |said: &str| said.contains("dadfailed") || !said.contains("tentative");
        let said = network.ipv6(host, is_known);
        assert_eq!(said.contains("dadfailed"), host == 1, "{said}");
    }
    let output = Command::new("ip")
        .args(["netns", "exec", &network.host(1)])
        .arg(sightline_tests::program::path())
        .args(["start", "--share", "fd00::1"])
        .output()
        .expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("another machine"), "{said}");
}

/// What a listener saw and heard over a while, with each member losing so much of what comes.
struct Heard {
    loud: u32,
    seconds: u32,
    /// Of all blocks of sound, and of the time.
    concealed: f64,
    frozen: f64,
    freezes: u64,
    pictures: u64,
}

fn hear_with_loss(percent: u32) -> Option<Heard> {
    let network = Network::new(3)?;
    let capture = Capture::start(&network.bridge(), "br0");
    let mut people = network.call();
    for person in &mut people {
        person.tell("camera test");
    }
    people[2].wait("first_video");
    for host in 0..3 {
        network.lose(host, percent);
    }
    let listener = &mut people[2];
    let member = listener.wait("stats")["peer"].clone();
    // Until the loss is known for what it is, and the layer back that it may have cost.
    let settled = |event: &Value| event["event"] == "stats" && event["peer"] == member;
    for _ in 0..9 {
        listener.wait_for("stats", settled);
    }
    let (mut lost, mut loud, mut concealed, mut pictures) = (0.0, 0, 0, 0);
    let totals = |event: &Value| {
        let video = &event["video"];
        (
            video["freezes"].as_u64().expect("a count"),
            video["frozen_s"].as_f64().expect("seconds"),
        )
    };
    let before = totals(&listener.wait_for("stats", settled));
    let mut after = before;
    let seconds = 15;
    for _ in 0..seconds {
        let stats = listener.wait_for("stats", settled);
        lost += stats["loss"].as_f64().expect("a share");
        let level = stats["audio"]["level_db"].as_f64();
        loud += u32::from(level.is_some_and(|level| level > -40.0));
        concealed += stats["audio"]["concealed"].as_u64().expect("a count");
        pictures += stats["video"]["fps"].as_u64().expect("a count");
        after = totals(&stats);
    }
    assert!(lost > 0.0, "the network lost nothing");
    assert!(
        listener.seen.iter().all(|event| event["event"] != "left"),
        "nobody is taken for gone"
    );
    // Packets are lost on the way in, behind where they are captured.
    capture.expect(&leave_all(&mut people), |_| true);
    Some(Heard {
        loud,
        seconds,
        concealed: concealed as f64 / f64::from(100 * seconds),
        frozen: (after.1 - before.1) / f64::from(seconds),
        freezes: after.0 - before.0,
        pictures,
    })
}

#[test]
fn with_five_percent_loss_nothing_is_missed() {
    let Some(heard) = hear_with_loss(5) else { return };
    assert!(
        heard.loud + 2 >= heard.seconds,
        "{} seconds with speech",
        heard.loud
    );
    // 0.25 % is expected, and less than 0.5 asserted where chance has a seed (`playout`); here it has none.
    assert!(heard.concealed < 0.01, "{} of the sound made up", heard.concealed);
    assert_eq!(heard.freezes, 0, "of {} pictures", heard.pictures);
    assert!(heard.pictures > 400, "{} pictures", heard.pictures);
}

#[test]
fn with_ten_percent_loss_hardly_anything_is_missed() {
    let Some(heard) = hear_with_loss(10) else { return };
    assert!(
        heard.loud + 2 >= heard.seconds,
        "{} seconds with speech",
        heard.loud
    );
    assert!(heard.concealed < 0.01, "{} of the sound made up", heard.concealed);
    assert!(heard.pictures > 400, "{} pictures", heard.pictures);
    assert!(heard.frozen < 0.01, "frozen for {} of the time", heard.frozen);
}

#[test]
fn no_keys_are_written_whatever_the_environment_asks_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    let output = Command::new(sightline_tests::program::path())
        .args(["demo", "--people", "2", "--seconds", "3", "--camera", "off"])
        .env("SSLKEYLOGFILE", &keys)
        .output()
        .expect("the program runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(!keys.exists(), "the secrets of the sessions were written");
}
