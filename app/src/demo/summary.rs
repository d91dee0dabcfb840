//! What all participants of a demo said, put together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use crate::args::DemoOptions;

/// Sound below this is taken for silence, decibels below full scale.
const SILENCE_DB: f64 = -55.0;

/// What one participant noticed of another.
#[derive(Clone, Debug, Default)]
pub struct Pair {
    pub remote: Option<String>,
    pub stats: Value,
    first_audio: Option<f64>,
    first_video: Option<f64>,
    loudest_db: Option<f64>,
    pictures: u64,
    concealed: u64,
    freezes: u64,
}

impl Pair {
    fn hears(&self) -> bool {
        self.first_audio.is_some() && self.loudest_db.is_some_and(|level| level > SILENCE_DB)
    }

    fn sees(&self) -> bool {
        self.first_video.is_some() && self.pictures > 1
    }
}

#[derive(Debug, Default)]
struct Participant {
    name: String,
    local: BTreeSet<String>,
    /// Peers' ids, as names.
    names: BTreeMap<String, String>,
    pairs: BTreeMap<String, Pair>,
    ledger: Vec<Value>,
    /// The sum of what has no row in the ledger.
    earlier: Value,
    end: Option<String>,
    has_exited_early: bool,
}

/// Everything that was said.
pub struct Summary {
    participants: Vec<Participant>,
    codes: Vec<String>,
    with_sound: bool,
    with_picture: bool,
}

/// Whether the call was what a call should be.
#[derive(Debug, Default)]
pub struct Verdict {
    pub not_heard: Vec<(String, String)>,
    pub not_seen: Vec<(String, String)>,
    pub strangers: Vec<String>,
    pub unfinished: Vec<String>,
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        self.not_heard.is_empty()
            && self.not_seen.is_empty()
            && self.strangers.is_empty()
            && self.unfinished.is_empty()
    }
}

impl Summary {
    pub fn new(names: &[&str], options: &DemoOptions) -> Self {
        let participants = names
            .iter()
            .map(|name| Participant {
                name: (*name).to_owned(),
                ..Participant::default()
            })
            .collect();
        Self {
            participants,
            codes: Vec::new(),
            with_sound: options.microphone != "off",
            with_picture: options.camera != "off",
        }
    }

    pub fn last_code(&self) -> Option<String> {
        self.codes.last().cloned()
    }

