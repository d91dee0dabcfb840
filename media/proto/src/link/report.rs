//! A report of arrivals on the wire.

use std::time::Duration;

/// Packets in one report at most.
pub const MAX_ENTRIES: usize = 256;

/// Stands for a packet that has not come.
const MISSING: u16 = u16::MAX;

/// How long before the report a packet came: 1/16 ms, at most 4 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(u16);

impl Age {
    /// The nearest below.
    #[must_use]
    pub fn of(duration: Duration) -> Self {
        let sixteenths = duration.as_nanos() / 62_500;
        Self(u16::try_from(sixteenths).unwrap_or(MISSING).min(MISSING - 1))
    }

    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_nanos(u64::from(self.0) * 62_500)
    }
}

/// Which packets of a link came, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivalReport {
    /// Whose packets it tells of.
    pub incarnation: u16,
    /// When it was made: microseconds of its maker's clock, wrapping after 71 minutes.
    pub at: u32,
    /// The number of the first packet that it tells of.
    pub base: u16,
    /// How long ago each packet from `base` on came; `None` for one that has not. At most [`MAX_ENTRIES`].
    pub ages: Vec<Option<Age>>,
}

impl ArrivalReport {
    /// Incarnation (2), time (4), first number (2), then two bytes for each packet.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 2 * self.ages.len());
        bytes.extend_from_slice(&self.incarnation.to_be_bytes());
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes.extend_from_slice(&self.base.to_be_bytes());
        for age in self.ages.iter().take(MAX_ENTRIES) {
            let age = age.map_or(MISSING, |Age(age)| age);
            bytes.extend_from_slice(&age.to_be_bytes());
        }
        bytes
    }

    /// Reads a report; `None` for bytes that are none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (incarnation, rest) = bytes.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (base, rest) = rest.split_first_chunk()?;
        let (ages, []) = rest.as_chunks::<2>() else {
            return None;
        };
        if ages.len() > MAX_ENTRIES {
            return None;
        }
        let age = |bytes: &[u8; 2]| match u16::from_be_bytes(*bytes) {
            MISSING => None,
            age => Some(Age(age)),
        };
        Some(Self {
            incarnation: u16::from_be_bytes(*incarnation),
            at: u32::from_be_bytes(*at),
            base: u16::from_be_bytes(*base),
            ages: ages.iter().map(age).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some(report) = ArrivalReport::decode(&bytes) {
                prop_assert_eq!(report.encode(), bytes);
            }
        }
    }

    #[test]
    fn nothing_else_is_read() {
        assert!(ArrivalReport::decode(&[0; 7]).is_none());
        assert!(ArrivalReport::decode(&[0; 9]).is_none());
        assert!(ArrivalReport::decode(&[0; 8 + 2 * MAX_ENTRIES]).is_some());
        assert!(ArrivalReport::decode(&[0; 10 + 2 * MAX_ENTRIES]).is_none());
    }

    #[test]
    fn a_very_old_arrival_is_still_an_arrival() {
        assert!(Age::of(Duration::from_secs(60)).duration() > Duration::from_secs(4));
        let report = ArrivalReport {
            incarnation: 3,
            at: 1,
            base: 2,
            ages: vec![Some(Age::of(Duration::from_secs(60))), None],
        };
        assert_eq!(ArrivalReport::decode(&report.encode()), Some(report));
    }
}
