//! What happens when the X server is gone: Xlib calls this on the thread of the window, and ends the program when it returns.
#![allow(unsafe_code, reason = "Xlib is C; each call says why it is sound")]

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use x11_dl::xlib::{Display, Xlib};

/// The rest of the program, without a window. It does not return.
type Rest = Box<dyn FnOnce() + Send>;

static REST: Mutex<Option<Rest>> = Mutex::new(None);

/// Has `rest` called when the X server is gone. Where there is no Xlib there is nothing to be called by.
pub fn on_lost(rest: Rest) {
    *REST.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    if let Ok(xlib) = Xlib::open() {
        // SAFETY: The handler has the signature that Xlib asks for, is there for as long as the program, and may be set at any time
        // (XSetIOErrorHandler(3)).
        unsafe { (xlib.XSetIOErrorHandler)(Some(handle_lost)) };
    }
}

/// No panic leaves it: there is C below.
unsafe extern "C" fn handle_lost(_: *mut Display) -> c_int {
    let taken = catch_unwind(|| REST.lock().unwrap_or_else(PoisonError::into_inner).take());
    if let Ok(Some(rest)) = taken {
        let _ends = catch_unwind(AssertUnwindSafe(rest));
    }
    0
}
