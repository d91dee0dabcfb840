//! A session with dav1d's Rust port, through the functions that it offers to C. Its own safe wrapper loses 96 bytes with each
//! picture (the library hands out an empty list of metadata that the wrapper never gives back): 10 MB an hour for each
//! member that is seen. Here it is given back. This file is one of the few with `unsafe`.
#![allow(
    unsafe_code,
    reason = "the library's own wrapper leaks; each call says why it is sound"
)]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use dav1d::include::dav1d::data::Dav1dData;
use dav1d::include::dav1d::dav1d::{Dav1dContext, Dav1dSettings};
use dav1d::include::dav1d::headers::DAV1D_PIXEL_LAYOUT_I420;
use dav1d::include::dav1d::picture::Dav1dPicture;
use dav1d::src::lib::{
    dav1d_close, dav1d_data_create, dav1d_data_unref, dav1d_default_settings, dav1d_get_picture, dav1d_open,
    dav1d_picture_unref, dav1d_send_data,
};

/// `EAGAIN`, which is 11 on Linux and 35 on macOS: later, or after more data.
const AGAIN: c_int = if cfg!(target_vendor = "apple") { -35 } else { -11 };

/// The library failed; a session after that is of no use.
#[derive(Debug)]
pub struct Failed;

/// An open decoder.
pub struct Session {
    context: Option<Dav1dContext>,
    /// What the decoder could not take yet.
    pending: Option<Dav1dData>,
}

// SAFETY: the context is a counted reference to the decoder's state, which the library itself shares between threads; here one
// thread at a time uses it, through `&mut self`.
unsafe impl Send for Session {}

/// A decoded picture, for as long as it is looked at.
pub struct Decoded<'a> {
    /// Pixels in a row, and rows.
    pub size: (u32, u32),
    /// 8 bits, colour at half the size.
    pub is_usual: bool,
    /// Y, U, V, each with its rows' length in bytes; empty unless it is usual.
    pub planes: [(&'a [u8], usize); 3],
}

impl Session {
    /// One thread, no picture held back, none larger than `limit` pixels.
    pub fn open(limit: u32) -> Result<Self, Failed> {
        let mut context = None;
        // SAFETY: `dav1d_default_settings` writes the whole structure, and only then is it read. Both pointers are to
        // locals that outlive the calls.
        let result = unsafe {
            let mut settings = MaybeUninit::<Dav1dSettings>::uninit();
            dav1d_default_settings(NonNull::new_unchecked(settings.as_mut_ptr()));
            let mut settings = settings.assume_init();
            settings.n_threads = 1;
            settings.max_frame_delay = 1;
            settings.frame_size_limit = limit;
            dav1d_open(
                Some(NonNull::from(&mut context)),
                Some(NonNull::from(&mut settings)),
            )
        };
        if result.0 == 0 && context.is_some() {
            Ok(Self {
                context,
                pending: None,
            })
        } else {
            Err(Failed)
        }
    }

    /// Hands over a temporal unit, copied. False when a picture has to be taken before the rest of it is; then
    /// [`Self::send_pending`] goes on.
    pub fn send(&mut self, unit: &[u8]) -> Result<bool, Failed> {
        let mut data = empty();
        // SAFETY: `data` is a local; the library allocates `unit.len()` bytes and returns where, or null, and nothing else
        // refers to them yet.
        unsafe {
            let place = dav1d_data_create(Some(NonNull::from(&mut data)), unit.len());
            let place = NonNull::new(place).ok_or(Failed)?;
            std::ptr::copy_nonoverlapping(unit.as_ptr(), place.as_ptr(), unit.len());
        }
        self.give_back_pending();
        self.pending = Some(data);
        self.send_pending()
    }

    /// Hands over what is left.
    pub fn send_pending(&mut self) -> Result<bool, Failed> {
        let Some(data) = &mut self.pending else {
            return Ok(true);
        };
        // SAFETY: the context is open; `data` was made by the library, which takes from it what it can.
        let result = unsafe { dav1d_send_data(self.context, Some(NonNull::from(&mut *data))) };
        match result.0 {
            0 | AGAIN if data.sz > 0 => Ok(false),
            0 => {
                self.give_back_pending();
                Ok(true)
            }
            AGAIN => Ok(false),
            _ => Err(Failed),
        }
    }

    /// Lets `look` see the next picture, if there is one.
    pub fn next_picture<T>(&mut self, look: impl FnOnce(&Decoded<'_>) -> T) -> Result<Option<T>, Failed> {
        let mut picture = Dav1dPicture::default();
        // SAFETY: the context is open; `picture` is a local, and holds nothing that writing over it would lose.
        let result = unsafe { dav1d_get_picture(self.context, Some(NonNull::from(&mut picture))) };
        let seen = match result.0 {
            0 => Ok(Some(look(&view(&picture)))),
            AGAIN => Ok(None),
            _ => Err(Failed),
        };
        give_back(&mut picture);
        seen
    }

    fn give_back_pending(&mut self) {
        if let Some(mut data) = self.pending.take() {
            // SAFETY: it was made by the library and is not used afterwards.
            unsafe { dav1d_data_unref(Some(NonNull::from(&mut data))) };
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.give_back_pending();
        // SAFETY: the context was opened by the library and is not used afterwards.
        unsafe { dav1d_close(Some(NonNull::from(&mut self.context))) };
    }
}

fn empty() -> Dav1dData {
    Dav1dData {
        data: None,
        sz: 0,
        r#ref: None,
        m: Default::default(),
    }
}

fn view(picture: &Dav1dPicture) -> Decoded<'_> {
    let size = (
        u32::try_from(picture.p.w).unwrap_or(0),
        u32::try_from(picture.p.h).unwrap_or(0),
    );
    let is_usual = picture.p.layout == DAV1D_PIXEL_LAYOUT_I420 && picture.p.bpc == 8;
    let plane = |index: usize| {
        let height = if index == 0 { size.1 } else { size.1.div_ceil(2) };
        let stride = usize::try_from(picture.stride[index.min(1)]).unwrap_or(0);
        match picture.data[index] {
            // SAFETY: of a picture of this layout the library allocates, for each plane, at least stride × rows bytes, all
            // initialised, and keeps them for as long as the picture is held, which `picture` is borrowed for.
            Some(begin) if is_usual && stride > 0 => unsafe {
                (
                    std::slice::from_raw_parts(begin.as_ptr().cast::<u8>(), stride * height as usize),
                    stride,
                )
            },
            _ => (&[][..], 1),
        }
    };
    Decoded {
        size,
        is_usual,
        planes: [plane(0), plane(1), plane(2)],
    }
}

/// Gives a picture back, with the empty list that the library puts into what it leaves behind.
fn give_back(picture: &mut Dav1dPicture) {
    // SAFETY: the picture was written by the library. `dav1d_picture_unref` takes everything out of it and writes an empty one,
    // whose only reference is that list; it was made by `RawArc::from_arc`, and is taken out so that nobody else has it.
    unsafe {
        dav1d_picture_unref(Some(NonNull::from(&mut *picture)));
        if let Some(list) = picture.itut_t35_ref.take() {
            drop(list.into_arc());
        }
    }
    picture.itut_t35 = None;
}
