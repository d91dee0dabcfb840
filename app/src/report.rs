//! What a participant says: events as JSON lines on standard output, or sentences on standard error.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use libp2p_identity::PeerId;
use serde_json::Value;
use sightline_media::{Received, VideoSendStats};
use sightline_media_proto::overuse::Degradation;
use sightline_media_proto::{Track, VideoTrack};
use sightline_mesh_proto::ledger::{Counts, Ledger};
use sightline_mesh_proto::route::{Answer, Consent, History, Question, QuestionId, State, Transition};
use sightline_mesh_proto::{Clock, Code, End, Event, Name, UnixTime, Unreached, Why};
use zeroize::Zeroizing;

use crate::controller::measure::Measured;
use crate::event::{self, CodeText, Line};
use crate::terminal::{write_error, write_json, write_line};
use crate::{clock, record, share, words};

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
    me: Option<PeerId>,
    names: HashMap<PeerId, String>,
    lines: VecDeque<Arc<str>>,
}

impl Reporter {
    pub fn new(voice: Voice, clock: Clock) -> Self {
        Self {
            voice,
            clock,
            me: None,
            names: HashMap::new(),
            lines: VecDeque::new(),
        }
    }

    /// Another call begins.
    pub fn begin(&mut self, me: PeerId) {
        self.me = Some(me);
        self.names.clear();
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

    /// An event of the call.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Code(code) => self.code(code),
            Event::Knock { peer, name, from } => {
                self.remember(peer, name.as_str());
                self.tell(event::Event::Knock {
                    peer: peer.to_string(),
                    name: name.as_str().to_owned(),
                    from: *from,
                });
                self.say(&format!(
                    "{} wants to join, from {from}. Type “admit {peer}” or “refuse {peer}”.",
                    self.name(peer)
                ));
            }
            Event::Admitted => self.say("You are in."),
            Event::Joined {
                peer,
                name,
                invited_by,
            } => {
                self.remember(peer, name.as_str());
                self.tell(event::Event::Joined {
                    peer: peer.to_string(),
                    name: name.as_str().to_owned(),
                    invited_by: invited_by.to_string(),
                });
                self.say(&format!(
                    "{} is here, let in by {}.",
                    self.name(peer),
                    self.name(invited_by)
                ));
            }
            Event::Left {
                peer,
                name,
                invited_by,
                why,
            } => {
                let (word, sentence) = match why {
                    Why::Left => ("left", "left"),
                    Why::Lost => ("lost", "is gone: nobody can reach them"),
                    Why::CutOff => ("cut_off", "is cut off: your own system lets nothing out to them"),
                };
                self.tell(event::Event::Left {
                    peer: peer.to_string(),
                    name: name.as_str().to_owned(),
                    invited_by: invited_by.to_string(),
                    why: word.to_owned(),
                });
                self.say(&format!("{} {sentence}.", self.name(peer)));
            }
            Event::Route(step) => self.route(step),
            Event::Ask(question, name) => self.ask(question, name.as_ref()),
            Event::Waiting(peer) => {
                self.tell(event::Event::Waiting {
                    peer: peer.to_string(),
                    name: self.names.get(peer).cloned(),
                });
                self.say(&format!(
                    "{} is being asked whether to connect with you.",
                    self.name(peer)
                ));
            }
            Event::Answered(question, answer) => self.answered(*question, *answer),
            Event::Listening(local) => self.listening(local),
            Event::Problem(problem, peer) => {
                self.problem(problem.code(), &problem.to_string(), peer.as_ref());
            }
            _ => {}
        }
    }

    /// The addresses that are listened on.
    pub fn listening(&mut self, local: &[SocketAddr]) {
        self.tell(event::Event::Listening {
            local: local.to_vec(),
        });
        let local: Vec<_> = local.iter().map(ToString::to_string).collect();
        self.say(&format!("Listening on {}.", local.join(", ")));
    }

    fn code(&mut self, code: &Code) {
        let text = Zeroizing::new(code.to_string());
        self.tell(event::Event::Code {
            code: CodeText(text.to_string()),
            expires: code.expires.to_string(),
            uses: 1,
        });
        if self.voice == Voice::Sentences {
            // The code is what was asked for.
            write_line(&text);
        }
        self.say(&format!(
            "Give this code to one person, by a channel that you trust. It works once, until {}.",
            code.expires
        ));
    }

    fn route(&mut self, step: &Transition) {
        let route = &step.route;
        self.tell(event::Event::Route(record::step(step)));
        let flowed = matches!(step.old, Some(State::Active | State::Paused));
        let waits = route.state != State::Closed && route.theirs != Consent::Given;
        // What never carried media is of no interest to a person.
        if flowed || waits || route.state == State::Active {
            let approved = match (route.state, route.approved_by) {
                (State::Active, Some(by)) => format!(" Approved: {}.", words::approval(by)),
                _ => String::new(),
            };
            self.say(&format!(
                "Route to {}: {}: {} ({}).{approved}",
                self.name_of(route.peer),
                words::ends(route),
                words::state(route.state, route.theirs),
                words::reason(step.reason)
            ));
        }
    }

    fn ask(&mut self, question: &Question, name: Option<&Name>) {
        let (id, new) = (question.id.0, &question.new);
        self.tell(event::Event::Ask {
            id,
            peer: new.peer.map(|peer| peer.to_string()),
            name: name.map(|name| name.as_str().to_owned()),
            old: question.old.as_ref().map(record::path),
            new: record::route(new),
            reason: question.reason.word().to_owned(),
            shares_address: question.tells,
        });
        let before = question
            .old
            .as_ref()
            .map_or_else(|| "none".to_owned(), ToString::to_string);
        if question.tells {
            let local = new.path.local;
            self.say(&format!(
                "Your address is {local} now. If you approve, everybody in the call learns it."
            ));
            for warning in share::warnings(&[local]) {
                self.say(&warning);
            }
        }
        self.say(&format!(
            "May your sound and picture go to {} by this route? Until you answer they do not.",
            self.name_of(new.peer)
        ));
        self.say(&format!("  before: {before}"));
        self.say(&format!(
            "  now:    {} ({})",
            words::ends(new),
            words::reason(question.reason)
        ));
        self.say(&format!(
            "Type “approve {id}” or “deny {id}”; “deny” refuses the address for the rest of the call."
        ));
    }

    fn answered(&mut self, question: QuestionId, answer: Answer) {
        let word = match answer {
            Answer::Approved => "approved",
            Answer::Denied => "denied",
            Answer::Withdrawn => "withdrawn",
        };
        self.tell(event::Event::Answered {
            id: question.0,
            answer: word.to_owned(),
        });
        if answer == Answer::Withdrawn {
            self.say(&format!("Question {} needs no answer any more.", question.0));
        }
    }

    /// The first sound or picture of a member's track.
    pub fn first(&mut self, track: Track, peer: &PeerId, since_join: Duration) {
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
            self.name(peer),
            since_join.as_secs_f64()
        ));
    }

    /// Something went wrong; the call goes on.
    pub fn problem(&mut self, code: &str, message: &str, peer: Option<&PeerId>) {
        self.tell(event::Event::Problem {
            code: code.to_owned(),
            message: message.to_owned(),
            peer: peer.map(ToString::to_string),
        });
        match peer {
            Some(peer) => self.say(&format!("{}: {message}", self.name(peer))),
            None => self.say(message),
        }
    }

    /// Who hears whom.
    pub fn hears(&mut self, matrix: &BTreeMap<String, Vec<String>>) {
        self.tell(event::Event::Hears {
            matrix: matrix.clone(),
        });
    }

    /// What was measured in the last second.
    pub fn stats(&mut self, measured: &Measured, degradation: Degradation) {
        let (link, media) = (&measured.stats.link, &measured.stats.media);
        let sending = measured.stats.sending.as_ref();
        self.tell(event::Event::Stats(Box::new(event::Stats {
            peer: measured.stats.peer.to_string(),
            rtt_ms: link.rtt.map(millis),
            loss: round(measured.loss, 4),
            send_bps: measured.send_bps,
            recv_bps: measured.recv_bps,
            estimate_bps: sending.map(|sending| sending.estimate.0),
            gave_way: degradation.word().to_owned(),
            sent_layer: sending
                .and_then(|sending| sending.shares[VideoTrack::Camera.index()])
                .map(|share| share.to_string()),
            pacing_ms: sending.map(|sending| millis(sending.pacing)),
            queue_ms: sending.map(|sending| millis(sending.queue)),
            sent_loss: sending.map(|sending| round(f64::from(sending.loss), 3)),
            repaired: sending.map(|sending| sending.counts.repaired),
            left_out: sending.map(|sending| sending.counts.left_out),
            encode_ms: measured.encode.map(millis),
            dropped_packets: link.dropped,
            audio: event::AudioStats {
                delay_ms: media.audio_delay.map(millis),
                concealed: measured.concealed,
                frame_ms: millis(media.audio_frame),
                network_ms: link.rtt.map(|trip| millis(trip / 2)),
                buffer_ms: millis(media.audio_buffer),
                target_ms: millis(media.audio_target),
                recovered: media.audio.recovered,
                stretched: media.audio.shortened + media.audio.lengthened,
                level_db: media.level_db.map(|level| round(f64::from(level), 1)),
            },
            video: video_stats(media),
            screen: measured.stats.screen.as_ref().map(video_stats),
        })));
    }

    /// Every address that took part, with what passed.
    pub fn ledger(&mut self, ledger: &Ledger) {
        self.tell(event::Event::Ledger(record::ledger(ledger)));
        for ((local, remote), row) in ledger.rows() {
            let whose = row
                .peer
                .map_or_else(|| "a stranger".to_owned(), |peer| self.name(&peer));
            let counts = &row.counts;
            self.say(&format!(
                "{local} ↔ {remote} ({whose}): sent {} bytes in {} packets, received {} in {}, refused {}.",
                counts.sent_bytes,
                counts.sent_packets,
                counts.recv_bytes,
                counts.recv_packets,
                counts.refused_packets
            ));
        }
        let earlier = &ledger.earlier().counts;
        if *earlier != Counts::default() {
            self.say(&format!(
                "Other addresses: sent {} bytes, received {}, refused {} packets.",
                earlier.sent_bytes, earlier.recv_bytes, earlier.refused_packets
            ));
        }
    }

    /// Every step of every route.
    pub fn history(&mut self, history: &History) {
        self.tell(event::Event::History(record::history(history)));
        for step in history.steps() {
            self.say(&format!(
                "{:8.2} s  {}: {}: {} ({}).",
                step.at.as_secs_f64(),
                self.name_of(step.route.peer),
                words::ends(&step.route),
                words::state(step.route.state, step.route.theirs),
                words::reason(step.reason)
            ));
        }
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

    /// The names of everybody who was seen.
    pub const fn names(&self) -> &HashMap<PeerId, String> {
        &self.names
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

    /// The call is over for this participant. The wall clock says `wall`, the code that it came with `code_ends`.
    pub fn end(&mut self, end: End, code_ends: Option<UnixTime>, wall: UnixTime) {
        let (why, sentence) = match end {
            End::Left => ("left", "You left the call.".to_owned()),
            End::Unreachable(why) => (why.word(), unreachable(why, code_ends, wall)),
            End::Impostor => (
                "impostor",
                "Somebody answered at the address in the code who did not make it. Nothing was sent to them; ask for \
                 another code by another channel."
                    .to_owned(),
            ),
            End::InviterGone => (
                "inviter_gone",
                "The person who gave you the code went away before letting you in.".to_owned(),
            ),
            End::LineLost => (
                "line_lost",
                "The connection to the person who gave you the code was lost before they let you in. It is too slow or loses \
                 too much, or a machine or network on one side is gone. Try again; if the code is used by then, ask for \
                 another one."
                    .to_owned(),
            ),
            End::Refused(why) => (why.word(), why.to_string()),
        };
        self.tell(event::Event::End { why: why.to_owned() });
        if self.voice == Voice::Sentences || (self.voice == Voice::Json && end != End::Left) {
            write_error(&sentence);
        }
    }

    /// The network side stopped working.
    pub fn fault(&mut self) {
        self.tell(event::Event::End {
            why: "fault".to_owned(),
        });
        write_error(
            "The program's network side stopped working, so the call is over. This is a fault of the program.",
        );
    }

    fn remember(&mut self, peer: &PeerId, name: &str) {
        self.names.insert(*peer, name.to_owned());
    }

    fn name_of(&self, peer: Option<PeerId>) -> String {
        peer.map_or_else(|| "whoever gave you the code".to_owned(), |peer| self.name(&peer))
    }

    fn name(&self, peer: &PeerId) -> String {
        let tail: String = peer
            .to_string()
            .chars()
            .rev()
            .take(4)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        match self.names.get(peer) {
            Some(name) if !name.is_empty() => name.clone(),
            _ if Some(*peer) == self.me => "you".to_owned(),
            _ => format!("somebody ({tail})"),
        }
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
            write_json(&line);
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

/// Why nobody was reached. Where nobody answered, the code may be over: only its maker knows, and a clock can be wrong
/// about that, so its owner is told what it says.
fn unreachable(why: Unreached, code_ends: Option<UnixTime>, wall: UnixTime) -> String {
    let sentence = why.to_string();
    let Some(code_ends) = code_ends.filter(|_| why == Unreached::Silence) else {
        return sentence;
    };
    let (ends, says) = (clock::in_words(code_ends), clock::in_words(wall));
    if wall >= code_ends {
        format!(
            "{sentence} The code ended at {ends}, and your clock says {says}: ask for another code, or set your clock if \
             it is wrong."
        )
    } else {
        format!("{sentence} The code ends at {ends}, and your clock says {says}.")
    }
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

fn video_stats(media: &Received) -> event::VideoStats {
    event::VideoStats {
        fps: media.pictures,
        width: media.size.map(|size| size.width),
        height: media.size.map(|size| size.height),
        freezes: media.freezes,
        frozen_s: round(media.frozen.as_secs_f64(), 2),
        delay_ms: media.video_delay.map(millis),
        decode_ms: media.decode.map(millis),
        lost: media.video_lost,
        dropped_packets: media.video_dropped,
    }
}

fn millis(duration: Duration) -> f64 {
    round(duration.as_secs_f64() * 1000.0, 1)
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
