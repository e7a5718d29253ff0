//! A view and axes -> where the elements of each tile are.

use super::{
    axes::Axes,
    geometry::{MOST_TILES, Pixel, Tile},
    limits::too_many_tiles,
};

use crate::{
    model::layout::Layout,
    render::choices::{ChoiceError, Choices, Cmap, View},
};

pub(super) fn grid(axes: &Axes, down: char, across: char) -> (Vec<usize>, Vec<usize>) {
    let positions = |letter| (0..axes.len(letter)).map(|i| i * axes.stride(letter)).collect();
    (positions(down), positions(across))
}

type Tiles = Result<(Vec<Tile>, Pixel), ChoiceError>;

pub(super) fn tiles(choices: &Choices, view: View, cmap: Cmap, axes: &Axes) -> Tiles {
    match view {
        View::Matrix if matches!(axes.layout, Layout::Io | Layout::Oi | Layout::Nc) => dense(choices),
        View::Matrix => matrix(choices, axes),
        View::Filters | View::Slice | View::Magnitude | View::Components => {
            filters(choices, view, cmap, axes)
        }
        View::Maps => maps(choices, axes),
        View::Image | View::Samples => samples(choices, cmap, axes),
    }
}

fn tile(channel: usize, input: Option<usize>, base: usize) -> Tile {
    Tile { channel, input, frame: None, base }
}

/// Which of `n` channels are chosen.
fn chosen(choices: &Choices, n: usize) -> Result<Vec<usize>, ChoiceError> {
    choices.channels.as_ref().map_or_else(|| Ok((0..n).collect()), |channels| channels.of(n))
}

/// A dense layer is one tile.
fn dense(choices: &Choices) -> Tiles {
    if choices.channels.is_some() {
        return Err(ChoiceError::new("channels", "a dense layer is drawn as one matrix: leave it out"));
    }
    Ok((vec![tile(0, None, 0)], Pixel::Element))
}

/// One tile for each pair of an input and an output channel.
fn matrix(choices: &Choices, axes: &Axes) -> Tiles {
    let across = if axes.layout.is_depthwise() { 'M' } else { 'O' };
    let outputs = chosen(choices, axes.len(across))?;
    let n = outputs.len().saturating_mul(axes.len('I'));
    if n > MOST_TILES {
        return Err(too_many_tiles(n));
    }
    let cell = |i, o| tile(o, Some(i), i * axes.stride('I') + o * axes.stride(across));
    let tiles = (0..axes.len('I')).flat_map(|i| outputs.iter().map(move |&o| cell(i, o)));
    Ok((tiles.collect(), Pixel::Element))
}

/// One tile for each output channel.
fn filters(choices: &Choices, view: View, cmap: Cmap, axes: &Axes) -> Tiles {
    let output = |o: usize| match axes.layout {
        layout if layout.is_depthwise() => {
            o / axes.len('M') * axes.stride('I') + o % axes.len('M') * axes.stride('M')
        }
        _ => o * axes.stride('O'),
    };
    let stride = axes.stride('I');
    let slice = match view {
        View::Slice => within("slice", choices.slice.unwrap_or(0), axes.len('I'), "input channel")? * stride,
        _ => 0,
    };
    let inputs = || (0..axes.len('I')).map(|i| i * stride).collect();
    let bases = || (0..axes.outputs()).map(output).collect();
    let pixel = match view {
        View::Magnitude => Pixel::Norm { inputs: inputs(), bases: bases() },
        View::Components => Pixel::Components { inputs: inputs(), bases: bases() },
        View::Filters if cmap == Cmap::Rgb => Pixel::Rgb([0, stride, 2 * stride]),
        _ => Pixel::Element,
    };
    let tiles = chosen(choices, axes.outputs())?.into_iter().map(|o| tile(o, None, output(o) + slice));
    Ok((tiles.collect(), pixel))
}

/// One tile for each channel of one sample.
fn maps(choices: &Choices, axes: &Axes) -> Tiles {
    let sample = within("sample", choices.sample.unwrap_or(0), axes.len('N'), "sample")? * axes.stride('N');
    let tiles = chosen(choices, axes.len('C'))?.into_iter();
    let tiles = tiles.map(|c| tile(c, None, sample + c * axes.stride('C')));
    Ok((tiles.collect(), Pixel::Element))
}

/// One tile for each sample or picture.
fn samples(choices: &Choices, cmap: Cmap, axes: &Axes) -> Tiles {
    let c = axes.stride('C');
    let channels = chosen(choices, axes.len('C'))?;
    let (first, pixel) = match channels.as_slice() {
        _ if cmap == Cmap::Rgb => (0, Pixel::Rgb([0, c, 2 * c])),
        _ if choices.channels.is_none() => (0, Pixel::Element),
        [channel] => (channel * c, Pixel::Element),
        _ => {
            let message = "this view shows one channel: name one, as in channels=0";
            return Err(ChoiceError::new("channels", message));
        }
    };
    Ok(((0..axes.len('N')).map(|n| tile(n, None, first + n * axes.stride('N'))).collect(), pixel))
}

fn within(option: &'static str, wanted: usize, n: usize, what: &str) -> Result<usize, ChoiceError> {
    if wanted < n {
        return Ok(wanted);
    }
    Err(ChoiceError::new(option, format!("there is no {what} {wanted}: 0 to {} are there", n - 1)))
}
