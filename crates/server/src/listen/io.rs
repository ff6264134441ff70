//! The socket as the protocol sees it: with the bytes that were read to find out the protocol in front, and
//! with a note of when bytes arrive.

use super::activity::Activity;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What an HTTP/2 client says first (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The first bytes of a connection, as many as were needed to tell the protocol.
#[derive(Debug, Default)]
pub(super) struct FirstBytes {
    bytes: [u8; PREFACE.len()],
    len: usize,
}

impl FirstBytes {
    /// Reads until it is clear what is spoken. `None` when the client went without a word.
    pub(super) async fn read<I: AsyncRead + Unpin>(io: &mut I) -> io::Result<Option<Self>> {
        let mut this = Self::default();
        while this.len < PREFACE.len() && PREFACE.starts_with(&this.bytes[..this.len]) {
            let read = io.read(&mut this.bytes[this.len..]).await?;
            if read == 0 {
                return Ok((this.len > 0).then_some(this));
            }
            this.len += read;
        }
        Ok(Some(this))
    }

    /// Whether they are the preface of HTTP/2.
    pub(super) fn are_http2(&self) -> bool {
        self.bytes[..self.len] == PREFACE[..]
    }
}

/// A socket with its first bytes in front.
#[derive(Debug)]
pub(super) struct Watched<I> {
    io: I,
    first: FirstBytes,
    given: usize,
    activity: Arc<Activity>,
}

impl<I> Watched<I> {
    pub(super) fn new(io: I, first: FirstBytes, activity: Arc<Activity>) -> Self {
        if first.len > 0 {
            activity.bytes_arrived();
        }
        Self {
            io,
            first,
            given: 0,
            activity,
        }
    }

    pub(super) fn into_inner(self) -> I {
        self.io
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let left = &this.first.bytes[this.given..this.first.len];
        if !left.is_empty() {
            let now = left.len().min(into.remaining());
            into.put_slice(&left[..now]);
            this.given += now;
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, into);
        if into.filled().len() > before {
            this.activity.bytes_arrived();
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        if polled.is_pending() {
            self.activity.writing_blocks();
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        match &polled {
            Poll::Ready(_) => self.activity.all_written(),
            Poll::Pending => self.activity.writing_blocks(),
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        if polled.is_pending() {
            self.activity.writing_blocks();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
