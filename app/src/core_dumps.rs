//! No core dumps: with the program's memory, its keys and what was said would come to the disk.

use std::io;

use crate::terminal::write_error;

/// Has the operating system write no image of this program's memory, should it crash. To be called first. Where that is
/// refused the user is told.
pub fn forbid() {
    if let Err(error) = switch_off() {
        write_error(&format!(
            "The operating system did not let core dumps be switched off: {error}. Should this program crash, its keys \
             may come to the disk; “ulimit -c 0” before it is started prevents that."
        ));
    }
}

/// The limit is what every Unix has (setrlimit(2)). On Linux a program that dumps are handed to need not keep to it
/// (core(5)); there is nothing to hand over of a process that cannot be dumped, nor can others of the same user
/// look into its memory (prctl(2), `PR_SET_DUMPABLE`).
#[cfg(unix)]
fn switch_off() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Elsewhere programs write none by themselves.
#[cfg(not(unix))]
fn switch_off() -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn the_program_cannot_be_dumped() {
        super::forbid();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
