//! Numbers -> two quantiles, with linear interpolation between neighbours as is NumPy's default: of numbers in memory, and of any
//! amount of numbers that are read several times, in bounded memory.

use super::real::Real;

use crate::tensor::values::Values;

/// The position of a quantile among `n` sorted numbers: after the first of two neighbours, by a share of their distance.
#[derive(Clone, Copy, Debug)]
struct Spot {
    first: u64,
    share: f64,
}

/// The quantiles (1-P)/2 and (1+P)/2.
fn spots(share: f64, n: u64) -> [Spot; 2] {
    [(1.0 - share) / 2.0, f64::midpoint(1.0, share)].map(|quantile| {
        let position = (n - 1) as f64 * quantile;
        Spot { first: position.floor() as u64, share: position - position.floor() }
    })
}

/// Like NumPy's `_lerp`: computed from the nearer end, so that both ends are reached exactly.
fn between(a: f64, b: f64, share: f64) -> f64 {
    let distance = b - a;
    if !distance.is_finite() {
        return a * (1.0 - share) + b * share;
    }
    if share >= 0.5 { b - distance * (1.0 - share) } else { a + distance * share }
}

/// The quantiles of the finite ones of these numbers; `None` if there are none.
#[must_use]
pub fn ends<T: Real>(share: f64, numbers: &[T]) -> Option<(f64, f64)> {
    let mut finite: Vec<T> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    let [lo, hi] = spots(share, finite.len() as u64).map(|spot| {
        let (_, first, rest) = finite.select_nth_unstable_by(spot.first as usize, T::total_cmp);
        let first = *first;
        let second = rest.iter().copied().min_by(T::total_cmp).unwrap_or(first);
        between(first.into(), second.into(), spot.share)
    });
    Some((lo, hi))
}

/// How many bits of the sorted form of a float each pass finds. The first two passes cover all bits of a float32 that was
/// widened: sign, 11 bits of exponent and 23 of mantissa.
const DIGITS: [u32; 4] = [18, 17, 15, 14];
/// The bits of a float64 after those of a float32.
const REST_BITS: u32 = 29;

/// Finds quantiles of numbers that are given pass by pass: the same numbers each time, in any order. Floats are ordered by their
/// bits in the sorted form. Each pass counts the numbers by some of these bits, and so finds these bits of the numbers at the
/// wanted positions. Numbers of float32 take two passes, others four; memory stays below 8 MiB.
#[derive(Clone, Debug)]
pub struct Quantiles {
    share: f64,
    pass: usize,
    has_wide: bool,
    n: u64,
    sought: Vec<Sought>,
}

/// A number whose leading bits are known.
#[derive(Clone, Debug)]
struct Sought {
    /// The bits found so far.
    prefix: u64,
    /// How many numbers with this prefix are less than it.
    before: u64,
    counts: Vec<u64>,
}

impl Quantiles {
    /// Keeps a share of the numbers: above 0, at most 1.
    #[must_use]
    pub fn new(share: f64) -> Self {
        let first = Sought { prefix: 0, before: 0, counts: vec![0; 1 << DIGITS[0]] };
        Self { share, pass: 0, has_wide: false, n: 0, sought: vec![first] }
    }

    /// How many passes it takes: two, or four once a float64 was seen.
    #[must_use]
    pub fn passes(&self) -> usize {
        if self.has_wide { DIGITS.len() } else { 2 }
    }

    /// Takes some of the numbers of this pass. Numbers that are not finite are ignored.
    pub fn add(&mut self, values: &Values) {
        match values {
            Values::F32(x) => self.count(x),
            Values::F64(x) => {
                self.has_wide = true;
                self.count(x);
            }
        }
    }

    fn count<T: Real>(&mut self, numbers: &[T]) {
        let shift = 64 - DIGITS[..=self.pass].iter().sum::<u32>();
        let digit = |key: u64| ((key >> shift) & ((1 << DIGITS[self.pass]) - 1)) as usize;
        let known = shift + DIGITS[self.pass];
        for x in numbers.iter().filter(|x| x.is_finite()) {
            let key = key((*x).into());
            // `checked_shr` returns `None` for a shift by all 64 bits.
            let prefix = key.checked_shr(known).unwrap_or(0);
            for sought in self.sought.iter_mut().filter(|sought| sought.prefix == prefix) {
                sought.counts[digit(key)] += 1;
            }
        }
    }

