//! Content: what is built in, or a folder of the same form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use include_dir::{Dir, include_dir};
use quell_aws::{registry, sdk_service};
use quell_detect::baseline::{Baselines, HashKey};
use quell_detect::network::Network;
use quell_detect::{DetectionFile, Engine, Language};
use quell_guard::action_group;
use quell_model::{Class, Diagnostic, Finding};
use quell_normalize::finding::{GuardDutyType, GuardDutyTypes};
use quell_policy::{Action, PolicyFile, PolicySet, Vocabulary};
use quell_respond::{Playbook, Subject, document_fault};
use quell_states::{DiagnosticCode, lint};
use quell_triage::{Answered, Trouble};

use crate::catalog::Models;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../content");

/// Detections, playbooks and tables, checked, and the faults of those that are not right.
#[derive(Debug)]
pub struct Content {
    /// All detections over single records, and correlations of them.
    pub engine: Engine,
    /// All baselines. Their key is nobody's secret yet: [`Baselines::with_key`] gives them one.
    pub baselines: Baselines,
    /// All detections over network logs.
    pub network: Network,
    /// Which playbooks answer which of them, and which of GuardDuty's types.
    answers: BTreeMap<String, Vec<String>>,
    /// The categories of what playbooks answer, also of those that are not there.
    categories: BTreeMap<String, String>,
    /// All playbooks, by id.
    pub playbooks: BTreeMap<String, Playbook>,
    /// What playbooks may change, where.
    pub policies: PolicySet,
    /// The actions that policies can name.
    pub actions: BTreeSet<Action>,
    /// The known types of GuardDuty findings.
    pub guardduty: GuardDutyTypes,
    /// What is wrong with the rest. It stops nothing else.
    pub faults: Vec<Diagnostic>,
}

/// Files by path below the content folder.
type Files = BTreeMap<String, String>;

/// The doubts about a document that no playbook may leave open.
const UNKNOWN: [DiagnosticCode; 2] = [
    DiagnosticCode::UnknownAction,
    DiagnosticCode::UnknownParameter,
];

/// The folder of policies.
const POLICIES: &str = "policies/";

