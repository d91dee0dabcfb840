//! The voice codec: Opus at a constant rate, every frame as long as was asked for.

use opus::{Application, Bandwidth, Bitrate, Channels, Decoder, Encoder};
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
        encoder.set_bandwidth(Bandwidth::Fullband)?;
        encoder.set_force_channels(Some(Channels::Mono))?;
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

/// Whether `frame` is of a kind that [`VoiceEncoder`] makes, by its table-of-contents byte (RFC 6716, section 3.1): speech
/// or music at full bandwidth, of this length, mono, one frame. Opus has far more, and its decoder is C.
fn is_ours(frame: &[u8], span: Span) -> bool {
    // Hybrid and CELT, both at 20 kHz (RFC 6716, table 2); then one channel, and one frame.
    let configurations = match span {
        Span::Ten => [14, 30],
        Span::Twenty => [15, 31],
    };
    frame
        .first()
        .is_some_and(|toc| configurations.contains(&(toc >> 3)) && toc & 0b111 == 0)
}

impl Decode for VoiceDecoder {
    fn decode(&mut self, frame: &[u8], span: Span, out: &mut Vec<f32>) -> bool {
        let before = out.len();
        let is_decoded = is_ours(frame, span) && self.append(frame, span.samples(), out);
        if !is_decoded {
            out.truncate(before);
        }
        is_decoded
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
    fn no_other_kind_of_frame_reaches_the_decoder() {
        let mut decoder = VoiceDecoder::new().expect("opus");
        for span in [Span::Ten, Span::Twenty] {
            let ours: Vec<u8> = (0..=255)
                .filter(|toc| {
                    let mut out = Vec::new();
                    let is_decoded =
                        decoder.decode(&[[*toc].as_slice(), &[0x5a; 95]].concat(), span, &mut out);
                    assert_eq!(out.len(), if is_decoded { span.samples() } else { 0 });
                    is_decoded
                })
                .collect();
            let expected = if span == Span::Ten {
                [14 << 3, 30 << 3]
            } else {
                [15 << 3, 31 << 3]
            };
            assert_eq!(ours, expected, "{span:?}");
            assert!(!decoder.decode(&[], span, &mut Vec::new()));
        }
    }

    #[test]
    fn whatever_is_said_is_sent_in_frames_of_our_kind() {
        let noise = |n: usize| {
            ((n as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / f32::from(u16::MAX) / 128.0 - 1.0
        };
        let signals: [&dyn Fn(usize) -> f32; 6] = [
            &|_| 0.0,
            &|n| (n as f32 * 0.0288).sin() * 0.5,
            &|n| (n as f32 * 0.9).sin() * 0.9,
            &|n| noise(n) * 0.9,
            &|n| noise(n) * 0.001,
            // Bursts, as of speech.
            &|n| {
                if n / 9600 % 2 == 0 {
                    noise(n / 40) * (n as f32 * 0.02).sin()
                } else {
                    0.0
                }
            },
        ];
        let mut encoder = VoiceEncoder::new().expect("opus");
        let mut at = 0;
        for round in 0..12 {
            for (number, signal) in signals.iter().enumerate() {
                let span = [Span::Ten, Span::Twenty][round % 2];
                let protection = [Protection::Light, Protection::Strong][round / 2 % 2];
                for _ in 0..50 {
                    let samples: Vec<_> = (at..at + span.samples()).map(signal).collect();
                    at += span.samples();
                    let frame = encoder
                        .encode(&samples, protection.frame_len(span))
                        .expect("encoded");
                    assert!(
                        is_ours(&frame, span),
                        "signal {number}, {span:?}, {protection:?}: {:02x}",
                        frame[0]
                    );
                }
            }
        }
    }
}
