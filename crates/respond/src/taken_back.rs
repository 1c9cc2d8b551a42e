//! What takes a run back, as far as it has come: kept with every answer, so that it is there whatever fails next.

use quell_model::{Call, Plan, PlannedCall, UndoCall};
use serde_json::{Map, Value, json};

use crate::run::{Mode, Run, RunStatus};

/// How a response that failed half way ended when nothing may be taken back by machine: somebody else has a hand in it, a
/// person said no to a later stage or did not answer, the state cannot be read, or what is done is right and is not all.
const HELD: &[&str] = &[
    "Quell.VerifyFailed",
    "Quell.Drifted",
    "Quell.ReadFailed",
    "Quell.Refused",
    "Quell.ApprovalExpired",
    "Quell.PermitFailed",
    "Quell.PersonNeeded",
    "Quell.PlaybookChanged",
];

impl Run {
    /// A call of the plan was accepted, or may have been: whoever takes the run back makes the calls that take it back
    /// first. The same call again changes nothing.
    pub fn note_done(&mut self, call: &Call) {
        let Some(plan) = self.plan.as_ref().filter(|_| self.mode == Mode::Respond) else {
            return;
        };
        let is_it = |planned: &&PlannedCall| {
            let known = Call::of_task(&planned.resource, &planned.arguments);
            known.is_some_and(|known| {
                known.service == call.service
                    && known.operation == call.operation
                    && known.params == call.params
            })
        };
        if let Some(planned) = plan.calls.iter().find(is_it) {
            self.undo = Some(with_call(self.undo.take(), plan, &planned.undo));
        }
    }

    /// Another plan of the run is permitted: what was done so far belongs to stages that were verified.
    pub fn note_stage(&mut self) {
        self.earlier = self.undo.clone();
    }

    /// Whether a response that has ended is taken back at once, as far as its last stage goes: that changed something, and
    /// a step of its own failed.
    pub fn is_to_be_taken_back(&self) -> bool {
        let error = self.outcome.as_deref().unwrap_or_default();
        self.mode == Mode::Respond
            && self.status == RunStatus::Parked
            && !HELD.contains(&error)
            && !self.stage_calls().is_empty()
    }

    /// What takes back the last stage alone.
    pub fn stage_undo(&self) -> Value {
        let image = |name: &str| match (&self.plan, name) {
            (Some(plan), "before") => plan.before.clone(),
            (Some(plan), _) => plan.after.clone(),
            (None, _) => Value::Null,
        };
        json!({"before": image("before"), "after": image("after"), "calls": self.stage_calls()})
    }

    /// It was taken back: all of it, or (`stage_only`) its last stage.
    pub fn note_taken_back(&mut self, stage_only: bool) {
        match self.earlier.take().filter(|_| stage_only) {
            Some(earlier) => self.undo = Some(earlier),
            None => self.status = RunStatus::Undone,
        }
    }

    /// The calls that take back the last stage: those in front of what was there when it was permitted.
    fn stage_calls(&self) -> &[Value] {
        let all = calls(self.undo.as_ref());
        let earlier = calls(self.earlier.as_ref()).len();
        all.get(..all.len().saturating_sub(earlier))
            .unwrap_or_default()
    }
}

fn calls(undo: Option<&Value>) -> &[Value] {
    let calls = undo.and_then(|undo| undo.get("calls"));
    calls.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The record of what to take back with another call's way back in front, and the images of its plan taken in: of what was
/// before, the first that was seen counts; of what is after, the last.
fn with_call(recorded: Option<Value>, plan: &Plan, undo: &[UndoCall]) -> Value {
    let recorded = recorded.unwrap_or_else(|| json!({"calls": []}));
    let known = recorded
        .get("calls")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut calls: Vec<Value> = undo.iter().map(|call| json!(call)).collect();
    if !calls.iter().all(|call| known.contains(call)) {
        calls.extend(known);
    } else {
        calls = known;
    }
    let (before, after) = (recorded.get("before"), recorded.get("after"));
    json!({
        "before": before.map_or_else(|| plan.before.clone(), |before| earlier(before, after, plan)),
        "after": after.map_or_else(|| plan.after.clone(), |after| later(after, plan)),
        "calls": calls,
    })
}

fn attributes(image: &Value) -> Option<&Map<String, Value>> {
    image.get("attributes").and_then(Value::as_object)
}

/// The state before the first stage, and what a later one looked at besides; not what an earlier one made.
fn earlier(before: &Value, after: Option<&Value>, plan: &Plan) -> Value {
    match (attributes(&plan.before), attributes(before)) {
        (Some(later), Some(earlier)) => {
            let made = after.and_then(attributes);
            let mut all = later.clone();
            all.retain(|key, _| made.is_none_or(|made| !made.contains_key(key)));
            all.extend(earlier.clone());
            json!({"attributes": all})
        }
        _ => before.clone(),
    }
}

/// The state that a later stage leaves.
fn later(earlier: &Value, plan: &Plan) -> Value {
    match attributes(&plan.after) {
        Some(_) => plan.after.clone(),
        None => earlier.clone(),
    }
}
