//! The schema: what is published, and an action for each call.

use std::collections::BTreeSet;

use cedar_policy::Schema;
use quell_guard::action_group;

/// The part of the schema that is the same everywhere, as the content has it.
pub const PUBLISHED: &str = include_str!("../../../content/policies/schema.cedarschema");

/// A call as policies name it: `ec2:StopInstances`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action {
    /// As a task names it.
    pub service: String,
    /// The operation.
    pub operation: String,
}

impl Action {
    /// An action.
    pub fn new(service: impl Into<String>, operation: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            operation: operation.into(),
        }
    }

    /// The action of its name, when it is one and could be a call: letters and digits around one colon.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let (service, operation) = name.split_once(':')?;
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        (is_word(service) && is_word(operation)).then(|| Self::new(service, operation))
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// The whole schema over these actions, as text.
pub fn schema_text(actions: &BTreeSet<Action>) -> String {
    let mut text = PUBLISHED.to_owned();
    text.push('\n');
    for action in actions {
        // Names with a quotation mark in them are no actions; what was declared may still be anything.
        let Some(action) = Action::of_name(&action.name()) else {
            continue;
        };
        let group = action_group(&action.service, &action.operation);
        text.push_str(&format!(
            "action \"{}\" in [\"{group}\"] appliesTo {{ principal: Playbook, resource: Resource, context: Circumstances }};\n",
            action.name()
        ));
    }
    text
}

/// The schema over these actions, or why there is none.
pub(crate) fn schema(actions: &BTreeSet<Action>) -> Result<Schema, String> {
    match Schema::from_cedarschema_str(&schema_text(actions)) {
        Ok((schema, _)) => Ok(schema),
        Err(error) => Err(error.to_string()),
    }
}
