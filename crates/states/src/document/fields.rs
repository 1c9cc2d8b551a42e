//! Reading the fields of one JSON object, noting every fault.

use crate::diagnostic::{DiagnosticCode, Faults};
use crate::jsonata::Expression;
use crate::jsonpath::{Payload, Query, ResultPath};
use crate::limits;
use crate::template::{Template, read_expression};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Fields of JSONPath states, and what a JSONata state writes instead.
const JSONPATH_FIELDS: &[(&str, &str)] = &[
    (
        "InputPath",
        "Use $states.input in the expressions that need it.",
    ),
    ("OutputPath", "Use Output."),
    (
        "Parameters",
        "Use Arguments (Task, Parallel), ItemSelector (Map) or Output (Pass).",
    ),
    ("Result", "Use Output."),
    ("ResultPath", "Use Output, or store the result with Assign."),
    ("ResultSelector", "Use Output."),
    ("SecondsPath", "Use Seconds with an expression."),
    ("TimestampPath", "Use Timestamp with an expression."),
    (
        "TimeoutSecondsPath",
        "Use TimeoutSeconds with an expression.",
    ),
    (
        "HeartbeatSecondsPath",
        "Use HeartbeatSeconds with an expression.",
    ),
    ("ErrorPath", "Use Error with an expression."),
    ("CausePath", "Use Cause with an expression."),
    ("Variable", "Use Condition."),
    ("ItemsPath", "Use Items."),
    (
        "MaxConcurrencyPath",
        "Use MaxConcurrency with an expression.",
    ),
    (
        "ToleratedFailureCountPath",
        "Use ToleratedFailureCount with an expression.",
    ),
    (
        "ToleratedFailurePercentagePath",
        "Use ToleratedFailurePercentage with an expression.",
    ),
    ("MaxItemsPath", "Use MaxItems with an expression."),
    (
        "MaxItemsPerBatchPath",
        "Use MaxItemsPerBatch with an expression.",
    ),
    (
        "MaxInputBytesPerBatchPath",
        "Use MaxInputBytesPerBatch with an expression.",
    ),
];

/// Fields of JSONata states only.
const JSONATA_FIELDS: &[&str] = &["Arguments", "Condition", "Items", "Output"];

/// Where a state goes when it is done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Transition {
    Next(String),
    End,
}

/// A number of seconds, written down or computed.
#[derive(Clone, Debug)]
pub(crate) enum Seconds {
    Fixed(u64),
    Computed(Expression),
    Path(Query),
}

/// How a state computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Jsonata,
    JsonPath,
}

