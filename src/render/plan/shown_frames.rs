//! The tiles of animated pictures and a choice of frames -> those that are drawn.
//!
//! If nothing is chosen and a sheet of all frames would be too large, every Nth frame is drawn, with the least N that fits.

use std::collections::BTreeMap;

use super::{
    geometry::{Geometry, MOST_PIXELS, MOST_TILES, Tile},
    settle::near_square,
};

use crate::render::choices::{ChoiceError, Choices};

impl Geometry {
    /// How many of the frames are drawn, in words such as `150 of 300 frames`; `None` if all are drawn, or there are none.
    #[must_use]
    pub fn some_frames(&self) -> Option<String> {
        (self.tiles.len() < self.n_frames)
            .then(|| format!("{} of {} frames", self.tiles.len(), self.n_frames))
    }
}

/// The tiles of the chosen frames, and how many frames there are in total.
///
/// # Errors
/// If no tile is a frame, or none of the pictures has that many frames.
pub(super) fn chosen(mut tiles: Vec<Tile>, choices: &Choices) -> Result<(Vec<Tile>, usize), ChoiceError> {
    let n_frames = tiles.iter().filter(|tile| tile.frame.is_some()).count();
    let Some(list) = &choices.frames else { return Ok((tiles, n_frames)) };
    let Some(of) = tiles.iter().filter_map(|tile| Some(tile.frame?.of)).max() else {
        let message = "these tiles are no frames that a sheet may choose: leave it out; a film over frames takes from, to and every";
        return Err(ChoiceError::new("frames", message));
    };
    if list.greatest() > of {
        let message = format!("there is no frame {}: 1 to {of} are there", list.greatest());
        return Err(ChoiceError::new("frames", message));
    }
    tiles.retain(|tile| tile.frame.is_some_and(|frame| list.holds(frame.number)));
    Ok((tiles, n_frames))
}

/// The geometry with every Nth frame, so that it fits without zoom; unchanged if frames were chosen. `cols` returns the number of
/// columns for a number of tiles.
///
/// # Errors
/// Those of `cols`.
pub(super) fn as_many_as_fit(
    mut geometry: Geometry,
    choices: &Choices,
    cols: impl Fn(&[Tile]) -> Result<usize, ChoiceError>,
) -> Result<Geometry, ChoiceError> {
    if choices.frames.is_some() || fits(&geometry) || geometry.tiles.iter().all(|tile| tile.frame.is_none()) {
        return Ok(geometry);
    }
    let all = std::mem::take(&mut geometry.tiles);
    let most = all.iter().filter_map(|tile| Some(tile.frame?.of)).max().unwrap_or(1);
    for every in 2..=most {
        let is_shown = |tile: &&Tile| tile.frame.is_none_or(|frame| (frame.number - 1).is_multiple_of(every));
        geometry.tiles = all.iter().filter(is_shown).cloned().collect();
        geometry.cols = cols(&geometry.tiles)?;
        if fits(&geometry) {
            break;
        }
    }
    Ok(geometry)
}

/// A choice of frames that fits, as a person would write it: every Nth from the first to the last. `None` if there are no
/// frames, or if one frame of each picture is already too large.
pub(super) fn that_fit(geometry: &Geometry) -> Option<String> {
    let frames = || geometry.tiles.iter().filter_map(|tile| tile.frame);
    let first = frames().map(|frame| frame.number).min()?;
    let last = frames().map(|frame| frame.number).max()?;
    let pictures: BTreeMap<_, _> = frames().map(|frame| (frame.picture, frame.of)).collect();
    let is_near_square = geometry.cols == near_square(geometry.tiles.len());
    let fits = |every: &usize| {
        let of_one = |of: usize| (of.min(last) + 1).saturating_sub(first).div_ceil(*every);
        let n = pictures.values().map(|of| of_one(*of)).sum::<usize>();
        let cols = if is_near_square { near_square(n) } else { geometry.cols.min(n) };
        let side = |cells: usize, cell: usize| (cells * (cell + geometry.gutter) + geometry.gutter) as u128;
        let height = side(n.div_ceil(cols), geometry.label_rows + geometry.rows.len());
        n <= MOST_TILES && side(cols, geometry.cell_cols) * height <= MOST_PIXELS as u128
    };
    let every = (1..=last - first + 1).find(fits)?;
    Some(if every == 1 { format!("{first}-{last}") } else { format!("{first}-{last}/{every}") })
}