    /// Takes what a participant said.
    pub fn note(&mut self, index: usize, event: &Value) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let peer = participant.names.get(&text("peer")).cloned();
        match event["event"].as_str().unwrap_or_default() {
            "code" => self.codes.push(text("code")),
            "listening" => {
                let local = event["local"].as_array().into_iter().flatten();
                participant
                    .local
                    .extend(local.filter_map(Value::as_str).map(str::to_owned));
            }
            "joined" => {
                participant.names.insert(text("peer"), text("name"));
            }
            "ledger" => {
                participant.ledger = event["rows"].as_array().cloned().unwrap_or_default();
                participant.earlier = event["earlier"].clone();
            }
            "end" => participant.end = Some(text("why")),
            what => {
                if let Some(peer) = peer {
                    participant.pairs.entry(peer).or_default().note(what, event);
                }
            }
        }
    }

    /// A participant's process ended before it was asked to.
    pub fn note_exit(&mut self, index: usize) {
        if let Some(participant) = self.participants.get_mut(index) {
            participant.has_exited_early = true;
        }
    }

    /// Each pair: who notices, whom, what.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str, &Pair)> {
        self.participants.iter().flat_map(|participant| {
            let pairs = participant.pairs.iter();
            pairs.map(|(other, pair)| (participant.name.as_str(), other.as_str(), pair))
        })
    }

    /// What the ledgers have of addresses that are no participant's: rows, and each the sum of what has none.
    fn of_strangers(&self) -> Vec<&Value> {
        let local = self.participants.iter().flat_map(|one| &one.local);
        let known: BTreeSet<&str> = local.map(String::as_str).collect();
        let is_known = |row: &Value| {
            row["remote"]
                .as_str()
                .is_some_and(|remote| known.contains(remote))
        };
        let ledgers = self.participants.iter();
        let rows = ledgers.flat_map(|one| one.ledger.iter().chain([&one.earlier]));
        rows.filter(|row| !is_known(row)).collect()
    }

    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        for participant in &self.participants {
            for other in self
                .participants
                .iter()
                .filter(|other| other.name != participant.name)
            {
                let pair = participant.pairs.get(&other.name);
                let names = || (participant.name.clone(), other.name.clone());
                if self.with_sound && !pair.is_some_and(Pair::hears) {
                    verdict.not_heard.push(names());
                }
                if self.with_picture && !pair.is_some_and(Pair::sees) {
                    verdict.not_seen.push(names());
                }
            }
            if participant.has_exited_early || participant.end.as_deref() != Some("left") {
                verdict.unfinished.push(participant.name.clone());
            }
        }
        // Whoever was only refused took no part.
        let others = self
            .of_strangers()
            .into_iter()
            .filter(|counts| has_passed(counts));
        let address = |counts: &Value| {
            counts["remote"]
                .as_str()
                .unwrap_or("some without a row")
                .to_owned()
        };
        verdict.strangers.extend(others.map(address));
        verdict
    }

    /// The summary for a person.
    pub fn to_text(&self, verdict: &Verdict) -> String {
        let mut text = String::from("\nWho heard and saw whom, and how soon after joining:\n");
        let mut line = |line: String| {
            // Writing to a string cannot fail.
            let _ok = writeln!(text, "{line}");
        };
        for (who, whom, pair) in self.pairs() {
            let heard = describe("heard", pair.hears(), pair.first_audio, self.with_sound);
            let saw = describe("saw", pair.sees(), pair.first_video, self.with_picture);
            line(format!(
                "  {who:<5} {heard}{saw} {whom:<5} {} pictures, {} freezes, {} frames of sound concealed",
                pair.pictures, pair.freezes, pair.concealed
            ));
        }
        line("\nThe ledger: every address that took part, as counted at each socket:".into());
        for participant in &self.participants {
            for row in &participant.ledger {
                let whose = row["peer"].as_str().and_then(|peer| participant.names.get(peer));
                line(format!(
                    "  {:<5} {} ↔ {} ({})  sent {} in {} packets, received {} in {}, refused {}",
                    participant.name,
                    row["local"].as_str().unwrap_or("?"),
                    row["remote"].as_str().unwrap_or("?"),
                    whose.map_or("stranger", String::as_str),
                    size(&row["sent_bytes"]),
                    row["sent_packets"],
                    size(&row["recv_bytes"]),
                    row["recv_packets"],
                    row["refused_packets"],
                ));
            }
        }
        let strangers = self.of_strangers().into_iter();
        let refused: u64 = strangers.map(|counts| count(&counts["refused_packets"])).sum();
        if verdict.strangers.is_empty() && refused == 0 {
            line("\nNo other address was contacted, and none was heard from.".into());
        } else if verdict.strangers.is_empty() {
            line(format!(
                "\nNo other address was contacted; {refused} packets of strangers were refused."
            ));
        } else {
            line(format!(
                "\nOther addresses took part: {}.",
                verdict.strangers.join(", ")
            ));
        }
        for (who, whom) in &verdict.not_heard {
            line(format!("{who} did not hear {whom}."));
        }
        for (who, whom) in &verdict.not_seen {
            line(format!("{who} did not see {whom}."));
        }
        for who in &verdict.unfinished {
            line(format!("{who}'s call did not end as it should."));
        }
        if verdict.is_good() {
            let verb = match (self.with_sound, self.with_picture) {
                (true, true) => "heard and saw",
                (true, false) => "heard",
                (false, true) => "saw",
                (false, false) => "met",
            };
            line(format!("Everybody {verb} everybody."));
        }
        text
    }

    /// The summary for programs.
    pub fn to_json(&self, verdict: &Verdict) -> Value {
        let pairs: Vec<_> = self
            .pairs()
            .map(|(who, whom, pair)| {
                json!({
                    "participant": who, "of": whom, "heard": pair.hears(), "saw": pair.sees(),
                    "first_audio": pair.first_audio, "first_video": pair.first_video,
                    "pictures": pair.pictures, "freezes": pair.freezes, "concealed": pair.concealed,
                    "remote": pair.remote,
                })
            })
            .collect();
        json!({
            "event": "summary", "good": verdict.is_good(), "pairs": pairs, "strangers": verdict.strangers,
            "not_heard": verdict.not_heard, "not_seen": verdict.not_seen, "unfinished": verdict.unfinished,
        })
    }
}

impl Pair {
    fn note(&mut self, what: &str, event: &Value) {
        match what {
            "route" if event["state"] == "active" => {
                self.remote = event["remote"].as_str().map(str::to_owned);
            }
            "first_audio" => self.first_audio = event["since_join"].as_f64(),
            "first_video" => self.first_video = event["since_join"].as_f64(),
            "stats" => {
                let level = event["audio"]["level_db"].as_f64();
                self.loudest_db = self.loudest_db.into_iter().chain(level).reduce(f64::max);
                self.pictures += event["video"]["fps"].as_u64().unwrap_or_default();
                self.concealed += event["audio"]["concealed"].as_u64().unwrap_or_default();
                self.freezes = event["video"]["freezes"].as_u64().unwrap_or_default();
                self.stats = event.clone();
            }
            _ => {}
        }
    }
}

