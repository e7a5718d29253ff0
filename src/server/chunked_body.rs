//! The body of an answer -> the same body in short pieces; after the last piece, its connection counts as idle.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::connections::ConnectionHandle;

/// hyper drops a body when it has taken the last piece from it, so pieces are short: then only a few bytes are still unsent.
const PIECE_BYTES: usize = 128 << 10;

pub(super) struct ChunkedBody<B> {
    body: Pin<Box<B>>,
    /// The rest of the newest frame of `body`.
    rest: Bytes,
    connection: Arc<ConnectionHandle>,
}

impl<B> ChunkedBody<B> {
    pub(super) fn new(body: B, connection: Arc<ConnectionHandle>) -> Self {
        Self { body: Box::pin(body), rest: Bytes::new(), connection }
    }
}

impl<B> Drop for ChunkedBody<B> {
    fn drop(&mut self) {
        self.connection.set_idle();
    }
}

impl<B: Body<Data = Bytes>> Body for ChunkedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            match ready!(self.body.as_mut().poll_frame(context)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let len = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(len)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;
    use crate::server::{connections::Connections, limits::ConnectionLimits};

    #[tokio::test]
    async fn a_body_goes_out_piece_by_piece_with_its_length() {
        let (connection, _) = Connections::new(ConnectionLimits::of(1024)).admit().unwrap();
        let bytes: Vec<u8> = (0..3 * PIECE_BYTES + 5).map(|i| i as u8).collect();
        let mut body = ChunkedBody::new(Full::new(Bytes::from(bytes.clone())), Arc::new(connection));
        let mut sent = Vec::new();
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(piece.len() <= PIECE_BYTES);
            sent.extend_from_slice(&piece);
            assert_eq!(body.size_hint().exact(), Some((bytes.len() - sent.len()) as u64));
            assert_eq!(body.is_end_stream(), sent.len() == bytes.len());
        }
        assert_eq!(sent, bytes);
    }
}
