//! A screen that nobody sees (Xvfb), with somebody before it who looks (ImageMagick) and clicks (xdotool).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::RgbImage;
use image::imageops::crop_imm;
use rustix::process::{Pid, Signal};

use crate::program::{self, PATIENCE, Program, in_turn};

/// 50 ms: between two looks.
const POLL: Duration = Duration::from_millis(50);

/// How often is looked for what a key or a click does, before it is taken for lost, or for nothing.
const LOOKS: u32 = 100;

/// How often a code is typed that was not read.
const TRIES: u32 = 5;

/// The next step: `accent` of ui/src/tokens.rs, dark.
pub const NEXT: [u8; 3] = [0x2a, 0x6f, 0xdb];

/// A part of the screen, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// The left edge.
    pub left: u32,
    /// The upper edge.
    pub top: u32,
    /// The right edge.
    pub right: u32,
    /// The lower edge.
    pub bottom: u32,
}

/// A running screen. Its pictures are kept in `folder`.
pub struct Screen {
    name: String,
    server: Child,
    folder: PathBuf,
}

impl Screen {
    /// Starts one, or says what is missing for it.
    ///
    /// # Errors
    /// The tool that is not there.
    pub fn start(size: &str, folder: PathBuf) -> Result<Self, &'static str> {
        Self::start_as(size, folder, &[])
    }

    /// The same with more that Xvfb is told.
    ///
    /// # Errors
    /// The tool that is not there.
    pub fn start_as(size: &str, folder: PathBuf, more: &[&str]) -> Result<Self, &'static str> {
        in_turn();
        for tool in ["Xvfb", "xdotool", "import"] {
            let found = Command::new(tool)
                .arg("-version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            found.map_err(|_| tool)?;
        }
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let name = format!(":{}", 100 + std::process::id() % 900);
        let server = Command::new("Xvfb")
            .args([&name, "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb runs");
        let screen = Self { name, server, folder };
        let socket = socket(&screen.name[1..]);
        screen.wait("the screen", || Path::new(&socket).exists().then_some(()));
        Ok(screen)
    }

    /// Makes a program open its window here, drawn by the processor.
    pub fn offer(&self, command: &mut Command) {
        command
            .env("DISPLAY", &self.name)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY");
    }

    /// The screen is gone, and with it every window.
    pub fn end(mut self) {
        self.stop();
    }

    /// It answers nothing from now on.
    pub fn pause(&self) {
        rustix::process::kill_process(Pid::from_child(&self.server), Signal::STOP).expect("it runs");
    }

    fn stop(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
        // What a killed server leaves behind would be taken for the next one of this name.
        let number = &self.name[1..];
        for left in [socket(number), format!("/tmp/.X{number}-lock")] {
            let _gone = std::fs::remove_file(left);
        }
    }

    /// Opens Bob's window here, drawn by the processor, with settings of its own in `folder` that keep to one
    /// network interface. Returns it with the button at home that starts a call.
    #[must_use]
    pub fn open(&self, folder: &Path, interface: &str, namespace: Option<&str>) -> (Program, Area) {
        let settings = format!(
            r#"{{"name": "Bob", "approve": "ask", "interfaces": ["{interface}"], "window": {{"theme": "dark",
            "language": "en", "place": {{"x": 0.0, "y": 0.0, "width": 1080.0, "height": 720.0}}}}}}"#
        );
        std::fs::write(folder.join("settings.json"), settings).expect("written");
        let mut command = program::command(namespace);
        command
            .arg("--settings")
            .arg(folder)
            // What is suggested for saving names no folder of this machine.
            .env("HOME", "/home/bob");
        self.offer(&mut command);
        // What is pointed at looks different.
        self.act(&["mousemove", "2", "2"]);
        let program = Program::run(command);
        // Only starting can be clicked.
        let start = self.wait_for("home", |picture| {
            let next = areas(picture, NEXT);
            (next.len() == 1).then(|| next[0])
        });
        self.act(&[
            "search",
            "--sync",
            "--name",
            "^Sightline$",
            "windowfocus",
            "--sync",
        ]);
        (program, start)
    }

    /// Types a code into the field at home, as with the keyboard alone. Returns the button that joins with it.
    #[must_use]
    pub fn enter_code(&self, code: &str) -> Area {
        for _ in 0..TRIES {
            // From nowhere the field is the second.
            self.press("Escape");
            for _ in 0..2 {
                self.act_and_see(&["key", "Tab"], RgbImage::clone);
            }
            self.act(&["key", "ctrl+a"]);
            self.act(&["type", "--delay", "2", code]);
            for _ in 0..LOOKS {
                let next = areas(&self.look("code"), NEXT);
                if let [_, join] = next[..] {
                    return join;
                }
                std::thread::sleep(POLL);
            }
        }
        panic!("never seen: a code that was read (see {})", self.folder.display());
    }

    /// Clicks a button at home that leads to the page before a call. Returns the button there that begins it.
    #[must_use]
    pub fn prepare(&self, button: Area) -> Area {
        self.click(button);
        self.wait_for("before", |picture| {
            let next = areas(picture, NEXT);
            (next.len() == 1 && next[0] != button).then(|| next[0])
        })
    }

    /// Takes a picture of the screen and keeps it under this name.
    #[must_use]
    pub fn look(&self, name: &str) -> RgbImage {
        let path = self.folder.join(format!("{name}.png"));
        let status = Command::new("import")
            .args(["-silent", "-window", "root"])
            .arg(&path)
            .env("DISPLAY", &self.name)
            .status()
            .expect("import runs");
        assert!(status.success(), "no picture of the screen");
        image::open(&path).expect("a picture").into_rgb8()
    }

    /// Looks until `is_it` finds what it looks for.
    pub fn wait_for<T>(&self, name: &str, is_it: impl Fn(&RgbImage) -> Option<T>) -> T {
        self.wait(name, || is_it(&self.look(name)))
    }

    fn wait<T>(&self, what: &str, mut is_it: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = is_it() {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "never seen: {what} (see {})",
                self.folder.display()
            );
            std::thread::sleep(POLL);
        }
    }

    /// What a person does with mouse and keyboard, in xdotool's words.
    pub fn act(&self, arguments: &[&str]) {
        let status = Command::new("xdotool")
            .args(arguments)
            .env("DISPLAY", &self.name)
            .status();
        assert!(status.expect("xdotool runs").success(), "{arguments:?}");
    }

    /// The same, and looks until it shows in this part of the picture. What a busy window gets at once counts as if it
    /// had happened at once: two steps of the focus are one, and a click is where the mouse went after it.
    fn act_and_see(&self, arguments: &[&str], part: impl Fn(&RgbImage) -> RgbImage) {
        let before = part(&self.look("act"));
        self.act(arguments);
        for _ in 0..LOOKS {
            if part(&self.look("act")) != before {
                return;
            }
            std::thread::sleep(POLL);
        }
    }

    /// Clicks into the middle of a button.
    pub fn click(&self, area: Area) {
        // With its outline, which looks different where the mouse is.
        let part = |picture: &RgbImage| {
            let (left, top) = (area.left.saturating_sub(4), area.top.saturating_sub(4));
            let (width, height) = (area.right + 5 - left, area.bottom + 5 - top);
            crop_imm(picture, left, top, width, height).to_image()
        };
        let [x, y] = [(area.left + area.right) / 2, (area.top + area.bottom) / 2].map(|at| at.to_string());
        self.act_and_see(&["mousemove", &x, &y], part);
        self.act_and_see(&["click", "1"], part);
        self.act(&["mousemove", "2", "2"]);
    }

    /// Presses a key.
    pub fn press(&self, key: &str) {
        self.act(&["key", key]);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the screen of this number listens.
fn socket(number: &str) -> String {
    format!("/tmp/.X11-unix/X{number}")
}

/// Areas of this colour that are at least as large as a button, from above to below.
#[must_use]
pub fn areas(picture: &RgbImage, colour: [u8; 3]) -> Vec<Area> {
    let is_it = |x: u32, y: u32| picture.get_pixel(x, y).0 == colour;
    let mut seen = vec![false; (picture.width() * picture.height()) as usize];
    let mut found = Vec::new();
    for (start_x, start_y) in (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y))) {
        if seen[(start_y * picture.width() + start_x) as usize] || !is_it(start_x, start_y) {
            continue;
        }
        let mut area = Area {
            left: start_x,
            top: start_y,
            right: start_x,
            bottom: start_y,
        };
        let mut waiting = vec![(start_x, start_y)];
        let mut count = 0;
        while let Some((x, y)) = waiting.pop() {
            let at = (y * picture.width() + x) as usize;
            if seen[at] || !is_it(x, y) {
                continue;
            }
            seen[at] = true;
            count += 1;
            area.left = area.left.min(x);
            area.right = area.right.max(x);
            area.top = area.top.min(y);
            area.bottom = area.bottom.max(y);
            waiting.extend(x.checked_sub(1).map(|x| (x, y)));
            waiting.extend(y.checked_sub(1).map(|y| (x, y)));
            waiting.extend((x + 1 < picture.width()).then_some((x + 1, y)));
            waiting.extend((y + 1 < picture.height()).then_some((x, y + 1)));
        }
        if count > 500 {
            found.push(area);
        }
    }
    found
}
