//! The values of one column of one row group, one at a time: in memory are one page and the dictionary.

use std::io::Read;
use std::ops::Range;

use flate2::read::MultiGzDecoder;

use super::metadata::{Chunk, Codec, Content, PageHeader, Physical, page_header};
use super::thrift::Reader;
use super::{Budget, PAGE_BYTES_MAX, ParquetFault};

const PLAIN: i64 = 0;
const PLAIN_DICTIONARY: i64 = 2;
const RLE_DICTIONARY: i64 = 8;

/// A value, as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Int(i64),
    Bytes(&'a [u8]),
}

/// Where reading a column is.
pub(super) struct Cursor<'a> {
    physical: Physical,
    optional: bool,
    codec: Codec,
    /// The pages that are left.
    rest: &'a [u8],
    dictionary: Vec<u8>,
    /// Where its values begin in it: within [`PAGE_BYTES_MAX`].
    entries: Vec<u32>,
    page: Vec<u8>,
    left: usize,
    levels: Option<Hybrid>,
    values: Values,
}

enum Values {
    /// One after the other, from here.
    Plain(usize),
    /// As numbers of dictionary entries.
    Indices(Hybrid),
}

impl<'a> Cursor<'a> {
    pub(super) fn new(
        file: &'a [u8],
        chunk: &Chunk,
        physical: Physical,
        optional: bool,
    ) -> Result<Self, ParquetFault> {
        let end = chunk
            .offset
            .checked_add(chunk.length)
            .ok_or(ParquetFault::Metadata)?;
        let rest = file.get(chunk.offset..end).ok_or(ParquetFault::Metadata)?;
        Ok(Self {
            physical,
            optional,
            codec: chunk.codec,
            rest,
            dictionary: Vec::new(),
            entries: Vec::new(),
            page: Vec::new(),
            left: 0,
            levels: None,
            values: Values::Plain(0),
        })
    }

    /// The next value.
    pub(super) fn next(&mut self, budget: &mut Budget) -> Result<Value<'_>, ParquetFault> {
        while self.left == 0 {
            self.load(budget)?;
        }
        self.left -= 1;
        if let Some(levels) = &mut self.levels
            && levels.next(&self.page)? == 0
        {
            return Ok(Value::Null);
        }
        let (bytes, range) = match &mut self.values {
            Values::Plain(at) => {
                let range = self.physical.value(&self.page, *at)?;
                *at = range.end;
                (&self.page, range)
            }
            Values::Indices(indices) => {
                let index = indices.next(&self.page)? as usize;
                let at = self.entries.get(index).ok_or(ParquetFault::Page)?;
                let range = self.physical.value(&self.dictionary, *at as usize)?;
                (&self.dictionary, range)
            }
        };
        let bytes = bytes.get(range).ok_or(ParquetFault::Page)?;
        Ok(match self.physical {
            Physical::Int32 => Value::Int(i32::from_le_bytes(fixed(bytes)?).into()),
            Physical::Int64 => Value::Int(i64::from_le_bytes(fixed(bytes)?)),
            _ => Value::Bytes(bytes),
        })
    }

    /// Reads the next page.
    fn load(&mut self, budget: &mut Budget) -> Result<(), ParquetFault> {
        let mut reader = Reader::new(self.rest);
        let header = page_header(&mut reader)?;
        let (packed, rest) =
            (reader.rest().split_at_checked(header.packed_bytes)).ok_or(ParquetFault::Page)?;
        self.rest = rest;
        match header.content {
            Content::Other => Ok(()),
            Content::Dictionary => {
                budget.change(self.dictionary.len(), header.plain_bytes)?;
                self.dictionary = unpack(self.codec, packed, header.plain_bytes)?;
                self.index(header)
            }
            Content::Data => {
                budget.change(self.page.len(), header.plain_bytes)?;
                self.page = unpack(self.codec, packed, header.plain_bytes)?;
                let mut at = 0;
                self.levels = None;
                if self.optional {
                    let length = u32::from_le_bytes(fixed(self.page.get(..4).unwrap_or_default())?);
                    let end = (length as usize)
                        .checked_add(4)
                        .filter(|end| *end <= self.page.len());
                    at = end.ok_or(ParquetFault::Page)?;
                    self.levels = Some(Hybrid::new(4..at, 1));
                }
                self.begin(header, at)
            }
            Content::DataV2 {
                repetition,
                definition,
                packed: is_packed,
            } => {
                budget.change(self.page.len(), header.plain_bytes)?;
                let levels = repetition
                    .checked_add(definition)
                    .ok_or(ParquetFault::Page)?;
                let (head, packed) = packed.split_at_checked(levels).ok_or(ParquetFault::Page)?;
                let plain = header
                    .plain_bytes
                    .checked_sub(levels)
                    .ok_or(ParquetFault::Page)?;
                let codec = if is_packed { self.codec } else { Codec::None };
                self.page = [head, &unpack(codec, packed, plain)?].concat();
                self.levels = self.optional.then(|| Hybrid::new(repetition..levels, 1));
                self.begin(header, levels)
            }
        }
    }

    /// Puts the values of the page that was read, from `at`, in reach.
    fn begin(&mut self, header: PageHeader, at: usize) -> Result<(), ParquetFault> {
        self.values = match header.encoding {
            PLAIN => Values::Plain(at),
            PLAIN_DICTIONARY | RLE_DICTIONARY => {
                // A page of nothing but nulls may have no width.
                let width = self.page.get(at).copied().unwrap_or(0);
                if width > 32 {
                    return Err(ParquetFault::Page);
                }
                let end = self.page.len();
                Values::Indices(Hybrid::new((at + 1).min(end)..end, width))
            }
            other => return Err(ParquetFault::Encoding(other)),
        };
        self.left = header.values;
        Ok(())
    }

    /// Notes where the values of the dictionary stand.
    fn index(&mut self, header: PageHeader) -> Result<(), ParquetFault> {
        if ![PLAIN, PLAIN_DICTIONARY].contains(&header.encoding) {
            return Err(ParquetFault::Encoding(header.encoding));
        }
        self.entries.clear();
        let mut at = 0;
        for _ in 0..header.values {
            let begin = u32::try_from(at).map_err(|_| ParquetFault::TooLarge)?;
            at = self.physical.value(&self.dictionary, at)?.end;
            self.entries.push(begin);
        }
        Ok(())
    }
}

