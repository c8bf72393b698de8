//! Reads and writes arrays as numpy does: version 1 of the NPY format, little-endian, row after row.

use ndarray::Array2;
use std::fmt::Write as _;
use std::path::Path;

/// A two-dimensional array.
pub(crate) fn read<T: Element>(path: &Path) -> Array2<T> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00", "{}: no NPY of version 1", path.display());
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..start]).expect("an NPY header is text");
    assert!(header.contains(&format!("'descr': '{}'", T::NAME)), "{}: {header}", path.display());
    assert!(header.contains("'fortran_order': False"), "{}: {header}", path.display());
    let shape = header.split(['(', ')']).nth(1).expect("an NPY header has a shape");
    let sizes: Vec<usize> = shape.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    let values = bytes[start..].chunks_exact(size_of::<T>()).map(T::read).collect();
    Array2::from_shape_vec((sizes[0], sizes[1]), values).expect("an NPY file has the size its header says")
}

/// Writes a two-dimensional array.
pub(crate) fn write(path: &Path, array: &Array2<f64>) {
    let (rows, columns) = array.dim();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let padding = 64 - (10 + header.len() + 1) % 64;
    writeln!(header, "{:padding$}", "").expect("a string takes what is written");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).expect("a short header").to_le_bytes());
    bytes.extend(header.as_bytes());
    array.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    std::fs::write(path, bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// A number as numpy names and stores it.
pub(crate) trait Element: Copy {
    const NAME: &str;
    fn read(bytes: &[u8]) -> Self;
}

macro_rules! element {
    ($($t:ty: $name:literal),*) => {$(
        impl Element for $t {
            const NAME: &str = $name;
            fn read(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("chunks have the size of an element"))
            }
        }
    )*};
}
element!(f32: "<f4", f64: "<f8");
