//! What becomes of a panic inside the decoder's library. Its functions are `extern "C"`, and a panic that reaches one ends
//! the whole program; so it must not even begin to unwind. The thread in which it happens stops where it is, for good:
//! what it holds is lost, and the program goes on.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    /// On a confined thread: whom to tell.
    static REPORT: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// From now on a panic on this thread is printed and reported, and never returns.
///
/// The standard library holds the hook while it runs: after such a panic nobody can set another one. Only the start of
/// the program sets one besides, before there are threads.
#[allow(
    clippy::disallowed_methods,
    reason = "after the start of the program, the one place that sets the panic hook"
)]
pub fn confine_this_thread(report: impl FnOnce() + 'static) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            usual(panic);
            // A thread that is just ending has no report left, and no library on its stack.
            let report = REPORT.try_with(RefCell::take);
            if let Ok(Some(report)) = report {
                report();
                loop {
                    std::thread::park();
                }
            }
        }));
    });
    REPORT.set(Some(Box::new(report)));
}

#[cfg(test)]
mod tests {
    use std::process::{Command, exit};
    use std::sync::mpsc::channel;

    use super::*;

    /// As the library's: a panic that comes out of it ends the process.
    #[allow(clippy::panic, reason = "what the library does")]
    extern "C" fn library() {
        panic!("an assertion in the library");
    }

    #[test]
    fn a_panic_in_the_library_ends_its_thread_and_not_the_program() {
        const CHILD: &str = "SIGHTLINE_CONFINED";
        if std::env::var_os(CHILD).is_some() {
            let (sink, source) = channel();
            let thread = std::thread::spawn(move || {
                confine_this_thread(move || sink.send("reported").expect("somebody waits"));
                library();
            });
            assert_eq!(source.recv(), Ok("reported"));
            assert!(!thread.is_finished());
            // Other panics are what they were.
            assert!(std::thread::spawn(|| assert_eq!(1, 2)).join().is_err());
            // The harness would set its hook back, for which nobody must be in one.
            exit(0);
        }
        let name = "decoder::confined::tests::a_panic_in_the_library_ends_its_thread_and_not_the_program";
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", name])
            .env(CHILD, "1")
            .output()
            .expect("a child");
        assert!(child.status.success(), "{child:?}");
        assert!(
            String::from_utf8_lossy(&child.stdout).contains("running 1 test"),
            "{child:?}"
        );
    }
}