    /// Ends a pass, and says whether another one is needed.
    pub fn end_pass(&mut self) -> bool {
        if self.pass == 0 {
            self.n = self.sought[0].counts.iter().sum();
            if self.n == 0 {
                return false;
            }
            self.seek_places();
        } else {
            for sought in &mut self.sought {
                sought.learn(DIGITS[self.pass]);
            }
        }
        self.pass += 1;
        let is_done = self.pass == DIGITS.len() || (self.pass == 2 && !self.has_wide);
        if !is_done {
            for sought in &mut self.sought {
                sought.counts = vec![0; 1 << DIGITS[self.pass]];
            }
        }
        !is_done
    }

    /// After the first pass: sets up the search for the number at each wanted position.
    fn seek_places(&mut self) {
        let counted = self.sought.remove(0).counts;
        for place in self.places() {
            let mut sought = Sought { prefix: 0, before: place, counts: Vec::new() };
            sought.learn_from(&counted, DIGITS[0]);
            self.sought.push(sought);
        }
    }

    /// The positions of the neighbours of both quantiles.
    fn places(&self) -> [u64; 4] {
        let [lo, hi] = spots(self.share, self.n).map(|spot| spot.first);
        [lo, lo + 1, hi, hi + 1].map(|place| place.min(self.n - 1))
    }

    /// The quantiles, once no other pass is needed; `None` if no number was finite.
    #[must_use]
    pub fn ends(&self) -> Option<(f64, f64)> {
        if self.n == 0 {
            return None;
        }
        let known: u32 = DIGITS[..self.pass].iter().sum();
        let found = |idx: usize| float(whole_key(self.sought[idx].prefix, 64 - known));
        let [lo, hi] = spots(self.share, self.n);
        Some((between(found(0), found(1), lo.share), between(found(2), found(3), hi.share)))
    }
}

impl Sought {
    fn learn(&mut self, bits: u32) {
        let counts = std::mem::take(&mut self.counts);
        self.learn_from(&counts, bits);
    }

    fn learn_from(&mut self, counts: &[u64], bits: u32) {
        for (digit, count) in counts.iter().enumerate() {
            if self.before < *count {
                self.prefix = self.prefix << bits | digit as u64;
                return;
            }
            self.before -= count;
        }
    }
}

const SIGN: u64 = 1 << 63;

/// An integer; integers of floats are in the order of the floats.
fn key(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn float(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

/// The key of a float32 all of whose bits are known. The other bits are zero in the float64, and inverted in the keys of
/// negative numbers.
fn whole_key(prefix: u64, missing_bits: u32) -> u64 {
    let key = prefix << missing_bits;
    let is_negative = key & SIGN == 0;
    if is_negative && missing_bits == REST_BITS { key | ((1 << REST_BITS) - 1) } else { key }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_passes(share: f64, steps: &[Values]) -> Option<(f64, f64)> {
        let mut quantiles = Quantiles::new(share);
        loop {
            for step in steps {
                quantiles.add(step);
            }
            if !quantiles.end_pass() {
                return quantiles.ends();
            }
        }
    }

    #[test]
    fn quantiles_equal_those_of_numpy() {
        // numpy.quantile([-3, -1, 0, 2, 10], [0.05, 0.95]) and so on.
        let numbers = [2.0, -3.0, 10.0, f32::NAN, 0.0, -1.0];
        assert_eq!(ends(1.0, &numbers), Some((-3.0, 10.0)));
        let (lo, hi) = ends(0.9, &numbers).unwrap();
        assert!((lo + 2.6).abs() < 1e-12 && (hi - 8.4).abs() < 1e-12, "{lo} {hi}");
        assert_eq!(ends(0.5, &[f64::NAN]), None);
        assert_eq!(in_passes(0.5, &[Values::F64(vec![f64::NAN])]), None);
    }

    proptest! {
        #[test]
        fn passes_find_what_sorting_finds(
            narrow in prop::collection::vec(any::<f32>(), 1..200),
            wide in prop::collection::vec(any::<f64>(), 0..100),
            share in 0.01_f64..=1.0,
        ) {
            prop_assert_eq!(in_passes(share, &[Values::F32(narrow.clone())]), ends(share, &narrow));
            let all: Vec<f64> = narrow.iter().map(|x| f64::from(*x)).chain(wide.iter().copied()).collect();
            let steps = [Values::F32(narrow), Values::F64(wide)];
            prop_assert_eq!(in_passes(share, &steps), ends(share, &all));
        }
    }
}
