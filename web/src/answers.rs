//! Which items were answered rightly.

use crate::Fault;
use ndarray::{Array2, ArrayView2};
use wasm_bindgen::prelude::*;

/// Whether each item was answered rightly, in one row of items per seed.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Answers {
    rows: Array2<bool>,
}

#[wasm_bindgen]
impl Answers {
    /// From zeros (wrong) and ones (right), rows one after the other: shape `(rows, items)`.
    ///
    /// # Errors
    /// A value other than 0 and 1; a length that is no multiple of `rows`.
    #[wasm_bindgen(constructor)]
    pub fn new(zeros_and_ones: &[u8], rows: usize) -> Result<Answers, JsError> {
        Ok(Self::read(zeros_and_ones, rows)?)
    }

    /// Number of items in each row.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn items(&self) -> usize {
        self.rows.ncols()
    }
}

impl Answers {
    pub(crate) fn read(zeros_and_ones: &[u8], rows: usize) -> Result<Self, Fault> {
        if let Some(index) = zeros_and_ones.iter().position(|answer| *answer > 1) {
            return Err(Fault::NotBinary { index, found: zeros_and_ones[index] });
        }
        let length = zeros_and_ones.len();
        let misfit = Fault::Rows { length, rows };
        let items = length.checked_div(rows).filter(|items| items * rows == length);
        let flags = zeros_and_ones.iter().map(|answer| *answer == 1).collect();
        match items.map(|items| Array2::from_shape_vec((rows, items), flags)) {
            Some(Ok(rows)) => Ok(Self { rows }),
            _ => Err(misfit),
        }
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, bool> {
        self.rows.view()
    }

    /// The rows in `parts` runs of equal length, in order.
    pub(crate) fn split(&self, parts: usize) -> Result<Vec<Array2<bool>>, Fault> {
        let rows = self.rows.nrows();
        let each = rows.checked_div(parts).filter(|each| *each > 0 && each * parts == rows);
        let each = each.ok_or(Fault::Ratios { rows, ratios: parts })?;
        Ok(self.rows.axis_chunks_iter(ndarray::Axis(0), each).map(|chunk| chunk.to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rows_follow_each_other() {
        let answers = Answers::read(&[1, 0, 0, 1, 1, 1], 2).unwrap();
        assert_eq!(answers.view(), array![[true, false, false], [true, true, true]]);
        assert_eq!(answers.items(), 3);
    }

    #[test]
    fn splitting_keeps_the_order() {
        let answers = Answers::read(&[1, 0, 0, 1], 4).unwrap();
        assert_eq!(answers.split(2).unwrap(), [array![[true], [false]], array![[false], [true]]]);
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_says_so() {
        let message = |outcome: Result<Answers, Fault>| outcome.unwrap_err().to_string();
        assert_eq!(message(Answers::read(&[1, 0, 2], 1)), "answer 2 is 2: expected 0 (wrong) or 1 (right)");
        for rows in [0, 2, 4] {
            let expected = format!(
                "3 answers do not divide into {rows} rows: expected a multiple of the number of rows"
            );
            assert_eq!(message(Answers::read(&[1, 0, 1], rows)), expected);
        }
        let answers = Answers::read(&[1, 0, 1], 3).unwrap();
        assert_eq!(
            answers.split(2).unwrap_err().to_string(),
            "3 rows do not divide among 2 noise ratios: expected one row per ratio and seed"
        );
        assert!(answers.split(0).is_err() && answers.split(4).is_err());
    }
}
