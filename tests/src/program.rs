//! The real program, run as a process and listened to.

mod process;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline::event::{Event, Ledger, Line, Path as EventPath, Route, Stats, Step};
use sightline_mesh_proto::{Candidate, Code};

/// 5 min: how long anything may take before a test gives up on it. Only what never comes takes so long, on the slowest
/// machine.
pub const PATIENCE: Duration = Duration::from_secs(300);

static TURNS: Mutex<()> = Mutex::new(());

thread_local! {
    /// Kept until the thread ends. libtest gives each test a thread of its own.
    static TURN: MutexGuard<'static, ()> = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
}

/// Waits until no other test runs the program; from then on it is this test's turn, until its end. Whatever takes real
/// time begins with it.
pub fn in_turn() {
    TURN.with(|_turn| ());
}

/// The program that `cargo build --release` made. Who asks for it takes its turn.
#[must_use]
pub fn path() -> PathBuf {
    in_turn();
    let test = std::env::current_exe().expect("a running test");
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("target/release");
    let program = folder.join(format!("sightline{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not there: run `cargo build --release` first",
        program.display()
    );
    program
}

/// The program, to be run within a network namespace if one is named.
#[must_use]
pub fn command(namespace: Option<&str>) -> Command {
    let Some(namespace) = namespace else {
        return Command::new(path());
    };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(path());
    command
}

/// A code that leads to other addresses.
#[must_use]
pub fn code_to(addresses: &[&str], code: &str) -> String {
    let addresses = addresses
        .iter()
        .map(|address| Candidate::local(address.parse().expect("an address")));
    let code = Code {
        candidates: addresses.collect(),
        ..Code::parse(code).expect("a code")
    };
    code.to_string()
}

/// Picks something out of an event of one kind: `pick!(Event::Left { why, .. } => why.clone())`.
#[macro_export]
macro_rules! pick {
    ($event:pat $(if $condition:expr)? => $picked:expr) => {
        |event: &sightline::event::Event| match event {
            $event $(if $condition)? => Some($picked),
            _ => None,
        }
    };
}

/// What an event is called where programs read it.
#[must_use]
pub fn name_of(event: &Event) -> String {
    let written = serde_json::to_value(event).expect("an event");
    written["event"].as_str().expect("a name").to_owned()
}

/// Something that went wrong.
#[derive(Clone, Debug)]
pub struct Problem {
    /// A sentence for it.
    pub message: String,
    /// Whom it concerns, if it is one member.
    pub peer: Option<String>,
}

/// A question about a route.
#[derive(Clone, Debug)]
pub struct Question {
    /// To be named in the answer.
    pub id: u64,
    /// To whom, if that is known.
    pub name: Option<String>,
    /// The path before.
    pub old: Option<EventPath>,
    /// The route in question.
    pub new: Route,
    /// Why it is asked.
    pub reason: String,
}

/// Whether a second of a member's sound was speech.
#[must_use]
pub fn is_loud(stats: &Stats) -> bool {
    stats.audio.level_db.is_some_and(|level| level > -40.0)
}

/// What starts a call on loopback, with JSON events, into which everybody with a code is let.
#[must_use]
pub const fn starts_call(name: &str) -> [&str; 8] {
    let address = "127.0.0.1:0";
    [
        "start", "--json", "--share", address, "--admit", "code", "--name", name,
    ]
}

/// A running program whose events are read.
pub struct Program {
    child: Child,
    events: Receiver<Event>,
    reader: Option<JoinHandle<()>>,
    /// Everything that it said so far.
    pub seen: Vec<Event>,
}

impl Program {
    /// Runs the program with `arguments`, within a network namespace if one is named.
    #[must_use]
    pub fn start(arguments: &[&str], namespace: Option<&str>) -> Self {
        let mut command = command(namespace);
        command.args(arguments);
        Self::run(command)
    }

    /// Runs a program whose standard output is read.
    #[must_use]
    pub fn run(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let output = child.stdout.take().expect("piped");
        let (sink, events) = channel();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            // Without `--json` it speaks to people.
            for line in lines.filter(|line| line.starts_with('{')) {
                // What cannot be read is told by the test that then waits for ever.
                let read: Line =
                    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sink.send(read.event).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            events,
            reader: Some(reader),
            seen: Vec::new(),
        }
    }

    /// Starts a call on loopback, with JSON events and `more` arguments.
    #[must_use]
    pub fn start_call(name: &str, more: &[&str]) -> Self {
        Self::start(&[&starts_call(name), more].concat(), None)
    }

    /// Joins a call on loopback, the code going in through standard input.
    #[must_use]
    pub fn join_call(name: &str, code: &str, more: &[&str]) -> Self {
        let common = ["join", "-", "--json", "--share", "127.0.0.1:0", "--name", name];
        let mut program = Self::start(&[&common, more].concat(), None);
        program.tell(code);
        program
    }

    /// Takes in what it has said by now.
    pub fn listen(&mut self) {
        self.seen.extend(self.events.try_iter());
    }

    /// Gives it a line.
    pub fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("piped");
        writeln!(input, "{line}")
            .and_then(|()| input.flush())
            .expect("it listens");
    }

    /// Waits for an event of which `pick` finds something; those before it are kept in `seen`. See [`crate::pick`].
    pub fn wait_for<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self
                .events
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(event) => {
                    let picked = pick(&event);
                    self.seen.push(event);
                    if let Some(picked) = picked {
                        return picked;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no {what}; it said: {:#?}", self.seen);
                }
            }
        }
    }

    /// Waits for an event for which `is_it` holds.
    pub fn wait_until(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) {
        self.wait_for(what, |event| is_it(event).then_some(()));
    }

    /// Waits for an event of this name.
    pub fn wait(&mut self, name: &str) {
        self.wait_until(name, |event| name_of(event) == name);
    }

    /// Waits for an event of this name, unless it has come already.
    pub fn once(&mut self, name: &str) {
        self.listen();
        if !self.seen.iter().any(|event| name_of(event) == name) {
            self.wait(name);
        }
    }

    /// Waits until it has said both, in either order.
    pub fn wait_for_both(&mut self, one: &str, other: &str) {
        let first = self.wait_for(one, |event| {
            let name = name_of(event);
            (name == one || name == other).then_some(name)
        });
        self.wait(if first == one { other } else { one });
    }

    /// Waits for a problem of this code, which tells of itself.
    pub fn wait_for_problem(&mut self, wanted: &str) -> Problem {
        self.wait_for(wanted, |event| match event {
            Event::Problem { code, message, peer } if code == wanted => Some(Problem {
                message: message.clone(),
                peer: peer.clone(),
            }),
            _ => None,
        })
    }

    /// Waits for the next second's measurements of one member.
    pub fn stats(&mut self) -> Stats {
        self.wait_for(
            "statistics",
            crate::pick!(Event::Stats(stats) => (**stats).clone()),
        )
    }

    /// Asks for the ledger, and waits for it.
    pub fn ledger(&mut self) -> Ledger {
        self.tell("ledger");
        self.wait_for("a ledger", crate::pick!(Event::Ledger(ledger) => ledger.clone()))
    }

    /// Waits until it is told that somebody is gone. Returns their name, and why.
    pub fn left(&mut self) -> (String, String) {
        let left = crate::pick!(Event::Left { name, why, .. } => (name.clone(), why.clone()));
        self.wait_for("that somebody is gone", left)
    }

    /// Waits for a question about a route.
    pub fn question(&mut self) -> Question {
        self.wait_for("a question", |event| match event {
            Event::Ask {
                id,
                name,
                old,
                new,
                reason,
                ..
            } => Some(Question {
                id: *id,
                name: name.clone(),
                old: old.clone(),
                new: new.clone(),
                reason: reason.clone(),
            }),
            _ => None,
        })
    }

    /// Waits until a route is in this state.
    pub fn route(&mut self, state: &str) -> Step {
        let step = crate::pick!(Event::Route(step) if step.route.state == state => step.clone());
        self.wait_for(&format!("a route that is {state}"), step)
    }

    /// The ids of everybody who joined, by the names that they gave themselves.
    #[must_use]
    pub fn joined(&self) -> BTreeMap<String, String> {
        let joined = self.seen.iter();
        let joined =
            joined.filter_map(crate::pick!(Event::Joined { peer, name, .. } => (name.clone(), peer.clone())));
        joined.collect()
    }

    /// Its first code, or another one.
    pub fn code(&mut self) -> String {
        self.wait_for("a code", crate::pick!(Event::Code { code, .. } => code.0.clone()))
    }

    /// Asks for another code.
    pub fn another_code(&mut self) -> String {
        self.tell("code");
        self.code()
    }

    /// A call of so many, each with these options; they come one after the other.
    pub fn gather(people: usize, media: &[&str]) -> Vec<Self> {
        let mut programs = vec![Self::start_call("p0", media)];
        for index in 1..people {
            let code = if index == 1 {
                programs[0].code()
            } else {
                programs[0].another_code()
            };
            let mut next = Self::join_call(&format!("p{index}"), &code, media);
            next.route("active");
            programs.push(next);
        }
        programs
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Waits until it ends by itself. Returns its exit status.
    pub fn status(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.seen.push(event);
            }
            if let Some(status) = self.child.try_wait().expect("a child") {
                if let Some(reader) = self.reader.take() {
                    reader.join().expect("read to the end");
                }
                self.seen.extend(self.events.try_iter());
                return status.code().unwrap_or(-1);
            }
            assert!(
                Instant::now() < deadline,
                "it does not end; it said: {:#?}",
                self.seen
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Leaves, and expects that to work.
    pub fn leave(&mut self) {
        self.tell("leave");
        assert_eq!(self.status(), 0, "it said: {:#?}", self.seen);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
