//! Photographs of a code, as a person would take them.

use fast_qr::ECL;
use fast_qr::qr::QRBuilder;
use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};

/// The code as a picture: each module so many pixels wide, on a grey wall.
#[must_use]
pub fn of(text: &str, module: u32) -> GrayImage {
    let code = QRBuilder::new(text)
        .ecl(ECL::M)
        .build()
        .expect("a code that fits");
    let quiet = 4 * module;
    let wall = 3 * module;
    let side = code.size as u32 * module + 2 * quiet + 2 * wall;
    GrayImage::from_fn(side, side, |x, y| {
        let inside = wall..side - wall;
        let at = |value: u32| {
            value
                .checked_sub(wall + quiet)
                .map(|value| (value / module) as usize)
        };
        match (at(x), at(y)) {
            _ if !(inside.contains(&x) && inside.contains(&y)) => Luma([140]),
            (Some(x), Some(y)) if x < code.size && y < code.size && code[y][x].value() => Luma([20]),
            _ => Luma([235]),
        }
    })
}

/// Turned by some degrees, about its middle.
#[must_use]
pub fn turned(picture: &GrayImage, degrees: f32) -> GrayImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let middle = picture.width() as f32 / 2.0;
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (dx, dy) = (x as f32 - middle, y as f32 - middle);
        let (from_x, from_y) = (middle + dx * cos + dy * sin, middle - dx * sin + dy * cos);
        let is_outside = from_x < 0.0 || from_y < 0.0;
        let pixel = picture
            .get_pixel_checked(from_x as u32, from_y as u32)
            .filter(|_| !is_outside);
        pixel.copied().unwrap_or(Luma([140]))
    })
}

/// Made smaller, as from further away.
#[must_use]
pub fn from_afar(picture: &GrayImage, side: u32) -> GrayImage {
    resize(picture, side, side, FilterType::Triangle)
}

/// The bytes of a file.
#[must_use]
pub fn file(picture: GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(picture)
        .write_to(&mut bytes, format)
        .expect("written");
    bytes.into_inner()
}
