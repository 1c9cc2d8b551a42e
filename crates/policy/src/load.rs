//! Policy files, read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{
    Effect as CedarEffect, Entities, Policy, PolicyId, PolicySet as Cedar, Schema, ValidationMode,
    Validator,
};
use quell_model::{Diagnostic, nearest};

use crate::schema::{Action, schema};

/// A file of policies.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// As the user knows it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What policies may name.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The ids of the playbooks that there are.
    pub playbooks: BTreeSet<String>,
    /// The calls that they declare.
    pub actions: BTreeSet<Action>,
}

/// What a policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It permits.
    Permit,
    /// A person has to say yes first.
    Ask,
    /// It forbids, whoever says yes.
    Forbid,
}

impl Effect {
    /// The word on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Ask => "ask",
            Self::Forbid => "forbid",
        }
    }
}

/// A policy, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its `@id`.
    pub id: String,
    /// What it does.
    pub effect: Effect,
    /// Its `@reason` or `@ask`.
    pub words: String,
    /// The file.
    pub file: String,
    /// The organisational units that it names.
    pub units: Vec<String>,
    /// Its text.
    pub text: String,
}

/// Policies, checked. With a fault in any of their files they forbid everything.
#[derive(Debug)]
pub struct PolicySet {
    /// Why nothing is permitted, when a file has a fault.
    pub(crate) fault: Option<String>,
    /// The policies without those that ask.
    pub(crate) firm: Cedar,
    /// The policies that ask.
    pub(crate) asking: Cedar,
    pub(crate) schema: Option<Schema>,
    /// The actions and their groups.
    pub(crate) actions: Entities,
    pub(crate) entries: BTreeMap<String, Entry>,
    /// Whether a policy looks at organisational units.
    pub(crate) names_units: bool,
}

/// All policies together: a person can read no more, and every one of them is asked about every call.
const POLICIES_MAX: usize = 1000;
const KNOWN_ANNOTATIONS: [&str; 3] = ["id", "reason", "ask"];
const ID_CHARS_MAX: usize = 100;
const WORDS_CHARS_MAX: usize = 500;

impl PolicySet {
    /// Reads and checks policies. `exists`: whether AWS has such a call, for those that no playbook declares.
    pub fn load(
        files: &[PolicyFile],
        vocabulary: &Vocabulary,
        exists: &dyn Fn(&Action) -> bool,
    ) -> (Self, Vec<Diagnostic>) {
        let mut faults = Vec::new();
        let mut parsed = Vec::new();
        for file in files {
            match Cedar::from_str(&file.text) {
                Ok(policies) => parsed.push((file, policies)),
                Err(errors) => {
                    for error in errors.iter() {
                        faults.push(at(file, error, &error.to_string()));
                    }
                }
            }
        }
        let mut actions = vocabulary.actions.clone();
        for policy in parsed.iter().flat_map(|(_, policies)| policies.policies()) {
            let named = literals(policy, "Action");
            let named = named.iter().filter_map(|name| Action::of_name(name));
            actions.extend(named.filter(|action| exists(action)));
        }
        let mut out = Self::forbidding(None);
        match schema(&actions) {
            Ok(schema) => {
                for (file, policies) in &parsed {
                    faults.extend(validate(file, policies, &schema));
                }
                out.actions = schema
                    .action_entities()
                    .unwrap_or_else(|_| Entities::empty());
                out.schema = Some(schema);
            }
            Err(error) => faults.push(Diagnostic::new("policies/schema.cedarschema", error)),
        }
        for (file, policies) in &parsed {
            out.take(file, policies, vocabulary, &mut faults);
        }
        out.fault = faults.first().map(|fault| {
            format!("there is a fault in the policies, and so nothing is permitted: {fault}")
        });
        (out, faults)
    }

    /// Policies that forbid everything: for this reason, or because there are none.
    pub fn forbidding(fault: Option<String>) -> Self {
        Self {
            fault,
            firm: Cedar::new(),
            asking: Cedar::new(),
            schema: None,
            actions: Entities::empty(),
            entries: BTreeMap::new(),
            names_units: false,
        }
    }

    /// The policies, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Takes the policies of a file in, under their own ids.
    fn take(
        &mut self,
        file: &PolicyFile,
        policies: &Cedar,
        vocabulary: &Vocabulary,
        faults: &mut Vec<Diagnostic>,
    ) {
        for template in policies.templates() {
            let line = line_of(file, &template.to_string());
            faults.push(
                Diagnostic::new(&file.path, "a policy with a slot in it is never filled in")
                    .at_line(line)
                    .help(
                        "write out whom and what it is about instead of ?principal and ?resource",
                    ),
            );
        }
        for policy in policies.policies() {
            let line = line_of(file, &policy.to_string());
            match entry(file, policy, vocabulary) {
                Ok(entry) => {
                    if let Some(other) = self.entries.get(&entry.id) {
                        let message = format!(
                            "the id «{}» is that of a policy in {} already",
                            entry.id, other.file
                        );
                        faults.push(Diagnostic::new(&file.path, message).at_line(line));
                        continue;
                    }
                    if self.entries.len() >= POLICIES_MAX {
                        let message = format!("there are more than {POLICIES_MAX} policies");
                        faults.push(Diagnostic::new(&file.path, message).at_line(line));
                        return;
                    }
                    let renamed = policy.new_id(PolicyId::new(&entry.id));
                    let set = match entry.effect {
                        Effect::Ask => &mut self.asking,
                        Effect::Permit | Effect::Forbid => &mut self.firm,
                    };
                    if let Err(error) = set.add(renamed) {
                        faults.push(Diagnostic::new(&file.path, error.to_string()).at_line(line));
                    }
                    self.names_units |= !entry.units.is_empty();
                    self.entries.insert(entry.id.clone(), entry);
                }
                Err((message, help)) => faults.push(
                    Diagnostic::new(&file.path, message)
                        .at_line(line)
                        .help(help),
                ),
            }
        }
    }
}

