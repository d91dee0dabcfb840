//! What a call has done, for programs (JSON) and for people (a page): every address that took part, and every
//! step of every route. Written only when asked for.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libp2p_identity::PeerId;
use serde_json::{Value, json};
use sightline_media::new_file;
use sightline_mesh::Record;
use sightline_mesh_proto::UnixTime;
use sightline_mesh_proto::ledger::{Counts, Ledger};
use sightline_mesh_proto::route::{self, History, PathKind, Route, Transition};

use crate::state::Registry;
use crate::{event, words, zone};

/// Why a record was not written; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The name says neither.
    #[error("“{0}” ends neither in .json nor in .html: say which of the two to write.")]
    Kind(String),
    /// The disk has not answered yet.
    #[error("The disk does not answer.")]
    Late,
    /// The file cannot be made, or not be written to the end.
    #[error("{0} could not be written: {1}.")]
    Write(String, std::io::Error),
}

/// Writes the record to a new file: for `.json` as data, for `.html` as a page. Times of day in it go by when the
/// program `started`. Where a file of this name is there it stays, and the new one gets a number. Returns the new one's name.
///
/// # Errors
/// [`SaveError`].
pub fn save(
    path: &Path,
    record: &Record,
    registry: &Registry,
    started: UnixTime,
) -> Result<PathBuf, SaveError> {
    let text = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => format!("{:#}\n", document(record, registry, started)),
        Some("html") => page(record, registry, started),
        _ => return Err(SaveError::Kind(path.display().to_string())),
    };
    let to_error = |error| SaveError::Write(path.display().to_string(), error);
    let (mut file, path) = new_file::create(path).map_err(to_error)?;
    file.write_all(text.as_bytes()).map_err(to_error)?;
    Ok(path)
}

/// The record as one JSON document. Times are seconds since the program's start, which is given in UTC.
fn document(record: &Record, registry: &Registry, started: UnixTime) -> Value {
    let people: Vec<_> = registry
        .names()
        .map(|(peer, name)| json!({"peer": peer.to_string(), "name": name}))
        .collect();
    json!({
        "version": 1,
        "started": started.to_string(),
        "people": people,
        "ledger": ledger(&record.ledger),
        "routes": history(&record.history),
    })
}

/// A ledger's rows, and the sum of what has none.
pub fn ledger(ledger: &Ledger) -> event::Ledger {
    let rows = ledger.rows().map(|((local, remote), row)| event::LedgerRow {
        local,
        remote,
        peer: row.peer.map(|peer| peer.to_string()),
        counts: counts(&row.counts),
        first: seconds(row.first),
        last: seconds(row.last),
    });
    let earlier = ledger.earlier();
    event::Ledger {
        rows: rows.collect(),
        earlier: event::LedgerSum {
            rows: earlier.rows,
            counts: counts(&earlier.counts),
            first: seconds(earlier.first),
            last: seconds(earlier.last),
        },
    }
}

const fn counts(counts: &Counts) -> event::Counts {
    event::Counts {
        sent_bytes: counts.sent_bytes,
        sent_packets: counts.sent_packets,
        recv_bytes: counts.recv_bytes,
        recv_packets: counts.recv_packets,
        refused_bytes: counts.refused_bytes,
        refused_packets: counts.refused_packets,
    }
}

/// The steps of all routes, and the sum of those that are not kept one by one.
pub fn history(history: &History) -> event::History {
    let earlier = history.earlier();
    event::History {
        steps: history.steps().map(step).collect(),
        earlier: event::HistorySum {
            steps: earlier.steps,
            activations: earlier.activations,
            first: seconds(earlier.first),
            last: seconds(earlier.last),
        },
    }
}

/// One step: the route after it, the state before, why.
pub fn step(step: &Transition) -> event::Step {
    event::Step {
        route: route(&step.route),
        at: seconds(step.at),
        old_state: step.old.map(|state| state.word().to_owned()),
        reason: step.reason.word().to_owned(),
    }
}

/// A route.
pub fn route(route: &Route) -> event::Route {
    event::Route {
        path: path(&route.path),
        id: route.id.0,
        peer: route.peer.map(|peer| peer.to_string()),
        state: route.state.word().to_owned(),
        approved_by: route.approved_by.map(|by| by.word().to_owned()),
        theirs: route.theirs.word().to_owned(),
    }
}

