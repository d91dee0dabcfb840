//! What is done to a voice between the microphone and the encoder: the echo of what the loudspeaker plays is taken out,
//! steady noise is lowered, a quiet or loud voice is brought to the usual level. `sonora` does it, which is WebRTC's audio
//! processing in Rust; here are its settings, and how it learns what is played.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sightline_media_proto::audio::{BLOCK_SAMPLES, SAMPLE_RATE};
use sonora::config::{
    AdaptiveDigital, CaptureLevelAdjustment, EchoCanceller, GainController2, HighPassFilter,
    MaxProcessingRate, NoiseSuppression, NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

/// 0.5 s of what was played: more than a microphone's thread is ever late.
const FAR_END: usize = SAMPLE_RATE as usize / 2;

/// 1 s of blocks without a loudspeaker, after which there is no echo to look for.
const NO_FAR_END: u32 = 100;

/// −12 dB, before the gain is chosen: the controller only raises, to −25 dB, so that who speaks loud has to be lowered
/// first. That is what telephony calls the nominal level (ITU-T P.56: −26).
const LOWERED: f32 = 0.25;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processing {
    /// The echo of what the loudspeaker plays is taken out.
    pub echo: bool,
    /// Steady noise is lowered.
    pub noise: bool,
    /// The voice is brought to the usual level.
    pub gain: bool,
}

impl Processing {
    /// Everything.
    pub const ALL: Self = Self {
        echo: true,
        noise: true,
        gain: true,
    };

    /// Nothing.
    pub const NONE: Self = Self {
        echo: false,
        noise: false,
        gain: false,
    };

    const fn bits(self) -> u8 {
        self.echo as u8 | (self.noise as u8) << 1 | (self.gain as u8) << 2
    }
}

/// What is to be done, as it can be changed while somebody talks.
#[derive(Debug, Default)]
pub struct SharedProcessing(AtomicU8);

impl SharedProcessing {
    /// From the next block on.
    pub fn set(&self, processing: Processing) {
        self.0.store(processing.bits(), Ordering::Relaxed);
    }

    /// What is done now.
    #[must_use]
    pub fn get(&self) -> Processing {
        let bits = self.0.load(Ordering::Relaxed);
        Processing {
            echo: bits & 1 != 0,
            noise: bits & 2 != 0,
            gain: bits & 4 != 0,
        }
    }
}

/// What the loudspeaker plays, on its way from the mixer to whoever takes its echo out.
#[derive(Debug, Default)]
pub struct FarEnd(Mutex<VecDeque<f32>>);

impl FarEnd {
    /// This is played now.
    pub fn push(&self, samples: &[f32]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(samples);
        // Nobody listens, or too late.
        let beyond = waiting.len().saturating_sub(FAR_END);
        waiting.drain(..beyond);
    }

    fn take(&self, block: &mut [f32; BLOCK_SAMPLES]) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < block.len() {
            return false;
        }
        for (sample, played) in block.iter_mut().zip(waiting.drain(..BLOCK_SAMPLES)) {
            *sample = played;
        }
        true
    }
}

/// One microphone's processing.
pub struct Processor {
    wanted: Arc<SharedProcessing>,
    far_end: Arc<FarEnd>,
    /// What is done; with nothing to do there is no pipeline.
    done: Processing,
    pipeline: Option<AudioProcessing>,
    /// Blocks since something was played.
    quiet: u32,
}

impl Processor {
    /// Does what `wanted` says, as it changes.
    #[must_use]
    pub const fn new(wanted: Arc<SharedProcessing>, far_end: Arc<FarEnd>) -> Self {
        Self {
            wanted,
            far_end,
            done: Processing::NONE,
            pipeline: None,
            quiet: NO_FAR_END,
        }
    }

    /// Processes 10 ms in place.
    pub fn process(&mut self, block: &mut [f32; BLOCK_SAMPLES]) {
        self.configure();
        let mut played = [0.0; BLOCK_SAMPLES];
        let mut out = [0.0; BLOCK_SAMPLES];
        self.quiet = self.quiet.saturating_add(1);
        while self.far_end.take(&mut played) {
            self.quiet = 0;
            if let Some(pipeline) = self.pipeline.as_mut().filter(|_| self.done.echo) {
                // The shapes are those that it was made for.
                let _shaped = pipeline.process_render_f32(&[&played], &mut [&mut out]);
            }
        }
        if let Some(pipeline) = &mut self.pipeline
            && pipeline.process_capture_f32(&[&*block], &mut [&mut out]).is_ok()
        {
            *block = out;
        }
    }

    fn configure(&mut self) {
        let mut wanted = self.wanted.get();
        wanted.echo &= self.quiet < NO_FAR_END;
        if wanted == self.done {
            return;
        }
        self.done = wanted;
        if wanted == Processing::NONE {
            self.pipeline = None;
            return;
        }
        let config = config(wanted);
        match &mut self.pipeline {
            Some(pipeline) => pipeline.apply_config(config),
            None => {
                let mono = StreamConfig::new(SAMPLE_RATE, 1);
                let builder = AudioProcessing::builder().config(config);
                self.pipeline = Some(builder.capture_config(mono).render_config(mono).build());
            }
        }
    }
}

fn config(wanted: Processing) -> Config {
    let gain = GainController2 {
        adaptive_digital: Some(AdaptiveDigital::default()),
        ..GainController2::default()
    };
    let noise = NoiseSuppression {
        // 18 dB: a fan is gone, a voice stays.
        level: NoiseSuppressionLevel::High,
        ..NoiseSuppression::default()
    };
    Config {
        pipeline: Pipeline {
            // Voices keep what is above 16 kHz.
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            ..Pipeline::default()
        },
        capture_level_adjustment: wanted.gain.then(|| CaptureLevelAdjustment {
            pre_gain_factor: LOWERED,
            ..CaptureLevelAdjustment::default()
        }),
        high_pass_filter: Some(HighPassFilter::default()),
        echo_canceller: wanted.echo.then(EchoCanceller::default),
        noise_suppression: wanted.noise.then_some(noise),
        gain_controller2: wanted.gain.then_some(gain),
        ..Config::default()
    }
}
