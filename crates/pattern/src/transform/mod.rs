//! Input transformers: what a rule passes to its target instead of the event.

mod error;
mod path;
mod template;
mod tree;

pub use error::TransformError;
use path::Path;
use template::{Filling, Template};
use tree::Tree;

use crate::error::EventError;
use crate::limits::{
    EVENT_DEPTH_MAX, INPUT_PATH_CHARS_MAX, INPUT_VARIABLES_MAX, PATTERN_DEPTH_MAX,
};

/// The event without its `detail`, as EventBridge names and orders the fields there, with the names in events.
const EVENT_FIELDS: [(&str, &str); 8] = [
    ("id", "id"),
    ("account", "account"),
    ("detailType", "detail-type"),
    ("time", "time"),
    ("source", "source"),
    ("region", "region"),
    ("resources", "resources"),
    ("version", "version"),
];

/// What a rule passes to its target.
///
/// Follows the Amazon EventBridge User Guide ("Amazon EventBridge input transformation"), the API Reference
/// ("InputTransformer", "Target") and, where they are silent, what AWS was recorded to deliver.
#[derive(Debug, Clone, PartialEq)]
pub struct Transformer {
    input: Input,
    escape: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Input {
    Event,
    Constant(String),
    Part(Path),
    Template {
        variables: Vec<(String, Path)>,
        template: Template,
    },
}

/// What the reserved variables stand for, beside the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// `<aws.events.rule-arn>`.
    pub rule_arn: &'a str,
    /// `<aws.events.rule-name>`.
    pub rule_name: &'a str,
    /// `<aws.events.event.ingestion-time>`: when the event was received, in ISO 8601.
    pub ingestion_time: &'a str,
}

/// A variable every template has.
#[derive(Clone, Copy)]
enum Reserved {
    RuleArn,
    RuleName,
    IngestionTime,
    Event,
    EventJson,
}

impl Reserved {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "aws.events.rule-arn" => Self::RuleArn,
            "aws.events.rule-name" => Self::RuleName,
            "aws.events.event.ingestion-time" => Self::IngestionTime,
            "aws.events.event" => Self::Event,
            "aws.events.event.json" => Self::EventJson,
            _ => return None,
        })
    }
}

impl Transformer {
    /// Reads the JSON of a target, `{"InputPath": …}`, `{"InputTransformer": …}` or `{"Input": …}`, or of an input
    /// transformer alone, `{"InputPathsMap": …, "InputTemplate": …}`. Other members of a target are passed over; a
    /// target without any of these is given the event.
    ///
    /// # Errors
    ///
    /// When EventBridge would refuse it, or could find nothing with one of its paths.
    pub fn parse(target_json: &str) -> Result<Self, TransformError> {
        let target = Tree::parse(target_json, PATTERN_DEPTH_MAX)?;
        if !matches!(target, Tree::Object(_)) {
            return Err(TransformError::Form("the target"));
        }
        let text = |tree: &Tree, name| match tree {
            Tree::Text(text) => Ok(text.clone()),
            _ => Err(TransformError::Form(name)),
        };
        let bare = target.member("InputTemplate").map(|_| &target);
        let ways = (
            target.member("Input"),
            target.member("InputPath"),
            target.member("InputTransformer").or(bare),
        );
        match ways {
            (None, None, None) => Ok(Self::of(Input::Event)),
            (Some(input), None, None) => Ok(Self::of(Input::Constant(text(input, "Input")?))),
            (None, Some(path), None) => Self::path(&text(path, "InputPath")?),
            (None, None, Some(transformer)) => {
                let template = transformer.member("InputTemplate");
                let template = template.ok_or(TransformError::Form("InputTransformer"))?;
                let mut variables = Vec::new();
                match transformer.member("InputPathsMap") {
                    None => {}
                    Some(Tree::Object(members)) => {
                        for (name, path) in members {
                            variables.push((name.clone(), text(path, "InputPathsMap")?));
                        }
                    }
                    Some(_) => return Err(TransformError::Form("InputPathsMap")),
                }
                let variables = variables.iter().map(|(n, p)| (n.as_str(), p.as_str()));
                Self::template(variables, &text(template, "InputTemplate")?)
            }
            _ => Err(TransformError::OnlyOne),
        }
    }

