//! Sigma rules (specification 2.x), compiled by rsigma's stateless half.
//!
//! Sigma's CloudTrail field names are the record's own, so a rule runs on the record as sent; a dotted path goes
//! through arrays.

use quell_model::{Diagnostic, Severity, nearest};
use rsigma_eval::{CompiledRule, compile_rule};
use rsigma_parser::{Level, SigmaRule, parse_sigma_yaml};

use crate::content::{DetectionFile, PLAYBOOK, SIGMA_KEYS, playbook, unknown_keys};
use crate::engine::{Detection, Matcher};
use crate::limits::{rule_fault, text_fault};
use crate::meaning::put_right;
use crate::rule::Rule;

/// The top-level keys of a Sigma rule.
fn known_keys() -> Vec<&'static str> {
    [SIGMA_KEYS, &["logsource", "detection"]].concat()
}

pub(crate) fn load(id: &str, file: &DetectionFile) -> Result<Detection, Vec<Diagnostic>> {
    let rule = parse(file).map_err(|fault| vec![fault])?;
    let mut faults = unknown_keys(
        file,
        rule.custom_attributes.keys().map(String::as_str),
        &known_keys(),
    );
    if rule.logsource.service.as_deref() != Some("cloudtrail") {
        faults.push(
            Diagnostic::new(&file.path, "the logsource is not one that Quell collects")
                .at("/logsource")
                .help("product: aws, service: cloudtrail"),
        );
    }
    let severity = severity(rule.level, file).map_err(|f| faults.push(f));
    let named = rule.custom_attributes.get(PLAYBOOK);
    let named = named.map(|value| value.as_str().unwrap_or("a value that is no text"));
    let playbook = playbook(file, named)
        .map_err(|f| faults.push(f))
        .unwrap_or_default();
    match (compile(&rule, file), severity) {
        (Ok(compiled), Ok(severity)) if faults.is_empty() => Ok(Detection {
            id: id.to_owned(),
            title: rule.title.clone(),
            severity,
            attack: attack(&rule.tags),
            playbook,
            names: rule.id.iter().chain(&rule.name).cloned().collect(),
            matcher: Matcher::Sigma(Box::new(Rule::new(compiled))),
        }),
        (Err(fault), _) => {
            faults.push(fault);
            Err(faults)
        }
        _ => Err(faults),
    }
}

/// Compiles a rule by Sigma's meaning and within the limits.
pub(crate) fn compile(rule: &SigmaRule, file: &DetectionFile) -> Result<CompiledRule, Diagnostic> {
    let mut right = rule.clone();
    put_right(&mut right);
    if let Some(fault) = rule_fault(&right, &file.path) {
        return Err(fault);
    }
    compile_rule(&right).map_err(|e| misspelt(file, rule, &e.to_string()))
}

/// The one rule of a file.
pub(crate) fn parse(file: &DetectionFile) -> Result<SigmaRule, Diagnostic> {
    if let Some(message) = text_fault(&file.text) {
        return Err(Diagnostic::new(&file.path, message));
    }
    let mut collection =
        parse_sigma_yaml(&file.text).map_err(|e| Diagnostic::new(&file.path, e.to_string()))?;
    if let Some(error) = collection.errors.first() {
        return Err(Diagnostic::new(&file.path, error.clone())
            .help(format!("a rule's keys are: {}", known_keys().join(", "))));
    }
    match (collection.rules.pop(), collection.rules.is_empty()) {
        (Some(rule), true) => Ok(rule),
        _ => Err(Diagnostic::new(&file.path, "a file holds exactly one rule")),
    }
}

/// What the compiler says of a rule, with the line of the word it names and the selection that was perhaps meant.
fn misspelt(file: &DetectionFile, rule: &SigmaRule, message: &str) -> Diagnostic {
    let fault = Diagnostic::new(&file.path, message).at("/detection");
    let Some((_, word)) = message.rsplit_once(": ") else {
        return fault;
    };
    let line = file
        .text
        .lines()
        .position(|l| l.contains(word))
        .map(|n| n + 1);
    let fault = fault.at_line(line);
    match nearest(word, rule.detection.named.keys().map(String::as_str)) {
        Some(meant) => fault.help(format!("did you mean «{meant}»?")),
        None => fault,
    }
}

pub(crate) fn severity(level: Option<Level>, file: &DetectionFile) -> Result<Severity, Diagnostic> {
    match level {
        Some(Level::Informational) => Ok(Severity::Informational),
        Some(Level::Low) => Ok(Severity::Low),
        Some(Level::Medium) => Ok(Severity::Medium),
        Some(Level::High) => Ok(Severity::High),
        Some(Level::Critical) => Ok(Severity::Critical),
        None => Err(Diagnostic::new(&file.path, "the rule has no level")
            .help("level: informational, low, medium, high or critical")),
    }
}

/// `attack.t1562.007` → `T1562.007`.
pub(crate) fn attack(tags: &[String]) -> Vec<String> {
    tags.iter()
        .filter_map(|tag| tag.strip_prefix("attack.t"))
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .map(|rest| format!("T{rest}"))
        .collect()
}
