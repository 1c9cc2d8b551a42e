//! What the fuzz targets run: functions over any bytes, that panic when a reader breaks its word. `make test` runs them
//! too, over the seeds and mutations of them (`mutations.rs`, from the crate's `tests/hostile.rs`).

pub mod aws;
pub mod detect;
pub mod findings;
pub mod guard;
pub mod normalize;
pub mod pattern;
pub mod states;
