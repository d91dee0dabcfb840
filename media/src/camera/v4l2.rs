//! Cameras on Linux, through Video4Linux2.

use std::ffi::OsString;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use linuxvideo::format::{PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Fract};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Camera, CameraError};
use crate::picture::{MAX_PIXELS, Picture, Size};
use crate::sound::Device;

/// What is asked of a camera; it gives what comes nearest.
const WANTED: Size = Size {
    width: 640,
    height: 360,
};

/// A camera that gives no picture for this long is taken to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// A webcam that delivers YUYV or motion JPEG.
pub struct Webcam {
    stream: ReadStream,
    size: Size,
    format: PixelFormat,
}

impl Webcam {
    pub fn open(id: Option<&str>) -> Result<Self, CameraError> {
        let (_, device) = found()
            .into_iter()
            .find(|(device, _)| id.is_none_or(|id| device.id == id))
            .ok_or_else(|| CameraError::NotFound(id.map(str::to_owned)))?;
        Self::start(device).map_err(|error| CameraError::Device(error.to_string()))
    }

    fn start(device: linuxvideo::Device) -> io::Result<Self> {
        let formats: Vec<_> = device
            .formats(BufType::VIDEO_CAPTURE)
            .filter_map(Result::ok)
            .map(|format| format.pixel_format())
            .collect();
        let format = [PixelFormat::YUYV, PixelFormat::MJPG]
            .into_iter()
            .find(|format| formats.contains(format))
            .ok_or_else(|| io::Error::other("it offers neither YUYV nor motion JPEG"))?;
        let capture = device.video_capture(PixFormat::new(WANTED.width, WANTED.height, format))?;
        let given = capture.format();
        let size = Size::new(given.width(), given.height())
            .ok_or_else(|| io::Error::other("its pictures are too large (1280×720 at most)"))?;
        if given.pixel_format() != format {
            return Err(io::Error::other("it changed its format"));
        }
        // A camera that keeps its own rate is used at that.
        let _own_rate = capture.set_frame_interval(Fract::new(1, 30));
        Ok(Self {
            stream: capture.into_stream()?,
            size,
            format,
        })
    }
}

#[allow(clippy::disallowed_methods, reason = "a device's clock")]
impl Camera for Webcam {
    fn read(&mut self) -> Result<Picture, CameraError> {
        let gone = |why: &str| CameraError::Device(why.to_owned());
        let deadline = Instant::now() + PATIENCE;
        let (size, format) = (self.size, self.format);
        loop {
            if Instant::now() > deadline {
                return Err(gone("it gives no pictures any more"));
            }
            if self
                .stream
                .will_block()
                .map_err(|error| gone(&error.to_string()))?
            {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            }
            let captured = Instant::now();
            let picture = self
                .stream
                .dequeue(|buffer| {
                    let data = if buffer.is_error() {
                        None
                    } else {
                        convert(&buffer, size, format)
                    };
                    Ok(data.and_then(|data| Picture::new(size, data, captured)))
                })
                .map_err(|error| gone(&error.to_string()))?;
            if let Some(picture) = picture {
                return Ok(picture);
            }
        }
    }
}

fn convert(bytes: &[u8], size: Size, format: PixelFormat) -> Option<Vec<u8>> {
    if format == PixelFormat::YUYV {
        yuyv_to_i420(bytes, size)
    } else {
        jpeg_to_i420(bytes, size)
    }
}

/// YUYV: two pixels in four bytes, Y0 U Y1 V; colour of every second row is kept.
fn yuyv_to_i420(bytes: &[u8], size: Size) -> Option<Vec<u8>> {
    let (width, height) = (size.width as usize, size.height as usize);
    let rows = bytes.get(..width * 2 * height)?.chunks_exact(width * 2);
    let chroma = size.chroma();
    let mut planes = [
        Vec::with_capacity(size.area()),
        Vec::with_capacity(chroma.area()),
        Vec::with_capacity(chroma.area()),
    ];
    for (at, row) in rows.enumerate() {
        planes[0].extend(row.iter().step_by(2));
        if at % 2 == 0 {
            planes[1].extend(row.iter().skip(1).step_by(4));
            planes[2].extend(row.iter().skip(3).step_by(4));
        }
    }
    let data = planes.concat();
    (data.len() == size.area() + 2 * chroma.area()).then_some(data)
}

