//! The picture options as JSON: their values, and which values fit which tensors and views.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ArrayBuilder, Object, ObjectBuilder, Schema, Type},
    },
};

use crate::render::{
    choices::{Choices, OptionRow},
    encode::Format,
    plan::{Kind, RangeFits, ViewFits, fits_of_ranges},
};

/// The options of a sheet.
#[derive(Serialize, ToSchema)]
pub(crate) struct Options {
    #[serde(flatten)]
    lists: Lists,
    /// All picture options.
    options: Vec<PictureOption>,
    /// For each range the scopes that can be combined with it, for any tensor.
    ranges: Vec<RangeChoices>,
    /// For each option the values with which a picture also depends on other steps, so that it changes while a run is being logged.
    needs_other_steps: BTreeMap<&'static str, Vec<&'static str>>,
    /// For each kind of tensor, which a series names in its field `fits`, the choices in each of its views.
    fits: BTreeMap<String, BTreeMap<&'static str, ViewChoices>>,
}

/// The values of each option that has a fixed set of values, and the file formats.
struct Lists;

impl Lists {
    fn all() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
        let of_option =
            |option: &OptionRow| Some((option.name, option.names())).filter(|(_, values)| !values.is_empty());
        let format = ("format", Format::ALL.map(Format::name).to_vec());
        Choices::OPTIONS.iter().filter_map(of_option).chain([format])
    }
}

impl Serialize for Lists {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Self::all())
    }
}

impl PartialSchema for Lists {
    fn schema() -> RefOr<Schema> {
        let names = || ArrayBuilder::new().items(Object::with_type(Type::String));
        let lists = Self::all()
            .fold(ObjectBuilder::new(), |object, (name, _)| object.property(name, names()).required(name));
        lists.into()
    }
}

impl ToSchema for Lists {}

/// A picture option.
#[derive(Serialize, ToSchema)]
struct PictureOption {
    name: &'static str,
    /// Its values; empty if they are numbers.
    values: Vec<&'static str>,
    /// What values mean, in a sentence each; without those whose names say it. Values are in backquotes.
    meanings: BTreeMap<&'static str, &'static str>,
    /// The default, in words; values are in backquotes.
    default: &'static str,
    /// What it does, in one line.
    help: &'static str,
    /// Which tensors and views it applies to, in words.
    fits: &'static str,
}

/// The choices that can be combined with a range.
#[derive(Serialize, ToSchema)]
struct RangeChoices {
    /// The name without parameters, as in `percentile`.
    name: &'static str,
    /// The name with the default parameters, as in `percentile:0.99`.
    usual: String,
    /// The default scope.
    scope: &'static str,
    scopes: Vec<&'static str>,
    /// The scopes that can be combined with `blend`.
    blend_scopes: Vec<&'static str>,
}

/// The choices in a view.
#[derive(Serialize, ToSchema)]
struct ViewChoices {
    /// The default range.
    range: String,
    /// The default colour map.
    cmap: &'static str,
    cmaps: Vec<&'static str>,
    orders: Vec<&'static str>,
}

impl Options {
    pub(crate) fn all() -> Self {
        let views =
            |kind: Kind| kind.fits().iter().map(|fits| (fits.view.name(), ViewChoices::of(fits))).collect();
        Self {
            lists: Lists,
            options: Choices::OPTIONS.iter().map(PictureOption::of).collect(),
            needs_other_steps: needs_other_steps(),
            ranges: fits_of_ranges().iter().map(RangeChoices::of).collect(),
            fits: Kind::all().map(|kind| (kind.name(), views(kind))).collect(),
        }
    }
}

fn needs_other_steps() -> BTreeMap<&'static str, Vec<&'static str>> {
    let needs = |name: &'static str, value: &&'static str| {
        Choices::parse([(name, *value)]).is_ok_and(|choices| choices.need_other_steps())
    };
    let values = |row: &OptionRow| -> Vec<&'static str> {
        row.names().into_iter().filter(|value| needs(row.name, value)).collect()
    };
    let all = Choices::OPTIONS.iter().map(|row| (row.name, values(row)));
    all.filter(|(_, values)| !values.is_empty()).collect()
}

impl PictureOption {
    fn of(row: &OptionRow) -> Self {
        let OptionRow { name, help, values, default, fits } = *row;
        let meanings = values().into_iter().filter(|value| !value.meaning.is_empty());
        let meanings = meanings.map(|value| (value.name, value.meaning)).collect();
        Self { name, values: row.names(), meanings, default, help, fits }
    }
}

impl RangeChoices {
    fn of(fits: &RangeFits) -> Self {
        let RangeFits { range, scope, scopes, blend_scopes } = fits;
        Self {
            name: range.name(),
            usual: range.text(),
            scope: scope.name(),
            scopes: scopes.iter().map(|scope| scope.name()).collect(),
            blend_scopes: blend_scopes.iter().map(|scope| scope.name()).collect(),
        }
    }
}

impl ViewChoices {
    fn of(fits: &ViewFits) -> Self {
        Self {
            range: fits.range.text(),
            cmap: fits.cmap.name(),
            cmaps: fits.cmaps.iter().map(|cmap| cmap.name()).collect(),
            orders: fits.orders.iter().map(|order| order.name()).collect(),
        }
    }
}
