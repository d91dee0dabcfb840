//! Pictures converted by the graphics processor. The only `unsafe` of this crate: calls to OpenGL, made on the
//! window's thread with its context current, on objects that were made here and are deleted with [`Textures`].
#![allow(unsafe_code, reason = "OpenGL has no safe interface")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui::{PaintCallback, Rect};
use eframe::{egui_glow, glow};
use glow::HasContext;

use super::{Fit, Latest, Source};

/// A quad over the whole viewport, without buffers: four corners, by their number.
const VERTEX: &str = "
out vec2 at;
void main() {
    vec2 corner = vec2(float(gl_VertexID % 2), float(gl_VertexID / 2));
    at = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}";

/// BT.601, limited range (ITU-R BT.601-7, 2.5), and corners that are rounded by the distance to them.
const FRAGMENT: &str = "
in vec2 at;
out vec4 colour;
uniform sampler2D luma;
uniform sampler2D blue;
uniform sampler2D red;
uniform vec4 seen;
uniform vec2 size;
uniform float radius;
void main() {
    vec2 from = seen.xy + at * seen.zw;
    float y = 1.164 * (texture(luma, from).r - 0.0627);
    float u = texture(blue, from).r - 0.502;
    float v = texture(red, from).r - 0.502;
    vec2 corner = abs(at - 0.5) * size - size * 0.5 + radius;
    float beyond = length(max(corner, 0.0)) - radius;
    float cover = clamp(0.5 - beyond, 0.0, 1.0);
    colour = vec4(y + 1.596 * v, y - 0.813 * v - 0.392 * u, y + 2.017 * u, 1.0) * cover;
}";

/// The planes of one source's latest picture.
struct Planes {
    serial: u64,
    size: [usize; 2],
    textures: [glow::Texture; 3],
}

/// The program, and three textures for each source.
pub struct Textures {
    gl: Arc<glow::Context>,
    program: glow::Program,
    vertices: glow::VertexArray,
    planes: Mutex<HashMap<Source, Planes>>,
}

impl Textures {
    /// `None` where the context is too old for it.
    pub fn new(gl: Arc<glow::Context>) -> Option<Self> {
        let version = egui_glow::ShaderVersion::get(&gl);
        if !version.is_new_shader_interface() {
            return None;
        }
        let head = format!("{}\nprecision mediump float;\n", version.version_declaration());
        // SAFETY: the context is current: eframe has just made it.
        unsafe {
            let program = link(&gl, &head)?;
            let vertices = gl.create_vertex_array().ok()?;
            gl.use_program(Some(program));
            for (unit, name) in ["luma", "blue", "red"].iter().enumerate() {
                let location = gl.get_uniform_location(program, name);
                gl.uniform_1_i32(location.as_ref(), unit as i32);
            }
            gl.use_program(None);
            Some(Self {
                gl,
                program,
                vertices,
                planes: Mutex::default(),
            })
        }
    }

