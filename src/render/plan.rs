//! Choices + a tensor's role, layout and shape -> exactly what to draw, or the option that is in the way.

use super::{
    choices::{ChoiceError, Choices, Cmap, Labels, Order, Range, Scope, View},
    label,
};
use crate::{
    model::{layout::Layout, role::Role},
    tensor::shape::Shape,
};

/// The most pixels a sheet may have, zoom included.
pub const MOST_PIXELS: usize = 64 << 20;
/// The most tiles a sheet may have.
pub const MOST_TILES: usize = 1 << 18;

/// Comparing all pairs of tiles may take this many products: some seconds.
const MOST_PRODUCTS: u128 = 4 << 30;

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

/// As many colours as a pixel has.
const FACTORS: usize = 3;

/// Length and stride of a tensor's axes by letter; an axis that is not there has length 1.
struct Axes<'a> {
    layout: Layout,
    lengths: &'a [usize],
}

impl Axes<'_> {
    fn len(&self, letter: char) -> usize {
        self.layout.axis(letter).map_or(1, |axis| self.lengths[axis])
    }

    /// How far apart neighbours along this axis lie.
    fn stride(&self, letter: char) -> usize {
        self.layout.axis(letter).map_or(0, |axis| self.lengths[axis + 1..].iter().product())
    }

    fn outputs(&self) -> usize {
        if self.layout.is_depthwise() { self.len('I') * self.len('M') } else { self.len('O') }
    }

    /// Distances of a tile's rows and columns. Depth slices stand side by side; one-dimensional kernels are rows.
    fn tile_grid(&self) -> (Vec<usize>, Vec<usize>) {
        let rows = (0..self.len('H')).map(|y| y * self.stride('H')).collect();
        let cols = (0..self.len('D')).flat_map(|z| (0..self.len('W')).map(move |x| (z, x)));
        (rows, cols.map(|(z, x)| z * self.stride('D') + x * self.stride('W')).collect())
    }
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
}

/// Bytes of pictures, as they were encoded.
const PICTURE_RANGE: Range = Range::Fixed(0.0, 255.0);

/// Settles what to draw of a tensor.
///
/// # Errors
/// Choices that do not fit the tensor, and sheets beyond the limits of pixels and tiles.
pub fn plan(choices: &Choices, subject: &Subject<'_>) -> Result<Plan, ChoiceError> {
    let Subject { role, layout, shape, is_picture } = *subject;
    let layout = settle_layout(choices, layout, shape)?;
    if shape.elements() == 0 {
        return Err(ChoiceError::new("tag", format!("a tensor of shape {shape} has no elements to draw")));
    }
    let axes = Axes { layout, lengths: shape.axes() };
    let (view, cmap) = settle_view(choices, subject, &axes)?;
    let (tiles, pixel) = tiles(choices, view, cmap, &axes)?;
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
        label_rows,
        cell_cols: label_cols.max(cols_of_tile.len()),
        tiles,
        rows,
        cols_of_tile,
        pixel,
    };
    within_limits(&plan)?;
    within_patience(&plan)?;
    Ok(plan)
}

fn settle_layout(choices: &Choices, inferred: Option<Layout>, shape: &Shape) -> Result<Layout, ChoiceError> {
    let fitting: Vec<&str> = Layout::ALL
        .iter()
        .filter(|layout| layout.rank() == shape.rank())
        .map(|layout| layout.name())
        .collect();
    let Some(layout) = choices.layout.or(inferred) else {
        if fitting.is_empty() {
            let message = format!("a tensor of shape {shape} is not drawn: pictures have 2 to 5 axes");
            return Err(ChoiceError::new("tag", message));
        }
        return Err(ChoiceError::new(
            "layout",
            format!("nobody knows which axis of {shape} is which: name it, as in layout=HWIO"),
        ));
    };
    if layout.rank() == shape.rank() {
        return Ok(layout);
    }
    let allowed = if fitting.is_empty() {
        "no layout does".to_owned()
    } else {
        format!("use one of {}", fitting.join(", "))
    };
    Err(ChoiceError::new("layout", format!("{} does not fit the shape {shape}: {allowed}", layout.name())))
}

