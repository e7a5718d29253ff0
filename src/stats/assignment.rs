//! A square matrix of costs -> which column each row gets, so that the sum of costs is least.
//!
//! Shortest augmenting paths with prices, as in Jonker and Volgenant 1987 (doi:10.1007/BF02278710) and Crouse 2016
//! (doi:10.1109/TAES.2016.140952): rows are added one by one, each along the cheapest path that reassigns earlier rows.

/// The column of each row. `costs` has `n * n` finite numbers, row by row. In the worst case, the time is of order n^3.
#[must_use]
pub fn assignment(costs: &[f64], n: usize) -> Vec<usize> {
    let mut matrix = Matrix {
        costs,
        n,
        row_prices: vec![0.0; n],
        col_prices: vec![0.0; n],
        row_of_col: vec![None; n],
        col_of_row: vec![None; n],
    };
    for row in 0..n {
        matrix.join(row);
    }
    matrix.col_of_row.into_iter().map(|col| col.expect("each row has joined")).collect()
}

/// No cost is below the sum of the prices of its row and its column; for assigned pairs they are equal.
struct Matrix<'a> {
    costs: &'a [f64],
    n: usize,
    row_prices: Vec<f64>,
    col_prices: Vec<f64>,
    row_of_col: Vec<Option<usize>>,
    col_of_row: Vec<Option<usize>>,
}

/// The paths from the row that is added.
struct ShortestPaths {
    /// The length of the shortest path to each column.
    lengths: Vec<f64>,
    /// The row before each column on its shortest path.
    row_before: Vec<usize>,
    /// Columns whose shortest path is known, in the order in which it became known.
    settled: Vec<usize>,
    /// The other columns.
    open: Vec<usize>,
}

impl Matrix<'_> {
    fn join(&mut self, new_row: usize) {
        let mut paths = ShortestPaths {
            lengths: vec![f64::INFINITY; self.n],
            row_before: vec![new_row; self.n],
            settled: Vec::new(),
            open: (0..self.n).collect(),
        };
        let (mut row, mut length) = (new_row, 0.0);
        let free_col = loop {
            let col = self.settle_nearest(&mut paths, row, length);
            length = paths.lengths[col];
            match self.row_of_col[col] {
                Some(taken_by) => row = taken_by,
                None => break col,
            }
        };
        self.raise_prices(&paths, new_row, length);
        self.take_path(&paths, free_col);
    }

    /// Extends the paths from `row`, which has this path length, and settles the nearest open column.
    fn settle_nearest(&self, paths: &mut ShortestPaths, row: usize, length: f64) -> usize {
        let costs = &self.costs[row * self.n..][..self.n];
        let (mut nearest, mut least) = (0, f64::INFINITY);
        for (place, &col) in paths.open.iter().enumerate() {
            let through_row = length + (costs[col] - self.row_prices[row] - self.col_prices[col]);
            if through_row < paths.lengths[col] {
                paths.lengths[col] = through_row;
                paths.row_before[col] = row;
            }
            // Among equals, a free column is preferred because it ends the path.
            let is_free = self.row_of_col[col].is_none();
            if paths.lengths[col] < least || (paths.lengths[col] == least && is_free) {
                (nearest, least) = (place, paths.lengths[col]);
            }
        }
        let col = paths.open.swap_remove(nearest);
        paths.settled.push(col);
        col
    }

    fn raise_prices(&mut self, paths: &ShortestPaths, new_row: usize, length: f64) {
        self.row_prices[new_row] += length;
        for &col in &paths.settled {
            let slack = length - paths.lengths[col];
            self.col_prices[col] -= slack;
            if let Some(row) = self.row_of_col[col] {
                self.row_prices[row] += slack;
            }
        }
    }

    /// Each row on the path takes the next column on it and leaves its own to the row before.
    fn take_path(&mut self, paths: &ShortestPaths, free_col: usize) {
        let mut col = free_col;
        loop {
            let row = paths.row_before[col];
            self.row_of_col[col] = Some(row);
            // The row that is added had no column.
            let Some(left) = self.col_of_row[row].replace(col) else { return };
            col = left;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(costs: &[f64], n: usize, col_of_row: &[usize]) -> f64 {
        col_of_row.iter().enumerate().map(|(row, col)| costs[row * n + col]).sum()
    }

    /// The least sum over all permutations, found by trying all.
    fn least(costs: &[f64], n: usize, row: usize, taken: &mut Vec<bool>) -> f64 {
        if row == n {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for col in 0..n {
            if !taken[col] {
                taken[col] = true;
                best = best.min(costs[row * n + col] + least(costs, n, row + 1, taken));
                taken[col] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_other_assignment_costs_less(n in 1_usize..7, numbers in prop::collection::vec(-5_i8..5, 49)) {
            let costs: Vec<f64> = numbers[..n * n].iter().map(|x| f64::from(*x)).collect();
            let found = assignment(&costs, n);
            let mut cols = found.clone();
            cols.sort_unstable();
            prop_assert_eq!(cols, (0..n).collect::<Vec<_>>());
            prop_assert_eq!(total(&costs, n, &found), least(&costs, n, 0, &mut vec![false; n]));
        }
    }

    #[test]
    fn nothing_is_assigned_to_nothing() {
        assert_eq!(assignment(&[], 0), [] as [usize; 0]);
    }
}
