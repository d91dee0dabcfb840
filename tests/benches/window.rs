//! Measures the window on this machine, in software rendering on a screen of its own, and prints a table. Nothing
//! here passes or fails.
//!
//! `./run bench only window`
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline_tests::bench;
use sightline_ui::model::{Call, Own, Person, PersonId, Preferences, Quality, Route, RouteState};
use sightline_ui::{Command as Wish, Host, Model, Picture, Pictures, Source, Wake, Window};

/// How long each scene is measured.
const SCENE: Duration = Duration::from_secs(10);

/// What is left out before: compiling shaders, the first texts.
const WARM_UP: Duration = Duration::from_secs(2);

fn main() {
    if let Some(scene) = bench::after("scene") {
        return show(&scene);
    }
    if !bench::is_wanted("window") {
        return;
    }
    let Some(screen) = Screen::start() else {
        return println!("\nThe window was not measured: there is no Xvfb here.");
    };
    println!(
        "\nThe window, 1280×720, software rendering, {} s each",
        SCENE.as_secs()
    );
    for scene in ["nine", "idle", "start"] {
        let program = std::env::current_exe().expect("this bench");
        let status = Command::new(program)
            .args(["scene", scene])
            .env("DISPLAY", &screen.name)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .status();
        if !status.is_ok_and(|status| status.success()) {
            println!("  {scene}: no window could be opened");
        }
    }
}

/// A screen that nobody sees.
struct Screen {
    name: String,
    server: Child,
}

impl Screen {
    fn start() -> Option<Self> {
        let name = format!(":{}", 200 + std::process::id() % 500);
        let server = Command::new("Xvfb")
            .args([&name, "-screen", "0", "1280x720x24", "-nolisten", "tcp"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let socket = format!("/tmp/.X11-unix/X{}", &name[1..]);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !std::path::Path::new(&socket).exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { name, server })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }
}

/// A program behind the window that only shows.
#[derive(Default)]
struct Stage {
    model: Mutex<Arc<Model>>,
    wake: Mutex<Option<Wake>>,
    drawn: AtomicU64,
    first: Mutex<Option<Instant>>,
    last: Mutex<Option<Instant>>,
    picture_waits: AtomicBool,
    is_over: AtomicBool,
}

struct Wire(Arc<Stage>);

impl Host for Wire {
    fn model(&self) -> Arc<Model> {
        Arc::clone(&self.0.model.lock().expect("unpoisoned"))
    }

    fn level(&self) -> f32 {
        0.0
    }

    fn wish(&self, _: Wish) {}

    fn on_change(&self, wake: Wake) {
        *self.0.wake.lock().expect("unpoisoned") = Some(wake);
    }

    fn drawing(&self) {
        let now = Instant::now();
        self.0.drawn.fetch_add(1, Ordering::Relaxed);
        self.0.first.lock().expect("unpoisoned").get_or_insert(now);
        *self.0.last.lock().expect("unpoisoned") = Some(now);
        self.0.picture_waits.store(false, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Relaxed)
    }
}

impl Stage {
    fn wake(&self, after: Duration) {
        if let Some(wake) = &*self.wake.lock().expect("unpoisoned") {
            wake(after);
        }
    }

    /// As the program does: pictures that come within a frame are drawn together.
    fn picture_came(&self) {
        const FRAME: Duration = Duration::from_millis(33);
        if !self.picture_waits.swap(true, Ordering::Relaxed) {
            let last = *self.last.lock().expect("unpoisoned");
            self.wake(FRAME.saturating_sub(last.map_or(FRAME, |last| last.elapsed())));
        }
    }
}

struct Moving(Vec<u8>);

impl Picture for Moving {
    fn size(&self) -> [usize; 2] {
        [320, 180]
    }

