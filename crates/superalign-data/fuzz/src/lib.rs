//! What every target does with the bytes it is given.

use std::io::Write as _;
use std::sync::Once;
use superalign_data::load::load;
use superalign_data::signal::{Reading, Shape, read};

/// Reads the bytes as a file with that ending, in every way: any error will do, and no panic.
pub fn every_way(ending: &str, bytes: &[u8]) {
    // The fuzzer's own hook ends the process at every panic, also at those of the Parquet library that are caught. One
    // that is not caught ends it all the same.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
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
