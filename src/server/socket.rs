//! A TCP stream whose writes must make progress: if a client reads nothing for too long, writing fails.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::connections::ClientProgress;

/// A client that reads nothing for this long, although bytes are ready, is disconnected. A slow client must read about 64 KiB in this
/// time, because only then does the system accept more bytes for it.
pub(super) const TAKES_WITHIN: Duration = Duration::from_secs(20);

/// The stream of a connection.
pub(super) struct Socket<S> {
    stream: S,
    progress: Arc<ClientProgress>,
    within: Duration,
    /// The deadline while a write waits for the client.
    until: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(super) fn new(stream: S, progress: Arc<ClientProgress>, within: Duration) -> Self {
        Self { stream, progress, within, until: None }
    }

    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = &written {
            self.progress.took(*result.as_ref().unwrap_or(&0));
            if self.until.take().is_some() {
                self.progress.resumed();
            }
            return written;
        }
        let (progress, within) = (&self.progress, self.within);
        let until = self.until.get_or_insert_with(|| {
            progress.stalled();
            Box::pin(sleep(within))
        });
        until
            .as_mut()
            .poll(context)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing of its answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn a_client_that_takes_nothing_ends_the_write() {
        let progress = Arc::new(ClientProgress::new());
        let error = block_on(async {
            let (_client, server) = duplex(4);
            let mut socket = Socket::new(server, Arc::clone(&progress), Duration::from_millis(1));
            socket.write_all(b"more than four").await.unwrap_err()
        });
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(progress.is_stalled());
    }

    #[test]
    fn a_slow_client_gets_everything() {
        let progress = Arc::new(ClientProgress::new());
        let read = block_on(async {
            let (mut client, server) = duplex(1);
            let mut socket = Socket::new(server, Arc::clone(&progress), Duration::from_secs(3600));
            let write = async { socket.write_all(b"letter by letter").await.map(|()| drop(socket)) };
            let mut read = String::new();
            let (written, _) = tokio::join!(write, client.read_to_string(&mut read));
            written.unwrap();
            read
        });
        assert_eq!(read, "letter by letter");
        assert!(!progress.is_stalled());
    }
}
