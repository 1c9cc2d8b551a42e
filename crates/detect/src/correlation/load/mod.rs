//! From a file to a correlation: `NAME.correlation.yml` has one, and perhaps base rules of its own in further documents.

mod condition;
mod document;

use std::collections::BTreeMap;

use quell_model::{Diagnostic, nearest, sha256_hex};
use rsigma_parser::{CorrelationCondition, CorrelationRule};
use yaml_serde::Value;

use self::document::{documents, key_faults, line_of, parse};
use super::{Base, Correlation};
use crate::content::{DetectionFile, PLAYBOOK, playbook};
use crate::engine::Detection;
use crate::limits::text_fault;
use crate::sigma;

/// A rule has a bit of a hit for each of its base rules.
const BASES_MAX: usize = 64;
/// A correlation and all of its base rules.
const DOCUMENTS_MAX: usize = 1 + BASES_MAX;
const GROUP_FIELDS_MAX: usize = 8;
/// Hits are kept as long as a window is.
const SPAN_SECONDS_MAX: u64 = 31 * 24 * 60 * 60;
/// So many digits tell the texts that a rule had from each other.
const MEMORY_DIGITS: usize = 16;

/// A correlation whose base rules have not been looked up.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) id: String,
    /// Its document, on the lines that it has in the file.
    document: DetectionFile,
    rule: CorrelationRule,
    /// Whether it says what its condition is: rsigma has the same word for a temporal rule that does not.
    conditional: bool,
    /// The playbook that it names.
    playbook: Option<String>,
    /// The base rules of the file.
    pub(crate) bases: Vec<Detection>,
}

/// Where the engine's detections are, by id and by name.
pub(crate) struct Names<'a> {
    /// Those of the same file.
    pub(crate) own: &'a BTreeMap<String, usize>,
    /// Those of all files; more than one when a name is used twice.
    pub(crate) all: &'a BTreeMap<String, Vec<usize>>,
    /// What correlations are called.
    pub(crate) correlations: &'a [String],
}

impl Draft {
    pub(crate) fn load(id: &str, file: &DetectionFile) -> Result<Draft, Vec<Diagnostic>> {
        let fault = |message: String| Err(vec![Diagnostic::new(&file.path, message)]);
        let documents = documents(file, DOCUMENTS_MAX);
        if documents.len() > DOCUMENTS_MAX {
            return fault(format!("a file holds at most {DOCUMENTS_MAX} documents"));
        }
        if let Some(message) = documents.iter().find_map(|d| text_fault(&d.text)) {
            return fault(message);
        }
        let mut faults = Vec::new();
        let (mut bases, mut found) = (Vec::new(), Vec::new());
        for document in documents {
            match yaml_serde::from_str::<Value>(&document.text) {
                Ok(value) if value.get("correlation").is_some() => found.push((document, value)),
                Ok(value) => {
                    let name = value
                        .get("name")
                        .or(value.get("id"))
                        .and_then(Value::as_str);
                    let id = format!("{id}#{}", name.unwrap_or("base"));
                    match sigma::load(&id, &document) {
                        Ok(base) => bases.push(base),
                        Err(mut more) => faults.append(&mut more),
                    }
                }
                Err(error) => {
                    let line = error.location().map(|l| l.line());
                    faults.push(Diagnostic::new(&file.path, error.to_string()).at_line(line));
                }
            }
        }
        let (Some((document, value)), true) = (found.pop(), found.is_empty()) else {
            faults.push(Diagnostic::new(
                &file.path,
                "a file holds exactly one correlation",
            ));
            return Err(faults);
        };
        faults.extend(key_faults(&document, &value));
        let rule = parse(&document).map_err(|fault| faults.push(fault));
        let conditional = value
            .get("correlation")
            .and_then(|c| c.get("condition"))
            .is_some();
        let named = value.get(PLAYBOOK);
        let named = named.map(|value| value.as_str().unwrap_or("a value that is no text"));
        let playbook = playbook(&document, named)
            .map_err(|f| faults.push(f))
            .unwrap_or_default();
        match rule {
            Ok(rule) if faults.is_empty() => Ok(Draft {
                id: id.to_owned(),
                document,
                rule,
                conditional,
                playbook,
                bases,
            }),
            _ => Err(faults),
        }
    }

    /// Whether the base rules of the file fire by themselves as well.
    pub(crate) fn generates(&self) -> bool {
        self.rule.generate
    }

    fn memory(&self) -> String {
        let mut hash = sha256_hex(&self.document.text);
        hash.truncate(MEMORY_DIGITS);
        format!("{}@{hash}", self.id)
    }

