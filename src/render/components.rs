//! Weights of a kernel -> three numbers per pixel: the strengths of three factors over the input channels.
//!
//! The factors come from a non-negative factorisation of the absolute weights by the rules of Lee and Seung (1999). The pixels of
//! all filters are its rows, the input channels its columns. Every Nth row, at most [`MOST_ROWS`] in total, decides the factors.
//! The start is the three rows that are most unlike one another (successive projection, Araujo and others 2001), and random
//! numbers that are the same each time; the end comes after [`ROUNDS`] rounds. A factor has length 1; the strongest comes first.
//! Then each pixel gets the three loadings, none below 0, that fit its weights best.

/// The most rows that decide the factors.
pub const MOST_ROWS: usize = 2_048;
/// The most numbers that these rows may have together: with many inputs, fewer rows decide.
const MOST_ELEMENTS: usize = 1 << 20;
const LEAST_ROWS: usize = 64;
/// How often loadings and factors are improved in turn.
pub const ROUNDS: usize = 60;
/// The seed of the random numbers at the start.
const SEED: u64 = 20_261_124;
/// Keeps divisions away from zero.
const TINY: f64 = 1e-12;

/// The share of a pixel's squared norm by which another set of factors must be better.
const LEAST_GAIN: f64 = 1e-9;

/// Three rows over the input channels.
pub type Factors = [Vec<f64>; 3];

/// The factors of the absolute weights of `pixel(0)` to `pixel(n - 1)`, each with `inputs` numbers.
#[must_use]
pub fn factors(n: usize, inputs: usize, pixel: impl Fn(usize, &mut Vec<f64>)) -> Factors {
    let most = (MOST_ELEMENTS / inputs.max(1)).clamp(LEAST_ROWS, MOST_ROWS);
    let stride = n.div_ceil(most).max(1);
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for idx in (0..n).step_by(stride) {
        let mut row = Vec::with_capacity(inputs);
        pixel(idx, &mut row);
        if row.iter().all(|x| x.is_finite()) {
            rows.push(row.iter().map(|x| x.abs()).collect());
        }
    }
    let strongest = rows.iter().flatten().fold(0.0_f64, |a, b| a.max(*b));
    let mut factors: Factors = std::array::from_fn(|_| vec![0.0; inputs]);
    if strongest == 0.0 {
        return factors;
    }
    rows.iter_mut().flatten().for_each(|x| *x /= strongest);
    let loadings = factorise(&rows, &mut factors);
    by_strength(factors, &loadings)
}

/// Improves random loadings and factors in turn.
fn factorise(rows: &[Vec<f64>], factors: &mut Factors) -> Vec<[f64; 3]> {
    let mut state = SEED;
    let mut random = || {
        // SplitMix64. The upper 53 bits become a number from 0 to 1; a tiny number is added so that it is not 0.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + 1e-3
    };
    let mut loadings: Vec<[f64; 3]> = rows.iter().map(|_| std::array::from_fn(|_| random())).collect();
    let mean = rows.iter().flatten().sum::<f64>() / (rows.len() * factors[0].len()) as f64;
    for (factor, row) in factors.iter_mut().zip(unlike_rows(rows)) {
        for (x, start) in factor.iter_mut().zip(&rows[row]) {
            // Multiplications would never change a zero.
            *x = random() * 0.1 * mean + start;
        }
    }
    for _ in 0..ROUNDS {
        let gram = products(factors);
        for (row, loading) in rows.iter().zip(&mut loadings) {
            let wanted = factors.each_ref().map(|factor| dot(factor, row));
            *loading = std::array::from_fn(|k| loading[k] * wanted[k] / (dot(loading, &gram[k]) + TINY));
        }
        improve(factors, rows, &loadings);
    }
    loadings
}

/// The longest row; then, twice, the row that is longest after the directions of the earlier rows are projected out.
fn unlike_rows(rows: &[Vec<f64>]) -> [usize; 3] {
    let mut left = rows.to_vec();
    // If all rows are alike, only rounding errors are left.
    let least = TINY * rows.iter().map(|row| dot(row, row)).fold(0.0, f64::max);
    std::array::from_fn(|_| {
        let longest = |best: (usize, f64), (idx, row): (usize, &Vec<f64>)| {
            let square = dot(row, row);
            if square > best.1 { (idx, square) } else { best }
        };
        let (chosen, square) = left.iter().enumerate().fold((0, least), longest);
        if square > least {
            let unit: Vec<f64> = left[chosen].iter().map(|x| x / square.sqrt()).collect();
            for row in &mut left {
                let along = dot(row, &unit);
                row.iter_mut().zip(&unit).for_each(|(x, unit)| *x -= along * unit);
            }
        }
        chosen
    })
}

fn improve(factors: &mut Factors, rows: &[Vec<f64>], loadings: &[[f64; 3]]) {
    let mut gram = [[0.0; 3]; 3];
    let mut wanted: Factors = std::array::from_fn(|k| vec![0.0; factors[k].len()]);
    for (row, loading) in rows.iter().zip(loadings) {
        for (k, wanted) in wanted.iter_mut().enumerate() {
            for (wanted, x) in wanted.iter_mut().zip(row) {
                *wanted += loading[k] * x;
            }
            for (sum, other) in gram[k].iter_mut().zip(loading) {
                *sum += loading[k] * other;
            }
        }
    }
    let before = factors.clone();
    for (k, factor) in factors.iter_mut().enumerate() {
        for (input, x) in factor.iter_mut().enumerate() {
            let now =
                gram[k][0] * before[0][input] + gram[k][1] * before[1][input] + gram[k][2] * before[2][input];
            *x *= wanted[k][input] / (now + TINY);
        }
    }
}

