//! The forms a detection is written in.

use quell_model::{Diagnostic, Severity, nearest};
use quell_pattern::Pattern;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::engine::{Detection, EventPattern, Matcher};
use crate::envelope::inside;
use crate::sigma;

/// Which language a detection file is written in; the ending says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `….yml`: a Sigma rule, over the record itself.
    Sigma,
    /// `….correlation.yml`: a Sigma correlation of rules, over the hits of several records.
    Correlation,
    /// `….network.yml`: from when on one of the detectors over network logs fires.
    Network,
    /// `….pattern.json`: an EventBridge event pattern, over the event with its envelope.
    Pattern,
}

impl Language {
    /// The language and the id of a detection file: its path without `.yml` or `.json`, so that a rule and a pattern
    /// of one name stay two detections (`…/name`, `…/name.pattern`, `…/name.correlation`, `…/name.network`). `None` for other files.
    pub fn of(path: &str) -> Option<(Language, &str)> {
        if let Some(id) = path.strip_suffix(".yml") {
            if id.ends_with(".correlation") {
                return Some((Language::Correlation, id));
            }
            if id.ends_with(".network") {
                return Some((Language::Network, id));
            }
            return Some((Language::Sigma, id));
        }
        let id = path.strip_suffix(".json")?;
        id.ends_with(".pattern").then_some((Language::Pattern, id))
    }
}

/// A detection as it is written.
#[derive(Clone, Debug)]
pub struct DetectionFile {
    /// Where it stands: its path under `content/detections`, which is its id and an ending.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl DetectionFile {
    /// Reads a detection of single records.
    ///
    /// # Errors
    /// All of its faults, each with its place and, where one can be offered, the mend.
    pub fn load(&self) -> Result<Detection, Vec<Diagnostic>> {
        match Language::of(&self.path) {
            Some((Language::Sigma, id)) => sigma::load(id, self),
            Some((Language::Pattern, id)) => load_pattern(id, self),
            Some((Language::Correlation, _)) => Err(vec![
                Diagnostic::new(&self.path, "a correlation is not a rule by itself")
                    .help("load it with the rules that it is of"),
            ]),
            Some((Language::Network, _)) => Err(vec![
                Diagnostic::new(&self.path, "this is not a rule over single records")
                    .help("it belongs to the detectors over network logs"),
            ]),
            None => Err(vec![
                Diagnostic::new(&self.path, "this is not a detection")
                    .help("Sigma rules end in .yml, event patterns in .pattern.json"),
            ]),
        }
    }
}

/// The file around an event pattern.
#[derive(Deserialize)]
struct PatternFile<'a> {
    title: String,
    severity: Severity,
    #[serde(default)]
    attack: Vec<String>,
    playbook: Option<String>,
    #[serde(borrow)]
    pattern: &'a RawValue,
}

const PATTERN_KEYS: &[&str] = &[
    "title",
    "severity",
    "attack",
    PLAYBOOK,
    "pattern",
    "description",
    "references",
    "falsepositives",
];

fn load_pattern(id: &str, file: &DetectionFile) -> Result<Detection, Vec<Diagnostic>> {
    let fault = |message: String| Diagnostic::new(&file.path, message);
    let keys: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(&file.text)
        .map_err(|e| vec![fault(e.to_string()).at_line(Some(e.line()))])?;
    let mut faults = unknown_keys(file, keys.keys().map(String::as_str), PATTERN_KEYS);
    let parsed = match serde_json::from_str::<PatternFile>(&file.text) {
        Ok(parsed) => parsed,
        Err(e) => {
            faults.push(fault(e.to_string()).at_line(Some(e.line())));
            return Err(faults);
        }
    };
    let playbook = playbook(file, parsed.playbook.as_deref())
        .map_err(|f| faults.push(f))
        .unwrap_or_default();
    match Pattern::parse(parsed.pattern.get()) {
        Ok(pattern) if faults.is_empty() => Ok(Detection {
            id: id.to_owned(),
            title: parsed.title,
            severity: parsed.severity,
            attack: parsed.attack,
            playbook,
            names: Vec::new(),
            matcher: Matcher::Pattern(Box::new(EventPattern {
                inside: inside(parsed.pattern.get()),
                pattern,
            })),
        }),
        Ok(_) => Err(faults),
        Err(e) => {
            faults.push(fault(e.to_string()).at("/pattern"));
            Err(faults)
        }
    }
}

/// The top-level keys that Sigma's rules and correlations share.
pub(crate) const SIGMA_KEYS: &[&str] = &[
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    // Quell's own: the specification leaves further keys to whoever reads the rule.
    PLAYBOOK,
];

/// The key that names the playbook which answers a detection.
pub(crate) const PLAYBOOK: &str = "playbook";

/// The playbook that a detection names, if it names one.
///
/// # Errors
/// A name that no playbook can have.
pub(crate) fn playbook(
    file: &DetectionFile,
    named: Option<&str>,
) -> Result<Option<String>, Diagnostic> {
    let Some(name) = named else {
        return Ok(None);
    };
    let digits = name.strip_prefix("PB-").unwrap_or_default();
    if digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Some(name.to_owned()));
    }
    let line = file.text.lines().position(|l| l.starts_with(PLAYBOOK));
    let fault = Diagnostic::new(&file.path, format!("«{name}» is no playbook's id"));
    Err(fault
        .at_line(line.map(|n| n + 1))
        .at("/playbook")
        .help("playbook: PB- and three digits"))
}

/// A fault for each key that is not known, with the nearest that is.
pub(crate) fn unknown_keys<'a>(
    file: &DetectionFile,
    keys: impl Iterator<Item = &'a str>,
    known: &[&str],
) -> Vec<Diagnostic> {
    keys.filter(|key| !known.contains(key))
        .map(|key| {
            let line = file
                .text
                .lines()
                .position(|l| l.trim_start().trim_start_matches('"').starts_with(key));
            let fault = Diagnostic::new(&file.path, format!("unknown key «{key}»"))
                .at_line(line.map(|n| n + 1));
            match nearest(key, known.iter().copied()) {
                Some(meant) => fault.help(format!("did you mean «{meant}»?")),
                None => fault.help(format!("known keys: {}", known.join(", "))),
            }
        })
        .collect()
}