fn settle_view(choices: &Choices, subject: &Subject<'_>, axes: &Axes) -> Result<(View, Cmap), ChoiceError> {
    let role = subject.role;
    let views = views(axes.layout, role);
    let view = choices.view.unwrap_or(views[0]);
    if !views.contains(&view) {
        let allowed: Vec<&str> = views.iter().map(|view| view.name()).collect();
        let message = format!(
            "{} does not fit the layout {}: use one of {}",
            view.name(),
            axes.layout.name(),
            allowed.join(", ")
        );
        return Err(ChoiceError::new("view", message));
    }
    let inputs = if axes.layout.is_depthwise() { 1 } else { axes.len('I') };
    let has_rgb = match view {
        View::Filters => inputs == 3,
        // The fourth channel of a picture is its alpha.
        View::Image | View::Samples => {
            let has_colours = axes.len('C') == 3 || (axes.len('C') == 4 && subject.is_picture);
            has_colours && choices.channels.is_none()
        }
        _ => false,
    };
    if view == View::Components {
        if inputs < FACTORS {
            let message = format!(
                "components shows three factors over the input channels, of which there are {inputs}: use filters, matrix, slice or magnitude"
            );
            return Err(ChoiceError::new("view", message));
        }
        return match choices.cmap {
            None | Some(Cmap::Rgb) => Ok((view, Cmap::Rgb)),
            Some(_) => Err(ChoiceError::new(
                "cmap",
                "the view components has colours of its own: leave cmap out or use rgb",
            )),
        };
    }
    let cmap = match choices.cmap {
        Some(Cmap::Rgb) if !has_rgb => {
            let message = "rgb needs the view filters with 3 input channels, or the view samples or image with all of 3 channels";
            return Err(ChoiceError::new("cmap", message));
        }
        Some(cmap) => cmap,
        None if has_rgb => Cmap::Rgb,
        None => default_cmap(role, if view == View::Filters && inputs > 1 { View::Magnitude } else { view }),
    };
    // Filters of several input channels cannot be drawn in one colour map but by their magnitude.
    let view = if view == View::Filters && inputs > 1 && cmap != Cmap::Rgb { View::Magnitude } else { view };
    Ok((view, cmap))
}

fn default_range(role: Role, view: View) -> Range {
    let is_signed = role == Role::Kernel && !matches!(view, View::Magnitude | View::Components);
    if is_signed { Range::Symmetric } else { Range::MinMax }
}

/// TensorFlow's operations see each tile by itself, whoever asks for what.
fn settle_scope(choices: &Choices, range: Range) -> Result<Scope, ChoiceError> {
    let scope = choices.scope.unwrap_or(if range.is_tensorflow() { Scope::Tile } else { Scope::Layer });
    if range.is_tensorflow() && scope != Scope::Tile {
        let message =
            format!("{} takes each tile for an image by itself: leave scope out or use tile", range.text());
        return Err(ChoiceError::new("scope", message));
    }
    Ok(scope)
}

fn settle_blend(choices: &Choices, range: Range) -> Result<f64, ChoiceError> {
    let blend = choices.blend.unwrap_or(0.0);
    if blend == 0.0 {
        return Ok(blend);
    }
    if range.is_tensorflow() || matches!(range, Range::Fixed(..)) {
        let message = format!(
            "{} leaves nothing to blend: leave blend out, or use the range minmax, symmetric, percentile:P, zscale or std:K",
            range.text()
        );
        return Err(ChoiceError::new("blend", message));
    }
    match choices.scope {
        None | Some(Scope::Layer) => Ok(blend),
        Some(scope) => {
            let message = format!(
                "it goes from the layer's range to those of the tiles, and the scope is {}: leave scope out or use layer",
                scope.name()
            );
            Err(ChoiceError::new("blend", message))
        }
    }
}

