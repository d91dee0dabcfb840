//! Pictures converted by the processor, for windows without OpenGL and for tests.

use std::collections::HashMap;

use eframe::egui::epaint::RectShape;
use eframe::egui::{
    Color32, ColorImage, Context, CornerRadius, Rect, Shape, TextureHandle, TextureOptions, pos2,
};

use super::{Fit, Latest, Picture, Source};

/// A texture for each source.
#[derive(Default)]
pub struct Textures(HashMap<Source, (u64, TextureHandle)>);

impl Textures {
    /// Keeps the textures of these sources only.
    pub fn retain(&mut self, has: impl Fn(&Source) -> bool) {
        self.0.retain(|source, _| has(source));
    }

    /// The picture as a shape, its texture brought up to date.
    pub fn shape(
        &mut self,
        ctx: &Context,
        latest: &Latest,
        source: &Source,
        place: Rect,
        seen: Rect,
        fit: Fit,
    ) -> Shape {
        let options = TextureOptions::LINEAR;
        let (serial, texture) = self.0.entry(source.clone()).or_insert_with(|| {
            let image = convert(&*latest.picture);
            (latest.serial, ctx.load_texture("picture", image, options))
        });
        if *serial != latest.serial {
            *serial = latest.serial;
            texture.set(convert(&*latest.picture), options);
        }
        let uv = if fit.mirrored {
            Rect::from_min_max(pos2(seen.max.x, seen.min.y), pos2(seen.min.x, seen.max.y))
        } else {
            seen
        };
        let radius = CornerRadius::same(fit.radius as u8);
        RectShape::filled(place, radius, Color32::WHITE)
            .with_texture(texture.id(), uv)
            .into()
    }
}

/// BT.601, limited range, in sixteenths of bits (ITU-R BT.601-7, 2.5.1 and 2.5.2).
fn convert(picture: &dyn Picture) -> ColorImage {
    let [width, height] = picture.size();
    let [y, u, v] = picture.planes();
    let chroma = width.div_ceil(2);
    let pixel = |at: usize| {
        let (row, column) = (at / width, at % width);
        let colour = row / 2 * chroma + column / 2;
        let sample = |plane: &[u8], at: usize| plane.get(at).map_or(128, |value| i32::from(*value));
        let luma = 76_309 * (sample(y, at) - 16);
        let (u, v) = (sample(u, colour) - 128, sample(v, colour) - 128);
        let level = |value: i32| (value >> 16).clamp(0, 255) as u8;
        Color32::from_rgb(
            level(luma + 104_597 * v),
            level(luma - 53_279 * v - 25_675 * u),
            level(luma + 132_201 * u),
        )
    };
    ColorImage::new([width, height], (0..width * height).map(pixel).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain([u8; 3]);

    impl Picture for Plain {
        fn size(&self) -> [usize; 2] {
            [1, 1]
        }

        fn planes(&self) -> [&[u8]; 3] {
            let [y, u, v] = &self.0;
            [y, u, v].map(std::slice::from_ref)
        }
    }

    #[test]
    fn colours_are_those_of_bt_601() {
        // White, black, and the primaries at 75 % (the values of SMPTE's colour bars).
        for (yuv, rgb) in [
            ([235, 128, 128], [255, 255, 255]),
            ([16, 128, 128], [0, 0, 0]),
            ([65, 100, 212], [191, 0, 0]),
            ([112, 72, 58], [0, 191, 0]),
            ([35, 212, 114], [0, 0, 191]),
        ] {
            let [r, g, b, _] = convert(&Plain(yuv)).pixels[0].to_array();
            let distance = [r, g, b]
                .iter()
                .zip(rgb)
                .map(|(is, should)| is.abs_diff(should))
                .max();
            assert!(distance <= Some(2), "{yuv:?}: {r} {g} {b}");
        }
    }
}
