//! Cameras: devices, clips, and a made-up scene, behind one trait.

mod clip;
mod sampling;
pub mod scene;
#[cfg(target_os = "linux")]
mod v4l2;

use crate::picture::Picture;
use crate::sound::Device;
use crate::source::Source;

pub use clip::Clip;

/// Something that gives pictures.
pub trait Camera: Send {
    /// Waits for the next picture, at most about a second.
    ///
    /// # Errors
    /// [`CameraError`]: there will be no more pictures.
    fn read(&mut self) -> Result<Picture, CameraError>;

    /// Whether it says itself how many pictures a second it gives. A clip may not; it is shown at the usual rate then.
    fn has_own_rate(&self) -> bool {
        true
    }
}

/// Why there is no picture; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CameraError {
    /// A clip that cannot be read.
    #[error("The clip {path} cannot be used: {why}.")]
    Clip {
        /// Which.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// No such device.
    #[error("There is no camera{}.", .0.as_ref().map_or_else(String::new, |name| format!(" named “{name}”")))]
    NotFound(Option<String>),
    /// The device does not work.
    #[error("The camera cannot be used: {0}.")]
    Device(String),
}

/// A device that is opened when the first picture is read from it: it may take its time.
struct LazyDevice {
    id: Option<String>,
    opened: Option<Box<dyn Camera>>,
}

impl Camera for LazyDevice {
    fn read(&mut self) -> Result<Picture, CameraError> {
        match &mut self.opened {
            Some(camera) => camera.read(),
            None => self.opened.insert(open_device(self.id.as_deref())?).read(),
        }
    }
}

/// Opens a camera; `None` for [`Source::Off`]. Whether a device works is seen when a picture is read from it.
///
/// # Errors
/// [`CameraError`]: a clip that cannot be used.
pub fn open(source: &Source) -> Result<Option<Box<dyn Camera>>, CameraError> {
    Ok(match source {
        Source::Off => None,
        Source::Test => Some(Box::new(scene::Scene::default())),
        Source::File(path) => Some(Box::new(Clip::open(path)?)),
        Source::Device(id) => Some(Box::new(LazyDevice {
            id: id.clone(),
            opened: None,
        })),
    })
}

#[cfg(target_os = "linux")]
fn open_device(id: Option<&str>) -> Result<Box<dyn Camera>, CameraError> {
    Ok(Box::new(v4l2::Webcam::open(id)?))
}

#[cfg(not(target_os = "linux"))]
fn open_device(_: Option<&str>) -> Result<Box<dyn Camera>, CameraError> {
    Err(CameraError::Device(
        "cameras are supported on Linux only, so far".into(),
    ))
}

/// The cameras that are there. It takes as long as they take to say what they are.
pub(crate) fn devices() -> Vec<Device> {
    #[cfg(target_os = "linux")]
    return v4l2::devices();
    #[cfg(not(target_os = "linux"))]
    return Vec::new();
}