    /// What it is called.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.rule.id.iter().chain(&self.rule.name)
    }

    /// Looks its base rules up.
    pub(crate) fn resolve(&self, names: &Names<'_>) -> Result<Correlation, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let rule = &self.rule;
        let mut keep =
            |result: Result<Base, Diagnostic>| result.map_err(|fault| faults.push(fault)).ok();
        let bases: Vec<Base> = rule
            .rules
            .iter()
            .filter_map(|r| keep(self.base(r, names)))
            .collect();
        let bounds = [
            (
                rule.rules.is_empty(),
                "the correlation names no rules",
                "rules",
            ),
            (
                rule.rules.len() > BASES_MAX,
                "a correlation has at most 64 base rules",
                "rules",
            ),
            (
                rule.group_by.len() > GROUP_FIELDS_MAX,
                "a correlation groups by at most 8 fields",
                "group-by",
            ),
            (
                rule.timespan.seconds == 0,
                "the timespan is nothing",
                "timespan",
            ),
            (
                rule.timespan.seconds > SPAN_SECONDS_MAX,
                "a timespan is at most 31 days",
                "timespan",
            ),
        ];
        let broken = bounds.into_iter().filter(|(broken, ..)| *broken);
        faults.extend(broken.map(|(_, message, key)| self.fault(message, &format!("{key}:"))));
        let severity = sigma::severity(rule.level, &self.document)
            .map_err(|f| faults.push(f))
            .ok();
        let kind = self.kind().map_err(|f| faults.push(f)).ok();
        match (severity, kind) {
            (Some(severity), Some(kind)) if faults.is_empty() => Ok(Correlation {
                id: self.id.clone(),
                title: rule.title.clone(),
                severity,
                attack: sigma::attack(&rule.tags),
                playbook: self.playbook.clone(),
                group_by: rule.group_by.clone(),
                memory: self.memory(),
                span_millis: i64::try_from(rule.timespan.seconds)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(1000),
                kind,
                bases,
            }),
            _ => Err(faults),
        }
    }

    fn base(&self, reference: &str, names: &Names<'_>) -> Result<Base, Diagnostic> {
        let detection = match (
            names.own.get(reference),
            names.all.get(reference).map(Vec::as_slice),
        ) {
            (Some(own), _) => *own,
            (None, Some([one])) => *one,
            (None, Some([_, ..])) => {
                let fault =
                    self.fault(format!("several rules are called «{reference}»"), reference);
                return Err(fault.help("name the one that is meant by its id"));
            }
            _ if self.names().any(|n| n == reference) => {
                return Err(self.fault("the correlation refers to itself", reference));
            }
            _ if names.correlations.iter().any(|n| n == reference) => {
                let fault = self.fault(format!("«{reference}» is a correlation"), reference);
                return Err(fault
                    .help("a correlation is of single rules: name the base rules of the other"));
            }
            _ => return Err(self.unknown(reference, names)),
        };
        let path = |field: &String| {
            let alias = self.rule.aliases.iter().find(|alias| alias.alias == *field);
            match alias.map(|alias| alias.mapping.get(reference)) {
                None => Ok(field.clone()),
                Some(Some(path)) => Ok(path.clone()),
                Some(None) => Err(self.fault(
                    format!("the alias «{field}» says nothing of the rule «{reference}»"),
                    "aliases:",
                )),
            }
        };
        Ok(Base {
            detection,
            group_by: self
                .rule
                .group_by
                .iter()
                .map(path)
                .collect::<Result<_, _>>()?,
            fields: self.fields().iter().map(path).collect::<Result<_, _>>()?,
        })
    }

    fn unknown(&self, reference: &str, names: &Names<'_>) -> Diagnostic {
        let fault = self.fault(format!("there is no rule «{reference}»"), reference);
        let all = names.own.keys().chain(names.all.keys()).map(String::as_str);
        match nearest(reference, all) {
            Some(meant) => fault.help(format!("did you mean «{meant}»?")),
            None => fault.help("a rule is named by its id or its name"),
        }
    }

    fn fields(&self) -> Vec<String> {
        match &self.rule.condition {
            CorrelationCondition::Threshold { field, .. } => field.clone().unwrap_or_default(),
            CorrelationCondition::Extended(_) => Vec::new(),
        }
    }

    fn fault(&self, message: impl Into<String>, word: &str) -> Diagnostic {
        Diagnostic::new(&self.document.path, message)
            .at_line(line_of(&self.document.text, word))
            .at("/correlation")
    }
}
