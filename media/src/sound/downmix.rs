//! Many channels to one, by what is in them.
//!
//! A sum of all channels is no answer: a voice on one of eight would be eight times too quiet, and one that is recorded in opposite
//! phase would be gone. So channels in which there is (next to) nothing do not count, and one that runs against the loudest is turned
//! round.

/// 10 ms: how often it is looked what is in the channels, as a part of a second.
const LOOKS: u32 = 100;

/// How fast what is in a channel is followed: a look's weight where it is louder, and where it is quieter.
const RISE: f32 = 0.2;
const FALL: f32 = 0.005;

/// −15 dB: a channel that is quieter than the loudest by more does not count.
const COUNTS: f32 = 0.03;

/// A channel that is louder than this many times the reference is the reference.
const LOUDER: f32 = 2.0;

/// A channel whose correlation with the reference is below this runs against it.
const AGAINST: f32 = -0.5;

/// Power below which there is nothing in any channel.
const NOTHING: f32 = 1e-10;

/// What is in a channel.
#[derive(Clone, Copy, Debug, Default)]
struct Content {
    /// It carries effects below what a voice has, not a voice.
    is_low: bool,
    /// Power, and the product with the reference, as they usually are.
    power: f32,
    product: f32,
    /// Sums since the last look.
    power_sum: f32,
    product_sum: f32,
    /// What of it goes into the mix, now and soon.
    weight: f32,
    target: f32,
}

/// Mixes interleaved samples down, as they come. It allocates nothing after its making.
#[derive(Debug)]
pub struct Downmix {
    channels: Vec<Content>,
    /// The samples of one moment, as far as they have come.
    moment: Vec<f32>,
    /// The channel with which the others are compared.
    reference: usize,
    /// Moments since the last look, and from one to the next.
    moments: u32,
    span: u32,
    /// How far a weight goes towards its target in a moment.
    step: f32,
}

impl Downmix {
    /// For channels of which these have low-frequency effects only, at a sample rate in hertz.
    pub fn new(is_low: &[bool], rate: u32) -> Self {
        let count = is_low.iter().filter(|is_low| !**is_low).count().max(1) as f32;
        let channels = is_low.iter().map(|is_low| {
            let weight = if *is_low { 0.0 } else { 1.0 / count };
            Content {
                is_low: *is_low,
                weight,
                target: weight,
                ..Content::default()
            }
        });
        let channels: Vec<_> = channels.collect();
        Self {
            moment: Vec::with_capacity(channels.len()),
            reference: is_low.iter().position(|is_low| !is_low).unwrap_or(0),
            channels,
            moments: 0,
            span: (rate / LOOKS).max(1),
            step: (LOOKS as f32 / rate as f32).min(1.0),
        }
    }

    /// The next sample. Returns the mix with the last channel's of a moment. What is no number is silence.
    pub fn push(&mut self, sample: f32) -> Option<f32> {
        self.moment.push(if sample.is_finite() { sample } else { 0.0 });
        if self.moment.len() < self.channels.len() {
            return None;
        }
        let reference = self.moment.get(self.reference).copied().unwrap_or(0.0);
        let mut mix = 0.0;
        for (channel, sample) in self.channels.iter_mut().zip(&self.moment) {
            channel.power_sum += sample * sample;
            channel.product_sum += sample * reference;
            channel.weight += self.step * (channel.target - channel.weight);
            mix += channel.weight * sample;
        }
        self.moment.clear();
        self.moments += 1;
        if self.moments >= self.span {
            self.look();
        }
        Some(mix)
    }