fn by_strength(factors: Factors, loadings: &[[f64; 3]]) -> Factors {
    let mut ranked: Vec<(f64, Vec<f64>)> = factors
        .into_iter()
        .enumerate()
        .map(|(k, factor)| {
            let length = dot(&factor, &factor).sqrt();
            let strength = length * loadings.iter().map(|loading| loading[k]).sum::<f64>();
            let unit = if length > 0.0 { factor.iter().map(|x| x / length).collect() } else { factor };
            (strength, unit)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut ranked = ranked.into_iter().map(|(_, factor)| factor);
    std::array::from_fn(|_| ranked.next().unwrap_or_default())
}

/// How a pixel's weights are composed of the factors.
#[derive(Clone, Debug)]
pub struct Basis {
    factors: Factors,
    gram: [[f64; 3]; 3],
}

impl Basis {
    /// For these factors.
    #[must_use]
    pub fn new(factors: Factors) -> Self {
        Self { gram: products(&factors), factors }
    }

    /// The non-negative loadings with the least squared error for a pixel's weights. If a weight is NaN, all three are NaN;
    /// otherwise, if a weight is infinite, all three are infinite.
    #[must_use]
    pub fn loadings(&self, weights: &[f64]) -> [f64; 3] {
        if weights.iter().any(|x| x.is_nan()) {
            return [f64::NAN; 3];
        }
        if weights.iter().any(|x| x.is_infinite()) {
            return [f64::INFINITY; 3];
        }
        let strengths: Vec<f64> = weights.iter().map(|x| x.abs()).collect();
        let wanted = self.factors.each_ref().map(|factor| dot(factor, &strengths));
        // Another factor must improve the error by more than rounding does.
        let gain = LEAST_GAIN * dot(&strengths, &strengths);
        let mut best = ([0.0; 3], 0.0);
        // With three factors, all seven non-empty subsets can be tried.
        for chosen in 1_u8..8 {
            let Some(loadings) = self.solve(chosen, wanted) else { continue };
            let error = -dot(&loadings, &wanted);
            if loadings.iter().all(|x| *x >= 0.0) && error < best.1 - gain {
                best = (loadings, error);
            }
        }
        best.0
    }

    /// Least squares over the chosen factors. They reduce the squared error by `loadings . wanted`.
    fn solve(&self, chosen: u8, wanted: [f64; 3]) -> Option<[f64; 3]> {
        // The other factors stay in the equations as "1 x = 0".
        let is_chosen = |k: usize| chosen >> k & 1 == 1;
        let entry = |row: usize, col: usize| match (is_chosen(row) && is_chosen(col), row == col) {
            (true, _) => self.gram[row][col],
            (false, true) => 1.0,
            (false, false) => 0.0,
        };
        let matrix: [[f64; 3]; 3] = std::array::from_fn(|row| std::array::from_fn(|col| entry(row, col)));
        let right: [f64; 3] = std::array::from_fn(|k| if is_chosen(k) { wanted[k] } else { 0.0 });
        let whole = determinant(matrix);
        if whole <= TINY {
            return None;
        }
        Some(std::array::from_fn(|k| {
            let mut replaced = matrix;
            for (row, value) in replaced.iter_mut().zip(right) {
                row[k] = value;
            }
            determinant(replaced) / whole
        }))
    }
}

fn determinant([[a, b, c], [d, e, f], [g, h, i]]: [[f64; 3]; 3]) -> f64 {
    a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
}

fn products(factors: &Factors) -> [[f64; 3]; 3] {
    std::array::from_fn(|row| std::array::from_fn(|col| dot(&factors[row], &factors[col])))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixture(pixel: usize, row: &mut Vec<f64>) {
        // Three parts over disjoint inputs, each pixel of one or two of them.
        let part = |input: usize| input / 2;
        let strength = [3.0, 2.0, 1.0];
        row.extend((0..6).map(|input| {
            let sign = if (pixel + input).is_multiple_of(2) { 1.0 } else { -1.0 };
            if pixel % 3 == part(input) { sign * strength[part(input)] } else { 0.0 }
        }));
    }

    #[test]
    fn parts_that_never_come_together_are_found_apart() {
        let basis = Basis::new(factors(90, 6, mixture));
        let mut row = Vec::new();
        for (pixel, strength) in [3.0, 2.0, 1.0].into_iter().enumerate() {
            row.clear();
            mixture(pixel, &mut row);
            let loadings = basis.loadings(&row);
            let length = strength * 2.0_f64.sqrt();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-3 * length;
            assert!(near(loadings[pixel], length), "{pixel} {loadings:?}");
            assert!((0..3).filter(|k| *k != pixel).all(|k| near(loadings[k], 0.0)), "{pixel} {loadings:?}");
        }
    }

    #[test]
    fn what_is_not_finite_or_all_zero_has_loadings_too() {
        let zero = Basis::new(factors(9, 4, |_, row| row.extend([0.0; 4])));
        assert_eq!(zero.loadings(&[0.0; 4]), [0.0; 3]);
        assert_eq!(zero.loadings(&[0.0, f64::NEG_INFINITY, 0.0, 0.0]), [f64::INFINITY; 3]);
        assert!(zero.loadings(&[0.0, f64::NAN, f64::INFINITY, 0.0]).iter().all(|x| x.is_nan()));
    }
}
