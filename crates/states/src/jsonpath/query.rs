//! What a field may compute: a path, or an intrinsic function.

use super::intrinsic::Call;
use super::path::{Path, Root};
use crate::failure::{Failure, RUNTIME};
use crate::random::Random;
use serde_json::{Map, Value};

/// A path or a call of an intrinsic function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Path(Path),
    Call(Call),
}

/// What a query can see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'v> {
    /// `$`
    pub(crate) input: &'v Value,
    /// `$$`
    pub(crate) context: &'v Value,
    /// `$name`
    pub(crate) variables: &'v Map<String, Value>,
    /// The same, of the threads outside this one.
    pub(crate) outer: &'v Map<String, Value>,
    /// Where `States.MathRandom` and `States.UUID` draw from.
    pub(crate) random: &'v Random,
}

impl<'v> View<'v> {
    /// The same surroundings with another `$`.
    pub(crate) fn on(self, input: &'v Value) -> View<'v> {
        View { input, ..self }
    }

    /// What a path selects; an error says what is not there.
    pub(super) fn select(&self, path: &Path) -> Result<Value, String> {
        match &path.root {
            Root::Input => path.select(self.input),
            Root::Context => path.select(self.context),
            Root::Variable(name) => match self.variables.get(name).or(self.outer.get(name)) {
                Some(value) => path.select(value),
                None => Err(format!("Variable not found: ${name}")),
            },
            Root::Item => Err("'@' has no meaning outside a filter".to_owned()),
        }
    }
}

impl Query {
    /// Parses a path or a call.
    pub(crate) fn parse(text: &str) -> Option<Query> {
        let kind = if text.starts_with('$') {
            Kind::Path(Path::parse(text)?)
        } else {
            Kind::Call(Call::parse(text)?)
        };
        Some(Query {
            text: text.to_owned(),
            kind,
        })
    }

    /// The text as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it calls an intrinsic function.
    pub(crate) fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Call(_))
    }

    /// Its value, or `None` where the path leads nowhere.
    pub(crate) fn find(&self, view: &View<'_>) -> Result<Option<Value>, Failure> {
        match &self.kind {
            Kind::Path(path) => Ok(view.select(path).ok()),
            Kind::Call(call) => call.evaluate(view).map(Some),
        }
    }

    /// Its value in a field that shapes data: InputPath, OutputPath and the like.
    pub(crate) fn evaluate(&self, view: &View<'_>) -> Result<Value, Failure> {
        match &self.kind {
            Kind::Path(path) => view.select(path).map_err(|missing| {
                Failure::interpreter(RUNTIME, format!("Invalid path '{}' : {missing}", self.text))
            }),
            Kind::Call(call) => call.evaluate(view),
        }
    }

    /// Its value in a named field; `field` is as written: `value.$`.
    pub(crate) fn evaluate_for(&self, field: &str, view: &View<'_>) -> Result<Value, Failure> {
        self.find(view)?.ok_or_else(|| {
            let text = &self.text;
            let shown = if text.starts_with("$$") { view.context } else { view.input };
            Failure::interpreter(
                RUNTIME,
                format!(
                    "The JSONPath '{text}' specified for the field '{field}' could not be found in the input '{shown}'"
                ),
            )
        })
    }
}
