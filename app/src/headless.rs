//! A participant on the command line: `start` and `join`, with or without a window beside it.

use std::sync::Arc;

use sightline_mesh::Entry;
use sightline_mesh_proto::Name;

use crate::args::{AdmitRule, ApproveRule, Options};
use crate::choice::{from_sink, from_source};
use crate::clock;
use crate::code_text;
use crate::controller::{Controller, Wanted};
use crate::exit::Exit;
use crate::input;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::share;
use crate::terminal::write_error;
use crate::update::{Update, tell};
use crate::window;

/// Starts a call.
#[must_use]
pub fn start(options: Options) -> Exit {
    run(Entry::Start, options)
}

/// Joins a call with a code, or with the one that standard input begins with.
#[must_use]
pub fn join(text: &str, options: Options) -> Exit {
    let exit = match code_text::read(text) {
        // Also one that is over by this machine's clock: its maker knows better.
        Ok(code) => run(Entry::Join(code), options),
        Err(sentence) => {
            write_error(&sentence);
            Exit::Code
        }
    };
    code_text::discard_rest(text);
    exit
}

fn run(entry: Entry, mut options: Options) -> Exit {
    let screen = options.window.then(Arc::<Screen>::default);
    let controller = match prepare(entry, &mut options, screen.clone()) {
        Ok(controller) => controller,
        Err(sentence) => {
            write_error(&sentence);
            return Exit::Arguments;
        }
    };
    let sink = controller.sink();
    let interrupts = sink.clone();
    // Without either, the call is left by `--seconds` or by ending the program.
    let _unavailable = ctrlc::set_handler(move || tell(&interrupts, Update::Interrupted));
    let _unavailable = input::start(sink, options.leave_at_eof);
    match screen {
        Some(screen) => window::show(controller, &screen),
        None => controller.run(),
    }
}

/// Opens everything that the options name, and takes part; the sentence says what cannot be used.
fn prepare(entry: Entry, options: &mut Options, screen: Option<Arc<Screen>>) -> Result<Controller, String> {
    let settings = Settings::load(options.settings.as_deref()).map_err(|error| error.to_string())?;
    let is_remembered = options.interface.is_empty();
    settings.complete(options);
    let mut controller = Controller::new(options, settings, clock::start(), screen);
    if options.window {
        controller.watch_devices();
    }
    // What cannot be opened is named before any address is.
    controller
        .choose_all(
            from_source(&options.camera),
            from_source(&options.microphone),
            from_sink(&options.speaker),
        )
        .map_err(|error| error.to_string())?;
    let addresses = match share::choose(&options.share, &options.interface) {
        Ok(addresses) => addresses,
        // The window is there to be told, and shows when the interface is back.
        Err(why) if options.window && is_remembered && !share::are_there(&options.interface) => {
            controller.tell_not_begun(&why);
            return Ok(controller);
        }
        Err(why) => return Err(why),
    };
    let wanted = Wanted {
        entry,
        addresses,
        name: Name::new(options.name.as_deref().unwrap_or("Guest")),
        rule: options.approve.unwrap_or(ApproveRule::Listed).into(),
        admit: options.admit.unwrap_or(AdmitRule::Ask).into(),
        tell_medium: options.tell_interface,
    };
    controller.enter(wanted).map_err(|error| error.to_string())?;
    Ok(controller)
}
