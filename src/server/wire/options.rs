//! What goes out about the options of pictures: which there are, and which of their values fit what.

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

/// What can be chosen for a sheet.
#[derive(Serialize, ToSchema)]
pub(crate) struct Options {
    #[serde(flatten)]
    lists: Lists,
    /// Each picture option once.
    options: Vec<PictureOption>,
    /// What goes with each range, whatever the tensor.
    ranges: Vec<RangeChoices>,
    /// For each option the values with which a picture takes something of other steps as well, so that it changes while a run is
    /// logged to.
    needs_other_steps: BTreeMap<&'static str, Vec<&'static str>>,
    /// For each kind of tensor, which a series names as `fits`, what can be chosen in each of its views.
    fits: BTreeMap<String, BTreeMap<&'static str, ViewChoices>>,
}

/// The values of the options that have some, and the forms of the file.
struct Lists;

impl Lists {
    fn all() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
        let of_option = |option: &OptionRow| {
            Some((option.name, (option.values)())).filter(|(_, values)| !values.is_empty())
        };
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
    /// What it takes; empty where these are numbers.
    values: Vec<&'static str>,
    /// What is taken when it is left out, in words; values stand in backquotes.
    default: &'static str,
    /// What it is, in a line.
    help: &'static str,
    /// Which tensors and views it fits, in words.
    fits: &'static str,
}

/// What goes with a range.
#[derive(Serialize, ToSchema)]
struct RangeChoices {
    /// Without parameters, as in `percentile`.
    name: &'static str,
    /// With its usual parameters, as in `percentile:0.99`.
    usual: String,
    /// The scope when none is chosen.
    scope: &'static str,
    scopes: Vec<&'static str>,
    /// The scopes with which ranges can be blended.
    blend_scopes: Vec<&'static str>,
}

/// What can be chosen in a view.
#[derive(Serialize, ToSchema)]
struct ViewChoices {
    /// The range when none is chosen.
    range: String,
    /// The colour map when none is chosen.
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
        (row.values)().into_iter().filter(|value| needs(row.name, value)).collect()
    };
    let all = Choices::OPTIONS.iter().map(|row| (row.name, values(row)));
    all.filter(|(_, values)| !values.is_empty()).collect()
}

impl PictureOption {
    fn of(row: &OptionRow) -> Self {
        let OptionRow { name, help, values, default, fits } = *row;
        Self { name, values: values(), default, help, fits }
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
