//! The voice codec: Opus at a constant rate, every frame the same size.

use opus::{Application, Bitrate, Channels, Decoder, Encoder};
use sightline_media_proto::audio::{FRAME_SAMPLES, PAYLOAD_LEN, SAMPLE_RATE};

/// 40 kbit/s: [`PAYLOAD_LEN`] bytes each 20 ms.
const BITRATE: i32 = PAYLOAD_LEN as i32 * 8 * 50;

/// Complexity 7 of 10: inaudibly worse than 10, and half the work.
const COMPLEXITY: i32 = 7;

/// Opus could not be set up, or did not take what it was given.
#[derive(Debug, thiserror::Error)]
#[error("the sound codec failed: {0}")]
pub struct CodecError(#[from] opus::Error);

/// Encodes one voice.
pub struct VoiceEncoder(Encoder);

impl VoiceEncoder {
    /// Hard constant rate, no discontinuous transmission: silence looks like speech.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn new() -> Result<Self, CodecError> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
        encoder.set_vbr(false)?;
        encoder.set_dtx(false)?;
        encoder.set_complexity(COMPLEXITY)?;
        Ok(Self(encoder))
    }

    /// Encodes 20 ms.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn encode(&mut self, samples: &[f32; FRAME_SAMPLES]) -> Result<[u8; PAYLOAD_LEN], CodecError> {
        let mut payload = [0; PAYLOAD_LEN];
        let length = self.0.encode_float(samples, &mut payload)?;
        debug_assert_eq!(length, PAYLOAD_LEN, "a constant rate makes constant sizes");
        Ok(payload)
    }
}

/// Decodes one voice.
pub struct VoiceDecoder(Decoder);

impl VoiceDecoder {
    /// # Errors
    /// [`CodecError`].
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self(Decoder::new(SAMPLE_RATE, Channels::Mono)?))
    }

    /// Decodes a frame; what cannot be decoded is concealed.
    pub fn decode(&mut self, payload: &[u8], out: &mut [f32; FRAME_SAMPLES]) {
        if self.0.decode_float(payload, out, false).ok() != Some(FRAME_SAMPLES) {
            self.conceal(out);
        }
    }

    /// Makes up a frame from those before it.
    pub fn conceal(&mut self, out: &mut [f32; FRAME_SAMPLES]) {
        if self.0.decode_float(&[], out, false).ok() != Some(FRAME_SAMPLES) {
            out.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32) -> [f32; FRAME_SAMPLES] {
        std::array::from_fn(|n| amplitude * (n as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin())
    }

    #[test]
    fn every_frame_has_the_same_size_and_sounds_like_what_went_in() {
        let (mut encoder, mut decoder) = (
            VoiceEncoder::new().expect("opus"),
            VoiceDecoder::new().expect("opus"),
        );
        let mut out = [0.0; FRAME_SAMPLES];
        for amplitude in [0.0, 0.5, 0.01, 0.0, 0.5] {
            for _ in 0..5 {
                let payload = encoder.encode(&tone(amplitude)).expect("encoded");
                decoder.decode(&payload, &mut out);
            }
            let power: f32 = out.iter().map(|s| s * s).sum::<f32>() / FRAME_SAMPLES as f32;
            let expected = amplitude * amplitude / 2.0;
            assert!(
                (power - expected).abs() <= 0.2 * expected + 1e-5,
                "{amplitude}: {power}"
            );
        }
    }

    #[test]
    fn garbage_is_concealed() {
        let mut decoder = VoiceDecoder::new().expect("opus");
        let mut out = [0.0; FRAME_SAMPLES];
        for seed in 0..500u32 {
            let garbage: Vec<u8> = (0..100u32).map(|n| (n.wrapping_mul(seed) >> 3) as u8).collect();
            decoder.decode(&garbage, &mut out);
            assert!(out.iter().all(|sample| sample.is_finite()));
        }
    }
}
