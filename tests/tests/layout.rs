//! The rooms keep to their walls: who imports whom, who talks to the network, where `unsafe` stands.
#![allow(clippy::expect_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The edges drawn in docs/ARCHITECTURE.md.
const EDGES: &[(&str, &[&str])] = &[
    (
        "sightline",
        &[
            "sightline-media",
            "sightline-media-proto",
            "sightline-mesh",
            "sightline-mesh-proto",
            "sightline-ui",
        ],
    ),
    ("sightline-mesh", &["sightline-mesh-proto"]),
    ("sightline-mesh-proto", &["sightline-noise", "sightline-packet"]),
    ("sightline-media", &["sightline-media-proto"]),
    ("sightline-media-proto", &["sightline-packet"]),
    ("sightline-packet", &[]),
    ("sightline-noise", &[]),
    ("sightline-netem", &[]),
    (
        "sightline-tests",
        &["sightline", "sightline-mesh-proto", "sightline-netem"],
    ),
    ("sightline-ui", &[]),
];

/// Where the program's sources are.
const ROOMS: [&str; 8] = [
    "app/src",
    "mesh/src",
    "mesh/packet/src",
    "mesh/proto/src",
    "media/src",
    "media/proto/src",
    "noise/src",
    "ui/src",
];

/// What would give a pure room a socket, a clock, a thread or randomness of its own.
const IMPURE: &[&str] = &[
    "tokio",
    "quinn",
    "libp2p",
    "cpal",
    "getrandom",
    "socket2",
    "rustls",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

/// Each package's direct dependencies, without those for its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("JSON");
    let list = |value: &Value| value.as_array().cloned().expect("a list");
    let name = |value: &Value| value["name"].as_str().map(str::to_owned).expect("a name");
    let packages = list(&metadata["packages"]).into_iter().map(|package| {
        let direct = list(&package["dependencies"]);
        let names = direct.iter().filter(|dependency| dependency["kind"].is_null());
        (name(&package), names.map(name).collect())
    });
    packages.collect()
}

#[test]
fn rooms_import_only_whom_the_architecture_draws() {
    let drawn: BTreeMap<_, BTreeSet<_>> = EDGES
        .iter()
        .map(|(from, to)| {
            (
                (*from).to_owned(),
                to.iter().map(|name| (*name).to_owned()).collect(),
            )
        })
        .collect();
    let real: BTreeMap<_, BTreeSet<_>> = dependencies()
        .into_iter()
        .map(|(from, to)| {
            (
                from,
                to.into_iter()
                    .filter(|name| name.starts_with("sightline"))
                    .collect(),
            )
        })
        .collect();
    assert_eq!(real, drawn);
}

#[test]
fn pure_rooms_have_no_socket_clock_thread_or_randomness_of_their_own() {
    let dependencies = dependencies();
    for room in [
        "sightline-noise",
        "sightline-packet",
        "sightline-mesh-proto",
        "sightline-media-proto",
    ] {
        let impure: Vec<_> = dependencies[room]
            .iter()
            .filter(|name| IMPURE.contains(&name.as_str()))
            .collect();
        assert!(impure.is_empty(), "{room} imports {impure:?}");
    }
    for source in sources(&[
        "noise/src",
        "mesh/packet/src",
        "mesh/proto/src",
        "media/proto/src",
    ]) {
        let text = code_without_tests(&source);
        for word in [
            "Instant::now",
            "SystemTime",
            "std::thread",
            "std::net::Udp",
            "rand::rng()",
            "SysRng",
        ] {
            assert!(!text.contains(word), "{} uses {word}", source.display());
        }
    }
}

/// Other generators keep the state that made what they gave out, and do not wipe it.
#[test]
fn keys_come_from_the_generator_that_forgets_what_it_gave_out() {
    for source in sources(&["app/src", "mesh/src", "mesh/proto/src", "noise/src"]) {
        let text = code_without_tests(&source);
        for word in [
            "StdRng",
            "SmallRng",
            "ThreadRng",
            "rand::rng()",
            "make_rng",
            "generate_ed25519",
        ] {
            assert!(!text.contains(word), "{} uses {word}", source.display());
        }
        let may_be = source.ends_with("mesh/src/handle.rs");
        assert_eq!(text.contains("SysRng"), may_be, "{}", source.display());
    }
}

#[test]
fn only_one_file_opens_sockets_and_only_four_are_unsafe() {
    for source in sources(&["app/src", "mesh", "media", "noise", "tests/src", "ui/src"]) {
        let text = code_without_tests(&source);
        let is = |path: &str| source.ends_with(path);
        for word in ["UdpSocket::", "TcpStream::", "TcpListener::", "Socket::new"] {
            assert!(
                !text.contains(word)
                    || is("mesh/src/endpoint.rs")
                    || is("mesh/tests/loopback.rs")
                    || is("tests/src/slow_line.rs"),
                "{} uses {word}",
                source.display()
            );
        }
        let has_unsafe = text.contains("unsafe {")
            || text.contains("unsafe impl")
            || text.contains("unsafe fn")
            || text.contains("unsafe extern");
        let may_be = is("media/src/av1/aom.rs")
            || is("media/src/decoder/dav1d.rs")
            || is("ui/src/picture/gl.rs")
            || is("ui/src/x11.rs");
        assert_eq!(has_unsafe, may_be, "{}", source.display());
    }
}

