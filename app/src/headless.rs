//! A participant without a window: `start` and `join`.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::av1::EncoderKind;
use sightline_mesh::{Entry, Record, Setup};
use sightline_mesh_proto::route::QuestionId;
use sightline_mesh_proto::{Clock, Code, Command, End, Event, Name};

use crate::args::{AdmitRule, ApproveRule, Options};
use crate::exit::Exit;
use crate::input::{self, Wish};
use crate::participant::{self, Media, Notice, Participant};
use crate::record;
use crate::report::{Report, write_error};
use crate::settings::Settings;
use crate::share;

/// The longest text that is read as a code, bytes.
const MAX_CODE_TEXT: u64 = 8192;

/// 1 s: how often measurements are told.
const STATS: Duration = Duration::from_secs(1);

/// Starts a call.
#[must_use]
pub fn start(options: Options) -> Exit {
    run(Entry::Start, options)
}

/// Joins a call with a code, or with the one that standard input begins with.
#[must_use]
pub fn join(text: &str, options: Options) -> Exit {
    let clock = participant::clock();
    match read_code(text) {
        Ok(code) if code.is_expired(clock.wall) => {
            write_error("This code has expired. Ask for another one.");
            Exit::Code
        }
        Ok(code) => run(Entry::Join(code), options),
        Err(sentence) => {
            write_error(&sentence);
            Exit::Code
        }
    }
}

/// Reads a code from an argument, or, for `-`, from the first line of standard input.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read_code(text: &str) -> Result<Code, String> {
    let text = if text == "-" {
        first_line()?
    } else {
        text.to_owned()
    };
    Code::parse(&text).map_err(|error| error.to_string())
}

