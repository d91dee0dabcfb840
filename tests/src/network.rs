//! Network namespaces: hosts on two networks, joined by a router. Needs root, `ip`, `nft` and `tcpdump`.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sightline::event::Event;

use crate::pick;
use crate::program::{PATIENCE, Program, in_turn};

static NETWORKS: AtomicU32 = AtomicU32::new(0);

/// A bridge in a namespace of its own, with one further namespace for each participant.
pub struct Network {
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

/// Runs `ip` with these words.
///
/// # Panics
/// It fails.
pub fn ip(arguments: &str) {
    let arguments: Vec<_> = arguments.split(' ').collect();
    assert!(succeeds("ip", &arguments), "ip {}", arguments.join(" "));
}

impl Network {
    /// One of so many hosts. Everybody's `eth0` is on one bridge, 10.77.0.0/24; their `eth1`, which is down at first, is on
    /// another, 10.78.0.0/24; a router joins the two.
    ///
    /// # Errors
    /// What is missing for it.
    pub fn new(hosts: usize) -> Result<Self, &'static str> {
        in_turn();
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("sl{}x{number}", std::process::id() % 10_000);
        let probe = format!("{prefix}p");
        let can_make = succeeds("ip", &["netns", "add", &probe]);
        let has_tools = succeeds("tcpdump", &["--version"]) && succeeds("nft", &["--version"]);
        succeeds("ip", &["netns", "del", &probe]);
        if !can_make {
            return Err("root's right to make network namespaces");
        }
        if !has_tools {
            return Err("`nft` or `tcpdump`");
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
            for side in [0, 1] {
                network.plug_in(host, side);
            }
            ip(&format!(
                "-n {name} addr add {}/24 dev eth0",
                network.address(host)
            ));
            network.add_other_address(host);
            ip(&format!("-n {name} link set lo up"));
            ip(&format!("-n {name} link set eth0 up"));
            ip(&format!("-n {name} route add default via 10.77.0.254"));
        }
        Ok(network)
    }

    /// Sets what the kernel does in a namespace, through `/proc`: `sysctl` is not on every machine.
    pub fn set(&self, namespace: &str, setting: &str, value: u8) {
        let write = format!("echo {value} > /proc/sys/{setting}");
        succeeds("ip", &["netns", "exec", namespace, "sh", "-c", &write]);
    }

    /// Makes a host's `eth0` or `eth1`.
    pub fn plug_in(&self, host: usize, side: usize) {
        let (name, bridge, port) = (self.host(host), self.bridge(), ["h", "k"][side]);
        ip(&format!(
            "-n {name} link add eth{side} type veth peer name {port}{host} netns {bridge}"
        ));
        ip(&format!("-n {bridge} link set {port}{host} master br{side} up"));
    }

    /// Gives a host's `eth1` its address.
    pub fn add_other_address(&self, host: usize) {
        let (name, address) = (self.host(host), self.other_address(host));
        ip(&format!("-n {name} addr add {address}/24 dev eth1"));
    }

    /// Gives an interface that is up another name; where the kernel does not let that be done, it goes down for a moment.
    pub fn rename(&self, host: usize, from: &str, to: &str) {
        let name = self.host(host);
        if !succeeds("ip", &["-n", &name, "link", "set", from, "name", to]) {
            self.interface(host, from, "down");
            ip(&format!("-n {name} link set {from} name {to}"));
            self.interface(host, to, "up");
        }
    }

    /// Sets an interface of a host `up` or `down`.
    pub fn interface(&self, host: usize, interface: &str, state: &str) {
        ip(&format!("-n {} link set {interface} {state}", self.host(host)));
    }

    /// The kernel's own IPv6 announcements would only blur what is listened for.
    fn quiet(&self, namespace: &str) {
        for scope in ["all", "default"] {
            self.set(namespace, &format!("net/ipv6/conf/{scope}/disable_ipv6"), 1);
        }
    }

    /// The namespace of the two bridges and the router.
    #[must_use]
    pub fn bridge(&self) -> String {
        format!("{}b", self.prefix)
    }

