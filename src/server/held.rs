//! The body of an answer -> the same, and its connection rests when it has gone out.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::body::{Body, Frame, SizeHint};

use super::connections::Connected;

pub(super) struct Held<B> {
    body: Pin<Box<B>>,
    connected: Arc<Connected>,
}

impl<B> Held<B> {
    pub(super) fn new(body: B, connected: Arc<Connected>) -> Self {
        Self { body: Box::pin(body), connected }
    }
}

impl<B> Drop for Held<B> {
    fn drop(&mut self) {
        self.connected.rest();
    }
}

impl<B: Body> Body for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