/// A content file is never larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl Content {
    /// Reads the built-in content, or the folder's instead.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn load(folder: Option<&Path>) -> std::io::Result<Content> {
        let mut faults = Vec::new();
        let files = match folder {
            Some(folder) => read_folder(folder, &mut faults)?,
            None => built_in(),
        };
        let detections: Vec<DetectionFile> = files
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix("detections/")?, text)))
            .filter(|(path, _)| Language::of(path).is_some())
            .map(|(path, text)| DetectionFile {
                path: path.to_owned(),
                text: text.clone(),
            })
            .collect();
        let (engine, mut more) = Engine::load(&detections);
        let (network, of_network) = Network::load(&detections);
        more.extend(of_network);
        let from_content = |fault: Diagnostic| Diagnostic {
            file: format!("detections/{}", fault.file),
            ..fault
        };
        let (baselines, of_baselines) = Baselines::load(&detections, HashKey::new([0; 16]));
        faults.extend(more.into_iter().chain(of_baselines).map(from_content));
        let mut playbooks = BTreeMap::new();
        for (id, files) in folders(&files, "playbooks/") {
            let folder = format!("playbooks/{id}");
            let mut unknown = unknown_calls(&folder, &files);
            match Playbook::load(&folder, &files) {
                Ok(playbook) if unknown.is_empty() => {
                    playbooks.insert(playbook.id.clone(), playbook);
                }
                Ok(_) => {}
                Err(mut more) => faults.append(&mut more),
            }
            faults.append(&mut unknown);
        }
        let guardduty = guardduty_types(&files, &mut faults);
        let actions = declared_actions(&playbooks);
        let policies = policies(&files, &actions, &mut faults);
        Ok(Content {
            policies,
            actions,
            answers: answers(&engine, &network, &guardduty),
            categories: categories(&files, &mut faults),
            engine,
            baselines,
            network,
            playbooks,
            guardduty,
            faults,
        })
    }

    /// The playbook that a finding starts: one that its detection names and that is for what the finding is about. A call that
    /// failed is about its caller, whom no playbook for a resource may touch.
    pub fn playbook_for(&self, finding: &Finding) -> Option<&Playbook> {
        let named = self.answers.get(&finding.detection)?.iter();
        let mut playbooks = named.filter_map(|id| self.playbooks.get(id));
        playbooks.find(|playbook| playbook.target(finding).is_some())
    }

    /// What kind of trouble findings of one record are, for which `playbook` begins, if one does: its category, else that of the
    /// playbook which the worst finding's detection names, whether there is one or not.
    pub fn trouble<'a>(
        &'a self,
        playbook: Option<&'a Playbook>,
        findings: impl Iterator<Item = &'a Finding>,
    ) -> Trouble<'a> {
        let worst = findings.max_by_key(|finding| finding.severity);
        // An update may change the severity of what another product says, and is to stay in its incident.
        let reported = worst.filter(|finding| finding.report.is_some());
        let grouping = playbook.or_else(|| self.for_any_severity(reported?));
        let answered = match grouping.map(|playbook| playbook.subject) {
            Some(Subject::Resource) => Answered::Resource,
            Some(Subject::Principal) => Answered::Principal,
            None => Answered::No,
        };
        let named = worst.and_then(|finding| self.answers.get(&finding.detection));
        let mut named = named.into_iter().flatten();
        let category = grouping.map(|playbook| &playbook.category);
        let category = category.or_else(|| named.find_map(|id| self.categories.get(id)));
        Trouble {
            category: category.map_or("Unauthorized Access", String::as_str),
            answered,
            begins: playbook.is_some(),
        }
    }

    /// The playbook that a finding would start if it were bad enough.
    fn for_any_severity(&self, finding: &Finding) -> Option<&Playbook> {
        let named = self.answers.get(&finding.detection)?.iter();
        let mut playbooks = named.filter_map(|id| self.playbooks.get(id));
        playbooks.find(|playbook| playbook.is_for(&finding.resource.kind))
    }

    /// The ids of everything that makes findings.
    pub fn detection_ids(&self) -> Vec<&str> {
        let single = self.engine.detections().iter().map(|d| d.id.as_str());
        let several = self.engine.correlations().iter().map(|c| c.id.as_str());
        let of_lines = self.network.detections().into_iter().map(|d| d.id.as_str());
        let usual = self.baselines.all().iter().map(|b| b.id());
        let others = self.answers.keys().map(String::as_str);
        let all = single
            .chain(several)
            .chain(of_lines)
            .chain(usual)
            .chain(others);
        all.collect()
    }

    /// Whether a detection names a playbook.
    pub fn names(&self, detection: &str, playbook: &str) -> bool {
        let named = self.answers.get(detection);
        named.is_some_and(|ids| ids.iter().any(|id| id == playbook))
    }

    /// The detections that a playbook answers.
    pub fn detections_of(&self, playbook: &str) -> Vec<&str> {
        let names = |ids: &[String]| ids.iter().any(|id| id == playbook);
        let answered = self.answers.iter().filter(|(_, ids)| names(ids));
        answered.map(|(detection, _)| detection.as_str()).collect()
    }
}

const CATEGORIES: &str = "categories.toml";

/// The table of categories; none when there is no file, or one with a fault.
fn categories(files: &Files, faults: &mut Vec<Diagnostic>) -> BTreeMap<String, String> {
    let Some(text) = files.get(CATEGORIES) else {
        return BTreeMap::new();
    };
    toml::from_str(text).unwrap_or_else(|error: toml::de::Error| {
        faults.push(Diagnostic::new(CATEGORIES, error.message()));
        BTreeMap::new()
    })
}

/// The calls that playbooks declare and that change something.
fn declared_actions(playbooks: &BTreeMap<String, Playbook>) -> BTreeSet<Action> {
    let steps = playbooks.values().flat_map(|playbook| &playbook.steps);
    steps
        .filter(|step| step.class > Class::R0)
        .map(|step| Action::new(&step.service, &step.operation))
        .collect()
}

/// The policies of the content. A playbook whose files have a fault may still be named in one, and a call that only it declares
/// when AWS has it: one bad file stops no other.
fn policies(files: &Files, actions: &BTreeSet<Action>, faults: &mut Vec<Diagnostic>) -> PolicySet {
    let in_folder = files
        .iter()
        .filter(|(path, _)| path.starts_with(POLICIES) && path.ends_with(".cedar"));
    let of_policies: Vec<PolicyFile> = in_folder
        .map(|(path, text)| PolicyFile {
            path: path.clone(),
            text: text.clone(),
        })
        .collect();
    let vocabulary = Vocabulary {
        playbooks: folders(files, "playbooks/").into_keys().collect(),
        actions: actions.clone(),
    };
    if of_policies.is_empty() && !vocabulary.playbooks.is_empty() {
        let fault = Diagnostic::new(
            "policies",
            "there is no policy, and so no change is permitted",
        );
        faults.push(fault.help("copy content/policies of Quell's source into the content folder; docs/policies.md says what a policy is"));
    }
    let unread = faults.iter().find(|fault| fault.file.starts_with(POLICIES));
    let unread = unread.map(|fault| {
        format!("there is a fault in the policies, and so nothing is permitted: {fault}")
    });
    let (policies, more) = PolicySet::load(&of_policies, &vocabulary, &is_call);
    faults.extend(more);
    match unread {
        Some(_) => PolicySet::forbidding(unread),
        None => policies,
    }
}