    /// The namespace of a host.
    #[must_use]
    pub fn host(&self, host: usize) -> String {
        format!("{}h{host}", self.prefix)
    }

    /// Its address on the first bridge.
    #[must_use]
    pub fn address(&self, host: usize) -> String {
        format!("10.77.0.{}", host + 1)
    }

    /// Its address on the other bridge.
    #[must_use]
    pub fn other_address(&self, host: usize) -> String {
        format!("10.78.0.{}", host + 1)
    }

    /// Its IPv6 address, once there are some.
    #[must_use]
    pub fn address_6(&self, host: usize) -> String {
        format!("fd77::{}", host + 1)
    }

    /// Gives everybody's `eth0` an IPv6 address as well.
    pub fn add_ipv6(&self) {
        for host in 0..self.hosts {
            let name = self.host(host);
            self.set(&name, "net/ipv6/conf/all/disable_ipv6", 0);
            // It is there at once, without asking whether somebody else has it.
            ip(&format!(
                "-n {name} addr add {}/64 dev eth0 nodad",
                self.address_6(host)
            ));
        }
    }

    /// Adds rules to the filter of a host, in the words of `nft`.
    pub fn filter(&self, host: usize, rules: &str) {
        assert!(
            succeeds("ip", &["netns", "exec", &self.host(host), "nft", rules]),
            "nft {rules}"
        );
    }

    /// From now on the others see this host's packets come from another port, as behind a NAT that forgot.
    pub fn rebind(&self, host: usize, port: u16, outside: u16) {
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

    /// From now on a host loses so much of what comes, by chance.
    pub fn lose(&self, host: usize, percent: u32) {
        let rules = format!(
            "add table inet loss; add chain inet loss in {{ type filter hook input priority 0; }}; \
             add rule inet loss in iif eth0 numgen random mod 100 < {percent} drop"
        );
        self.filter(host, &rules);
    }

    /// What `ip` says of the IPv6 addresses of a host's `eth0`, once `is_it` holds for it.
    #[must_use]
    pub fn ipv6(&self, host: usize, is_it: impl Fn(&str) -> bool) -> String {
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
    pub fn link_local(&self, host: usize) -> String {
        self.set(&self.host(host), "net/ipv6/conf/eth0/disable_ipv6", 0);
        let said = self.ipv6(host, |said| said.contains("fe80"));
        let words = said.split_whitespace();
        let address = words.filter_map(|word| word.split('/').next());
        let mut link_local = address.filter(|address| address.starts_with("fe80"));
        link_local.next().expect("an address").to_owned()
    }

    /// Somebody joins who cannot reach anybody. Returns the reason that the program gives, and how many addresses were
    /// tried.
    #[must_use]
    pub fn joins_in_vain(&self, host: usize, address: &str, code: &str) -> (String, usize) {
        let mut program = self.start_on(host, address, &["join", "-"]);
        program.tell(code);
        assert_eq!(program.status(), 4, "it said: {:#?}", program.seen);
        let end = pick!(Event::End { why } => why.clone());
        let ledger = pick!(Event::Ledger(ledger) => ledger.rows.len());
        let mut said = program.seen.iter().rev();
        let why = said.clone().find_map(end).expect("an end");
        (why, said.find_map(ledger).expect("a ledger"))
    }

    /// Starts the program on a host, with its address on the first bridge.
    #[must_use]
    pub fn start(&self, host: usize, arguments: &[&str]) -> Program {
        self.start_on(host, &self.address(host), arguments)
    }

    /// The same with another address.
    #[must_use]
    pub fn start_on(&self, host: usize, address: &str, arguments: &[&str]) -> Program {
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

    /// A call of everybody, each linked with and hearing each.
    #[must_use]
    pub fn call(&self) -> Vec<Program> {
        self.call_on(Self::address)
    }

    /// The same by these addresses.
    #[must_use]
    pub fn call_on(&self, address: fn(&Self, usize) -> String) -> Vec<Program> {
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
                let whose = pick!(Event::FirstAudio { peer, .. } => peer.clone());
                heard.insert(person.wait_for("somebody's voice", whose));
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
