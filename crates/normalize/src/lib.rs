//! Source bytes to records, and records to normalised events. Pure.
//!
//! [`split`] takes what a source delivers (an EventBridge event, a CloudTrail file, JSON Lines, gzip of any of
//! these) apart into records; [`event`] understands one record; [`resource`] says what it changed,
//! [`principal`] who is behind it. [`finding`] reads what AWS's own detectors say;
//! [`ocsf`] writes events and findings in the words of OCSF.

mod event;
pub mod finding;
mod gunzip;
pub mod ocsf;
mod principal;
mod resource;
mod split;

pub use event::{EventError, event, is_from_aws};
pub use gunzip::{GunzipError, gunzip};
pub use principal::principal;
pub use resource::resource;
pub use split::{RawRecord, Split, split};

/// The most bytes that one delivery may hold once it is unpacked.
pub const DELIVERY_BYTES_MAX: usize = 256 * 1024 * 1024;