fn settle_order(choices: &Choices, view: View) -> Result<Order, ChoiceError> {
    match (choices.order.unwrap_or(Order::Index), view) {
        (Order::Index, _) => Ok(Order::Index),
        (order, View::Matrix) => {
            let message = format!(
                "{} would mix the rows and columns of the view matrix: leave order out or use index",
                order.name()
            );
            Err(ChoiceError::new("order", message))
        }
        (Order::Change, View::Components) => Err(ChoiceError::new(
            "order",
            "the factors of two steps are not the same, so change says nothing in the view components: use index, norm, mean, max, sparsity or similarity",
        )),
        (order, _) => Ok(order),
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

fn default_cmap(role: Role, view: View) -> Cmap {
    match (role, view) {
        (Role::Kernel, View::Magnitude) => Cmap::Viridis,
        (Role::Kernel, _) => Cmap::RdBu,
        (Role::Input | Role::Image, _) => Cmap::Gray,
        _ => Cmap::Viridis,
    }
}

fn grid(axes: &Axes, down: char, across: char) -> (Vec<usize>, Vec<usize>) {
    let positions = |letter| (0..axes.len(letter)).map(|i| i * axes.stride(letter)).collect();
    (positions(down), positions(across))
}

fn tiles(choices: &Choices, view: View, cmap: Cmap, axes: &Axes) -> Result<(Vec<Tile>, Pixel), ChoiceError> {
    let chosen =
        |n| choices.channels.as_ref().map_or_else(|| Ok((0..n).collect()), |channels| channels.of(n));
    let tile = |channel, input, base| Tile { channel, input, base };
    let output = |o: usize| match axes.layout {
        layout if layout.is_depthwise() => {
            o / axes.len('M') * axes.stride('I') + o % axes.len('M') * axes.stride('M')
        }
        _ => o * axes.stride('O'),
    };
    let input_distances = || (0..axes.len('I')).map(|i| i * axes.stride('I')).collect::<Vec<_>>();
    Ok(match view {
        View::Matrix if matches!(axes.layout, Layout::Io | Layout::Oi | Layout::Nc) => {
            if choices.channels.is_some() {
                return Err(ChoiceError::new(
                    "channels",
                    "a dense layer is drawn as one matrix: leave it out",
                ));
            }
            (vec![tile(0, None, 0)], Pixel::Element)
        }
        View::Matrix => {
            let across = if axes.layout.is_depthwise() { 'M' } else { 'O' };
            let outputs: Vec<usize> = chosen(axes.len(across))?;
            if outputs.len().saturating_mul(axes.len('I')) > MOST_TILES {
                return Err(too_many_tiles(outputs.len().saturating_mul(axes.len('I'))));
            }
            let cell = |i, o| tile(o, Some(i), i * axes.stride('I') + o * axes.stride(across));
            (
                (0..axes.len('I')).flat_map(|i| outputs.iter().map(move |&o| cell(i, o))).collect(),
                Pixel::Element,
            )
        }
        View::Filters if cmap == Cmap::Rgb => {
            let i = axes.stride('I');
            (
                chosen(axes.outputs())?.into_iter().map(|o| tile(o, None, output(o))).collect(),
                Pixel::Rgb([0, i, 2 * i]),
            )
        }
        View::Filters => {
            (chosen(axes.outputs())?.into_iter().map(|o| tile(o, None, output(o))).collect(), Pixel::Element)
        }
        View::Slice => {
            let slice = within("slice", choices.slice.unwrap_or(0), axes.len('I'), "input channel")?
                * axes.stride('I');
            let tiles = chosen(axes.outputs())?.into_iter().map(|o| tile(o, None, output(o) + slice));
            (tiles.collect(), Pixel::Element)
        }
        View::Magnitude => {
            let bases = (0..axes.outputs()).map(output).collect();
            let tiles = chosen(axes.outputs())?.into_iter().map(|o| tile(o, None, output(o)));
            (tiles.collect(), Pixel::Norm { inputs: input_distances(), bases })
        }
        View::Components => {
            let bases = (0..axes.outputs()).map(output).collect();
            let tiles = chosen(axes.outputs())?.into_iter().map(|o| tile(o, None, output(o)));
            (tiles.collect(), Pixel::Components { inputs: input_distances(), bases })
        }
        View::Maps => {
            let sample =
                within("sample", choices.sample.unwrap_or(0), axes.len('N'), "sample")? * axes.stride('N');
            let tiles =
                chosen(axes.len('C'))?.into_iter().map(|c| tile(c, None, sample + c * axes.stride('C')));
            (tiles.collect(), Pixel::Element)
        }
        View::Image | View::Samples => {
            let c = axes.stride('C');
            let channels = chosen(axes.len('C'))?;
            let (first, pixel) = match channels.as_slice() {
                _ if cmap == Cmap::Rgb => (0, Pixel::Rgb([0, c, 2 * c])),
                _ if choices.channels.is_none() => (0, Pixel::Element),
                [channel] => (channel * c, Pixel::Element),
                _ => {
                    return Err(ChoiceError::new(
                        "channels",
                        "this view shows one channel: name one, as in channels=0",
                    ));
                }
            };
            ((0..axes.len('N')).map(|n| tile(n, None, first + n * axes.stride('N'))).collect(), pixel)
        }
    })
}

fn within(option: &'static str, wanted: usize, n: usize, what: &str) -> Result<usize, ChoiceError> {
    if wanted < n {
        return Ok(wanted);
    }
    Err(ChoiceError::new(option, format!("there is no {what} {wanted}: 0 to {} are there", n - 1)))
}

fn settle_cols(choices: &Choices, view: View, axes: &Axes, tiles: &[Tile]) -> Result<usize, ChoiceError> {
    match (view, choices.cols) {
        (View::Matrix, Some(_)) => Err(ChoiceError::new(
            "cols",
            "the view matrix has one column an output channel: leave it out, or use channels",
        )),
        (View::Matrix, None) => Ok((tiles.len() / axes.len('I').min(tiles.len())).max(1)),
        (_, Some(cols)) => Ok(cols.min(tiles.len())),
        (_, None) => Ok(near_square(tiles.len())),
    }
}

/// The least number of columns that makes a sheet at least as wide as it is high, so that a prime count is no strip.
fn near_square(n: usize) -> usize {
    let root = n.isqrt();
    if root * root == n { root } else { root + 1 }
}

fn too_many_tiles(n: usize) -> ChoiceError {
    ChoiceError::new(
        "channels",
        format!("{n} tiles are above the limit of {MOST_TILES}: choose fewer, as in channels=0-15"),
    )
}

fn within_limits(plan: &Plan) -> Result<(), ChoiceError> {
    if plan.tiles.len() > MOST_TILES {
        return Err(too_many_tiles(plan.tiles.len()));
    }
    let (width, height) = plan.size();
    let pixels = (width as u128) * (height as u128);
    if pixels <= MOST_PIXELS as u128 {
        return Ok(());
    }
    let (option, advice) = if plan.zoom > 1 {
        ("zoom", "choose a smaller zoom")
    } else {
        ("channels", "choose fewer, as in channels=0-15")
    };
    let message = format!("a sheet of {width}x{height} pixels is above the limit of {MOST_PIXELS}: {advice}");
    Err(ChoiceError::new(option, message))
}

/// The order `similarity` compares all pairs of tiles.
fn within_patience(plan: &Plan) -> Result<(), ChoiceError> {
    let (n, tile_len) = (plan.tiles.len(), plan.tile_len());
    let products = (n as u128) * (n as u128) * (tile_len as u128);
    if plan.order != Order::Similarity || products <= MOST_PRODUCTS {
        return Ok(());
    }
    let message = format!(
        "similarity of {n} tiles of {tile_len} numbers takes too long: choose fewer, as in channels=0-63, or use norm"
    );
    Err(ChoiceError::new("order", message))
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
        let plan = plan(&choices, &Subject { role, layout: Some(layout), shape: &shape, is_picture: false });
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
            let subject = Subject { role, layout: Some(Layout::Nhwc), shape: &shape, is_picture: true };
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
                Subject { role: Role::Kernel, layout: Some(Layout::Hwio), shape: &shape, is_picture: false };
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
