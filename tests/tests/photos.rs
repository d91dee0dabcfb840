//! A code that was photographed leads to the same call as one that was pasted.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::net::SocketAddr;
use std::time::Instant;

use image::ImageFormat;
use sightline::code_picture::{PictureError, read_bytes, read_file, read_picture};
use sightline_media::{Picture, Size};
use sightline_mesh_proto::{Candidate, Code, Secret, UnixTime};
use sightline_noise::PublicKey;
use sightline_tests::photo;

fn code() -> Code {
    Code {
        inviter: PublicKey(std::array::from_fn(|n| n as u8 + 7)),
        secret: Secret(std::array::from_fn(|n| n as u8 + 113)),
        expires: UnixTime(1_800_000_000),
        candidates: vec![
            Candidate::local(SocketAddr::from(([192, 0, 2, 7], 44))),
            Candidate::local(SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9], 9))),
        ],
    }
}

#[test]
fn a_photographed_code_is_read_straight_turned_small_and_in_both_formats() {
    let picture = photo::of(&code().to_string(), 6);
    let views = [
        picture.clone(),
        photo::turned(&picture, 9.0),
        photo::turned(&picture, 180.0),
        photo::from_afar(&picture, 300),
        photo::of(&code().to_string(), 40),
    ];
    for (n, view) in views.into_iter().enumerate() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let read = read_bytes(&photo::file(view.clone(), format));
            assert_eq!(read.ok(), Some(code()), "view {n}, {format:?}");
        }
    }
}

#[test]
fn a_camera_sees_a_code_that_is_held_before_it() {
    let view = photo::from_afar(&photo::of(&code().to_string(), 6), 340);
    let size = Size::new(640, 360).expect("a size");
    let mut picture = Picture::grey(size, Instant::now());
    assert_eq!(read_picture(&picture), None);
    for (y, row) in view.rows().enumerate() {
        for (x, pixel) in row.enumerate() {
            picture.data_mut()[(y + 10) * 640 + x + 150] = pixel.0[0];
        }
    }
    assert_eq!(read_picture(&picture), Some(code()));
}

#[test]
fn what_is_no_picture_or_shows_no_code_of_ours_is_told_apart() {
    let other = photo::file(photo::of("https://example.org", 6), ImageFormat::Png);
    assert!(matches!(read_bytes(&other), Err(PictureError::Empty)));
    assert!(matches!(
        read_bytes(b"not a picture"),
        Err(PictureError::Unreadable(_))
    ));
    assert!(matches!(
        read_file("/nowhere.png".as_ref()),
        Err(PictureError::Unreadable(_))
    ));
    assert!(
        matches!(read_file("/dev/zero".as_ref()), Err(PictureError::Unreadable(_))),
        "it is not read for ever"
    );
}
