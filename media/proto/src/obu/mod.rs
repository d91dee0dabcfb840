//! AV1's open bitstream units (AV1 specification, section 5.3), as far as our encoders make them. What leaves and what
//! reaches a decoder is written here, and can say nothing else: one picture, shown, of a size that we show, and of
//! everything else that AV1 has (metadata, padding, film grain, layers, scaled, hidden and repeated pictures, many tiles)
//! nothing.
//!
//! ```text
//!   temporal unit ──► mod.rs: units ──► sequence.rs: sequence header     both by bits.rs
//!                                   ──► frame.rs: head of the frame
//! ```

mod bits;
mod frame;
mod sequence;

pub use sequence::{MAX_PIXELS, MAX_SIDE, MIN_SIDE, SequenceHeader, is_size};

/// `obu_type` (section 6.2.2). Whatever a camera or encoder says about itself is in [`METADATA`].
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const METADATA: u8 = 5;
const FRAME: u8 = 6;
const PADDING: u8 = 15;

/// `obu_has_size_field`.
const HAS_SIZE: u8 = 2;

/// Bytes of an LEB128 value below 2^32, as AV1 has them (section 4.10.5), at the most.
const MAX_LEB128: usize = 8;

/// Why a temporal unit is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObuError {
    /// Not a sequence of units with sizes.
    #[error("the picture is not a sequence of AV1 units")]
    Framing,
    /// A unit that has no place in a picture of ours, or not this one, or not there.
    #[error("the picture has an AV1 unit of type {0} that does not belong there")]
    Unit(u8),
    /// A sequence header that asks for more than our encoders do.
    #[error("the picture is of a kind of AV1 that is not used here")]
    Sequence,
    /// A frame that is not one whole picture of the sequence's size, shown at once.
    #[error("the picture is not one whole AV1 frame")]
    Frame,
    /// It builds on a sequence that has not begun.
    #[error("the picture is of a sequence that has not begun")]
    NotBegun,
    /// It says the same in another way than ours do.
    #[error("the picture is not written as AV1 is written here")]
    Form,
}

/// One picture as it leaves: a temporal delimiter, before a key frame its sequence header, and one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporalUnit {
    /// The units.
    pub data: Vec<u8>,
    /// Whether it builds on no other.
    pub is_key: bool,
    /// What the picture is like.
    pub sequence: SequenceHeader,
}

/// Reads the temporal units of one encoder, in order.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    sequence: Option<SequenceHeader>,
}

impl Reader {
    /// What an encoder of ours made, without what is not needed to decode it: metadata, padding, names of layers.
    ///
    /// # Errors
    /// [`ObuError`]: it has to be set up in another way.
    pub fn handle_encoded(&mut self, encoded: &[u8]) -> Result<TemporalUnit, ObuError> {
        let units: Vec<_> = Units(encoded)
            .filter(|unit| !matches!(unit, Ok(unit) if matches!(unit.kind, METADATA | PADDING)))
            .collect::<Result<_, _>>()?;
        self.read(&units)
    }

    /// What a member sent: just what [`Self::handle_encoded`] gives there. After an error the next key frame can be read
    /// again.
    ///
    /// # Errors
    /// [`ObuError`].
    pub fn handle_received(&mut self, received: &[u8]) -> Result<TemporalUnit, ObuError> {
        let units: Vec<_> = Units(received).take(MAX_UNITS).collect::<Result<_, _>>()?;
        let unit = self.read(&units)?;
        if unit.data == received {
            Ok(unit)
        } else {
            Err(ObuError::Form)
        }
    }

    fn read(&mut self, units: &[Unit<'_>]) -> Result<TemporalUnit, ObuError> {
        let (header, frame) = match units {
            [delimiter, header, frame] if header.kind == SEQUENCE_HEADER => {
                delimiter.expect(TEMPORAL_DELIMITER)?;
                let header = SequenceHeader::read(header.payload).ok_or(ObuError::Sequence)?;
                (Some(header), frame)
            }
            [delimiter, frame] => {
                delimiter.expect(TEMPORAL_DELIMITER)?;
                (None, frame)
            }
            [.., last] => return Err(ObuError::Unit(last.kind)),
            [] => return Err(ObuError::Framing),
        };
        frame.expect(FRAME)?;
        let sequence = header.or(self.sequence).ok_or(ObuError::NotBegun)?;
        let is_key = frame::read(frame.payload, &sequence).ok_or(ObuError::Frame)?;
        if is_key != header.is_some() {
            return Err(ObuError::Frame);
        }
        self.sequence = Some(sequence);
        Ok(TemporalUnit {
            data: write(header.as_ref(), frame.payload),
            is_key,
            sequence,
        })
    }
}

/// Units of a picture: delimiter, sequence header, frame; and one more by which too many are told.
const MAX_UNITS: usize = 4;

fn write(header: Option<&SequenceHeader>, frame: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(frame.len() + 40);
    push(&mut data, TEMPORAL_DELIMITER, &[]);
    if let Some(header) = header {
        push(&mut data, SEQUENCE_HEADER, &header.write());
    }
    push(&mut data, FRAME, frame);
    data
}

fn push(data: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    data.push(kind << 3 | HAS_SIZE);
    let mut left = payload.len();
    while left > 0x7f {
        data.push(left as u8 & 0x7f | 0x80);
        left >>= 7;
    }
    data.push(left as u8);
    data.extend_from_slice(payload);
}

/// One unit, of all layers or of one.
struct Unit<'a> {
    kind: u8,
    payload: &'a [u8],
}

