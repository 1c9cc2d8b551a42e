//! What a Parquet file says of itself at its end, and what a page says of itself at its beginning.
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>

use super::thrift::Reader;
use super::{MAGIC, ParquetFault};
use crate::lines::COLUMNS_MAX;

/// A file has no more row groups: writers make them of 128 MiB.
const ROW_GROUPS_MAX: usize = 4096;
/// The metadata is no larger: a hundred columns of a thousand row groups.
const METADATA_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Physical {
    Int32,
    Int64,
    Bytes,
    /// No column of a flow log has it.
    Other,
}

/// How pages are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Snappy,
    Gzip,
    /// Nobody writes flow logs with it.
    Other(i64),
}

/// A column of the schema.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) name: String,
    pub(super) physical: Physical,
    /// Whether values may be missing.
    pub(super) optional: bool,
}

/// Where the pages of one column of one row group stand.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) codec: Codec,
    pub(super) offset: usize,
    pub(super) length: usize,
}

#[derive(Debug)]
pub(super) struct RowGroup {
    pub(super) chunks: Vec<Chunk>,
    pub(super) rows: u64,
}

#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) leaves: Vec<Leaf>,
    pub(super) row_groups: Vec<RowGroup>,
}

/// Reads the metadata of a whole file.
pub(super) fn metadata(file: &[u8]) -> Result<Metadata, ParquetFault> {
    let inner = file
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_suffix(MAGIC));
    let inner = inner.ok_or(ParquetFault::Metadata)?;
    let (before, length) = inner
        .split_last_chunk::<4>()
        .ok_or(ParquetFault::Metadata)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > METADATA_BYTES_MAX {
        return Err(ParquetFault::Metadata);
    }
    let at = before
        .len()
        .checked_sub(length)
        .ok_or(ParquetFault::Metadata)?;
    let text = before.get(at..).ok_or(ParquetFault::Metadata)?;
    let mut schema = Vec::new();
    let mut row_groups = Vec::new();
    Reader::new(text).fields(|reader, field| {
        match field.id {
            2 => schema = reader.structures(field, COLUMNS_MAX + 1, element)?,
            4 => row_groups = reader.structures(field, ROW_GROUPS_MAX, row_group)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    // The first element is the table itself; a flow log's columns are all directly below it.
    let (_, leaves) = schema.split_first().ok_or(ParquetFault::Metadata)?;
    if leaves.iter().any(Option::is_none) {
        return Err(ParquetFault::Nested);
    }
    let leaves: Vec<Leaf> = leaves.iter().flatten().cloned().collect();
    if row_groups
        .iter()
        .any(|group: &RowGroup| group.chunks.len() != leaves.len())
    {
        return Err(ParquetFault::Metadata);
    }
    Ok(Metadata { leaves, row_groups })
}

/// An element of the schema; `None` when it has children or repeats.
fn element(reader: &mut Reader<'_>) -> Result<Option<Leaf>, ParquetFault> {
    let mut leaf = Leaf {
        name: String::new(),
        physical: Physical::Other,
        optional: false,
    };
    let mut flat = true;
    reader.fields(|reader, field| {
        match field.id {
            1 => {
                leaf.physical = match reader.int(field)? {
                    1 => Physical::Int32,
                    2 => Physical::Int64,
                    6 => Physical::Bytes,
                    _ => Physical::Other,
                };
            }
            3 => match reader.int(field)? {
                0 => leaf.optional = false,
                1 => leaf.optional = true,
                _ => flat = false,
            },
            4 => leaf.name = String::from_utf8_lossy(reader.binary(field)?).into_owned(),
            5 => flat = flat && reader.int(field)? == 0,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(flat.then_some(leaf))
}

fn row_group(reader: &mut Reader<'_>) -> Result<RowGroup, ParquetFault> {
    let mut group = RowGroup {
        chunks: Vec::new(),
        rows: 0,
    };
    reader.fields(|reader, field| {
        match field.id {
            1 => group.chunks = reader.structures(field, COLUMNS_MAX, chunk)?,
            3 => {
                group.rows =
                    u64::try_from(reader.int(field)?).map_err(|_| ParquetFault::Metadata)?
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(group)
}

fn chunk(reader: &mut Reader<'_>) -> Result<Chunk, ParquetFault> {
    let mut codec = Codec::Other(-1);
    let (mut length, mut data, mut dictionary) = (0, 0, 0);
    reader.fields(|reader, field| {
        if field.id != 3 {
            return Ok(false);
        }
        reader.structure(field, |reader, field| {
            match field.id {
                4 => {
                    codec = match reader.int(field)? {
                        0 => Codec::None,
                        1 => Codec::Snappy,
                        2 => Codec::Gzip,
                        other => Codec::Other(other),
                    };
                }
                7 => length = reader.int(field)?,
                9 => data = reader.int(field)?,
                11 => dictionary = reader.int(field)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(true)
    })?;
    let offset = if dictionary > 0 {
        data.min(dictionary)
    } else {
        data
    };
    Ok(Chunk {
        codec,
        offset: usize::try_from(offset).map_err(|_| ParquetFault::Metadata)?,
        length: usize::try_from(length).map_err(|_| ParquetFault::Metadata)?,
    })
}

/// What is in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Data,
    /// With the lengths of its levels, which are never packed, and whether the rest is.
    DataV2 {
        repetition: usize,
        definition: usize,
        packed: bool,
    },
    Dictionary,
    /// Nothing that has to be read.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PageHeader {
    pub(super) content: Content,
    pub(super) values: usize,
    pub(super) encoding: i64,
    pub(super) plain_bytes: usize,
    pub(super) packed_bytes: usize,
}

pub(super) fn page_header(reader: &mut Reader<'_>) -> Result<PageHeader, ParquetFault> {
    let size = |number: i64| usize::try_from(number).map_err(|_| ParquetFault::Metadata);
    let (mut kind, mut plain, mut packed) = (-1, 0, 0);
    let (mut values, mut encoding) = (0, -1);
    let (mut repetition, mut definition, mut is_packed) = (0, 0, true);
    reader.fields(|reader, field| {
        match field.id {
            1 => kind = reader.int(field)?,
            2 => plain = reader.int(field)?,
            3 => packed = reader.int(field)?,
            // Of a page of data, of a dictionary, of the second version of a page of data.
            header @ (5 | 7 | 8) => reader.structure(field, |reader, field| {
                match (header, field.id) {
                    (_, 1) => values = reader.int(field)?,
                    (5 | 7, 2) | (8, 4) => encoding = reader.int(field)?,
                    (8, 5) => definition = reader.int(field)?,
                    (8, 6) => repetition = reader.int(field)?,
                    (8, 7) => is_packed = Reader::bool(field)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let content = match kind {
        0 => Content::Data,
        2 => Content::Dictionary,
        3 => Content::DataV2 {
            repetition: size(repetition)?,
            definition: size(definition)?,
            packed: is_packed,
        },
        _ => Content::Other,
    };
    Ok(PageHeader {
        content,
        values: size(values)?,
        encoding,
        plain_bytes: size(plain)?,
        packed_bytes: size(packed)?,
    })
}
