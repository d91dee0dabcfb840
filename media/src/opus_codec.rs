//! The voice codec: Opus at a constant rate, every frame as long as was asked for.

use opus::{Application, Bitrate, Channels, Decoder, Encoder};
use sightline_media_proto::audio::{BLOCK_SAMPLES, SAMPLE_RATE, Span};
use sightline_media_proto::playout::Decode;

/// Complexity 8 of 10: more is no better (PESQ of two voices, with and without loss).
const COMPLEXITY: i32 = 8;

/// Opus could not be set up, or did not take what it was given.
#[derive(Debug, thiserror::Error)]
#[error("the sound codec failed: {0}")]
pub struct CodecError(#[from] opus::Error);

/// Encodes one voice.
pub struct VoiceEncoder {
    encoder: Encoder,
    bitrate: i32,
}

impl VoiceEncoder {
    /// Hard constant rate, no discontinuous transmission: silence looks like speech.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn new() -> Result<Self, CodecError> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        encoder.set_vbr(false)?;
        encoder.set_dtx(false)?;
        encoder.set_complexity(COMPLEXITY)?;
        Ok(Self { encoder, bitrate: 0 })
    }

    /// Encodes 10 or 20 ms into just so many bytes.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn encode(&mut self, samples: &[f32], payload_len: usize) -> Result<Vec<u8>, CodecError> {
        let bitrate = (payload_len * 8 * SAMPLE_RATE as usize / samples.len().max(1)) as i32;
        if self.bitrate != bitrate {
            self.encoder.set_bitrate(Bitrate::Bits(bitrate))?;
            self.bitrate = bitrate;
        }
        let mut payload = vec![0; payload_len];
        let length = self.encoder.encode_float(samples, &mut payload)?;
        // A constant rate makes constant sizes; were one shorter, all would still leave in the same.
        payload.truncate(length);
        payload.resize(payload_len, 0);
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

    /// Appends what `payload` holds, or what is made up for an empty one. False if it was not so much.
    fn append(&mut self, payload: &[u8], samples: usize, out: &mut Vec<f32>) -> bool {
        let before = out.len();
        out.resize(before + samples, 0.0);
        self.0.decode_float(payload, &mut out[before..], false).ok() == Some(samples)
    }
}

impl Decode for VoiceDecoder {
    fn decode(&mut self, frame: &[u8], span: Span, out: &mut Vec<f32>) {
        let before = out.len();
        if !self.append(frame, span.samples(), out) {
            out.truncate(before);
            for _ in 0..span.blocks() {
                self.conceal(out);
            }
        }
    }

    fn conceal(&mut self, out: &mut Vec<f32>) {
        let before = out.len();
        if !self.append(&[], BLOCK_SAMPLES, out) {
            out[before..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use sightline_media_proto::audio::Protection;

    use super::*;

    fn tone(amplitude: f32, samples: usize) -> Vec<f32> {
        let sample = |n| amplitude * (n as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin();
        (0..samples).map(sample).collect()
    }

    #[test]
    fn every_frame_has_the_size_that_was_asked_for_and_sounds_like_what_went_in() {
        for span in [Span::Ten, Span::Twenty] {
            for length in [Protection::Light, Protection::Strong].map(|way| way.frame_len(span)) {
                let (mut encoder, mut decoder) = (
                    VoiceEncoder::new().expect("opus"),
                    VoiceDecoder::new().expect("opus"),
                );
                for amplitude in [0.0, 0.5, 0.01, 0.0, 0.5] {
                    let mut out = Vec::new();
                    for _ in 0..6 {
                        let payload = encoder.encode(&tone(amplitude, span.samples()), length);
                        let payload = payload.expect("encoded");
                        assert_eq!(payload.len(), length);
                        out.clear();
                        decoder.decode(&payload, span, &mut out);
                    }
                    assert_eq!(out.len(), span.samples());
                    let power: f32 = out.iter().map(|s| s * s).sum::<f32>() / out.len() as f32;
                    let expected = amplitude * amplitude / 2.0;
                    assert!(
                        (power - expected).abs() <= 0.3 * expected + 1e-5,
                        "{span:?}, {length} bytes, {amplitude}: {power}"
                    );
                }
            }
        }
    }

    #[test]
    fn garbage_is_concealed() {
        let mut decoder = VoiceDecoder::new().expect("opus");
        for seed in 0..500u32 {
            let garbage: Vec<u8> = (0..100u32).map(|n| (n.wrapping_mul(seed) >> 3) as u8).collect();
            let mut out = Vec::new();
            decoder.decode(&garbage, Span::Twenty, &mut out);
            assert_eq!(out.len(), Span::Twenty.samples());
            assert!(out.iter().all(|sample| sample.is_finite()));
        }
    }
}