    /// Keeps the textures of these sources only.
    pub fn retain(&self, has: impl Fn(&Source) -> bool) {
        let mut planes = self.planes.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, gone) in planes.extract_if(|source, _| !has(source)) {
            for texture in gone.textures {
                // SAFETY: the window calls this while it draws, with the context current.
                unsafe { self.gl.delete_texture(texture) };
            }
        }
    }

    fn paint(&self, latest: &Latest, source: &Source, seen: Rect, fit: Fit, size: [f32; 2]) {
        let gl = &self.gl;
        let mut planes = self.planes.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: egui calls this while it paints, with the context current.
        unsafe {
            let Some(textures) = self.upload(&mut planes, latest, source) else {
                return;
            };
            gl.use_program(Some(self.program));
            gl.bind_vertex_array(Some(self.vertices));
            for (unit, texture) in (glow::TEXTURE0..).zip(textures) {
                gl.active_texture(unit);
                gl.bind_texture(glow::TEXTURE_2D, Some(texture));
            }
            let set = |name: &str, values: &[f32]| {
                let location = gl.get_uniform_location(self.program, name);
                match *values {
                    [a] => gl.uniform_1_f32(location.as_ref(), a),
                    [a, b] => gl.uniform_2_f32(location.as_ref(), a, b),
                    [a, b, c, d] => gl.uniform_4_f32(location.as_ref(), a, b, c, d),
                    _ => {}
                }
            };
            let (left, width) = if fit.mirrored {
                (seen.max.x, -seen.width())
            } else {
                (seen.min.x, seen.width())
            };
            set("seen", &[left, seen.min.y, width, seen.height()]);
            set("size", &size);
            set("radius", &[fit.radius]);
            gl.draw_arrays(glow::TRIANGLE_STRIP, 0, 4);
            gl.active_texture(glow::TEXTURE0);
            gl.bind_vertex_array(None);
        }
    }

    /// Brings a source's textures up to date.
    ///
    /// # Safety
    /// The context must be current.
    unsafe fn upload(
        &self,
        planes: &mut HashMap<Source, Planes>,
        latest: &Latest,
        source: &Source,
    ) -> Option<[glow::Texture; 3]> {
        let size @ [width, height] = latest.picture.size();
        let known = planes
            .get(source)
            .map(|known| (known.serial, known.size, known.textures));
        if let Some((serial, _, textures)) = known
            && serial == latest.serial
        {
            return Some(textures);
        }
        let gl = &self.gl;
        // SAFETY: as the caller promises; each plane holds as many bytes as its size says, which is checked.
        unsafe {
            let textures = match known {
                Some((_, _, textures)) => textures,
                None => [make_texture(gl)?, make_texture(gl)?, make_texture(gl)?],
            };
            let is_same_size = known.is_some_and(|(_, before, _)| before == size);
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            let half = [width.div_ceil(2), height.div_ceil(2)];
            for ((texture, plane), [width, height]) in textures
                .into_iter()
                .zip(latest.picture.planes())
                .zip([size, half, half])
            {
                if plane.len() < width * height {
                    return None;
                }
                gl.bind_texture(glow::TEXTURE_2D, Some(texture));
                let (width, height) = (width as i32, height as i32);
                let data = glow::PixelUnpackData::Slice(Some(plane));
                if is_same_size {
                    let (format, kind) = (glow::RED, glow::UNSIGNED_BYTE);
                    gl.tex_sub_image_2d(glow::TEXTURE_2D, 0, 0, 0, width, height, format, kind, data);
                } else {
                    let (inside, format, kind) = (glow::R8 as i32, glow::RED, glow::UNSIGNED_BYTE);
                    gl.tex_image_2d(glow::TEXTURE_2D, 0, inside, width, height, 0, format, kind, data);
                }
            }
            let serial = latest.serial;
            planes.insert(
                source.clone(),
                Planes {
                    serial,
                    size,
                    textures,
                },
            );
            Some(textures)
        }
    }
}

impl Drop for Textures {
    fn drop(&mut self) {
        let planes = self.planes.get_mut().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the window drops its view while its context is current.
        unsafe {
            for texture in planes.values().flat_map(|planes| planes.textures) {
                self.gl.delete_texture(texture);
            }
            self.gl.delete_vertex_array(self.vertices);
            self.gl.delete_program(self.program);
        }
    }
}

/// A shape that draws the picture when egui comes to it.
pub fn callback(
    textures: &Arc<Textures>,
    latest: Latest,
    source: &Source,
    place: Rect,
    seen: Rect,
    fit: Fit,
) -> PaintCallback {
    let (textures, source) = (Arc::clone(textures), source.clone());
    let draw = egui_glow::CallbackFn::new(move |info, _| {
        let viewport = info.viewport_in_pixels();
        let size = [viewport.width_px as f32, viewport.height_px as f32];
        let in_pixels = Fit {
            radius: fit.radius * info.pixels_per_point,
            ..fit
        };
        textures.paint(&latest, &source, seen, in_pixels, size);
    });
    PaintCallback {
        rect: place,
        callback: Arc::new(draw),
    }
}

/// # Safety
/// The context must be current.
unsafe fn link(gl: &glow::Context, head: &str) -> Option<glow::Program> {
    // SAFETY: as the caller promises.
    unsafe {
        let program = gl.create_program().ok()?;
        for (kind, text) in [(glow::VERTEX_SHADER, VERTEX), (glow::FRAGMENT_SHADER, FRAGMENT)] {
            let shader = gl.create_shader(kind).ok()?;
            gl.shader_source(shader, &format!("{head}{text}"));
            gl.compile_shader(shader);
            gl.attach_shader(program, shader);
            // It lives for as long as the program does.
            gl.delete_shader(shader);
        }
        gl.link_program(program);
        gl.get_program_link_status(program).then_some(program)
    }
}

/// # Safety
/// The context must be current.
unsafe fn make_texture(gl: &glow::Context) -> Option<glow::Texture> {
    // SAFETY: as the caller promises.
    unsafe {
        let texture = gl.create_texture().ok()?;
        gl.bind_texture(glow::TEXTURE_2D, Some(texture));
        for (name, value) in [
            (glow::TEXTURE_MIN_FILTER, glow::LINEAR),
            (glow::TEXTURE_MAG_FILTER, glow::LINEAR),
            (glow::TEXTURE_WRAP_S, glow::CLAMP_TO_EDGE),
            (glow::TEXTURE_WRAP_T, glow::CLAMP_TO_EDGE),
        ] {
            gl.tex_parameter_i32(glow::TEXTURE_2D, name, value as i32);
        }
        Some(texture)
    }
}
