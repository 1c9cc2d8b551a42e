//! Source bytes to records, and records to normalised events. Pure.
//!
//! [`split`] takes what a source delivers (an EventBridge event, a CloudTrail file, JSON Lines, gzip of any of
//! these) apart into records; [`FileReader`] does it in place for
//! CloudTrail's files; [`event`] understands one record; [`resource`] says what it changed,
//! [`principal`] who is behind it.

mod event;
mod file;
mod gunzip;
mod outline;
mod principal;
mod reading;
mod resource;
mod split;

pub use event::{EventError, EventRef, event, event_ref, is_from_aws};
pub use file::{FileReader, Name, Piece};
pub use gunzip::{GunzipError, gunzip};
pub use outline::{Inner, Kind, Outline, Part};
pub use principal::principal;
pub use reading::{Reading, Top};
pub use resource::resource;
pub use split::{RawRecord, Split, split};

/// The most bytes that one delivery may hold once it is unpacked.
pub const DELIVERY_BYTES_MAX: usize = 256 * 1024 * 1024;
