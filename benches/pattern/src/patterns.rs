//! The patterns: of each kind, and mixed. A tenth have values that the events have, the others do not.

use serde_json::Value;

use crate::events::Events;
use crate::random::Random;

pub const KINDS: [&str; 10] = [
    "exact",
    "prefix",
    "suffix",
    "wildcard",
    "anything-but",
    "numeric",
    "cidr",
    "equals-ignore-case",
    "exists",
    "mixed",
];

/// The fields that patterns name, and the texts found in the events for them.
pub struct Fields {
    texts: Vec<(&'static str, Vec<String>)>,
    number: &'static str,
    address: &'static str,
}

const CLOUDTRAIL: [&str; 10] = [
    "source",
    "detail.eventName",
    "detail.eventSource",
    "detail.userAgent",
    "detail.errorCode",
    "detail.eventID",
    "detail.userIdentity.arn",
    "detail.userIdentity.type",
    "detail.requestParameters.bucketName",
    "detail.sourceIPAddress",
];
const GEOJSON: [&str; 5] = [
    "properties.MAPBLKLOT",
    "properties.BLOCK_NUM",
    "properties.LOT_NUM",
    "properties.STREET",
    "properties.ST_TYPE",
];

impl Fields {
    pub fn cloudtrail(events: &Events) -> Self {
        Self::new(
            &CLOUDTRAIL,
            events,
            "detail.requestParameters.maxResults",
            "detail.sourceIPAddress",
        )
    }

    pub fn geojson(events: &Events) -> Self {
        Self::new(
            &GEOJSON,
            events,
            "geometry.coordinates",
            "properties.FROM_ST",
        )
    }

    fn new(
        names: &[&'static str],
        events: &Events,
        number: &'static str,
        address: &'static str,
    ) -> Self {
        let parsed: Vec<Value> = events
            .texts
            .iter()
            .map(|text| serde_json::from_str(text).expect("JSON"))
            .collect();
        let found = |name: &str| {
            let pointer = format!("/{}", name.replace('.', "/"));
            let texts = parsed
                .iter()
                .filter_map(|event| Some(event.pointer(&pointer)?.as_str()?.to_owned()));
            let mut texts: Vec<String> = texts.collect();
            texts.sort();
            texts.dedup();
            texts
        };
        let texts = names.iter().map(|name| (*name, found(name))).collect();
        Self {
            texts,
            number,
            address,
        }
    }
}

/// Makes pattern number `n` of a kind.
pub fn pattern(kind: &str, n: usize, fields: &Fields, random: &mut Random) -> String {
    let kind = if kind == "mixed" {
        *random.pick(&KINDS[..9])
    } else {
        kind
    };
    match kind {
        "numeric" => {
            let low = random.below(100_000) as f64 / 100.0 + 1.0;
            one(
                fields.number,
                &format!(r#"{{"numeric":[">",{low},"<",{}]}}"#, low + 0.5),
            )
        }
        "cidr" => one(
            fields.address,
            &format!(
                r#"{{"cidr":"{}.{}.{}.0/24"}}"#,
                random.below(224),
                random.below(256),
                random.below(256)
            ),
        ),
        _ => {
            let (name, texts) = random.pick(&fields.texts);
            let known = random.below(10) == 0 && !texts.is_empty();
            let text = if known {
                random.pick(texts).clone()
            } else {
                format!("{:x}-unknown-{n}", random.next() % 0xFFFF)
            };
            text_pattern(kind, n, name, &text, random)
        }
    }
}

fn text_pattern(kind: &str, n: usize, name: &str, text: &str, random: &mut Random) -> String {
    let half = text.len() / 2;
    let (start, end) = (
        text.get(..half + 1).unwrap_or(text),
        text.get(half..).unwrap_or(text),
    );
    let member = match kind {
        "prefix" => format!(r#"{{"prefix":{}}}"#, quoted(start)),
        "suffix" => format!(r#"{{"suffix":{}}}"#, quoted(end)),
        "wildcard" => {
            let (a, b) = (
                text.get(..half.min(6)).unwrap_or(""),
                text.get(half..).unwrap_or(""),
            );
            let wildcard = if random.below(2) == 0 {
                format!("{a}*{b}")
            } else {
                format!("*{b}*")
            };
            format!(
                r#"{{"wildcard":{}}}"#,
                quoted(&wildcard.replace("**", "*").replace('\\', ""))
            )
        }
        "anything-but" => format!(r#"{{"anything-but":[{},"other-{n}"]}}"#, quoted(text)),
        "equals-ignore-case" => format!(
            r#"{{"equals-ignore-case":{}}}"#,
            quoted(&text.to_uppercase())
        ),
        "exists" => {
            return one(
                &format!("detail.requestParameters.name{}", n % 1_000),
                r#"{"exists":true}"#,
            );
        }
        _ => quoted(text),
    };
    // As rules are: a kind of pattern on one field, and an exact value on another.
    match (kind, n % 2) {
        ("anything-but", _) => format!(
            "{{{},{}}}",
            list(name, &member),
            list("detail-type", &quoted(&format!("type {n}")))
        ),
        ("exact", 1) if name != "source" => format!(
            "{{{},{}}}",
            list("source", r#""aws.ec2""#),
            list(name, &member)
        ),
        _ => one(name, &member),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn one(name: &str, member: &str) -> String {
    format!("{{{}}}", list(name, member))
}

/// `"a":{"b":[member]}`: quamina takes names with dots for plain names.
fn list(name: &str, member: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let opened: Vec<String> = parts.iter().map(|part| format!("\"{part}\":")).collect();
    format!(
        "{}[{member}]{}",
        opened.join("{"),
        "}".repeat(parts.len() - 1)
    )
}
