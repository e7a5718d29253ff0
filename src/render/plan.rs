//! Choices + a tensor's role, layout and shape -> exactly what to draw, or the option that prevents it.

mod axes;
mod fits;
mod fitting;
pub(super) mod geometry;
mod limits;
mod paint;
mod scale;
mod settle;
mod shown_frames;
mod tiles;

use self::{
    axes::Axes,
    limits::{within_limits, within_patience},
    settle::{
        settle_blend, settle_cols, settle_layout, settle_order, settle_scope, settle_view, usual_range,
    },
    tiles::{grid, tiles},
};
pub use self::{
    fits::{Kind, RangeFits, ViewFits, fits, fits_of_ranges},
    fitting::{Subject, views, views_of},
    geometry::{Geometry, MOST_PIXELS, MOST_TILES, Pixel, Tile},
    paint::{NonFinite, Paint},
    scale::Scale,
};
use super::{
    choices::{ChoiceError, Choices, Cmap, Labels, View},
    label,
};

use crate::model::layout::Layout;

/// What is drawn of a tensor, with no default left open. The geometry gathers numbers, the scale turns them into levels, the
/// paint turns levels into colours.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which elements make which tile, and where the tiles are.
    pub geometry: Geometry,
    /// How numbers become levels.
    pub scale: Scale,
    /// How levels become colours.
    pub paint: Paint,
}

impl Plan {
    /// Whether the range is that of all steps, which must be computed first.
    #[must_use]
    pub fn needs_run(&self) -> bool {
        self.scale.needs_run()
    }

    /// Whether the tensor of the previous step is needed.
    #[must_use]
    pub fn needs_before(&self) -> bool {
        self.geometry.needs_before()
    }

    /// Width and height of the picture in pixels, zoom included.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.geometry.size()
    }
}

/// Decides what to draw of a tensor.
///
/// # Errors
/// Choices that do not fit the tensor, and sheets beyond the limits of pixels and tiles.
pub fn plan(choices: &Choices, subject: &Subject<'_>) -> Result<Plan, ChoiceError> {
    let Subject { layout, shape, .. } = *subject;
    let layout = settle_layout(choices, layout, shape)?;
    if shape.elements() == 0 {
        return Err(ChoiceError::new("tag", format!("a tensor of shape {shape} has no elements to draw")));
    }
    let axes = Axes { layout, lengths: shape.axes() };
    let (view, cmap) = settle_view(choices, subject, &axes)?;
    let range = choices.range.unwrap_or_else(|| usual_range(subject, view));
    let scope = settle_scope(choices, range)?;
    let scale = Scale { range, scope, blend: settle_blend(choices, range)? };
    let geometry = geometry(choices, subject, &axes, (view, cmap))?;
    Ok(Plan { geometry, scale, paint: Paint::new(cmap, range) })
}

fn geometry(
    choices: &Choices,
    subject: &Subject<'_>,
    axes: &Axes<'_>,
    (view, cmap): (View, Cmap),
) -> Result<Geometry, ChoiceError> {
    let (mut tiles, pixel) = tiles(choices, view, cmap, axes)?;
    if let (View::Image | View::Samples, Some(frames)) = (view, subject.frames) {
        tiles.iter_mut().zip(frames.each()).for_each(|(tile, frame)| tile.frame = Some(frame));
    }
    let (tiles, n_frames) = shown_frames::chosen(tiles, choices)?;
    let (rows, cols_of_tile) = match axes.layout {
        Layout::Io | Layout::Oi => grid(axes, 'I', 'O'),
        Layout::Nc => grid(axes, 'N', 'C'),
        _ => axes.tile_grid(),
    };
    let zoom = choices.zoom.unwrap_or(1);
    let labels = choices.labels.unwrap_or(Labels::None);
    let (label_rows, label_cols) = label_size(labels, &tiles, zoom);
    let geometry = Geometry {
        view,
        layout: axes.layout,
        order: settle_order(choices, view)?,
        labels,
        cols: settle_cols(choices, view, axes, &tiles)?,
        gutter: choices.gutter.unwrap_or(1),
        zoom,
        n_frames,
        label_rows,
        cell_cols: label_cols.max(cols_of_tile.len()),
        tiles,
        rows,
        cols_of_tile,
        pixel,
    };
    let cols = |tiles: &[Tile]| settle_cols(choices, view, axes, tiles);
    let geometry = shown_frames::as_many_as_fit(geometry, choices, cols)?;
    within_limits(&geometry)?;
    within_patience(&geometry)?;
    Ok(geometry)
}

