//! rav1e: memory-safe, without C. It holds pictures back, and changes its rate only by starting anew.

use std::collections::VecDeque;
use std::time::Instant;

use rav1e::config::SpeedSettings;
use rav1e::data::Rational;
use rav1e::prelude::{FrameParameters, FrameType, FrameTypeOverride};
use rav1e::{Config, Context, EncoderConfig, EncoderStatus};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::obu;
use sightline_media_proto::rate::Bitrate;

use super::{EncodeError, Encoded, Encoder};
use crate::picture::{Picture, Size};

/// 10 of 10: rav1e's fastest.
const SPEED: u8 = 10;

/// A new rate is taken over when it differs by more than an eighth: each change costs a key frame.
const WORTH_RESTARTING: u32 = 8;

/// A live encoder.
pub struct Rav1e {
    context: Context<u8>,
    size: Size,
    bitrate: Bitrate,
    /// When the pictures inside were captured, oldest first.
    inside: VecDeque<Instant>,
}

impl Rav1e {
    /// An encoder for pictures of `size`.
    pub fn new(size: Size, bitrate: Bitrate) -> Result<Self, EncodeError> {
        Ok(Self {
            context: context(size, bitrate)?,
            size,
            bitrate,
            inside: VecDeque::new(),
        })
    }

    fn packets(&mut self) -> Result<Vec<Encoded>, EncodeError> {
        let mut encoded = Vec::new();
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    let captured = self.inside.pop_front();
                    let data = obu::without_metadata(&packet.data)
                        .map_err(|error| EncodeError::Failed(error.to_string()))?;
                    let is_key = packet.frame_type == FrameType::KEY;
                    encoded.extend(captured.map(|captured| Encoded {
                        data,
                        is_key,
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
        if picture.size != self.size {
            return Err(EncodeError::Size);
        }
        let mut frame = self.context.new_frame();
        let widths = [self.size, self.size.chroma(), self.size.chroma()].map(|size| size.width as usize);
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
        if bitrate.0.abs_diff(self.bitrate.0) > self.bitrate.0 / WORTH_RESTARTING {
            self.context = context(self.size, bitrate)?;
            self.bitrate = bitrate;
            self.inside.clear();
        }
        Ok(())
    }

    fn set_speed(&mut self, _: Speed) -> Result<(), EncodeError> {
        Ok(())
    }
}

fn context(size: Size, bitrate: Bitrate) -> Result<Context<u8>, EncodeError> {
    let mut speed_settings = SpeedSettings::from_preset(SPEED);
    speed_settings.rdo_lookahead_frames = 1;
    let config = EncoderConfig {
        width: size.width as usize,
        height: size.height as usize,
        time_base: Rational::new(1, 30),
        low_latency: true,
        bitrate: i32::try_from(bitrate.0).unwrap_or(i32::MAX),
        // With a rate given this is the coarsest quantizer allowed: all of them.
        quantizer: 255,
        // Half a second: how far ahead the rate is evened out.
        reservoir_frame_delay: Some(15),
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
