//! What an encoder's pictures build on: the last picture, and one that is kept for longer.

use sightline_media_proto::rate_control::FrameRole;

use crate::picture::Picture;

/// 30 pictures that others build on, two seconds: after so many one is kept as a second reference, because what is
/// covered and uncovered again is found there (0.05 dB on a clip that never repeats, 0.5 on one that does).
const KEPT: u32 = 30;

/// Every fourth row is looked at: the sizes of pictures are foretold as well as from all rows.
const EVERY: usize = 4;

/// Some rows of a picture's luma, by which it is told how much has changed.
#[derive(Clone, Debug)]
pub struct Sample(Vec<u8>);

impl Sample {
    /// Of a picture.
    pub fn of(picture: &Picture) -> Self {
        let [luma, ..] = picture.planes();
        let rows = luma.chunks_exact(picture.size.width as usize).step_by(EVERY);
        let mut sample = Vec::with_capacity(luma.len().div_ceil(EVERY));
        for row in rows {
            sample.extend_from_slice(row);
        }
        Self(sample)
    }

    /// The mean absolute difference from a picture of the same size, 0 to 255.
    fn difference(&self, other: &Self) -> f64 {
        let pixels = self.0.iter().zip(&other.0);
        let sum: u64 = pixels.map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
        sum as f64 / self.0.len().max(1) as f64
    }
}

/// The two pictures that the next one may build on.
#[derive(Debug, Default)]
pub struct References {
    /// The last one and the kept one; none before the first picture.
    samples: Option<[Sample; 2]>,
    /// Pictures that others build on since one was kept.
    since_kept: u32,
}

impl References {
    /// Whether there is nothing yet to build on.
    pub const fn is_empty(&self) -> bool {
        self.samples.is_none()
    }

    /// Whether the next picture of this class is to be kept.
    pub fn keeps_next(&self, class: FrameRole) -> bool {
        class == FrameRole::Base && self.since_kept >= KEPT
    }

    /// How much a picture differs from the nearest one that it may build on.
    pub fn difference(&self, sample: &Sample) -> f64 {
        let differences = self
            .samples
            .iter()
            .flatten()
            .map(|other| sample.difference(other));
        differences.reduce(f64::min).unwrap_or_default()
    }

    /// A picture was encoded; a key frame takes every place.
    pub fn handle_encoded(&mut self, sample: Sample, class: FrameRole) {
        let keeps = self.keeps_next(class);
        match (class, &mut self.samples) {
            (FrameRole::Enhancement, _) => {}
            (FrameRole::Base, Some([last, _])) if !keeps => {
                *last = sample;
                self.since_kept += 1;
            }
            (FrameRole::Key | FrameRole::Base, samples) => {
                *samples = Some([sample.clone(), sample]);
                self.since_kept = 0;
            }
        }
    }
}
