//! Which addresses are shared: as given, or as a person chooses among those that this machine has.

use std::io::{BufRead, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// `ADDR[:PORT]`; without a port, one is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(pub SocketAddr);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let address = text
            .parse()
            .or_else(|_| bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0)))
            .map_err(|_| {
                format!("“{text}” is not an address like 192.168.1.5, 192.168.1.5:4433 or [fd00::5]:4433")
            })?;
        if address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(format!(
                "“{text}” is not an address of one machine; give one that this machine has"
            ));
        }
        Ok(Self(address))
    }
}

/// The addresses to share: those given, or the ones that the person in front chooses.
///
/// # Errors
/// A sentence, when none is given and nobody can be asked.
pub fn choose(given: &[Share]) -> Result<Vec<SocketAddr>, String> {
    if !given.is_empty() {
        return Ok(given.iter().map(|share| share.0).collect());
    }
    let found: Vec<(String, IpAddr)> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|interface| !interface.is_link_local())
        .map(|interface| (interface.name.clone(), interface.ip()))
        .collect();
    let listed: String = found
        .iter()
        .enumerate()
        .map(|(at, (name, ip))| format!("  {}  {ip}  ({})\n", at + 1, in_words(name, *ip)))
        .collect();
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "Say with --share which address the others may know. This machine has:\n{listed}"
        ));
    }
    eprint!("Which address may the others know, and reach you at?\n{listed}Number: ");
    // A terminal that cannot be written to cannot be asked either.
    let _gone = std::io::stderr().flush();
    let mut line = String::new();
    let _gone = std::io::stdin().lock().read_line(&mut line);
    let chosen = line
        .trim()
        .parse::<usize>()
        .ok()
        .and_then(|number| found.get(number.checked_sub(1)?));
    match chosen {
        Some((_, ip)) => Ok(vec![SocketAddr::new(*ip, 0)]),
        None => Err("No address was chosen, so nothing was opened.".into()),
    }
}

fn in_words(interface: &str, ip: IpAddr) -> String {
    let reach = match ip {
        _ if ip.is_loopback() => "this machine only",
        IpAddr::V4(v4) if v4.is_private() => "this network only",
        IpAddr::V6(v6) if v6.is_unique_local() => "this network only",
        _ => "reachable from everywhere",
    };
    format!("{interface}, {reach}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_port() {
        for (text, expected) in [
            ("192.0.2.5", "192.0.2.5:0"),
            ("192.0.2.5:44", "192.0.2.5:44"),
            ("2001:db8::5", "[2001:db8::5]:0"),
            ("[2001:db8::5]", "[2001:db8::5]:0"),
            ("[2001:db8::5]:44", "[2001:db8::5]:44"),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Share(expected.parse().expect("an address"))),
                "{text}"
            );
        }
        for text in ["", "here", "0.0.0.0", "224.0.0.1:5", "1.2.3.4:99999"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
