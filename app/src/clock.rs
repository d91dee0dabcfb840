//! The machine's clocks, and what each is good for. What must be right goes by the monotonic clock, and by how long the
//! machine slept. The wall clock may stand anywhere and be set at any moment: it is read anew each time that a person is
//! told a time of day, and decides nothing.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sightline_mesh_proto::{Clock, UnixTime};

/// 2026-11-01T00:00:00Z, to be moved on with each release: this program was not made before, so that a clock which says
/// less is wrong. A stamp of the build itself would make each build another one.
const MADE: UnixTime = UnixTime(1_793_491_200);

/// 1 s: what is less is not sleep, but time between readings of two clocks.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// The program's clock. It starts now.
#[must_use]
pub fn start() -> Clock {
    Clock { start: now() }
}

/// What the wall clock says now.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the program's clock")]
pub fn wall() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime(since.unwrap_or_default().as_secs())
}

/// When the program started, by the wall clock as it stands now.
#[must_use]
pub fn started(clock: Clock) -> UnixTime {
    let lasted = clock.since_start(now()).as_secs();
    UnixTime(wall().0.saturating_sub(lasted))
}

/// A moment as a sentence names it, for example `2026-11-23 05:00 UTC`.
#[must_use]
pub fn in_words(at: UnixTime) -> String {
    let text = at.to_string();
    let to_the_minute = text.rsplit_once(':').map_or(&*text, |(minute, _)| minute);
    format!("{} UTC", to_the_minute.replace('T', " "))
}

/// Whether a wall clock that says `wall` is surely wrong: it is earlier than the program.
#[must_use]
pub fn is_wrong(wall: UnixTime) -> bool {
    wall < MADE
}

/// Watches how long the machine sleeps: [`Instant`] does not count that on Linux, Android and Apple's systems.
#[derive(Debug)]
pub struct Sleep {
    /// Both clocks, when the watch began.
    began: (Duration, Instant),
    told: Duration,
}

impl Sleep {
    /// Watches from now on.
    #[must_use]
    pub fn watch() -> Self {
        // Between the two a busy machine may do other things. In this order, and in the other one below, that never looks
        // like sleep.
        let awake_since = now();
        Self {
            began: (elapsed(), awake_since),
            told: Duration::ZERO,
        }
    }

    /// How long the machine slept since this was last asked, if it did.
    pub fn take(&mut self) -> Option<Duration> {
        let passed = elapsed().saturating_sub(self.began.0);
        let awake = now().saturating_duration_since(self.began.1);
        self.take_of(passed, awake)
    }

    fn take_of(&mut self, passed: Duration, awake: Duration) -> Option<Duration> {
        let slept = passed.saturating_sub(awake).saturating_sub(self.told);
        (slept >= SHORTEST_SLEEP).then(|| {
            self.told += slept;
            slept
        })
    }
}

/// Time on a clock that goes on while the machine sleeps (`CLOCK_BOOTTIME`, clock_gettime(2)).
#[cfg(any(target_os = "android", target_os = "linux"))]
fn elapsed() -> Duration {
    let elapsed = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    elapsed.try_into().unwrap_or_default()
}

/// The same (`CLOCK_MONOTONIC`, which on these systems counts sleep, while [`Instant`] reads `CLOCK_UPTIME_RAW`).
#[cfg(target_vendor = "apple")]
fn elapsed() -> Duration {
    let elapsed = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    elapsed.try_into().unwrap_or_default()
}

/// Elsewhere [`Instant`] counts sleep itself, as on Windows, or nothing does.
#[cfg(not(any(target_os = "android", target_os = "linux", target_vendor = "apple")))]
const fn elapsed() -> Duration {
    Duration::ZERO
}

#[allow(clippy::disallowed_methods, reason = "the program's clock")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_says_less_than_the_program_is_old_is_known_to_be_wrong() {
        assert!(is_wrong(UnixTime(0)) && is_wrong(UnixTime(MADE.0 - 1)));
        assert!(!is_wrong(MADE) && !is_wrong(UnixTime(4_102_444_800)));
    }

    #[test]
    fn a_moment_is_named_to_the_minute() {
        assert_eq!(in_words(UnixTime(0)), "1970-01-01 00:00 UTC");
        assert_eq!(in_words(UnixTime(4_102_444_799)), "2099-12-31 23:59 UTC");
    }

    #[test]
    fn each_sleep_is_told_once_and_being_awake_is_none() {
        let seconds = Duration::from_secs;
        let mut sleep = Sleep::watch();
        assert_eq!(sleep.take(), None, "the two clocks go alike");
        assert_eq!(sleep.take_of(seconds(100), seconds(100)), None);
        assert_eq!(sleep.take_of(seconds(3700), seconds(100)), Some(seconds(3600)));
        assert_eq!(sleep.take_of(seconds(3800), seconds(200)), None);
        assert_eq!(sleep.take_of(seconds(3870), seconds(210)), Some(seconds(60)));
        assert_eq!(
            sleep.take_of(seconds(3000), seconds(300)),
            None,
            "a clock that went back"
        );
    }
}
