//! From a file to a baseline: `NAME.baseline.yml` is a Sigma rule, which says what records it is about, and a section `baseline`.

use quell_model::Diagnostic;
use serde::Deserialize;
use yaml_serde::Value;

use super::{Baseline, Field, Kind, Learn, Measure, Scope};
use crate::content::DetectionFile;
use crate::engine::Matcher;
use crate::limits::text_fault;
use crate::program::{Check, Compiler};
use crate::sigma;

/// Findings of together-new values name all of them.
const FIELDS_MAX: usize = 4;
/// Nobody waits longer for a baseline; what is older is forgotten anyway.
const LEARN_DAYS_MAX: u32 = 56;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Section {
    FirstSeen {
        fields: Vec<Field>,
        #[serde(default, rename = "new-to")]
        scope: Scope,
        learn: Learn,
    },
    Rare {
        field: Field,
        surprise: f64,
        learn: Learn,
    },
    Rate {
        measure: Measure,
        surprise: f64,
        #[serde(rename = "at-least")]
        at_least: u32,
        learn: Learn,
    },
}

pub(super) fn load(id: &str, file: &DetectionFile) -> Result<Baseline, Vec<Diagnostic>> {
    let fault = |message: String| Diagnostic::new(&file.path, message);
    if let Some(message) = text_fault(&file.text) {
        return Err(vec![fault(message)]);
    }
    let (rule, section) = parts(&file.text);
    let line = file.text.lines().position(|l| l.starts_with("baseline:"));
    let here = |message: String| fault(message).at_line(line.map(|n| n + 1)).at("/baseline");
    let mut faults = Vec::new();
    let rule = DetectionFile {
        path: file.path.clone(),
        text: rule,
    };
    let detection = sigma::load(id, &rule).map_err(|mut more| faults.append(&mut more));
    let value = yaml_serde::from_str::<Value>(&section).ok();
    let section = value.and_then(|mut value| value.get_mut("baseline").map(std::mem::take));
    let section = section.ok_or_else(|| here("there is no section «baseline»".to_owned()));
    let section = section.and_then(|section| {
        yaml_serde::from_value::<Section>(section)
            .map_err(|e| here(e.to_string()).help("docs/baselines.md has the kinds and their keys"))
    });
    let checked =
        section.and_then(|section| check(section).map_err(|message| here(message.to_owned())));
    match (detection, checked) {
        (Ok(detection), Ok((kind, learn))) => {
            let mut compiler = Compiler::default();
            let check = match &detection.matcher {
                Matcher::Sigma(rule) => compiler.check(rule.condition()),
                // Its file is a Sigma rule: this is never so.
                Matcher::Pattern(_) => Check::Any(Vec::new()),
            };
            Ok(Baseline {
                program: compiler.program(),
                check,
                detection,
                kind,
                learn,
            })
        }
        (_, Err(fault)) => {
            faults.push(fault);
            Err(faults)
        }
        _ => Err(faults),
    }
}

/// The text without the section, and the section alone, each on the lines that it has in the file.
fn parts(text: &str) -> (String, String) {
    let (mut rule, mut section, mut inside) = (String::new(), String::new(), false);
    for line in text.lines() {
        if line.starts_with(|c: char| !c.is_whitespace() && c != '#') {
            inside = line.starts_with("baseline:");
        }
        let (this, other) = if inside {
            (&mut section, &mut rule)
        } else {
            (&mut rule, &mut section)
        };
        this.push_str(line);
        this.push('\n');
        other.push('\n');
    }
    (rule, section)
}

fn check(section: Section) -> Result<(Kind, Learn), &'static str> {
    let (kind, learn) = match section {
        Section::FirstSeen {
            fields,
            scope,
            learn,
        } => {
            let role = fields.contains(&Field::SourceAccount);
            if fields.is_empty() || fields.len() > FIELDS_MAX {
                return Err("a baseline has one to four fields");
            }
            if role && fields.len() > 1 {
                return Err(
                    "source-account is of a role, the other fields are of a principal: they have no baseline together",
                );
            }
            (Kind::FirstSeen { fields, scope }, learn)
        }
        Section::Rare {
            field,
            surprise,
            learn,
        } => (Kind::Rare { field, surprise }, learn),
        Section::Rate {
            measure,
            surprise,
            at_least,
            learn,
        } => (
            Kind::Rate {
                measure,
                surprise,
                at_least,
            },
            learn,
        ),
    };
    if let Kind::Rare { surprise, .. } | Kind::Rate { surprise, .. } = kind
        && !(surprise.is_finite() && surprise >= 1.0)
    {
        return Err("surprise is −ln p, at least 1: 7 is one in a thousand, 14 one in a million");
    }
    if learn.days == 0 || learn.days > LEARN_DAYS_MAX || learn.calls == 0 {
        return Err("it learns 1 to 56 days and at least one call");
    }
    Ok((kind, learn))
}
