//! A QUIC connection as libp2p sees it: a source of streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncWrite, FutureExt};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use quinn::{ConnectionError, RecvStream, SendStream};

use crate::endpoint::CLOSE_NORMAL;

type Pair = Result<(SendStream, RecvStream), ConnectionError>;

/// Streams of one connection. Its datagrams do not pass here.
pub struct Muxer {
    connection: quinn::Connection,
    incoming: Option<BoxFuture<'static, Pair>>,
    outgoing: Option<BoxFuture<'static, Pair>>,
}

impl Muxer {
    pub fn new(connection: quinn::Connection) -> Self {
        Self {
            connection,
            incoming: None,
            outgoing: None,
        }
    }
}

impl StreamMuxer for Muxer {
    type Substream = Stream;
    type Error = ConnectionError;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, ConnectionError>> {
        let connection = self.connection.clone();
        let accept = self
            .incoming
            .get_or_insert_with(|| async move { connection.accept_bi().await }.boxed());
        let pair = std::task::ready!(accept.poll_unpin(cx));
        self.incoming = None;
        Poll::Ready(pair.map(Stream::from))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Stream, ConnectionError>> {
        let connection = self.connection.clone();
        let open = self
            .outgoing
            .get_or_insert_with(|| async move { connection.open_bi().await }.boxed());
        let pair = std::task::ready!(open.poll_unpin(cx));
        self.outgoing = None;
        Poll::Ready(pair.map(Stream::from))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        self.connection.close(CLOSE_NORMAL, b"");
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, ConnectionError>> {
        // Addresses do not change within a connection: migration is off.
        Poll::Pending
    }
}

/// A bidirectional stream.
pub struct Stream {
    send: SendStream,
    recv: RecvStream,
}

impl From<(SendStream, RecvStream)> for Stream {
    fn from((send, recv): (SendStream, RecvStream)) -> Self {
        Self { send, recv }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        AsyncRead::poll_read(Pin::new(&mut self.recv), cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(&mut self.send), cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.send), cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        AsyncWrite::poll_close(Pin::new(&mut self.send), cx)
    }
}
