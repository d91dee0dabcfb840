//! Where a PulseAudio server may be, as libpulse finds it.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Bytes of a cookie: servers take no other length.
const COOKIE_LEN: usize = 256;

/// The sockets at which a server may be, the likeliest first. `variable` reads the environment, `user` is this process's.
pub fn sockets(variable: impl Fn(&str) -> Option<OsString>, user: u32) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(servers) = set("PULSE_SERVER") {
        return servers
            .as_bytes()
            .split(u8::is_ascii_whitespace)
            .filter_map(socket)
            .collect();
    }
    if let Some(folder) = set("PULSE_RUNTIME_PATH") {
        return vec![PathBuf::from(folder).join("native")];
    }
    let runtime = set("XDG_RUNTIME_DIR").map_or_else(|| format!("/run/user/{user}").into(), PathBuf::from);
    vec![
        runtime.join("pulse/native"),
        PathBuf::from("/run/pulse/native"),
        PathBuf::from("/var/run/pulse/native"),
    ]
}

/// One server of a list: a socket on this machine, for whatever machine it is meant to be.
fn socket(server: &[u8]) -> Option<PathBuf> {
    let server = match server.iter().position(|byte| *byte == b'}') {
        Some(end) if server.first() == Some(&b'{') => &server[end + 1..],
        _ => server,
    };
    let path = server.strip_prefix(b"unix:").unwrap_or(server);
    (path.first() == Some(&b'/')).then(|| PathBuf::from(OsString::from_vec(path.to_vec())))
}

/// What is shown to the server. Where there is no cookie one of zeros is: a server on the same machine goes by the user.
pub fn cookie(variable: impl Fn(&str) -> Option<OsString>) -> Vec<u8> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let configuration = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    let places = [
        set("PULSE_COOKIE"),
        configuration.map(|folder| folder.join("pulse/cookie")),
        set("HOME").map(|home| home.join(".pulse-cookie")),
    ];
    let mut read = places
        .into_iter()
        .flatten()
        .filter_map(|path| std::fs::read(path).ok());
    read.find(|cookie| cookie.len() == COOKIE_LEN)
        .unwrap_or_else(|| vec![0; COOKIE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let sockets = sockets(variable, 1000);
        sockets
            .into_iter()
            .map(|path| path.display().to_string())
            .collect()
    }

    #[test]
    fn a_server_is_where_libpulse_finds_it() {
        assert_eq!(found(&[])[0], "/run/user/1000/pulse/native");
        assert_eq!(found(&[("XDG_RUNTIME_DIR", "/r")])[0], "/r/pulse/native");
        let folder = [("XDG_RUNTIME_DIR", "/r"), ("PULSE_RUNTIME_PATH", "/p")];
        assert_eq!(found(&folder), ["/p/native"]);
        let servers = "tcp:far:4713 {0123abc}unix:/a/native  /b unix:/c";
        let several = [("PULSE_SERVER", servers), ("PULSE_RUNTIME_PATH", "/p")];
        assert_eq!(found(&several), ["/a/native", "/b", "/c"]);
        assert_eq!(found(&[("PULSE_SERVER", "tcp:far")]), Vec::<String>::new());
        assert_eq!(
            found(&[("PULSE_SERVER", ""), ("XDG_RUNTIME_DIR", "/r")])[0],
            "/r/pulse/native"
        );
    }

    #[test]
    fn a_cookie_that_is_none_is_made_of_zeros() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cookie");
        let shown = || cookie(|name| (name == "PULSE_COOKIE").then(|| path.clone().into_os_string()));
        assert_eq!(shown(), [0; COOKIE_LEN]);
        std::fs::write(&path, "short").expect("written");
        assert_eq!(shown(), [0; COOKIE_LEN]);
        std::fs::write(&path, [7; COOKIE_LEN]).expect("written");
        assert_eq!(shown(), [7; COOKIE_LEN]);
    }
}
