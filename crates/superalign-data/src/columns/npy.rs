//! NumPy's array format (NEP 1, versions 1 to 3): plain numbers of any width, in either order.

use super::{Cells, Column};
use crate::error::DataError;
use crate::load::container::unreadable;
use half::f16;
use std::borrow::Cow;
use std::path::Path;

/// The column `values` of the array and its number of rows.
pub(super) fn read(path: &Path, bytes: Option<&[u8]>) -> Result<(usize, Vec<Column>), DataError> {
    let bytes = match bytes {
        Some(bytes) => Cow::Borrowed(bytes),
        None => Cow::Owned(std::fs::read(path).map_err(|e| unreadable(path, &e))?),
    };
    let Header { kind, width, big, fortran, shape, start } = header(path, &bytes)?;
    let data = &bytes[start..];
    let (&rows, inner) = shape.split_first().ok_or_else(|| {
        flaw(path, "an array without dimensions", "an array of rows", "save a list of numbers or a matrix")
    })?;
    if inner.len() > 3 {
        let found = format!("an array of {} dimensions", shape.len());
        return Err(flaw(path, &found, "at most four", "save it with fewer"));
    }
    let count = shape.iter().try_fold(1_usize, |n, &length| n.checked_mul(length));
    let size = count.and_then(|n| n.checked_mul(width));
    let (Some(count), true) = (count, size == Some(data.len())) else {
        let found = format!("{} bytes of numbers", data.len());
        let expected = match size {
            Some(size) => format!("{size}, for an array of {shape:?}"),
            None => format!("an array smaller than {shape:?}"),
        };
        return Err(flaw(path, &found, &expected, "check that the file was written to its end"));
    };
    let mut values = numbers(data, kind, width, big).ok_or_else(|| {
        let found = format!("numbers of kind `{}{width}`", char::from(kind));
        flaw(
            path,
            &found,
            "floating-point numbers, whole numbers or truth values",
            "save it with `.astype('float32')`",
        )
    })?;
    if fortran && shape.len() > 1 {
        values = by_rows(&values, &shape, count);
    }
    let name = "values".to_owned();
    let cells = if inner.is_empty() {
        Cells::Numbers(values)
    } else {
        if values.is_empty() && rows > 0 {
            return Err(flaw(path, "rows without numbers", "at least one column", "save it again"));
        }
        Cells::Lists { shape: inner.to_vec(), values }
    };
    Ok((rows, vec![Column { name, cells }]))
}

struct Header {
    kind: u8,
    width: usize,
    /// Whether the bytes of a number begin with the most significant.
    big: bool,
    /// Whether the first dimension varies fastest.
    fortran: bool,
    shape: Vec<usize>,
    /// Where the numbers begin.
    start: usize,
}

fn header(path: &Path, bytes: &[u8]) -> Result<Header, DataError> {
    let broken = |found: &str| flaw(path, found, "the header of a NumPy array", "save it with `numpy.save`");
    let length = |at: usize, size: usize| -> Option<usize> {
        let bytes = bytes.get(at..at + size)?;
        Some(bytes.iter().rev().fold(0_usize, |n, &byte| n << 8 | usize::from(byte)))
    };
    let (start, size) = match bytes.get(6) {
        Some(1) => (10, length(8, 2)),
        Some(2 | 3) => (12, length(8, 4)),
        Some(version) => return Err(broken(&format!("version {version} of the format"))),
        None => (0_usize, None),
    };
    let text = size
        .and_then(|size| bytes.get(start..start.checked_add(size)?))
        .and_then(|text| std::str::from_utf8(text).ok())
        .ok_or_else(|| broken("a header that is cut off"))?;
    let value = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}':"))?;
        Some(rest.trim_start())
    };
    let (Some(descr), Some(order), Some(shape)) = (value("descr"), value("fortran_order"), value("shape"))
    else {
        return Err(broken("a header without `descr`, `fortran_order` and `shape`"));
    };
    let descr = descr.strip_prefix('\'').and_then(|rest| rest.split('\'').next());
    let Some((order_of_bytes, kind, width)) = descr.and_then(|descr| {
        let bytes = descr.as_bytes();
        Some((*bytes.first()?, *bytes.get(1)?, descr.get(2..)?.parse::<usize>().ok()?))
    }) else {
        return Err(broken("records with several fields"));
    };
    let inside = shape.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside);
    let lengths = inside.and_then(|inside| {
        let lengths = inside.split(',').map(str::trim).filter(|length| !length.is_empty());
        lengths.map(|length| length.parse().ok()).collect::<Option<Vec<usize>>>()
    });
    let Some(shape) = lengths else { return Err(broken("a shape that is no list of lengths")) };
    Ok(Header {
        kind,
        width,
        big: order_of_bytes == b'>',
        fortran: order.starts_with("True"),
        shape,
        start: start + size.unwrap_or(0),
    })
}

fn numbers(data: &[u8], kind: u8, width: usize, big: bool) -> Option<Vec<f64>> {
    fn each<const N: usize>(data: &[u8], big: bool, read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        let (chunks, _) = data.as_chunks::<N>();
        let turned = |mut bytes: [u8; N]| {
            if big {
                bytes.reverse();
            }
            read(bytes)
        };
        chunks.iter().copied().map(turned).collect()
    }
    Some(match (kind, width) {
        (b'f', 2) => each(data, big, |b| f16::from_le_bytes(b).to_f64()),
        (b'f', 4) => each(data, big, |b| f64::from(f32::from_le_bytes(b))),
        (b'f', 8) => each(data, big, f64::from_le_bytes),
        (b'i', 1) => each(data, big, |b| f64::from(i8::from_le_bytes(b))),
        (b'i', 2) => each(data, big, |b| f64::from(i16::from_le_bytes(b))),
        (b'i', 4) => each(data, big, |b| f64::from(i32::from_le_bytes(b))),
        (b'i', 8) => each(data, big, |b| i64::from_le_bytes(b) as f64),
        (b'u' | b'b', 1) => each(data, big, |b| f64::from(u8::from_le_bytes(b))),
        (b'u', 2) => each(data, big, |b| f64::from(u16::from_le_bytes(b))),
        (b'u', 4) => each(data, big, |b| f64::from(u32::from_le_bytes(b))),
        (b'u', 8) => each(data, big, |b| u64::from_le_bytes(b) as f64),
        _ => return None,
    })
}

/// From the order in which the first dimension varies fastest to that in which the last one does.
fn by_rows(values: &[f64], shape: &[usize], count: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    for _ in 0..count {
        let place = index.iter().zip(shape).rev().fold(0, |place, (&i, &length)| place * length + i);
        out.push(values[place]);
        for (i, &length) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < length {
                break;
            }
            *i = 0;
        }
    }
    out
}

fn flaw(path: &Path, found: &str, expected: &str, remedy: &str) -> DataError {
    DataError::File {
        path: path.to_path_buf(),
        found: found.to_owned(),
        expected: expected.to_owned(),
        remedy: remedy.to_owned(),
    }
}
