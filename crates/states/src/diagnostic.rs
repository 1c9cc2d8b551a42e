//! What is wrong with a document, and where.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// The document cannot run.
    Error,
    /// The document runs, perhaps not as meant.
    Warning,
}

/// The kind of fault: the codes of ValidateStateMachineDefinition, and
/// some of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum DiagnosticCode {
    /// The text is not JSON.
    InvalidJsonDescription,
    /// A field is missing, unknown, or has a value it may not have.
    SchemaValidationFailed,
    /// A transition names no state, or a state cannot be reached.
    MissingTransitionTarget,
    /// No state ends the execution.
    MissingEndState,
    /// Two states have one name.
    DuplicateStateName,
    /// A state name has a character it may not have.
    InvalidStateName,
    /// A Task names something that is not a resource.
    InvalidResource,
    /// Ours: a text looks like an expression but is taken literally.
    NotEvaluated,
    /// Ours: a Choice has no Default, and may need one.
    MissingChoiceDefault,
    /// Ours: a task may wait for ever.
    MissingTimeout,
    /// Ours: a secret is written in the document.
    PlainSecret,
    /// Ours: there is no such service or action, as far as the catalogue knows.
    UnknownAction,
    /// Ours: the action has no such parameter.
    UnknownParameter,
    /// Ours: Amazon States Language has this, this version does not run it.
    UnsupportedFeature,
}

impl DiagnosticCode {
    /// The code as AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            DiagnosticCode::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            DiagnosticCode::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            DiagnosticCode::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            DiagnosticCode::MissingEndState => "MISSING_END_STATE",
            DiagnosticCode::DuplicateStateName => "DUPLICATE_STATE_NAME",
            DiagnosticCode::InvalidStateName => "INVALID_STATE_NAME",
            DiagnosticCode::InvalidResource => "INVALID_RESOURCE",
            DiagnosticCode::NotEvaluated => "NOT_EVALUATED",
            DiagnosticCode::MissingChoiceDefault => "MISSING_CHOICE_DEFAULT",
            DiagnosticCode::MissingTimeout => "MISSING_TIMEOUT",
            DiagnosticCode::PlainSecret => "PLAIN_SECRET",
            DiagnosticCode::UnknownAction => "UNKNOWN_ACTION",
            DiagnosticCode::UnknownParameter => "UNKNOWN_PARAMETER",
            DiagnosticCode::UnsupportedFeature => "UNSUPPORTED_FEATURE",
        }
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The kind of fault.
    pub code: DiagnosticCode,
    /// Whether the document can run all the same.
    pub severity: Severity,
    /// Where, as AWS points: `/States/Plan/Choices[0]/Next`.
    pub location: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} at {}", self.code, self.message, self.location)
    }
}

/// Collects faults while a document is read, so that all are reported at once.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Diagnostic>);

impl Faults {
    /// Adds an error.
    pub(crate) fn error(
        &mut self,
        code: DiagnosticCode,
        location: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.push(code, Severity::Error, location, message, None);
    }

    /// Adds an error about the shape of a field, the most common one.
    pub(crate) fn schema(&mut self, location: impl Into<String>, message: impl Into<String>) {
        self.error(DiagnosticCode::SchemaValidationFailed, location, message);
    }

    /// Adds an error about the shape of a field, with advice.
    pub(crate) fn schema_help(
        &mut self,
        location: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(
            DiagnosticCode::SchemaValidationFailed,
            Severity::Error,
            location,
            message,
            Some(help.into()),
        );
    }

    /// Adds an error for something the language has and this version does not.
    pub(crate) fn unsupported(
        &mut self,
        location: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(
            DiagnosticCode::UnsupportedFeature,
            Severity::Error,
            location,
            message,
            Some(help.into()),
        );
    }

    /// Adds a warning.
    pub(crate) fn warning(
        &mut self,
        code: DiagnosticCode,
        location: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(
            code,
            Severity::Warning,
            location,
            message,
            Some(help.into()),
        );
    }

    /// Whether any fault forbids running the document.
    pub(crate) fn any_error(&self) -> bool {
        self.0.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// Everything found, in the order found.
    pub(crate) fn into_list(self) -> Vec<Diagnostic> {
        self.0
    }

    fn push(
        &mut self,
        code: DiagnosticCode,
        severity: Severity,
        location: impl Into<String>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.0.push(Diagnostic {
            code,
            severity,
            location: location.into(),
            message: message.into(),
            help,
        });
    }
}
