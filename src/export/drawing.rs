//! A tensor -> its pictures, with their tags and what their colours mean.

use std::sync::Arc;

use super::{classic, job::NamedSeries, naming::sheet_tag};

use crate::{
    lookup::subject::subject_of,
    model::role::Role,
    render::{
        choices::{Choices, Cmap, Range, Scope},
        encode::{Effort, Format, Painted, encode},
        other_steps::OtherSteps,
        plan::{Paint, Plan, plan},
        sheet::{Pixels, SheetLegend, draw_among},
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
    /// What its pixels show.
    pub sheet: Arc<SheetLegend>,
    /// Their colours.
    pub paint: Paint,
}

/// What a sheet is drawn from.
pub struct SheetInput<'a> {
    /// The tensor.
    pub tensor: &'a Tensor,
    /// The plan for it.
    pub plan: Plan,
    /// What the plan takes from other steps.
    pub other_steps: OtherSteps<&'a Tensor>,
}

/// Draws and encodes a sheet under this tag.
///
/// # Errors
/// A plan that cannot be drawn, as a phrase.
pub fn sheet_picture(
    named: &NamedSeries,
    tag: String,
    input: SheetInput<'_>,
    effort: Effort,
) -> Result<Picture, String> {
    let SheetInput { tensor, plan, other_steps } = input;
    let Plan { geometry, scale, paint } = plan;
    let sheet = draw_among(tensor, geometry, &scale, &other_steps).map_err(|error| error.to_string())?;
    let legend = Legend { sheet: Arc::clone(&sheet.legend), paint };
    let text = words(&named.series.tag.to_string(), &legend);
    let picture = encoded(Painted::of(&sheet, &paint.colors()), paint.cmap, effort)?;
    Ok(Picture { tag, text, legend: Some(legend), ..picture })
}

fn words(tag: &str, legend: &Legend) -> String {
    let SheetLegend { geometry, scale, interval, .. } = &*legend.sheet;
    format!(
        "{} of {tag} ({}) by ConvScope: colours {} from {} to {}, range {} over the {}",
        geometry.view.name(),
        geometry.layout.name(),
        legend.paint.cmap.name(),
        interval.lo,
        interval.hi,
        scale.range.text(),
        scale.scope.name()
    )
}

/// A picture without tag, text and legend.
fn encoded(painted: Painted<'_>, cmap: Cmap, effort: Effort) -> Result<Picture, String> {
    let png = encode(painted, Format::Png, effort).map_err(|error| error.to_string())?;
    let Painted { raster, zoom, .. } = painted;
    let (width, height) = (raster.width * zoom, raster.height * zoom);
    let components = match &raster.pixels {
        Pixels::Codes(_) if cmap == Cmap::Gray => 1,
        Pixels::Codes(_) | Pixels::Rgb(_) => 3,
    };
    Ok(Picture { tag: String::new(), png, width, height, components, text: String::new(), legend: None })
}

/// Draws and encodes the pictures of the recipe and, last, a sheet of the same tensor.
///
/// # Errors
/// A tensor whose layout or shape the recipe does not fit, as a phrase.
pub fn classic_pictures(
    named: &NamedSeries,
    tensor: &Tensor,
    effort: Effort,
) -> Result<Vec<Picture>, String> {
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
    let gray = Paint::new(Cmap::Gray, Range::Tf1).colors();
    for (number, raster) in rasters.iter().enumerate() {
        // The summary numbers its pictures when it may write more than one, also where there is one.
        let tag = format!("{}/image/{number}", named.name);
        let text = format!("{} by ConvScope, as TensorFlow's image summary draws it", named.series.tag);
        let painted = Painted { raster, colors: &gray, zoom: 1 };
        pictures.push(Picture { tag, text, ..encoded(painted, Cmap::Gray, effort)? });
    }
    let choices = sheet_choices(facts.role, layout.axis('I').map(|axis| lengths[axis]));
    let plan = plan(&choices, &subject_of(&named.series, tensor)).map_err(|error| error.to_string())?;
    let input = SheetInput { tensor, plan, other_steps: OtherSteps::default() };
    pictures.push(sheet_picture(named, sheet_tag(&named.name), input, effort)?);
    Ok(pictures)
}

/// One scale for all, one pixel between the tiles, in grey but where three input channels are colours.
fn sheet_choices(role: Role, inputs: Option<usize>) -> Choices {
    let cmap = if role == Role::Kernel && inputs == Some(3) { Cmap::Rgb } else { Cmap::Gray };
    let (range, scope, gutter) = (Some(Range::MinMax), Some(Scope::Layer), Some(1));
    Choices { range, scope, gutter, cmap: Some(cmap), ..Choices::default() }
}
