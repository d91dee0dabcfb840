//! What all participants of a demo said, put together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::SocketAddr;

use serde_json::{Value, json};
use sightline_mesh_proto::route::State;

use crate::args::DemoOptions;
use crate::event::{CodeText, Counts, Event, LedgerRow, LedgerSum, Stats, Track};

/// Sound below this is taken for silence, decibels below full scale.
const SILENCE_DB: f64 = -55.0;

/// What one participant noticed of another.
#[derive(Clone, Debug, Default)]
pub struct Pair {
    pub remote: Option<SocketAddr>,
    pub stats: Option<Stats>,
    first_audio: Option<f64>,
    first_video: Option<f64>,
    loudest_db: Option<f64>,
    pictures: u64,
    concealed: u64,
    freezes: u32,
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
    local: BTreeSet<SocketAddr>,
    /// Peers' ids, as names.
    names: BTreeMap<String, String>,
    pairs: BTreeMap<String, Pair>,
    ledger: Vec<LedgerRow>,
    /// The sum of what has no row in the ledger.
    earlier: Option<LedgerSum>,
    end: Option<String>,
    has_exited_early: bool,
}

/// Everything that was said.
pub struct Summary {
    participants: Vec<Participant>,
    codes: Vec<CodeText>,
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

    pub fn last_code(&self) -> Option<CodeText> {
        self.codes.last().cloned()
    }

    /// Takes what a participant said.
    pub fn note(&mut self, index: usize, event: &Event) {
        let Some(participant) = self.participants.get_mut(index) else {
            return;
        };
        match event {
            Event::Code { code, .. } => self.codes.push(code.clone()),
            Event::Listening { local } => participant.local.extend(local),
            Event::Joined { peer, name, .. } => {
                participant.names.insert(peer.clone(), name.clone());
            }
            Event::Ledger(ledger) => {
                participant.ledger.clone_from(&ledger.rows);
                participant.earlier = Some(ledger.earlier.clone());
            }
            Event::End { why } => participant.end = Some(why.clone()),
            Event::Route(step) if step.route.state == State::Active.word() => {
                let pair = step.route.peer.as_ref().and_then(|peer| participant.pair(peer));
                if let Some(pair) = pair {
                    pair.remote = Some(step.route.path.remote);
                }
            }
            Event::FirstAudio {
                peer,
                track: Track::Voice,
                since_join,
            } => {
                if let Some(pair) = participant.pair(peer) {
                    pair.first_audio = Some(*since_join);
                }
            }
            Event::FirstVideo {
                peer,
                track: Track::Camera,
                since_join,
            } => {
                if let Some(pair) = participant.pair(peer) {
                    pair.first_video = Some(*since_join);
                }
            }
            Event::Stats(stats) => {
                if let Some(pair) = participant.pair(&stats.peer) {
                    pair.note(stats);
                }
            }
            _ => {}
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

    /// What the ledgers have of addresses that are no participant's: rows, and of each the sum of what has none.
    fn of_strangers(&self) -> Vec<(Option<SocketAddr>, Counts)> {
        let known: BTreeSet<_> = self.participants.iter().flat_map(|one| &one.local).collect();
        let rows = self.participants.iter().flat_map(|one| &one.ledger);
        let rows = rows.filter(|row| !known.contains(&row.remote));
        let sums = self.participants.iter().flat_map(|one| &one.earlier);
        rows.map(|row| (Some(row.remote), row.counts))
            .chain(sums.map(|sum| (None, sum.counts)))
            .collect()
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
        let others = self.of_strangers().into_iter();
        let others = others.filter(|(_, counts)| counts.sent_packets + counts.recv_packets > 0);
        let address = |remote: Option<SocketAddr>| {
            remote.map_or_else(|| "some without a row".to_owned(), |remote| remote.to_string())
        };
        verdict
            .strangers
            .extend(others.map(|(remote, _)| address(remote)));
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
                let whose = row.peer.as_ref().and_then(|peer| participant.names.get(peer));
                let counts = &row.counts;
                line(format!(
                    "  {:<5} {} ↔ {} ({})  sent {} in {} packets, received {} in {}, refused {}",
                    participant.name,
                    row.local,
                    row.remote,
                    whose.map_or("stranger", String::as_str),
                    size(counts.sent_bytes),
                    counts.sent_packets,
                    size(counts.recv_bytes),
                    counts.recv_packets,
                    counts.refused_packets,
                ));
            }
        }
        let strangers = self.of_strangers().into_iter();
        let refused: u64 = strangers.map(|(_, counts)| counts.refused_packets).sum();
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

impl Participant {
    /// What it noticed of a peer whose name is known.
    fn pair(&mut self, peer: &str) -> Option<&mut Pair> {
        let name = self.names.get(peer)?;
        Some(self.pairs.entry(name.clone()).or_default())
    }
}

impl Pair {
    fn note(&mut self, stats: &Stats) {
        let level = stats.audio.level_db;
        self.loudest_db = self.loudest_db.into_iter().chain(level).reduce(f64::max);
        self.pictures += u64::from(stats.video.fps);
        self.concealed += stats.audio.concealed;
        self.freezes = stats.video.freezes;
        self.stats = Some(stats.clone());
    }
}

fn describe(verb: &str, did: bool, after: Option<f64>, wanted: bool) -> String {
    match (wanted, did, after) {
        (false, ..) => String::new(),
        (true, true, Some(seconds)) => format!("{verb} ({seconds:.2} s) "),
        _ => format!("did not {} ", if verb == "heard" { "hear" } else { "see" }),
    }
}

/// Bytes, for a person.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests;
