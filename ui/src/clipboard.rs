//! What is pasted. Whoever it was copied from is asked for it, and may be stopped, or have very much: so it is asked on a thread of its
//! own, and what comes late or is long is not taken.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// 2 s: what comes later is not what the user waits for any more.
const LATE: Duration = Duration::from_secs(2);

/// The longest text that is taken, bytes: a code with a page around it. Of a longer one the beginning is.
const MAX_LEN: usize = 64 * 1024;

/// The system's clipboard, as far as it is read.
#[derive(Clone, Default)]
pub struct Clipboard(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Somebody is being asked.
    is_asking: bool,
    text: Option<String>,
    /// Told that a text is there.
    tell: Option<Tell>,
}

type Tell = Arc<dyn Fn() + Send + Sync>;

#[allow(
    clippy::disallowed_methods,
    reason = "how long somebody waits for what they paste"
)]
impl Clipboard {
    /// Has it told when a text is there.
    pub fn tell_to(&self, tell: impl Fn() + Send + Sync + 'static) {
        self.lock().tell = Some(Arc::new(tell));
    }

    /// Asks for the text that `get` gets. Does nothing while somebody else is being asked.
    pub fn ask(&self, get: impl FnOnce() -> Option<String> + Send + 'static) {
        if std::mem::replace(&mut self.lock().is_asking, true) {
            return;
        }
        let (own, began) = (self.clone(), Instant::now());
        let ask = move || {
            let text = get().filter(|text| !text.is_empty() && began.elapsed() < LATE);
            let mut state = own.lock();
            state.is_asking = false;
            state.text = text.map(shortened);
            let tell = state.tell.clone();
            drop(state);
            if let Some(tell) = tell {
                tell();
            }
        };
        if std::thread::Builder::new()
            .name("paste".into())
            .spawn(ask)
            .is_err()
        {
            self.lock().is_asking = false;
        }
    }

    /// The text that was asked for, once it is there.
    pub fn take(&self) -> Option<String> {
        self.lock().text.take()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text of the system's clipboard. It takes as long as whoever it was copied from takes.
pub fn get() -> Option<String> {
    let clipboard = arboard::Clipboard::new();
    clipboard.and_then(|mut clipboard| clipboard.get_text()).ok()
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_LEN));
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_text_that_was_asked_for_is_there_once() {
        let clipboard = Clipboard::default();
        let (tell, told) = sync_channel(1);
        clipboard.tell_to(move || tell.send(()).expect("heard"));
        clipboard.ask(|| Some("a\r\nb".into()));
        told.recv().expect("told");
        assert_eq!(clipboard.take().as_deref(), Some("a\nb"));
        assert_eq!(clipboard.take(), None);
    }

    #[test]
    fn whoever_does_not_answer_keeps_nobody_and_is_asked_once() {
        let clipboard = Clipboard::default();
        let (answer, answered) = sync_channel::<()>(0);
        let (tell, told) = sync_channel(1);
        clipboard.tell_to(move || tell.send(()).expect("heard"));
        clipboard.ask(move || answered.recv().ok().map(|()| "late".into()));
        clipboard.ask(|| panic!("asked twice"));
        assert_eq!(clipboard.take(), None);
        drop(answer);
        told.recv().expect("told");
        assert_eq!(clipboard.take(), None);
    }

    #[test]
    fn a_long_text_is_cut_between_two_letters() {
        let long = "ä".repeat(MAX_LEN);
        let short = shortened(format!("a{long}"));
        assert_eq!(short.len(), MAX_LEN - 1);
        assert!(short.ends_with('ä'));
    }
}
