//! `devices`: what there is to see, hear and speak with.

use std::io::Write;

use crate::exit::Exit;

/// Prints the names of cameras, microphones and loudspeakers, as `--camera device:NAME` takes them.
#[must_use]
pub fn run() -> Exit {
    let found = sightline_media::devices::Present::look().devices;
    let mut out = std::io::stdout().lock();
    for (kind, names) in [
        ("cameras", found.cameras),
        ("microphones", found.microphones),
        ("speakers", found.speakers),
    ] {
        // Nothing more can be said when the terminal is gone.
        let _gone = writeln!(out, "{kind}:{}", if names.is_empty() { " none" } else { "" });
        for name in names {
            let _gone = writeln!(out, "  {name}");
        }
    }
    Exit::Wished
}
