//! `metrics.csv`: every number of a run, long form, failures included.

use super::RecordError;
use serde::{Deserialize, Serialize};
use std::path::Path;
use superalign_core::Estimate;

/// One line of `metrics.csv`: a number with its interval, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Where in the grid, as `key=value` pairs joined by `/`.
    pub cell: String,
    /// The seed; none for a summary over seeds.
    pub seed: Option<u64>,
    /// What was measured.
    pub metric: String,
    /// The number.
    pub value: Option<f64>,
    /// Lower end of its interval.
    pub lo: Option<f64>,
    /// Upper end of its interval.
    pub hi: Option<f64>,
    /// Number of items it rests on.
    pub n: Option<u64>,
    /// Its unit: `share` of items, `difference` of shares, `ratio`.
    pub unit: String,
    /// Why there is no number.
    pub error: Option<String>,
}

impl Row {
    /// A number that was measured on `n` items, or the reason why it is undefined.
    pub fn new<E: std::fmt::Display>(
        cell: impl Into<String>,
        seed: Option<u64>,
        metric: &str,
        unit: &str,
        n: usize,
        outcome: Result<Estimate, E>,
    ) -> Self {
        let (estimate, error) = match outcome {
            Ok(e) if e.value.is_finite() => (Some(e), None),
            Ok(e) => (None, Some(format!("the value is {}", e.value))),
            Err(e) => (None, Some(e.to_string().replace('\n', " "))),
        };
        let finite = |x: Option<f64>| x.filter(|x| x.is_finite());
        Self {
            cell: cell.into(),
            seed,
            metric: metric.to_owned(),
            value: estimate.map(|e| e.value),
            lo: finite(estimate.map(|e| e.lo)),
            hi: finite(estimate.map(|e| e.hi)),
            n: Some(n as u64),
            unit: unit.to_owned(),
            error,
        }
    }

    /// The number with its interval, where there is one.
    #[must_use]
    pub fn estimate(&self) -> Option<Estimate> {
        let value = self.value?;
        Some(Estimate { value, lo: self.lo.unwrap_or(value), hi: self.hi.unwrap_or(value) })
    }

    /// The value of `key` in the cell's name.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<&str> {
        self.cell.split('/').find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
    }
}

/// A name that can stand in a cell's name.
pub(crate) fn cell_safe(name: &str) -> String {
    name.replace(['/', '=', ',', '\n', '"'], "_")
}

const HEADER: [&str; 10] =
    ["experiment", "cell", "seed", "metric", "value", "lo", "hi", "n", "unit", "error"];

/// The bytes of `metrics.csv`.
///
/// Numbers are written with as many digits as it takes to read the same number back.
#[must_use]
pub fn metrics_csv(experiment: &str, rows: &[Row]) -> Vec<u8> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let number = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    let whole = |x: Option<u64>| x.map(|x| x.to_string()).unwrap_or_default();
    let records = rows.iter().map(|r| {
        [
            experiment.to_owned(),
            r.cell.clone(),
            whole(r.seed),
            r.metric.clone(),
            number(r.value),
            number(r.lo),
            number(r.hi),
            whole(r.n),
            r.unit.clone(),
            r.error.clone().unwrap_or_default(),
        ]
    });
    let header = HEADER.map(str::to_owned);
    for record in std::iter::once(header).chain(records) {
        // A vector takes every byte; the writer flushes into it below.
        let _ = out.write_record(&record);
    }
    out.into_inner().unwrap_or_default()
}

/// The rows of a `metrics.csv`.
///
/// # Errors
/// The file cannot be read, or is not one that [`metrics_csv`] made.
pub fn read_metrics(path: &Path) -> Result<Vec<Row>, RecordError> {
    let bytes = std::fs::read(path).map_err(RecordError::io("read", path))?;
    let damaged = |line: usize, found: String| RecordError::Damaged {
        path: path.to_owned(),
        line: Some(line),
        found,
        expected: format!("the columns {}", HEADER.join(",")),
    };
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().map_err(|e| damaged(1, e.to_string()))?;
    if header.iter().ne(HEADER) {
        return Err(damaged(1, format!("the columns {}", header.iter().collect::<Vec<_>>().join(","))));
    }
    let mut rows = Vec::new();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| damaged(i + 2, e.to_string()))?;
        let text = |column: usize| Some(&record[column]).filter(|t| !t.is_empty());
        let number = |column: usize| {
            text(column)
                .map(|t| t.parse::<f64>().map_err(|_| damaged(i + 2, format!("`{t}` as {}", HEADER[column]))))
                .transpose()
        };
        let whole = |column: usize| {
            text(column)
                .map(|t| t.parse::<u64>().map_err(|_| damaged(i + 2, format!("`{t}` as {}", HEADER[column]))))
                .transpose()
        };
        rows.push(Row {
            cell: record[1].to_owned(),
            seed: whole(2)?,
            metric: record[3].to_owned(),
            value: number(4)?,
            lo: number(5)?,
            hi: number(6)?,
            n: whole(7)?,
            unit: record[8].to_owned(),
            error: text(9).map(str::to_owned),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let third = Estimate { value: 1.0 / 3.0, lo: 0.1, hi: 0.5 };
        let rows = vec![
            Row::new("model=a/ratio=0.3", Some(4), "test-accuracy", "share", 7, Ok::<_, String>(third)),
            Row::new("teacher=a/student=b", None, "pgr", "ratio", 7, Err("undefined, \"because\"\nof that")),
        ];
        let bytes = metrics_csv("noise", &rows);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        super::super::write_whole(&path, &bytes).unwrap();
        let read = read_metrics(&path).unwrap();
        assert_eq!(read, rows);
        assert_eq!(read[0].key("ratio"), Some("0.3"));
        assert_eq!(read[0].key("rat"), None);
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
    }

    #[test]
    fn a_strange_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let error =
            read_metrics(&path).unwrap_err().to_string().replace(&folder.path().display().to_string(), "RUN");
        insta::assert_snapshot!(error, @"RUN/metrics.csv:1: the columns a,b; expected the columns experiment,cell,seed,metric,value,lo,hi,n,unit,error");
    }
}
