//! Choices + a tensor's role, layout and shape -> exactly what to draw, or the option that is in the way.

mod axes;
mod limits;
mod settle;
mod shown_frames;
mod tiles;

use self::{
    axes::Axes,
    limits::{within_limits, within_patience},
    settle::{
        FACTORS, default_range, settle_blend, settle_cols, settle_layout, settle_order, settle_scope,
        settle_view,
    },
    tiles::{grid, tiles},
};
use super::{
    choices::{ChoiceError, Choices, Cmap, Labels, Order, Range, Scope, View},
    label,
};
use crate::{
    model::{layout::Layout, role::Role},
    tensor::{
        frames::{Frame, Frames},
        shape::Shape,
    },
};

/// The most pixels a sheet may have, zoom included.
pub const MOST_PIXELS: usize = 64 << 20;
/// The most tiles a sheet may have.
pub const MOST_TILES: usize = 1 << 18;

/// Everything settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What a tile is.
    pub view: View,
    /// Which axis is which.
    pub layout: Layout,
    /// Which numbers the colours' ends are.
    pub range: Range,
    /// Over what the range is taken.
    pub scope: Scope,
    /// How far the layer's range goes to that of each tile, from 0 to 1; above 0 with scope `layer` alone.
    pub blend: f64,
    /// The colours.
    pub cmap: Cmap,
    /// In which order the tiles stand; here they do not yet.
    pub order: Order,
    /// What stands above each tile.
    pub labels: Labels,
    /// Columns of the sheet.
    pub cols: usize,
    /// Pixels between and around tiles, before zooming.
    pub gutter: usize,
    /// Pixels an element.
    pub zoom: usize,
    /// How many frames the animated pictures have in all, of which the tiles may be some; 0 for stills.
    pub n_frames: usize,
    /// Where each tile's elements lie.
    pub tiles: Vec<Tile>,
    /// For each row of a tile, how far its first element lies behind the tile's.
    pub rows: Vec<usize>,
    /// For each column of a tile, how far its elements lie behind the row's first.
    pub cols_of_tile: Vec<usize>,
    /// How a pixel comes from elements.
    pub pixel: Pixel,
    /// Rows above each tile for its label, before zooming.
    pub label_rows: usize,
    /// Columns from the first of a tile to the gutter behind it, before zooming: more than those of the tile where its label
    /// is wider.
    pub cell_cols: usize,
}

/// One tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The filter, the map's channel or the sample.
    pub channel: usize,
    /// The input channel, in the view `matrix`.
    pub input: Option<usize>,
    /// The frame that it is of an animated picture.
    pub frame: Option<Frame>,
    /// The position of its first element.
    pub base: usize,
}

/// How a pixel comes from elements: positions are relative to the pixel's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixel {
    /// It is the element.
    Element,
    /// The L2 norm of elements at these distances, over all filters that begin at `bases`.
    Norm {
        /// One distance an input channel.
        inputs: Vec<usize>,
        /// The first element of every filter, drawn or not.
        bases: Vec<usize>,
    },
    /// Red, green and blue at these distances.
    Rgb([usize; 3]),
    /// Red, green and blue are the strengths of three factors over the input channels.
    Components {
        /// One distance an input channel.
        inputs: Vec<usize>,
        /// The first element of every filter, drawn or not.
        bases: Vec<usize>,
    },
}

/// The views that fit a layout, the default first.
#[must_use]
pub fn views(layout: Layout, role: Role) -> &'static [View] {
    match layout {
        Layout::Io | Layout::Oi | Layout::Nc => &[View::Matrix],
        _ if layout.is_depthwise() => &[View::Filters, View::Matrix],
        _ if !layout.is_activation() => {
            &[View::Filters, View::Matrix, View::Slice, View::Magnitude, View::Components]
        }
        _ if role == Role::Image => &[View::Image, View::Maps],
        _ if role == Role::Input => &[View::Samples, View::Maps],
        _ => &[View::Maps, View::Samples],
    }
}

/// Those of [`views`] that a tensor of this shape, whose layout has as many axes, can be drawn in.
#[must_use]
pub fn views_of(layout: Layout, role: Role, shape: &Shape) -> Vec<View> {
    let inputs = layout.axis('I').and_then(|axis| shape.axes().get(axis)).copied().unwrap_or(1);
    let fits = |view: &View| *view != View::Components || inputs >= FACTORS;
    views(layout, role).iter().copied().filter(fits).collect()
}

/// What is known of the tensor that is to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What it is to the network.
    pub role: Role,
    /// Which axis is which, as far as it was concluded.
    pub layout: Option<Layout>,
    /// The lengths of its axes.
    pub shape: &'a Shape,
    /// Whether its numbers are the bytes of pictures that somebody encoded.
    pub is_picture: bool,
    /// Which frames its first axis has, where pictures are animated.
    pub frames: Option<&'a Frames>,
}

