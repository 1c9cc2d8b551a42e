//! What the expressions of a state can see: variables and `$states`.

use super::Run;
use crate::clock::timestamp_text;
use crate::execution::Visit;
use crate::jsonata::Scope;
use crate::jsonpath::View;
use crate::states::State;
use serde_json::{Map, Value, json};

/// Collects `$states` before it is bound.
pub(crate) struct ScopeBuilder<'r> {
    run: &'r Run<'r>,
    context: Map<String, Value>,
    states: Map<String, Value>,
}

impl Run<'_> {
    /// The scope of a visit, to be completed with what the moment offers.
    pub(crate) fn scope<'r>(&'r self, visit: &Visit) -> ScopeBuilder<'r> {
        ScopeBuilder {
            run: self,
            context: self.context_fields(visit, None),
            states: Map::from_iter([("input".to_owned(), visit.input.clone())]),
        }
    }

    /// `$$` of a visit.
    pub(crate) fn context(&self, visit: &Visit, token: Option<&str>) -> Value {
        Value::Object(self.context_fields(visit, token))
    }

    /// What the queries of a visit in JSONPath mode see.
    pub(crate) fn view<'v>(&'v self, visit: &'v Visit, context: &'v Value) -> View<'v> {
        View {
            input: &visit.input,
            context,
            variables: &self.execution.variables,
            random: &self.random,
        }
    }

    fn context_fields(&self, visit: &Visit, token: Option<&str>) -> Map<String, Value> {
        let execution = &self.execution;
        let started = execution.started_at.unwrap_or(self.now.millis);
        let mut context = Map::from_iter([
            (
                "Execution".to_owned(),
                json!({
                    "Id": execution.id,
                    "Input": execution.input,
                    "Name": execution.name,
                    "RoleArn": execution.machine.role_arn,
                    "StartTime": timestamp_text(started),
                    "RedriveCount": 0,
                }),
            ),
            (
                "StateMachine".to_owned(),
                json!({ "Id": execution.machine.id, "Name": execution.machine.name }),
            ),
        ]);

        let mut state = json!({
            "Name": visit.state,
            "EnteredTime": timestamp_text(visit.entered_at),
        });
        // Recorded on AWS: only states that can retry say how often they did.
        let retries = self.machine.states.get(&visit.state).map(State::retries);
        if let (Some(true), Value::Object(fields)) = (retries, &mut state) {
            fields.insert("RetryCount".to_owned(), Value::from(visit.attempt));
        }
        context.insert("State".to_owned(), state);
        if let Some(token) = token {
            context.insert("Task".to_owned(), json!({ "Token": token }));
        }
        context
    }
}

impl ScopeBuilder<'_> {
    /// Adds `$states.context.Task.Token`.
    pub(crate) fn token(mut self, token: Option<&str>) -> Self {
        if let Some(token) = token {
            self.context
                .insert("Task".to_owned(), json!({ "Token": token }));
        }
        self
    }

    /// Adds `$states.result`.
    pub(crate) fn result(mut self, result: &Value) -> Self {
        self.states.insert("result".to_owned(), result.clone());
        self
    }

    /// Adds `$states.errorOutput`.
    pub(crate) fn error_output(mut self, error_output: &Value) -> Self {
        self.states
            .insert("errorOutput".to_owned(), error_output.clone());
        self
    }

    /// The finished scope.
    pub(crate) fn finish(mut self) -> Scope {
        let mut scope = Scope::drawing_from(self.run.now.millis, self.run.random.clone());
        for (name, value) in &self.run.execution.variables {
            scope.bind(name, value);
        }
        self.states
            .insert("context".to_owned(), Value::Object(self.context));
        scope.bind("states", &Value::Object(self.states));
        scope
    }
}
