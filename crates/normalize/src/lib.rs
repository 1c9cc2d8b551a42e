//! Source bytes to records, and records to normalised events. Pure.
//!
//! [`split`] takes what a source delivers (an EventBridge event, a CloudTrail file, JSON Lines, gzip of any of
//! these) apart into records; [`event`] understands one record; [`resource`] says what it changed,
//! [`principal`] who is behind it, and [`chain`] who began the sessions that it came through.

pub mod chain;
mod event;
mod gunzip;
mod principal;
mod resource;
mod split;

pub use chain::assumption;
pub use event::{EventError, event, is_from_aws};
pub use gunzip::{GunzipError, gunzip};
pub use principal::principal;
pub use resource::resource;
pub use split::{RawRecord, Split, split};

/// The most bytes that one delivery may hold once it is unpacked.
pub const DELIVERY_BYTES_MAX: usize = 256 * 1024 * 1024;
