//! All detections over one record.

use quell_model::{Diagnostic, Event, Finding, FindingId, Record, Resource, Severity, Timestamp};
use quell_pattern::{Pattern, Scratch, Set, Snapshot};
use rsigma_eval::{CompiledRule, JsonEvent, evaluate_rule};
use serde_json::Value;

use crate::content::DetectionFile;

/// A detection, ready to run.
#[derive(Debug)]
pub struct Detection {
    /// Its path under `content/detections`, without the ending.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// How bad a match is.
    pub severity: Severity,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    pub(crate) matcher: Matcher,
}

#[derive(Debug)]
pub(crate) enum Matcher {
    Sigma(Box<CompiledRule>),
    Pattern(Box<Pattern>),
}

/// All detections.
#[derive(Debug)]
pub struct Engine {
    detections: Vec<Detection>,
    /// The event patterns among them, by their places, as one matcher.
    patterns: Snapshot<usize>,
}

impl Engine {
    /// The engine with the detections that are right, and the faults of those that are not: one bad rule does not
    /// stop the others.
    pub fn load(files: &[DetectionFile]) -> (Engine, Vec<Diagnostic>) {
        let mut detections: Vec<Detection> = Vec::new();
        let mut faults = Vec::new();
        for file in files {
            match file.load() {
                Ok(detection) => match detections.iter().find(|d| d.id == detection.id) {
                    Some(_) => faults.push(Diagnostic::new(
                        &file.path,
                        "there is a detection with this id already",
                    )),
                    None => detections.push(detection),
                },
                Err(mut more) => faults.append(&mut more),
            }
        }
        let mut patterns = Set::new();
        for (at, detection) in detections.iter().enumerate() {
            if let Matcher::Pattern(pattern) = &detection.matcher {
                patterns.add(at, Pattern::clone(pattern));
            }
        }
        let engine = Engine {
            detections,
            patterns: patterns.snapshot(),
        };
        (engine, faults)
    }

    /// The detections.
    pub fn detections(&self) -> &[Detection] {
        &self.detections
    }

    /// Which detections match a record.
    pub fn matching(&self, record: &Record) -> Vec<&Detection> {
        let body: Option<Value> = serde_json::from_str(record.body.get()).ok();
        let (enveloped, mut scratch) = (enveloped(record), Scratch::new());
        let by_pattern = self.patterns.matching(enveloped.as_bytes(), &mut scratch);
        let by_pattern = by_pattern.unwrap_or_default();
        let matches = |(at, detection): &(usize, &Detection)| match &detection.matcher {
            Matcher::Sigma(rule) => body
                .as_ref()
                .is_some_and(|b| evaluate_rule(rule, &JsonEvent::borrow(b)).is_some()),
            Matcher::Pattern(_) => by_pattern.binary_search(&at).is_ok(),
        };
        let all = self.detections.iter().enumerate();
        all.filter(matches)
            .map(|(_, detection)| detection)
            .collect()
    }

    /// What the detections say of a record about `resource`.
    pub fn findings(
        &self,
        record: &Record,
        event: &Event,
        resource: &Resource,
        now: Timestamp,
    ) -> Vec<Finding> {
        let arn = resource.arn.to_string();
        self.matching(record)
            .into_iter()
            .map(|d| Finding {
                id: FindingId::of(&d.id, &record.id, &arn),
                detection: d.id.clone(),
                title: d.title.clone(),
                severity: d.severity,
                record: record.id.clone(),
                event_name: event.name.clone(),
                event_time: event.time,
                detected_at: now,
                resource: resource.clone(),
                actor: event.actor.clone(),
                attack: d.attack.clone(),
            })
            .collect()
    }
}

/// The record as EventBridge would deliver it. One that came in a file has no envelope, so it gets the one that
/// CloudTrail's integration gives: a pattern then matches on either path.
fn enveloped(record: &Record) -> String {
    let mut envelope = record
        .envelope
        .clone()
        .unwrap_or_else(|| made_envelope(record));
    let Some(fields) = envelope.as_object_mut() else {
        return String::new();
    };
    fields.remove("detail");
    let mut text = envelope.to_string();
    // Spliced in as text: the record's bytes are not parsed and printed again.
    text.pop();
    if !text.ends_with('{') {
        text.push(',');
    }
    text.push_str("\"detail\":");
    text.push_str(record.body.get());
    text.push('}');
    text
}