impl Physical {
    /// Where the value that begins at `at` stands. It is never empty, together with its length.
    fn value(self, bytes: &[u8], at: usize) -> Result<Range<usize>, ParquetFault> {
        let (start, length) = match self {
            Self::Int32 => (at, 4),
            Self::Int64 => (at, 8),
            Self::Bytes => {
                let start = at.checked_add(4).ok_or(ParquetFault::Page)?;
                let length = bytes.get(at..start).ok_or(ParquetFault::Page)?;
                (start, u32::from_le_bytes(fixed(length)?) as usize)
            }
            Self::Other => return Err(ParquetFault::Page),
        };
        let end = start.checked_add(length).ok_or(ParquetFault::Page)?;
        if end <= bytes.len() {
            Ok(start..end)
        } else {
            Err(ParquetFault::Page)
        }
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], ParquetFault> {
    bytes.try_into().map_err(|_| ParquetFault::Page)
}

/// Unpacks a page to exactly the size that it says, which is within [`PAGE_BYTES_MAX`].
fn unpack(codec: Codec, packed: &[u8], size: usize) -> Result<Vec<u8>, ParquetFault> {
    if size > PAGE_BYTES_MAX {
        return Err(ParquetFault::TooLarge);
    }
    let plain = match codec {
        // A page of nothing but nulls: some writers pack the nothing, and some do not.
        _ if size == 0 => Vec::new(),
        Codec::None => packed.to_vec(),
        Codec::Gzip => {
            let mut plain = Vec::new();
            let past = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
            let read = MultiGzDecoder::new(packed)
                .take(past)
                .read_to_end(&mut plain);
            read.map_err(|_| ParquetFault::Page)?;
            plain
        }
        Codec::Snappy => {
            // It says its size itself as well; nothing is allocated before both are the same.
            if snap::raw::decompress_len(packed).ok() != Some(size) {
                return Err(ParquetFault::Page);
            }
            let plain = snap::raw::Decoder::new().decompress_vec(packed);
            plain.map_err(|_| ParquetFault::Page)?
        }
        Codec::Other(codec) => return Err(ParquetFault::Codec(codec)),
    };
    if plain.len() == size {
        Ok(plain)
    } else {
        Err(ParquetFault::Page)
    }
}

/// Numbers of a fixed width: runs of one value, and groups of eight packed bit by bit, by turns.
struct Hybrid {
    /// What is left of the page for it.
    range: Range<usize>,
    width: u8,
    /// How many numbers the run still has.
    left: u64,
    run: Run,
}

enum Run {
    Same(u32),
    /// From this bit of the page.
    Packed(usize),
}

impl Hybrid {
    fn new(range: Range<usize>, width: u8) -> Self {
        Self {
            range,
            width,
            left: 0,
            run: Run::Same(0),
        }
    }

    fn next(&mut self, page: &[u8]) -> Result<u32, ParquetFault> {
        if self.width == 0 {
            // All are the only entry.
            return Ok(0);
        }
        while self.left == 0 {
            self.begin(page)?;
        }
        self.left -= 1;
        match &mut self.run {
            Run::Same(value) => Ok(*value),
            Run::Packed(bit) => {
                let mut value = 0u64;
                let (byte, shift) = (*bit / 8, *bit % 8);
                for at in 0..5usize {
                    // Up to 32 bits beginning anywhere in a byte are in five.
                    let next = page.get(byte + at).copied().unwrap_or(0);
                    value |= u64::from(next) << (8 * at);
                }
                *bit += usize::from(self.width);
                let mask = (1u64 << self.width) - 1;
                Ok(u32::try_from((value >> shift) & mask).unwrap_or(u32::MAX))
            }
        }
    }

    fn begin(&mut self, page: &[u8]) -> Result<(), ParquetFault> {
        let bytes = page.get(self.range.clone()).ok_or(ParquetFault::Page)?;
        let mut reader = Reader::new(bytes);
        let head = reader.varint().map_err(|_| ParquetFault::Page)?;
        let body = bytes.len() - reader.rest().len();
        let start = self.range.start + body;
        let width = usize::from(self.width);
        if head & 1 == 0 {
            let size = width.div_ceil(8);
            let value = page.get(start..start + size).ok_or(ParquetFault::Page)?;
            let value = value
                .iter()
                .rev()
                .fold(0u32, |value, byte| (value << 8) | u32::from(*byte));
            (self.run, self.left) = (Run::Same(value), head >> 1);
            self.range.start = start + size;
        } else {
            let groups = usize::try_from(head >> 1).map_err(|_| ParquetFault::Page)?;
            let size = groups.checked_mul(width).ok_or(ParquetFault::Page)?;
            // The last group may be cut short.
            let end = start
                .checked_add(size)
                .ok_or(ParquetFault::Page)?
                .min(self.range.end);
            (self.run, self.left) = (
                Run::Packed(start * 8),
                (end - start) as u64 * 8 / width as u64,
            );
            self.range.start = end;
        }
        Ok(())
    }
}
