//! A sound service of the test's own (PulseAudio), with devices that come and go.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::program::{PATIENCE, in_turn};

/// A running sound service.
pub struct Service {
    folder: TempDir,
    server: Child,
}

impl Service {
    /// Starts one without devices, or says what is missing for it.
    ///
    /// # Errors
    /// The tool that is not there.
    pub fn start() -> Result<Self, &'static str> {
        in_turn();
        for tool in ["pulseaudio", "pactl"] {
            let found = Command::new(tool).arg("--version").stdout(Stdio::null()).status();
            found.map_err(|_| tool)?;
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("pulse")).expect("a folder");
        let server = run_server(folder.path());
        Ok(Self { folder, server })
    }

    /// Ends the service with all its devices, and starts one anew in its place.
    pub fn restart(&mut self) {
        self.end();
        // A killed server leaves its socket behind.
        std::fs::remove_file(self.socket()).expect("a socket");
        self.server = run_server(self.folder.path());
    }

    /// The service answers nothing, and nothing sounds, until it goes on.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Switches a loudspeaker and its microphone off, or on again: they stay where they are.
    pub fn suspend(&self, id: &str, is_off: bool) {
        let state = if is_off { "1" } else { "0" };
        self.control(&["suspend-sink", id, state]);
        self.control(&["suspend-source", &format!("{id}-mic"), state]);
    }

    /// It goes on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let server = Pid::from_child(&self.server);
        rustix::process::kill_process(server, signal).expect("it runs");
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }

    fn end(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }

    /// Makes a program use this service.
    pub fn offer(&self, command: &mut Command) {
        set_home(command, self.folder.path());
    }

    /// Plugs in a loudspeaker of this name, and a microphone of the same name that hears what it plays.
    pub fn plug(&self, name: &str) -> Plugged {
        self.plug_as(name, &name.to_lowercase(), &[])
    }

    /// The same with an id, and with what the service is to be told of both: `format`, `rate`, `channels`, `channel_map`.
    pub fn plug_as(&self, name: &str, id: &str, format: &[&str]) -> Plugged {
        let load = |module: &str, arguments: &[String]| {
            let mut all = vec!["load-module", module];
            all.extend(arguments.iter().map(String::as_str));
            all.extend(format);
            self.control(&all).trim().to_owned()
        };
        let sink = load(
            "module-null-sink",
            &[
                format!("sink_name={id}"),
                format!("sink_properties=device.description={name}"),
            ],
        );
        let source = load(
            "module-remap-source",
            &[
                format!("master={id}.monitor"),
                format!("source_name={id}-mic"),
                format!("source_properties=device.description={name}"),
                "remix=no".into(),
            ],
        );
        Plugged([source, sink])
    }

    /// Pulls it out.
    pub fn unplug(&self, device: &Plugged) {
        for module in &device.0 {
            self.control(&["unload-module", module]);
        }
    }

    /// Whether a program plays to this loudspeaker, or hears this microphone.
    #[must_use]
    pub fn is_used(&self, id: &str) -> bool {
        let lists = [("sinks", "sink-inputs"), ("sources", "source-outputs")];
        lists.iter().any(|(devices, streams)| {
            let devices = self.control(&["list", "short", devices]);
            let named = devices.lines().map(|line| line.split('\t').collect::<Vec<_>>());
            let mut index = named
                .filter(|fields| fields.get(1) == Some(&id))
                .map(|fields| fields[0].to_owned());
            let streams = self.control(&["list", "short", streams]);
            let mut used = streams.lines().filter_map(|line| line.split('\t').nth(1));
            index
                .next_back()
                .is_some_and(|index| used.any(|used| used == index))
        })
    }

    fn control(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("pactl");
        command.args(arguments);
        self.offer(&mut command);
        let output = command.output().expect("pactl runs");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }
}

/// A loudspeaker and a microphone that are plugged in: their modules.
pub struct Plugged([String; 2]);

/// Where a service listens, in the folder that is its and its clients' home.
const SOCKET: &str = "pulse/native";

fn run_server(folder: &Path) -> Child {
    let socket = folder.join(SOCKET);
    let protocol = format!("module-native-protocol-unix socket={}", socket.display());
    let mut command = Command::new("pulseaudio");
    command
        .args([
            "-n",
            "--daemonize=no",
            "--use-pid-file=no",
            "--exit-idle-time=-1",
            "--disable-shm=yes",
        ])
        .args(["-L", &protocol])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    set_home(&mut command, folder);
    let server = command.spawn().expect("PulseAudio runs");
    let deadline = Instant::now() + PATIENCE;
    while !socket.exists() {
        assert!(Instant::now() < deadline, "PulseAudio does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// What a program finds in its environment of this service, and of no other.
fn set_home(command: &mut Command, folder: &Path) {
    command
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env("XDG_CONFIG_HOME", folder);
    for other in ["PULSE_SERVER", "PULSE_RUNTIME_PATH", "PULSE_COOKIE"] {
        command.env_remove(other);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}
