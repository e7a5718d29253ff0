//! An animated picture -> its frames, each as a viewer shows it: over what the frames before left there.
//!
//! Where nothing has been drawn, a frame is black, and transparent where its kind of picture has an alpha channel. Viewers ignore
//! the background colour that a GIF or WebP names, and so does this.

use std::io::Cursor;

use bytes::Bytes;
use image::{
    AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageFormat, ImageResult, Limits,
    codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder},
};

/// Gives the first `count` frames, in RGBA.
///
/// # Errors
/// What the decoder says of the first frame that cannot be decoded, or that there are fewer.
pub(super) fn each_frame(
    picture: &Bytes,
    limits: Limits,
    count: usize,
    mut take: impl FnMut(DynamicImage),
) -> Result<(), String> {
    let mut frames = frames(picture, limits).map_err(|error| error.to_string())?;
    for before in 0..count {
        let frame = frames.next().ok_or_else(|| format!("it ends behind {before} of its {count} frames"))?;
        let frame = frame.map_err(|error| format!("frame {} of {count}: {error}", before + 1))?;
        take(frame.into_buffer().into());
    }
    Ok(())
}

fn frames(picture: &Bytes, limits: Limits) -> ImageResult<Frames<'_>> {
    let bytes = Cursor::new(&**picture);
    match image::guess_format(picture)? {
        ImageFormat::Png => Ok(PngDecoder::with_limits(bytes, limits)?.apng()?.into_frames()),
        ImageFormat::WebP => {
            let mut decoder = WebPDecoder::new(bytes)?;
            decoder.set_limits(limits)?;
            Ok(decoder.into_frames())
        }
        _ => {
            let mut decoder = GifDecoder::new(bytes)?;
            decoder.set_limits(limits)?;
            Ok(decoder.into_frames())
        }
    }
}
