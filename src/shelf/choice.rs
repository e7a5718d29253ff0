//! The kernels of a checkpoint -> which of them are kept.

use crate::reader::shelf::NotKept;

/// The largest first convolution that is kept, in bytes.
const LARGEST_FIRST: u64 = 16 << 20;
/// The largest other kernel that is kept, in bytes.
const LARGEST_OTHER: u64 = 256 << 10;
/// Other kernels are kept while all that is kept of a save stays below so many bytes.
const MOST_OF_SAVE: u64 = 1 << 20;
/// The most kernels that are named as not kept.
const MOST_NAMED: usize = 200;

/// A kernel of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its tag.
    pub tag: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it has a window, unlike that of a dense layer.
    pub is_convolution: bool,
    /// Whether its name says that it is the first convolution of the network.
    pub is_first: bool,
}

/// Chooses among the kernels of a checkpoint, which are in the order of the network: the first convolution, and then others in this
/// order. Returns the numbers of those that are kept, the first convolution first, and the others.
#[must_use]
pub fn choose(kernels: &[Kernel]) -> (Vec<usize>, Vec<NotKept>) {
    let is_first = |kernel: &Kernel| kernel.is_convolution && kernel.is_first;
    let first = kernels.iter().position(is_first);
    let first = first.or_else(|| kernels.iter().position(|kernel| kernel.is_convolution));
    let (mut kept, mut not_kept, mut bytes, mut is_full) = (Vec::new(), Vec::new(), 0, false);
    let others = (0..kernels.len()).filter(|number| Some(*number) != first);
    for number in first.into_iter().chain(others) {
        let kernel = &kernels[number];
        let why = if Some(number) == first {
            (kernel.bytes > LARGEST_FIRST).then_some("a first convolution of more than 16 MiB is not kept")
        } else if kernel.bytes > LARGEST_OTHER {
            Some("a kernel of more than 256 KiB is not kept")
        } else {
            is_full |= bytes + kernel.bytes > MOST_OF_SAVE;
            is_full.then_some("of a checkpoint, 1 MiB is kept")
        };
        match why {
            None => {
                kept.push(number);
                bytes += kernel.bytes;
            }
            Some(why) if not_kept.len() < MOST_NAMED => {
                let why = why.to_owned();
                not_kept.push(NotKept { tag: kernel.tag.clone(), bytes: kernel.bytes, why });
            }
            Some(_) => {}
        }
    }
    (kept, not_kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernels(sizes: &[u64]) -> Vec<Kernel> {
        let kernel = |(number, bytes): (usize, &u64)| Kernel {
            tag: format!("k{number}"),
            bytes: *bytes,
            is_convolution: true,
            is_first: false,
        };
        sizes.iter().enumerate().map(kernel).collect()
    }

    fn kept(sizes: &[u64]) -> Vec<usize> {
        choose(&kernels(sizes)).0
    }

    #[test]
    fn the_first_convolution_is_kept_whatever_its_size_and_others_while_there_is_room() {
        const KIB: u64 = 1 << 10;
        assert_eq!(kept(&[40 * KIB, 200 * KIB, 300 * KIB, 100 * KIB]), [0, 1, 3]);
        assert_eq!(kept(&[2_000 * KIB, KIB]), [0]);
        assert_eq!(kept(&[17 << 20, KIB]), [1]);
        assert_eq!(kept(&[256 * KIB, 256 * KIB, 256 * KIB, 200 * KIB, 100 * KIB, KIB]), [0, 1, 2, 3]);
        let (_, not_kept) = choose(&kernels(&[KIB, 300 * KIB]));
        assert_eq!((&*not_kept[0].tag, not_kept[0].bytes), ("k1", 300 * KIB));
    }

    #[test]
    fn the_first_convolution_may_not_be_the_first_kernel() {
        let mut all = kernels(&[1, 1, 1 << 20]);
        all[0].is_convolution = false;
        all[2].is_first = true;
        assert_eq!(choose(&all).0, [2], "what its name says counts");
        all[2].is_first = false;
        assert_eq!(choose(&all).0, [1, 0], "otherwise it is the first with a window");
        assert_eq!(choose(&[]), (Vec::new(), Vec::new()));
    }
}