impl Unit<'_> {
    const fn expect(&self, kind: u8) -> Result<(), ObuError> {
        if self.kind == kind {
            Ok(())
        } else {
            Err(ObuError::Unit(self.kind))
        }
    }
}

/// The units of a temporal unit, each with its size.
struct Units<'a>(&'a [u8]);

impl<'a> Iterator for Units<'a> {
    type Item = Result<Unit<'a>, ObuError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let unit = split_unit(self.0);
        self.0 = unit.as_ref().map_or(&[], |(_, rest)| rest);
        Some(unit.map(|(unit, _)| unit).ok_or(ObuError::Framing))
    }
}

/// The first unit: header (1 or 2 bytes), size (LEB128), payload; and what follows it.
fn split_unit(bytes: &[u8]) -> Option<(Unit<'_>, &[u8])> {
    let (header, rest) = bytes.split_first()?;
    let (is_forbidden, has_extension, has_size, is_reserved) = (
        header & 0x80 != 0,
        header & 4 != 0,
        header & HAS_SIZE != 0,
        header & 1 != 0,
    );
    if is_forbidden || !has_size || is_reserved {
        return None;
    }
    let rest = if has_extension {
        // The temporal layer (3 bits), which is for relays; there are no spatial ones.
        let (extension, rest) = rest.split_first()?;
        if extension & 0x1f != 0 {
            return None;
        }
        rest
    } else {
        rest
    };
    let (size, size_len) = leb128(rest)?;
    let (payload, rest) = rest.get(size_len..)?.split_at_checked(size)?;
    let kind = header >> 3 & 0x0f;
    Some((Unit { kind, payload }, rest))
}

