//! Moving pictures: the latest of each participant, and how they get onto the screen. Where the window has an
//! OpenGL context the planes go to it as they are and a shader converts them (`gl.rs`); elsewhere, as in tests,
//! the processor does (`cpu.rs`).

mod cpu;
mod gl;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eframe::egui::{Rect, Ui, Vec2, pos2, vec2};
use eframe::glow;

use crate::model::PersonId;

/// A picture in I420: 8 bits, limited range, BT.601, no padding.
pub trait Picture: Send + Sync {
    /// Width and height of the luma plane, pixels.
    fn size(&self) -> [usize; 2];
    /// Y, U, V; the last two at half the size, rounded up.
    fn planes(&self) -> [&[u8]; 3];
}

/// Whose picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// This participant's own.
    Own,
    /// What a member's camera sees.
    Camera(PersonId),
    /// A screen that a member shares.
    Screen(PersonId),
}

/// The latest picture of each source: written by decoders and the camera, read by the window.
#[derive(Default)]
pub struct Pictures(Mutex<HashMap<Source, Latest>>);

/// A source's latest picture, with its sequence number within that source.
#[derive(Clone)]
pub(crate) struct Latest {
    serial: u64,
    picture: Arc<dyn Picture>,
}

impl Pictures {
    /// Puts in a newer picture.
    pub fn put(&self, source: Source, picture: Arc<dyn Picture>) {
        let mut latest = self.lock();
        let serial = latest.get(&source).map_or(0, |old| old.serial + 1);
        latest.insert(source, Latest { serial, picture });
    }

    /// Takes a source's picture away.
    pub fn remove(&self, source: &Source) {
        self.lock().remove(source);
    }

    /// Takes all away.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn get(&self, source: &Source) -> Option<Latest> {
        self.lock().get(source).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Source, Latest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a picture is laid into its place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fit {
    /// Left and right exchanged, as in a mirror.
    pub mirrored: bool,
    /// The corners' radius, points.
    pub radius: f32,
}

/// Draws pictures.
pub struct Canvas {
    pictures: Arc<Pictures>,
    surface: Surface,
}

enum Surface {
    Gl(Arc<gl::Textures>),
    Cpu(cpu::Textures),
}

impl Canvas {
    /// Draws with `context`, or without one by the processor.
    #[must_use]
    pub fn new(pictures: Arc<Pictures>, context: Option<Arc<glow::Context>>) -> Self {
        let textures = context.and_then(gl::Textures::new);
        Self {
            pictures,
            surface: textures.map_or_else(
                || Surface::Cpu(cpu::Textures::default()),
                |textures| Surface::Gl(Arc::new(textures)),
            ),
        }
    }

    /// Lets go of what belongs to sources that have no picture any more.
    pub fn forget_absent(&mut self) {
        let pictures = self.pictures.lock();
        let has = |source: &Source| pictures.contains_key(source);
        match &mut self.surface {
            Surface::Gl(textures) => textures.retain(has),
            Surface::Cpu(textures) => textures.retain(has),
        }
    }

    /// Draws the latest picture of `source` into `place`, filling it: what is too wide or too high is cut off
    /// evenly, by a quarter at most; beyond that bars are left. False when there is none.
    pub fn draw(&mut self, ui: &Ui, place: Rect, source: &Source, fit: Fit) -> bool {
        let Some(latest) = self.pictures.get(source) else {
            return false;
        };
        let [width, height] = latest.picture.size();
        let (place, seen) = lay(vec2(width as f32, height as f32), place);
        match &mut self.surface {
            Surface::Gl(textures) => ui
                .painter()
                .add(gl::callback(textures, latest, source, place, seen, fit)),
            Surface::Cpu(textures) => {
                ui.painter()
                    .add(textures.shape(ui.ctx(), &latest, source, place, seen, fit))
            }
        };
        true
    }
}

/// The most that is cut off a picture to fill its place, of its width or height.
const MAX_CUT: f32 = 0.25;

/// Where a picture of `size` goes in `place`, and the part of it that is seen (0 to 1 both ways).
fn lay(size: Vec2, place: Rect) -> (Rect, Rect) {
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let (picture, window) = (size.x / size.y.max(1.0), place.width() / place.height().max(1.0));
    let share = (picture / window).min(window / picture);
    if !(share.is_finite() && share > 0.0) {
        return (place, whole);
    }
    // What is cut off as far as allowed, and then made narrower than its place.
    let kept = share.max(1.0 - MAX_CUT);
    let used = share / kept;
    let (seen, place_share) = if picture > window {
        (vec2(kept, 1.0), vec2(1.0, used))
    } else {
        (vec2(1.0, kept), vec2(used, 1.0))
    };
    (
        Rect::from_center_size(place.center(), place.size() * place_share),
        Rect::from_center_size(whole.center(), seen),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_fills_its_place_and_keeps_its_proportions() {
        let place = |width, height| Rect::from_min_size(pos2(10.0, 20.0), vec2(width, height));
        for (size, room) in [
            (vec2(640.0, 360.0), place(320.0, 180.0)),
            (vec2(640.0, 360.0), place(240.0, 180.0)),
            (vec2(640.0, 360.0), place(100.0, 400.0)),
            (vec2(360.0, 640.0), place(320.0, 180.0)),
            (vec2(16.0, 16.0), place(900.0, 20.0)),
        ] {
            let (drawn, seen) = lay(size, room);
            assert!(
                room.expand(0.01).contains_rect(drawn),
                "{size} in {room}: {drawn}"
            );
            assert!(seen.width() >= 0.749 && seen.height() >= 0.749, "{seen}");
            let shown = size * seen.size();
            let distortion = (shown.x / shown.y) / (drawn.width() / drawn.height());
            assert!((distortion - 1.0).abs() < 1e-3, "{size} in {room}: {distortion}");
        }
        assert_eq!(
            lay(vec2(640.0, 360.0), place(320.0, 180.0)).0,
            place(320.0, 180.0)
        );
    }
}