/// Whether there is such a call: one of AWS's, or a message.
fn is_call(action: &Action) -> bool {
    let Action { service, operation } = action;
    let model = registry::service(sdk_service(service)).ok();
    model.is_some_and(|model| model.operations.contains_key(operation))
        || action_group(service, operation) == "messages"
}

const GUARDDUTY_TYPES: &str = "guardduty/types.toml";

/// The table of GuardDuty's types. A folder without one knows none: then every type counts as unknown. So does a table with a
/// fault, which would otherwise say of a type that no outsider can cause it, and be wrong.
fn guardduty_types(files: &Files, faults: &mut Vec<Diagnostic>) -> GuardDutyTypes {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        types: Vec<GuardDutyType>,
    }
    let Some(text) = files.get(GUARDDUTY_TYPES) else {
        return GuardDutyTypes::default();
    };
    let table: Table = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| before.matches('\n').count() + 1);
            let fault = Diagnostic::new(GUARDDUTY_TYPES, error.message()).at_line(line);
            faults.push(fault.help("content/guardduty/types.toml says what a row has"));
            return GuardDutyTypes::default();
        }
    };
    GuardDutyTypes::new(table.types).unwrap_or_else(|wrong| {
        let fault = |(row, fault): (usize, String)| {
            Diagnostic::new(GUARDDUTY_TYPES, fault).at(format!("/types/{row}"))
        };
        faults.extend(wrong.into_iter().map(fault));
        GuardDutyTypes::default()
    })
}

/// Calls in the documents of a playbook that AWS does not have: they would only fail when the playbook is needed.
fn unknown_calls(folder: &str, files: &Files) -> Vec<Diagnostic> {
    let documents = files.iter().filter(|(name, _)| name.ends_with(".asl.json"));
    let found = documents.flat_map(|(name, text)| {
        let found = lint(text, Some(&Models)).into_iter();
        found
            .filter(|found| UNKNOWN.contains(&found.code))
            .map(move |found| document_fault(&format!("{folder}/{name}"), found))
    });
    found.collect()
}

/// Which playbooks answer what is detected: a detection or correlation names one, a type of GuardDuty's those of its row.
fn answers(
    engine: &Engine,
    network: &Network,
    guardduty: &GuardDutyTypes,
) -> BTreeMap<String, Vec<String>> {
    let single = engine.detections().iter().map(|d| (&d.id, &d.playbook));
    let several = engine.correlations().iter().map(|c| (&c.id, &c.playbook));
    let of_lines = network.detections().into_iter();
    let named = single
        .chain(several)
        .chain(of_lines.map(|d| (&d.id, &d.playbook)));
    let named = named.filter_map(|(id, playbook)| Some((id.clone(), vec![playbook.clone()?])));
    let types = guardduty.iter();
    let types = types.map(|row| (format!("guardduty/{}", row.kind), row.playbooks.clone()));
    named.chain(types).collect()
}

fn folders(files: &Files, prefix: &str) -> BTreeMap<String, Files> {
    let mut out: BTreeMap<String, Files> = BTreeMap::new();
    for (path, text) in files {
        if let Some((folder, name)) = path
            .strip_prefix(prefix)
            .and_then(|rest| rest.split_once('/'))
        {
            out.entry(folder.to_owned())
                .or_default()
                .insert(name.to_owned(), text.clone());
        }
    }
    out
}

fn built_in() -> Files {
    fn walk(dir: &'static Dir<'static>, out: &mut Files) {
        for file in dir.files() {
            if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
                out.insert(path.to_owned(), text.to_owned());
            }
        }
        for dir in dir.dirs() {
            walk(dir, out);
        }
    }
    let mut out = Files::new();
    walk(&BUILT_IN, &mut out);
    out
}

fn read_folder(root: &Path, faults: &mut Vec<Diagnostic>) -> std::io::Result<Files> {
    let mut out = Files::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() && entry.metadata()?.len() <= FILE_BYTES_MAX {
                match std::fs::read_to_string(&path) {
                    Ok(text) => drop(out.insert(name, text)),
                    Err(e) => faults.push(Diagnostic::new(name, e.to_string())),
                }
            } else if name.starts_with(POLICIES) {
                // A policy that is passed over forbids nothing, and nobody would notice.
                let fault = "it is no plain file of at most 1 MiB, and is not read";
                faults.push(Diagnostic::new(name, fault));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
