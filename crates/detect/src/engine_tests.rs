//! What the engine answers is what every rule, evaluated by itself on the whole record, answers.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use quell_model::{Origin, Record, RecordId, Timestamp};
use quell_normalize::{Outline, Reading};
use rsigma_eval::{JsonEvent, evaluate_rule};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::content::DetectionFile;
use crate::engine::{Engine, Matcher, Scratch};
use crate::envelope::enveloped;
use crate::tree::{EVENT_NAME, both_names};

pub(crate) fn record(body: &str) -> Record {
    Record {
        id: RecordId::of_bytes(body.as_bytes()),
        origin: Origin::File { path: "t".into() },
        received_at: Timestamp::default(),
        envelope: None,
        body: RawValue::from_string(body.to_owned()).unwrap(),
    }
}

fn rule(at: usize, detection: &str, condition: &str) -> DetectionFile {
    let text = format!(
        "title: R{at}\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n{detection}  condition: {condition}\nlevel: low\n"
    );
    DetectionFile {
        path: format!("{at}.yml"),
        text,
    }
}

/// All detections on the whole record, one by one, by rsigma alone and the plain pattern.
fn naively(engine: &Engine, record: &Record) -> Vec<String> {
    let mut body: Value = serde_json::from_str(record.body.get()).unwrap();
    if let Some(name) = body.get_mut(EVENT_NAME) {
        *name = both_names(name.take());
    }
    let event = JsonEvent::borrow(&body);
    let matches = |matcher: &Matcher| match matcher {
        Matcher::Sigma(rule) => evaluate_rule(rule.compiled(), &event).is_some(),
        Matcher::Pattern(pattern) => {
            let mut outline = Outline::default();
            let reading = Reading::new(&record.body, &mut outline).unwrap();
            let text = enveloped(&reading, record.envelope.as_ref());
            pattern.pattern.matches_json(&text).unwrap()
        }
    };
    let all = engine.detections().iter().filter(|d| matches(&d.matcher));
    all.map(|d| d.id.clone()).collect()
}

fn quickly(engine: &Engine, record: &Record, scratch: &mut Scratch) -> Vec<String> {
    engine
        .matching(record, scratch)
        .into_iter()
        .map(|d| d.id.clone())
        .collect()
}

/// The detections of the project, with what they were written against and what not.
pub(crate) fn content() -> Vec<DetectionFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/detections");
    let mut out = Vec::new();
    for path in files(&root) {
        let name = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if name.ends_with(".yml") || name.ends_with(".pattern.json") {
            out.push(DetectionFile {
                path: name,
                text: std::fs::read_to_string(path).unwrap(),
            });
        }
    }
    out
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => out.extend(files(&path)),
            false => out.push(path),
        }
    }
    out.sort();
    out
}

/// The real records where they are at hand, one of each kind, and the project's samples of a few services. The bench
/// (`make bench-detect`) compares all of them.
fn real() -> Vec<Record> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let content = here.join("../../content/detections/aws");
    let folders = [
        content.join("ec2"),
        content.join("lambda"),
        here.join("../../../shared/data"),
    ];
    let (mut out, mut kinds) = (Vec::new(), std::collections::BTreeSet::new());
    for path in folders.iter().flat_map(|folder| files(folder)) {
        if !path.to_str().unwrap().ends_with(".json") {
            continue;
        }
        let value: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let list = value.get("Records").unwrap_or(&value).clone();
        let list = list.as_array().cloned().unwrap_or(vec![list]);
        let kind =
            |v: &Value| ["eventSource", "eventName", "errorCode"].map(|name| v[name].to_string());
        let new = list
            .iter()
            .filter(|v| kinds.insert((kind(v), v["userIdentity"]["type"].to_string())));
        out.extend(new.map(|v| record(&v.to_string())));
    }
    out
}

