//! A view and axes -> where the elements of each tile lie.

use super::{
    axes::Axes,
    limits::too_many_tiles,
    settled::{MOST_TILES, Pixel, Tile},
};

use crate::{
    model::layout::Layout,
    render::choices::{ChoiceError, Choices, Cmap, View},
};

pub(super) fn grid(axes: &Axes, down: char, across: char) -> (Vec<usize>, Vec<usize>) {
    let positions = |letter| (0..axes.len(letter)).map(|i| i * axes.stride(letter)).collect();
    (positions(down), positions(across))
}

pub(super) fn tiles(
    choices: &Choices,
    view: View,
    cmap: Cmap,
    axes: &Axes,
) -> Result<(Vec<Tile>, Pixel), ChoiceError> {
    let chosen =
        |n| choices.channels.as_ref().map_or_else(|| Ok((0..n).collect()), |channels| channels.of(n));
    let tile = |channel, input, base| Tile { channel, input, frame: None, base };
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