    fn planes(&self) -> [&[u8]; 3] {
        let (y, rest) = self.0.split_at(320 * 180);
        let (u, v) = rest.split_at(160 * 90);
        [y, u, v]
    }
}

fn moving(n: usize) -> Moving {
    let luma = (0..320 * 180).map(|at| (at % 320 + at / 320 + 3 * n) as u8);
    Moving(
        luma.chain((0..2 * 160 * 90).map(|at| (at / 160 + n) as u8))
            .collect(),
    )
}

fn person(n: usize) -> Person {
    Person {
        id: PersonId(Arc::from(format!("person {n}"))),
        name: format!("Person {n}"),
        has_video: true,
        quality: Quality::Good,
        volume: 1.0,
        route: Some(Route {
            path: sightline_ui::model::Path {
                via: None,
                local: ([192, 168, 1, 5], 40_000).into(),
                interface: Some("wlan0".into()),
                medium: Some("wifi"),
                remote: ([192, 168, 1, 10 + n as u8], 50_000).into(),
                remote_medium: None,
            },
            state: RouteState::Active,
            approved_by: Some("code"),
            theirs: "given",
            reason: "ready",
        }),
        ..Person::default()
    }
}

/// Processor time of this process so far, all threads (proc(5); ticks are hundredths of a second).
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let tick = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (tick(11) + tick(12)) / 100.0
}

fn show(scene: &str) {
    let begun = Instant::now();
    let people = match scene {
        "nine" => 9,
        "idle" => 3,
        _ => 0,
    };
    let call = (people > 0).then(|| Call {
        is_in: true,
        people: (0..people)
            .map(|n| Person {
                has_video: scene == "nine",
                ..person(n)
            })
            .collect(),
        ..Call::default()
    });
    let stage = Arc::new(Stage {
        model: Mutex::new(Arc::new(Model {
            call,
            own: Own {
                microphone: Some("test".into()),
                ..Own::default()
            },
            ..Model::default()
        })),
        ..Stage::default()
    });
    let pictures = Arc::<Pictures>::default();
    let moves = scene == "nine";
    let director = {
        let (stage, pictures, scene) = (Arc::clone(&stage), Arc::clone(&pictures), scene.to_owned());
        std::thread::spawn(move || direct(&stage, &pictures, moves, people, &scene, begun))
    };
    let preferences = Preferences {
        place: Some(sightline_ui::model::Place {
            x: Some(0.0),
            y: Some(0.0),
            width: 1280.0,
            height: 720.0,
        }),
        ..Preferences::default()
    };
    sightline_ui::run(Window {
        rest: Box::new(|| std::process::exit(1)),
        host: Box::new(Wire(stage)),
        pictures,
        language: "en".into(),
        preferences,
    })
    .expect("a window");
    director.join().expect("directed");
}

fn direct(stage: &Stage, pictures: &Pictures, moves: bool, people: usize, scene: &str, begun: Instant) {
    let reel: Vec<Arc<dyn Picture>> = (0..30).map(|n| Arc::new(moving(n)) as Arc<dyn Picture>).collect();
    let mut begin = None;
    let mut next = Instant::now();
    for n in 0.. {
        next += Duration::from_micros(33_333);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        for person_at in (0..people).filter(|_| moves) {
            pictures.put(
                Source::Camera(person(person_at).id),
                Arc::clone(&reel[(n + 3 * person_at) % reel.len()]),
            );
            stage.picture_came();
        }
        let counts = (
            stage.drawn.load(Ordering::Relaxed),
            processor_time(),
            Instant::now(),
        );
        if begin.is_none() && begun.elapsed() > WARM_UP {
            begin = Some(counts);
        }
        if let Some((drawn, used, at)) = begin.filter(|(_, _, at)| at.elapsed() >= SCENE) {
            let seconds = at.elapsed().as_secs_f64();
            let rate = (counts.0 - drawn) as f64 / seconds;
            let cores = (counts.1 - used) / seconds;
            match scene {
                "nine" => println!(
                    "  nine moving tiles (180p)                 {rate:>5.1} frames a second, {cores:.2} core"
                ),
                "idle" => println!(
                    "  in a call without video, nothing changes {rate:>5.1} frames a second, {cores:.3} core"
                ),
                _ => {
                    let first = stage.first.lock().expect("unpoisoned").expect("drawn");
                    let first = first.duration_since(begun).as_millis();
                    println!("  from the start to the first picture      {first:>5} ms");
                }
            }
            break;
        }
    }
    stage.is_over.store(true, Ordering::Relaxed);
    stage.wake(Duration::ZERO);
}
