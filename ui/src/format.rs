//! Numbers, times and addresses as people read them.

use std::time::Duration;

use crate::model::{Path, Route};
use crate::text::Text;

/// Bits a second.
pub fn rate(text: &Text, bits: u64) -> String {
    if bits < 1_000_000 {
        text.with("rate-kilobits", &[("value", &(bits / 1000).to_string())])
    } else {
        text.with("rate-megabits", &[("value", &tenths(text, bits / 100_000))])
    }
}

/// Bytes.
pub fn bytes(text: &Text, bytes: u64) -> String {
    if bytes < 1_000_000 {
        text.with("kilobytes", &[("value", &bytes.div_ceil(1000).to_string())])
    } else {
        text.with("megabytes", &[("value", &tenths(text, bytes / 100_000))])
    }
}

/// Milliseconds.
pub fn millis(text: &Text, time: Option<Duration>) -> String {
    time.map_or_else(
        || "–".to_owned(),
        |time| text.with("milliseconds", &[("value", &time.as_millis().to_string())]),
    )
}

/// How long something lasts, roughly.
pub fn span(text: &Text, time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    if minutes < 90 {
        text.with("minutes", &[("count", &minutes.to_string())])
    } else {
        text.with("hours", &[("count", &((minutes + 30) / 60).to_string())])
    }
}

/// How long something has lasted: `m:ss`, `h:mm:ss`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

fn tenths(text: &Text, tenths: u64) -> String {
    format!("{}{}{}", tenths / 10, text.get("decimal-mark"), tenths % 10)
}

/// An interface in words: what it is, and its name.
pub fn interface(text: &Text, name: Option<&str>, medium: Option<&str>) -> String {
    match (name, medium) {
        (Some(name), Some(medium)) => format!("{} ({name})", text.get(&format!("medium-{medium}"))),
        (Some(name), None) => name.to_owned(),
        (None, Some(medium)) => text.get(&format!("medium-{medium}")),
        (None, None) => text.get("medium-unknown"),
    }
}

/// Direct, or through whom.
pub fn kind(text: &Text, path: &Path) -> String {
    match &path.via {
        None => text.get("route-direct"),
        Some(name) => text.with("route-via", &[("name", name)]),
    }
}

/// The tile's line about its route: direct or through whom, the address, this side's interface.
pub fn route_line(text: &Text, path: &Path) -> String {
    format!(
        "{} · {} · {}",
        kind(text, path),
        path.remote,
        interface(text, path.interface.as_deref(), path.medium)
    )
}

/// What a route's state means for sound and picture.
pub fn route_state(text: &Text, route: &Route) -> String {
    use crate::model::RouteState::{Active, Approved, Closed, Paused, Proposed};
    let name = match (route.state, route.theirs) {
        (Proposed, _) => "state-proposed",
        (Approved | Paused, "asked") => "state-they-are-asked",
        (Approved | Paused, "denied") => "state-they-denied",
        (Approved | Paused, "withheld") => "state-they-withhold",
        (Approved, _) => "state-approved",
        (Active, _) => "state-active",
        (Paused, _) => "state-paused",
        (Closed, _) => "state-closed",
    };
    text.get(name)
}
