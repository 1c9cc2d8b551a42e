//! Files written by the `parquet` crate, in every form that a flow log may have.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::split;
use quell_model::{Origin, Record, Timestamp};

const SCHEMA: &str = "message flow { optional int32 version; required binary account_id (UTF8); optional binary srcaddr (UTF8);
    optional binary dstaddr (UTF8); optional int32 srcport; required int64 bytes; optional int64 start; optional double weight; }";

/// The rows that the files have, as lines.
fn row(at: usize) -> Vec<Option<String>> {
    let some = |text: String| Some(text);
    vec![
        some("5".into()),
        some(format!("{:012}", at % 3)),
        (!at.is_multiple_of(7)).then(|| format!("10.0.{}.{}", at / 250 % 250, at % 250)),
        (!at.is_multiple_of(5)).then(|| "192.0.2.1".into()),
        (at % 2 == 1).then(|| at.to_string()),
        some((at * 1_000_003).to_string()),
        some("1700000000".into()),
    ]
}

pub(super) fn file(rows: usize, groups: usize, properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    for group in 0..groups {
        let rows: Vec<_> = (group * rows..(group + 1) * rows).map(row).collect();
        let mut row_group = writer.next_row_group().unwrap();
        let mut at = 0;
        while let Some(mut column) = row_group.next_column().unwrap() {
            let values: Vec<Option<&str>> =
                rows.iter().map(|row| row.get(at)?.as_deref()).collect();
            let levels: Vec<i16> = values
                .iter()
                .map(|value| i16::from(value.is_some()))
                .collect();
            let present = values.iter().flatten();
            // The two required ones have no levels.
            let levels = (at != 1 && at != 5).then_some(levels.as_slice());
            match at {
                0 | 4 => {
                    let values: Vec<i32> = present.map(|v| v.parse().unwrap()).collect();
                    column
                        .typed::<Int32Type>()
                        .write_batch(&values, levels, None)
                        .unwrap();
                }
                5 | 6 => {
                    let values: Vec<i64> = present.map(|v| v.parse().unwrap()).collect();
                    column
                        .typed::<Int64Type>()
                        .write_batch(&values, levels, None)
                        .unwrap();
                }
                7 => {
                    let levels = vec![0i16; rows.len()];
                    column
                        .typed::<parquet::data_type::DoubleType>()
                        .write_batch(&[], Some(&levels), None)
                        .unwrap();
                }
                _ => {
                    let values: Vec<ByteArray> = present.map(|v| ByteArray::from(*v)).collect();
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&values, levels, None)
                        .unwrap();
                }
            }
            column.close().unwrap();
            at += 1;
        }
        row_group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn lines(bytes: &[u8], form: &str) -> Vec<String> {
    let split = split(bytes);
    assert_eq!(split.faults, Vec::<String>::new(), "{form}");
    let mut out = Vec::new();
    for raw in split.records {
        let origin = Origin::File {
            path: String::new(),
        };
        let record = Record {
            id: raw.id,
            origin,
            received_at: Timestamp::EPOCH,
            envelope: None,
            body: raw.body,
        };
        let log = crate::LineLog::of(&record).unwrap();
        assert_eq!(
            log.columns,
            [
                "version",
                "account-id",
                "srcaddr",
                "dstaddr",
                "srcport",
                "bytes",
                "start"
            ]
        );
        assert_eq!(log.first_line, out.len() + 1);
        out.extend(log.lines().map(|(_, line)| line.to_owned()));
    }
    out
}

#[test]
fn what_the_parquet_crate_writes_is_read() {
    let wanted = |rows: usize| -> Vec<String> {
        let line = |at| {
            row(at)
                .into_iter()
                .map(|v| v.unwrap_or_else(|| "-".into()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        (0..rows).map(line).collect()
    };
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
    ] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for dictionary in [true, false] {
                let mut properties = WriterProperties::builder()
                    .set_compression(compression)
                    .set_writer_version(version)
                    .set_dictionary_enabled(dictionary)
                    .set_data_page_row_count_limit(1000)
                    .set_write_batch_size(100);
                if !dictionary {
                    properties = properties.set_encoding(Encoding::PLAIN);
                }
                for (rows, groups) in [(1, 1), (9, 2), (6000, 2)] {
                    let bytes = file(rows, groups, properties.clone().build());
                    let form = format!("{compression:?} {version:?} {dictionary} {rows}");
                    assert_eq!(lines(&bytes, &form), wanted(rows * groups), "{form}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_read_is_named() {
    let bytes = file(
        9,
        1,
        WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_column_encoding("bytes".into(), Encoding::DELTA_BINARY_PACKED)
            .build(),
    );
    assert_eq!(
        split(&bytes).faults,
        ["the Parquet file has encoding 5; plain (0) and dictionaries (2, 8) are read"]
    );
    let whole = file(9, 1, WriterProperties::default());
    for cut in [4, 8, 12, whole.len() / 2, whole.len() - 1] {
        assert_eq!(
            split(&whole[..cut]).faults,
            ["the metadata of the Parquet file is damaged"]
        );
    }
}

/// A page of gzip that says it is small and is large, and one that says that it is huge.
#[test]
fn a_page_is_never_unpacked_beyond_what_it_says() {
    use super::column::Cursor;
    use super::metadata::{Chunk, Codec, Physical};
    use super::{Budget, DELIVERY_BYTES_MAX, ParquetFault};
    use std::io::Write;
    let zigzag = |mut n: u64| {
        n *= 2;
        let mut out = Vec::new();
        while n >= 0x80 {
            out.push((n & 0x7f) as u8 | 0x80);
            n >>= 7;
        }
        out.push(n as u8);
        out
    };
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&vec![0; 100 << 20]).unwrap();
    let bomb = packer.finish().unwrap();
    for (says, fault) in [
        (1000, ParquetFault::Page),
        (i32::MAX as u64, ParquetFault::TooLarge),
    ] {
        let mut page = vec![0x15, 0, 0x15];
        page.extend(zigzag(says));
        page.push(0x15);
        page.extend(zigzag(bomb.len() as u64));
        page.extend([0x2c, 0x15, 2, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0]);
        page.extend(&bomb);
        let chunk = Chunk {
            codec: Codec::Gzip,
            offset: 0,
            length: page.len(),
        };
        let mut cursor = Cursor::new(&page, &chunk, Physical::Int32, false).unwrap();
        let mut budget = Budget::of(DELIVERY_BYTES_MAX);
        assert_eq!(cursor.next(&mut budget).unwrap_err(), fault);
    }
}