/// One object of the document and the names asked of it.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: String,
    language: Language,
    document_language: Option<Language>,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The fields of `value`, which must be an object.
    pub(crate) fn of(value: &'a Value, at: &str, faults: &mut Faults) -> Option<Fields<'a>> {
        match value {
            Value::Object(map) => Some(Fields {
                map,
                at: at.to_owned(),
                language: Language::Jsonata,
                document_language: None,
                known: RefCell::default(),
            }),
            _ => {
                faults.schema(at, "Expected a JSON object");
                None
            }
        }
    }

    /// The same fields, read as those of a state in `language`.
    pub(crate) fn speaking(self, language: Language) -> Fields<'a> {
        Fields { language, ..self }
    }

    /// The same fields, read as part of a document in `language`.
    pub(crate) fn within_document(self, language: Option<Language>) -> Fields<'a> {
        Fields {
            document_language: language,
            ..self
        }
    }

    /// The language of the whole document, if it names one.
    pub(crate) fn document_language(&self) -> Option<Language> {
        self.document_language
    }

    /// An object inside this one, in the same language.
    pub(crate) fn within<'b>(
        &self,
        value: &'b Value,
        at: &str,
        faults: &mut Faults,
    ) -> Option<Fields<'b>> {
        let fields = Fields::of(value, at, faults)?.speaking(self.language);
        Some(fields.within_document(self.document_language))
    }

    /// Whether the state computes with JSONPath.
    pub(crate) fn in_jsonpath(&self) -> bool {
        self.language == Language::JsonPath
    }

    /// The place of this object.
    pub(crate) fn place(&self) -> &str {
        if self.at.is_empty() { "/" } else { &self.at }
    }

    /// The place of one of its fields.
    pub(crate) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    /// A field of any type.
    pub(crate) fn value(&self, name: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().insert(name);
        self.map.get(name)
    }

    /// Notes which of `names` are missing.
    pub(crate) fn require(&self, names: &[&str], faults: &mut Faults) {
        let missing: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| !self.map.contains_key(*name))
            .collect();
        if !missing.is_empty() {
            faults.schema(
                self.place(),
                format!("These fields are required: [{}]", missing.join(", ")),
            );
        }
    }

    /// A field that must be text.
    pub(crate) fn text(&self, name: &'static str, faults: &mut Faults) -> Option<&'a str> {
        let value = self.value(name)?;
        if value.as_str().is_none() {
            faults.schema(self.at(name), "Expected value of type String");
        }
        value.as_str()
    }

    /// A field that must be an object, as fields of their own.
    pub(crate) fn object(&self, name: &'static str, faults: &mut Faults) -> Option<Fields<'a>> {
        let value = self.value(name)?;
        self.within(value, &self.at(name), faults)
    }

    /// A field that must be one of a few words.
    pub(crate) fn word(
        &self,
        name: &'static str,
        words: &[&str],
        faults: &mut Faults,
    ) -> Option<&'a str> {
        let word = self.text(name, faults)?;
        if words.contains(&word) {
            return Some(word);
        }
        faults.schema(
            self.at(name),
            format!("Value is not valid. Allowed values: [{}]", words.join(", ")),
        );
        None
    }

    /// A field that must be a non-empty array.
    pub(crate) fn list(&self, name: &'static str, faults: &mut Faults) -> Option<&'a [Value]> {
        match self.value(name)? {
            Value::Array(items) if !items.is_empty() => Some(items),
            Value::Array(_) => {
                faults.schema(self.at(name), "The array must not be empty");
                None
            }
            _ => {
                faults.schema(self.at(name), "Expected value of type Array");
                None
            }
        }
    }

    /// A field that must be an integer within `least..=most`.
    pub(crate) fn integer(
        &self,
        name: &'static str,
        least: u64,
        most: u64,
        faults: &mut Faults,
    ) -> Option<u64> {
        let number = self.value(name)?.as_u64();
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                faults.schema(
                    self.at(name),
                    format!("Expected an integer from {least} to {most}"),
                );
                None
            }
        }
    }

    /// A field that must be a number of seconds or an expression.
    pub(crate) fn seconds(
        &self,
        name: &'static str,
        least: u64,
        faults: &mut Faults,
    ) -> Option<Seconds> {
        match self.value(name)? {
            Value::String(text) => self.expression(name, text, faults).map(Seconds::Computed),
            _ => self
                .integer(name, least, limits::SECONDS_MAX, faults)
                .map(Seconds::Fixed),
        }
    }

    /// A field that must be a path.
    pub(crate) fn path(&self, name: &'static str, faults: &mut Faults) -> Option<Query> {
        self.query(name, faults).filter(|query| {
            let path = !query.is_call();
            if !path {
                faults.schema(self.at(name), "Value is not a Path");
            }
            path
        })
    }

    /// A field that must be a path or a call of an intrinsic function.
    pub(crate) fn query(&self, name: &'static str, faults: &mut Faults) -> Option<Query> {
        let query = self.text(name, faults).map(Query::parse);
        if query == Some(None) {
            faults.schema(
                self.at(name),
                "The value must be a valid JSONPath or a valid intrinsic function call",
            );
        }
        query.flatten()
    }

    /// A field that may hold `x.$` fields at any depth.
    pub(crate) fn payload(&self, name: &'static str, faults: &mut Faults) -> Option<Payload> {
        Some(Payload::read(self.value(name)?, &self.at(name), faults))
    }

    /// `ResultPath`: `None` where it is left out.
    pub(crate) fn result_path(&self, faults: &mut Faults) -> Option<ResultPath> {
        match self.value("ResultPath")? {
            Value::Null => Some(ResultPath::Nowhere),
            value => {
                let path = value.as_str().and_then(ResultPath::parse);
                if path.is_none() {
                    faults.schema(self.at("ResultPath"), "Value is not a Reference Path");
                }
                path
            }
        }
    }

    /// `Assign` in JSONPath mode.
    pub(crate) fn assign_payload(&self, faults: &mut Faults) -> Option<Payload> {
        self.check_variables(faults)?;
        self.payload("Assign", faults)
    }

    /// A number of seconds, or the path to one in the field `path_name`.
    pub(crate) fn seconds_or_path(
        &self,
        name: &'static str,
        path_name: &'static str,
        least: u64,
        faults: &mut Faults,
    ) -> Option<Seconds> {
        if self.value(name).is_some() && self.value(path_name).is_some() {
            faults.schema(
                self.place(),
                format!("A state may have only one of '{name}' and '{path_name}'"),
            );
        }
        match self.value(path_name) {
            Some(_) => self.path(path_name, faults).map(Seconds::Path),
            None => {
                self.value(name)?;
                self.integer(name, least, limits::SECONDS_MAX, faults)
                    .map(Seconds::Fixed)
            }
        }
    }

    /// Text that must be an expression.
    pub(crate) fn expression(
        &self,
        name: &str,
        text: &str,
        faults: &mut Faults,
    ) -> Option<Expression> {
        let at = self.at(name);
        if !text.starts_with("{%") && !text.ends_with("%}") {
            faults.schema_help(
                &at,
                "Expected a JSONata expression",
                "Write \"{% <expression> %}\".",
            );
            return None;
        }
        read_expression(text, &at, faults)
    }

    /// A field that may hold expressions at any depth.
    pub(crate) fn template(&self, name: &'static str, faults: &mut Faults) -> Option<Template> {
        Some(Template::read(self.value(name)?, &self.at(name), faults))
    }

    /// `Assign`: an object whose fields name variables.
    pub(crate) fn assign(&self, faults: &mut Faults) -> Option<Template> {
        let value = self.check_variables(faults)?;
        Some(Template::read(value, &self.at("Assign"), faults))
    }

    fn check_variables(&self, faults: &mut Faults) -> Option<&'a Value> {
        let value = self.value("Assign")?;
        let Value::Object(variables) = value else {
            faults.schema(self.at("Assign"), "Expected value of type Object");
            return None;
        };
        for name in variables.keys() {
            let name = match self.language {
                Language::Jsonata => name,
                Language::JsonPath => name.strip_suffix(".$").unwrap_or(name),
            };
            if let Some(fault) = variable_name_fault(name) {
                faults.schema(format!("{}/{name}", self.at("Assign")), fault);
            }
        }
        Some(value)
    }

    /// `Next` or `End`, exactly one of them.
    pub(crate) fn transition(&self, faults: &mut Faults) -> Transition {
        let end = self.value("End");
        let next = self.text("Next", faults);
        if end.is_some_and(|end| !end.is_boolean()) {
            faults.schema(self.at("End"), "Expected value of type Boolean");
        }
        match (next, end == Some(&Value::Bool(true))) {
            (Some(_), true) => {
                faults.schema(
                    self.place(),
                    "A state may have only one of 'Next' and 'End'",
                );
                Transition::End
            }
            (Some(next), false) => Transition::Next(next.to_owned()),
            (None, true) => Transition::End,
            (None, false) => {
                if self.value("Next").is_none() {
                    faults.schema_help(
                        self.place(),
                        "These fields are required: [Next]",
                        "Name the next state with Next, or write \"End\": true.",
                    );
                }
                Transition::End
            }
        }
    }

    /// Notes every field nobody asked for.
    pub(crate) fn finish(self, faults: &mut Faults) {
        let known = self.known.borrow();
        for name in self
            .map
            .keys()
            .filter(|name| !known.contains(name.as_str()))
        {
            let at = self.at(name);
            if self.in_jsonpath() {
                let fault = match JSONATA_FIELDS.contains(&name.as_str()) {
                    true => format!(
                        "The field '{name}' is not supported when the query language is JSONPath"
                    ),
                    false => format!("The field '{name}' is not supported here"),
                };
                faults.schema(at, fault);
                continue;
            }
            match JSONPATH_FIELDS.iter().find(|(field, _)| field == name) {
                Some((_, help)) => faults.schema_help(
                    at,
                    format!(
                        "The field '{name}' is not supported when the query language is JSONata"
                    ),
                    *help,
                ),
                None => faults.schema(at, format!("The field '{name}' is not supported here")),
            }
        }
    }
}

