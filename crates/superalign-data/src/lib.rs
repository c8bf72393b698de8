//! Items: where they come from, how they are spoiled and how they are divided.
//!
//! - [`item`]: the shape of an item, whatever its source;
//! - `world`: a generated language of facts, relations, numbers and norms, where truth is known;
//! - `load`: real files (`CosmosQA`, `SciQ`, `BoolQ`, generic JSONL/CSV/Parquet, preferences);
//! - `noise`: label noise of an exact ratio, nested across ratios;
//! - `split`: division by group, so that nothing leaks.

pub mod item;
