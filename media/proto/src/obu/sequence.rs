//! The sequence header (AV1 specification, section 5.5), as far as our encoders use it: what else one could ask of a
//! decoder cannot be said here.

use super::bits::{BitReader, BitWriter};

/// The largest picture that is sent or shown: 1280×720 pixels.
pub const MAX_PIXELS: u32 = 1280 * 720;

/// The shortest side of a picture, pixels: what is smaller shows nothing.
pub const MIN_SIDE: u32 = 16;

/// The longest side of a picture, pixels: a tile is no wider (`MAX_TILE_WIDTH`, section 3), and ours are one tile.
pub const MAX_SIDE: u32 = 4096;

/// Bits in which a side is written: enough for [`MAX_SIDE`].
const SIDE_BITS: u32 = 12;

/// Operating points that libaom names, one for each temporal layer; all of them are decoded.
const MAX_OPERATING_POINTS: u32 = 2;

/// Whether a picture may have these sides.
#[must_use]
pub fn is_size(width: u32, height: u32) -> bool {
    let sides = MIN_SIDE..=MAX_SIDE;
    sides.contains(&width) && sides.contains(&height) && width * height <= MAX_PIXELS
}

/// A sequence of pictures in main profile: 8 bits, 4:2:0, one layer as far as the decoder is told, no film grain, no
/// scaled pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceHeader {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    level: u32,
    pub(super) use_128x128_superblock: bool,
    enable_filter_intra: bool,
    enable_intra_edge_filter: bool,
    enable_interintra_compound: bool,
    enable_masked_compound: bool,
    enable_warped_motion: bool,
    enable_dual_filter: bool,
    pub(super) order_hint: Option<OrderHint>,
    /// `None` where each frame says it.
    pub(super) screen_content_tools: Option<bool>,
    /// `None` where each frame says it.
    pub(super) integer_mv: Option<bool>,
    enable_cdef: bool,
    enable_restoration: bool,
    separate_uv_delta_q: bool,
}

/// How frames say in which order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrderHint {
    pub bits: u32,
    enable_jnt_comp: bool,
    pub enable_ref_frame_mvs: bool,
}

