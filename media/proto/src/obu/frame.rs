//! The head of a frame (`uncompressed_header()`, AV1 specification, section 5.9.2), as far as it says what a frame costs:
//! that it is one picture, shown, of its sequence's size, in one tile.

use super::bits::BitReader;
use super::sequence::SequenceHeader;

/// `KEY_FRAME` and `INTER_FRAME` (section 6.8.2); our encoders make no other.
const KEY_FRAME: u32 = 0;
const INTER_FRAME: u32 = 1;

/// `REFS_PER_FRAME` (section 3).
const REFS_PER_FRAME: u32 = 7;

/// `NUM_REF_FRAMES` (section 3).
const NUM_REF_FRAMES: u32 = 8;

/// Reads the head of a frame. Returns whether it is a key frame; `None` when our encoders make no such frame.
pub fn read(payload: &[u8], sequence: &SequenceHeader) -> Option<bool> {
    let mut bits = BitReader::new(payload);
    let bits = &mut bits;
    let show_existing_frame = bits.flag()?;
    let frame_type = bits.bits(2)?;
    let show_frame = bits.flag()?;
    if show_existing_frame || !matches!(frame_type, KEY_FRAME | INTER_FRAME) || !show_frame {
        return None;
    }
    let is_key = frame_type == KEY_FRAME;
    let error_resilient_mode = is_key || bits.flag()?;
    let disable_cdf_update = bits.flag()?;
    let screen_content_tools = or_read(sequence.screen_content_tools, bits)?;
    let integer_mv = screen_content_tools && or_read(sequence.integer_mv, bits)?;
    let frame_size_override = bits.flag()?;
    if frame_size_override {
        return None;
    }
    let order_hint_bits = sequence.order_hint.map_or(0, |hint| hint.bits);
    let _order_hint = bits.bits(order_hint_bits)?;
    if !error_resilient_mode {
        let _primary_ref_frame = bits.bits(3)?;
    }
    if is_key {
        read_render_size(bits)?;
        let _allow_intrabc = screen_content_tools && bits.flag()?;
    } else {
        let _refresh_frame_flags = bits.bits(NUM_REF_FRAMES)?;
        if error_resilient_mode {
            skip(bits, NUM_REF_FRAMES * order_hint_bits)?;
        }
        read_references(bits, sequence)?;
        read_render_size(bits)?;
        let _allow_high_precision_mv = !integer_mv && bits.flag()?;
        read_interpolation_filter(bits)?;
        let _is_motion_mode_switchable = bits.flag()?;
        let may_use_ref_frame_mvs = sequence.order_hint.is_some_and(|hint| hint.enable_ref_frame_mvs);
        let _use_ref_frame_mvs = !error_resilient_mode && may_use_ref_frame_mvs && bits.flag()?;
    }
    let _disable_frame_end_update_cdf = disable_cdf_update || bits.flag()?;
    read_one_tile(bits, sequence)?;
    Some(is_key)
}

/// What the sequence says of all frames, or else the frame of itself.
fn or_read(forced: Option<bool>, bits: &mut BitReader<'_>) -> Option<bool> {
    forced.or_else(|| bits.flag())
}

fn skip(bits: &mut BitReader<'_>, count: u32) -> Option<()> {
    (0..count).try_for_each(|_| bits.flag().map(|_| ()))
}

/// `render_size()`: that of the picture, or it would be shown in another.
fn read_render_size(bits: &mut BitReader<'_>) -> Option<()> {
    let render_and_frame_size_different = bits.flag()?;
    (!render_and_frame_size_different).then_some(())
}

fn read_references(bits: &mut BitReader<'_>, sequence: &SequenceHeader) -> Option<()> {
    let frame_refs_short_signaling = sequence.order_hint.is_some() && bits.flag()?;
    let named = if frame_refs_short_signaling {
        2
    } else {
        REFS_PER_FRAME
    };
    skip(bits, 3 * named)
}

fn read_interpolation_filter(bits: &mut BitReader<'_>) -> Option<()> {
    let is_filter_switchable = bits.flag()?;
    skip(bits, if is_filter_switchable { 0 } else { 2 })
}

/// `tile_info()` (section 5.9.15) of one tile: spaced evenly, and no more of them than there have to be, which at these
/// sizes is one.
fn read_one_tile(bits: &mut BitReader<'_>, sequence: &SequenceHeader) -> Option<()> {
    let superblock = if sequence.use_128x128_superblock { 128 } else { 64 };
    let is_uniform = bits.flag()?;
    let mut is_one = is_uniform;
    for side in [sequence.width, sequence.height] {
        let may_be_more = side.next_multiple_of(8) > superblock;
        let is_more = may_be_more && bits.flag()?;
        is_one &= !is_more;
    }
    is_one.then_some(())
}
