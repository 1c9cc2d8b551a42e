//! Flow logs in Parquet, as AWS delivers them: a flat table, gzip inside the pages.
//!
//! A reader of our own, and a small one. The `parquet` crate unpacks a page of gzip to whatever it unpacks to, and makes room for as
//! many dictionary entries as a file says it has; here every size is checked before it is believed, rows are read one at a time, and what
//! cannot be a flow log (nested columns, other codecs and encodings) is refused by name. The tests write with the `parquet` crate.

mod column;
mod metadata;
mod thrift;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write;

use self::column::{Cursor, Value};
use self::metadata::{Metadata, Physical, metadata};
use crate::DELIVERY_BYTES_MAX;
use crate::gunzip::plausible_bytes;
use crate::lines::{Chunker, LINE_BYTES_MAX, LineKind};
use crate::split::Split;

/// The first and the last bytes of every Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// A page is no larger: writers make them of one MiB.
const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The pages and dictionaries in memory together are no larger.
const PAGES_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Why a Parquet file, or the rest of one, is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParquetFault {
    #[error("the metadata of the Parquet file is damaged")]
    Metadata,
    #[error("the Parquet file has nested columns: it is not a flow log")]
    Nested,
    #[error("a page of the Parquet file is damaged")]
    Page,
    #[error(
        "the Parquet file is packed with codec {0}; gzip (2), Snappy (1) and none (0) are read"
    )]
    Codec(i64),
    #[error("the Parquet file has encoding {0}; plain (0) and dictionaries (2, 8) are read")]
    Encoding(i64),
    #[error("the Parquet file has pages or rows beyond what a flow log has")]
    TooLarge,
}

/// What has been used of the memory and the work that a file of its size is worth.
struct Budget {
    /// What pages and dictionaries take in memory.
    held: usize,
    /// What pages were unpacked to, and rows written to.
    unpacked: usize,
    written: usize,
    /// What either may be.
    max: usize,
}

impl Budget {
    fn of(file_bytes: usize) -> Self {
        Self {
            held: 0,
            unpacked: 0,
            written: 0,
            max: plausible_bytes(file_bytes).min(DELIVERY_BYTES_MAX),
        }
    }

    /// A page takes the place of another.
    fn change(&mut self, from: usize, to: usize) -> Result<(), ParquetFault> {
        self.held = self.held.saturating_sub(from).saturating_add(to);
        self.unpacked = self.unpacked.saturating_add(to);
        self.check(self.held <= PAGES_BYTES_MAX && self.unpacked <= self.max)
    }

    /// A row is written.
    fn write(&mut self, line: usize) -> Result<(), ParquetFault> {
        self.written = self.written.saturating_add(line).saturating_add(1);
        self.check(line <= LINE_BYTES_MAX && self.written <= self.max)
    }

    fn check(&self, good: bool) -> Result<(), ParquetFault> {
        if good {
            Ok(())
        } else {
            Err(ParquetFault::TooLarge)
        }
    }
}

/// Makes lines of a Parquet file's rows, and records of the lines. What is read before a fault is kept.
pub(crate) fn split_parquet(file: &[u8], out: &mut Split) {
    let read = metadata(file).and_then(|metadata| {
        if !is_flow_log(&metadata) {
            return Err(ParquetFault::Nested);
        }
        rows(file, &metadata, out)
    });
    if let Err(fault) = read {
        out.faults.push(fault.to_string());
    }
}

/// Whether it has the addresses, at least.
fn is_flow_log(metadata: &Metadata) -> bool {
    let has = |name: &str| metadata.leaves.iter().any(|leaf| leaf.name == name);
    has("srcaddr") && has("dstaddr")
}

fn rows(file: &[u8], metadata: &Metadata, out: &mut Split) -> Result<(), ParquetFault> {
    let is_read = |physical: Physical| physical != Physical::Other;
    let columns: Vec<_> = (metadata.leaves.iter().enumerate())
        .filter(|(_, leaf)| is_read(leaf.physical) && is_name(&leaf.name))
        .collect();
    let names = columns
        .iter()
        .map(|(_, leaf)| Cow::Owned(leaf.name.replace('_', "-")));
    let mut chunker = Chunker::new(LineKind::Flow, names.collect(), out);
    let mut budget = Budget::of(file.len());
    let mut number = 0;
    let mut line = String::new();
    let mut read = || {
        for group in &metadata.row_groups {
            budget.held = 0;
            let mut cursors = Vec::new();
            for (at, leaf) in &columns {
                let chunk = group.chunks.get(*at).ok_or(ParquetFault::Metadata)?;
                cursors.push(Cursor::new(file, chunk, leaf.physical, leaf.optional)?);
            }
            // Every row that is written takes a byte of the budget at least, so a file cannot say that it has any number of them.
            for _ in 0..group.rows {
                number += 1;
                line.clear();
                for cursor in &mut cursors {
                    write_value(cursor.next(&mut budget)?, &mut line);
                }
                budget.write(line.len())?;
                chunker.push(number, line.as_bytes());
            }
        }
        Ok(())
    };
    let read = read();
    chunker.flush();
    read
}

fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(good)
}

/// A value as it would stand in a text file. What could not stand there (a space in it) is made to be no value.
fn write_value(value: Value<'_>, line: &mut String) {
    if !line.is_empty() {
        line.push(' ');
    }
    match value {
        Value::Null => line.push('-'),
        Value::Int(number) => drop(write!(line, "{number}")),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text)
                if !text.is_empty()
                    && !text.contains(|c: char| c.is_whitespace() || c.is_control()) =>
            {
                line.push_str(text);
            }
            Ok("") => line.push('-'),
            _ => line.push('\u{fffd}'),
        },
    }
}
