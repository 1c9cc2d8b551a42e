//! The expressions of the rules, compiled, and their evaluation.

use std::borrow::Cow;
use std::sync::Arc;

use super::functions;
use super::partitions::Partitions;
use super::value::{Attribute, Value};
use crate::scalar::percent_encode;

/// Something that has a value, or has none.
#[derive(Debug)]
pub(super) enum Expression {
    /// Text without holes, or true or false.
    Literal(Value),
    Template(Template),
    /// A parameter, or what a condition assigned, by its place in the [`Scope`].
    Variable(usize),
    Call(Box<Call>),
}

/// Text with holes.
#[derive(Debug)]
pub(super) struct Template(pub(super) Vec<Part>);

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
    /// The value, borrowed where it is there already: most are looked at and let go.
    pub(super) fn value<'s>(&'s self, scope: &'s Scope<'_>) -> Option<Cow<'s, Value>> {
        match self {
            Self::Literal(value) => Some(Cow::Borrowed(value)),
            Self::Template(template) => template.fill(scope).map(|t| Cow::Owned(Value::Text(t))),
            Self::Variable(place) => scope.variable(*place).map(Cow::Borrowed),
            Self::Call(call) => call.value(scope).map(Cow::Owned),
        }
    }
}

impl Template {
    /// The text; `None` when a hole has nothing, or nothing that is text.
    pub(super) fn fill(&self, scope: &Scope<'_>) -> Option<Arc<str>> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Plain(text) => filled.push_str(text),
                Part::Hole(place, None) => filled.push_str(scope.variable(*place)?.text()?),
                Part::Hole(place, Some(attribute)) => {
                    let value = scope.variable(*place)?.attribute(*attribute)?;
                    filled.push_str(value.text()?);
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
            Self::Not(of) => Some(Value::Bool(!of.value(scope)?.bool()?)),
            Self::GetAttr(of, attribute) => of.value(scope)?.attribute(*attribute),
            Self::Substring {
                of,
                start,
                stop,
                reverse,
            } => {
                let text = of.value(scope)?;
                let part = functions::substring(text.text()?, *start, *stop, *reverse)?;
                Some(Value::Text(part.into()))
            }
            Self::UriEncode(of) => {
                let text = percent_encode(of.value(scope)?.text()?, b"");
                Some(Value::Text(text.into()))
            }
            Self::StringEquals(a, b) => {
                let (a, b) = (a.value(scope)?, b.value(scope)?);
                Some(Value::Bool(a.text()? == b.text()?))
            }
            Self::BooleanEquals(a, b) => {
                let (a, b) = (a.value(scope)?.bool()?, b.value(scope)?.bool()?);
                Some(Value::Bool(a == b))
            }
            Self::ParseUrl(of) => {
                let url = functions::parse_url(of.value(scope)?.text()?)?;
                Some(Value::Url(Arc::new(url)))
            }
            Self::IsValidHostLabel(of, allow_subdomains) => {
                let fits = functions::is_host_label(of.value(scope)?.text()?, *allow_subdomains);
                Some(Value::Bool(fits))
            }
            Self::IsVirtualHostableS3Bucket(of, allow_subdomains) => {
                let bucket = of.value(scope)?;
                let fits = functions::is_virtual_hostable(bucket.text()?, *allow_subdomains);
                Some(Value::Bool(fits))
            }
            Self::Partition(of) => {
                let partition = scope.partitions.of(of.value(scope)?.text()?)?;
                Some(Value::Partition(partition.clone()))
            }
            Self::ParseArn(of) => {
                let arn = functions::parse_arn(of.value(scope)?.text()?)?;
                Some(Value::Arn(Arc::new(arn)))
            }
        }
    }
}
