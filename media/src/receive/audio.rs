//! Audio: each track's playout and decoder, and the thread that mixes them on the playout clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline_media_proto::Ticks;
use sightline_media_proto::audio::SAMPLE_RATE;
use sightline_media_proto::mixer::{self, Limiter};
use sightline_media_proto::playout;

use super::{Member, MemberId, Observer, Outlet, StreamIn, lock};
use crate::level::Level;
use crate::opus_codec::VoiceDecoder;
use crate::record::Recorder;
use crate::speaker::{Speaker, SpeakerError};
use crate::tone;

/// 5 ms: what is mixed at once. A frame waits for the next mix, up to this long.
const BLOCK: Duration = Duration::from_millis(5);

/// Samples in a block.
const BLOCK_SAMPLES: usize = 240;

/// 1 s of blocks: a voice that is not there for so long is no measure for its pictures.
const QUIET: u32 = 200;

/// 10 ms after its time a mix is late: whoever waits for a frame of that length has none.
const LATE: Duration = Duration::from_millis(10);

/// 2 ms: how often a loudspeaker is looked at.
const SPEAKER_POLL: Duration = Duration::from_millis(2);

/// 30 ms of sound wait for the loudspeaker: three of its usual periods.
const SPEAKER_LEVEL: u32 = 30;

/// 3 s: a loudspeaker that takes nothing for this long is taken to be gone. Some take one to begin.
const SPEAKER_PATIENCE: Duration = Duration::from_secs(3);

/// What came of one track.
pub struct AudioIn {
    pub buffer: playout::Playout,
    decoder: VoiceDecoder,
    heard: bool,
    /// How long after its capture sound was played last, since that was last asked for.
    pub delay: Option<Duration>,
    /// The same, as it usually is; `None` while there is no sound.
    pub age: Option<Duration>,
    /// Blocks since there was sound.
    quiet: u32,
    pub volume: f32,
    pub level: Level,
    loudest: f32,
}

impl AudioIn {
    pub fn new(decoder: VoiceDecoder) -> Self {
        Self {
            buffer: playout::Playout::default(),
            decoder,
            heard: false,
            delay: None,
            age: None,
            quiet: 0,
            volume: 1.0,
            level: Level::default(),
            loudest: 0.0,
        }
    }

    /// The next sound. Returns when its first sample was captured, unless it is made up or silent.
    fn next_block(&mut self, block: &mut [f32; BLOCK_SAMPLES], now: Instant) -> Option<Ticks> {
        let captured = self.buffer.poll_audio(&mut self.decoder, block, now);
        let power = block.iter().map(|sample| sample * sample).sum::<f32>() / BLOCK_SAMPLES as f32;
        self.loudest = self.loudest.max(power);
        self.level.handle_samples(block);
        captured
    }

    /// Sound was played that old, or none was.
    fn note_age(&mut self, age: Option<Option<Duration>>) {
        let Some(age) = age else {
            self.quiet = self.quiet.saturating_add(1);
            if self.quiet > QUIET {
                self.age = None;
            }
            return;
        };
        self.quiet = 0;
        self.delay = age.or(self.delay);
        let usual = self.age.zip(age).map(|(usual, age)| (usual * 31 + age) / 32);
        self.age = usual.or(age);
    }

    pub fn take_level(&mut self) -> Option<f32> {
        let loudest = std::mem::take(&mut self.loudest);
        (loudest > 1e-9).then(|| 10.0 * loudest.log10())
    }
}

/// How fast a loudspeaker takes sound. One that takes all that it is given at once is none: some systems without a
/// sound card have such a device, and the call's clock must not run after it.
struct Pace {
    since: Instant,
    blocks: u32,
}

impl Pace {
    /// 10 s: how long is counted at once, so that a clock a little too fast does not add up.
    const SPAN: Duration = Duration::from_secs(10);

    /// 1 s: more than any device holds.
    const AHEAD: Duration = Duration::from_secs(1);

    const fn begin(since: Instant) -> Self {
        Self { since, blocks: 0 }
    }

    fn is_too_fast(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since);
        let is_ahead = BLOCK * self.blocks > passed + Self::AHEAD;
        if passed > Self::SPAN {
            *self = Self::begin(now);
        }
        is_ahead
    }
}

/// 500 ms: a loudspeaker that has taken so much plays. A service fills its buffers for one that is switched off as well.
const RUNS_AFTER: u32 = 100;

/// The mixer's thread.
pub struct Mixing {
    pub members: Arc<Mutex<BTreeMap<MemberId, Arc<Member>>>>,
    pub recorder: Option<Arc<Recorder>>,
    pub observer: Arc<dyn Observer>,
    pub speaker: Option<Speaker>,
    /// The one that is to follow once it runs, and since when.
    pub next_speaker: Option<(Speaker, Instant)>,
    /// Blocks that the loudspeaker has taken.
    pub taken: u32,
    pub outlet: Arc<Outlet>,
    pub limiter: Limiter,
}

