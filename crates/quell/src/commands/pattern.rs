//! `quell pattern`.

use std::path::PathBuf;

use clap::Subcommand;
use quell_pattern::{Combination, Event, Explanation, Field, Pattern, Warning, lint};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Failure, Global};
use crate::input::{name, read, refuse_second_stdin};
use crate::output::{safe, table};

/// EventBridge event patterns: try one on events, see why it matched or not, check it
#[derive(Subcommand)]
pub enum PatternCommand {
    /// Say which events a pattern matches; exit code 1 when one does not
    Test(Pair),
    /// Say, field by field, why a pattern matched an event or what stopped it; exit code 1 when one does not match
    Explain(Pair),
    /// Warn of what a pattern does that will not be meant: that it can never match, mixes AWS sources, …
    Lint {
        /// Files with a pattern, or a rule that has one as its EventPattern; - is standard input
        #[arg(required = true, value_name = "PATTERN")]
        patterns: Vec<PathBuf>,
        /// Exit code 1 when there are warnings
        #[arg(long)]
        strict: bool,
    },
}

#[derive(clap::Args)]
pub struct Pair {
    /// The file with the pattern, or a rule that has one as its EventPattern; - is standard input
    pattern: PathBuf,
    /// The file with the event, or several one after another; - is standard input
    #[arg(default_value = "-")]
    event: PathBuf,
}

impl PatternCommand {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Test(pair) => pair.test(global),
            Self::Explain(pair) => pair.explain(global),
            Self::Lint { patterns, strict } => run_lint(&patterns, strict, global),
        }
    }
}

impl Pair {
    fn load(&self) -> Result<(Pattern, Vec<Event>), Failure> {
        refuse_second_stdin(&[self.pattern.clone(), self.event.clone()]);
        let pattern = parse_pattern(&read(&self.pattern)?, &name(&self.pattern))?;
        let events = parse_events(&read(&self.event)?, &name(&self.event))?;
        Ok((pattern, events))
    }

    fn test(&self, global: &Global) -> Result<(), Failure> {
        let (pattern, events) = self.load()?;
        let verdicts: Vec<bool> = events.iter().map(|event| pattern.matches(event)).collect();
        let value: Vec<Value> = (1..)
            .zip(&verdicts)
            .map(|(n, m)| json!({"event": n, "matches": m}))
            .collect();
        global.output.print(&value, |_| {
            let word = |matches: &bool| {
                if *matches {
                    "matches"
                } else {
                    "does not match"
                }
            };
            if let [only] = verdicts.as_slice() {
                return word(only).to_owned();
            }
            let row = |(n, verdict): (usize, &bool)| vec![n.to_string(), word(verdict).to_owned()];
            table(&["event", "verdict"], (1..).zip(&verdicts).map(row))
        });
        verdict(&verdicts)
    }

    fn explain(&self, global: &Global) -> Result<(), Failure> {
        let (pattern, events) = self.load()?;
        let explained: Vec<Explanation> =
            events.iter().map(|event| pattern.explain(event)).collect();
        let value: Vec<Value> = (1..)
            .zip(&explained)
            .map(|(n, e)| explanation_json(n, e))
            .collect();
        global.output.print(&value, |_| {
            let shown: Vec<String> = (1..)
                .zip(&explained)
                .map(|(n, e)| explanation_table(n, e))
                .collect();
            shown.join("\n\n")
        });
        let verdicts: Vec<bool> = explained.iter().map(Explanation::matches).collect();
        verdict(&verdicts)
    }
}

fn verdict(verdicts: &[bool]) -> Result<(), Failure> {
    match verdicts.iter().filter(|matches| !**matches).count() {
        0 => Ok(()),
        n => Err(Failure::Check(format!(
            "{n} of {} event(s) do not match",
            verdicts.len()
        ))),
    }
}

