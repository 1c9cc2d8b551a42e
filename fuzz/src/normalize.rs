//! What is run over deliveries of logs: whatever the bytes are, every line is in one count, and nothing grows out of proportion.

use quell_model::{Origin, Record, Timestamp};
use quell_normalize::{
    CHUNK_BYTES_MAX, CHUNK_LINES_MAX, LineKind, LineLog, RATIO_FREE_BYTES, RATIO_MAX, gunzip, split,
};

/// Flow logs in text: with a header, in the default format, by subscription.
pub fn flow(bytes: &[u8]) {
    delivery(bytes, bytes.len());
}

/// Flow logs in Parquet: the bytes are what stands between the magic words.
pub fn parquet(bytes: &[u8]) {
    let file = [b"PAR1", bytes, b"PAR1"].concat();
    let rows = RATIO_FREE_BYTES.max(file.len() * RATIO_MAX);
    delivery(&file, rows);
}

/// Logs whose lines are JSON: DNS queries and web requests.
pub fn dns(bytes: &[u8]) {
    delivery(bytes, bytes.len());
}

/// gzip, within a size and a ratio.
pub fn unpacked(bytes: &[u8]) {
    for limit in [0, 1000, usize::MAX] {
        if let Ok(plain) = gunzip(bytes, limit) {
            assert!(plain.len() <= limit, "beyond the limit");
            assert!(
                plain.len() <= RATIO_FREE_BYTES.max(bytes.len() * RATIO_MAX),
                "beyond the ratio"
            );
        }
    }
    split(bytes);
}

/// Takes a delivery apart and reads all lines of its records, of which there are at most `lines_max`.
fn delivery(bytes: &[u8], lines_max: usize) {
    let split = split(bytes);
    let mut lines = 0;
    for raw in split.records {
        let record = Record {
            id: raw.id,
            origin: Origin::File {
                path: String::new(),
            },
            received_at: Timestamp::EPOCH,
            envelope: raw.envelope,
            body: raw.body,
        };
        let Some(log) = LineLog::of(&record) else {
            continue;
        };
        let there = log.lines().count();
        let size: usize = log.lines().map(|(_, line)| line.len()).sum();
        // What is not UTF-8 becomes three bytes for each one.
        assert!(
            there <= CHUNK_LINES_MAX && size <= 4 * CHUNK_BYTES_MAX,
            "a record too large"
        );
        lines += there;
        let counts = match log.kind {
            LineKind::Flow => log.flows(&record.origin).counts(0),
            LineKind::Dns => log.queries().counts(0),
            LineKind::Waf => log.requests().counts(0),
        };
        assert_eq!(counts.accepted, there as u64, "a line is lost");
        assert_eq!(
            counts.accepted,
            counts.matched + counts.unmatched + counts.quarantined
        );
    }
    assert!(lines <= lines_max, "lines out of nowhere");
    for fault in split.faults {
        assert!(fault.len() < 1000, "a fault that quotes");
    }
}
