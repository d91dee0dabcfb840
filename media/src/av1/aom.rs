//! libaom in its real-time mode. This file holds the workspace's only `unsafe`: the calls into libaom, which is C.
//!
//! The settings are those with which WebRTC runs libaom for live calls (`libaom_av1_encoder.cc`): one pass, no
//! picture held back, constant rate, and no tool that costs more time than it saves bits at this speed.
#![allow(unsafe_code, reason = "libaom is C; each call says why it is sound")]

use std::ffi::{c_int, c_long, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Instant;

use libaom_sys as sys;
use sightline_media_proto::obu;
use sightline_media_proto::rate::Bitrate;

use super::{EncodeError, Encoded, Encoder};
use crate::picture::{Picture, Size};

/// 10 of 11: 4 ms for a 360p picture on one core.
const SPEED: c_int = 10;

/// Ticks a second of the encoder's time stamps.
const TIMEBASE: i64 = 90_000;

/// A live encoder.
pub struct Aom {
    /// Boxed: libaom keeps pointers into it (`config.enc` points to the configuration that it was made with).
    state: Box<State>,
    size: Size,
    start: Option<Instant>,
    last_pts: i64,
}

struct State {
    context: sys::aom_codec_ctx_t,
    config: sys::aom_codec_enc_cfg_t,
}

// SAFETY: an encoder's context may be used from any one thread at a time: libaom keeps nothing in thread-local
// storage. It is not `Sync`, and every use takes `&mut self`.
unsafe impl Send for Aom {}

impl Aom {
    /// An encoder for pictures of `size`.
    pub fn new(size: Size, bitrate: Bitrate) -> Result<Self, EncodeError> {
        // SAFETY: `aom_codec_av1_cx` returns a pointer to a static interface. `aom_codec_enc_config_default` writes
        // the whole structure when it succeeds, and only then is it read.
        let (interface, mut config) = unsafe {
            let interface = sys::aom_codec_av1_cx();
            let mut config = MaybeUninit::uninit();
            let result =
                sys::aom_codec_enc_config_default(interface, config.as_mut_ptr(), sys::AOM_USAGE_REALTIME);
            setup(result)?;
            (interface, config.assume_init())
        };
        configure(&mut config, size, bitrate);
        // SAFETY: an all-zero context is what libaom expects before initialisation; it holds only plain data and
        // pointers that may be null.
        let context = unsafe { MaybeUninit::zeroed().assume_init() };
        let mut state = Box::new(State { context, config });
        // SAFETY: context and configuration live in the box as long as the encoder, and do not move.
        let result = unsafe {
            let State { context, config } = &mut *state;
            let version = sys::AOM_ENCODER_ABI_VERSION as c_int;
            sys::aom_codec_enc_init_ver(context, interface, config, 0, version)
        };
        setup(result)?;
        let mut encoder = Self {
            state,
            size,
            start: None,
            last_pts: -1,
        };
        for (control, value) in CONTROLS {
            encoder.control(*control, *value)?;
        }
        Ok(encoder)
    }

    fn control(&mut self, control: sys::aome_enc_control_id, value: c_int) -> Result<(), EncodeError> {
        // SAFETY: each control of `CONTROLS` takes one int, or an unsigned one of the same size, as C's variadic
        // promotion passes it; the context is initialised.
        let result = unsafe { sys::aom_codec_control(&mut self.state.context, control as c_int, value) };
        setup(result)
    }

    fn next_pts(&mut self, captured: Instant) -> i64 {
        let start = *self.start.get_or_insert(captured);
        let micros = captured.saturating_duration_since(start).as_micros() as i64;
        // Time stamps must rise, whatever the camera's clock does.
        self.last_pts = (micros * TIMEBASE / 1_000_000).max(self.last_pts + 1);
        self.last_pts
    }

    /// The packets that the last call produced, copied.
    fn packets(&mut self, captured: Instant) -> Result<Vec<Encoded>, EncodeError> {
        let mut encoded = Vec::new();
        let mut iterator: sys::aom_codec_iter_t = ptr::null();
        loop {
            // SAFETY: the context is initialised; the iterator starts null and is only changed by libaom. A packet
            // and its buffer stay valid until the next call with this context, and are copied before it.
            let (data, flags) = unsafe {
                let packet = sys::aom_codec_get_cx_data(&mut self.state.context, &mut iterator);
                let Some(packet) = packet.as_ref() else {
                    return Ok(encoded);
                };
                if packet.kind != sys::AOM_CODEC_CX_FRAME_PKT {
                    continue;
                }
                let frame = packet.data.frame;
                if frame.buf.is_null() {
                    continue;
                }
                (
                    std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz),
                    frame.flags,
                )
            };
            let data = obu::without_metadata(data).map_err(|error| EncodeError::Failed(error.to_string()))?;
            encoded.push(Encoded {
                data,
                is_key: flags & sys::AOM_FRAME_IS_KEY != 0,
                captured,
            });
        }
    }
}

