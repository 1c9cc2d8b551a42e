//! Leaving states, well or badly.

use super::{Flow, Run};
use crate::document::fields::Transition;
use crate::failure::{Failure, RUNTIME};
use crate::history::HistoryEventType;
use crate::jsonata::Scope;
use crate::jsonpath::{Payload, ResultPath, Shape};
use crate::limits;
use crate::states::{Exit, ShapedExit};
use crate::thread::{Awaiting, Visit};
use serde_json::{Map, Value};

/// What a state leaves behind.
pub(crate) struct Left {
    assigned: Map<String, Value>,
    output: Value,
}

impl Exit<'_> {
    /// Evaluates a state's Assign and Output; without an Output, it is `fallback`. Both fields see the variables as they were
    /// on entry.
    pub(crate) fn evaluate(&self, scope: &Scope<'_>, fallback: &Value) -> Result<Left, Failure> {
        let field = |name: &str| format!("{}{name}", self.prefix);
        let assigned = match self.assign {
            Some(assign) => assign.evaluate(&field("Assign"), scope)?,
            None => Value::Null,
        };
        let output = match self.output {
            Some(output) => output.evaluate(&field("Output"), scope)?,
            None => fallback.clone(),
        };
        let assigned = match assigned {
            Value::Object(assigned) => assigned,
            _ => Map::new(),
        };
        Ok(Left { assigned, output })
    }
}

impl Run<'_> {
    /// Writes a state's exit and follows its transition.
    pub(crate) fn leave(
        &mut self,
        visit: &Visit,
        exit: Exit<'_>,
        left: Left,
    ) -> Result<Flow, Failure> {
        self.depart(
            visit,
            exit.event,
            left.output,
            &left.assigned,
            exit.transition,
        )
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
            Transition::End => Flow::Done(output),
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
            .thread
            .variables
            .iter()
            .filter(|(name, _)| !assigned.contains_key(*name))
            .map(|(_, value)| value.to_string().len())
            .sum();
        if size > limits::PAYLOAD_BYTES_MAX || size + kept > limits::VARIABLES_BYTES_MAX {
            return Err(Failure::data_limit(state));
        }
        for (name, value) in assigned {
            self.thread.variables.insert(name.clone(), value.clone());
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

    /// Fails the thread where its history has no room for what one state may
    /// write; the visit is left for a redrive.
    pub(super) fn history_full(&mut self, visit: &Visit) -> Option<Flow> {
        // The event that ends it all needs room too.
        const ROOM: u64 = 6;
        (self.events_written() + ROOM > limits::HISTORY_EVENTS_MAX).then(|| {
            let cause = format!(
                "The execution reached the maximum number of history events ({}).",
                limits::HISTORY_EVENTS_MAX
            );
            let failure = Failure::task(RUNTIME, Some(cause));
            self.give_up(visit.clone(), Awaiting::Redrive, failure)
        })
    }

    /// Fails the thread over a state that has no Catch.
    pub(crate) fn fail(&mut self, visit: &Visit, failure: Failure) -> Flow {
        let failure = self.note_failure(visit, failure);
        self.give_up(visit.clone(), Awaiting::Redrive, failure)
    }

    /// Fails the thread, leaving its state for a redrive.
    pub(crate) fn give_up(&mut self, visit: Visit, left: Awaiting, failure: Failure) -> Flow {
        self.pause(visit, left);
        Flow::Failed {
            error: failure.error,
            cause: failure.cause,
        }
    }

    /// The failure of an execution stepped with another definition than its own.
    pub(crate) fn mismatch(&self, state: &str) -> Failure {
        Failure::interpreter(
            RUNTIME,
            format!("The definition has no state '{state}' that this execution could be in."),
        )
    }

    pub(super) fn mismatched(&mut self, state: &str) -> Flow {
        let Failure { error, cause, .. } = self.mismatch(state);
        Flow::Failed { error, cause }
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
