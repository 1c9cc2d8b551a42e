//! Source bytes to records, and records to normalised events. Pure.
//!
//! [`split`] takes what a source delivers (an EventBridge event, a CloudTrail file, JSON Lines, gzip of any of
//! these) apart into records; [`FileReader`] does it in place for
//! CloudTrail's files; [`event`] understands one record; [`resource`] says what it changed,
//! [`principal`] who is behind it, and [`chain`] who began the sessions that it came through. Logs of lines (flow logs, DNS queries, web requests) become records of many lines
//! each, which [`LineLog`] gives back; [`FlowReader`], [`dns_query`] and [`web_request`] understand one line. [`finding`] reads
//! what AWS's own detectors say; [`ocsf`] writes all of it in the words of OCSF.

pub mod chain;
mod dns;
mod event;
mod file;
pub mod finding;
mod flow;
mod gunzip;
mod lines;
pub mod ocsf;
mod outline;
mod principal;
mod reading;
mod resource;
mod split;
mod waf;

pub use chain::assumption;
pub use dns::{DnsFault, dns_query};
pub use event::{EventError, EventRef, event, event_ref, is_from_aws};
pub use file::{FileReader, Name, Piece};
pub use flow::{FlowFault, FlowLine, FlowReader};
pub use gunzip::{GunzipError, RATIO_FREE_BYTES, RATIO_MAX, gunzip};
pub use lines::{
    CHUNK_BYTES_MAX, CHUNK_LINES_MAX, LineCounts, LineFaults, LineKind, LineLog, Lines,
};
pub use outline::{Inner, Kind, Outline, Part};
pub use principal::principal;
pub use reading::{Reading, Top};
pub use resource::resource;
pub use split::{RawRecord, Split, split};
pub use waf::{WafFault, web_request};

/// The most bytes that one delivery may hold once it is unpacked.
pub const DELIVERY_BYTES_MAX: usize = 256 * 1024 * 1024;
