//! Findings of AWS's own detectors.
//!
//! A record is a finding, or holds several; each is read alone, so that a broken one is named with its place and stops no
//! other. What a product says is believed as far as AWS wrote it. Names, descriptions, tags and user agents may be an
//! attacker's: they are cut, put on one line and shown, and nothing is decided by them. A finding is about a resource of its
//! own account or about the account.

mod about;
mod access_analyzer;
mod asff;
mod config;
mod draft;
pub mod facts;
mod guardduty;
mod health;
mod inspector;
mod look;
mod macie;
mod ocsf;
mod source;
mod types;
mod weakness;

pub use facts::Facts;
pub use source::Source;
pub use types::{GuardDutyType, GuardDutyTypes, Outsider};

use std::cmp::Ordering;

use quell_model::{Finding, Record, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;

use draft::Draft;

/// Security Hub sends a hundred at most; who sends more sends no event of AWS's.
pub const FINDINGS_MAX: usize = 1_000;

/// Why a finding cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FindingError {
    /// A number or a text that no program reads.
    #[error("it cannot be read: {0}")]
    Form(#[from] serde_json::Error),
    /// A field that has to be there is not, or is empty, or is no text.
    #[error("it has no «{field}»")]
    Missing {
        /// The field, as a pointer into the finding.
        field: &'static str,
    },
    /// A field has a value that it cannot have.
    #[error("its {field} «{text}» is not {wanted}")]
    Value {
        /// The field.
        field: &'static str,
        /// The beginning of its value.
        text: String,
        /// What it should be.
        wanted: &'static str,
    },
}

/// A finding of another product.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    /// As every room knows it.
    pub finding: Finding,
    /// What is only written to OCSF.
    pub facts: Facts,
}

/// What a record of findings holds.
#[derive(Debug, Default)]
pub struct Findings {
    /// Those that can be read, in order.
    pub found: Vec<Reported>,
    /// Those that cannot: place and reason.
    pub faults: Vec<String>,
}

impl Findings {
    /// Notes a fault. What the reader of JSON says quotes what was sent, which may be long: it is cut.
    fn fault(&mut self, place: &str, error: &FindingError) {
        let said = look::plain(&error.to_string(), FAULT_CHARS_MAX);
        self.faults.push(format!("{place}: {said}"));
    }
}

/// A fault is for people to read.
const FAULT_CHARS_MAX: usize = 300;

/// Reads the findings of a record, which [`Source::of`] says is one of `source`. `now` is when they are made.
pub fn findings(
    record: &Record,
    source: Source,
    types: &GuardDutyTypes,
    now: Timestamp,
) -> Findings {
    let mut out = Findings::default();
    let texts = match parts(record, source) {
        Ok(texts) => texts,
        Err(error) => {
            out.fault("the findings", &error);
            return out;
        }
    };
    if texts.is_empty() {
        out.faults.push("findings: there are none".to_owned());
    }
    let count = texts.len();
    for (at, text) in texts.into_iter().take(FINDINGS_MAX).enumerate() {
        let read = serde_json::from_str::<Value>(text.get())
            .map_err(FindingError::from)
            .and_then(|value| draft(&value, source, record.envelope.as_ref(), types));
        match read {
            Ok(draft) => out.found.push(draft.into_reported(record, now)),
            Err(error) if source.is_list() => out.fault(&format!("findings[{at}]"), &error),
            Err(error) => out.fault("the finding", &error),
        }
    }
    if count > FINDINGS_MAX {
        let fault =
            format!("findings[{FINDINGS_MAX}] and what follows: {FINDINGS_MAX} are read at most");
        out.faults.push(fault);
    }
    out
}

/// The findings of a record, each as it was sent.
fn parts(record: &Record, source: Source) -> Result<Vec<&RawValue>, FindingError> {
    #[derive(serde::Deserialize)]
    struct List<'a> {
        #[serde(borrow, alias = "Findings")]
        findings: Option<Vec<&'a RawValue>>,
    }
    if source.is_list() {
        let list: List<'_> = serde_json::from_str(record.body.get())?;
        if let Some(findings) = list.findings {
            return Ok(findings);
        }
    }
    // A finding alone, as products write them to files.
    Ok(vec![&record.body])
}

fn draft(
    value: &Value,
    source: Source,
    envelope: Option<&Value>,
    types: &GuardDutyTypes,
) -> Result<Draft, FindingError> {
    match source {
        Source::GuardDuty => guardduty::read(value, types),
        Source::SecurityHub => asff::read(value, types),
        Source::SecurityHubV2 => ocsf::read(value, types),
        Source::Inspector => inspector::read(value, envelope),
        Source::Macie => macie::read(value),
        Source::AccessAnalyzer => access_analyzer::read(value, envelope),
        Source::Config => config::read(value),
        Source::Health => health::read(value, envelope),
    }
}

/// What is kept of a finding when it comes again: what its product said last, and when it all began.
///
/// The order in which the two came does not matter, nor how often.
#[must_use]
pub fn newer(old: Finding, new: Finding) -> Finding {
    let first_event_time = old.first_event_time.min(new.first_event_time);
    let detected_at = old.detected_at.min(new.detected_at);
    let [old, new] = [old, new].map(|finding| Finding {
        first_event_time,
        detected_at,
        ..finding
    });
    // Of two that were said at one moment the one that says more stands, then any, but always the same one.
    let said = |finding: &Finding| {
        let report = finding.report.as_ref();
        let report = report.map(|report| (report.updated_at, report.state));
        (report, finding.event_time, finding.record_count)
    };
    let order = said(&old).cmp(&said(&new));
    match order.then_with(|| text_of(&old).cmp(&text_of(&new))) {
        Ordering::Greater => old,
        Ordering::Less | Ordering::Equal => new,
    }
}

fn text_of(finding: &Finding) -> String {
    serde_json::to_string(finding).unwrap_or_default()
}

#[cfg(test)]
mod tests;
