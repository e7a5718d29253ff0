//! An encoded picture -> its pixels, within the limits that its header sets.

use std::io::Cursor;

use bytes::Bytes;
use image::{DynamicImage, ImageReader, Limits};

use crate::event::picture::PictureHead;

/// Bytes per pixel: up to four channels of 16 bit.
const BYTES_OF_STILL: u64 = 8;
/// Bytes per pixel: four channels of 8 bit, for each of the canvas, a part, the decoded part, and the pixels to restore after it.
const BYTES_OF_ANIMATION: u64 = 16;
/// How many bytes a decoder may use in addition to the picture itself.
const WORK_BYTES: u64 = 64 << 20;

/// Decodes a still with this header.
///
/// # Errors
/// The decoder's message.
pub(super) fn decode(picture: &Bytes, head: PictureHead) -> Result<DynamicImage, String> {
    let mut reader =
        ImageReader::new(Cursor::new(&**picture)).with_guessed_format().map_err(|error| error.to_string())?;
    reader.limits(limits_of(head));
    let decoded = reader.decode().map_err(|error| error.to_string())?;
    if (decoded.width(), decoded.height()) != (head.width, head.height) {
        return Err(format!("it turns out as {}x{} pixels", decoded.width(), decoded.height()));
    }
    Ok(decoded)
}

/// How much memory an animation of this size may take, in bytes.
pub(super) fn limit_of_animation(head: PictureHead) -> u64 {
    u64::from(head.width) * u64::from(head.height) * BYTES_OF_ANIMATION + WORK_BYTES
}

/// How much memory a decoder may take for a picture of this size.
fn limits_of(head: PictureHead) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(head.width);
    limits.max_image_height = Some(head.height);
    limits.max_alloc = Some(u64::from(head.width) * u64::from(head.height) * BYTES_OF_STILL + WORK_BYTES);
    limits
}
