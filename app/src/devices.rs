//! `devices`: what there is to see, hear and speak with.

use sightline_media::devices::{self, Device, label};

use crate::exit::Exit;
use crate::terminal::{write_error, write_line};

/// Prints the names of cameras, microphones and loudspeakers, as `--camera device:NAME` takes them.
#[must_use]
pub fn run() -> Exit {
    print("cameras", &devices::cameras_in_time());
    match devices::sound_in_time() {
        Ok(found) => {
            print("microphones", &found.microphones);
            print("speakers", &found.speakers);
            Exit::Wished
        }
        Err(error) => {
            write_error(&format!("The sound service does not say what is there: {error}."));
            Exit::Failed
        }
    }
}

fn print(kind: &str, devices: &[Device]) {
    let none = if devices.is_empty() { " none" } else { "" };
    write_line(&format!("{kind}:{none}"));
    for device in devices {
        write_line(&format!("  {}", label(device, devices)));
    }
}