impl Encoder for Aom {
    fn encode(&mut self, picture: &Picture, force_key: bool) -> Result<Vec<Encoded>, EncodeError> {
        if picture.size != self.size {
            return Err(EncodeError::Size);
        }
        let pts = self.next_pts(picture.captured);
        let flags = if force_key {
            c_long::from(sys::AOM_EFLAG_FORCE_KF)
        } else {
            0
        };
        let [y, u, v] = picture.planes().map(|plane| plane.as_ptr().cast_mut());
        let (width, chroma_width) = (self.size.width as c_int, self.size.chroma().width as c_int);
        // SAFETY: `aom_img_wrap` fills the structure and is given the luma plane only to point at it; planes and
        // strides are then set to the picture's own, each plane holding stride × rows bytes. libaom reads them
        // during this call only (no picture is held back) and does not write to a source picture.
        let result = unsafe {
            let mut image = MaybeUninit::<sys::aom_image_t>::zeroed();
            let wrapped = sys::aom_img_wrap(
                image.as_mut_ptr(),
                sys::AOM_IMG_FMT_I420,
                self.size.width,
                self.size.height,
                1,
                y,
            );
            let Some(image) = wrapped.as_mut() else {
                return Err(EncodeError::Failed("the picture was not accepted".into()));
            };
            image.planes = [y, u, v];
            image.stride = [width, chroma_width, chroma_width];
            let duration = (TIMEBASE / 30) as c_ulong;
            sys::aom_codec_encode(&mut self.state.context, image, pts, duration, flags)
        };
        check(result).map_err(EncodeError::Failed)?;
        self.packets(picture.captured)
    }

    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), EncodeError> {
        self.state.config.rc_target_bitrate = bitrate.0 / 1000;
        let State { context, config } = &mut *self.state;
        // SAFETY: both live in the box; the context is initialised.
        let result = unsafe { sys::aom_codec_enc_config_set(context, config) };
        check(result).map_err(EncodeError::Failed)
    }
}

impl Drop for Aom {
    fn drop(&mut self) {
        // SAFETY: the context was initialised, or libaom finds it empty; it is not used afterwards.
        unsafe {
            sys::aom_codec_destroy(&mut self.state.context);
        }
    }
}

fn configure(config: &mut sys::aom_codec_enc_cfg_t, size: Size, bitrate: Bitrate) {
    config.g_w = size.width;
    config.g_h = size.height;
    config.g_threads = 1;
    config.g_timebase.num = 1;
    config.g_timebase.den = TIMEBASE as c_int;
    config.g_lag_in_frames = 0;
    config.g_error_resilient = 0;
    config.rc_end_usage = sys::AOM_CBR;
    config.rc_target_bitrate = bitrate.0 / 1000;
    config.rc_min_quantizer = 10;
    config.rc_max_quantizer = 56;
    config.rc_undershoot_pct = 50;
    config.rc_overshoot_pct = 50;
    config.rc_buf_initial_sz = 600;
    config.rc_buf_optimal_sz = 600;
    config.rc_buf_sz = 1000;
    config.rc_dropframe_thresh = 0;
    config.kf_mode = sys::AOM_KF_DISABLED;
}

/// Controls that take one int.
const CONTROLS: &[(sys::aome_enc_control_id, c_int)] = &[
    (sys::AOME_SET_CPUUSED, SPEED),
    (sys::AV1E_SET_ENABLE_CDEF, 1),
    (sys::AV1E_SET_AQ_MODE, 3),
    (sys::AOME_SET_MAX_INTRA_BITRATE_PCT, 300),
    (sys::AV1E_SET_COEFF_COST_UPD_FREQ, 3),
    (sys::AV1E_SET_MODE_COST_UPD_FREQ, 3),
    (sys::AV1E_SET_MV_COST_UPD_FREQ, 3),
    (sys::AV1E_SET_INTRA_DEFAULT_TX_ONLY, 1),
    (sys::AV1E_SET_DISABLE_TRELLIS_QUANT, 1),
    (sys::AV1E_SET_MAX_REFERENCE_FRAMES, 3),
    (sys::AV1E_SET_ENABLE_TPL_MODEL, 0),
    (sys::AV1E_SET_DELTAQ_MODE, 0),
    (sys::AV1E_SET_ENABLE_ORDER_HINT, 0),
    (sys::AV1E_SET_ENABLE_PALETTE, 0),
    (sys::AV1E_SET_ENABLE_OBMC, 0),
    (sys::AV1E_SET_NOISE_SENSITIVITY, 0),
    (sys::AV1E_SET_ENABLE_WARPED_MOTION, 0),
    (sys::AV1E_SET_ENABLE_GLOBAL_MOTION, 0),
    (sys::AV1E_SET_ENABLE_REF_FRAME_MVS, 0),
    (sys::AV1E_SET_ENABLE_CFL_INTRA, 0),
    (sys::AV1E_SET_ENABLE_SMOOTH_INTRA, 0),
    (sys::AV1E_SET_ENABLE_ANGLE_DELTA, 0),
    (sys::AV1E_SET_ENABLE_FILTER_INTRA, 0),
    (sys::AV1E_SET_ENABLE_PAETH_INTRA, 0),
    (sys::AV1E_SET_ENABLE_DIST_WTD_COMP, 0),
    (sys::AV1E_SET_ENABLE_DIFF_WTD_COMP, 0),
    (sys::AV1E_SET_ENABLE_DUAL_FILTER, 0),
    (sys::AV1E_SET_ENABLE_INTERINTRA_COMP, 0),
    (sys::AV1E_SET_ENABLE_INTERINTRA_WEDGE, 0),
    (sys::AV1E_SET_ENABLE_MASKED_COMP, 0),
    (sys::AV1E_SET_ENABLE_RECT_PARTITIONS, 0),
    (sys::AV1E_SET_ENABLE_TX64, 0),
];

fn setup(result: sys::aom_codec_err_t) -> Result<(), EncodeError> {
    check(result).map_err(EncodeError::Setup)
}

fn check(result: sys::aom_codec_err_t) -> Result<(), String> {
    if result == sys::AOM_CODEC_OK {
        Ok(())
    } else {
        Err(format!("libaom's error {result}"))
    }
}
