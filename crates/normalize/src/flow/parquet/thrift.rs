//! Thrift's compact protocol, as much of it as Parquet's metadata has. Whatever it says, reading takes no more steps than there are bytes.

use super::ParquetFault;

/// Nothing in Parquet's metadata is nested as deep.
const DEPTH_MAX: usize = 16;

/// Where reading is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// The kinds of values, by their numbers in the protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// A field of a structure: its number, and the kind of its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) id: i16,
    kind: u8,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Goes through the fields of a structure. `take` reads the value of those it wants and says so with `true`; the others are passed over.
    pub(super) fn fields(
        &mut self,
        mut take: impl FnMut(&mut Self, Field) -> Result<bool, ParquetFault>,
    ) -> Result<(), ParquetFault> {
        let mut last = 0i16;
        while let Some(field) = self.field(last)? {
            last = field.id;
            if !take(self, field)? {
                self.skip(field.kind, 0)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, last: i16) -> Result<Option<Field>, ParquetFault> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let id = match head >> 4 {
            0 => i16::try_from(self.zigzag()?).map_err(|_| ParquetFault::Metadata)?,
            more => last
                .checked_add(i16::from(more))
                .ok_or(ParquetFault::Metadata)?,
        };
        let kind = head & 0x0f;
        Ok(Some(Field { id, kind }))
    }

    /// A whole number of any width.
    pub(super) fn int(&mut self, field: Field) -> Result<i64, ParquetFault> {
        match field.kind {
            I16 | I32 | I64 => self.zigzag(),
            _ => Err(ParquetFault::Metadata),
        }
    }

    /// Yes or no: it stands in the field's kind.
    pub(super) fn bool(field: Field) -> Result<bool, ParquetFault> {
        match field.kind {
            TRUE => Ok(true),
            FALSE => Ok(false),
            _ => Err(ParquetFault::Metadata),
        }
    }

    /// Bytes, or text.
    pub(super) fn binary(&mut self, field: Field) -> Result<&'a [u8], ParquetFault> {
        if field.kind != BINARY {
            return Err(ParquetFault::Metadata);
        }
        let length = usize::try_from(self.varint()?).map_err(|_| ParquetFault::Metadata)?;
        self.take(length)
    }

    /// A structure inside this one.
    pub(super) fn structure(
        &mut self,
        field: Field,
        take: impl FnMut(&mut Self, Field) -> Result<bool, ParquetFault>,
    ) -> Result<(), ParquetFault> {
        match field.kind {
            STRUCT => self.fields(take),
            _ => Err(ParquetFault::Metadata),
        }
    }

    /// A list of structures; each is read by `read`.
    pub(super) fn structures<T>(
        &mut self,
        field: Field,
        max: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, ParquetFault>,
    ) -> Result<Vec<T>, ParquetFault> {
        if field.kind != LIST {
            return Err(ParquetFault::Metadata);
        }
        let (count, kind) = self.list()?;
        if kind != STRUCT || count > max as u64 {
            return Err(ParquetFault::Metadata);
        }
        (0..count).map(|_| read(self)).collect()
    }

    fn list(&mut self) -> Result<(u64, u8), ParquetFault> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        Ok((count, head & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Result<(), ParquetFault> {
        if depth > DEPTH_MAX {
            return Err(ParquetFault::Metadata);
        }
        match kind {
            TRUE | FALSE => {}
            BYTE => drop(self.take(1)?),
            I16 | I32 | I64 => drop(self.varint()?),
            DOUBLE => drop(self.take(8)?),
            UUID => drop(self.take(16)?),
            BINARY => {
                let length = usize::try_from(self.varint()?).map_err(|_| ParquetFault::Metadata)?;
                self.take(length)?;
            }
            LIST | SET => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    self.skip_element(kind, depth + 1)?;
                }
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.skip_element(kinds >> 4, depth + 1)?;
                    self.skip_element(kinds & 0x0f, depth + 1)?;
                }
            }
            STRUCT => {
                let mut last = 0;
                while let Some(field) = self.field(last)? {
                    last = field.id;
                    self.skip(field.kind, depth + 1)?;
                }
            }
            _ => return Err(ParquetFault::Metadata),
        }
        Ok(())
    }

    /// In a list, yes and no are a byte each: so every element has at least one.
    fn skip_element(&mut self, kind: u8, depth: usize) -> Result<(), ParquetFault> {
        match kind {
            TRUE | FALSE => self.take(1).map(drop),
            kind => self.skip(kind, depth),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ParquetFault> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(ParquetFault::Metadata)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, ParquetFault> {
        let (byte, rest) = self.rest.split_first().ok_or(ParquetFault::Metadata)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// Seven bits a byte, the lowest first.
    pub(super) fn varint(&mut self) -> Result<u64, ParquetFault> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(ParquetFault::Metadata)
    }

    fn zigzag(&mut self) -> Result<i64, ParquetFault> {
        let number = self.varint()?;
        #[expect(
            clippy::cast_possible_wrap,
            reason = "half of a u64 is never above i64's greatest"
        )]
        let half = (number >> 1) as i64;
        Ok(if number & 1 == 0 { half } else { !half })
    }
}