/// Whether the sheet is within the limits without zoom.
pub(super) fn fits(geometry: &Geometry) -> bool {
    let (width, height) = geometry.size();
    let pixels = (width / geometry.zoom) as u128 * (height / geometry.zoom) as u128;
    geometry.tiles.len() <= MOST_TILES && pixels <= MOST_PIXELS as u128
}

#[cfg(test)]
mod tests {
    use crate::{
        model::{layout::Layout, role::Role},
        render::{
            choices::Choices,
            plan::{Geometry, Subject, plan},
        },
        tensor::{frames::Frames, shape::Shape},
    };

    fn planned(counts: &[usize], side: i64, options: &[(&str, &str)]) -> Result<Geometry, String> {
        let shape = Shape::new(&[counts.iter().sum::<usize>() as i64, side, side, 1]).unwrap();
        let frames = Frames::of(counts.to_vec());
        let (role, layout) = (Role::Image, Some(Layout::Nhwc));
        let subject = Subject { role, layout, shape: &shape, is_picture: true, frames: Some(&frames) };
        let choices = Choices::parse(options.iter().copied()).unwrap();
        plan(&choices, &subject).map(|plan| plan.geometry).map_err(|error| error.to_string())
    }

    fn numbers(geometry: &Geometry) -> Vec<usize> {
        geometry.tiles.iter().map(|tile| tile.frame.unwrap().number).collect()
    }

    #[test]
    fn chosen_frames_are_tiles_of_each_picture() {
        let chosen = |frames| planned(&[5, 3], 4, &[("frames", frames)]).map(|geometry| numbers(&geometry));
        assert_eq!(chosen("1-5/2"), Ok(vec![1, 3, 5, 1, 3]));
        assert_eq!(chosen("4"), Ok(vec![4]));
        assert_eq!(chosen("2-6"), Err("frames: there is no frame 6: 1 to 5 are there".to_owned()));
        assert!(
            planned(&[1, 1], 4, &[("frames", "1")]).unwrap_err().starts_with("frames: these tiles are no")
        );
        assert_eq!(planned(&[5], 4, &[("frames", "2-3")]).unwrap().tiles[0].base, 16);
    }

    #[test]
    fn where_all_frames_are_too_many_every_nth_is_drawn() {
        // 300 frames of 512x512 are 78.6 million pixels, of which 67.1 fit.
        let geometry = planned(&[300], 512, &[]).unwrap();
        assert_eq!(numbers(&geometry), (1..=300).step_by(2).collect::<Vec<_>>());
        assert_eq!(numbers(&planned(&[200], 512, &[]).unwrap()).len(), 200, "these fit");
        assert_eq!(planned(&[300], 512, &[("cols", "3")]).unwrap().cols, 3);
    }

    #[test]
    fn a_choice_that_is_too_large_names_one_that_fits() {
        for (counts, side, frames) in [
            (&[300][..], 512, "1-300"),
            (&[300, 300], 512, "5-290"),
            (&[40], 2000, "2-40/2"),
            (&[70], 4096, "1-70"),
        ] {
            let error = planned(counts, side, &[("frames", frames)]).unwrap_err();
            let (_, named) = error.split_once("as in frames=").unwrap_or_else(|| panic!("{error}"));
            let geometry = planned(counts, side, &[("frames", named)]).unwrap();
            assert!(geometry.tiles.len() > 1, "{named}");
        }
    }
}
