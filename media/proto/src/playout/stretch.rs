//! Sound made a little shorter or longer without changing its pitch: a piece that looks like its neighbour is left out, or
//! put in once more, with one fading into the other (WSOLA: Verhelst and Roelands, ICASSP 1993).

/// 2.5 ms and 15 ms: the shortest and the longest piece; a voice's periods lie between.
const SHORTEST: usize = 120;
const LONGEST: usize = 720;

/// 5 ms: what is compared.
const COMPARED: usize = 240;

/// How much alike two pieces must be, of 1.
const ALIKE: f32 = 0.85;

/// A longer piece is taken only if it is so much more alike.
const BETTER: f32 = 0.01;

/// Below this power (−50 dB) nobody hears whether they are.
const QUIET: f32 = 1e-5;

/// Leaves out a piece of at most `most` samples at the beginning of `sound`. Returns how many samples; 0 when no piece
/// is enough like the next, unless `must`.
pub fn shorten(sound: &mut Vec<f32>, most: usize, must: bool) -> usize {
    let longest = most.min(LONGEST).min(sound.len() / 2);
    let Some(lag) = best_lag(sound, 0, longest, 1, must) else {
        return 0;
    };
    for at in 0..lag {
        let fade = at as f32 / lag as f32;
        sound[at] = sound[at] * (1.0 - fade) + sound[at + lag] * fade;
    }
    sound.drain(lag..2 * lag);
    lag
}

/// Puts a piece in, between `before`, which was played, and `sound`. Returns how many samples; 0 when none fits.
pub fn lengthen(before: &[f32], sound: &mut Vec<f32>) -> usize {
    let longest = LONGEST.min(sound.len()).min(before.len());
    let joined: Vec<f32> = before.iter().chain(sound.iter()).copied().collect();
    let Some(lag) = best_lag(&joined, before.len(), longest, -1, false) else {
        return 0;
    };
    let again = &before[before.len() - lag..];
    let piece: Vec<f32> = (0..lag)
        .map(|at| {
            let fade = at as f32 / lag as f32;
            sound[at] * (1.0 - fade) + again[at] * fade
        })
        .collect();
    sound.splice(0..0, piece);
    lag
}

/// By how much the sound from `at` on has to be moved, forward (1) or back (-1), to be most like itself.
fn best_lag(sound: &[f32], at: usize, longest: usize, direction: isize, must: bool) -> Option<usize> {
    let here = sound.get(at..(at + COMPARED).min(sound.len()))?;
    let likeness_at = |lag: usize| {
        let from = at.checked_add_signed(direction * lag as isize)?;
        Some(likeness(here, sound.get(from..from + here.len())?))
    };
    // Every fourth lag is enough to find the peak, every one to hit it.
    let mut near = (0, f32::MIN);
    for lag in (SHORTEST..=longest).step_by(4) {
        let Some(likeness) = likeness_at(lag) else {
            continue;
        };
        if likeness > near.1 + BETTER {
            near = (lag, likeness);
        }
    }
    let around = near.0.saturating_sub(3).max(SHORTEST)..=(near.0 + 3).min(longest);
    let exact = around.filter_map(|lag| Some((lag, likeness_at(lag)?)));
    let (lag, likeness) = exact.fold(near, |best, next| if next.1 > best.1 { next } else { best });
    (lag >= SHORTEST && (must || likeness > ALIKE)).then_some(lag)
}

/// 1 for the same shape, or when both cannot be heard.
fn likeness(one: &[f32], other: &[f32]) -> f32 {
    let (mut product, mut ones, mut others) = (0.0, 0.0, 0.0);
    for (a, b) in one.iter().zip(other) {
        product += a * b;
        ones += a * a;
        others += b * b;
    }
    let quiet = QUIET * one.len() as f32;
    if ones < quiet && others < quiet {
        return 1.0;
    }
    product / (ones * others).sqrt().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, from: usize, len: usize) -> Vec<f32> {
        let sample = |n: usize| 0.5 * (n as f32 * hertz * std::f32::consts::TAU / 48_000.0).sin();
        (from..from + len).map(sample).collect()
    }

    fn largest_step(sound: &[f32]) -> f32 {
        sound
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_becomes_shorter_and_longer_without_a_click() {
        for hertz in [90.0, 150.0, 220.0, 443.0] {
            let step = largest_step(&tone(hertz, 0, 4800));
            let mut shorter = tone(hertz, 0, 1920);
            let cut = shorten(&mut shorter, LONGEST, false);
            assert!(cut >= SHORTEST, "{hertz}");
            assert_eq!(shorter.len(), 1920 - cut);
            assert!(largest_step(&shorter) < 1.1 * step, "{hertz}");

            let before = tone(hertz, 0, 1440);
            let mut longer = tone(hertz, 1440, 960);
            let put = lengthen(&before, &mut longer);
            assert!(put >= SHORTEST, "{hertz}");
            assert_eq!(longer.len(), 960 + put);
            let whole = [before, longer].concat();
            assert!(
                largest_step(&whole) < 1.1 * step,
                "{hertz}: {}",
                largest_step(&whole) / step
            );
        }
    }

    #[test]
    fn silence_is_always_alike_and_noise_is_not() {
        let mut silence = vec![0.0; 1440];
        assert!(shorten(&mut silence, LONGEST, false) >= SHORTEST);
        let mut state = 1u32;
        let mut noise: Vec<f32> = (0..1440)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state as f32 / u32::MAX as f32 - 0.5
            })
            .collect();
        assert_eq!(shorten(&mut noise, LONGEST, false), 0);
        assert!(shorten(&mut noise, LONGEST, true) > 0, "unless it must");
    }

    #[test]
    fn too_little_sound_is_left_as_it_is() {
        let mut little = vec![0.0; 200];
        assert_eq!(shorten(&mut little, LONGEST, true), 0);
        assert_eq!(lengthen(&[], &mut little), 0);
        assert_eq!(little.len(), 200);
    }
}
