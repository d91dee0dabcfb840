//! A sound service of the test's own (PulseAudio), with devices that come and go.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
        // Clients show the server's cookie, whether it asks for it or not.
        std::fs::write(folder.path().join("pulse/cookie"), [7; 256]).expect("written");
        let socket = folder.path().join("pulse/native");
        let protocol = format!(
            "module-native-protocol-unix socket={} auth-anonymous=1",
            socket.display()
        );
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
        set_home(&mut command, folder.path());
        let server = command.spawn().expect("PulseAudio runs");
        let service = Self { folder, server };
        let deadline = Instant::now() + PATIENCE;
        while !socket.exists() {
            assert!(Instant::now() < deadline, "PulseAudio does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(service)
    }

    /// Makes a program use this service.
    pub fn offer(&self, command: &mut Command) {
        command.env(
            "PULSE_SERVER",
            format!("unix:{}", self.folder.path().join("native").display()),
        );
        set_home(command, self.folder.path());
    }

    /// Plugs in a loudspeaker whose sound can be taken for a microphone: “Monitor of NAME”.
    pub fn plug(&self, name: &str) -> Plugged {
        let device = format!("sink_properties=device.description={name}");
        let sink = format!("sink_name={}", name.to_lowercase());
        Plugged(
            self.control(&["load-module", "module-null-sink", &sink, &device])
                .trim()
                .to_owned(),
        )
    }

    /// Pulls it out.
    pub fn unplug(&self, device: &Plugged) {
        self.control(&["unload-module", &device.0]);
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

/// A device that is plugged in.
pub struct Plugged(String);

fn set_home(command: &mut Command, folder: &Path) {
    command
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("PULSE_COOKIE", folder.join("pulse/cookie"))
        .env_remove("PULSE_SERVER");
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }
}
