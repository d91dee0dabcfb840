//! QUIC's congestion control, out of the way: what media may send is decided for each link before it gets here
//! (`sightline-media-proto`'s `link`), from what really arrives and when. A second controller behind that one, which takes every
//! loss for a full link, would only hold sound back. Control messages are few and bounded by their own queues.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use quinn::congestion::{Controller, ControllerFactory};

/// 4 MiB: more than a second of the most that a member may send, so that QUIC's own pacing does not delay it either.
const WINDOW: u64 = 4 * 1024 * 1024;

/// A window that never shrinks.
#[derive(Clone, Copy, Debug)]
pub struct Unhindered;

impl ControllerFactory for Unhindered {
    fn build(self: Arc<Self>, _: Instant, _: u16) -> Box<dyn Controller> {
        Box::new(*self)
    }
}

impl Controller for Unhindered {
    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: u64) {}

    fn on_mtu_update(&mut self, _: u16) {}

    fn window(&self) -> u64 {
        WINDOW
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(*self)
    }

    fn initial_window(&self) -> u64 {
        WINDOW
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
