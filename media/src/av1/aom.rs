//! libaom in its real-time mode. All of the workspace's calls into libaom, which is C, are in this file.
//!
//! The settings are those with which WebRTC runs libaom for live calls (`libaom_av1_encoder.cc`): one pass, no
//! picture held back, and no tool that costs more time than it saves bits at this speed. How coarse each picture is
//! comes from our own rate control: libaom's strays by 6 to 10 % in the worst second, ours by 1 to 6.
#![allow(unsafe_code, reason = "libaom is C; each call says why it is sound")]

use std::ffi::{c_int, c_long, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;
use std::time::Instant;

use libaom_sys as sys;
use sightline_media_proto::effort::Speed;
use sightline_media_proto::obu;
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::rate_control::{BASE_SHARE, FrameRole, Incoming, Quantizer, RateControl};

use super::references::{References, Sample};
use super::{EncodeError, Encoded, Encoder, Settings};
use crate::picture::{Picture, Size};

/// Ticks a second of the encoder's time stamps.
const TIMEBASE: i64 = 90_000;

/// A live encoder.
pub struct Aom {
    /// Boxed: libaom keeps pointers into it (`config.enc` points to the configuration that it was made with).
    state: Box<State>,
    size: Size,
    start: Option<Instant>,
    last_pts: i64,
    /// The next picture is one that nothing builds on: every second one.
    is_enhancement: bool,
    references: References,
    rate_control: RateControl,
    units: obu::Reader,
}

struct State {
    context: sys::aom_codec_ctx_t,
    config: sys::aom_codec_enc_cfg_t,
}

// SAFETY: an encoder's context may be used from any one thread at a time: libaom keeps nothing in thread-local
// storage. It is not `Sync`, and every use takes `&mut self`.
unsafe impl Send for Aom {}

impl Aom {
    /// An encoder; pictures may come at another rate than was said.
    pub fn new(settings: Settings) -> Result<Self, EncodeError> {
        let Settings {
            size,
            frame_rate,
            bitrate,
            speed,
        } = settings;
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
            is_enhancement: false,
            references: References::default(),
            rate_control: RateControl::new(bitrate, frame_rate),
            units: obu::Reader::default(),
        };
        for (control, value) in CONTROLS {
            encoder.control(*control, *value)?;
        }
        encoder.set_speed(speed)?;
        let any = [Quantizer::FINEST, Quantizer::COARSEST];
        encoder.set_layers(any).map_err(EncodeError::Setup)?;
        Ok(encoder)
    }

    fn control(&mut self, control: sys::aome_enc_control_id, value: c_int) -> Result<(), EncodeError> {
        // SAFETY: each control of `CONTROLS`, and that of the speed, takes one int, or an unsigned one of the same size, as C's variadic
        // promotion passes it; the context is initialised.
        let result = unsafe { sys::aom_codec_control(&mut self.state.context, control as c_int, value) };
        setup(result)
    }

    /// Two temporal layers, their shares of the rate, and the finest and coarsest quantizer of the next picture.
    fn set_layers(&mut self, [finest, coarsest]: [Quantizer; 2]) -> Result<(), String> {
        let kilobits = f64::from(self.rate_control.bitrate().0) / 1000.0;
        // SAFETY: plain integers, of which all-zero is a value.
        let mut params: sys::aom_svc_params_t = unsafe { MaybeUninit::zeroed().assume_init() };
        params.number_spatial_layers = 1;
        params.number_temporal_layers = 2;
        params.scaling_factor_num[0] = 1;
        params.scaling_factor_den[0] = 1;
        params.framerate_factor[..2].copy_from_slice(&[2, 1]);
        // Each layer's rate with those below it.
        params.layer_target_bitrate[..2]
            .copy_from_slice(&[(BASE_SHARE * kilobits) as c_int, kilobits as c_int]);
        params.max_quantizers[..2].fill(c_int::from(coarsest.0));
        params.min_quantizers[..2].fill(c_int::from(finest.0));
        self.control_with(sys::AV1E_SET_SVC_PARAMS, &mut params)
    }

    /// Says of the next picture what it builds on, and whether others will build on it: the lower layer on itself, the
    /// upper one on the lower, nothing on the upper.
    fn set_references(&mut self, class: FrameRole) -> Result<(), String> {
        let is_enhancement = class == FrameRole::Enhancement;
        let is_kept = self.references.keeps_next(class);
        let mut layer = sys::aom_svc_layer_id_t {
            spatial_layer_id: 0,
            temporal_layer_id: c_int::from(is_enhancement),
        };
        self.control_with(sys::AV1E_SET_SVC_LAYER_ID, &mut layer)?;
        // The last picture is in slot 0, the kept one in slot 1 under its name, golden, the fourth of seven.
        let mut references = sys::aom_svc_ref_frame_config_t {
            reference: [1, 0, 0, 1, 0, 0, 0],
            ref_idx: [0, 0, 0, 1, 0, 0, 0],
            refresh: [
                c_int::from(!is_enhancement),
                c_int::from(is_kept),
                0,
                0,
                0,
                0,
                0,
                0,
            ],
        };
        self.control_with(sys::AV1E_SET_SVC_REF_FRAME_CONFIG, &mut references)
    }

    /// A control that takes a pointer to a `T`.
    fn control_with<T>(&mut self, control: sys::aome_enc_control_id, value: &mut T) -> Result<(), String> {
        // SAFETY: each caller in this file gives the structure that libaom documents for its control, or the int that it
        // writes to; libaom uses it during the call only. The context is initialised.
        let result = unsafe {
            let value: *mut T = value;
            sys::aom_codec_control(&mut self.state.context, control as c_int, value)
        };
        check(result)
    }

    /// How coarse the last picture was.
    fn last_quantizer(&mut self) -> Result<Quantizer, String> {
        let mut quantizer: c_int = 0;
        self.control_with(sys::AOME_GET_LAST_QUANTIZER_64, &mut quantizer)?;
        Ok(u8::try_from(quantizer).map_or(Quantizer::COARSEST, Quantizer))
    }

    fn next_pts(&mut self, captured: Instant) -> i64 {
        let start = *self.start.get_or_insert(captured);
        let micros = captured.saturating_duration_since(start).as_micros() as i64;
        // Time stamps must rise, whatever the camera's clock does.
        self.last_pts = (micros * TIMEBASE / 1_000_000).max(self.last_pts + 1);
        self.last_pts
    }

    /// The packets that the last call produced, copied.
    fn packets(&mut self, captured: Instant, class: FrameRole) -> Result<Vec<Encoded>, EncodeError> {
        let mut encoded = Vec::new();
        let mut iterator: sys::aom_codec_iter_t = ptr::null();
        loop {
            // SAFETY: the context is initialised; the iterator starts null and is only changed by libaom. A packet
            // and its buffer stay valid until the next call with this context, and are copied before it.
            let data = unsafe {
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
                std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz)
            };
            let unit = self
                .units
                .handle_encoded(data)
                .map_err(|error| EncodeError::Failed(error.to_string()))?;
            encoded.push(Encoded {
                data: unit.data,
                is_key: unit.is_key,
                is_discardable: class == FrameRole::Enhancement,
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
        let class = match (force_key || self.references.is_empty(), self.is_enhancement) {
            (true, _) => FrameRole::Key,
            (false, true) => FrameRole::Enhancement,
            (false, false) => FrameRole::Base,
        };
        let sample = Sample::of(picture);
        let incoming = Incoming {
            class,
            change: self.references.difference(&sample),
            captured: picture.captured,
        };
        let quantizers = self.rate_control.quantizers(incoming);
        self.set_layers(quantizers).map_err(EncodeError::Failed)?;
        self.set_references(class).map_err(EncodeError::Failed)?;
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
        self.is_enhancement = class != FrameRole::Enhancement;
        self.references.handle_encoded(sample, class);
        let encoded = self.packets(picture.captured, class)?;
        let bytes = encoded.iter().map(|unit| unit.data.len()).sum();
        let quantizer = self.last_quantizer().map_err(EncodeError::Failed)?;
        self.rate_control.handle_encoded(quantizer, bytes);
        Ok(encoded)
    }

    fn leave_out(&mut self) -> bool {
        std::mem::replace(&mut self.is_enhancement, false)
    }

    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<(), EncodeError> {
        self.rate_control.set_bitrate(bitrate);
        Ok(())
    }

    fn set_speed(&mut self, speed: Speed) -> Result<(), EncodeError> {
        self.control(sys::AOME_SET_CPUUSED, c_int::from(speed.0))
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
    config.rc_min_quantizer = u32::from(Quantizer::FINEST.0);
    config.rc_max_quantizer = u32::from(Quantizer::COARSEST.0);
    // From this, in ms of the rate, libaom takes the size of the first picture, which ends at three ordinary ones'.
    config.rc_buf_initial_sz = 120;
    config.rc_buf_optimal_sz = 120;
    config.rc_buf_sz = 400;
    config.rc_dropframe_thresh = 0;
    config.kf_mode = sys::AOM_KF_DISABLED;
}

/// Controls that take one int.
const CONTROLS: &[(sys::aome_enc_control_id, c_int)] = &[
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
