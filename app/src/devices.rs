//! `devices`: what there is to see, hear and speak with.

use sightline_media::devices::{Present, label};

use crate::exit::Exit;
use crate::terminal::{write_error, write_line};

/// Prints the names of cameras, microphones and loudspeakers, as `--camera device:NAME` takes them.
#[must_use]
pub fn run() -> Exit {
    let found = match Present::look_in_time() {
        Ok(found) => found,
        Err(error) => {
            write_error(&format!("The sound service does not say what is there: {error}."));
            return Exit::Failed;
        }
    };
    for (kind, devices) in [
        ("cameras", found.cameras),
        ("microphones", found.microphones),
        ("speakers", found.speakers),
    ] {
        write_line(&format!(
            "{kind}:{}",
            if devices.is_empty() { " none" } else { "" }
        ));
        for device in &devices {
            write_line(&format!("  {}", label(device, &devices)));
        }
    }
    Exit::Wished
}
