//! What a participant says: events as JSON lines on standard output, or sentences on standard error.
//!
//! ```text
//!   mod.rs ── in which voice
//!     ├ call.rs ── what the call says           end.rs ── how it ended
//!     ├ stats.rs ── what was measured           ledger.rs ── what passed, and by which routes
//! ```

mod call;
mod end;
mod ledger;
mod stats;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use libp2p_identity::PeerId;
use serde_json::Value;
use sightline_media::VideoSendStats;
use sightline_media_proto::Track;
use sightline_mesh_proto::Clock;

use crate::event::{self, Line};
use crate::output::Weight;
use crate::state::Registry;
use crate::terminal::{take_dropped, write_error, write_json};

/// Lines kept for the window's page of diagnostics.
const MAX_LINES: usize = sightline_ui::model::MAX_LINES;

/// How things are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// JSON lines on standard output, for programs.
    Json,
    /// Sentences on standard error, for people.
    Sentences,
    /// Not at all: the window says it.
    Silent,
}

/// Says what happens.
pub struct Reporter {
    voice: Voice,
    clock: Clock,
    lines: VecDeque<Arc<str>>,
}

impl Reporter {
    pub fn new(voice: Voice, clock: Clock) -> Self {
        Self {
            voice,
            clock,
            lines: VecDeque::new(),
        }
    }

    /// Another call begins.
    pub fn begin(&mut self) {
        self.lines.clear();
    }

    /// There is no window to say it: people are told on standard error.
    pub fn speak_up(&mut self) {
        if self.voice == Voice::Silent {
            self.voice = Voice::Sentences;
        }
    }

    /// The newest lines, as the window shows them.
    pub fn lines(&self) -> Vec<Arc<str>> {
        self.lines.iter().cloned().collect()
    }

    /// The first sound or picture of a member's track.
    pub fn first(&mut self, track: Track, peer: &PeerId, since_join: Duration, registry: &Registry) {
        let (peer_id, seconds) = (peer.to_string(), round(since_join.as_secs_f64(), 4));
        let (event, what) = match track {
            Track::Audio(track) => {
                let event = event::Event::FirstAudio {
                    peer: peer_id,
                    track: track.into(),
                    since_join: seconds,
                };
                (event, "sound")
            }
            Track::Video(track) => {
                let event = event::Event::FirstVideo {
                    peer: peer_id,
                    track: track.into(),
                    since_join: seconds,
                };
                (event, "picture")
            }
        };
        self.tell(event);
        self.say(&format!(
            "First {what} of {} after {:.2} s.",
            name(peer, registry),
            since_join.as_secs_f64()
        ));
    }

    /// Something went wrong; the call goes on.
    pub fn problem(&mut self, code: &str, message: &str, peer: Option<&PeerId>, registry: &Registry) {
        self.tell(event::Event::Problem {
            code: code.to_owned(),
            message: message.to_owned(),
            peer: peer.map(ToString::to_string),
        });
        match peer {
            Some(peer) => self.say(&format!("{}: {message}", name(peer, registry))),
            None => self.say(message),
        }
    }

    /// Who hears whom.
    pub fn hears(&mut self, matrix: BTreeMap<String, Vec<String>>) {
        self.tell(event::Event::Hears { matrix });
    }

    /// The record of the call was written.
    pub fn saved(&mut self, path: &Path) {
        self.tell(event::Event::Saved {
            path: path.display().to_string(),
        });
        self.say(&format!(
            "Every address and every route was written to {}.",
            path.display()
        ));
    }

    /// What the picture's encoder cost.
    pub fn encoder(&mut self, name: &str, sent: &VideoSendStats) {
        let pictures = u32::try_from(sent.encoded).unwrap_or(u32::MAX).max(1);
        let millis = (sent.encode_time / pictures).as_secs_f64() * 1000.0;
        self.tell(event::Event::Encoder {
            name: name.to_owned(),
            ms_per_frame: round(millis, 2),
            held_back: sent.held_back,
            dropped: sent.dropped,
        });
        self.say(&format!(
            "Encoding with {name} took {millis:.1} ms a picture and held {} back; {} were left out.",
            sent.held_back, sent.dropped
        ));
    }

    fn tell(&mut self, event: event::Event) {
        if self.voice == Voice::Sentences {
            return;
        }
        // What has a place of its own in the window, and codes, which are for whom they are given to.
        let is_shown = !matches!(
            event,
            event::Event::Stats(_)
                | event::Event::Code { .. }
                | event::Event::Ledger(_)
                | event::Event::History(_)
        );
        let line = Line {
            event,
            t: round(self.elapsed().as_secs_f64(), 4),
            participant: None,
        };
        if is_shown {
            if self.lines.len() >= MAX_LINES {
                self.lines.pop_front();
            }
            self.lines.push_back(readable(&line).into());
        }
        if self.voice == Voice::Json {
            let weight = match line.event {
                event::Event::Stats(_) | event::Event::Hears { .. } => Weight::Measurement,
                _ => Weight::Event,
            };
            write_json(&line, weight);
        }
    }

    /// Lines that nobody read in time are told to whoever reads again.
    pub fn dropped(&mut self) {
        let lines = take_dropped();
        if lines > 0 {
            self.tell(event::Event::Dropped { lines });
        }
    }

    fn say(&self, sentence: &str) {
        if self.voice == Voice::Sentences {
            write_error(sentence);
        }
    }

    #[allow(clippy::disallowed_methods, reason = "the time in each event")]
    fn elapsed(&self) -> Duration {
        self.clock.since_start(std::time::Instant::now())
    }
}

/// What a person is told somebody is called.
fn name(peer: &PeerId, registry: &Registry) -> String {
    named(peer, registry.name(peer), registry)
}

/// The same of somebody who gives themselves this name.
fn named(peer: &PeerId, name: &str, registry: &Registry) -> String {
    if !name.is_empty() {
        name.to_owned()
    } else if registry.me() == Some(*peer) {
        "you".to_owned()
    } else {
        let id = peer.to_string();
        let tail = id.char_indices().nth_back(3).map_or(0, |(at, _)| at);
        format!("somebody ({})", &id[tail..])
    }
}

/// The same of somebody who may not be known.
fn name_of(peer: Option<PeerId>, registry: &Registry) -> String {
    peer.map_or_else(
        || "whoever gave you the code".to_owned(),
        |peer| name(&peer, registry),
    )
}

/// An event in a line, for people who look for a fault.
fn readable(line: &Line) -> String {
    /// Shown elsewhere in the line, or the same as another field.
    const LEFT_OUT: [&str; 5] = ["event", "t", "message", "at", "old_state"];
    // Whatever an event holds can be said in JSON.
    let fields = serde_json::to_value(line).unwrap_or_default();
    let event = fields["event"].as_str().unwrap_or_default();
    let all = fields.as_object().into_iter().flatten();
    let told = all.filter(|(key, value)| !value.is_null() && !LEFT_OUT.contains(&key.as_str()));
    let told: Vec<_> = told
        .map(|(key, value)| match value {
            Value::String(text) => format!("{key} {text}"),
            other => format!("{key} {other}"),
        })
        .collect();
    format!("{:9.3}  {event}: {}", line.t, told.join(", "))
}

fn millis(duration: Duration) -> f64 {
    round(duration.as_secs_f64() * 1000.0, 1)
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
