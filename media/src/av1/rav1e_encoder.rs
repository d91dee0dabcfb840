//! rav1e: memory-safe, without C. It holds pictures back, and changes its rate only by starting anew.

use std::collections::VecDeque;
use std::time::Instant;

use rav1e::config::SpeedSettings;
use rav1e::data::Rational;
use rav1e::prelude::{FrameParameters, FrameTypeOverride};
use rav1e::{Config, Context, EncoderConfig, EncoderStatus};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::obu;
use sightline_media_proto::rate::Bitrate;

use super::{EncodeError, Encoded, Encoder, Settings};
use crate::picture::Picture;

/// 10 of 10: rav1e's fastest.
const SPEED: u8 = 10;

/// A new rate is taken over when it differs by more than an eighth: each change costs a key frame.
const WORTH_RESTARTING: u32 = 8;

/// A live encoder.
pub struct Rav1e {
    context: Context<u8>,
    settings: Settings,
    /// When the pictures inside were captured, oldest first.
    inside: VecDeque<Instant>,
    units: obu::Reader,
}

impl Rav1e {
    /// An encoder.
    pub fn new(settings: Settings) -> Result<Self, EncodeError> {
        Ok(Self {
            context: context(settings)?,
            settings,
            inside: VecDeque::new(),
            units: obu::Reader::default(),
        })
    }

    fn packets(&mut self) -> Result<Vec<Encoded>, EncodeError> {
        let mut encoded = Vec::new();
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    let captured = self.inside.pop_front();
                    let unit = self
                        .units
                        .handle_encoded(&packet.data)
                        .map_err(|error| EncodeError::Failed(error.to_string()))?;
                    encoded.extend(captured.map(|captured| Encoded {
                        data: unit.data,
                        is_key: unit.is_key,
                        is_discardable: false,
                        captured,
                    }));
                }
                Err(EncoderStatus::Encoded) => {}
                Err(EncoderStatus::NeedMoreData | EncoderStatus::LimitReached) => return Ok(encoded),
                Err(error) => return Err(EncodeError::Failed(error.to_string())),
            }
        }
    }
}

impl Encoder for Rav1e {
    fn encode(&mut self, picture: &Picture, force_key: bool) -> Result<Vec<Encoded>, EncodeError> {
        let size = self.settings.size;
        if picture.size != size {
            return Err(EncodeError::Size);
        }
        let mut frame = self.context.new_frame();
        let widths = [size, size.chroma(), size.chroma()].map(|size| size.width as usize);
        for ((target, source), width) in frame.planes.iter_mut().zip(picture.planes()).zip(widths) {
            target.copy_from_raw_u8(source, width, 1);
        }
        let frame_type_override = if force_key {
            FrameTypeOverride::Key
        } else {
            FrameTypeOverride::No
        };
        let parameters = FrameParameters {
            frame_type_override,
            ..FrameParameters::default()
        };
        self.inside.push_back(picture.captured);
        self.context
            .send_frame((frame, parameters))
            .map_err(|error| EncodeError::Failed(error.to_string()))?;
        self.packets()
    }

    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), EncodeError> {
        let before = self.settings.bitrate.0;
        if bitrate.0.abs_diff(before) > before / WORTH_RESTARTING {
            self.settings.bitrate = bitrate;
            self.context = context(self.settings)?;
            self.inside.clear();
        }
        Ok(())
    }

    fn set_speed(&mut self, _: Speed) -> Result<(), EncodeError> {
        Ok(())
    }
}

fn context(settings: Settings) -> Result<Context<u8>, EncodeError> {
    let Settings {
        size,
        frame_rate,
        bitrate,
        ..
    } = settings;
    let mut speed_settings = SpeedSettings::from_preset(SPEED);
    speed_settings.rdo_lookahead_frames = 1;
    let config = EncoderConfig {
        width: size.width as usize,
        height: size.height as usize,
        time_base: Rational::new(1, u64::from(frame_rate)),
        low_latency: true,
        bitrate: i32::try_from(bitrate.0).unwrap_or(i32::MAX),
        // With a rate given this is the coarsest quantizer allowed: all of them.
        quantizer: 255,
        // How far ahead the rate is evened out: half a second, or the 12 pictures that are the least.
        reservoir_frame_delay: i32::try_from((frame_rate / 2).max(12)).ok(),
        min_key_frame_interval: 0,
        // Key frames come on demand.
        max_key_frame_interval: 100_000,
        speed_settings,
        ..EncoderConfig::default()
    };
    Config::new()
        .with_encoder_config(config)
        .with_threads(1)
        .new_context()
        .map_err(|error| EncodeError::Setup(error.to_string()))
}
