//! The events: CloudTrail records in EventBridge's envelope, and plots of land as GeoJSON.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::random::Random;

/// Events of one kind.
pub struct Events {
    pub name: String,
    pub texts: Vec<String>,
}

impl Events {
    pub fn bytes(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }

    /// Whether in no object two names are the same up to their first dot.
    pub fn are_in_order(&self) -> bool {
        let is_in_order = |text: &String| serde_json::from_str::<InOrder>(text).is_ok();
        self.texts.iter().all(is_in_order)
    }
}

/// Any JSON in which no object has two names that are the same up to their first dot.
struct InOrder;

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for InOrder {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self, A::Error> {
        while all.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Self)) = all.next_entry::<String, Self>()? {
            let part = name.split('.').next().unwrap_or_default();
            if !names.insert(part.to_owned()) {
                return Err(A::Error::custom(format!("{part} comes again")));
            }
        }
        Ok(self)
    }
}

#[derive(Deserialize)]
struct Delivery<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<&'a RawValue>,
}

/// Real records from `folder/invictus`, or generated ones when it is not there.
pub fn cloudtrail(folder: &Path, most: usize) -> Events {
    let mut files: Vec<_> = std::fs::read_dir(folder.join("invictus"))
        .map(|files| files.flatten().map(|file| file.path()).collect())
        .unwrap_or_default();
    files.sort();
    let mut records = Vec::new();
    for text in files.iter().flat_map(std::fs::read_to_string) {
        if let Ok(delivery) = serde_json::from_str::<Delivery<'_>>(&text) {
            records.extend(
                delivery
                    .records
                    .iter()
                    .map(|record| record.get().to_owned()),
            );
        }
    }
    let origin = if records.is_empty() {
        "generated"
    } else {
        "real"
    };
    if records.is_empty() {
        let mut random = Random::new(1);
        records.extend((0..most).map(|_| generated_record(&mut random)));
    }
    // Evenly over all, for neighbours are alike.
    let step = records.len().div_ceil(most).max(1);
    let texts = records
        .iter()
        .step_by(step)
        .map(|record| enveloped(record))
        .collect();
    Events {
        name: format!("CloudTrail ({origin})"),
        texts,
    }
}

fn enveloped(record: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        event_source: &'a str,
        aws_region: &'a str,
        event_time: &'a str,
        #[serde(rename = "eventID")]
        event_id: &'a str,
    }
    let head: Head<'_> = serde_json::from_str(record).expect("a CloudTrail record has these");
    let source = head.event_source.trim_end_matches(".amazonaws.com");
    format!(
        r#"{{"version":"0","id":"{}","detail-type":"AWS API Call via CloudTrail","source":"aws.{source}","account":"123837392027","time":"{}","region":"{}","resources":[],"detail":{record}}}"#,
        head.event_id, head.event_time, head.aws_region,
    )
}

fn generated_record(random: &mut Random) -> String {
    let service = *random.pick(&["ec2", "s3", "iam", "sts", "kms", "logs", "lambda", "ssm"]);
    let verb = *random.pick(&["Describe", "List", "Get", "Put", "Create", "Delete"]);
    let noun = *random.pick(&[
        "Instances",
        "Buckets",
        "Roles",
        "Keys",
        "Groups",
        "Policies",
    ]);
    let id = random.next();
    let items: Vec<String> = (0..random.below(6))
        .map(|n| {
            format!(
                r#"{{"resourceId":"r-{:016x}","type":"{noun}","index":{n}}}"#,
                random.next()
            )
        })
        .collect();
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","principalId":"AROA{id:016X}:session","arn":"arn:aws:sts::123837392027:assumed-role/role-{}/session","accountId":"123837392027","sessionContext":{{"attributes":{{"creationDate":"2023-07-10T11:42:36Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2023-07-10T12:14:{:02}Z","eventSource":"{service}.amazonaws.com","eventName":"{verb}{noun}","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.{}","userAgent":"aws-cli/2.12.6 Python/3.11.4 Linux/5.15.0 exe/x86_64 prompt/off command/{service}","requestParameters":{{"maxResults":{},"items":[{}]}},"responseElements":null,"requestID":"{id:016x}","eventID":"{:016x}","readOnly":{},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123837392027","eventCategory":"Management"}}"#,
        random.below(40),
        random.below(60),
        random.below(256),
        random.below(1_000),
        items.join(","),
        random.next(),
        random.below(2) == 0,
    )
}

const STREETS: [&str; 12] = [
    "UNKNOWN",
    "MARKET",
    "MISSION",
    "CRANLEIGH",
    "JEFFERSON",
    "KRUSE",
    "TAYLOR",
    "POWELL",
    "LEAVENWORTH",
    "MASON",
    "17TH",
    "FULTON",
];

/// Features with the members and the proportions of San Francisco's city lots.
pub fn geojson(count: usize) -> Events {
    let mut random = Random::new(2);
    let texts = (0..count).map(|_| feature(&mut random)).collect();
    Events {
        name: "GeoJSON (generated)".to_owned(),
        texts,
    }
}

fn feature(random: &mut Random) -> String {
    let (block, lot) = (random.below(10_000), random.below(1_000));
    let (from, odd) = (
        random.below(3_000),
        if random.below(2) == 0 { "E" } else { "O" },
    );
    let mut rings = String::new();
    for corner in 0..5 + random.below(25) {
        let comma = if corner > 0 { "," } else { "" };
        let (x, y) = (
            random.next() % 1_000_000_000_000,
            random.next() % 1_000_000_000_000,
        );
        let _ = write!(
            rings,
            "{comma} [ -122.4{x:012}{}, 37.7{y:012}{}, 0.0 ]",
            x % 89,
            y % 97
        );
    }
    format!(
        r#"{{ "type": "Feature", "properties": {{ "MAPBLKLOT": "{block:04}{lot:03}", "BLKLOT": "{block:04}{lot:03}", "BLOCK_NUM": "{block:04}", "LOT_NUM": "{lot:03}", "FROM_ST": "{from}", "TO_ST": "{}", "STREET": "{}", "ST_TYPE": "{}", "ODD_EVEN": "{odd}" }}, "geometry": {{ "type": "Polygon", "coordinates": [ [{rings} ] ] }} }}"#,
        from + 20,
        random.pick(&STREETS),
        random.pick(&["ST", "AVE", "BLVD"]),
    )
}