fn describe(verb: &str, did: bool, after: Option<f64>, wanted: bool) -> String {
    match (wanted, did, after) {
        (false, ..) => String::new(),
        (true, true, Some(seconds)) => format!("{verb} ({seconds:.2} s) "),
        _ => format!("did not {} ", if verb == "heard" { "hear" } else { "see" }),
    }
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// Whether anything passed, rather than being refused.
fn has_passed(counts: &Value) -> bool {
    count(&counts["sent_packets"]) + count(&counts["recv_packets"]) > 0
}

/// Bytes, for a person.
pub fn size(bytes: &Value) -> String {
    let bytes = count(bytes);
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;
    use sightline_mesh_proto::ledger::{Ledger, Passage};

    use super::*;
    use crate::args::{Arguments, Verb};
    use crate::record;

    fn two() -> Summary {
        let arguments = Arguments::try_parse_from(["sightline", "demo", "--people", "2"]).expect("arguments");
        let Some(Verb::Demo(options)) = arguments.verb else {
            panic!("a demo")
        };
        Summary::new(&["Ann", "Bob"], &options)
    }

    fn tell_everything(summary: &mut Summary) {
        for (index, other, own_port, other_port) in [(0, "Bob", 1, 2), (1, "Ann", 2, 1)] {
            let mut say = |event: Value| summary.note(index, &event);
            say(json!({"event": "listening", "local": [format!("127.0.0.1:{own_port}")]}));
            say(json!({"event": "joined", "peer": "id", "name": other}));
            say(json!({"event": "first_audio", "peer": "id", "since_join": 0.1}));
            say(json!({"event": "first_video", "peer": "id", "since_join": 0.2}));
            say(json!({
                "event": "stats", "peer": "id",
                "audio": {"level_db": -20.0, "concealed": 0}, "video": {"fps": 30, "freezes": 0},
            }));
            say(json!({"event": "ledger", "rows": [{"remote": format!("127.0.0.1:{other_port}")}]}));
            say(json!({"event": "end", "why": "left"}));
        }
    }

    /// A ledger, as a participant tells it.
    fn ledger(passages: &[(String, Passage)]) -> Value {
        let mut ledger = Ledger::default();
        for (remote, passage) in passages {
            let pair = (([127, 0, 0, 1], 2).into(), remote.parse().expect("an address"));
            ledger.count(pair, 1200, *passage, None, Duration::ZERO);
        }
        let mut event = record::ledger(&ledger);
        event["event"] = "ledger".into();
        event
    }

    #[test]
    fn a_call_in_which_everybody_heard_and_saw_everybody_is_good() {
        let mut summary = two();
        tell_everything(&mut summary);
        let verdict = summary.verdict();
        assert!(verdict.is_good(), "{verdict:?}");
        assert!(
            summary
                .to_text(&verdict)
                .contains("Everybody heard and saw everybody.")
        );
    }

    #[test]
    fn silence_a_black_picture_a_stranger_and_a_crash_are_each_told() {
        let quiet =
            json!({"event": "stats", "peer": "id", "audio": {"level_db": -90.0}, "video": {"fps": 0}});
        let mut summary = two();
        tell_everything(&mut summary);
        let pair = summary.participants[0].pairs.get_mut("Bob").expect("a pair");
        *pair = Pair {
            first_audio: Some(0.1),
            ..Pair::default()
        };
        pair.note("stats", &quiet);
        let verdict = summary.verdict();
        assert_eq!(verdict.not_heard, [("Ann".to_owned(), "Bob".to_owned())]);
        assert_eq!(verdict.not_seen, [("Ann".to_owned(), "Bob".to_owned())]);
        assert!(summary.to_text(&verdict).contains("Ann did not hear Bob."));

        let mut summary = two();
        tell_everything(&mut summary);
        summary.note(1, &ledger(&[("192.0.2.9:5".into(), Passage::Received)]));
        assert_eq!(summary.verdict().strangers, ["192.0.2.9:5"]);

        let mut summary = two();
        tell_everything(&mut summary);
        summary.note_exit(1);
        assert_eq!(summary.verdict().unfinished, ["Bob"]);
        assert!(!two().verdict().is_good(), "nobody said anything");
    }

    #[test]
    fn whoever_was_refused_took_no_part_and_is_counted_with_a_row_or_without() {
        // More than have rows of their own.
        let knocks = (1..=1000).map(|port| (format!("192.0.2.9:{port}"), Passage::Refused));
        let mut summary = two();
        tell_everything(&mut summary);
        summary.note(1, &ledger(&knocks.collect::<Vec<_>>()));
        let verdict = summary.verdict();
        assert!(verdict.is_good(), "{verdict:?}");
        let text = summary.to_text(&verdict);
        let told = "No other address was contacted; 1000 packets of strangers were refused.";
        assert!(text.contains(told), "{text}");
    }
}