/// Bytes of pictures, as they were encoded.
const PICTURE_RANGE: Range = Range::Fixed(0.0, 255.0);

/// Settles what to draw of a tensor.
///
/// # Errors
/// Choices that do not fit the tensor, and sheets beyond the limits of pixels and tiles.
pub fn plan(choices: &Choices, subject: &Subject<'_>) -> Result<Plan, ChoiceError> {
    let Subject { role, layout, shape, is_picture, frames } = *subject;
    let layout = settle_layout(choices, layout, shape)?;
    if shape.elements() == 0 {
        return Err(ChoiceError::new("tag", format!("a tensor of shape {shape} has no elements to draw")));
    }
    let axes = Axes { layout, lengths: shape.axes() };
    let (view, cmap) = settle_view(choices, subject, &axes)?;
    let (mut tiles, pixel) = tiles(choices, view, cmap, &axes)?;
    if let (View::Image | View::Samples, Some(frames)) = (view, frames) {
        tiles.iter_mut().zip(frames.each()).for_each(|(tile, frame)| tile.frame = Some(frame));
    }
    let (tiles, n_frames) = shown_frames::chosen(tiles, choices)?;
    let (rows, cols_of_tile) = match layout {
        Layout::Io | Layout::Oi => grid(&axes, 'I', 'O'),
        Layout::Nc => grid(&axes, 'N', 'C'),
        _ => axes.tile_grid(),
    };
    let range =
        choices.range.unwrap_or_else(|| if is_picture { PICTURE_RANGE } else { default_range(role, view) });
    let zoom = choices.zoom.unwrap_or(1);
    let labels = choices.labels.unwrap_or(Labels::None);
    let (label_rows, label_cols) = label_size(labels, &tiles, zoom);
    let plan = Plan {
        view,
        layout,
        range,
        scope: settle_scope(choices, range)?,
        blend: settle_blend(choices, range)?,
        cmap,
        order: settle_order(choices, view)?,
        labels,
        cols: settle_cols(choices, view, &axes, &tiles)?,
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
    let plan = shown_frames::as_many_as_fit(plan, choices, |tiles| settle_cols(choices, view, &axes, tiles))?;
    within_limits(&plan)?;
    within_patience(&plan)?;
    Ok(plan)
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

impl Plan {
    /// Rows of the sheet.
    #[must_use]
    pub fn grid_rows(&self) -> usize {
        self.tiles.len().div_ceil(self.cols)
    }

    /// Width and height of the sheet in pixels, zoom included.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let side = |cells: usize, cell: usize| {
            cells.saturating_mul(cell + self.gutter).saturating_add(self.gutter).saturating_mul(self.zoom)
        };
        (side(self.cols, self.cell_cols), side(self.grid_rows(), self.label_rows + self.rows.len()))
    }

    /// The column and row of a tile's first pixel, zoom not included. Its label begins `label_rows` above.
    #[must_use]
    pub fn origin(&self, tile_idx: usize) -> (usize, usize) {
        let (col, row) = (tile_idx % self.cols, tile_idx / self.cols);
        let (gutter, cell_rows) = (self.gutter, self.label_rows + self.rows.len());
        (gutter + col * (self.cell_cols + gutter), gutter + row * (cell_rows + gutter) + self.label_rows)
    }

    /// How many numbers make a tile.
    #[must_use]
    pub fn tile_len(&self) -> usize {
        let components = match self.pixel {
            Pixel::Element | Pixel::Norm { .. } => 1,
            Pixel::Rgb(_) | Pixel::Components { .. } => 3,
        };
        self.rows.len() * self.cols_of_tile.len() * components
    }

    /// Whether the range is that of all steps, which has to be found first.
    #[must_use]
    pub fn needs_run(&self) -> bool {
        self.scope == Scope::Run && !matches!(self.range, Range::Fixed(..))
    }

    /// Whether the tensor of the step before is needed.
    #[must_use]
    pub fn needs_before(&self) -> bool {
        self.order == Order::Change
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        let found = plan.map(|plan| (plan.view, plan.cmap, plan.size())).map_err(|error| error.to_string());
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
            assert_eq!((plan.view, plan.cmap, plan.range.text().as_str(), plan.tiles.len()), expected);
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
            for tile_idx in 0..plan.tiles.len() {
                let (x0, y0) = plan.origin(tile_idx);
                for (x, y) in (0..2).flat_map(|x| (0..3).map(move |y| (x, y))) {
                    covered[(y0 + y) * width + x0 + x] += 1;
                }
            }
            prop_assert!(covered.iter().all(|&times| times <= 1));
            prop_assert_eq!(covered.iter().sum::<i32>(), i32::try_from(n * 6).unwrap());
        }
    }
}
