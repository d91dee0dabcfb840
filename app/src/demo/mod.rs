//! `demo`: a whole call on this machine. Each participant is a process of its own, joined through real codes over
//! loopback; this one only starts them, listens to their events, and tells what they saw and heard.

mod child;
mod summary;
mod table;

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use sightline_media::devices;

use crate::args::DemoOptions;
use crate::event::{CodeText, Event, Line};
use crate::exit::Exit;
use crate::output::Weight;
use crate::terminal::{self, write_error, write_json, write_line};
use child::{Child, Said};
use summary::Summary;
use table::Table;

/// The participants' names.
const NAMES: [&str; 10] = [
    "Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gil", "Hana", "Ian", "Jo",
];

/// Events of all participants that may wait.
const EVENTS: usize = 4096;

/// 20 s: how long a participant may take to start, and all to leave.
const PATIENCE: Duration = Duration::from_secs(20);

/// 20 s: how long a demo takes when nothing else is said.
const USUAL: u32 = 20;

/// How long a demo with a window takes at most, seconds.
const A_DAY: u32 = 86_400;

/// 1 s on a terminal, where the table is drawn over; 5 s where each one is printed below the last.
const TABLE_EVERY: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(1)];

/// Runs the demo.
#[must_use]
pub fn run(options: &DemoOptions) -> Exit {
    let mut options = options.clone();
    offer_devices(&mut options);
    match Demo::start(options) {
        Ok(demo) => demo.run(),
        Err(sentence) => {
            write_error(&sentence);
            Exit::Failed
        }
    }
}

/// Where a person sits in front and there are a camera and a microphone, asks whether to use them.
fn offer_devices(options: &mut DemoOptions) {
    let is_default = options.camera == "test" && options.microphone == "test";
    if !is_default || options.json || !std::io::stdin().is_terminal() {
        return;
    }
    let cameras = devices::cameras_in_time();
    let Ok(sound) = devices::sound_in_time() else {
        return;
    };
    let microphone = sound.microphones.iter().find(|device| !device.is_monitor);
    let (Some(camera), Some(microphone)) = (cameras.first(), microphone) else {
        return;
    };
    // Without an answer the demo makes up its own.
    let answer = terminal::ask(&format!(
        "Use the camera “{}” and the microphone “{}” for {}? [y/N]",
        camera.name, microphone.name, NAMES[0]
    ));
    if answer.trim().eq_ignore_ascii_case("y") {
        options.camera = "device".into();
        options.microphone = "device".into();
    }
}

/// Whether there is a screen to open a window on.
fn has_screen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", windows)) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

struct Demo {
    options: DemoOptions,
    /// The first participant has a window.
    has_window: bool,
    children: Vec<Child>,
    said: Receiver<Said>,
    summary: Summary,
}

#[allow(clippy::disallowed_methods, reason = "the demo's clock")]
impl Demo {
    fn start(options: DemoOptions) -> Result<Self, String> {
        let (sink, said) = sync_channel(EVENTS);
        let people = usize::from(options.people);
        let mut demo = Self {
            summary: Summary::new(&NAMES[..people], &options),
            children: Vec::new(),
            said,
            has_window: has_screen() && !options.no_window && !options.json,
            options,
        };
        for (index, name) in NAMES.iter().enumerate().take(people) {
            let code = match index {
                0 => None,
                _ => Some(demo.next_code()?),
            };
            let has_window = index == 0 && demo.has_window;
            let life = (demo.seconds(), has_window);
            let child = Child::start(index, name, &demo.options, life, code.as_ref(), sink.clone())?;
            demo.children.push(child);
            if index == 0 {
                demo.wait_for(0, |event| matches!(event, Event::Code { .. }))?;
            } else {
                demo.wait_for(index, |event| matches!(event, Event::Listening { .. }))?;
            }
        }
        Ok(demo)
    }

    fn seconds(&self) -> u32 {
        let usual = if self.has_window { A_DAY } else { USUAL };
        self.options.seconds.unwrap_or(usual)
    }

    /// The starter's first code is there from the beginning; for each further one it is asked.
    fn next_code(&mut self) -> Result<CodeText, String> {
        if self.children.len() > 1 {
            if let Some(starter) = self.children.first_mut() {
                starter.tell("code");
            }
            self.wait_for(0, |event| matches!(event, Event::Code { .. }))?;
        }
        self.summary
            .last_code()
            .ok_or_else(|| "The first participant made no code.".to_owned())
    }

    fn wait_for(&mut self, index: usize, is_it: impl Fn(&Event) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(patience) {
                Ok(Said {
                    participant,
                    line: Some(line),
                }) => {
                    let is_it = participant == index && is_it(&line.event);
                    self.note(participant, line);
                    if is_it {
                        return Ok(());
                    }
                }
                Ok(Said {
                    participant,
                    line: None,
                }) => {
                    return Err(format!("{} could not take part.", NAMES[participant]));
                }
                Err(_) => return Err(format!("{} took too long to start.", NAMES[index])),
            }
        }
    }

    fn run(mut self) -> Exit {
        let end = Instant::now() + Duration::from_secs(u64::from(self.seconds()));
        let is_terminal = terminal::is_watched();
        let every = TABLE_EVERY[usize::from(is_terminal)];
        let mut table = Table::new(is_terminal);
        let mut next_table = Instant::now() + every;
        while Instant::now() < end {
            let until = end.min(next_table).saturating_duration_since(Instant::now());
            match self.said.recv_timeout(until) {
                Ok(Said {
                    participant,
                    line: Some(line),
                }) => {
                    // Who leaves in the window, or closes it, ends the demo.
                    let has_left = participant == 0 && matches!(line.event, Event::End { .. });
                    let is_over = self.has_window && has_left;
                    self.note(participant, line);
                    if is_over {
                        break;
                    }
                }
                Ok(Said {
                    participant,
                    line: None,
                }) => self.summary.note_exit(participant),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= next_table {
                next_table += every;
                if !self.options.json && !self.has_window {
                    table.draw(&self.summary);
                }
            }
        }
        self.leave();
        let verdict = self.summary.verdict();
        if self.options.json {
            write_json(&self.summary.to_json(&verdict), Weight::Event);
        } else {
            self.summary.to_text(&verdict).lines().for_each(write_line);
        }
        if verdict.is_good() {
            Exit::Wished
        } else {
            Exit::Failed
        }
    }

    /// Everybody leaves, and says their ledger last.
    fn leave(&mut self) {
        for child in &mut self.children {
            child.tell("leave");
        }
        if let Some(first) = self.children.first_mut().filter(|_| self.has_window) {
            // Out of the call already: this closes the window.
            first.tell("leave");
        }
        let deadline = Instant::now() + PATIENCE;
        let mut running = self.children.len();
        while running > 0 {
            let patience = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(patience) {
                Ok(Said {
                    participant,
                    line: Some(line),
                }) => self.note(participant, line),
                Ok(Said { line: None, .. }) => running -= 1,
                Err(_) => break,
            }
        }
        for child in &mut self.children {
            child.stop();
        }
    }

    fn note(&mut self, participant: usize, mut line: Line) {
        self.summary.note(participant, &line.event);
        if self.options.json {
            line.participant = Some(NAMES[participant].to_owned());
            write_json(&line, Weight::Event);
        } else if let Event::Problem { message, .. } = &line.event {
            write_error(&format!("{}: {message}", NAMES[participant]));
        }
    }
}
