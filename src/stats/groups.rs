//! A layout and the lengths of its axes -> the positions of the elements of each filter or channel.

use std::ops::Range;

use crate::{
    model::layout::Layout,
    tensor::{shape::Shape, values::Values},
};

/// What a group of elements is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// One output channel of a kernel, with all its inputs; in a depthwise kernel, one window; in a dense layer, one column.
    Filter,
    /// One channel of an activation, over all samples and positions.
    Channel,
}

impl GroupKind {
    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Channel => "channel",
        }
    }
}

/// Length and stride of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    len: usize,
    stride: usize,
}

/// The most filters or channels for which numbers are given one by one.
pub const MOST_GROUPS: usize = 1 << 16;

/// Why there are no filters or channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoGroups {
    /// The layout is for tensors with another number of axes.
    #[error("the layout {} has {} axes and the tensor {rank}", .layout.name(), .layout.rank())]
    Rank {
        /// The layout.
        layout: Layout,
        /// The axes of the tensor.
        rank: usize,
    },
    /// More than the limit.
    #[error("{n} are more than the {MOST_GROUPS} that numbers are told of one by one")]
    TooMany {
        /// How many there are.
        n: usize,
    },
}

const NO_AXIS: Axis = Axis { len: 1, stride: 0 };
/// The axes of a group without elements.
const NOTHING: Axis = Axis { len: 0, stride: 0 };

/// The filters or channels of a tensor. Each element is in exactly one group. Within a group, elements are in the order input
/// channel or sample, depth, height, width, for every layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// What a group is; `None` if all elements are one group because it is not known which axis is which.
    pub unit: Option<GroupKind>,
    /// The position of each group's first element.
    bases: Vec<usize>,
    /// The axes of a group: input channel or sample, depth, height, width.
    axes: [Axis; 4],
}

impl Groups {
    /// All elements as one group.
    #[must_use]
    pub fn whole(elements: usize) -> Self {
        let line = Axis { len: elements, stride: 1 };
        Self { unit: None, bases: vec![0], axes: [line, NO_AXIS, NO_AXIS, NO_AXIS] }
    }

    /// The filters or channels of a tensor of this layout.
    ///
    /// # Errors
    /// If the layout has another number of axes, or if there are more than [`MOST_GROUPS`] groups.
    pub fn of(layout: Layout, shape: &Shape) -> Result<Self, NoGroups> {
        if layout.rank() != shape.rank() {
            return Err(NoGroups::Rank { layout, rank: shape.rank() });
        }
        let n = layout.outputs(shape.axes()).unwrap_or(usize::MAX);
        if n > MOST_GROUPS {
            return Err(NoGroups::TooMany { n });
        }
        let unit = if layout.is_activation() { GroupKind::Channel } else { GroupKind::Filter };
        if shape.elements() == 0 {
            // Nothing is known about the other axes: the product of their lengths may overflow.
            return Ok(Self { unit: Some(unit), bases: vec![0; n], axes: [NOTHING; 4] });
        }
        let axis = |letter| axis(layout, shape.axes(), letter);
        let (over, inner) = match layout {
            _ if layout.is_activation() => ([NO_AXIS, axis('C')], axis('N')),
            _ if layout.is_depthwise() => ([axis('I'), axis('M')], NO_AXIS),
            _ => ([NO_AXIS, axis('O')], axis('I')),
        };
        let [slow, fast] = over;
        let bases = (0..slow.len).flat_map(|i| (0..fast.len).map(move |m| i * slow.stride + m * fast.stride));
        Ok(Self { unit: Some(unit), bases: bases.collect(), axes: [inner, axis('D'), axis('H'), axis('W')] })
    }

    /// How many groups there are.
    #[must_use]
    pub fn n(&self) -> usize {
        self.bases.len()
    }

