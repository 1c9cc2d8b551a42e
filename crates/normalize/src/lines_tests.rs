//! Deliveries of logs, and the records that come of them.

use super::*;
use crate::split;
use quell_model::{Origin, Timestamp};

const LINE: &str =
    "2 123456789010 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
const QUERY: &str = r#"{"query_timestamp":"t","query_name":"n","x":"\u00e9"}"#;

fn records(bytes: &[u8]) -> Vec<Record> {
    let split = split(bytes);
    assert_eq!(split.faults, Vec::<String>::new());
    let record = |raw: RawRecord| Record {
        id: raw.id,
        origin: Origin::File {
            path: String::new(),
        },
        received_at: Timestamp::EPOCH,
        envelope: raw.envelope,
        body: raw.body,
    };
    split.records.into_iter().map(record).collect()
}

fn lines(records: &[Record]) -> Vec<(usize, String)> {
    let logs = records.iter().filter_map(LineLog::of);
    let lines = |log: LineLog| -> Vec<_> {
        let lines = log.lines();
        lines.map(|(at, line)| (at, line.to_owned())).collect()
    };
    logs.flat_map(lines).collect()
}

#[test]
fn every_line_is_in_one_record_with_its_number() {
    let text = format!(
        "version srcaddr dstaddr\r\n\n{}",
        "3 10.0.0.1 -\r\n".repeat(12_000)
    );
    let records = records(text.as_bytes());
    assert_eq!(records.len(), 3);
    let lines = lines(&records);
    assert_eq!(lines.len(), 12_000);
    assert_eq!(lines.first(), Some(&(3, "3 10.0.0.1 -".to_owned())));
    assert_eq!(lines.last().map(|line| line.0), Some(12_002));
    assert_eq!(
        LineLog::of(&records[1]).unwrap().columns,
        ["version", "srcaddr", "dstaddr"]
    );
}

#[test]
fn the_same_log_by_any_way_is_the_same_record() {
    let text = format!("{LINE}\n{LINE}\n");
    let plain = records(text.as_bytes());
    let sent = serde_json::json!({"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":[],
        "logEvents":[{"id":"1","timestamp":1,"message":LINE},{"id":"2","timestamp":1,"message":LINE}]});
    let sent = records(sent.to_string().as_bytes());
    assert_eq!(plain[0].id, sent[0].id);
    assert_eq!(LineLog::of(&plain[0]).unwrap().kind, LineKind::Flow);
}

#[test]
fn queries_and_requests_keep_their_bytes() {
    let found = records(format!("{QUERY}\n{QUERY}").as_bytes());
    assert_eq!(LineLog::of(&found[0]).unwrap().kind, LineKind::Dns);
    assert_eq!(lines(&found)[1], (2, QUERY.to_owned()));
    let found = records(br#"{"webaclId":"a","httpRequest":{}}"#);
    assert_eq!(LineLog::of(&found[0]).unwrap().kind, LineKind::Waf);
}

#[test]
fn what_came_in_an_envelope_is_no_log() {
    let body = records(LINE.as_bytes()).remove(0).body;
    let event = format!(r#"{{"detail-type":"t","source":"s","detail":{body}}}"#);
    assert!(LineLog::of(&records(event.as_bytes())[0]).is_none());
    // As a file it is no record at all.
    assert_eq!(split(body.get().as_bytes()).records.len(), 0);
}

#[test]
fn lines_too_long_are_named_and_the_others_stay() {
    let text = format!("{LINE}\n{}\n{LINE}", "x".repeat(LINE_BYTES_MAX + 1));
    let split = split(text.as_bytes());
    assert!(
        split.faults[0].starts_with("line 2 has"),
        "{:?}",
        split.faults
    );
    assert_eq!(split.records.len(), 1);
}

#[test]
fn account_and_region_may_stand_in_the_key() {
    let log = "interface-id srcaddr dstaddr start\neni-1 10.0.0.1 10.0.0.2 5\neni-1 10.0.0.1 10.0.0.2 x\n";
    let mut record = records(log.as_bytes()).remove(0);
    for key in [
        "p/AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/11/21/x.log.gz",
        "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/x.log.gz",
    ] {
        let bucket = "b".to_owned();
        record.origin = Origin::Object {
            bucket,
            key: key.to_owned(),
        };
        let log = LineLog::of(&record).unwrap();
        let lines = log.flows(&record.origin);
        let flow = lines.things[0];
        assert_eq!(
            (flow.account, flow.region),
            (Some("111122223333"), Some("eu-west-1"))
        );
        let counts = lines.counts(1);
        assert_eq!(
            (
                counts.accepted,
                counts.matched,
                counts.unmatched,
                counts.quarantined
            ),
            (2, 1, 0, 1)
        );
    }
    let elsewhere = Origin::File {
        path: "AWSLogs/eve/x".to_owned(),
    };
    assert_eq!(place(&elsewhere), (None, None));
}

#[test]
fn faults_name_the_first_and_count_the_rest() {
    let mut faults = LineFaults::default();
    assert_eq!(faults.reason(), None);
    for line in 1..=7 {
        faults.push(line, &"no");
    }
    assert_eq!(faults.count(), 7);
    let reason = faults.reason().unwrap();
    assert!(
        reason.starts_with("7 malformed lines: line 1: no; "),
        "{reason}"
    );
    assert!(reason.ends_with("; and 2 more"), "{reason}");
}
