//! What AWS can do, from the service models, as Step Functions spells it.

use quell_aws::{Spelling, names, registry, sdk_service};
use quell_states::Catalog;

/// The service models that are built in.
pub struct Models;

impl Catalog for Models {
    fn services(&self) -> Vec<String> {
        let services = registry::SERVICES.iter();
        services.map(|name| names::states_service(name)).collect()
    }

    fn actions(&self, service: &str) -> Option<Vec<String>> {
        // botocore's names are no names of tasks.
        let name = sdk_service(service);
        let model = registry::service(name).ok()?;
        let is_states_name = names::states_service(name) == service;
        let operations = model.operations.keys();
        is_states_name.then(|| operations.map(|name| action(name)).collect())
    }

    fn parameters(&self, service: &str, action: &str) -> Option<Vec<String>> {
        let model = registry::service(sdk_service(service)).ok()?;
        let operation = model.operations.get(&operation(action))?;
        let input = operation.input.as_ref().map(|input| model.view(input));
        Some(names::params_in_states(input, Spelling::Sdk))
    }
}

fn action(operation: &str) -> String {
    first_letter(operation, |letter| letter.to_ascii_lowercase())
}

fn operation(action: &str) -> String {
    first_letter(action, |letter| letter.to_ascii_uppercase())
}

fn first_letter(word: &str, change: impl Fn(char) -> char) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(change);
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_tasks() {
        assert!(Models.services().contains(&"cloudwatchlogs".to_owned()));
        assert_eq!(
            Models.actions("logs"),
            None,
            "Step Functions does not know it"
        );
        let actions = Models.actions("rds").unwrap();
        assert!(actions.contains(&"stopDBInstance".to_owned()));
        let parameters = Models.parameters("rds", "stopDBInstance").unwrap();
        assert!(parameters.contains(&"DbInstanceIdentifier".to_owned()));
        let parameters = Models.parameters("sfn", "startExecution").unwrap();
        assert!(parameters.contains(&"StateMachineArn".to_owned()));
        assert_eq!(Models.parameters("rds", "StopInstance"), None);
    }
}
