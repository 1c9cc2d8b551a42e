//! Leaving states, and ending executions.

use super::{Flow, Run};
use crate::document::fields::Transition;
use crate::effect::Effect;
use crate::execution::{Status, Visit};
use crate::failure::{Failure, RUNTIME};
use crate::history::{HistoryEventType, error_fields};
use crate::jsonata::Scope;
use crate::jsonpath::{Payload, ResultPath, Shape};
use crate::limits;
use crate::states::{Exit, ShapedExit};
use serde_json::{Map, Value};

impl Run<'_> {
    /// Evaluates a state's Assign and Output, writes its exit, and follows its
    /// transition. Both fields see the variables as they were on entry.
    pub(crate) fn leave(
        &mut self,
        visit: &Visit,
        exit: Exit<'_>,
        scope: &Scope,
        fallback: &Value,
    ) -> Result<Flow, Failure> {
        let field = |name: &str| format!("{}{name}", exit.prefix);
        let assigned = match exit.assign {
            Some(assign) => assign.evaluate(&field("Assign"), scope)?,
            None => Value::Null,
        };
        let output = match exit.output {
            Some(output) => output.evaluate(&field("Output"), scope)?,
            None => fallback.clone(),
        };
        let assigned = match assigned {
            Value::Object(assigned) => assigned,
            _ => Map::new(),
        };
        self.depart(visit, exit.event, output, &assigned, exit.transition)
    }

    /// What a state in JSONPath mode works on.
    pub(crate) fn shaped_input(
        &self,
        visit: &Visit,
        shape: &Shape,
        token: Option<&str>,
    ) -> Result<Value, Failure> {
        let context = self.context(visit, token);
        shape.input(&self.view(visit, &context))
    }

    /// Leaves a state in JSONPath mode with its result.
    pub(crate) fn leave_shaped(
        &mut self,
        visit: &Visit,
        exit: ShapedExit<'_>,
        result: Value,
    ) -> Result<Flow, Failure> {
        let context = self.context(visit, None);
        let view = self.view(visit, &context);
        let assigned = Shape::assigned(exit.assign, &result, &view)?;
        let output = exit.shape.output(result, &view)?;
        self.depart(visit, exit.event, output, &assigned, exit.transition)
    }

    /// Leaves a state in JSONPath mode because a Catch took its error.
    pub(crate) fn leave_caught(
        &mut self,
        visit: &Visit,
        event: HistoryEventType,
        (assign, result_path): (Option<&Payload>, Option<&ResultPath>),
        error_output: Value,
        transition: &Transition,
    ) -> Result<Flow, Failure> {
        let context = self.context(visit, None);
        let view = self.view(visit, &context);
        let assigned = Shape::assigned(assign, &error_output, &view)?;
        let output = match result_path {
            Some(path) => path.put(error_output, &visit.input)?,
            None => error_output,
        };
        self.depart(visit, event, output, &assigned, transition)
    }

    fn depart(
        &mut self,
        visit: &Visit,
        event: HistoryEventType,
        output: Value,
        assigned: &Map<String, Value>,
        transition: &Transition,
    ) -> Result<Flow, Failure> {
        self.within_limit(&output, &visit.state)?;
        self.assign(assigned, &visit.state)?;
        self.note_exited(event, &visit.state, &output, assigned);
        Ok(match transition {
            Transition::Next(next) => Flow::Next {
                state: next.clone(),
                input: output,
            },
            Transition::End => self.end_succeeded(output),
        })
    }

    fn assign(&mut self, assigned: &Map<String, Value>, state: &str) -> Result<(), Failure> {
        if assigned.is_empty() {
            return Ok(());
        }
        let mut size = 0;
        for value in assigned.values() {
            self.within_limit(value, state)?;
            size += value.to_string().len();
        }
        let kept: usize = self
            .execution
            .variables
            .iter()
            .filter(|(name, _)| !assigned.contains_key(*name))
            .map(|(_, value)| value.to_string().len())
            .sum();
        if size > limits::PAYLOAD_BYTES_MAX || size + kept > limits::VARIABLES_BYTES_MAX {
            return Err(Failure::data_limit(state));
        }
        for (name, value) in assigned {
            self.execution.variables.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    /// Refuses a payload over the quota.
    pub(crate) fn within_limit(&self, value: &Value, what: &str) -> Result<(), Failure> {
        if deeper_than(value, limits::PAYLOAD_DEPTH_MAX)
            || value.to_string().len() > limits::PAYLOAD_BYTES_MAX
        {
            return Err(Failure::data_limit(what));
        }
        Ok(())
    }

    pub(super) fn history_full(&mut self) -> Option<Flow> {
        // Room for what one state may write, and the event that ends it all.
        const ROOM: u64 = 6;
        (self.execution.events_written + ROOM > limits::HISTORY_EVENTS_MAX).then(|| {
            self.end_failed(
                Some(RUNTIME.to_owned()),
                Some(format!(
                    "The execution reached the maximum number of history events ({}).",
                    limits::HISTORY_EVENTS_MAX
                )),
            )
        })
    }

    /// Fails the execution over a state that has no Catch.
    pub(crate) fn fail(&mut self, visit: &Visit, failure: Failure) -> Flow {
        let failure = self.note_failure(visit, failure);
        self.end_failed(Some(failure.error), failure.cause)
    }

    /// The failure of an execution stepped with another definition than its own.
    pub(crate) fn mismatch(&self, state: &str) -> Failure {
        Failure::interpreter(
            RUNTIME,
            format!("The definition has no state '{state}' that this execution could be in."),
        )
    }

    pub(super) fn end_mismatch(&mut self, state: &str) -> Flow {
        let failure = self.mismatch(state);
        self.end_failed(Some(failure.error), failure.cause)
    }

    pub(super) fn abort(&mut self, error: String, cause: String) -> Flow {
        self.release();
        self.note_ended(
            HistoryEventType::ExecutionAborted,
            "executionAbortedEventDetails",
            error_fields(Some(&error), Some(&cause)),
        );
        self.finish(Status::Aborted { error, cause })
    }

    fn end_succeeded(&mut self, output: Value) -> Flow {
        self.note_succeeded(&output);
        self.finish(Status::Succeeded { output })
    }

    /// Ends the execution badly.
    pub(crate) fn end_failed(&mut self, error: Option<String>, cause: Option<String>) -> Flow {
        self.note_ended(
            HistoryEventType::ExecutionFailed,
            "executionFailedEventDetails",
            error_fields(error.as_deref(), cause.as_deref()),
        );
        self.finish(Status::Failed { error, cause })
    }

    pub(super) fn finish(&mut self, status: Status) -> Flow {
        if let Some(timer) = self.execution.deadline.take() {
            self.ask(Effect::CancelTimer { timer });
        }
        self.execution.paused = None;
        self.execution.status = status;
        self.ask(Effect::Finished);
        Flow::Stop
    }
}

/// Whether a payload nests more than `levels` arrays and objects.
fn deeper_than(value: &Value, levels: usize) -> bool {
    let Some(left) = levels.checked_sub(1) else {
        return value.is_array() || value.is_object();
    };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper_than(item, left)),
        Value::Object(fields) => fields.values().any(|field| deeper_than(field, left)),
        _ => false,
    }
}