    /// An `InputPath`: the part of the event at a JSON path, or `null` where the event has none.
    ///
    /// # Errors
    ///
    /// When EventBridge does not support the path.
    pub fn path(input_path: &str) -> Result<Self, TransformError> {
        Ok(Self::of(Input::Part(Path::parse(input_path)?)))
    }

    /// An `InputTransformer`: the names and paths of its `InputPathsMap`, and its `InputTemplate`.
    ///
    /// # Errors
    ///
    /// When a name, a path or the template is not as EventBridge wants it.
    pub fn template<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        input_template: &str,
    ) -> Result<Self, TransformError> {
        let mut known = Vec::new();
        for (name, path) in variables {
            let right = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let length = (1..=INPUT_PATH_CHARS_MAX).contains(&name.len());
            if !length || !name.chars().all(right) || name.starts_with("AWS") {
                return Err(TransformError::Variable(name.to_owned()));
            }
            known.push((name.to_owned(), Path::parse(path)?));
        }
        if known.len() > INPUT_VARIABLES_MAX {
            return Err(TransformError::TooManyVariables);
        }
        let is_variable = |name: &str| {
            Reserved::named(name).is_some() || known.iter().any(|(known, _)| known == name)
        };
        let template = Template::parse(input_template, is_variable)?;
        Ok(Self::of(Input::Template {
            variables: known,
            template,
        }))
    }

    fn of(input: Input) -> Self {
        Self {
            input,
            escape: false,
        }
    }

    /// The same, with the values that go into strings escaped. EventBridge does not escape them, so that a value with
    /// a quote breaks the JSON or adds members to it; whoever sends events can then say what the target reads.
    #[must_use]
    pub fn escaping(mut self) -> Self {
        self.escape = true;
        self
    }

    /// What is passed to the target for the event with this JSON text.
    ///
    /// # Errors
    ///
    /// When the text is not a JSON object, or nested deeper than [`crate::EVENT_DEPTH_MAX`].
    pub fn apply(&self, event_json: &str, context: &Context<'_>) -> Result<String, EventError> {
        let event = Tree::parse(event_json, EVENT_DEPTH_MAX)?;
        if !matches!(event, Tree::Object(_)) {
            return Err(EventError::NotAnObject);
        }
        Ok(match &self.input {
            Input::Event => event.json(),
            Input::Constant(text) => text.clone(),
            Input::Part(path) => path
                .find(&event)
                .map_or("null".to_owned(), |part| part.json()),
            Input::Template {
                variables,
                template,
            } => template.fill(self.escape, |name| {
                let text = |text: &str| Filling::Value(Some(Tree::Text(text.to_owned())));
                match Reserved::named(name) {
                    Some(Reserved::RuleArn) => text(context.rule_arn),
                    Some(Reserved::RuleName) => text(context.rule_name),
                    Some(Reserved::IngestionTime) => text(context.ingestion_time),
                    Some(Reserved::Event) => Filling::Event(without_detail(&event)),
                    Some(Reserved::EventJson) => Filling::Event(event.clone()),
                    None => {
                        let path = variables.iter().find(|(known, _)| known == name);
                        Filling::Value(path.and_then(|(_, path)| path.find(&event)))
                    }
                }
            }),
        })
    }
}

fn without_detail(event: &Tree) -> Tree {
    let member = |(name, field): &(&str, &str)| {
        let value = event.member(field)?.clone();
        Some(((*name).to_owned(), value))
    };
    Tree::Object(EVENT_FIELDS.iter().filter_map(member).collect())
}

#[cfg(test)]
mod tests;
