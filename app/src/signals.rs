//! Signals that would end the program where an error says the same.

/// A file that has reached the size that the system allows is to be like a full disk: whoever writes it gets an error.
pub fn survive_file_size_limit() {
    #[cfg(unix)]
    {
        use std::sync::Arc;

        use signal_hook::consts::SIGXFSZ;
        // Nobody asks whether it came. Without it the program ends where it would have ended before.
        let _unavailable = signal_hook::flag::register(SIGXFSZ, Arc::default());
    }
}