/// Byte by byte: what follows the line stays for the commands.
fn first_line() -> Result<String, String> {
    let mut line = Vec::new();
    for byte in std::io::stdin().lock().take(MAX_CODE_TEXT).bytes() {
        match byte.map_err(|error| format!("The code could not be read: {error}."))? {
            b'\n' if line.iter().all(u8::is_ascii_whitespace) => line.clear(),
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn run(entry: Entry, mut options: Options) -> Exit {
    let clock = participant::clock();
    match prepare(entry, &mut options, clock) {
        Ok(participant) => Headless::new(participant, &options, clock).run(),
        Err(sentence) => {
            write_error(&sentence);
            Exit::Arguments
        }
    }
}

/// Opens everything that the options name; the sentence says what cannot be used.
fn prepare(entry: Entry, options: &mut Options, clock: Clock) -> Result<Participant, String> {
    let settings = Settings::load(options.settings.as_deref()).map_err(|error| error.to_string())?;
    settings.complete(options);
    let name = Name::new(options.name.as_deref().unwrap_or("Guest"));
    let mut seed = DefaultHasher::new();
    name.hash(&mut seed);
    // What cannot be opened is named before any address is.
    let media = Media::open(
        &options.camera,
        &options.microphone,
        &options.speaker,
        options.record.clone(),
        options.encoder.unwrap_or_default(),
        seed.finish(),
    )
    .map_err(|error| error.to_string())?;
    let setup = Setup {
        entry,
        addresses: share::choose(&options.share, &options.interface)?,
        name,
        interfaces: options.interface.clone(),
        tell_medium: options.tell_interface,
        rule: options.approve.unwrap_or(ApproveRule::Listed).into(),
        admit: options.admit.unwrap_or(AdmitRule::Ask).into(),
        clock,
    };
    Participant::start(setup, media, None).map_err(|error| error.to_string())
}

/// The loop of a participant without a window.
struct Headless {
    participant: Participant,
    report: Report,
    encoder: EncoderKind,
    clock: Clock,
    leave_at: Option<Instant>,
    next_stats: Instant,
    /// When each member was first known.
    since: HashMap<PeerId, Instant>,
    knocking: HashMap<PeerId, String>,
    /// Where the record of the call is written at the end.
    save: Vec<PathBuf>,
}

impl Headless {
    fn new(participant: Participant, options: &Options, clock: Clock) -> Self {
        let after = |seconds: u32| participant::after(f64::from(seconds));
        let me = participant.me();
        Self {
            participant,
            report: Report::new(options.json, clock, me),
            encoder: options.encoder.unwrap_or_default(),
            clock,
            leave_at: options.seconds.map(after),
            next_stats: after(1),
            since: HashMap::new(),
            knocking: HashMap::new(),
            save: options.save.clone(),
        }
    }

    fn run(mut self) -> Exit {
        let local = self.participant.mesh().local();
        self.report.listening(local);
        for warning in share::warnings(local) {
            self.report.problem("identifying_address", &warning, None);
        }
        let sink = self.participant.notice_sink();
        let interrupts = sink.clone();
        // Without either, the call is left by `--seconds` or by ending the program.
        let _unavailable = ctrlc::set_handler(move || crate::wiring::tell(&interrupts, Notice::Interrupted));
        let _unavailable = input::start(sink);
        // A joiner's code is made when it is asked for; a starter's is what it was started for.
        if self.is_starter() {
            self.participant.command(Command::NewCode);
        }
        let end = self.run_until_end();
        self.say_encoder();
        let record = self.participant.stop();
        self.report.ledger(&record.ledger);
        for path in &self.save {
            save(path, &record, &self.report, self.clock);
        }
        match end {
            Some(end) => self.report.end(end),
            None => self.report.fault(),
        }
        end.map_or(Exit::Failed, Exit::from)
    }

    fn is_starter(&self) -> bool {
        self.participant.is_starter()
    }

    /// `None` when the network side is gone without a word: a fault of this program.
    fn run_until_end(&mut self) -> Option<End> {
        loop {
            let deadline = self
                .leave_at
                .map_or(self.next_stats, |leave| leave.min(self.next_stats));
            match self.participant.next_notice(deadline) {
                Some(Notice::Call(Event::Ended(end))) => return Some(end),
                Some(Notice::MeshEnded) => return None,
                Some(notice) => self.handle(notice),
                None => {}
            }
            self.handle_time();
        }
    }

    #[allow(clippy::disallowed_methods, reason = "the loop's clock")]
    fn handle_time(&mut self) {
        let now = Instant::now();
        if self.leave_at.is_some_and(|at| now >= at) {
            self.leave_at = None;
            self.participant.command(Command::Leave);
        }
        if now >= self.next_stats {
            self.next_stats = (self.next_stats + STATS).max(now);
            let estimate = self.participant.estimate_bps();
            for stats in self.participant.take_stats() {
                self.report.stats(&stats, estimate);
            }
        }
    }

    fn handle(&mut self, notice: Notice) {
        match notice {
            Notice::Call(event) => self.handle_event(&event),
            Notice::FirstAudio(member, at) => self.tell_first("sound", member, at),
            Notice::FirstVideo(member, at) => self.tell_first("picture", member, at),
            Notice::Undecodable(member) => {
                let peer = self.participant.peer(member);
                let message =
                    "A member's picture could not be decoded. It comes back with the next whole one.";
                self.report.problem("undecodable", message, peer.as_ref());
            }
            Notice::SourceFailed(code, message) => self.report.problem(code, &message, None),
            Notice::Line(line) => match Wish::parse(&line) {
                Ok(wish) => self.fulfil(wish),
                Err(_) if line.trim().is_empty() => {}
                Err(sentence) => self.report.problem("unknown_command", &sentence, None),
            },
            Notice::Interrupted => self.participant.command(Command::Leave),
            Notice::NeedsKeyFrame(_) | Notice::MeshEnded => {}
        }
    }

    #[allow(clippy::disallowed_methods, reason = "the loop's clock")]
    fn handle_event(&mut self, event: &Event) {
        match event {
            Event::Joined { peer, .. } => {
                self.since.insert(*peer, Instant::now());
                self.knocking.remove(peer);
            }
            Event::Knock { peer, name, .. } => {
                self.knocking.insert(*peer, name.as_str().to_owned());
            }
            _ => {}
        }
        self.report.event(event);
    }

    /// Counted from the later of: this program's start (the code is given), the member's coming.
    fn tell_first(&self, what: &'static str, member: sightline_media::MemberId, at: Instant) {
        let Some(peer) = self.participant.peer(member) else {
            return;
        };
        let known = self.since.get(&peer).copied().unwrap_or(self.clock.start);
        let was_here_before = !self.is_starter() && known < self.clock.start + Duration::from_secs(1);
        let since = if was_here_before { self.clock.start } else { known };
        self.report
            .first(what, &peer, at.saturating_duration_since(since));
    }

    fn fulfil(&mut self, wish: Wish) {
        match wish {
            Wish::Mute => self.participant.set_muted(true),
            Wish::Unmute => self.participant.set_muted(false),
            Wish::Camera(source) => {
                if let Err(error) = self.participant.set_camera(&source) {
                    self.report.problem("camera", &error.to_string(), None);
                }
            }
            Wish::Admit(who) => self.answer(&who, Command::Admit),
            Wish::Refuse(who) => self.answer(&who, Command::Refuse),
            Wish::Code => self.participant.command(Command::NewCode),
            Wish::Withdraw => self.participant.command(Command::Withdraw),
            Wish::Approve(question) => self.participant.command(Command::Approve(QuestionId(question))),
            Wish::Deny(question) => self.participant.command(Command::Deny(QuestionId(question))),
            Wish::Rule(rule) => self.participant.command(Command::SetRule(rule.into())),
            Wish::Ledger => self.report.ledger(&self.participant.mesh().ledger()),
            Wish::History => self.report.history(&self.participant.mesh().record().history),
            Wish::Save(path) => {
                let record = self.participant.mesh().record();
                save(&path, &record, &self.report, self.clock);
            }
            Wish::Leave => self.participant.command(Command::Leave),
        }
    }

    /// Answers a knock, named by id or, when only one is meant, by name.
    fn answer(&mut self, who: &str, command: fn(PeerId) -> Command) {
        let matching: Vec<_> = self
            .knocking
            .iter()
            .filter(|(peer, name)| peer.to_string() == who || *name == who)
            .map(|(peer, _)| *peer)
            .collect();
        match matching.as_slice() {
            [peer] => {
                self.knocking.remove(peer);
                self.participant.command(command(*peer));
            }
            _ => {
                let sentence = format!("Nobody called “{who}” is at the door, or more than one.");
                self.report.problem("nobody_there", &sentence, None);
            }
        }
    }

    fn say_encoder(&self) {
        let Some(sent) = self.participant.sent_pictures().filter(|sent| sent.encoded > 0) else {
            return;
        };
        let name = match self.encoder {
            EncoderKind::Aom => "aom",
            EncoderKind::Rav1e => "rav1e",
        };
        self.report.encoder(name, &sent);
    }
}

/// Writes down what the call has done.
fn save(path: &Path, record: &Record, report: &Report, clock: Clock) {
    match record::save(path, record, report.names(), clock) {
        Ok(()) => report.saved(path),
        Err(error) => report.problem("save", &error.to_string(), None),
    }
}