/// Where packets go, and from where.
pub fn path(path: &route::Path) -> event::Path {
    let (kind, via) = match path.kind {
        PathKind::Direct => ("direct", None),
        PathKind::Carried(by) => ("carried", Some(by.to_string())),
    };
    event::Path {
        kind: kind.to_owned(),
        via,
        local: path.local,
        interface: path.interface.clone(),
        remote: path.remote,
        peer_interface: path.remote_medium.map(|medium| medium.word().to_owned()),
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e4).round() / 1e4
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;\
color:#1b1f24;background:#fff}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.35rem .6rem;\
border-bottom:1px solid #d5d9de;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}\
@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#15181c}th,td{border-color:#3a4048}}";

/// The record as a page that needs nothing but itself.
fn page(record: &Record, registry: &Registry, started: UnixTime) -> String {
    let name = |peer: Option<PeerId>| match peer {
        Some(peer) => match registry.name(&peer) {
            "" => peer.to_string(),
            name => name.to_owned(),
        },
        None => "nobody known".to_owned(),
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Record of a call</title>\n\
         <style>{STYLE}</style>\n<h1>Record of a call</h1>\n<p>Begun {started}. Every address that took part, as counted \
         at this machine's socket, and every step of every route. All times are UTC.</p>\n"
    );
    page.push_str("<h2>Addresses</h2>\n<table><tr><th>From here<th>There<th>Whose<th>Sent<th>Received<th>Refused<th>First<th>Last\n");
    let mut add_row = |from: &str,
                       to: &str,
                       whose: &str,
                       counts: &Counts,
                       first: Duration,
                       last: Duration| {
        let _always_fits = writeln!(
            page,
            "<tr><td>{from}<td>{to}<td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}",
            escaped(whose),
            traffic(counts.sent_bytes, counts.sent_packets),
            traffic(counts.recv_bytes, counts.recv_packets),
            traffic(counts.refused_bytes, counts.refused_packets),
            moment(started, first),
            moment(started, last),
        );
    };
    for ((local, remote), row) in record.ledger.rows() {
        let whose = row
            .peer
            .map_or_else(|| "a stranger".to_owned(), |peer| name(Some(peer)));
        add_row(
            &local.to_string(),
            &remote.to_string(),
            &whose,
            &row.counts,
            row.first,
            row.last,
        );
    }
    let earlier = record.ledger.earlier();
    if earlier.counts != Counts::default() {
        let whose = format!(
            "{} earlier addresses, and strangers beyond the first",
            earlier.rows
        );
        add_row("", "", &whose, &earlier.counts, earlier.first, earlier.last);
    }
    page.push_str("</table>\n<h2>Routes</h2>\n");
    let left_out = record.history.earlier();
    if left_out.steps > 0 {
        let _always_fits = writeln!(
            page,
            "<p>{} earlier steps, from {} to {}, are not kept one by one.</p>",
            left_out.steps,
            moment(started, left_out.first),
            moment(started, left_out.last)
        );
    }
    page.push_str("<table><tr><th>When<th>To<th>Way<th>What<th>Why<th>Approved by\n");
    for step in record.history.steps() {
        let route = &step.route;
        let via = match route.path.kind {
            PathKind::Direct => String::new(),
            PathKind::Carried(by) => format!(", through {}", name(Some(by))),
        };
        let _always_fits = writeln!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}",
            moment(started, step.at),
            escaped(&name(route.peer)),
            escaped(&(words::ends(route) + &via)),
            words::state(route.state, route.theirs),
            words::reason(step.reason),
            route.approved_by.map_or("nobody", words::approval),
        );
    }
    page.push_str("</table>\n");
    page
}

fn traffic(bytes: u64, packets: u64) -> String {
    format!("{bytes} bytes in {packets}")
}