/// A generated rule: selections over the fields of `generated_record`, and a condition over them.
fn generated_rule() -> impl Strategy<Value = (String, String)> {
    let field = prop::sample::select(vec![
        "eventName",
        "eventName|contains",
        "eventName|startswith",
        "eventName|endswith",
        "eventName|neq",
        "eventName|re",
        "eventName|cased",
        "eventSource",
        "eventSource|endswith",
        "userIdentity.type",
        "userIdentity.arn|contains",
        "errorCode",
        "errorCode|exists",
        "requestParameters.items.cidr",
        "requestParameters.items.cidr|endswith",
        "requestParameters.names",
        "requestParameters.names|contains",
        "requestParameters.n",
        "requestParameters.n|gte",
        "readOnly",
        "a.b",
        "sourceIPAddress|startswith",
        "requestParameters.items[0].cidr",
        "requestParameters.names|startswith",
        "userAgent",
        "userAgent|contains",
        "userAgent|endswith",
        "eventSource|contains",
        "eventName|fieldref",
    ]);
    let value = prop::sample::select(vec![
        "CreateUser",
        "createuser",
        "UpdateFunctionCode",
        "UpdateFunctionCode20150331v2",
        "Create*",
        "*User",
        "*at*",
        "C?eate*r",
        "iam.amazonaws.com",
        "lambda.amazonaws.com",
        ".amazonaws.com",
        "Root",
        "IAMUser",
        "null",
        "true",
        "false",
        "'true'",
        "5",
        "'5'",
        "0.0.0.0/0",
        "/0",
        "x",
        "''",
        "'*'",
        "AccessDenied",
        "Kms",
        "i",
        "s",
        "Describe",
        "\"*a\\nb*\"",
        "'1'",
        "inf",
    ]);
    let item = (field, prop::collection::vec(value, 1..4)).prop_map(|(field, values)| match values
        .as_slice()
    {
        [one] if field.contains("exists") => format!(
            "{field}: {}",
            if *one == "false" { "false" } else { "true" }
        ),
        [one] => format!("{field}: {one}"),
        many => format!("{field}: [{}]", many.join(", ")),
    });
    let selection = (prop::collection::vec(item, 1..3), any::<bool>()).prop_map(|(items, list)| {
        items
            .iter()
            .enumerate()
            .map(|(at, item)| match (list, at) {
                (true, _) | (false, 0) if list => format!("    - {item}\n"),
                _ => format!("      {item}\n"),
            })
            .collect::<String>()
    });
    let condition = prop::sample::select(vec![
        "a",
        "a and b",
        "a or b",
        "a and not b",
        "not a",
        "1 of them",
        "all of them",
        "2 of them",
        "a and (b or not c)",
        "1 of a* and not c",
        "not (a or b)",
        "c or (a and b)",
    ]);
    (prop::collection::vec(selection, 3), condition).prop_map(|(selections, condition)| {
        let named = ["a", "b", "c"].iter().zip(selections);
        (
            named
                .map(|(name, text)| format!("  {name}:\n{text}"))
                .collect(),
            condition.to_owned(),
        )
    })
}