/// AV1 specification, section 4.10.5: seven bits a byte, at most eight bytes, the value below 2^32.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(MAX_LEB128).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::bits::BitWriter;
    use super::*;

    const DELIMITER: [u8; 2] = [0x12, 0x00];

    /// A sequence header with everything in it that `change` writes otherwise: given are the names and bits of its fields.
    fn header(change: (&str, u32)) -> Vec<u8> {
        let fields = [
            ("profile", 0, 3),
            ("still_picture", 0, 1),
            ("reduced_still_picture_header", 0, 1),
            ("timing_info_present", 0, 1),
            ("initial_display_delay_present", 0, 1),
            ("operating_points_cnt_minus_1", 0, 5),
            ("operating_point_idc", 0, 12),
            ("level", 4, 5),
            ("width_bits_minus_1", 11, 4),
            ("height_bits_minus_1", 11, 4),
            ("width_minus_1", 319, 12),
            ("height_minus_1", 179, 12),
            ("frame_id_numbers_present", 0, 1),
            ("tools", 0, 7),
            ("enable_order_hint", 0, 1),
            ("seq_choose_screen_content_tools", 0, 1),
            ("seq_force_screen_content_tools", 0, 1),
            ("enable_superres", 0, 1),
            ("enable_cdef", 1, 1),
            ("enable_restoration", 0, 1),
            ("high_bitdepth", 0, 1),
            ("mono_chrome", 0, 1),
            ("color_description_present", 0, 1),
            ("color_range", 0, 1),
            ("chroma_sample_position", 0, 2),
            ("separate_uv_delta_q", 0, 1),
            ("film_grain_params_present", 0, 1),
        ];
        assert!(change.0.is_empty() || fields.iter().any(|(name, ..)| *name == change.0));
        let mut bits = BitWriter::default();
        for (name, value, count) in fields {
            bits.bits(if name == change.0 { change.1 } else { value }, count);
        }
        bits.finish()
    }

    /// The head of a key frame for that header, or of another frame, and some bytes of tile.
    fn frame(change: (&str, u32), is_key: bool) -> Vec<u8> {
        let key = [
            ("show_existing_frame", 0, 1),
            ("frame_type", 0, 2),
            ("show_frame", 1, 1),
            ("disable_cdf_update", 0, 1),
            ("frame_size_override", 0, 1),
            ("render_and_frame_size_different", 0, 1),
            ("disable_frame_end_update_cdf", 0, 1),
            ("uniform_tile_spacing", 1, 1),
            ("more_tile_cols", 0, 1),
            ("more_tile_rows", 0, 1),
        ];
        let inter = [
            ("show_existing_frame", 0, 1),
            ("frame_type", 1, 2),
            ("show_frame", 1, 1),
            ("error_resilient_mode", 0, 1),
            ("disable_cdf_update", 0, 1),
            ("frame_size_override", 0, 1),
            ("primary_ref_frame", 0, 3),
            ("refresh_frame_flags", 1, 8),
            ("ref_frame_idx", 0, 21),
            ("render_and_frame_size_different", 0, 1),
            ("allow_high_precision_mv", 0, 1),
            ("is_filter_switchable", 1, 1),
            ("is_motion_mode_switchable", 0, 1),
            ("disable_frame_end_update_cdf", 0, 1),
            ("uniform_tile_spacing", 1, 1),
            ("more_tile_cols", 0, 1),
            ("more_tile_rows", 0, 1),
        ];
        let fields = if is_key { &key[..] } else { &inter[..] };
        assert!(change.0.is_empty() || fields.iter().any(|(name, ..)| *name == change.0));
        let mut bits = BitWriter::default();
        for (name, value, count) in fields {
            bits.bits(if *name == change.0 { change.1 } else { *value }, *count);
        }
        [bits.finish(), vec![0x5a; 300]].concat()
    }

    fn unit(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        push(&mut data, kind, payload);
        data
    }

    fn key() -> Vec<u8> {
        [
            &DELIMITER[..],
            &unit(SEQUENCE_HEADER, &header(("", 0))),
            &unit(FRAME, &frame(("", 0), true)),
        ]
        .concat()
    }

    fn inter() -> Vec<u8> {
        [&DELIMITER[..], &unit(FRAME, &frame(("", 0), false))].concat()
    }

    /// A reader that has read a key frame.
    fn begun() -> Reader {
        let mut reader = Reader::default();
        let unit = reader.handle_received(&key()).expect("a key frame");
        assert!(unit.is_key);
        assert_eq!((unit.sequence.width, unit.sequence.height), (320, 180));
        reader
    }

    #[test]
    fn what_our_encoders_make_passes_as_it_is() {
        let mut reader = begun();
        for data in [inter(), inter(), key(), inter()] {
            let unit = reader.handle_received(&data).expect("one of ours");
            assert_eq!(unit.data, data);
        }
    }

    #[test]
    fn nothing_but_what_is_needed_leaves() {
        let metadata = unit(METADATA, &[4, 0xb5, 1, 2, 3]);
        let padding = unit(PADDING, &[0; 9]);
        // With a layer's number, and an operating point for each of two layers.
        let layered = |kind: u8, payload: &[u8]| {
            let mut data = vec![kind << 3 | HAS_SIZE | 4, 1 << 5];
            data.extend_from_slice(&unit(kind, payload)[1..]);
            data
        };
        let encoded = [
            &DELIMITER[..],
            &unit(SEQUENCE_HEADER, &header(("", 0))),
            &metadata,
            &layered(FRAME, &frame(("", 0), true)),
            &padding,
        ];
        let mut reader = Reader::default();
        let unit = reader.handle_encoded(&encoded.concat()).expect("an encoder's");
        assert_eq!(unit.data, key());
        assert!(
            Reader::default().handle_received(&encoded.concat()).is_err(),
            "members send only the rest"
        );
    }

    #[test]
    fn no_other_kind_of_unit_reaches_a_decoder() {
        for kind in (0..16).filter(|kind| ![SEQUENCE_HEADER, TEMPORAL_DELIMITER, FRAME].contains(kind)) {
            for payload in [&[][..], &[0x80], &[4, 0xb5, 1, 2]] {
                let more = unit(kind, payload);
                for data in [
                    more.clone(),
                    [more.clone(), inter()].concat(),
                    [inter(), more.clone()].concat(),
                    [&DELIMITER[..], &more].concat(),
                    [&DELIMITER[..], &more, &inter()[2..]].concat(),
                ] {
                    let read = begun().handle_received(&data);
                    assert!(
                        matches!(read, Err(ObuError::Unit(_))),
                        "type {kind}, {payload:?}: {read:?}"
                    );
                }
            }
        }
        for data in [
            Vec::new(),
            DELIMITER.to_vec(),
            [inter(), inter()].concat(),
            [inter(), inter()[2..].to_vec()].concat(),
            [key(), inter()[2..].to_vec()].concat(),
            inter().repeat(1000),
            inter()[2..].to_vec(),
        ] {
            assert!(begun().handle_received(&data).is_err(), "{data:02x?}");
        }
    }

    #[test]
    fn the_unit_that_ended_every_receivers_program_is_refused() {
        // An empty ITU-T T.35 metadata unit, without a sequence, before an empty frame.
        let unit = [0x2a, 0x03, 0x84, 0x80, 0x00, 0x32, 0x01, 0x00];
        assert!(begun().handle_received(&unit).is_err());
        assert!(Reader::default().handle_received(&unit).is_err());
    }

    #[test]
    fn a_sequence_asks_for_nothing_that_ours_do_not() {
        for change in [
            ("profile", 1),
            ("still_picture", 1),
            ("reduced_still_picture_header", 1),
            ("timing_info_present", 1),
            ("initial_display_delay_present", 1),
            ("operating_points_cnt_minus_1", 2),
            ("width_minus_1", 14),
            ("height_minus_1", 14),
            ("height_minus_1", 4095),
            ("frame_id_numbers_present", 1),
            ("enable_superres", 1),
            ("high_bitdepth", 1),
            ("mono_chrome", 1),
            ("color_description_present", 1),
            ("color_range", 1),
            ("chroma_sample_position", 2),
            ("film_grain_params_present", 1),
        ] {
            let header = unit(SEQUENCE_HEADER, &header(change));
            let data = [&DELIMITER[..], &header, &unit(FRAME, &frame(("", 0), true))].concat();
            for read in [
                Reader::default().handle_received(&data),
                Reader::default().handle_encoded(&data),
            ] {
                assert_eq!(read, Err(ObuError::Sequence), "{change:?}");
            }
        }
    }

    #[test]
    fn a_frame_is_one_whole_picture_shown_at_once() {
        let refused = |data: &[u8], what: &str| {
            assert_eq!(begun().handle_received(data), Err(ObuError::Frame), "{what}");
        };
        for change in [
            ("show_existing_frame", 1),
            ("frame_type", 2),
            ("frame_type", 3),
            ("show_frame", 0),
            ("frame_size_override", 1),
            ("render_and_frame_size_different", 1),
            ("uniform_tile_spacing", 0),
            ("more_tile_cols", 1),
            ("more_tile_rows", 1),
        ] {
            refused(
                &[&DELIMITER[..], &unit(FRAME, &frame(change, false))].concat(),
                change.0,
            );
            let header = unit(SEQUENCE_HEADER, &header(("", 0)));
            refused(
                &[&DELIMITER[..], &header, &unit(FRAME, &frame(change, true))].concat(),
                change.0,
            );
        }
        refused(
            &[&DELIMITER[..], &unit(FRAME, &frame(("", 0), true))].concat(),
            "a key frame without its sequence",
        );
        let header = unit(SEQUENCE_HEADER, &header(("", 0)));
        let frame = unit(FRAME, &frame(("", 0), false));
        refused(
            &[&DELIMITER[..], &header, &frame].concat(),
            "a sequence without its key frame",
        );
        refused(&[&DELIMITER[..], &unit(FRAME, &[])].concat(), "nothing of it");
        assert_eq!(
            Reader::default().handle_received(&inter()),
            Err(ObuError::NotBegun)
        );
    }

    #[test]
    fn one_thing_is_said_in_one_way() {
        let mut longer_size = vec![FRAME << 3 | HAS_SIZE];
        let payload = frame(("", 0), false);
        longer_size.extend_from_slice(&[payload.len() as u8 | 0x80, (payload.len() >> 7) as u8 | 0x80, 0]);
        longer_size.extend_from_slice(&payload);
        let mut layer = inter();
        layer[2] |= 4;
        layer.insert(3, 1 << 5);
        let mut long_header = header(("", 0));
        long_header.push(0);
        let long_header = unit(SEQUENCE_HEADER, &long_header);
        let key_frame = unit(FRAME, &frame(("", 0), true));
        for data in [
            [&DELIMITER[..], &longer_size].concat(),
            layer,
            [&DELIMITER[..], &long_header, &key_frame].concat(),
            [&unit(TEMPORAL_DELIMITER, &[0])[..], &inter()[2..]].concat(),
        ] {
            assert_eq!(begun().handle_received(&data), Err(ObuError::Form), "{data:02x?}");
        }
    }

    #[test]
    fn what_is_no_sequence_of_units_is_refused() {
        for bad in [
            &[0x32, 0x05, 1][..],
            &[0x30, 1],
            &[0xb2, 0],
            &[0x33, 0],
            &[0x32],
            &[0x36, 0x1f, 0],
            &[0x32, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x32, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
        ] {
            assert_eq!(begun().handle_received(bad), Err(ObuError::Framing), "{bad:02x?}");
        }
    }
}