/// Motion JPEG: full-range YCbCr, brought to limited range (ITU-T T.871 and BT.601).
fn jpeg_to_i420(bytes: &[u8], size: Size) -> Option<Vec<u8>> {
    let options = DecoderOptions::default()
        .set_max_width(MAX_PIXELS as usize)
        .set_max_height(MAX_PIXELS as usize)
        .jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    if decoder.dimensions()? != (size.width as usize, size.height as usize) {
        return None;
    }
    let pixels = decoder.decode().ok()?;
    let width = size.width as usize;
    let mut planes = [Vec::new(), Vec::new(), Vec::new()];
    for (at, row) in pixels.chunks_exact(width * 3).enumerate() {
        planes[0].extend(
            row.iter()
                .step_by(3)
                .map(|y| (16 + u32::from(*y) * 219 / 255) as u8),
        );
        if at % 2 == 0 {
            let colour = |c: &u8| (16 + u32::from(*c) * 224 / 255) as u8;
            planes[1].extend(row.iter().skip(1).step_by(6).map(colour));
            planes[2].extend(row.iter().skip(2).step_by(6).map(colour));
        }
    }
    let data = planes.concat();
    (data.len() == size.area() + 2 * size.chroma().area()).then_some(data)
}

/// Devices that capture, with what they are called.
fn found() -> Vec<(Device, linuxvideo::Device)> {
    let mut found = Vec::<(Device, linuxvideo::Device)>::new();
    for device in linuxvideo::list().into_iter().flatten().filter_map(Result::ok) {
        let Ok(capabilities) = device.capabilities() else {
            continue;
        };
        let capabilities_of_node = capabilities.device_capabilities();
        if !capabilities_of_node.contains(CapabilityFlags::VIDEO_CAPTURE) {
            continue;
        }
        let others = found.iter().map(|(other, _)| &*other.id);
        let named = Device {
            id: unused_id(capabilities.bus_info(), others),
            name: capabilities.card().to_owned(),
            ..Device::default()
        };
        found.push((named, device));
    }
    found
}

/// Where a camera is plugged in, which stays the same; a second one that is made of the same hardware has a number.
fn unused_id<'a>(bus: &str, others: impl Iterator<Item = &'a str>) -> String {
    let of_the_same = others
        .filter(|other| other.strip_prefix(bus).is_some_and(is_number))
        .count();
    if of_the_same == 0 {
        bus.to_owned()
    } else {
        format!("{bus}#{}", of_the_same + 1)
    }
}

/// Whether this is what [`unused_id`] adds.
fn is_number(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('#')
}

/// The cameras that are there. Their nodes are opened only when the system's list of them has changed: opening one may
/// wake the camera.
pub fn devices() -> Vec<Device> {
    static KNOWN: Mutex<Option<(Vec<OsString>, Vec<Device>)>> = Mutex::new(None);
    let entries = std::fs::read_dir("/sys/class/video4linux")
        .into_iter()
        .flatten()
        .flatten();
    let mut nodes: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    nodes.sort();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some((before, devices)) if *before == nodes => devices.clone(),
        _ => {
            let devices: Vec<_> = found().into_iter().map(|(device, _)| device).collect();
            *known = Some((nodes, devices.clone()));
            devices
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuyv_keeps_each_pixels_brightness_and_every_second_rows_colour() {
        let size = Size {
            width: 16,
            height: 16,
        };
        let bytes: Vec<u8> = (0..16u8)
            .flat_map(|row| (0..8u8).flat_map(move |pair| [row, 100 + row, pair, 200 + row]))
            .collect();
        let data = yuyv_to_i420(&bytes, size).expect("the right size");
        assert_eq!(&data[..4], [0, 0, 0, 1]);
        assert_eq!(&data[16..20], [1, 0, 1, 1]);
        assert_eq!((data[256], data[256 + 8]), (100, 102));
        assert_eq!((data[256 + 64], data[256 + 64 + 8]), (200, 202));
        assert_eq!(yuyv_to_i420(&bytes[1..], size), None);
    }

    #[test]
    fn cameras_of_the_same_hardware_are_told_apart() {
        let mut ids = Vec::<String>::new();
        for bus in ["usb-1", "usb-1", "usb-10", "usb-1"] {
            let id = unused_id(bus, ids.iter().map(String::as_str));
            ids.push(id);
        }
        assert_eq!(ids, ["usb-1", "usb-1#2", "usb-10", "usb-1#3"]);
    }

    #[test]
    fn a_broken_jpeg_is_no_picture() {
        let size = Size {
            width: 16,
            height: 16,
        };
        for bytes in [
            &[][..],
            &[0xff, 0xd8],
            &[0xff, 0xd8, 0xff, 0xd9],
            b"not a picture",
        ] {
            assert_eq!(jpeg_to_i420(bytes, size), None);
        }
    }
}
