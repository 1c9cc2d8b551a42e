//! What is run over the texts of Sigma rules, and over CloudTrail deliveries. What the engine answers is what each rule's
//! explanation says, or it panics.

use std::sync::OnceLock;

use quell_detect::{Calls, DetectionFile, Engine, Scratch};
use quell_model::{Origin, Record, Timestamp};
use quell_normalize::{
    FileReader, Outline, Piece, Reading, Split, event, event_ref, principal, resource, split,
};

/// One of each kind of comparison.
const RULES: [&str; 8] = [
    "a:\n    eventName: [CreateUser, UpdateFunctionCode20150331v2]\n    errorCode: null\n  condition: a",
    "a:\n    eventSource|endswith: .amazonaws.com\n    userIdentity.type: Root\n  condition: a",
    "a:\n    requestParameters.items.cidr|endswith: ['/0', '/1']\n  b:\n    readOnly: true\n  condition: a and not b",
    "a:\n    eventName|startswith: [Delete, Stop]\n  b:\n    - userAgent|contains: terraform\n    - sourceIPAddress|cidr: 10.0.0.0/8\n  condition: a and not b",
    "a:\n    requestParameters.policy: '*\"Principal\"*\"?\"*'\n  condition: a",
    "a:\n    - curl\n    - 'x*y'\n  condition: a",
    "a:\n    n|gte: 3\n  b:\n    n|exists: false\n  condition: 1 of them",
    "a:\n    a|re: '^(x|y)+$'\n  b:\n    a|fieldref: b\n  condition: not (a or b)",
];

const RECORDS: [&str; 3] = [
    r#"{"eventName":"CreateUser","eventSource":"iam.amazonaws.com","a":"x","b":["x",1,null],"n":3,"userIdentity":{"type":"Root"}}"#,
    r#"{"eventName":"UpdateFunctionCode20150331v2","requestParameters":{"items":[{"cidr":"0.0.0.0/0"},{"cidr":["a"]}],"policy":"\n\"Principal\": \"*\"\n"}}"#,
    r#"{"eventName":"Delet\u0065Trail","userAgent":"\u212aurl xy","sourceIPAddress":"10.1.2.3","n":1e3,"a":{"b":{"c":-0}}}"#,
];

fn rule(at: usize, detection: &str) -> DetectionFile {
    let text = format!(
        "title: t\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n  {detection}\nlevel: low\n"
    );
    DetectionFile {
        path: format!("{at}.yml"),
        text,
    }
}

struct Nothing;

impl Calls for Nothing {
    fn calls(&self, _: &str) -> Option<std::collections::BTreeSet<String>> {
        Some(["CreateUser".to_owned()].into())
    }
}

/// The text of a Sigma rule.
pub fn sigma(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let file = DetectionFile {
        path: "a.yml".to_owned(),
        text: text.to_owned(),
    };
    let _ = quell_detect::source(&file);
    let _ = file.lint(&Nothing);
    let (engine, faults) = Engine::load(std::slice::from_ref(&file));
    assert_eq!(engine.detections().is_empty(), !faults.is_empty());
    for record in RECORDS {
        for raw in split(record.as_bytes()).records {
            agree(&engine, &stored(raw));
        }
    }
}

/// A delivery of CloudTrail records.
pub fn cloudtrail(bytes: &[u8]) {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let files: Vec<DetectionFile> = RULES
            .iter()
            .enumerate()
            .map(|(at, text)| rule(at, text))
            .collect();
        let (engine, faults) = Engine::load(&files);
        assert!(faults.is_empty(), "{faults:?}");
        engine
    });
    let split = split(bytes);
    in_place(bytes, &split);
    let mut outline = Outline::default();
    for raw in split.records {
        let record = stored(raw);
        agree(engine, &record);
        let reading = Reading::new(&record.body, &mut outline);
        assert!(reading.is_ok(), "a record is JSON");
        if let (Ok(event), Ok(reading)) = (event(&record), reading) {
            let _ = (principal(&event), event.actor.label());
            let changed = resource(&event, &reading);
            assert!(
                changed.is_none() || event.error_code.is_none(),
                "a failed call names a victim"
            );
        }
    }
}

/// A file that is read in place has the records that it has when it is taken apart.
fn in_place(bytes: &[u8], split: &Split) {
    let mut reader = FileReader::default();
    let Some(pieces) = reader.read(bytes) else {
        return;
    };
    assert!(split.faults.is_empty(), "{:?}", split.faults);
    let pieces: Vec<Piece<'_>> = pieces.collect();
    assert_eq!(pieces.len(), split.records.len());
    for (piece, raw) in pieces.iter().zip(&split.records) {
        assert_eq!(piece.name.id(), raw.id);
        assert_eq!(piece.reading.body().raw(), raw.body.get());
        let record = stored(raw.clone());
        let here = event_ref(&piece.reading)
            .map(|event| event.owned(record.id.clone(), record.received_at))
            .map_err(|error| error.to_string());
        assert_eq!(here, event(&record).map_err(|error| error.to_string()));
    }
}

fn stored(raw: quell_normalize::RawRecord) -> Record {
    let origin = Origin::File {
        path: String::new(),
    };
    Record {
        id: raw.id,
        origin,
        received_at: Timestamp::EPOCH,
        envelope: raw.envelope,
        body: raw.body,
    }
}

fn agree(engine: &Engine, record: &Record) {
    let found: Vec<&str> = engine
        .matching(record, &mut Scratch::default())
        .iter()
        .map(|d| d.id.as_str())
        .collect();
    for detection in engine.detections() {
        let matches = found.contains(&detection.id.as_str());
        assert_eq!(
            detection.explain(record).matches,
            matches,
            "{} on {}",
            detection.id,
            record.body
        );
    }
}
