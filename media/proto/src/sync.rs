//! Sound and picture of a person, kept together: whichever is earlier waits for the other.

use std::time::Duration;

/// 30 ms: a picture may be so much ahead of its sound; nobody notices less than 45 (ITU-R BT.1359).
const AHEAD: Duration = Duration::from_millis(30);

/// 35 ms: and so much behind.
const BEHIND: Duration = Duration::from_millis(35);

/// 200 ms: neither waits longer for the other than this: a conversation matters more.
const MOST: Duration = Duration::from_millis(200);

/// A sixteenth: how fast the picture's usual age follows, so that one late picture does not delay the sound.
const FOLLOW: u32 = 16;

/// One person's sound and pictures.
#[derive(Debug, Default)]
pub struct LipSync {
    picture: Option<Duration>,
    extra: Duration,
}

impl LipSync {
    /// A picture was decoded `picture` after its capture, while sound is played `sound` after its own, and would be after
    /// `own` if it did not wait for pictures. Returns how long the picture is to wait before it is shown.
    pub fn handle_picture(&mut self, picture: Duration, sound: Duration, own: Duration) -> Duration {
        let usual = self
            .picture
            .map_or(picture, |usual| (usual * (FOLLOW - 1) + picture) / FOLLOW);
        self.picture = Some(usual);
        if usual > own + BEHIND {
            self.extra = (usual - own - BEHIND).min(MOST);
        } else {
            self.extra = Duration::ZERO;
        }
        sound.saturating_sub(AHEAD).saturating_sub(picture).min(MOST)
    }

    /// How long sound is to wait beyond what the network needs.
    #[must_use]
    pub const fn audio_waits(&self) -> Duration {
        self.extra
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets pictures that take `picture` meet sound that takes `sound` by itself. Returns by how much the picture is behind
    /// in the end, ms.
    fn run(picture: u64, sound: u64) -> i64 {
        let mut sync = LipSync::default();
        let (picture, own) = (Duration::from_millis(picture), Duration::from_millis(sound));
        // Sound follows slowly: it is stretched.
        let mut waits = Duration::ZERO;
        let mut behind = Vec::new();
        for _ in 0..400 {
            let sound = own + waits;
            let shown = picture + sync.handle_picture(picture, sound, own);
            behind.push(shown.as_millis() as i64 - sound.as_millis() as i64);
            waits = (waits * 31 + sync.audio_waits()) / 32;
        }
        let last = &behind[300..];
        assert!(
            last.iter()
                .max()
                .zip(last.iter().min())
                .is_some_and(|(most, least)| most - least <= 1)
        );
        last[0]
    }

    #[test]
    fn the_earlier_waits_for_the_later() {
        for picture in [2, 20, 60, 120, 200] {
            for sound in [15, 20, 60, 120, 200] {
                let behind = run(picture, sound);
                assert!(
                    behind.abs() <= 40,
                    "picture {picture}, sound {sound}: {behind} ms"
                );
            }
        }
    }

    #[test]
    fn nothing_waits_for_what_is_hopelessly_late() {
        let mut sync = LipSync::default();
        let second = Duration::from_secs(1);
        assert_eq!(
            sync.handle_picture(second, second / 50, second / 50),
            Duration::ZERO
        );
        assert_eq!(sync.audio_waits(), MOST);
        assert_eq!(
            LipSync::default().handle_picture(second / 50, second, second),
            MOST
        );
    }

    #[test]
    fn what_is_together_already_waits_for_nothing() {
        let mut sync = LipSync::default();
        let sound = Duration::from_millis(20);
        let wait = sync.handle_picture(Duration::from_millis(4), sound, sound);
        assert_eq!((wait, sync.audio_waits()), (Duration::ZERO, Duration::ZERO));
    }
}
