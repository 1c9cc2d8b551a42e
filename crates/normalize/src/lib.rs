//! Source bytes to records, and records to normalised events. Pure.
//!
//! [`split`] takes what a source delivers (an EventBridge event, a CloudTrail file, JSON Lines, gzip of any of
//! these) apart into records; [`event`] understands one record; [`resource`] says what it changed,
//! [`principal`] who is behind it. Logs of lines (flow logs, DNS queries, web requests) become records of many lines
//! each, which [`LineLog`] gives back; [`FlowReader`], [`dns_query`] and [`web_request`] understand one line. [`finding`] reads
//! what AWS's own detectors say; [`ocsf`] writes all of it in the words of OCSF.

mod dns;
mod event;
pub mod finding;
mod flow;
mod gunzip;
mod lines;
pub mod ocsf;
mod principal;
mod resource;
mod split;
mod waf;

pub use dns::{DnsFault, dns_query};
pub use event::{EventError, event, is_from_aws};
pub use flow::{FlowFault, FlowLine, FlowReader};
pub use gunzip::{GunzipError, RATIO_FREE_BYTES, RATIO_MAX, gunzip};
pub use lines::{
    CHUNK_BYTES_MAX, CHUNK_LINES_MAX, LineCounts, LineFaults, LineKind, LineLog, Lines,
};
pub use principal::principal;
pub use resource::resource;
pub use split::{RawRecord, Split, split};
pub use waf::{WafFault, web_request};

/// The most bytes that one delivery may hold once it is unpacked.
pub const DELIVERY_BYTES_MAX: usize = 256 * 1024 * 1024;