/// What is wrong with a variable name.
fn variable_name_fault(name: &str) -> Option<String> {
    let mut characters = name.chars();
    // Unicode ID_Start and ID_Continue, which Step Functions asks for; near enough.
    let starts_well = characters.next().is_some_and(char::is_alphabetic);
    if name == "states" {
        Some("The variable name 'states' is reserved".to_owned())
    } else if name.chars().count() > limits::NAME_CHARS_MAX {
        Some(format!(
            "A variable name has at most {} characters",
            limits::NAME_CHARS_MAX
        ))
    } else if starts_well && characters.all(|c| c.is_alphanumeric() || c == '_') {
        None
    } else {
        Some(format!("'{name}' is not a valid variable name"))
    }
}

/// What is wrong with a state name, with the code for it.
pub(crate) fn state_name_fault(name: &str) -> Option<(DiagnosticCode, String)> {
    if name.is_empty() || name.chars().count() > limits::NAME_CHARS_MAX {
        return Some((
            DiagnosticCode::SchemaValidationFailed,
            format!(
                "A state name must have 1 to {} characters",
                limits::NAME_CHARS_MAX
            ),
        ));
    }
    name.chars().any(char::is_control).then(|| {
        (
            DiagnosticCode::InvalidStateName,
            "A state name must not contain control characters".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_names() {
        for name in ["a", "a_1", "número", "x".repeat(80).as_str()] {
            assert_eq!(variable_name_fault(name), None, "{name}");
        }
        for name in [
            "",
            "_a",
            "1a",
            "a-b",
            "a.b",
            "$a",
            "states",
            &"x".repeat(81),
        ] {
            assert!(variable_name_fault(name).is_some(), "{name}");
        }
    }

    #[test]
    fn state_names() {
        assert_eq!(state_name_fault("Ask a human?"), None);
        assert!(state_name_fault("").is_some());
        assert!(state_name_fault(&"é".repeat(81)).is_some());
        assert_eq!(state_name_fault(&"é".repeat(80)), None);
        assert!(state_name_fault("a\nb").is_some());
    }
}
