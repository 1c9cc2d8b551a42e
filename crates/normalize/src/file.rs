//! CloudTrail's files, read in place: the way that nearly all records come.

use quell_model::RecordId;

use crate::DELIVERY_BYTES_MAX;
use crate::gunzip::{gunzip_into, is_gzip};
use crate::outline::{Kind, Outline, Part};
use crate::reading::{Places, Reading, Top};

/// Memory for so many records is kept from file to file.
const RECORDS_KEPT: usize = 4 * 1024;

/// A record where it stands in its file.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'f> {
    /// What names it.
    pub name: Name<'f>,
    /// The record.
    pub reading: Reading<'f>,
}

/// What names a record.
#[derive(Clone, Copy, Debug)]
pub enum Name<'f> {
    /// CloudTrail's name of it.
    Given {
        /// `recipientAccountId`
        account: &'f str,
        /// `eventID`
        event: &'f str,
    },
    /// It has none: its bytes.
    Bytes(&'f str),
}

impl Name<'_> {
    /// The record's id.
    pub fn id(&self) -> RecordId {
        match self {
            Self::Given { account, event } => RecordId::of_name(account, event),
            Self::Bytes(bytes) => RecordId::of_bytes(bytes.as_bytes()),
        }
    }
}

/// Reads CloudTrail's files, with memory that it uses again from file to file.
#[derive(Debug, Default)]
pub struct FileReader {
    unpacked: Vec<u8>,
    outline: Outline,
    places: Vec<Places>,
}

impl FileReader {
    /// The records of a file as CloudTrail writes it, packed or not, in order. `None` when it is not one, or has anything
    /// in it that is no such record or is written oddly: [`crate::split`] then says what each of its parts is.
    pub fn read<'f>(&'f mut self, bytes: &'f [u8]) -> Option<impl Iterator<Item = Piece<'f>>> {
        let bytes = if is_gzip(bytes) {
            gunzip_into(bytes, DELIVERY_BYTES_MAX, &mut self.unpacked).ok()?;
            self.unpacked.as_slice()
        } else {
            bytes
        };
        let text = simdutf8::basic::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let records = records(self.outline.read(text)?)?;
        if self.places.capacity() > RECORDS_KEPT {
            self.places = Vec::new();
        }
        self.places.clear();
        for record in records.inner() {
            let places = Places::of(record);
            piece(Reading::at(record, &places)?)?;
            self.places.push(places);
        }
        let piece = move |places: &Places| piece(Reading::at(records, places)?);
        Some(self.places.iter().filter_map(piece))
    }
}

/// The array of a file's records. Where there is a second one, or other fields of an object whose keys have escapes, it is for others to say.
fn records(file: Part<'_>) -> Option<Part<'_>> {
    let mut members = file.inner().filter(|_| file.kind() == Kind::Object);
    let first = members.next()?;
    let is_odd = |part: Part<'_>| part.is_key_escaped() || part.raw_key() == "Records";
    let is_first = first.raw_key() == "Records" && first.kind() == Kind::Array;
    (is_first && !members.any(is_odd)).then_some(first)
}

/// A record as CloudTrail writes it; `None` when it is not one.
fn piece(reading: Reading<'_>) -> Option<Piece<'_>> {
    let is_record = reading.is_plain()
        && reading.top(Top::EventName)?.kind() != Kind::Null
        && reading.top(Top::Detail).is_none()
        && reading.top(Top::DetailType).is_none();
    let text = |top: Top| match reading.top(top) {
        Some(part) if part.kind() != Kind::Null => part.plain().map(Some),
        _ => Some(None),
    };
    let name = match (text(Top::RecipientAccountId)?, text(Top::EventId)?) {
        (Some(account), Some(event)) if !event.is_empty() => Name::Given { account, event },
        _ => Name::Bytes(reading.body().raw()),
    };
    is_record.then_some(Piece { name, reading })
}