#[allow(clippy::disallowed_methods, reason = "the playout clock")]
impl Mixing {
    pub fn run(mut self, stop: &AtomicBool) {
        let mut due = Instant::now();
        let mut played = due;
        let mut pace = Pace::begin(due);
        while !stop.load(Ordering::Relaxed) {
            if let Some(next) = lock(&self.outlet.next).take() {
                self.speaker = None;
                self.next_speaker = next.map(|speaker| (speaker, Instant::now()));
            }
            if self.begin_speaker() {
                due = Instant::now();
                played = due;
                pace = Pace::begin(due);
            }
            match &self.speaker {
                // The device's clock sets the pace.
                Some(speaker) if speaker.waiting_millis() >= SPEAKER_LEVEL => {
                    due = Instant::now() + SPEAKER_POLL;
                    std::thread::sleep(SPEAKER_POLL);
                    if due > played + SPEAKER_PATIENCE {
                        self.lose_speaker();
                    }
                    continue;
                }
                Some(_) if pace.is_too_fast(Instant::now()) => {
                    self.lose_speaker();
                    due = Instant::now();
                    continue;
                }
                Some(_) => pace.blocks += 1,
                None => {
                    due += BLOCK;
                    let now = Instant::now();
                    if now > due + 40 * BLOCK {
                        due = now;
                    }
                    std::thread::sleep(due.saturating_duration_since(now));
                }
            }
            played = Instant::now();
            self.note_lateness(due, played);
            self.play_block(played);
        }
    }

    /// Plays to the next loudspeaker once that is open. Returns whether it has just begun.
    fn begin_speaker(&mut self) -> bool {
        let Some((mut speaker, since)) = self.next_speaker.take() else {
            return false;
        };
        match speaker.is_running() {
            Ok(true) => {
                self.speaker = Some(speaker);
                self.taken = 0;
                return true;
            }
            Ok(false) if since.elapsed() < SPEAKER_PATIENCE => self.next_speaker = Some((speaker, since)),
            Ok(false) => self
                .observer
                .speaker_failed(SpeakerError::Device("it does not answer".into()).to_string()),
            Err(error) => self.observer.speaker_failed(error.to_string()),
        }
        false
    }

    fn lose_speaker(&mut self) {
        self.speaker = None;
        let message = "The loudspeaker takes no more sound. The call goes on without it.";
        self.observer.speaker_failed(message.into());
    }

    /// With a loudspeaker `due` is when this thread wanted to look again.
    fn note_lateness(&self, due: Instant, now: Instant) {
        self.outlet.mixes.fetch_add(1, Ordering::Relaxed);
        let is_late = now > due + LATE;
        self.outlet.late.fetch_add(u32::from(is_late), Ordering::Relaxed);
    }

    /// The rest of the tone that was asked for.
    fn add_tone(&self, mix: &mut [f32; BLOCK_SAMPLES]) {
        let left = self.outlet.tone.load(Ordering::Relaxed);
        for (at, sum) in (tone::SAMPLES - left..tone::SAMPLES).zip(mix.iter_mut()) {
            *sum += tone::sample(at);
        }
        let left = left.saturating_sub(BLOCK_SAMPLES as u32);
        self.outlet.tone.store(left, Ordering::Relaxed);
    }

    /// What is due of a stream, to the mix and to whoever looks or records.
    fn add_stream(&self, member: &Member, stream: &StreamIn, mix: &mut [f32; BLOCK_SAMPLES], now: Instant) {
        let mut block = [0.0; BLOCK_SAMPLES];
        let (captured, is_first, volume) = {
            let mut audio = lock(&stream.audio);
            let captured = audio.next_block(&mut block, now);
            let is_first = captured.is_some() && !std::mem::replace(&mut audio.heard, true);
            audio.note_age(captured.map(|captured| member.age(captured, now)));
            (captured, is_first, audio.volume)
        };
        mixer::add(mix, &block, volume);
        let track = stream.stream.audio();
        if is_first {
            self.observer.first_audio(member.id, track);
        }
        if captured.is_some() || block.iter().any(|sample| *sample != 0.0) {
            self.observer.played(member.id, track, &block, now);
        }
        if let Some(recorder) = &self.recorder {
            let picture = lock(&stream.seen).latest.clone();
            recorder.write((member.id, stream.stream), &block, picture);
        }
    }

    fn play_block(&mut self, now: Instant) {
        let members: Vec<_> = lock(&self.members).values().cloned().collect();
        let mut mix = [0.0; BLOCK_SAMPLES];
        for member in &members {
            let begun = |stream: &&StreamIn| stream.has_begun.load(Ordering::Relaxed);
            for stream in member.streams.iter().filter(begun) {
                self.add_stream(member, stream, &mut mix, now);
            }
        }
        self.add_tone(&mut mix);
        self.limiter.limit(&mut mix);
        if let Some(speaker) = &mut self.speaker {
            speaker.play(&mix);
            self.taken = self.taken.saturating_add(1);
            if self.taken == RUNS_AFTER {
                self.observer.speaker_runs();
            }
            self.outlet.far_end.push(&mix);
        }
    }
}

const _: () = assert!(BLOCK_SAMPLES as u128 == BLOCK.as_millis() * SAMPLE_RATE as u128 / 1000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loudspeaker_that_takes_everything_at_once_is_told_from_one_whose_clock_is_a_little_fast() {
        let begin = Instant::now();
        let mut real = Pace::begin(begin);
        // A thousandth too fast, for ten minutes, and 300 ms held by the device.
        real.blocks = 60;
        for n in 0..120_000u32 {
            real.blocks += 1;
            assert!(!real.is_too_fast(begin + BLOCK * n * 1000 / 1001), "block {n}");
        }
        let mut none = Pace::begin(begin);
        let taken = (0..1000).take_while(|_| {
            none.blocks += 1;
            !none.is_too_fast(begin + Duration::from_millis(1))
        });
        assert!(taken.count() < 210);
    }
}
