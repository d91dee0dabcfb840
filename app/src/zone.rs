//! The time of day as a person's own clock shows it. Files and programs get UTC.

use sightline_mesh_proto::UnixTime;
use time::{OffsetDateTime, UtcOffset};

/// How far a zone's clocks are ahead of UTC at a moment, seconds; `None` where nobody knows.
pub type Zone = fn(UnixTime) -> Option<i32>;

/// This machine's zone. It is the one that the operating system had when it was first asked: before there are threads,
/// since the C library then reads the environment, which no other thread may change meanwhile.
#[must_use]
pub fn local(at: UnixTime) -> Option<i32> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(at.0).ok()?).ok()?;
    UtcOffset::local_offset_at(at).ok().map(UtcOffset::whole_seconds)
}

/// The time of day at a moment, by clocks in `zone`, as they are set at that moment: `hh:mm:ss`. Where nobody knows how
/// they are set it is UTC, and says so.
#[must_use]
pub fn time_of_day(at: UnixTime, zone: Zone) -> String {
    zone(at).map_or_else(
        || format!("{} UTC", utc(at)),
        |ahead| utc(UnixTime(at.0.saturating_add_signed(ahead.into()))),
    )
}

/// The time of day at a moment, UTC: `hh:mm:ss`.
#[must_use]
pub fn utc(at: UnixTime) -> String {
    let of_day = at.0 % 86_400;
    format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-25, 01:00:00 UTC: clocks in Berlin go back from three to two.
    const BACK: u64 = 1_792_890_000;

    fn berlin(at: UnixTime) -> Option<i32> {
        Some(if at.0 < BACK { 7200 } else { 3600 })
    }

    #[test]
    fn a_time_of_day_is_as_clocks_are_set_at_that_moment() {
        let times = [BACK - 1, BACK, BACK + 22 * 3600].map(|at| time_of_day(UnixTime(at), berlin));
        assert_eq!(times, ["02:59:59", "02:00:00", "00:00:00"]);
        // Behind UTC, on the day before; half an hour off; and nobody knows.
        let at = UnixTime(BACK);
        assert_eq!(time_of_day(at, |_| Some(-4 * 3600)), "21:00:00");
        assert_eq!(time_of_day(at, |_| Some(19_800)), "06:30:00");
        assert_eq!(time_of_day(at, |_| None), "01:00:00 UTC");
    }

    /// The C library reads the zone once, so it is asked in a process of its own. On Windows no variable names it.
    #[cfg(unix)]
    #[test]
    fn this_machines_zone_is_asked_for_the_moment_shown() {
        const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
        if std::env::var_os("TZ").is_some_and(|zone| zone == BERLIN) {
            for at in [BACK - 180 * 86_400, BACK - 1, BACK, BACK + 60 * 86_400] {
                assert_eq!(local(UnixTime(at)), berlin(UnixTime(at)), "at {at}");
            }
            return;
        }
        let (_, folder) = module_path!().split_once("::").expect("a crate and a module");
        let name = format!("{folder}::this_machines_zone_is_asked_for_the_moment_shown");
        let child = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", &name])
            .env("TZ", BERLIN)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("1 passed"), "{said}");
    }
}
