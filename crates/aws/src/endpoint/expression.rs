//! The expressions of the rules, compiled, and their evaluation.

use std::sync::Arc;

use super::functions;
use super::partitions::Partitions;
use super::value::{Attribute, Value};
use crate::scalar::percent_encode;

/// Something that has a value, or has none.
#[derive(Debug)]
pub(super) enum Expression {
    Bool(bool),
    Text(Template),
    /// A parameter, or what a condition assigned, by its place in the [`Scope`].
    Variable(usize),
    Call(Box<Call>),
}

/// Text with holes.
#[derive(Debug)]
pub(super) enum Template {
    Plain(Arc<str>),
    Holed(Vec<Part>),
}

/// A part of a [`Template`].
#[derive(Debug)]
pub(super) enum Part {
    Plain(String),
    /// `{Region}`, `{url#authority}`.
    Hole(usize, Option<Attribute>),
}

/// A call of one of the rules' functions.
#[derive(Debug)]
pub(super) enum Call {
    IsSet(Expression),
    Not(Expression),
    GetAttr(Expression, Attribute),
    Substring {
        of: Expression,
        start: usize,
        stop: usize,
        reverse: bool,
    },
    UriEncode(Expression),
    StringEquals(Expression, Expression),
    BooleanEquals(Expression, Expression),
    ParseUrl(Expression),
    IsValidHostLabel(Expression, bool),
    IsVirtualHostableS3Bucket(Expression, bool),
    Partition(Expression),
    ParseArn(Expression),
}

/// Where an expression is evaluated.
pub(super) struct Scope<'a> {
    pub(super) partitions: &'a Partitions,
    /// The parameters, then what the conditions around a rule have assigned.
    pub(super) variables: Vec<Option<Value>>,
}

impl Scope<'_> {
    fn variable(&self, place: usize) -> Option<&Value> {
        self.variables.get(place)?.as_ref()
    }

    pub(super) fn assign(&mut self, place: usize, value: Option<Value>) {
        if let Some(variable) = self.variables.get_mut(place) {
            *variable = value;
        }
    }
}

impl Expression {
    pub(super) fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::Bool(bool) => Some(Value::Bool(*bool)),
            Self::Text(template) => template.fill(scope).map(Value::Text),
            Self::Variable(place) => scope.variable(*place).cloned(),
            Self::Call(call) => call.value(scope),
        }
    }

    fn text(&self, scope: &Scope<'_>) -> Option<Arc<str>> {
        match self.value(scope)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn bool(&self, scope: &Scope<'_>) -> Option<bool> {
        match self.value(scope)? {
            Value::Bool(bool) => Some(bool),
            _ => None,
        }
    }
}

impl Template {
    /// The text; `None` when a hole has nothing, or nothing that is text.
    pub(super) fn fill(&self, scope: &Scope<'_>) -> Option<Arc<str>> {
        let parts = match self {
            Self::Plain(text) => return Some(text.clone()),
            Self::Holed(parts) => parts,
        };
        let mut filled = String::new();
        for part in parts {
            match part {
                Part::Plain(text) => filled.push_str(text),
                Part::Hole(place, attribute) => {
                    let variable = scope.variable(*place)?;
                    let value = match attribute {
                        Some(attribute) => variable.attribute(*attribute)?,
                        None => variable.clone(),
                    };
                    let Value::Text(text) = value else {
                        return None;
                    };
                    filled.push_str(&text);
                }
            }
        }
        Some(filled.into())
    }
}

impl Call {
    pub(super) fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::IsSet(of) => Some(Value::Bool(of.value(scope).is_some())),
            Self::Not(of) => Some(Value::Bool(!of.bool(scope)?)),
            Self::GetAttr(of, attribute) => of.value(scope)?.attribute(*attribute),
            Self::Substring {
                of,
                start,
                stop,
                reverse,
            } => {
                let text = of.text(scope)?;
                let part = functions::substring(&text, *start, *stop, *reverse)?;
                Some(Value::Text(part.into()))
            }
            Self::UriEncode(of) => {
                let text = of.text(scope)?;
                Some(Value::Text(percent_encode(&text, b"").into()))
            }
            Self::StringEquals(a, b) => Some(Value::Bool(a.text(scope)? == b.text(scope)?)),
            Self::BooleanEquals(a, b) => Some(Value::Bool(a.bool(scope)? == b.bool(scope)?)),
            Self::ParseUrl(of) => {
                let url = functions::parse_url(&of.text(scope)?)?;
                Some(Value::Url(Arc::new(url)))
            }
            Self::IsValidHostLabel(of, allow_subdomains) => {
                let fits = functions::is_host_label(&of.text(scope)?, *allow_subdomains);
                Some(Value::Bool(fits))
            }
            Self::IsVirtualHostableS3Bucket(of, allow_subdomains) => {
                let fits = functions::is_virtual_hostable(&of.text(scope)?, *allow_subdomains);
                Some(Value::Bool(fits))
            }
            Self::Partition(of) => {
                let partition = scope.partitions.of(&of.text(scope)?)?;
                Some(Value::Partition(partition.clone()))
            }
            Self::ParseArn(of) => {
                let arn = functions::parse_arn(&of.text(scope)?)?;
                Some(Value::Arn(Arc::new(arn)))
            }
        }
    }
}
