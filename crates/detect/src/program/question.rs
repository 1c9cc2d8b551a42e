//! What one item of a rule asks of a record.

use quell_normalize::{Kind, Part};
use rsigma_eval::{CompiledDetectionItem, CompiledMatcher, Event};

use crate::text::{Asked, Haystack};
use crate::tree::{EVENT_NAME, Tree};

/// What one item of a rule asks.
#[derive(Debug)]
pub(super) struct Question {
    /// The number of its field's path; `None` when it asks all texts.
    pub(super) path: Option<usize>,
    pub(super) weight: Weight,
    /// The short way to the answer, where there is one.
    pub(super) short: Short,
    /// Whether it is about the text of the user agent.
    pub(super) is_of_agent: bool,
    item: CompiledDetectionItem,
}

/// How much it takes to answer a question, and how much the answer says: lighter ones are asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Light,
    Text,
    Heavy,
    /// It asks nothing but the call's name or its service, and a rule is looked at when it has these.
    Call,
}

#[derive(Debug)]
pub(super) enum Short {
    /// Whether the field is there, and not null.
    There(bool),
    /// What its text is.
    Text(Asked),
    /// Which truth value it is.
    Bool(bool),
    /// Whether it is null, or not there.
    Null,
    None,
}

impl Question {
    pub(super) fn new(item: &CompiledDetectionItem, path: Option<usize>) -> Self {
        let short = Short::of(item);
        let field = item.field.as_deref();
        let weight = match (field, &short) {
            (Some(EVENT_NAME | "eventSource"), Short::None) => Weight::Heavy,
            (Some(EVENT_NAME | "eventSource"), _) => Weight::Call,
            (_, Short::There(_) | Short::Bool(_) | Short::Null) => Weight::Light,
            (_, Short::Text(_)) => Weight::Text,
            (_, Short::None) => Weight::Heavy,
        };
        Self {
            path,
            weight,
            is_of_agent: field == Some("userAgent") && matches!(short, Short::Text(_)),
            short,
            item: item.clone(),
        }
    }

    /// The answer where the field is not there.
    pub(super) fn absent(&self) -> bool {
        match self.short {
            Short::There(wanted) => !wanted,
            _ => matches!(self.item.matcher, CompiledMatcher::Null),
        }
    }

    /// The long way: what `rsigma-eval` says.
    pub(super) fn by_evaluator(&self, tree: &Tree<'_>) -> bool {
        let item = &self.item;
        let Some(field) = &item.field else {
            return match item.exists {
                Some(wanted) => !wanted,
                None => item.matcher.matches_keyword(tree),
            };
        };
        if let Some(wanted) = item.exists {
            return tree.has(field) == wanted;
        }
        match tree.get_field(field) {
            Some(value) => item.matcher.matches(&value, tree),
            None => matches!(item.matcher, CompiledMatcher::Null),
        }
    }
}

impl Short {
    fn of(item: &CompiledDetectionItem) -> Self {
        if item.field.is_none() {
            return Self::None;
        }
        if let Some(wanted) = item.exists {
            return Self::There(wanted);
        }
        match &item.matcher {
            CompiledMatcher::Null => Self::Null,
            CompiledMatcher::BoolEq(wanted) => Self::Bool(*wanted),
            matcher => Asked::of(matcher).map_or(Self::None, Self::Text),
        }
    }

    /// The answer for one value that is there; `None` where it takes the long way.
    #[inline]
    pub(super) fn answer(&self, part: Part<'_>) -> Option<bool> {
        let kind = part.kind();
        match (self, kind) {
            (Self::There(wanted), _) => Some((kind != Kind::Null) == *wanted),
            (Self::Null, _) => Some(kind == Kind::Null),
            (Self::Bool(wanted), Kind::True) => Some(*wanted),
            (Self::Bool(wanted), Kind::False) => Some(!*wanted),
            (Self::Text(asked), Kind::Text) => {
                let text = part.plain()?;
                Some(asked.holds(&mut Haystack::new(text)))
            }
            (Self::Text(asked), Kind::True) => Some(asked.holds(&mut Haystack::new("true"))),
            (Self::Text(asked), Kind::False) => Some(asked.holds(&mut Haystack::new("false"))),
            _ => None,
        }
    }
}
