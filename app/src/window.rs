//! The window: it has the main thread, and the controller one of its own.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sightline_ui::Window;

use crate::args::Options;
use crate::clock;
use crate::controller::Controller;
use crate::exit::Exit;
use crate::log;
use crate::screen::{Screen, Wire};
use crate::settings::Settings;
use crate::terminal::{self, catch_panic, write_error};
use crate::update::{Update, Updates, tell};

/// 1 s: how long it is waited at the end for the window to close.
const PATIENCE: Duration = Duration::from_secs(1);

/// Opens the window, without a call.
#[must_use]
pub fn run(settings: Option<PathBuf>) -> Exit {
    let mut options = Options {
        settings,
        ..Options::default()
    };
    let loaded = Settings::load(options.settings.as_deref());
    let (settings, problem) = match loaded {
        Ok(settings) => (settings, None),
        Err(error) => (
            Settings::in_place_of_unread(options.settings.as_deref()),
            Some(error.to_string()),
        ),
    };
    settings.clone().complete(&mut options);
    let screen = Arc::<Screen>::default();
    let mut controller = Controller::new(&options, settings, clock::start(), Some(Arc::clone(&screen)));
    if let Some(problem) = problem {
        controller.say_settings_unread(&problem);
    }
    let interrupts = controller.sink();
    // Without it an interrupt ends the program at once.
    let _unavailable = ctrlc::set_handler(move || tell(&interrupts, Update::Interrupted));
    show(controller, &screen)
}

/// Shows the window of a controller until it is closed. A call that was begun on the command line goes on where no window can be
/// opened, and when the window is lost; one that was begun in the window is left.
pub fn show(controller: Controller, screen: &Arc<Screen>) -> Exit {
    let wire = Wire {
        screen: Arc::clone(screen),
        updates: controller.sink(),
        level: controller.level(),
        muted: controller.muted(),
    };
    let sink = controller.sink();
    let outlives = controller.model().call.is_some();
    screen.publish(controller.model().clone());
    let (tell_exit, exits) = sync_channel(1);
    let exits = Arc::new(Mutex::new(exits));
    let (window_is_open, window_closes) = sync_channel::<()>(0);
    let preferences = controller.model().preferences.clone();
    let running = std::thread::Builder::new().name("controller".into()).spawn({
        let end = End(Arc::clone(screen), tell_exit);
        move || {
            let exit = controller.watching_devices().run();
            end.tell(exit);
            // A screen that does not answer keeps the window, and the thread that it is on.
            if window_closes.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                leave(exit);
            }
        }
    });
    if running.is_err() {
        write_error("The operating system refused what the window needs: another thread.");
        return Exit::Failed;
    }
    let window = Window {
        host: Box::new(wire),
        pictures: Arc::clone(&screen.pictures),
        language: sys_locale::get_locale().unwrap_or_default(),
        preferences,
        rest: {
            let (sink, exits) = (sink.clone(), Arc::clone(&exits));
            Box::new(move || leave(lose(&sink, &exits, "the screen is gone", outlives)))
        },
    };
    let shown = catch_panic(|| sightline_ui::run(window));
    let exit = match shown {
        Ok(Ok(())) => {
            // A window that was closed by force takes the program with it.
            screen.wish(sightline_ui::Command::Quit);
            tell(&sink, Update::Wished);
            wait_for_exit(&exits)
        }
        Ok(Err(error)) => lose(&sink, &exits, &error.to_string(), outlives),
        Err(panic) => lose(&sink, &exits, &format!("its library failed ({panic})"), outlives),
    };
    drop(window_is_open);
    exit
}

/// The window is lost, or could not be had. Returns once the program is to end.
fn lose(sink: &Updates, exits: &Mutex<Receiver<Exit>>, why: &str, outlives: bool) -> Exit {
    write_error(&format!(
        "No window can be shown: {why}. Everything works without one: see “sightline --help”."
    ));
    tell(sink, Update::NoWindow);
    if !outlives {
        // Nobody could leave the call.
        tell(sink, Update::Interrupted);
    }
    let exit = wait_for_exit(exits);
    if outlives { exit } else { Exit::Failed }
}

fn wait_for_exit(exits: &Mutex<Receiver<Exit>>) -> Exit {
    let exits = exits.lock().unwrap_or_else(PoisonError::into_inner);
    exits.recv().unwrap_or(Exit::Failed)
}

/// Ends the program where the thread of the window cannot.
fn leave(exit: Exit) -> ! {
    terminal::finish();
    log::finish();
    std::process::exit(exit.status().into())
}

/// Closes the window when the controller is gone, however it went.
struct End(Arc<Screen>, SyncSender<Exit>);

impl End {
    /// It went as it should.
    fn tell(self, exit: Exit) {
        // The window's thread may have gone.
        let _gone = self.1.send(exit);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}
