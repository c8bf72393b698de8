//! Bytes as a file that ends in `.parquet`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| superalign_data_fuzz::every_way(".parquet", bytes));
