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
