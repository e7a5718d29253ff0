//! An animated picture -> its frames, one after another, each as a viewer shows it: drawn over the earlier frames.
//!
//! Pixels on which nothing was drawn are black, and transparent if this kind of picture has an alpha channel. Viewers ignore
//! the background colour that a GIF or WebP names, and so does this module. Each kind of picture has a reader of its parts.
//!
//! The crates for GIF and PNG return parts, and say how to blend them and dispose of them. The crate for WebP composes frames
//! itself, but not as libwebp does, so it only decodes each part of a WebP as a still. The same canvas draws the parts of all
//! kinds; between two frames it can be kept, and moved to any thread.

mod apng;
mod canvas;
mod gif;
mod webp;

use bytes::Bytes;
use image::ImageFormat;

use self::{
    apng::ApngParts,
    canvas::{Canvas, FramePart},
    gif::GifParts,
    webp::WebPParts,
};
use crate::event::picture::PictureHead;

/// An animation whose frames are decoded on request. It holds the encoded picture and at most two frames.
pub(super) struct Animation {
    parts: Parts,
    canvas: Canvas,
    /// How many of its frames were decoded, and how many it has.
    n_decoded: usize,
    of: usize,
}

/// What is drawn one after another.
enum Parts {
    Gif(Box<GifParts>),
    Apng(Box<ApngParts>),
    WebP(WebPParts),
}

impl Animation {
    /// For a picture with this header and this many frames. [`Self::advance`] decodes the first one.
    ///
    /// # Errors
    /// The decoder's message about the header.
    pub(super) fn new(picture: &Bytes, head: PictureHead, of: usize) -> Result<Self, String> {
        let format = image::guess_format(picture).map_err(|error| error.to_string())?;
        let parts = match format {
            ImageFormat::Png => Parts::Apng(Box::new(ApngParts::new(picture, head)?)),
            ImageFormat::WebP => Parts::WebP(WebPParts::new(picture.clone())),
            _ => Parts::Gif(Box::new(GifParts::new(picture)?)),
        };
        Ok(Self { parts, canvas: Canvas::new(head.width, head.height), n_decoded: 0, of })
    }

    /// Decodes the next frame.
    ///
    /// # Errors
    /// The decoder's message about the frame, or that there are fewer frames.
    pub(super) fn advance(&mut self) -> Result<(), String> {
        let (before, of) = (self.n_decoded, self.of);
        let part = self.part().map_err(|reason| format!("frame {} of {of}: {reason}", before + 1))?;
        self.canvas.draw(part.ok_or_else(|| format!("it ends after {before} of its {of} frames"))?);
        self.n_decoded += 1;
        Ok(())
    }

    fn part(&mut self) -> Result<Option<FramePart>, String> {
        let part = match &mut self.parts {
            Parts::Gif(gif) => gif.next(&self.canvas)?,
            Parts::Apng(apng) => apng.next(&self.canvas)?,
            Parts::WebP(webp) => webp.next(&self.canvas)?,
        };
        Ok(part)
    }

    /// How many frames were decoded.
    pub(super) fn n_decoded(&self) -> usize {
        self.n_decoded
    }

    /// Adds the last decoded frame to `bytes`, with this many channels: 1 gray, 2 gray and alpha, 3 colours, 4 with alpha.
    pub(super) fn append_to(&self, bytes: &mut Vec<u8>, channels: u8) {
        let pixels = self.canvas.pixels();
        // A gray picture has three equal colours here.
        match channels {
            1 => bytes.extend(pixels.iter().map(|[gray, ..]| gray)),
            2 => bytes.extend(pixels.iter().flat_map(|[gray, _, _, alpha]| [gray, alpha])),
            3 => bytes.extend(pixels.iter().flat_map(|[colors @ .., _]| colors)),
            _ => bytes.extend_from_slice(pixels.as_flattened()),
        }
    }
}
