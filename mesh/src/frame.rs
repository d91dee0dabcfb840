//! Frames on a stream: two bytes of length, then as many bytes.

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use sightline_mesh_proto::wire::MAX_FRAME;
use tokio::sync::mpsc;

/// The length before a frame, bytes.
pub const LENGTH_LEN: usize = 2;

/// A frame with its length before it; `None` for one that is too long for any.
pub fn with_length(frame: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(frame.len()).ok()?;
    Some([&length.to_be_bytes(), frame].concat())
}

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
        let mut length = [0; LENGTH_LEN];
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
        let Some(bytes) = with_length(&frame) else {
            return;
        };
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    // A stream that cannot be ended is broken, and its connection is closed anyway.
    let _broken = stream.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn written(frames: &[Vec<u8>]) -> Vec<u8> {
        let (sink, source) = mpsc::channel(frames.len());
        for frame in frames {
            sink.send(frame.clone()).await.expect("room");
        }
        drop(sink);
        let mut bytes = Vec::new();
        write_all(&mut bytes, source).await;
        bytes
    }

    async fn read(bytes: &[u8]) -> (Ended, Vec<Vec<u8>>) {
        let (sink, mut source) = mpsc::channel(8);
        let ended = read_all(bytes, sink, |frame| frame).await;
        let mut frames = Vec::new();
        while let Some(frame) = source.recv().await {
            frames.push(frame);
        }
        (ended, frames)
    }

    #[tokio::test]
    async fn frames_from_none_to_the_longest_come_as_they_were_sent() {
        let frames = [vec![], vec![7], vec![8; MAX_FRAME]];
        let bytes = written(&frames).await;
        assert_eq!(bytes.len(), 2 + (2 + 1) + (2 + MAX_FRAME));
        assert_eq!(read(&bytes).await, (Ended::Stream, frames.to_vec()));
    }

    #[tokio::test]
    async fn a_longer_one_is_refused_as_soon_as_it_is_announced() {
        let mut bytes = written(&[vec![7]]).await;
        let announced = u16::try_from(MAX_FRAME + 1).expect("two bytes");
        bytes.extend(announced.to_be_bytes());
        assert_eq!(read(&bytes).await, (Ended::Overlong, vec![vec![7]]));
    }

    #[tokio::test]
    async fn of_a_cut_stream_only_whole_frames_are_taken() {
        let frames = [vec![1, 2], vec![3]];
        let bytes = written(&frames).await;
        for cut in 0..=bytes.len() {
            let whole = usize::from(cut >= 4) + usize::from(cut >= 7);
            let expected = (Ended::Stream, frames[..whole].to_vec());
            assert_eq!(read(&bytes[..cut]).await, expected, "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn what_no_length_can_say_is_not_written_and_nothing_after_it() {
        let frames = [vec![1], vec![2; 1 << 16], vec![3]];
        assert_eq!(written(&frames).await, *b"\0\x01\x01");
    }

    #[tokio::test]
    async fn nothing_more_is_read_for_nobody() {
        let (sink, source) = mpsc::channel(8);
        drop(source);
        let mut stream: &[u8] = &[0, 1, 1, 0, 1, 2];
        let ended = read_all(&mut stream, sink, |frame| frame).await;
        assert_eq!((ended, stream.len()), (Ended::Stream, 3));
    }
}
