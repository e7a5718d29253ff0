//! A tensor -> its pictures, with their tags and what their colours mean.

use super::{
    classic,
    job::Named,
    naming::{Style, sheet_tag},
};

use crate::{
    lookup::subject::subject_of,
    model::role::Role,
    render::{
        choices::{ChoiceError, Choices},
        encode::{Effort, Format, encode},
        plan::{Plan, plan},
        sheet::{Others, Pixels, Raster, draw_among},
    },
    tensor::{Tensor, values::values},
};

/// An encoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its tag.
    pub tag: String,
    /// The PNG file.
    pub png: Vec<u8>,
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 where it is grey, 3 where it has colours.
    pub components: u8,
    /// What it shows, in words.
    pub text: String,
    /// What it shows; the recipe's pictures have a range each, and none here.
    pub legend: Option<Legend>,
}

/// What a sheet shows.
#[derive(Clone, Debug)]
pub struct Legend {
    /// What was settled.
    pub plan: Plan,
    /// The numbers at the ends of the colours; those that cover all tiles where each has its own.
    pub ends: (f64, f64),
}

/// Draws and encodes what `style` asks for.
///
/// # Errors
/// Options that do not fit this tensor, as a phrase.
pub fn pictures(
    style: &Style,
    effort: Effort,
    named: &Named,
    (tensor, others): (&Tensor, &Others<'_>),
) -> Result<Vec<Picture>, String> {
    match style {
        Style::Sheet(choices) | Style::PlainSheet(choices) => {
            Ok(vec![sheet((choices, others), effort, named, (&named.name, tensor))?])
        }
        Style::Classic => classic_pictures(effort, named, tensor),
        Style::Array => Ok(Vec::new()),
    }
}

fn sheet(
    (choices, others): (&Choices, &Others<'_>),
    effort: Effort,
    named: &Named,
    (tag, tensor): (&str, &Tensor),
) -> Result<Picture, String> {
    let plan = plan(choices, &subject_of(&named.series, tensor)).map_err(|error| error.to_string())?;
    let sheet = draw_among(tensor, plan, others).map_err(|error| error.to_string())?;
    let zoom = sheet.legend.plan.zoom;
    let text = words(
        &named.series.tag.to_string(),
        &sheet.legend.plan,
        (sheet.legend.interval.lo, sheet.legend.interval.hi),
    );
    let legend =
        Legend { plan: sheet.legend.plan, ends: (sheet.legend.interval.lo, sheet.legend.interval.hi) };
    encoded(tag.to_owned(), (&sheet.raster, zoom), effort, (text, Some(legend)))
}

fn words(tag: &str, plan: &Plan, (lo, hi): (f64, f64)) -> String {
    format!(
        "{} of {tag} ({}) by ConvScope: colours {} from {lo} to {hi}, range {} over the {}",
        plan.view.name(),
        plan.layout.name(),
        plan.cmap.name(),
        plan.range.text(),
        plan.scope.name()
    )
}

fn encoded(
    tag: String,
    (raster, zoom): (&Raster, usize),
    effort: Effort,
    (text, legend): (String, Option<Legend>),
) -> Result<Picture, String> {
    let png = encode(raster, zoom, Format::Png, effort).map_err(|error| error.to_string())?;
    let components = match &raster.pixels {
        Pixels::Codes(_, cmap) if cmap.name() == "gray" => 1,
        Pixels::Codes(..) | Pixels::Rgb(_) => 3,
    };
    let (width, height) = (raster.width * zoom, raster.height * zoom);
    Ok(Picture { tag, png, width, height, components, text, legend })
}

/// The recipe's pictures and, last, the sheet beside them.
fn classic_pictures(effort: Effort, named: &Named, tensor: &Tensor) -> Result<Vec<Picture>, String> {
    let facts = &named.series.facts;
    let lengths = tensor.shape.axes();
    let layout = named.series.layout().filter(|layout| layout.rank() == lengths.len());
    let layout = layout.ok_or_else(|| format!("a tensor of shape {} has other axes", tensor.shape))?;
    if tensor.shape.elements() == 0 {
        return Err(format!("a tensor of shape {} has no elements to draw", tensor.shape));
    }
    let numbers = values(tensor).into_f32();
    let rasters = match facts.role {
        Role::Kernel => classic::filters(&numbers, layout, lengths),
        _ => classic::maps(&numbers, layout, lengths),
    };
    let mut pictures = Vec::with_capacity(rasters.len() + 1);
    for (number, raster) in rasters.iter().enumerate() {
        // The summary numbers its pictures when it may write more than one, also where there is one.
        let tag = format!("{}/image/{number}", named.name);
        let text = format!("{} by ConvScope, as TensorFlow's image summary draws it", named.series.tag);
        pictures.push(encoded(tag, (raster, 1), effort, (text, None))?);
    }
    let choices = sheet_choices(facts.role, layout.axis('I').map(|axis| lengths[axis]));
    let choices = choices.map_err(|error| error.to_string())?;
    pictures.push(sheet((&choices, &Others::default()), effort, named, (&sheet_tag(&named.name), tensor))?);
    Ok(pictures)
}

/// One scale for all, one pixel between the tiles, in grey but where three input channels are colours.
fn sheet_choices(role: Role, inputs: Option<usize>) -> Result<Choices, ChoiceError> {
    let cmap = if role == Role::Kernel && inputs == Some(3) { "rgb" } else { "gray" };
    Choices::parse([("range", "minmax"), ("scope", "layer"), ("gutter", "1"), ("cmap", cmap)])
}
