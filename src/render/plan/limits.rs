//! Which pictures are too large to be drawn, and the option that makes them smaller.

use super::{
    geometry::{Geometry, MOST_PIXELS, MOST_TILES},
    shown_frames,
};

use crate::render::choices::{ChoiceError, Order};

/// Comparing all pairs of tiles may take this many multiplications, which take some seconds.
const MOST_PRODUCTS: u128 = 4 << 30;

pub(super) fn too_many_tiles(n: usize) -> ChoiceError {
    ChoiceError::new(
        "channels",
        format!("{n} tiles are above the limit of {MOST_TILES}: choose fewer, as in channels=0-15"),
    )
}

pub(super) fn within_limits(geometry: &Geometry) -> Result<(), ChoiceError> {
    if geometry.tiles.len() > MOST_TILES {
        return Err(too_many_tiles(geometry.tiles.len()));
    }
    let (width, height) = geometry.size();
    let pixels = (width as u128) * (height as u128);
    if pixels <= MOST_PIXELS as u128 {
        return Ok(());
    }
    let frames = if shown_frames::fits(geometry) { None } else { shown_frames::that_fit(geometry) };
    let (option, advice) = match frames {
        Some(frames) => ("frames", format!("choose fewer, as in frames={frames}")),
        None if geometry.zoom > 1 => ("zoom", "choose a smaller zoom".to_owned()),
        None => ("channels", "choose fewer, as in channels=0-15".to_owned()),
    };
    let message = format!("a sheet of {width}x{height} pixels is above the limit of {MOST_PIXELS}: {advice}");
    Err(ChoiceError::new(option, message))
}

/// The order `similarity` compares all pairs of tiles.
pub(super) fn within_patience(geometry: &Geometry) -> Result<(), ChoiceError> {
    let (n, tile_len) = (geometry.tiles.len(), geometry.tile_len());
    let products = (n as u128) * (n as u128) * (tile_len as u128);
    if geometry.order != Order::Similarity || products <= MOST_PRODUCTS {
        return Ok(());
    }
    let message = format!(
        "similarity of {n} tiles of {tile_len} numbers takes too long: choose fewer, as in channels=0-63, or use norm"
    );
    Err(ChoiceError::new("order", message))
}