fn explanation_json(event: usize, explanation: &Explanation) -> Value {
    let field = |field: &Field| {
        let seen = field
            .seen()
            .iter()
            .map(|seen| json!({"json": seen.json(), "accepted": seen.accepted()}));
        json!({
            "path": field.path(),
            "matches": field.matches(),
            "stop": field.stop().map(|stop| stop.name()),
            "wanted": field.wanted(),
            "seen": seen.collect::<Vec<_>>(),
            "seen_total": field.seen_total(),
        })
    };
    let combination = |combination: &Combination| {
        let fields: Vec<Value> = combination.fields().iter().map(field).collect();
        json!({"matches": combination.matches(), "fields": fields})
    };
    let combinations: Vec<Value> = explanation.combinations().iter().map(combination).collect();
    json!({"event": event, "matches": explanation.matches(), "combinations": combinations})
}

fn explanation_table(event: usize, explanation: &Explanation) -> String {
    let row = |field: &Field| {
        let verdict = field
            .stop()
            .map_or("matches".to_owned(), |stop| stop.to_string());
        let mut seen: Vec<&str> = field
            .seen()
            .iter()
            .take(5)
            .map(|seen| seen.json())
            .collect();
        if field.seen_total() > seen.len() {
            seen.push("…");
        }
        vec![
            field.path().to_owned(),
            verdict,
            field.wanted().to_owned(),
            seen.join(", "),
        ]
    };
    let word = if explanation.matches() {
        "matches"
    } else {
        "does not match"
    };
    let several = match explanation.combinations().len() {
        1 => String::new(),
        n => format!("; the nearest of {n} combinations:"),
    };
    let fields = explanation.nearest().map_or(&[][..], Combination::fields);
    let fields = table(
        &["field", "verdict", "wanted", "seen"],
        fields.iter().map(row),
    );
    format!("event {event} {word}{several}\n{fields}")
}

fn run_lint(files: &[PathBuf], strict: bool, global: &Global) -> Result<(), Failure> {
    refuse_second_stdin(files);
    let mut found: Vec<(String, Warning)> = Vec::new();
    for file in files {
        let pattern = parse_pattern(&read(file)?, &name(file))?;
        found.extend(
            lint(&pattern)
                .into_iter()
                .map(|warning| (name(file), warning)),
        );
    }
    let value: Vec<Value> = found
        .iter()
        .map(|(file, warning)| warning_json(file, warning))
        .collect();
    global.output.print(&value, |_| {
        let mut out: Vec<String> = found
            .iter()
            .map(|(file, warning)| warning_text(file, warning))
            .collect();
        out.push(format!(
            "{} pattern(s), {} warning(s)",
            files.len(),
            found.len()
        ));
        out.join("\n")
    });
    match found.len() {
        n if strict && n > 0 => Err(Failure::Check(format!("{n} warning(s)"))),
        _ => Ok(()),
    }
}

fn warning_json(file: &str, warning: &Warning) -> Value {
    let pattern = |text: &String| serde_json::from_str(text).unwrap_or(Value::Null);
    let suggestions: Vec<Value> = warning.suggestions().iter().map(pattern).collect();
    json!({
        "file": file,
        "kind": warning.kind().name(),
        "path": warning.path(),
        "message": warning.message(),
        "suggestions": suggestions,
    })
}

fn warning_text(file: &str, warning: &Warning) -> String {
    let mut out = safe(&format!("{file}: {warning}"));
    match warning.suggestions() {
        [] => {}
        [only] => out.push_str(&format!("\n  write instead:\n    {}", safe(only))),
        several => {
            out.push_str(&format!("\n  write {} rules instead:", several.len()));
            several
                .iter()
                .for_each(|pattern| out.push_str(&format!("\n    {}", safe(pattern))));
        }
    }
    out
}

/// The pattern in a text: the text itself, or the `EventPattern` of a rule, which may be JSON or JSON in a string.
fn parse_pattern(text: &str, name: &str) -> Result<Pattern, Failure> {
    #[derive(serde::Deserialize)]
    struct Rule<'a> {
        #[serde(rename = "EventPattern", borrow)]
        pattern: &'a RawValue,
    }
    let inside = serde_json::from_str::<Rule<'_>>(text).ok();
    let (pattern, place) = match inside.map(|rule| rule.pattern.get()) {
        None => (text.to_owned(), ""),
        Some(raw) => (
            serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()),
            ", in its EventPattern",
        ),
    };
    Pattern::parse(&pattern).map_err(|e| Failure::Setup(format!("{name}{place}: {e}")))
}

