//! What every target does with the bytes it is given.

use std::io::Write as _;
use superalign_data::load::load;
use superalign_data::signal::{Reading, Shape, read};

/// Reads the bytes as a file with that ending, in every way: any error will do, and no panic.
pub fn every_way(ending: &str, bytes: &[u8]) {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
    file.write_all(bytes).unwrap();
    _ = load(file.path(), None);
    if let Ok(signal) = read(file.path(), &Reading::default()) {
        assert!(signal.rows > 0);
    }
    for shape in Shape::ALL {
        _ = read(file.path(), &Reading { shape: Some(shape), columns: Vec::new() });
    }
}
