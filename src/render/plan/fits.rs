//! What is known about a tensor -> which options fit it, view by view.
//!
//! There is no fixed list: each value is tried with the functions that make a plan. Therefore menus offer exactly what
//! requests accept.

use super::{
    axes::Axes,
    fitting::{Subject, views_of},
    settle::{settle_blend, settle_order, settle_scope, settle_view, usual_range},
};

use crate::{
    model::{layout::Layout, role::Role},
    render::choices::{Choices, Cmap, Order, Range, Scope, View},
    tensor::shape::Shape,
};

/// Which options fit one view of a tensor, and the default of each.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewFits {
    /// The view.
    pub view: View,
    /// The range if none is chosen.
    pub range: Range,
    /// The colour map if none is chosen.
    pub cmap: Cmap,
    /// The colour maps that fit.
    pub cmaps: Vec<Cmap>,
    /// The orders that fit.
    pub orders: Vec<Order>,
}

/// Which options fit a range.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeFits {
    /// The range, with its usual parameters if it has any.
    pub range: Range,
    /// The scope if none is chosen.
    pub scope: Scope,
    /// The scopes that fit.
    pub scopes: Vec<Scope>,
    /// The scopes with which ranges can be blended.
    pub blend_scopes: Vec<Scope>,
}

/// Which options fit a tensor, by view, the default view first. Empty if the layout is not known.
#[must_use]
pub fn fits(subject: &Subject<'_>) -> Vec<ViewFits> {
    let Some(layout) = subject.layout else { return Vec::new() };
    let axes = Axes { layout, lengths: subject.shape.axes() };
    let views = views_of(layout, subject.role, subject.shape);
    views.into_iter().filter_map(|view| fits_of_view(view, subject, &axes)).collect()
}

fn fits_of_view(view: View, subject: &Subject<'_>, axes: &Axes<'_>) -> Option<ViewFits> {
    let settled = |cmap| {
        let choices = Choices { view: Some(view), cmap, ..Choices::default() };
        settle_view(&choices, subject, axes).ok()
    };
    let (drawn, cmap) = settled(None)?;
    let has_order =
        |order: &Order| settle_order(&Choices { order: Some(*order), ..Choices::default() }, drawn).is_ok();
    Some(ViewFits {
        view,
        range: usual_range(subject, drawn),
        cmap,
        cmaps: Cmap::ALL.iter().copied().filter(|cmap| settled(Some(*cmap)).is_some()).collect(),
        orders: Order::ALL.iter().copied().filter(has_order).collect(),
    })
}

/// Which options fit each range, for any tensor.
#[must_use]
pub fn fits_of_ranges() -> Vec<RangeFits> {
    Range::USUAL.map(fits_of_range).to_vec()
}

fn fits_of_range(range: Range) -> RangeFits {
    let with = |scope: Option<Scope>| Choices { scope, blend: Some(1.0), ..Choices::default() };
    let all = || Scope::ALL.iter().copied();
    RangeFits {
        range,
        scope: settle_scope(&with(None), range).unwrap_or(Scope::Layer),
        scopes: all().filter(|scope| settle_scope(&with(Some(*scope)), range).is_ok()).collect(),
        blend_scopes: all().filter(|scope| settle_blend(&with(Some(*scope)), range).is_ok()).collect(),
    }
}

/// A kind of tensors that the same options fit, so that they have the same menus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    role: Role,
    axes: KindOfAxes,
    is_picture: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum KindOfAxes {
    /// A matrix.
    Dense,
    /// A kernel with one input channel per filter.
    Depthwise,
    /// A kernel with this many input channels; [`MANY_INPUTS`] also stands for all greater numbers.
    Inputs(usize),
    /// Maps; the field says whether three of their channels may be colours.
    Maps { have_colours: bool },
}

/// From this many input channels on, all kernels are of the same kind.
const MANY_INPUTS: usize = 4;
/// The roles that make a difference to a picture; the last one stands for all others.
const ROLES: [Role; 4] = [Role::Kernel, Role::Input, Role::Image, Role::Activation];

