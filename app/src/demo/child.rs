//! One participant's process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use sightline_media::devices;

use super::NAMES;
use crate::args::DemoOptions;
use crate::event::{CodeText, Line};
use crate::terminal::write_error;

/// 120 s: how much longer than the demo a participant lives at most.
const LONGER: u32 = 120;

/// What a process said; `None` when its output ended.
pub struct Said {
    pub participant: usize,
    pub line: Option<Line>,
}

/// A running participant.
pub struct Child {
    process: std::process::Child,
    reader: Option<JoinHandle<()>>,
}

impl Child {
    /// Starts a participant; with `code` it joins, without it starts the call.
    pub fn start(
        index: usize,
        name: &str,
        options: &DemoOptions,
        (seconds, has_window): (u32, bool),
        code: Option<&CodeText>,
        said: SyncSender<Said>,
    ) -> Result<Self, String> {
        let to_error = |error: std::io::Error| format!("{name} could not be started: {error}.");
        let program = std::env::current_exe().map_err(to_error)?;
        let mut command = Command::new(program);
        match code {
            // Through standard input: arguments can be read by everybody on the machine.
            Some(_) => command.args(["join", "-"]),
            None => command.arg("start"),
        };
        command
            .args([
                "--json",
                "--name",
                name,
                "--share",
                "127.0.0.1:0",
                "--admit",
                "code",
            ])
            .args(["--encoder", &options.encoder])
            // A demo that is killed leaves nobody behind; this one would end by itself as well.
            .arg("--leave-at-eof")
            .args(["--seconds", &(seconds + LONGER).to_string()])
            .args([
                "--camera",
                source(&options.camera, index),
                "--microphone",
                source(&options.microphone, index),
            ]);
        if has_window {
            command.args(["--window", "--speaker", speaker()]);
        }
        if let Some(folder) = &options.record {
            command.arg("--record").arg(folder.join(name));
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(to_error)?;
        let output = process.stdout.take();
        let read = move || {
            for line in output
                .into_iter()
                .flat_map(|output| BufReader::new(output).lines())
            {
                let Ok(line) = line else { break };
                let line = match serde_json::from_str(&line) {
                    Ok(line) => Some(line),
                    Err(error) => {
                        write_error(&format!("{}: an event could not be read: {error}.", NAMES[index]));
                        continue;
                    }
                };
                let said_by = Said {
                    participant: index,
                    line,
                };
                // A demo that has ended needs no telling.
                if said.send(said_by).is_err() {
                    return;
                }
            }
            let _ended = said.send(Said {
                participant: index,
                line: None,
            });
        };
        let reader = std::thread::Builder::new()
            .name("child".into())
            .spawn(read)
            .map_err(to_error)?;
        let mut child = Self {
            process,
            reader: Some(reader),
        };
        if let Some(code) = code {
            child.tell(&code.0);
        }
        Ok(child)
    }

    /// Gives the participant a line; one that has ended takes none.
    pub fn tell(&mut self, line: &str) {
        if let Some(input) = &mut self.process.stdin {
            let _ended = writeln!(input, "{line}").and_then(|()| input.flush());
        }
    }

    /// Ends the process if it has not ended by itself.
    pub fn stop(&mut self) {
        if !matches!(self.process.try_wait(), Ok(Some(_))) {
            // It may end between the two.
            let _ended = self.process.kill();
            let _ended = self.process.wait();
        }
        if let Some(reader) = self.reader.take() {
            // A panic was printed when it happened.
            let _panicked = reader.join();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.process.stdin = None;
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// Who has the window hears the others, where there is something to hear them with.
fn speaker() -> &'static str {
    match devices::sound_in_time() {
        Ok(sound) if !sound.speakers.is_empty() => "device",
        _ => "off",
    }
}

/// A device serves one participant; the others make up theirs.
fn source(given: &str, index: usize) -> &str {
    if given.starts_with("device") && index > 0 {
        "test"
    } else {
        given
    }
}
