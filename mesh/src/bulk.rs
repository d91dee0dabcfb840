//! Streams for bulk: beside its control stream each connection has one of these in each direction. libp2p, which would
//! negotiate a protocol on it, does not see it.
//!
//! The receiver reads what comes at once, and its credit says how much that may be: so the sender's stream always has room.
//! What leaves, leaves with its marker in one datagram, which a task that writes when it is its turn could not do.

use futures::FutureExt;
use quinn::{Connection, SendStream, VarInt};
use sightline_mesh_proto::Channel;
use tokio::sync::mpsc;

use crate::frame::{self, Ended};

/// Behind the control stream, which has 0.
const PRIORITY: i32 = -1;

/// 1 MiB: what may be unread on one stream. Twice the credit of a bulk channel: its fragments add a little to it, and what is
/// read is announced by eighths of the window, of which one may be lost on the way.
pub const STREAM_WINDOW: u32 = 1024 * 1024;

const _: () = assert!(STREAM_WINDOW as usize >= 2 * Channel::Bulk.window());

/// 2 MiB: what may be unread of all streams of a member, so that bulk leaves room for control.
const WINDOW: VarInt = VarInt::from_u32(2 * STREAM_WINDOW);

/// The end of a stream that is written.
#[derive(Default)]
pub struct Writer(Option<SendStream>);

impl Writer {
    /// Writes a frame, opening the stream for the first. False when the peer gives no room for it, though it has to.
    pub fn write(&mut self, connection: &Connection, frame: &[u8]) -> bool {
        if self.0.is_none() {
            self.0 = connection.open_uni().now_or_never().and_then(Result::ok);
            // A stream that is closed has no priority to be set.
            let _closed = self.0.as_ref().map(|stream| stream.set_priority(PRIORITY));
        }
        let Some((stream, bytes)) = self.0.as_mut().zip(frame::with_length(frame)) else {
            return false;
        };
        let mut left = &bytes[..];
        while !left.is_empty() {
            match stream.write(left).now_or_never() {
                Some(Ok(written)) => left = &left[written..],
                _ => return false,
            }
        }
        true
    }
}

/// Reads the frames of the peer's stream, once it opens one, and hands them to `sink` until it ends.
pub async fn read_all<T>(
    connection: &Connection,
    sink: mpsc::Sender<T>,
    wrap: impl Fn(Vec<u8>) -> T,
) -> Ended {
    connection.set_receive_window(WINDOW);
    match connection.accept_uni().await {
        Ok(stream) => frame::read_all(stream, sink, wrap).await,
        Err(_) => Ended::Stream,
    }
}