impl Kind {
    /// The kind of a tensor; `None` if the layout is not known, or does not fit the shape.
    #[must_use]
    pub fn of(subject: &Subject<'_>) -> Option<Self> {
        let layout = subject.layout.filter(|layout| layout.rank() == subject.shape.rank())?;
        let axes = Axes { layout, lengths: subject.shape.axes() };
        let axes = match layout {
            Layout::Io | Layout::Oi | Layout::Nc => KindOfAxes::Dense,
            _ if layout.is_depthwise() => KindOfAxes::Depthwise,
            _ if layout.is_activation() => {
                KindOfAxes::Maps { have_colours: axes.have_colours(subject.is_picture) }
            }
            _ => KindOfAxes::Inputs(axes.len('I').min(MANY_INPUTS)),
        };
        let role = if ROLES.contains(&subject.role) { subject.role } else { Role::Activation };
        Some(Self { role, axes, is_picture: subject.is_picture })
    }

    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        let inputs = (1..=MANY_INPUTS).map(KindOfAxes::Inputs);
        let maps = [false, true].map(|have_colours| KindOfAxes::Maps { have_colours });
        let axes: Vec<_> =
            [KindOfAxes::Dense, KindOfAxes::Depthwise].into_iter().chain(inputs).chain(maps).collect();
        let of_role = move |role| axes.clone().into_iter().map(move |axes| (role, axes));
        let all = ROLES.into_iter().flat_map(of_role);
        all.flat_map(|(role, axes)| [false, true].map(|is_picture| Self { role, axes, is_picture }))
    }

    /// Its name, as in `kernel-3-inputs`.
    #[must_use]
    pub fn name(self) -> String {
        let role = self.role.name();
        let axes = match self.axes {
            KindOfAxes::Dense => "dense".to_owned(),
            KindOfAxes::Depthwise => "depthwise".to_owned(),
            KindOfAxes::Inputs(MANY_INPUTS) => "many-inputs".to_owned(),
            KindOfAxes::Inputs(n) => format!("{n}-inputs"),
            KindOfAxes::Maps { have_colours: false } => "maps".to_owned(),
            KindOfAxes::Maps { have_colours: true } => "colours".to_owned(),
        };
        let source = if self.is_picture { "-encoded" } else { "" };
        format!("{role}-{axes}{source}")
    }

    /// Which options fit tensors of this kind, tried with one such tensor.
    #[must_use]
    pub fn fits(self) -> Vec<ViewFits> {
        let (layout, lengths): (_, &[i64]) = match self.axes {
            KindOfAxes::Dense => (Layout::Io, &[2, 2]),
            KindOfAxes::Depthwise => (Layout::Hwim, &[1, 1, 2, 2]),
            KindOfAxes::Inputs(n) => (Layout::Hwio, &[1, 1, n as i64, 2]),
            KindOfAxes::Maps { have_colours: false } => (Layout::Nhwc, &[1, 1, 1, 2]),
            KindOfAxes::Maps { have_colours: true } => (Layout::Nhwc, &[1, 1, 1, 3]),
        };
        let Ok(shape) = Shape::new(lengths) else { return Vec::new() };
        let Self { role, is_picture, .. } = self;
        fits(&Subject { role, layout: Some(layout), shape: &shape, is_picture, frames: None })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tensors_of_one_kind_have_the_same_menus(
            layout in prop::sample::select(Layout::ALL.to_vec()),
            role in prop::sample::select(Role::ALL.to_vec()),
            lengths in prop::collection::vec(1_i64..7, 5),
            is_picture in any::<bool>(),
        ) {
            let shape = Shape::new(&lengths[..layout.rank()]).unwrap();
            let subject = Subject { role, layout: Some(layout), shape: &shape, is_picture, frames: None };
            prop_assert_eq!(fits(&subject), Kind::of(&subject).unwrap().fits());
        }

        #[test]
        fn what_a_menu_offers_is_drawn_and_nothing_else(
            layout in prop::sample::select(Layout::ALL.to_vec()),
            role in prop::sample::select(Role::ALL.to_vec()),
            lengths in prop::collection::vec(1_i64..5, 5),
            (view, cmap, order) in (
                prop::sample::select(View::ALL.to_vec()),
                prop::sample::select(Cmap::ALL.to_vec()),
                prop::sample::select(Order::ALL.to_vec()),
            ),
            range in prop::sample::select(Range::USUAL.to_vec()),
            (scope, blend) in (prop::sample::select(Scope::ALL.to_vec()), prop::sample::select(vec![0.0, 0.5])),
        ) {
            let shape = Shape::new(&lengths[..layout.rank()]).unwrap();
            let subject = Subject { role, layout: Some(layout), shape: &shape, is_picture: false, frames: None };
            let choices = Choices {
                view: Some(view), cmap: Some(cmap), order: Some(order), range: Some(range), scope: Some(scope),
                blend: Some(blend), ..Choices::default()
            };
            let fits_view = fits(&subject).into_iter().find(|fits| fits.view == view);
            let fits_view = fits_view.is_some_and(|fits| fits.cmaps.contains(&cmap) && fits.orders.contains(&order));
            let of_range = fits_of_range(range);
            let fits_range = of_range.scopes.contains(&scope) && (blend == 0.0 || of_range.blend_scopes.contains(&scope));
            prop_assert_eq!(crate::render::plan::plan(&choices, &subject).is_ok(), fits_view && fits_range);
        }
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        let names: HashSet<String> = Kind::all().map(Kind::name).collect();
        assert_eq!(names.len(), Kind::all().count());
        assert!(names.contains("kernel-3-inputs") && names.contains("image-colours-encoded"));
    }

    #[test]
    fn defaults_are_those_of_a_plan() {
        for kind in Kind::all() {
            for of_view in kind.fits() {
                assert!(of_view.cmaps.contains(&of_view.cmap), "{kind:?}");
                assert!(of_view.orders.contains(&Order::Index), "{kind:?}");
            }
        }
        let kernel = Kind { role: Role::Kernel, axes: KindOfAxes::Inputs(3), is_picture: false }.fits();
        let filters = &kernel[0];
        assert_eq!((filters.view, filters.range, filters.cmap), (View::Filters, Range::Symmetric, Cmap::Rgb));
    }
}
