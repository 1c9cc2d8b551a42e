//! ResultWriter: the results of a Map Run as objects in S3, or reshaped.

use super::s3;
use crate::clock::timestamp_text;
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::{Failure, RESULT_WRITER_FAILED};
use crate::family::{Family, Record};
use crate::limits::RESULTS_BYTES_MAX;
use crate::resource::Resource;
use crate::run::{Child, Outcome, Run};
use crate::seen::{Form, Seen};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(super) struct ResultWriter {
    /// Where to write; without it the results are only reshaped.
    target: Option<(Resource, Form)>,
    transformation: Transformation,
    lines: bool,
}

/// What is kept of each iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Transformation {
    /// Everything about it.
    None,
    /// Its output.
    Compact,
    /// Its output; of an array, each element.
    Flatten,
}

/// What is to be written, and the state's result once it is.
pub(super) struct Files {
    pub(super) writes: Vec<Value>,
    pub(super) result: Value,
}

impl ResultWriter {
    pub(super) fn read(fields: Fields<'_>, faults: &mut Faults) -> ResultWriter {
        let config = fields.object("WriterConfig", faults);
        let mut transformation = Transformation::None;
        let mut lines = false;
        if let Some(config) = config {
            let words = ["NONE", "COMPACT", "FLATTEN"];
            transformation = match config.word("Transformation", &words, faults) {
                Some("COMPACT") => Transformation::Compact,
                Some("FLATTEN") => Transformation::Flatten,
                _ => Transformation::None,
            };
            lines = config.word("OutputType", &["JSON", "JSONL"], faults) == Some("JSONL");
            config.finish(faults);
        }
        let target = read_target(&fields, faults);
        if target.is_none()
            && fields.value("WriterConfig").is_none()
            && fields.value("Resource").is_none()
        {
            faults.schema(
                fields.place(),
                "A ResultWriter needs one of these fields: [Resource, WriterConfig]",
            );
        }
        fields.finish(faults);
        ResultWriter {
            target,
            transformation,
            lines,
        }
    }

    /// The call that writes.
    pub(super) fn resource(&self) -> Option<&Resource> {
        self.target.as_ref().map(|(resource, _)| resource)
    }

    /// The results of a run that has ended.
    pub(super) fn files(&self, seen: Seen<'_>, family: &Family) -> Result<Files, Failure> {
        let failed = |cause: String| Failure::task(RESULT_WRITER_FAILED, Some(cause));
        if family.overflowed() {
            return Err(failed(format!(
                "The results are larger than {RESULTS_BYTES_MAX} bytes"
            )));
        }
        let Some(map_run) = &family.map_run else {
            return Err(failed("There is no Map Run".to_owned()));
        };
        let Some((_, arguments)) = &self.target else {
            let result = self.reshaped(map_run.records.iter().filter(|r| r.succeeded));
            return Ok(Files {
                writes: Vec::new(),
                result: Value::Array(result),
            });
        };
        let arguments = arguments.evaluate("ResultWriter/Arguments", seen)?;
        let text = |name| s3::text(&arguments, name);
        let (Some(bucket), prefix) = (text("Bucket"), text("Prefix")) else {
            return Err(failed("The Bucket must be a string".to_owned()));
        };
        let run_id = map_run.arn.rsplit(':').next().unwrap_or_default();
        let folder = match prefix.map(|prefix| prefix.trim_end_matches('/')) {
            None | Some("") => run_id.to_owned(),
            Some(prefix) => format!("{prefix}/{run_id}"),
        };
        Ok(self.written(&map_run.records, &map_run.arn, bucket, &folder))
    }

    fn written(&self, records: &[Record], arn: &str, bucket: &str, folder: &str) -> Files {
        let mut writes = Vec::new();
        let mut listed = json!({ "FAILED": [], "PENDING": [], "SUCCEEDED": [] });
        for (name, succeeded) in [("SUCCEEDED", true), ("FAILED", false)] {
            let mut chosen = records
                .iter()
                .filter(|r| r.succeeded == succeeded)
                .peekable();
            if chosen.peek().is_none() {
                continue;
            }
            let key = format!("{folder}/{name}_0.{}", self.extension());
            let body = self.text(match succeeded {
                true => self.reshaped(chosen),
                false => chosen.map(|record| record.fields.clone()).collect(),
            });
            if let Some(Value::Array(files)) = listed.get_mut(name) {
                files.push(json!({ "Key": key, "Size": body.len() }));
            }
            writes.push(json!({ "Bucket": bucket, "Key": key, "Body": body }));
        }
        let manifest = format!("{folder}/manifest.json");
        let body = json!({ "DestinationBucket": bucket, "MapRunArn": arn, "ResultFiles": listed });
        writes.push(json!({ "Bucket": bucket, "Key": manifest, "Body": body.to_string() }));
        Files {
            writes,
            result: json!({
                "MapRunArn": arn,
                "ResultWriterDetails": { "Bucket": bucket, "Key": manifest },
            }),
        }
    }

    fn extension(&self) -> &'static str {
        if self.lines { "jsonl" } else { "json" }
    }

    fn text(&self, values: Vec<Value>) -> String {
        match self.lines {
            true => values.iter().map(|value| format!("{value}\n")).collect(),
            false => Value::Array(values).to_string(),
        }
    }

    fn reshaped<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Vec<Value> {
        let mut values = Vec::new();
        for record in records {
            let output = || {
                let text = s3::text(&record.fields, "Output").unwrap_or("null");
                serde_json::from_str(text).unwrap_or(Value::Null)
            };
            match self.transformation {
                Transformation::None => values.push(record.fields.clone()),
                Transformation::Compact => values.push(output()),
                Transformation::Flatten => match output() {
                    Value::Array(items) => values.extend(items),
                    other => values.push(other),
                },
            }
        }
        values
    }
}

/// What a result file says of a child.
pub(super) fn record(run: &Run<'_>, child: &Child, outcome: &Outcome) -> Option<Record> {
    let journal = run.journal_of(child.id)?;
    let mut fields = json!({
        "ExecutionArn": journal.id,
        "Input": journal.input.to_string(),
        "InputDetails": { "Included": true },
        "Name": journal.name,
        "RedriveCount": journal.redrives,
        "StartDate": timestamp_text(journal.started_at.unwrap_or_default()),
        "StateMachineArn": run.machine_id(),
        "StopDate": timestamp_text(run.now().millis),
    });
    let ended = match outcome {
        Ok(output) => json!({
            "Status": "SUCCEEDED",
            "Output": output.to_string(),
            "OutputDetails": { "Included": true },
        }),
        Err((error, cause)) => json!({ "Status": "FAILED", "Error": error, "Cause": cause }),
    };
    if let (Value::Object(fields), Value::Object(ended)) = (&mut fields, ended) {
        fields.extend(ended);
    }
    Some(Record {
        succeeded: outcome.is_ok(),
        fields,
    })
}

fn read_target(fields: &Fields<'_>, faults: &mut Faults) -> Option<(Resource, Form)> {
    fields.value("Resource")?;
    let action = s3::read_action(fields, &["putObject"], faults);
    let arguments = s3::read_arguments(fields, faults);
    Some((s3::call(action?), arguments?))
}
