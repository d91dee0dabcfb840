//! Cameras: devices, clips, and a made-up scene, behind one trait.

mod clip;
mod sampling;
pub mod scene;
#[cfg(target_os = "linux")]
mod v4l2;

use crate::picture::Picture;
use crate::source::Source;

pub use clip::Clip;

/// Something that gives pictures.
pub trait Camera: Send {
    /// Waits for the next picture, at most about a second.
    ///
    /// # Errors
    /// [`CameraError`]: there will be no more pictures.
    fn read(&mut self) -> Result<Picture, CameraError>;
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

/// Opens a camera; `None` for [`Source::Off`].
///
/// # Errors
/// [`CameraError`].
pub fn open(source: &Source) -> Result<Option<Box<dyn Camera>>, CameraError> {
    Ok(match source {
        Source::Off => None,
        Source::Test => Some(Box::new(scene::Scene::default())),
        Source::File(path) => Some(Box::new(Clip::open(path)?)),
        Source::Device(name) => Some(open_device(name.as_deref())?),
    })
}

#[cfg(target_os = "linux")]
fn open_device(name: Option<&str>) -> Result<Box<dyn Camera>, CameraError> {
    Ok(Box::new(v4l2::Webcam::open(name)?))
}

#[cfg(not(target_os = "linux"))]
fn open_device(_: Option<&str>) -> Result<Box<dyn Camera>, CameraError> {
    Err(CameraError::Device(
        "cameras are supported on Linux only, so far".into(),
    ))
}

/// The names of the cameras that are there.
#[must_use]
pub fn names() -> Vec<String> {
    #[cfg(target_os = "linux")]
    return v4l2::names();
    #[cfg(not(target_os = "linux"))]
    return Vec::new();
}
