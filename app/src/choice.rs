//! Devices as the command line names them, and as the window does.

use sightline_media::{Sink, Source};
use sightline_ui::model::Choice;

/// A device by its name on the command line.
pub fn from_source(source: &Source) -> Choice {
    match source {
        Source::Off => Choice::Off,
        Source::Device(None) => Choice::Default,
        Source::Device(Some(name)) => Choice::Named(name.clone()),
        Source::File(path) => Choice::File(path.clone()),
        Source::Test => Choice::Test,
    }
}

/// A loudspeaker by its name on the command line.
pub fn from_sink(sink: &Sink) -> Choice {
    match sink {
        Sink::Off => Choice::Off,
        Sink::Device(None) => Choice::Default,
        Sink::Device(Some(name)) => Choice::Named(name.clone()),
    }
}