    /// How many elements each group has.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.axes.iter().map(|axis| axis.len).product()
    }

    /// The lengths of a group's axes: input channel or sample, depth, height, width; 1 for an axis that is missing. All are 0 if
    /// the tensor has no elements.
    #[must_use]
    pub fn lengths(&self) -> [usize; 4] {
        self.axes.map(|axis| axis.len)
    }

    /// The position of each group's first element.
    #[must_use]
    pub fn bases(&self) -> &[usize] {
        &self.bases
    }

    /// The offset of each element of a group from its first element.
    pub fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        let [outer, depth, height, width] = self.axes.map(positions);
        outer.flat_map(move |o| {
            let (height, width) = (height.clone(), width.clone());
            depth.clone().flat_map(move |d| {
                let width = width.clone();
                height.clone().flat_map(move |h| width.clone().map(move |w| o + d + h + w))
            })
        })
    }

    /// Calls `take` with each element's group and position, in an order that is close to the order in memory.
    pub fn each(&self, mut take: impl FnMut(usize, usize)) {
        let [a, b, c, line] = self.loops();
        let each_line = |of_line: &mut dyn FnMut(usize)| {
            for i in 0..a.len {
                for j in 0..b.len {
                    for k in 0..c.len {
                        of_line(i * a.stride + j * b.stride + k * c.stride);
                    }
                }
            }
        };
        let are_neighbours = self.bases.len() > 1 && self.bases[1] - self.bases[0] == 1;
        if are_neighbours {
            each_line(&mut |start| {
                for i in 0..line.len {
                    let offset = start + i * line.stride;
                    for (group, base) in self.bases.iter().enumerate() {
                        take(group, base + offset);
                    }
                }
            });
            return;
        }
        for (group, base) in self.bases.iter().enumerate() {
            each_line(&mut |start| {
                for i in 0..line.len {
                    take(group, base + start + i * line.stride);
                }
            });
        }
    }

    /// The axes with the greatest stride first; two are joined if together they are contiguous. Mostly one axis is left, so there
    /// is only one simple loop.
    fn loops(&self) -> [Axis; 4] {
        let mut axes: Vec<Axis> = self.axes.into_iter().filter(|axis| axis.len != 1).collect();
        axes.sort_by_key(|axis| std::cmp::Reverse(axis.stride));
        let mut joined: Vec<Axis> = Vec::new();
        for axis in axes {
            match joined.last_mut() {
                Some(last) if last.stride == axis.len * axis.stride => {
                    *last = Axis { len: last.len * axis.len, stride: axis.stride };
                }
                _ => joined.push(axis),
            }
        }
        let mut loops = [NO_AXIS; 4];
        let n = joined.len();
        loops[4 - n..].copy_from_slice(&joined);
        loops
    }

    /// The elements of some groups, one group after the other.
    #[must_use]
    pub fn gather(&self, values: &Values, groups: Range<usize>) -> Vec<f64> {
        match values {
            Values::F32(x) => self.gathered(x, groups),
            Values::F64(x) => self.gathered(x, groups),
        }
    }

    fn gathered<T: Copy + Into<f64>>(&self, x: &[T], groups: Range<usize>) -> Vec<f64> {
        let (bases, elements) = (&self.bases[groups], self.elements());
        let mut rows = vec![0.0; bases.len() * elements];
        for (at, offset) in self.offsets().enumerate() {
            for (group, base) in bases.iter().enumerate() {
                rows[group * elements + at] = x[base + offset].into();
            }
        }
        rows
    }
}

fn axis(layout: Layout, lengths: &[usize], letter: char) -> Axis {
    layout
        .axis(letter)
        .map_or(NO_AXIS, |axis| Axis { len: lengths[axis], stride: lengths[axis + 1..].iter().product() })
}

fn positions(axis: Axis) -> impl Iterator<Item = usize> + Clone {
    (0..axis.len).map(move |i| i * axis.stride)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_in_one_group_in_every_layout() {
        for layout in Layout::ALL {
            let shape = Shape::new(&[2, 3, 4, 5, 6][..layout.rank()]).unwrap();
            let groups = Groups::of(layout, &shape).unwrap();
            assert_eq!(Some(groups.n()), layout.outputs(shape.axes()), "{layout:?}");
            assert_eq!(groups.n() * groups.elements(), shape.elements(), "{layout:?}");
            let mut seen = vec![0; shape.elements()];
            groups.each(|_, at| seen[at] += 1);
            assert!(seen.iter().all(|&times| times == 1), "{layout:?}");
        }
    }

    #[test]
    fn groups_without_elements_are_counted_and_have_none() {
        let check = |layout, dims: &[i64], n| {
            let groups = Groups::of(layout, &Shape::new(dims).unwrap()).unwrap();
            assert_eq!((groups.n(), groups.elements(), groups.offsets().count()), (n, 0, 0), "{dims:?}");
            groups.each(|_, _| panic!("{dims:?} has an element"));
            assert!(groups.gather(&Values::F32(Vec::new()), 0..n).is_empty());
        };
        for layout in Layout::ALL {
            for axis in 0..layout.rank() {
                // A loop over these axes would never end, and the product of their lengths overflows.
                let mut dims = vec![i64::MAX; layout.rank()];
                let is_of_groups = "OCIM".contains(layout.name().as_bytes()[axis] as char);
                dims[axis] = 0;
                if let Some(outputs) = layout.axis(if layout.is_activation() { 'C' } else { 'O' }) {
                    dims[outputs] = if outputs == axis { 0 } else { 3 };
                    check(layout, &dims, if outputs == axis { 0 } else { 3 });
                } else if is_of_groups {
                    check(layout, &dims, 0);
                }
            }
        }
        check(Layout::Hwim, &[0, i64::MAX, 2, 3], 6);
    }

    #[test]
    fn a_groups_elements_have_one_order_in_all_layouts() {
        let hwio = Groups::of(Layout::Hwio, &Shape::new(&[2, 3, 2, 2]).unwrap()).unwrap();
        let oihw = Groups::of(Layout::Oihw, &Shape::new(&[2, 2, 2, 3]).unwrap()).unwrap();
        assert_eq!(hwio.offsets().take(4).collect::<Vec<_>>(), [0, 4, 8, 12]);
        assert_eq!(oihw.offsets().collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
        let values = Values::F32((0..24_u8).map(f32::from).collect());
        assert_eq!(oihw.gather(&values, 1..2), (12..24).map(f64::from).collect::<Vec<_>>());
        assert_eq!(hwio.gather(&values, 0..2)[12..15], [1.0, 5.0, 9.0]);
        let message =
            |layout, dims: &[i64]| Groups::of(layout, &Shape::new(dims).unwrap()).unwrap_err().to_string();
        assert_eq!(message(Layout::Hwio, &[3]), "the layout HWIO has 4 axes and the tensor 1");
        assert_eq!(
            message(Layout::Io, &[1, 100_000]),
            "100000 are more than the 65536 that numbers are told of one by one"
        );
    }
}
