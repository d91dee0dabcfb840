//! Three participants in three network namespaces behind a bridge that is listened to. Needs root, `ip`, `nft`
//! and `tcpdump`; where one is missing these tests say so and pass.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use sightline_tests::program::{PATIENCE, Program};

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
    /// `None`, said on standard error, where it cannot be made.
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
        ip(&format!("-n {bridge} link add br0 type bridge mcast_snooping 0"));
        network.quiet(&bridge);
        ip(&format!("-n {bridge} link set br0 up"));
        for host in 0..hosts {
            let name = network.host(host);
            ip(&format!("netns add {name}"));
            network.quiet(&name);
            ip(&format!(
                "-n {name} link add eth0 type veth peer name h{host} netns {bridge}"
            ));
            ip(&format!("-n {bridge} link set h{host} master br0 up"));
            ip(&format!(
                "-n {name} addr add {}/24 dev eth0",
                network.address(host)
            ));
            ip(&format!("-n {name} link set lo up"));
            ip(&format!("-n {name} link set eth0 up"));
            ip(&format!("-n {name} route add default via 10.77.0.254"));
        }
        Some(network)
    }

    /// The kernel's own IPv6 announcements would only blur what is listened for.
    fn quiet(&self, namespace: &str) {
        for scope in ["all", "default"] {
            let setting = format!("net.ipv6.conf.{scope}.disable_ipv6=1");
            succeeds("ip", &["netns", "exec", namespace, "sysctl", "-qw", &setting]);
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

    fn lose(&self, host: usize, percent: u32) {
        let rules = format!(
            "add table inet loss; add chain inet loss in {{ type filter hook input priority 0; }}; \
             add rule inet loss in iif eth0 numgen random mod 100 < {percent} drop"
        );
        assert!(
            succeeds("ip", &["netns", "exec", &self.host(host), "nft", &rules]),
            "nft {rules}"
        );
    }

    fn start(&self, host: usize, arguments: &[&str]) -> Program {
        let address = self.address(host);
        let common = [
            "--json",
            "--share",
            &address,
            "--name",
            &address,
            "--microphone",
            "test",
        ];
        Program::start(&[arguments, &common].concat(), Some(&self.host(host)))
    }

    /// A call of everybody, each linked with and hearing each.
    fn call(&self) -> Vec<Program> {
        let mut starter = self.start(0, &["start", "--admit", "code"]);
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
            let mut next = self.start(host, &["join", "-"]);
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

/// Everything that passes the bridge, written by tcpdump.
struct Capture {
    tcpdump: Child,
    file: tempfile::NamedTempFile,
}

impl Capture {
    fn start(network: &Network) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("a path");
        let tcpdump = Command::new("ip")
            .args([
                "netns",
                "exec",
                &network.bridge(),
                "tcpdump",
                "-i",
                "br0",
                "-n",
                "-U",
                "--immediate-mode",
            ])
            .args(["-Z", "root", "-w", path])
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

    /// Source, destination and protocol of each IP packet, those seen twice on the bridge once.
    fn packets(&self) -> BTreeSet<(SocketAddrV4, SocketAddrV4, u8)> {
        let bytes = std::fs::read(self.file.path()).expect("a capture");
        let mut rest = bytes.get(24..).unwrap_or_default();
        let mut packets = BTreeSet::new();
        while let Some((header, after)) = rest.split_at_checked(16) {
            let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
            let Some((frame, after)) = after.split_at_checked(length) else {
                break;
            };
            packets.extend(addresses(frame));
            rest = after;
        }
        packets
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ended = self.tcpdump.kill();
        let _ended = self.tcpdump.wait();
    }
}

/// Of an Ethernet frame; ARP, which the kernel needs to reach an approved neighbour, is not IP.
fn addresses(frame: &[u8]) -> Option<(SocketAddrV4, SocketAddrV4, u8)> {
    let ip = frame.get(14..).filter(|_| frame[12..14] == [8, 0])?;
    let header = usize::from(ip.first()? & 0x0f) * 4;
    let ports = ip.get(header..header + 4)?;
    let end = |at: usize, port: usize| {
        let octets: [u8; 4] = ip[at..at + 4].try_into().expect("four");
        SocketAddrV4::new(
            Ipv4Addr::from(octets),
            u16::from_be_bytes([ports[port], ports[port + 1]]),
        )
    };
    Some((end(12, 0), end(16, 2), ip[9]))
}

/// (from, to) of every ledger row in which something was sent.
fn sent(ledger: &Value) -> BTreeSet<(SocketAddrV4, SocketAddrV4)> {
    let rows = ledger["rows"].as_array().expect("rows").iter();
    let address = |value: &Value| value.as_str().expect("a text").parse().expect("an address");
    rows.filter(|row| row["sent_packets"].as_u64() > Some(0))
        .map(|row| (address(&row["local"]), address(&row["remote"])))
        .collect()
}

#[test]
fn the_capture_shows_exactly_what_the_ledgers_say_and_nothing_before_a_call() {
    let Some(network) = Network::new(3) else { return };
    let capture = Capture::start(&network);
    for arguments in [&["devices"][..], &["inspect", "ABC"], &["--help"]] {
        Program::start(arguments, Some(&network.host(0))).status();
    }
    assert_eq!(
        capture.packets(),
        BTreeSet::new(),
        "nothing is sent without a call"
    );

    let mut people = network.call();
    for _ in 0..2 {
        people[0].wait("stats");
    }
    let mut told = BTreeSet::new();
    for person in &mut people {
        person.leave();
        let ledger = person
            .seen
            .iter()
            .rfind(|event| event["event"] == "ledger")
            .expect("a ledger");
        told.extend(sent(ledger));
    }
    let captured = capture.packets();
    const UDP: u8 = 17;
    assert!(
        captured.iter().all(|(.., protocol)| *protocol == UDP),
        "{captured:?}"
    );
    assert!(
        captured
            .iter()
            .all(|(from, to, _)| from.port() != 53 && to.port() != 53 && !to.ip().is_multicast())
    );
    let captured: BTreeSet<_> = captured.into_iter().map(|(from, to, _)| (from, to)).collect();
    assert_eq!(captured, told);
    assert_eq!(told.len(), 6, "three pairs, each both ways");
}

#[test]
fn with_five_percent_loss_sound_goes_on() {
    let Some(network) = Network::new(3) else { return };
    let mut people = network.call();
    for host in 0..3 {
        network.lose(host, 5);
    }
    let listener = &mut people[2];
    let mut lost = 0.0;
    let (mut loud, mut concealed, mut counted) = (0, 0, 0);
    for _ in 0..12 {
        let stats = listener.wait("stats");
        lost += stats["loss"].as_f64().expect("a share");
        loud += u32::from(
            stats["audio"]["level_db"]
                .as_f64()
                .is_some_and(|level| level > -40.0),
        );
        concealed += stats["audio"]["concealed"].as_u64().expect("a count");
        counted += 50;
    }
    assert!(lost > 0.0, "the network lost nothing");
    assert!(loud >= 10, "{loud} of 12 seconds with speech");
    assert!(
        concealed * 100 < counted * 20,
        "{concealed} of {counted} frames concealed"
    );
    assert!(
        listener.seen.iter().all(|event| event["event"] != "left"),
        "nobody is taken for gone"
    );
    for person in &mut people {
        person.leave();
    }
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
