//! What the expressions of a state can see: variables and `$states`.

use super::Run;
use crate::clock::timestamp_text;
use crate::failure::Failure;
use crate::jsonata::{Member, Scope};
use crate::jsonpath::{Shape, View};
use crate::seen::Seen;
use crate::states::State;
use crate::thread::Visit;
use serde_json::{Map, Value, json};

/// Collects what `$states` has before it is bound.
pub(crate) struct ScopeBuilder<'r> {
    run: &'r Run<'r>,
    visit: &'r Visit,
    token: Option<&'r str>,
    item: Option<&'r Value>,
    outcome: Option<(&'static str, &'r Value)>,
}

impl Run<'_> {
    /// The scope of a visit, to be completed with what the moment offers.
    pub(crate) fn scope<'r>(&'r self, visit: &'r Visit) -> ScopeBuilder<'r> {
        ScopeBuilder {
            run: self,
            visit,
            token: None,
            item: None,
            outcome: None,
        }
    }

    /// `$$` of a visit.
    pub(crate) fn context(&self, visit: &Visit, token: Option<&str>) -> Value {
        let mut context = self.context_fields(visit);
        if let Some(token) = token {
            self.add_token(&mut context, token);
        }
        Value::Object(context)
    }

    /// `$$` where a Map shapes one of its items.
    fn item_context(&self, visit: &Visit, item: &Value) -> Value {
        let mut context = self.context_fields(visit);
        context.insert("Map".to_owned(), json!({ "Item": item }));
        Value::Object(context)
    }

    /// Shows a field what it can see: in JSONPath mode (where the state has a
    /// shape) the effective input, and the item where a Map shapes one.
    pub(crate) fn seeing<T>(
        &self,
        visit: &Visit,
        shape: Option<&Shape>,
        item: Option<&Value>,
        look: impl FnOnce(Seen<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(shape) = shape else {
            let scope = self.scope(visit);
            let scope = match item {
                Some(item) => scope.item(item),
                None => scope,
            };
            return look(Seen::Jsonata(&scope.finish()));
        };
        let context = match item {
            Some(item) => self.item_context(visit, item),
            None => self.context(visit, None),
        };
        let view = self.view(visit, &context);
        let input = shape.input(&view)?;
        look(Seen::Paths(view.on(&input)))
    }

    /// What the queries of a visit in JSONPath mode see.
    pub(crate) fn view<'v>(&'v self, visit: &'v Visit, context: &'v Value) -> View<'v> {
        View {
            input: &visit.input,
            context,
            variables: &self.thread.variables,
            outer: &self.outer,
            random: &self.random,
        }
    }

    fn add_token(&self, context: &mut Map<String, Value>, token: &str) {
        // A trial that was given a context has its token there.
        if self.context.is_none() {
            context.insert("Task".to_owned(), json!({ "Token": token }));
        }
    }

    fn context_fields(&self, visit: &Visit) -> Map<String, Value> {
        if let Some(context) = &self.context {
            return context.as_object().cloned().unwrap_or_default();
        }
        let machine = &self.execution.machine;
        let mut context = Map::from_iter([
            ("Execution".to_owned(), self.execution_fields()),
            (
                "StateMachine".to_owned(),
                json!({ "Id": machine.id, "Name": machine.name }),
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
        if let Some(item) = &self.thread.item {
            context.insert("Map".to_owned(), json!({ "Item": item }));
        }
        context
    }

    fn execution_fields(&self) -> Value {
        let execution = &self.execution;
        let own = self.thread.home.and_then(|id| execution.children.get(&id));
        let journal = own.unwrap_or(&execution.journal);
        json!({
            "Id": journal.id,
            "Input": journal.input,
            "Name": journal.name,
            "RoleArn": execution.machine.role_arn,
            "StartTime": timestamp_text(journal.started_at.unwrap_or(self.now.millis)),
            "RedriveCount": journal.redrives,
        })
    }
}

impl<'r> ScopeBuilder<'r> {
    /// Adds `$states.context.Task.Token`.
    pub(crate) fn token(mut self, token: Option<&'r str>) -> Self {
        self.token = token;
        self
    }

    /// Adds `$states.context.Map.Item`.
    pub(crate) fn item(mut self, item: &'r Value) -> Self {
        self.item = Some(item);
        self
    }

    /// Adds `$states.result`.
    pub(crate) fn result(mut self, result: &'r Value) -> Self {
        self.outcome = Some(("result", result));
        self
    }

    /// Adds `$states.errorOutput`.
    pub(crate) fn error_output(mut self, error_output: &'r Value) -> Self {
        self.outcome = Some(("errorOutput", error_output));
        self
    }

    /// The finished scope.
    pub(crate) fn finish(self) -> Scope<'r> {
        let run = self.run;
        let mut scope = Scope::drawing_from(run.now.millis, run.random.clone());
        scope.bind_all(&run.outer);
        scope.bind_all(&run.thread.variables);
        let mut members = vec![("input", Member::Given(&self.visit.input))];
        let outcome = self
            .outcome
            .map(|(name, value)| (name, Member::Given(value)));
        members.extend(outcome);
        members.push(("context", Member::made(move || self.context())));
        scope.bind_states(members);
        scope
    }

    fn context(&self) -> Value {
        let mut context = self.run.context_fields(self.visit);
        if let Some(token) = self.token {
            self.run.add_token(&mut context, token);
        }
        if let Some(item) = self.item {
            context.insert("Map".to_owned(), json!({ "Item": item }));
        }
        Value::Object(context)
    }
}