#[test]
fn only_one_file_writes_to_standard_output_and_standard_error() {
    for source in sources(&ROOMS) {
        let text = code_without_tests(&source);
        for word in [
            "io::stdout",
            "io::stderr",
            "print!(",
            "println!(",
            "dbg!(",
            ".print()",
        ] {
            assert!(
                !text.contains(word) || source.ends_with("app/src/terminal.rs"),
                "{} uses {word}",
                source.display()
            );
        }
    }
}

/// Two that import each other are one thing, or have something in common that belongs in a third.
#[test]
fn no_modules_import_each_other_in_a_circle() {
    for room in ROOMS {
        let folder = root().join(room);
        let files = sources(&[room]);
        let modules = files
            .iter()
            .map(|file| (module(file, &folder), code_without_tests(file)));
        let modules: BTreeMap<_, _> = modules.collect();
        let imports: BTreeMap<_, BTreeSet<_>> = modules
            .iter()
            .map(|(module, text)| {
                let named = imported(text, module).into_iter();
                let imported = named.filter_map(|path| {
                    let lengths = (1..=path.len()).rev();
                    let mut places = lengths.map(|length| path[..length].to_vec());
                    places.find(|place| modules.contains_key(place))
                });
                // What a module shares with those inside it is no circle.
                let others =
                    imported.filter(|other| !other.starts_with(module) && !module.starts_with(other));
                (module.clone(), others.collect())
            })
            .collect();
        for module in imports.keys() {
            let mut reached = BTreeSet::new();
            let mut waiting: Vec<_> = imports[module].iter().collect();
            while let Some(next) = waiting.pop() {
                if reached.insert(next) {
                    waiting.extend(&imports[next]);
                }
            }
            assert!(
                !reached.contains(module),
                "{room}: {module:?} imports itself, through {reached:?}"
            );
        }
    }
}

/// A file's place in its crate: `call/dial.rs` is `call::dial`, `call/mod.rs` is `call`.
fn module(file: &Path, folder: &Path) -> Vec<String> {
    let inside = file
        .strip_prefix(folder)
        .expect("in the folder")
        .with_extension("");
    let names = inside.iter().map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    if names
        .last()
        .is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str()))
    {
        names.pop();
    }
    names
}

/// What the text of a module names of its own crate, from the crate's root on.
fn imported(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (start, word) in ["crate::", "super::", "self::"]
        .iter()
        .flat_map(|word| text.match_indices(word))
    {
        let before = text[..start].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || "_:".contains(before)) {
            continue;
        }
        let mut rest = &text[start + word.len()..];
        let mut from = match word {
            "crate::" => Vec::new(),
            "self::" => module.to_vec(),
            _ => module[..module.len().saturating_sub(1)].to_vec(),
        };
        while let Some(further) = rest.strip_prefix("super::") {
            from.pop();
            rest = further;
        }
        read_tree(rest, &from, &mut found);
    }
    found
}

/// Reads `a::b`, or `a::{b, c::d}`. Returns what comes after it.
fn read_tree<'a>(text: &'a str, from: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = from.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inside) = rest.strip_prefix('{') {
            loop {
                // What follows may be given another name.
                let after = read_tree(inside, &path, found);
                inside = after.trim_start_matches(|character| character != ',' && character != '}');
                match inside.strip_prefix(',') {
                    Some(next) => inside = next,
                    None => return inside.strip_prefix('}').unwrap_or(inside),
                }
            }
        }
        let end = rest.find(|character: char| !character.is_alphanumeric() && character != '_');
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !name.is_empty() {
            path.push(name.to_owned());
        }
        match after.strip_prefix("::") {
            Some(next) if !name.is_empty() => rest = next.trim_start(),
            _ => {
                found.push(path);
                return after;
            }
        }
    }
}

fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut waiting: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = path.read_dir().expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    assert!(found.len() > 3, "{folders:?} hold {} files", found.len());
    found
}

fn code_without_tests(path: &Path) -> String {
    if path.ends_with("tests.rs") {
        return String::new();
    }
    let text = std::fs::read_to_string(path).expect("a source");
    let (code, tests) = text.split_once("#[cfg(test)]\nmod tests").unwrap_or((&text, ""));
    let after = tests.strip_prefix(';').unwrap_or_default();
    assert!(after.trim().is_empty(), "{}: tests come last", path.display());
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}