fn generated_record() -> impl Strategy<Value = Value> {
    let scalar = prop::sample::select(vec![
        json!("CreateUser"),
        json!("createUSER"),
        json!("UpdateFunctionCode20150331v2"),
        json!("UpdateFunctionCode"),
        json!("DescribeX"),
        json!("\u{212a}ms"),
        json!("x\u{130}"),
        json!("iam.amazonaws.com"),
        json!("lambda.amazonaws.com"),
        json!("Root"),
        json!(null),
        json!(true),
        json!("true"),
        json!(5),
        json!("5"),
        json!(5.0),
        json!(-0.0),
        json!("0.0.0.0/0"),
        json!("10.0.0.0/8"),
        json!(""),
        json!("z a\nb z"),
        json!("AccessDenied"),
        json!(1),
        json!([]),
        json!({}),
        json!({"cidr": "0.0.0.0/0"}),
        json!(["x", ["5", null]]),
        json!([{"cidr": "x"}, {"cidr": ["a", "0.0.0.0/0"]}]),
        json!(18_446_744_073_709_551_615_u64),
    ]);
    let keys = prop::sample::select(vec![
        "eventName",
        "eventSource",
        "userIdentity",
        "errorCode",
        "requestParameters",
        "readOnly",
        "a",
        "a.b",
        "sourceIPAddress",
        "userAgent",
        "userAgent",
        "type",
        "arn",
        "items",
        "cidr",
        "names",
        "n",
        "b",
    ]);
    let inner = (keys.clone(), scalar.clone()).prop_map(|(key, value)| (key.to_owned(), value));
    let object = prop::collection::vec(inner, 0..5)
        .prop_map(|list| Value::Object(list.into_iter().collect()));
    let value = prop_oneof![3 => scalar.clone(), 2 => object];
    // Mostly one of a few calls, so that the same call comes again with other fields.
    let one_of =
        |texts: [&'static str; 3]| prop::sample::select(texts.to_vec()).prop_map(|t| json!(t));
    let name = one_of(["CreateUser", "UpdateFunctionCode20150331v2", "DescribeX"]);
    let source = one_of([
        "iam.amazonaws.com",
        "lambda.amazonaws.com",
        "IAM.amazonaws.com",
    ]);
    let fixed = (
        prop_oneof![3 => name, 1 => scalar.clone()],
        prop_oneof![3 => source, 1 => scalar],
    );
    (prop::collection::vec((keys, value), 0..8), fixed).prop_map(|(list, (name, source))| {
        let mut map: serde_json::Map<String, Value> =
            list.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        map.entry("eventName").or_insert(name);
        map.entry("eventSource").or_insert(source);
        Value::Object(map)
    })
}

/// Every other way to write the same text in JSON.
fn escaped(text: &str) -> String {
    text.replace('C', "\\u0043")
        .replace('i', "\\u0069")
        .replace('\u{212a}', "\\u212a")
        .replace('\u{130}', "\\u0130")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_engine_answers_as_every_rule_by_itself(
        rules in prop::collection::vec(generated_rule(), 1..30),
        records in prop::collection::vec((generated_record(), generated_record()), 1..20),
    ) {
        let files: Vec<DetectionFile> = rules.iter().enumerate().map(|(at, (d, c))| rule(at, d, c)).collect();
        let (engine, _) = Engine::load(&files);
        prop_assume!(!engine.detections().is_empty());
        let mut scratch = Scratch::default();
        for (value, before) in &records {
            let plain = record(&value.to_string());
            let wanted = naively(&engine, &plain);
            prop_assert_eq!(quickly(&engine, &plain, &mut scratch), wanted.clone(), "{}", value);
            let text = escaped(&value.to_string());
            prop_assert_eq!(quickly(&engine, &record(&text), &mut scratch), wanted.clone(), "{}", text);
            // Of a key that stands there twice, the last counts.
            let (before, after) = (before.to_string(), value.to_string());
            let doubled = format!("{},{}", before.strip_suffix('}').unwrap(), after.strip_prefix('{').unwrap());
            let doubled = record(&doubled);
            prop_assert_eq!(quickly(&engine, &doubled, &mut scratch), naively(&engine, &doubled), "{}", doubled.body);
        }
    }
}

#[test]
fn on_real_records_too() {
    let records = real();
    assert!(records.len() >= 2);
    let mut files = content();
    let (_, faults) = Engine::load(&files);
    assert_eq!(faults, [], "the project's own detections");
    // One rule for each name that is there, in forms that the project's rules do not have.
    let mut names: Vec<String> = records
        .iter()
        .filter_map(|r| {
            let body: Value = serde_json::from_str(r.body.get()).unwrap();
            Some(body.get("eventName")?.as_str()?.to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    for (at, name) in names.iter().enumerate() {
        let half: String = name.chars().take(name.chars().count() / 2 + 1).collect();
        let detection = format!(
            "  a:\n    eventName: {name}\n  b:\n    eventName|startswith: {half}\n    errorCode: null\n  c:\n    - userIdentity.type: [Root, AWSService]\n    - userAgent|contains: [terraform, boto3]\n"
        );
        let condition = [
            "a and not c",
            "b",
            "1 of them",
            "a and c",
            "b and not a",
            "c and b",
        ][at % 6];
        files.push(rule(at, &detection, condition));
    }
    let (engine, faults) = Engine::load(&files);
    assert_eq!(faults, []);
    let (mut scratch, mut matches) = (Scratch::default(), 0);
    for record in &records {
        let wanted = naively(&engine, record);
        matches += wanted.len();
        assert_eq!(
            quickly(&engine, record, &mut scratch),
            wanted,
            "{}",
            record.body
        );
    }
    assert!(matches >= records.len() / 2, "{matches}");
}

fn matches(detection: &str, body: &str) -> bool {
    let (engine, faults) = Engine::load(&[rule(0, detection, "a")]);
    assert_eq!(faults, []);
    !engine
        .matching(&record(body), &mut Scratch::default())
        .is_empty()
}

#[test]
fn sigma_means_what_it_says() {
    for (detection, body, wanted) in [
        ("  a:\n    errorCode: null\n", r#"{"x":1}"#, true),
        ("  a:\n    errorCode: [null, Denied]\n", r#"{"x":1}"#, true),
        (
            "  a:\n    errorCode: [null, Denied]\n",
            r#"{"errorCode":"denied"}"#,
            true,
        ),
        (
            "  a:\n    errorCode: [null, Denied]\n",
            r#"{"errorCode":"Other"}"#,
            false,
        ),
        (
            "  a:\n    p.doc: '*Allow*Star*'\n",
            r#"{"p":{"doc":"Allow\n Star "}}"#,
            true,
        ),
        (
            "  a:\n    p.doc|startswith: 'arn:*:iam'\n",
            r#"{"p":{"doc":"arn:aws:iam::1:user/x"}}"#,
            true,
        ),
        (
            "  a:\n    p.doc|startswith: 'arn:*:iam'\n",
            r#"{"p":{"doc":"x arn:aws:iam"}}"#,
            false,
        ),
        (
            "  a:\n    p.doc|endswith: 'a*b'\n",
            r#"{"p":{"doc":"xx a 1 b"}}"#,
            true,
        ),
        (
            "  a:\n    p.doc|endswith: 'a*b'\n",
            r#"{"p":{"doc":"a b c"}}"#,
            false,
        ),
        (
            "  a:\n    p.names: 'Admin*'\n",
            r#"{"p":[{"names":["x"]},{"names":["y","AdminAll"]}]}"#,
            true,
        ),
        (
            "  a:\n    p.doc|contains|all: ['a*b', c]\n",
            r#"{"p":{"doc":"c a - b"}}"#,
            true,
        ),
        (
            "  a:\n    p.doc|contains|all: ['a*b', c]\n",
            r#"{"p":{"doc":"a - b"}}"#,
            false,
        ),
        (
            "  a:\n    eventName: UpdateFunctionCode\n",
            r#"{"eventName":"UpdateFunctionCode20150331v2"}"#,
            true,
        ),
        (
            "  a:\n    eventName: UpdateFunctionCode20150331v2\n",
            r#"{"eventName":"UpdateFunctionCode"}"#,
            true,
        ),
        (
            "  a:\n    eventName: UpdateFunctionCode20150331v2\n",
            r#"{"eventName":"UpdateFunctionCode20150331v2"}"#,
            true,
        ),
        (
            "  a:\n    eventName|endswith: Code\n",
            r#"{"eventName":"UpdateFunctionCode20150331v2"}"#,
            true,
        ),
        (
            "  a:\n    eventName|re: ^Update.*Code$\n",
            r#"{"eventName":"UpdateFunctionCode20150331v2"}"#,
            true,
        ),
        (
            "  a:\n    eventName: UpdateFunctionCode\n",
            r#"{"eventName":"UpdateFunctionCodeX"}"#,
            false,
        ),
        ("  a:\n    n: 1\n", r#"{"n":1, "big":1e400}"#, true),
        ("  a:\n    n: 2\n", r#"{"n":1, "n":2}"#, true),
        ("  a:\n    n: 1\n", r#"{"n":1, "n":2}"#, false),
    ] {
        assert_eq!(matches(detection, body), wanted, "{detection} on {body}");
    }
}

#[test]
fn a_record_of_ten_thousand_levels_is_no_danger_and_no_hiding_place() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", "{\"p\":".repeat(10_000), "}".repeat(10_000));
    for inner in [deep, objects] {
        let body = format!(r#"{{"eventName":"DeleteTrail","p":{inner}}}"#);
        assert!(matches("  a:\n    eventName: DeleteTrail\n", &body));
        assert!(!matches("  a:\n    p.p.p.x: 1\n", &body));
        assert!(matches("  a:\n    p|exists: true\n", &body));
    }
}

#[test]
fn no_rule_takes_more_than_its_share() {
    let bomb = format!(
        "title: b\na0: &a0 [x,x,x,x,x,x,x,x,x]\n{}",
        (1..40)
            .map(|n| format!(
                "a{n}: &a{n} [{}]\n",
                vec![format!("*a{}", n - 1); 9].join(",")
            ))
            .collect::<String>()
    );
    let nested = format!("{}a", "not ".repeat(500));
    for (file, says) in [
        (
            DetectionFile {
                path: "bomb.yml".into(),
                text: bomb,
            },
            "",
        ),
        (rule(1, "  a:\n    x: y\n", &nested), "64"),
        (
            rule(2, "  a:\n    x: y\n", &"(".repeat(3_000)),
            "parentheses",
        ),
        (
            rule(3, "  a:\n    x|re: '(\\w{500}){500}'\n", "a"),
            "regular expression",
        ),
        (
            rule(
                4,
                "  a:\n    x|windash|contains: '-a -b -c -d -e -f -g -h'\n",
                "a",
            ),
            "dashes",
        ),
        (
            rule(
                5,
                &format!("  a:\n    x|re: [{}]\n", vec!["a.b"; 500].join(",")),
                "a",
            ),
            "at most 100",
        ),
        (
            rule(6, &format!("  a:\n    x: {}\n", "[".repeat(20_000)), "a"),
            "",
        ),
        (
            DetectionFile {
                path: "long.yml".into(),
                text: "a".repeat(100_000),
            },
            "65536",
        ),
    ] {
        let (engine, faults) = Engine::load(std::slice::from_ref(&file));
        assert!(
            engine.detections().is_empty() && !faults.is_empty(),
            "{}",
            file.path
        );
        let text = faults[0].to_string();
        assert!(text.contains(says) && text.len() < 2_000, "{text}");
    }
}