/// The events in a text, one after another.
fn parse_events(text: &str, name: &str) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    for raw in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let raw =
            raw.map_err(|e| Failure::Setup(format!("{name}: Event is not valid JSON: {e}")))?;
        let event = Event::parse(raw.get().as_bytes());
        let number = events.len() + 1;
        events.push(event.map_err(|e| Failure::Setup(format!("{name}: event {number}: {e}")))?);
    }
    if events.is_empty() {
        return Err(Failure::Setup(format!("{name}: there is no event in it")));
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUIREMENT: &str = r#"{
      "EventPattern": {
        "source": ["aws.config", "aws.guardduty"],
        "detail-type": ["Config Rules Compliance Change", "GuardDuty Finding"],
        "detail": {
          "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
          "severity": [7.0, 8.0, 8.5, 9.0]
        }
      },
      "Targets": [{"Arn": "arn:aws:lambda:region:account:function:SecurityAutoRemediation"}]
    }"#;

    fn refused<T>(result: Result<T, Failure>) -> (u8, String) {
        let failure = result.err().unwrap();
        (failure.code(), failure.text().to_owned())
    }

    #[test]
    fn the_pattern_of_a_rule_is_found_and_split() {
        let pattern = parse_pattern(REQUIREMENT, "rule.json").unwrap();
        let warnings = lint(&pattern);
        let first = warning_json("rule.json", warnings.first().unwrap());
        assert_eq!(first["kind"], "mixed-sources");
        assert_eq!(first["suggestions"].as_array().unwrap().len(), 2);
        let text = warning_text("rule.json", warnings.first().unwrap());
        assert!(
            text.starts_with("rule.json: mixed-sources: no event can match"),
            "{text}"
        );
        assert!(
            text.contains("write 2 rules instead:\n    {\"source\": [\"aws.guardduty\"]"),
            "{text}"
        );
    }

    #[test]
    fn a_pattern_may_be_json_in_a_string() {
        let described = r#"{"Name": "r", "EventPattern": "{\"source\": [\"aws.s3\"]}"}"#;
        let pattern = parse_pattern(described, "-").unwrap();
        assert!(pattern.matches_json(r#"{"source": "aws.s3"}"#).unwrap());
    }

    #[test]
    fn what_is_wrong_is_said_with_the_place() {
        let (code, text) = refused(parse_pattern("{\"source\":\n  \"aws.s3\"}", "p.json"));
        assert_eq!(code, 3);
        assert!(
            text.starts_with("p.json: Event pattern is not valid."),
            "{text}"
        );
        assert!(text.contains("at line 2, column 3, $.source"), "{text}");
        let (_, text) = refused(parse_pattern(r#"{"EventPattern": {"a": 1}}"#, "p.json"));
        assert!(text.starts_with("p.json, in its EventPattern: "), "{text}");
        assert_eq!(
            refused(parse_events("{} [1]", "e")),
            (3, "e: event 2: Event must be a JSON object".into())
        );
        assert_eq!(
            refused(parse_events(" ", "e")),
            (3, "e: there is no event in it".into())
        );
        assert!(refused(parse_events("{", "e")).1.contains("line 1 column"));
    }

    #[test]
    fn an_explanation_says_which_field_stopped() {
        let pattern = Pattern::parse(r#"{"a": [1], "b": [2]}"#).unwrap();
        let events = parse_events("{\"a\": 1, \"b\": 3}\n{\"a\": 1, \"b\": 2}", "e").unwrap();
        let explained: Vec<Explanation> = events.iter().map(|e| pattern.explain(e)).collect();
        let value = explanation_json(1, &explained[0]);
        assert_eq!(value["matches"], false);
        let stopped = &value["combinations"][0]["fields"][1];
        assert_eq!(stopped["stop"], "different");
        assert_eq!(stopped["seen"][0], json!({"json": "3", "accepted": false}));
        let text = explanation_table(1, &explained[0]);
        assert!(text.starts_with("event 1 does not match\n"), "{text}");
        assert!(text.contains("no value of it is wanted"), "{text}");
        assert!(explanation_table(2, &explained[1]).starts_with("event 2 matches\n"));
        assert_eq!(
            refused(verdict(&[true, false])),
            (1, "1 of 2 event(s) do not match".into())
        );
    }
}