impl SequenceHeader {
    /// Reads the payload of a sequence header; `None` when it asks for anything that our encoders do not.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let mut bits = BitReader::new(payload);
        let bits = &mut bits;
        let profile = bits.bits(3)?;
        let (still_picture, reduced_header, timing_info) = (bits.flag()?, bits.flag()?, bits.flag()?);
        let initial_display_delay = bits.flag()?;
        if profile != 0 || still_picture || reduced_header || timing_info || initial_display_delay {
            return None;
        }
        let level = read_operating_points(bits)?;
        let (width_bits, height_bits) = (bits.bits(4)? + 1, bits.bits(4)? + 1);
        let (width, height) = (bits.bits(width_bits)? + 1, bits.bits(height_bits)? + 1);
        let frame_id_numbers = bits.flag()?;
        if !is_size(width, height) || frame_id_numbers {
            return None;
        }
        let use_128x128_superblock = bits.flag()?;
        let (enable_filter_intra, enable_intra_edge_filter) = (bits.flag()?, bits.flag()?);
        let (enable_interintra_compound, enable_masked_compound) = (bits.flag()?, bits.flag()?);
        let (enable_warped_motion, enable_dual_filter) = (bits.flag()?, bits.flag()?);
        let order_hint_tools = match bits.flag()? {
            true => Some((bits.flag()?, bits.flag()?)),
            false => None,
        };
        let screen_content_tools = read_choice(bits)?;
        let integer_mv = match screen_content_tools {
            Some(false) => None,
            _ => read_choice(bits)?,
        };
        let order_hint = match order_hint_tools {
            Some((enable_jnt_comp, enable_ref_frame_mvs)) => Some(OrderHint {
                bits: bits.bits(3)? + 1,
                enable_jnt_comp,
                enable_ref_frame_mvs,
            }),
            None => None,
        };
        let enable_superres = bits.flag()?;
        let (enable_cdef, enable_restoration) = (bits.flag()?, bits.flag()?);
        let separate_uv_delta_q = read_colour(bits)?;
        let film_grain = bits.flag()?;
        if enable_superres || film_grain || !bits.is_at_trailing_bits() {
            return None;
        }
        Some(Self {
            width,
            height,
            level,
            use_128x128_superblock,
            enable_filter_intra,
            enable_intra_edge_filter,
            enable_interintra_compound,
            enable_masked_compound,
            enable_warped_motion,
            enable_dual_filter,
            order_hint,
            screen_content_tools,
            integer_mv,
            enable_cdef,
            enable_restoration,
            separate_uv_delta_q,
        })
    }

    /// The payload of this header, the same for the same header.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bits = BitWriter::default();
        // Main profile, no still picture, no reduced header, no timing, no display delay.
        bits.bits(0, 3 + 4);
        // One operating point, of everything.
        bits.bits(0, 5 + 12);
        bits.bits(self.level, 5);
        if self.level > LAST_LEVEL_WITHOUT_TIER {
            bits.flag(false);
        }
        bits.bits(SIDE_BITS - 1, 4);
        bits.bits(SIDE_BITS - 1, 4);
        bits.bits(self.width - 1, SIDE_BITS);
        bits.bits(self.height - 1, SIDE_BITS);
        // No frame ids.
        bits.flag(false);
        bits.flag(self.use_128x128_superblock);
        bits.flag(self.enable_filter_intra);
        bits.flag(self.enable_intra_edge_filter);
        bits.flag(self.enable_interintra_compound);
        bits.flag(self.enable_masked_compound);
        bits.flag(self.enable_warped_motion);
        bits.flag(self.enable_dual_filter);
        bits.flag(self.order_hint.is_some());
        if let Some(order_hint) = self.order_hint {
            bits.flag(order_hint.enable_jnt_comp);
            bits.flag(order_hint.enable_ref_frame_mvs);
        }
        write_choice(&mut bits, self.screen_content_tools);
        if self.screen_content_tools != Some(false) {
            write_choice(&mut bits, self.integer_mv);
        }
        if let Some(order_hint) = self.order_hint {
            bits.bits(order_hint.bits - 1, 3);
        }
        // No scaled pictures.
        bits.flag(false);
        bits.flag(self.enable_cdef);
        bits.flag(self.enable_restoration);
        // 8 bits, with colour, of which nothing is described: limited range, samples anywhere.
        bits.bits(0, 4 + 2);
        bits.flag(self.separate_uv_delta_q);
        // No film grain.
        bits.flag(false);
        bits.finish()
    }
}

/// `seq_level_idx` up to which there is no `seq_tier` (section 5.5.1).
const LAST_LEVEL_WITHOUT_TIER: u32 = 7;

/// The level of the first operating point, which is that of everything.
fn read_operating_points(bits: &mut BitReader<'_>) -> Option<u32> {
    let count = bits.bits(5)? + 1;
    if count > MAX_OPERATING_POINTS {
        return None;
    }
    let mut first = None;
    for _ in 0..count {
        let _idc = bits.bits(12)?;
        let level = bits.bits(5)?;
        let is_high_tier = level > LAST_LEVEL_WITHOUT_TIER && bits.flag()?;
        if is_high_tier {
            return None;
        }
        first = first.or(Some(level));
    }
    first
}

/// `seq_choose_…` and, if it is not for each frame to say, `seq_force_…`.
fn read_choice(bits: &mut BitReader<'_>) -> Option<Option<bool>> {
    Some(if bits.flag()? { None } else { Some(bits.flag()?) })
}

fn write_choice(bits: &mut BitWriter, choice: Option<bool>) {
    bits.flag(choice.is_none());
    if let Some(choice) = choice {
        bits.flag(choice);
    }
}

/// `color_config()` of main profile (section 5.5.2). Returns `separate_uv_delta_q`.
fn read_colour(bits: &mut BitReader<'_>) -> Option<bool> {
    let (high_bitdepth, mono_chrome, described) = (bits.flag()?, bits.flag()?, bits.flag()?);
    let (full_range, sample_position) = (bits.flag()?, bits.bits(2)?);
    let is_usual = !high_bitdepth && !mono_chrome && !described && !full_range && sample_position == 0;
    is_usual.then_some(bits.flag()?)
}
