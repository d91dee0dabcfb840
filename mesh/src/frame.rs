//! Frames on a control stream: two bytes of length, then as many bytes.

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use sightline_mesh_proto::wire::MAX_FRAME;
use tokio::sync::mpsc;

/// Why reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The stream ended or broke, or nobody takes frames any more.
    Stream,
    /// A frame was announced that is longer than any can be.
    Overlong,
}

/// Reads frames and hands them to `sink` until the stream ends.
pub async fn read_all<T>(
    mut stream: impl AsyncRead + Unpin,
    sink: mpsc::Sender<T>,
    wrap: impl Fn(Vec<u8>) -> T,
) -> Ended {
    loop {
        let mut length = [0; 2];
        if stream.read_exact(&mut length).await.is_err() {
            return Ended::Stream;
        }
        let length = usize::from(u16::from_be_bytes(length));
        if length > MAX_FRAME {
            return Ended::Overlong;
        }
        let mut frame = vec![0; length];
        if stream.read_exact(&mut frame).await.is_err() || sink.send(wrap(frame)).await.is_err() {
            return Ended::Stream;
        }
    }
}

/// Writes the frames that come until their source is closed, then ends the stream.
pub async fn write_all(mut stream: impl AsyncWrite + Unpin, mut source: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = source.recv().await {
        let Ok(length) = u16::try_from(frame.len()) else {
            return;
        };
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(&frame);
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    // A stream that cannot be ended is broken, and its connection is closed anyway.
    let _broken = stream.close().await;
}