fn made_envelope(record: &Record) -> Value {
    let body: Value = serde_json::from_str(record.body.get()).unwrap_or_default();
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let service = text("eventSource");
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(&service);
    let detail_type = match text("eventType").as_str() {
        "AwsConsoleSignIn" => "AWS Console Sign In via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    serde_json::json!({
        "version": "0", "id": text("eventID"), "detail-type": detail_type, "source": format!("aws.{service}"),
        "account": text("recipientAccountId"), "time": text("eventTime"), "region": text("awsRegion"), "resources": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_model::{Origin, RecordId};
    use serde_json::value::RawValue;

    fn file(path: &str, text: &str) -> DetectionFile {
        DetectionFile {
            path: path.into(),
            text: text.into(),
        }
    }

    const SIGMA: &str = "title: T\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n  s:\n    eventName: Open\n    p.items.cidr|endswith: '/0'\n  condition: s\nlevel: high\ntags: [attack.t1562.007, attack.defense_evasion]\n";
    const PATTERN: &str = r#"{"title":"P","severity":"HIGH","pattern":{"source":["aws.ec2"],"detail":{"eventName":["Open"]}}}"#;

    fn record(body: &str) -> Record {
        Record {
            id: RecordId::of_bytes(body.as_bytes()),
            origin: Origin::File { path: "t".into() },
            received_at: Timestamp::default(),
            envelope: None,
            body: RawValue::from_string(body.to_owned()).unwrap(),
        }
    }

    #[test]
    fn both_languages_see_the_same_record_on_either_path() {
        let (engine, faults) =
            Engine::load(&[file("a.yml", SIGMA), file("b.pattern.json", PATTERN)]);
        assert_eq!(faults, []);
        assert_eq!(engine.detections()[0].attack, ["T1562.007"]);
        let hit = record(
            r#"{"eventName":"Open","eventSource":"ec2.amazonaws.com","p":{"items":[{"cidr":"1.2.3.4/32"},{"cidr":"0.0.0.0/0"}]}}"#,
        );
        assert_eq!(engine.matching(&hit).len(), 2);
        let mut enveloped = hit.clone();
        enveloped.envelope = Some(serde_json::json!({"source":"aws.ec2"}));
        assert_eq!(engine.matching(&enveloped).len(), 2);
        let mut foreign = hit.clone();
        foreign.envelope = Some(serde_json::json!({"source":"custom"}));
        assert_eq!(
            engine.matching(&foreign).len(),
            1,
            "the pattern asks for aws.ec2"
        );
        assert!(
            engine
                .matching(&record(r#"{"eventName":"Close"}"#))
                .is_empty()
        );
    }

    #[test]
    fn a_typo_is_named_with_its_line_and_the_others_still_load() {
        let typo = SIGMA.replace("level:", "levle:");
        let (engine, faults) = Engine::load(&[
            file("typo.yml", &typo),
            file("b.pattern.json", PATTERN),
            file(
                "c.pattern.json",
                &PATTERN.replace("\"source\"", "\"source\":[],\"x\""),
            ),
            file("d.yml", "title: [unclosed"),
            file(
                "e.yml",
                &SIGMA.replace("condition: s", "condition: s and t"),
            ),
            file("f.yml", &SIGMA.replace("|endswith", "|endswiht")),
        ]);
        assert_eq!(engine.detections().len(), 1, "{faults:#?}");
        let first = faults[0].to_string();
        assert_eq!(
            first,
            "typo.yml:10: unknown key «levle» (did you mean «level»?)"
        );
        for name in ["c.pattern.json", "d.yml", "e.yml", "f.yml"] {
            assert!(faults.iter().any(|f| f.file == name), "{name}: {faults:#?}");
        }
    }
}
