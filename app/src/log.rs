//! Diagnostics (`--log FILE`): what the program does, step by step, in a file that the user names, for finding faults. Off unless it
//! is asked for.
//!
//! Spans name a connection, a path, a session or a track by a number that means nothing elsewhere. No name, address, code, key or
//! word of anybody is in it; what libraries say is left out, because they do not promise that.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use sightline_media::new_file;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::time::uptime;
use tracing_subscriber::layer::SubscriberExt;

use crate::output::Output;

/// 500 ms: how long it is waited at the end for the disk to take a line.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whoever has something to say does not wait for the disk.
static LINES: OnceLock<Output> = OnceLock::new();

/// What begins the names of this program's own crates.
const OWN: &str = "sightline";

/// Why nothing is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be made.
    #[error("Diagnostics cannot be written to {0}: {1}.")]
    File(String, io::Error),
    /// Something else takes them already.
    #[error("Diagnostics are written elsewhere already.")]
    Taken(#[from] SetGlobalDefaultError),
}

/// Writes diagnostics to this new file from now on; one that is there stays, and the new one gets a number. Returns its name.
///
/// # Errors
/// [`LogError`]: a sentence for the user.
pub fn start(path: &Path) -> Result<PathBuf, LogError> {
    let (file, name) =
        new_file::create(path).map_err(|error| LogError::File(path.display().to_string(), error))?;
    let lines = LINES.get_or_init(|| Output::start("log", file));
    tracing::subscriber::set_global_default(subscriber(lines.clone()))?;
    Ok(name)
}

/// Waits until what was said is written, if the disk takes it.
pub fn finish() {
    if let Some(lines) = LINES.get() {
        lines.finish(PATIENCE);
    }
}

fn subscriber(lines: Output) -> impl tracing::Subscriber {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || lines.clone())
        .with_ansi(false)
        .with_timer(uptime());
    let own = Targets::new().with_target(OWN, LevelFilter::TRACE);
    tracing_subscriber::registry().with(own).with(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libraries_say_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, path) = new_file::create(&folder.path().join("log")).expect("a file");
        let lines = Output::start("log", file);
        tracing::subscriber::with_default(subscriber(lines.clone()), || {
            tracing::info!("ours");
            tracing::error!(target: "libp2p_swarm", "10.0.0.1");
        });
        lines.finish(Duration::from_secs(60));
        let text = std::fs::read_to_string(path).expect("a file");
        assert!(text.contains("ours") && !text.contains("10.0.0.1"), "{text}");
    }
}
