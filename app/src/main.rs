//! Sightline: private group calls that need nobody else.

use std::process::ExitCode;

use clap::Parser;
use sightline::args::{Arguments, Verb};
use sightline::exit::Exit;
use sightline::{clock, core_dumps, demo, devices, headless, inspect, log, signals, terminal, window, zone};

fn main() -> ExitCode {
    let exit = run();
    terminal::finish();
    log::finish();
    exit.into()
}

fn run() -> Exit {
    terminal::tell_panics();
    core_dumps::forbid();
    signals::survive_file_size_limit();
    // Before there are threads, as it must be the first time.
    let _zone = zone::local(clock::wall());
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            terminal::write_usage::<Arguments>(&error);
            return if error.use_stderr() {
                Exit::Arguments
            } else {
                Exit::Wished
            };
        }
    };
    if let Some(path) = arguments.log()
        && let Err(error) = log::start(path)
    {
        terminal::write_error(&error.to_string());
        return Exit::Arguments;
    }
    match arguments.verb {
        None => window::run(arguments.settings),
        Some(Verb::Start(options)) => headless::start(options),
        Some(Verb::Join { code, options }) => headless::join(&code, options),
        Some(Verb::Demo(options)) => demo::run(&options),
        Some(Verb::Inspect { code }) => inspect::run(&code),
        Some(Verb::Devices) => devices::run(),
    }
}