/// What a policy is to people, or what is wrong with what it says of itself, with the mend.
fn entry(
    file: &PolicyFile,
    policy: &Policy,
    vocabulary: &Vocabulary,
) -> Result<Entry, (String, String)> {
    let no = |message: String, help: &str| Err((message, help.to_owned()));
    for (key, _) in policy.annotations() {
        if !KNOWN_ANNOTATIONS.contains(&key) {
            let meant = nearest(key, KNOWN_ANNOTATIONS);
            let meant = meant.map_or(String::new(), |word| format!(": did you mean @{word}?"));
            return no(
                format!("nobody reads @{key}{meant}"),
                "@id, @reason and @ask are read",
            );
        }
    }
    let id = policy.annotation("id").unwrap_or_default();
    let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if id.is_empty() || id.len() > ID_CHARS_MAX || !id.chars().all(is_id) {
        return no(
            format!("a policy's id is a word of letters, digits, - and _, not «{id}»"),
            "put @id(\"…\") before it: people are told which policy it was",
        );
    }
    let (reason, ask) = (policy.annotation("reason"), policy.annotation("ask"));
    let (effect, words) = match (policy.effect(), reason, ask) {
        (CedarEffect::Permit, _, Some(_)) => {
            return no(
                format!("{id} permits and asks"),
                "a question is a forbid with @ask(\"…\"): an approval answers it",
            );
        }
        (CedarEffect::Permit, reason, None) => (Effect::Permit, reason.unwrap_or_default()),
        (CedarEffect::Forbid, None, Some(ask)) => (Effect::Ask, ask),
        (CedarEffect::Forbid, Some(reason), None) => (Effect::Forbid, reason),
        (CedarEffect::Forbid, Some(_), Some(_)) => {
            return no(
                format!("{id} has both a @reason and an @ask"),
                "@reason(\"…\") forbids whoever says yes; @ask(\"…\") is answered by an approval",
            );
        }
        (CedarEffect::Forbid, None, None) => (Effect::Forbid, ""),
    };
    let wordless = words.trim().is_empty() && effect != Effect::Permit;
    if wordless || words.chars().count() > WORDS_CHARS_MAX {
        return no(
            format!("{id} does not tell people why in 1 to {WORDS_CHARS_MAX} characters"),
            "put @reason(\"…\") before it, or @ask(\"…\") when an approval answers it",
        );
    }
    for playbook in literals(policy, "Playbook") {
        if !vocabulary.playbooks.contains(&playbook) {
            let known = vocabulary.playbooks.iter().map(String::as_str);
            let meant = nearest(&playbook, known);
            let meant = meant.map_or(String::new(), |word| format!("; did you mean «{word}»?"));
            return no(
                format!("{id} names the playbook «{playbook}», and there is none{meant}"),
                "`quell playbook list` has their ids",
            );
        }
    }
    for account in literals(policy, "Account") {
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return no(
                format!("{id} names the account «{account}», which is not twelve digits"),
                "write Account::\"444455556666\"",
            );
        }
    }
    let units: Vec<String> = literals(policy, "OU").into_iter().collect();
    if let Some(bad) = units
        .iter()
        .find(|unit| unit.parse::<quell_model::OuPath>().is_err())
    {
        return no(
            format!("{id} names the unit «{bad}», which is no path"),
            "write its names from the root on: OU::\"Root/Prod\"",
        );
    }
    Ok(Entry {
        id: id.to_owned(),
        effect,
        words: words.to_owned(),
        file: file.path.clone(),
        units,
        text: policy.to_string(),
    })
}

/// The ids of the entities of a type that a policy names.
fn literals(policy: &Policy, kind: &str) -> BTreeSet<String> {
    let named = policy.entity_literals();
    let of_kind = named
        .iter()
        .filter(|uid| uid.type_name().to_string() == kind);
    of_kind.map(|uid| uid.id().unescaped().to_owned()).collect()
}

fn validate(file: &PolicyFile, policies: &Cedar, schema: &Schema) -> Vec<Diagnostic> {
    let validator = Validator::new(schema.clone());
    let result = validator.validate(policies, ValidationMode::Strict);
    let errors = result
        .validation_errors()
        .map(|error| at(file, error, &plain(&error.to_string())));
    // What can never apply is as wrong as what cannot be read: somebody relies on it.
    let doubts = result
        .validation_warnings()
        .map(|doubt| at(file, doubt, &plain(&doubt.to_string())));
    errors.chain(doubts).collect()
}

/// Cedar names policies by their order in the file (``for policy `policy0`, ``), which says nothing to people: the line does.
fn plain(message: &str) -> String {
    match message
        .strip_prefix("for policy `")
        .map(|m| m.split_once("`, "))
    {
        Some(Some((_, rest))) => rest.to_owned(),
        _ => message.to_owned(),
    }
}

/// A fault at the place that Cedar points to.
fn at(file: &PolicyFile, fault: &dyn miette::Diagnostic, message: &str) -> Diagnostic {
    let place = fault.labels().and_then(|mut labels| labels.next());
    let before = place
        .as_ref()
        .and_then(|place| file.text.get(..place.offset()));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let out = Diagnostic::new(&file.path, message).at_line(line);
    match fault.help() {
        Some(help) => out.help(help.to_string()),
        None => out,
    }
}

/// The line on which a policy begins, by its own text.
fn line_of(file: &PolicyFile, policy: &str) -> Option<usize> {
    let before = file.text.get(..file.text.find(policy.trim())?)?;
    Some(before.matches('\n').count() + 1)
}
