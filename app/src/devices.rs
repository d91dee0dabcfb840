//! `devices`: what there is to see, hear and speak with.

use crate::exit::Exit;
use crate::terminal::write_line;

/// Prints the names of cameras, microphones and loudspeakers, as `--camera device:NAME` takes them.
#[must_use]
pub fn run() -> Exit {
    let found = sightline_media::devices::Present::look().devices;
    for (kind, names) in [
        ("cameras", found.cameras),
        ("microphones", found.microphones),
        ("speakers", found.speakers),
    ] {
        write_line(&format!("{kind}:{}", if names.is_empty() { " none" } else { "" }));
        for name in names {
            write_line(&format!("  {name}"));
        }
    }
    Exit::Wished
}
