//! The window: it has the main thread, and the controller one of its own.

use std::path::PathBuf;
use std::sync::Arc;

use sightline_ui::Window;

use crate::args::Options;
use crate::clock;
use crate::controller::Controller;
use crate::exit::Exit;
use crate::screen::{Screen, Wire};
use crate::settings::Settings;
use crate::terminal::write_error;
use crate::update::{Update, tell};

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
            Settings::empty_in(options.settings.as_deref()),
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

/// Shows the window of a controller until it is closed. A call goes on without a window where none can be opened.
pub fn show(controller: Controller, screen: &Arc<Screen>) -> Exit {
    let wire = Wire {
        screen: Arc::clone(screen),
        updates: controller.sink(),
        level: controller.level(),
        muted: controller.muted(),
    };
    let sink = controller.sink();
    let window = Window {
        host: Box::new(wire),
        pictures: Arc::clone(&screen.pictures),
        language: sys_locale::get_locale().unwrap_or_default(),
        preferences: controller.model().preferences.clone(),
    };
    let is_in_call = controller.model().call.is_some();
    screen.publish(controller.model().clone());
    let running = std::thread::Builder::new().name("controller".into()).spawn({
        let end = End(Arc::clone(screen));
        move || {
            let _end = end;
            controller.watching_devices().run()
        }
    });
    let Ok(running) = running else {
        write_error("The operating system refused what the window needs: another thread.");
        return Exit::Failed;
    };
    let shown = sightline_ui::run(window);
    let last = match &shown {
        // A window that was closed by force takes the program with it.
        Ok(()) => {
            screen.wish(sightline_ui::Command::Quit);
            Update::Wished
        }
        Err(error) => {
            write_error(&error.to_string());
            Update::NoWindow
        }
    };
    tell(&sink, last);
    let exit = running.join().unwrap_or(Exit::Failed);
    match (shown, is_in_call) {
        // Without a call, there was nothing but the window.
        (Err(_), false) => Exit::Failed,
        _ => exit,
    }
}

/// Closes the window when the controller is gone, however it went.
struct End(Arc<Screen>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}
