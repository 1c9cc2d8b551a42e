//! The columns of flow logs: which ones there are, and which ones are read.

use std::borrow::Cow;

use crate::lines::{COLUMNS_MAX, LINE_BYTES_MAX};

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Version,
    Account,
    Region,
    Interface,
    Instance,
    Vpc,
    Source,
    Target,
    SourcePort,
    TargetPort,
    Protocol,
    Packets,
    Bytes,
    Start,
    End,
    Action,
    Status,
    TcpFlags,
    Direction,
    TargetService,
    /// Known or not, it is nobody's business yet.
    Other,
}

/// The default format: version 2, in this order, with or without a header.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>
const DEFAULT: [&str; 14] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
];

/// The columns that are read, by the name in text files; Parquet files have `_` for `-`.
const READ: [(&str, Column); 21] = [
    ("version", Column::Version),
    ("account-id", Column::Account),
    ("region", Column::Region),
    ("interface-id", Column::Interface),
    ("instance-id", Column::Instance),
    ("vpc-id", Column::Vpc),
    ("srcaddr", Column::Source),
    ("dstaddr", Column::Target),
    ("srcport", Column::SourcePort),
    ("dstport", Column::TargetPort),
    ("protocol", Column::Protocol),
    ("packets", Column::Packets),
    ("bytes", Column::Bytes),
    ("start", Column::Start),
    ("end", Column::End),
    ("action", Column::Action),
    ("log-status", Column::Status),
    ("tcp-flags", Column::TcpFlags),
    ("flow-direction", Column::Direction),
    ("pkt-dst-aws-service", Column::TargetService),
    // A transit gateway's log has attachments where a VPC's has interfaces.
    ("tgw-attachment-id", Column::Interface),
];

impl Column {
    pub(crate) fn of(name: &str) -> Self {
        let name = name.replace('_', "-");
        let found = READ.iter().find(|(known, _)| *known == name);
        found.map_or(Self::Other, |(_, column)| *column)
    }
}

/// The columns that the first line of a flow log says it has, and whether that line is a header; `None` when it is not of a flow log.
/// Without a header it has to be in the default format.
pub(crate) fn columns_of(line: &[u8]) -> Option<(Vec<Cow<'static, str>>, bool)> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let line = std::str::from_utf8(line).ok()?.trim();
    if is_header(line) {
        let names = line.split_ascii_whitespace();
        return Some((
            names.map(|name| Cow::Owned(name.to_owned())).collect(),
            true,
        ));
    }
    is_default(line).then(|| {
        (
            DEFAULT.iter().map(|name| Cow::Borrowed(*name)).collect(),
            false,
        )
    })
}

/// Names only, and at least one of them ours that is no everyday word.
fn is_header(line: &str) -> bool {
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
    };
    let mut count = 0;
    let mut known = 0;
    for name in line.split_ascii_whitespace() {
        if !is_name(name) || count >= COLUMNS_MAX {
            return false;
        }
        count += 1;
        known += usize::from(Column::of(name) != Column::Other);
    }
    // AWS allows a log of a single column. Two known ones tell it from a line of prose.
    known >= 2 || (count == 1 && known == 1)
}

fn is_default(line: &str) -> bool {
    let values: Vec<&str> = line.split(' ').collect();
    let [version, account, interface, .., status] = values.as_slice() else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    values.len() == DEFAULT.len()
        && *version == "2"
        && (is_account || *account == "unknown")
        && interface.starts_with("eni-")
        && ["OK", "NODATA", "SKIPDATA"].contains(status)
}