    fn look(&mut self) {
        let span = std::mem::take(&mut self.moments) as f32;
        for channel in &mut self.channels {
            let power = std::mem::take(&mut channel.power_sum) / span;
            let product = std::mem::take(&mut channel.product_sum) / span;
            let follow = if power > channel.power { RISE } else { FALL };
            channel.power += follow * (power - channel.power);
            channel.product += follow * (product - channel.product);
        }
        let heard = self
            .channels
            .iter()
            .enumerate()
            .filter(|(_, channel)| !channel.is_low);
        let loudest = heard.max_by(|(_, one), (_, other)| one.power.total_cmp(&other.power));
        let Some((loudest, most)) = loudest.map(|(at, channel)| (at, channel.power)) else {
            return;
        };
        if most < NOTHING {
            return;
        }
        if most > LOUDER * self.channels[self.reference].power {
            self.reference = loudest;
            for channel in &mut self.channels {
                channel.product = 0.0;
            }
        }
        let counts = |channel: &Content| !channel.is_low && channel.power >= COUNTS * most;
        let count = self.channels.iter().filter(|channel| counts(channel)).count() as f32;
        let reference = self.channels[self.reference].power;
        for channel in &mut self.channels {
            let correlation = channel.product / (channel.power * reference).sqrt().max(f32::MIN_POSITIVE);
            let sign = if correlation < AGAINST { -1.0 } else { 1.0 };
            channel.target = if counts(channel) { sign / count } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn voice(n: usize) -> f32 {
        0.5 * (n as f32 * 440.0 * std::f32::consts::TAU / RATE as f32).sin()
    }

    /// What comes of a second in which each channel has so much of a voice: its level beside the voice, decibels, in the second half.
    fn level(parts: &[f32], is_low: &[bool]) -> f32 {
        let mut downmix = Downmix::new(is_low, RATE);
        let mut mixed = Vec::new();
        for n in 0..RATE as usize {
            for part in parts {
                mixed.extend(downmix.push(part * voice(n)));
            }
        }
        assert_eq!(mixed.len(), RATE as usize);
        let power = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
        let half = mixed.len() / 2;
        let own: Vec<_> = (half..mixed.len()).map(voice).collect();
        10.0 * (power(&mixed[half..]) / power(&own)).log10()
    }

    #[test]
    fn a_voice_is_as_loud_whichever_channels_it_is_in() {
        let low_effects = [false, false, false, true, false, false];
        let cases: [(&[f32], &[bool]); 8] = [
            (&[1.0], &[false]),
            (&[1.0, 1.0], &[false; 2]),
            (&[0.0, 1.0], &[false; 2]),
            (&[1.0, -1.0], &[false; 2]),
            (&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0], &low_effects),
            (&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0], &low_effects),
            (&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], &[false; 8]),
            (&[1.0, 0.01, -0.02, 0.0, 0.0, 1.0, 0.0, -1.0], &[false; 8]),
        ];
        for (parts, is_low) in cases {
            let level = level(parts, is_low);
            assert!(level.abs() < 0.5, "{parts:?}: {level} dB");
        }
    }

    #[test]
    fn what_is_no_number_is_silence_and_does_not_stay() {
        let mut downmix = Downmix::new(&[false, false], RATE);
        for sample in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            assert!(downmix.push(sample).is_none_or(|mix| mix == 0.0));
        }
        let mut last = None;
        for n in 0..RATE as usize {
            downmix.push(voice(n));
            last = downmix.push(voice(n)).or(last);
        }
        assert!(last.is_some_and(|last| (last - voice(RATE as usize - 1)).abs() < 0.05));
    }

    #[test]
    fn a_pause_changes_nothing() {
        let mut downmix = Downmix::new(&[false, false], RATE);
        let mut push = |left: f32, right: f32| {
            downmix.push(left);
            downmix.push(right)
        };
        for n in 0..RATE as usize {
            push(0.0001 * voice(3 * n), voice(n));
        }
        // A second of noise in both.
        for n in 0..RATE as usize {
            push(0.0001 * voice(3 * n), 0.0001 * voice(5 * n));
        }
        let mixed: Vec<_> = (0..480).filter_map(|n| push(0.0, voice(n))).collect();
        for (n, mix) in mixed.iter().enumerate() {
            assert!((mix - voice(n)).abs() < 0.02, "{n}: {mix}");
        }
    }
}