/// The time of day, UTC: who reads the page may be elsewhere.
fn moment(started: UnixTime, since_start: Duration) -> String {
    zone::utc(started.after(since_start))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use sightline_mesh_proto::UnixTime;
    use sightline_mesh_proto::ledger::Passage;
    use sightline_mesh_proto::route::{Approval, Consent, Reason, RouteId, State};

    use super::*;

    fn record() -> (Record, Registry) {
        let peer = PeerId::random();
        let pair = (
            SocketAddr::from(([10, 0, 0, 1], 5)),
            SocketAddr::from(([10, 0, 0, 2], 6)),
        );
        let mut ledger = Ledger::default();
        ledger.count(pair, 1200, Passage::Sent, Some(peer), Duration::from_secs(3));
        let mut history = History::default();
        history.push(Transition {
            at: Duration::from_secs(2),
            old: None,
            route: Route {
                id: RouteId(7),
                peer: Some(peer),
                path: route::Path {
                    kind: PathKind::Direct,
                    local: pair.0,
                    interface: Some("eth0".into()),
                    remote: pair.1,
                    remote_medium: None,
                },
                state: State::Active,
                approved_by: Some(Approval::User),
                theirs: Consent::Given,
            },
            reason: Reason::RemoteAddress,
        });
        let mut registry = Registry::default();
        registry.meet(peer, "<b>Bob");
        (Record { ledger, history }, registry)
    }

    /// 2026-10-25, 01:00:00 UTC.
    const STARTED: UnixTime = UnixTime(1_792_890_000);

    #[test]
    fn a_record_holds_each_address_and_each_step_in_both_forms() {
        let folder = tempfile::tempdir().expect("a folder");
        let (record, registry) = record();
        let json = folder.path().join("call.json");
        save(&json, &record, &registry, STARTED).expect("saved");
        let read: Value =
            serde_json::from_str(&std::fs::read_to_string(&json).expect("a file")).expect("JSON");
        assert_eq!(read["ledger"]["rows"][0]["remote"], "10.0.0.2:6");
        assert_eq!(read["ledger"]["rows"][0]["sent_bytes"], 1200);
        assert_eq!(read["started"], "2026-10-25T01:00:00Z");
        let step = &read["routes"]["steps"][0];
        assert_eq!(
            (&step["state"], &step["reason"]),
            (&json!("active"), &json!("remote_address"))
        );
        assert_eq!(
            (&step["approved_by"], &step["interface"]),
            (&json!("user"), &json!("eth0"))
        );

        let html = folder.path().join("call.html");
        save(&html, &record, &registry, STARTED).expect("saved");
        let text = std::fs::read_to_string(&html).expect("a file");
        assert!(
            text.contains("10.0.0.2:6")
                && text.contains("address has changed")
                && text.contains("1200 bytes in 1")
        );
        assert!(
            text.contains("&lt;b&gt;Bob") && !text.contains("<b>Bob"),
            "names are not markup"
        );
        assert!(
            text.contains("All times are UTC.") && text.contains("<td>01:00:02<td>"),
            "whoever reads it, and wherever"
        );
    }

    #[test]
    fn nothing_is_written_over_and_the_kind_must_be_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let (record, registry) = record();
        let there = folder.path().join("there.json");
        std::fs::write(&there, "mine").expect("written");
        for name in ["there-2.json", "there-3.json"] {
            let saved = save(&there, &record, &registry, STARTED).expect("saved");
            assert_eq!(saved, folder.path().join(name), "and said so");
            let text = std::fs::read_to_string(&saved).expect("a file");
            assert!(text.contains("10.0.0.2:6"), "{text}");
        }
        assert_eq!(std::fs::read_to_string(&there).expect("a file"), "mine");
        let nowhere = folder.path().join("nowhere").join("call.json");
        assert!(matches!(
            save(&nowhere, &record, &registry, STARTED),
            Err(SaveError::Write(..))
        ));
        let unnamed = folder.path().join("call");
        assert!(matches!(
            save(&unnamed, &record, &registry, STARTED),
            Err(SaveError::Kind(_))
        ));
        assert!(!unnamed.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_record_is_for_this_user_alone_and_follows_no_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (record, registry) = record();
        let [victim, link] = ["victim", "call.html"].map(|name| folder.path().join(name));
        std::fs::write(&victim, "mine").expect("written");
        std::os::unix::fs::symlink(&victim, &link).expect("a link");
        let saved = save(&link, &record, &registry, STARTED).expect("saved");
        assert_eq!(saved, folder.path().join("call-2.html"));
        assert_eq!(std::fs::read_to_string(&victim).expect("a file"), "mine");
        let mode = std::fs::metadata(&saved).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