/// The choices of a plan that decide the codes of its sheet, with all defaults filled in: all except the colour map, for which it
/// only matters whether it is `rgb`. Equal choices give equal codes for tensors of the same shape.
#[must_use]
pub fn choices_of_codes(plan: &Plan, choices: &Choices) -> Choices {
    let Plan { geometry, scale, paint } = plan;
    Choices {
        view: Some(geometry.view),
        layout: Some(geometry.layout),
        order: Some(geometry.order),
        labels: Some(geometry.labels),
        cols: Some(geometry.cols),
        gutter: Some(geometry.gutter),
        zoom: Some(geometry.zoom),
        range: Some(scale.range),
        scope: Some(scale.scope),
        blend: Some(scale.blend),
        cmap: (paint.cmap == Cmap::Rgb).then_some(Cmap::Rgb),
        ..choices.clone()
    }
}

/// Rows and columns that labels take, in pixels before zooming.
fn label_size(labels: Labels, tiles: &[Tile], zoom: usize) -> (usize, usize) {
    match labels {
        Labels::None => (0, 0),
        Labels::Index => {
            let widest = tiles.iter().map(|tile| label::width_px(&label::text(tile))).max().unwrap_or(0);
            (label::HEIGHT_PX.div_ceil(zoom), widest.div_ceil(zoom))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{model::role::Role, render::choices::Cmap, tensor::shape::Shape};

    fn check(
        pairs: &[(&str, &str)],
        layout: Layout,
        dims: &[i64],
        expected: Result<(View, Cmap, (usize, usize)), &str>,
    ) {
        let choices = Choices::parse(pairs.iter().copied()).unwrap();
        let role = if layout.is_activation() { Role::Activation } else { Role::Kernel };
        let shape = Shape::new(dims).unwrap();
        let plan = plan(
            &choices,
            &Subject { role, layout: Some(layout), shape: &shape, is_picture: false, frames: None },
        );
        let found = plan
            .map(|plan| (plan.geometry.view, plan.paint.cmap, plan.size()))
            .map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn defaults_follow_role_and_channels() {
        check(&[], Layout::Hwio, &[5, 5, 3, 64], Ok((View::Filters, Cmap::Rgb, (49, 49))));
        check(&[], Layout::Hwio, &[5, 5, 1, 7], Ok((View::Filters, Cmap::RdBu, (19, 19))));
        check(&[], Layout::Oihw, &[61, 4, 3, 3], Ok((View::Magnitude, Cmap::Viridis, (33, 33))));
        check(&[], Layout::Hwim, &[3, 3, 8, 2], Ok((View::Filters, Cmap::RdBu, (17, 17))));
        check(&[], Layout::Nchw, &[2, 6, 10, 8], Ok((View::Maps, Cmap::Viridis, (28, 23))));
        check(&[("view", "matrix")], Layout::Hwio, &[3, 3, 2, 5], Ok((View::Matrix, Cmap::RdBu, (21, 9))));
        check(&[], Layout::Io, &[4, 9], Ok((View::Matrix, Cmap::RdBu, (11, 6))));
        check(&[], Layout::Dhwio, &[2, 3, 3, 1, 1], Ok((View::Filters, Cmap::RdBu, (8, 5))));
        check(&[("cmap", "gray")], Layout::Hwio, &[5, 5, 3, 64], Ok((View::Magnitude, Cmap::Gray, (49, 49))));
    }

    #[test]
    fn components_need_three_inputs() {
        let views = |dims: &[i64]| views_of(Layout::Hwio, Role::Kernel, &Shape::new(dims).unwrap());
        assert!(views(&[3, 3, 3, 8]).contains(&View::Components));
        assert!(!views(&[3, 3, 2, 8]).contains(&View::Components));
        check(
            &[("view", "components")],
            Layout::Hwio,
            &[3, 3, 2, 8],
            Err(
                "view: components shows three factors over the input channels, of which there are 2: use filters, matrix, slice or magnitude",
            ),
        );
    }

    #[test]
    fn labels_make_room_for_themselves() {
        let labels = |zoom| [("labels", "index"), ("zoom", zoom)];
        // 61 tiles in 8 columns and rows, two letters of 11 pixels, 9 rows.
        let one = (View::Filters, Cmap::RdBu, (8 * 12 + 1, 8 * 13 + 1));
        check(&labels("1"), Layout::Hwio, &[3, 3, 1, 61], Ok(one));
        let four = (View::Filters, Cmap::RdBu, (4 * (8 * 4 + 1), 4 * (8 * 7 + 1)));
        check(&labels("4"), Layout::Hwio, &[3, 3, 1, 61], Ok(four));
    }

    #[test]
    fn pictures_are_drawn_as_they_were_encoded() {
        let check = |role, dims: &[i64], expected| {
            let shape = Shape::new(dims).unwrap();
            let subject =
                Subject { role, layout: Some(Layout::Nhwc), shape: &shape, is_picture: true, frames: None };
            let plan = plan(&Choices::default(), &subject).unwrap();
            assert_eq!(
                (
                    plan.geometry.view,
                    plan.paint.cmap,
                    plan.scale.range.text().as_str(),
                    plan.geometry.tiles.len()
                ),
                expected
            );
        };
        check(Role::Image, &[5, 4, 4, 1], (View::Image, Cmap::Gray, "fixed:0:255", 5));
        check(Role::Image, &[5, 4, 4, 4], (View::Image, Cmap::Rgb, "fixed:0:255", 5));
        check(Role::Input, &[2, 4, 4, 3], (View::Samples, Cmap::Rgb, "fixed:0:255", 2));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        check(
            &[("cmap", "rgb")],
            Layout::Hwio,
            &[3, 3, 7, 7],
            Err(
                "cmap: rgb needs the view filters with 3 input channels, or the view samples or image with all of 3 channels",
            ),
        );
        check(
            &[("sample", "2")],
            Layout::Nhwc,
            &[2, 4, 4, 4],
            Err("sample: there is no sample 2: 0 to 1 are there"),
        );
        check(
            &[("view", "maps")],
            Layout::Hwio,
            &[3, 3, 1, 1],
            Err(
                "view: maps does not fit the layout HWIO: use one of filters, matrix, slice, magnitude, components",
            ),
        );
        check(
            &[("layout", "NWC")],
            Layout::Hwio,
            &[3, 3, 1, 1],
            Err(
                "layout: NWC does not fit the shape [3, 3, 1, 1]: use one of HWIO, OIHW, HWIM, HWOI, IOHW, OHWI, NHWC, NCHW",
            ),
        );
        check(
            &[("zoom", "64")],
            Layout::Nhwc,
            &[1, 500, 500, 1],
            Err("zoom: a sheet of 32128x32128 pixels is above the limit of 67108864: choose a smaller zoom"),
        );
    }

    proptest! {
        #[test]
        fn a_sheet_covers_each_tile_once(n in 1_i64..70, cols in prop::option::of(1_usize..80), gutter in 0_usize..4) {
            let choices = Choices { cols, gutter: Some(gutter), ..Choices::default() };
            let shape = Shape::new(&[3, 2, 1, n]).unwrap();
            let subject =
                Subject { role: Role::Kernel, layout: Some(Layout::Hwio), shape: &shape, is_picture: false, frames: None };
            let plan = plan(&choices, &subject).unwrap();
            let (width, height) = plan.size();
            let mut covered = vec![0; width * height];
            for tile_idx in 0..plan.geometry.tiles.len() {
                let (x0, y0) = plan.geometry.origin(tile_idx);
                for (x, y) in (0..2).flat_map(|x| (0..3).map(move |y| (x, y))) {
                    covered[(y0 + y) * width + x0 + x] += 1;
                }
            }
            prop_assert!(covered.iter().all(|&times| times <= 1));
            prop_assert_eq!(covered.iter().sum::<i32>(), i32::try_from(n * 6).unwrap());
        }
    }
}
