//! Draws what egui gives out with the processor, the same on every machine: pictures to compare must not depend on
//! a graphics card or its driver.

use std::collections::HashMap;

use eframe::egui::epaint::{Mesh, Primitive, Vertex};
use eframe::egui::{
    Color32, Context, FullOutput, ImageData, Pos2, Rect, TextureFilter, TextureId, TextureOptions,
    TexturesDelta,
};
use egui_kittest::TestRenderer;
use image::{Rgba, RgbaImage};

struct Texture {
    size: [usize; 2],
    pixels: Vec<Color32>,
    options: TextureOptions,
}

/// The renderer.
#[derive(Default)]
pub struct Raster(HashMap<TextureId, Texture>);

impl TestRenderer for Raster {
    fn handle_delta(&mut self, delta: &TexturesDelta) {
        for (id, change) in &delta.set {
            let ImageData::Color(image) = &change.image;
            match change.pos {
                None => {
                    let texture = Texture {
                        size: image.size,
                        pixels: image.pixels.clone(),
                        options: change.options,
                    };
                    self.0.insert(*id, texture);
                }
                Some([x, y]) => {
                    let texture = self.0.get_mut(id).expect("a part of a known texture");
                    for (row, line) in image.pixels.chunks_exact(image.size[0]).enumerate() {
                        let at = (y + row) * texture.size[0] + x;
                        texture.pixels[at..at + line.len()].copy_from_slice(line);
                    }
                }
            }
        }
        for id in &delta.free {
            self.0.remove(id);
        }
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = output.pixels_per_point;
        let size = ctx.content_rect().size() * scale;
        let mut target = Target {
            width: size.x.round() as usize,
            height: size.y.round() as usize,
            pixels: Vec::new(),
        };
        target.pixels = vec![[0.0, 0.0, 0.0]; target.width * target.height];
        for clipped in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = &clipped.primitive else {
                return Err("only meshes can be drawn here".into());
            };
            let texture = self.0.get(&mesh.texture_id).ok_or("a texture is missing")?;
            target.draw(mesh, texture, clipped.clip_rect, scale);
        }
        let mut image = RgbaImage::new(target.width as u32, target.height as u32);
        for (pixel, colour) in image.pixels_mut().zip(&target.pixels) {
            let [r, g, b] = colour.map(|value| value.round().clamp(0.0, 255.0) as u8);
            *pixel = Rgba([r, g, b, 255]);
        }
        Ok(image)
    }
}

struct Target {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
}

impl Target {
    fn draw(&mut self, mesh: &Mesh, texture: &Texture, clip: Rect, scale: f32) {
        let clip = Rect::from_min_max(
            (clip.min.to_vec2() * scale).round().to_pos2(),
            (clip.max.to_vec2() * scale).round().to_pos2(),
        );
        for corners in mesh.indices.chunks_exact(3) {
            let corner = |n: usize| &mesh.vertices[corners[n] as usize];
            self.triangle([corner(0), corner(1), corner(2)], texture, clip, scale);
        }
    }

    fn triangle(&mut self, mut corners: [&Vertex; 3], texture: &Texture, clip: Rect, scale: f32) {
        let edge = |a: Pos2, b: Pos2, p: Pos2| (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
        let mut at = corners.map(|corner| corner.pos * scale);
        let mut area = edge(at[0], at[1], at[2]);
        if area < 0.0 {
            corners.swap(1, 2);
            at.swap(1, 2);
            area = -area;
        }
        if area <= 1e-9 {
            return;
        }
        let bounds = Rect::from_points(&at).intersect(clip);
        let range = |from: f32, to: f32, most: usize| {
            let from = (from - 0.5).ceil().max(0.0) as usize;
            from..((to - 0.5).floor() + 1.0).clamp(0.0, most as f32) as usize
        };
        // An edge that two triangles share belongs to one of them: the one above or to the left of it.
        let owns = |a: Pos2, b: Pos2| (a.y == b.y && b.x > a.x) || b.y < a.y;
        let shared = [owns(at[1], at[2]), owns(at[2], at[0]), owns(at[0], at[1])];
        for y in range(bounds.min.y, bounds.max.y, self.height) {
            for x in range(bounds.min.x, bounds.max.x, self.width) {
                let point = Pos2::new(x as f32 + 0.5, y as f32 + 0.5);
                let weights = [
                    edge(at[1], at[2], point),
                    edge(at[2], at[0], point),
                    edge(at[0], at[1], point),
                ];
                let is_inside = weights
                    .iter()
                    .zip(shared)
                    .all(|(weight, own)| *weight > 0.0 || (*weight == 0.0 && own));
                if is_inside {
                    let weights = weights.map(|weight| weight / area);
                    let colour = blend(corners, weights, texture);
                    let pixel = &mut self.pixels[y * self.width + x];
                    for (old, new) in pixel.iter_mut().zip(colour) {
                        // Colours are premultiplied.
                        *old = new + *old * (1.0 - colour[3] / 255.0);
                    }
                }
            }
        }
    }
}

/// The colour of a point in a triangle, 0 to 255 each, premultiplied.
fn blend(corners: [&Vertex; 3], weights: [f32; 3], texture: &Texture) -> [f32; 4] {
    let mut colour = [0.0; 4];
    let (mut u, mut v) = (0.0, 0.0);
    for (corner, weight) in corners.iter().zip(weights) {
        for (sum, value) in colour.iter_mut().zip(corner.color.to_array()) {
            *sum += weight * f32::from(value);
        }
        u += weight * corner.uv.x;
        v += weight * corner.uv.y;
    }
    let sample = texture.sample(u, v);
    std::array::from_fn(|n| colour[n] * sample[n] / 255.0)
}

impl Texture {
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let [width, height] = self.size;
        let pixel = |x: i64, y: i64| {
            let x = x.clamp(0, width as i64 - 1) as usize;
            let y = y.clamp(0, height as i64 - 1) as usize;
            self.pixels[y * width + x].to_array().map(f32::from)
        };
        if self.options.magnification == TextureFilter::Nearest {
            return pixel(
                (u * width as f32).floor() as i64,
                (v * height as f32).floor() as i64,
            );
        }
        let (x, y) = (u * width as f32 - 0.5, v * height as f32 - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (right_share, bottom_share) = (x - left, y - top);
        let (left, top) = (left as i64, top as i64);
        let corners = [
            pixel(left, top),
            pixel(left + 1, top),
            pixel(left, top + 1),
            pixel(left + 1, top + 1),
        ];
        std::array::from_fn(|n| {
            let upper = corners[0][n] + (corners[1][n] - corners[0][n]) * right_share;
            let lower = corners[2][n] + (corners[3][n] - corners[2][n]) * right_share;
            upper + (lower - upper) * bottom_share
        })
    }
}
