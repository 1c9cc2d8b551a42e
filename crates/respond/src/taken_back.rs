//! What takes a run back, as far as it has come: kept with every answer, so that it is there whatever fails next.

use quell_model::{Call, Outcome, Plan, PlannedCall, Receipt, UndoCall};
use quell_states::TaskId;
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
    /// A changing call is about to be made. Until it is answered it may have been: Quell may stop in between, and for so long that
    /// nobody asks for the task any more.
    pub fn note_intended(&mut self, task: TaskId, call: &Call) {
        let earlier = self.unanswered.iter();
        let earlier = earlier.filter(|(other, known)| **other != task && *known == call);
        let earlier: Vec<TaskId> = earlier.map(|(other, _)| *other).collect();
        for other in earlier {
            self.unanswered.remove(&other);
            self.note_done(call);
        }
        self.unanswered.insert(task, call.clone());
    }

    /// A changing call was answered, or nobody waits for its answer any more.
    pub fn note_receipt(&mut self, receipt: &Receipt) {
        self.unanswered.retain(|_, call| *call != receipt.call);
        if !matches!(receipt.outcome, Outcome::Refused { .. }) {
            self.note_done(&receipt.call);
        }
    }

    /// Nobody will answer what is not answered yet: before another plan, and at the end.
    pub fn note_unanswered(&mut self) {
        for call in std::mem::take(&mut self.unanswered).into_values() {
            self.note_done(&call);
        }
    }

    /// A call of the plan was accepted, or may have been: whoever takes the run back makes the calls that take it back
    /// first. The same call again changes nothing.
    fn note_done(&mut self, call: &Call) {
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

#[cfg(test)]
mod tests {
    use quell_model::Timestamp;
    use quell_states::{Definition, Event, MachineRef, Moment};

    use super::*;
    use crate::{Flow, LogEntry};

    /// The ids of two tasks of one document.
    fn tasks() -> [TaskId; 2] {
        let branch = |name: &str| {
            json!({"StartAt": name, "States": {name: {"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::aws-sdk:iam:updateAccessKey"}}})
        };
        let document = json!({"QueryLanguage": "JSONata", "StartAt": "P", "States": {"P": {
            "Type": "Parallel", "End": true, "Branches": [branch("A"), branch("B")]}}});
        let definition = Definition::parse(&document.to_string()).unwrap();
        let mut flow = Flow::new(definition, "r", MachineRef::default(), Value::Null);
        flow.apply(LogEntry::Input {
            event: Event::Started,
            moment: Moment::new(0, 0),
        });
        let tasks: Vec<TaskId> = flow.tasks().map(|task| task.request.task).collect();
        tasks.try_into().unwrap()
    }

    fn status(key: &str, status: &str) -> Value {
        json!({"resource": "arn:aws:states:::aws-sdk:iam:updateAccessKey",
            "arguments": {"AccessKeyId": key, "Status": status}, "sets": {key: status}})
    }

    fn run() -> Run {
        let call = |key: &str| {
            let mut call = status(key, "Inactive");
            call["class"] = json!("R1");
            call["undo"] = json!([status(key, "Active")]);
            call
        };
        let image = |of: &str| json!({"attributes": {"one": of, "two": of}});
        let plan = json!({"playbook": "PB-001", "resource": "r", "summary": "s", "calls": [call("one"), call("two")],
            "before": image("Active"), "after": image("Inactive"), "facts": {}});
        serde_json::from_value(json!({
            "id": "run-1", "playbook": "PB-001", "playbookVersion": "1.0.0", "playbookDigest": "d",
            "mode": "respond", "incident": "inc-1", "status": "running", "coversFindings": 1,
            "timeline": [], "plan": plan,
            "resource": {"arn": "arn:aws:iam::111122223333:user/eve", "type": "AWS::IAM::User", "id": "eve"},
        }))
        .unwrap()
    }

    fn call(key: &str) -> Call {
        let planned = status(key, "Inactive");
        Call::of_task(planned["resource"].as_str().unwrap(), &planned["arguments"]).unwrap()
    }

    fn receipt(run: &Run, key: &str, outcome: Outcome) -> Receipt {
        Receipt {
            run: run.id.clone(),
            call: call(key),
            plan_hash: String::new(),
            request_id: None,
            sent_at: Timestamp::EPOCH,
            ended_at: Timestamp::EPOCH,
            outcome,
        }
    }

    fn no() -> Outcome {
        Outcome::Refused { code: "no".into() }
    }

    /// The keys that a taking back would set, in order.
    fn back(run: &Run) -> Vec<String> {
        let calls = run
            .undo
            .as_ref()
            .map_or(json!([]), |undo| undo["calls"].clone());
        let calls: Vec<UndoCall> = serde_json::from_value(calls).unwrap();
        let keys = calls.iter().flat_map(|call| call.sets.keys());
        keys.cloned().collect()
    }

    #[test]
    fn what_was_accepted_is_taken_back_last_first_and_what_was_refused_is_not() {
        let ([a, b], mut run) = (tasks(), run());
        run.note_intended(a, &call("one"));
        run.note_receipt(&receipt(&run, "one", Outcome::Accepted));
        run.note_intended(b, &call("two"));
        run.note_receipt(&receipt(&run, "two", no()));
        run.note_unanswered();
        assert_eq!(back(&run), ["one"]);
        for (error, back) in [("Quell.StepFailed", true), ("Quell.VerifyFailed", false)] {
            run.status = RunStatus::Parked;
            run.outcome = Some(error.to_owned());
            assert_eq!(run.is_to_be_taken_back(), back, "{error}");
        }
        run.note_receipt(&receipt(&run, "two", Outcome::Accepted));
        assert_eq!(back(&run), ["two", "one"]);
    }

    #[test]
    fn a_stage_that_failed_is_taken_back_alone_and_what_a_person_stopped_stays() {
        let mut first = run();
        first.note_receipt(&receipt(&first, "one", Outcome::Accepted));
        // Another plan is permitted: what was done is verified.
        first.note_stage();
        first.note_receipt(&receipt(&first, "two", Outcome::Accepted));
        let stopped = quell_states::Status::Aborted {
            error: "States.TaskFailed".into(),
            cause: "ann stopped it".into(),
        };
        let failed = quell_states::Status::Failed {
            error: Some("Quell.StepFailed".into()),
            cause: None,
        };
        let mut by_ann = first.clone();
        by_ann.end(&stopped, Timestamp::EPOCH);
        assert!(!by_ann.is_to_be_taken_back());
        assert_eq!(back(&by_ann), ["two", "one"], "and ann may take it back");
        first.end(&failed, Timestamp::EPOCH);
        assert!(first.is_to_be_taken_back());
        let calls: Vec<UndoCall> =
            serde_json::from_value(first.stage_undo()["calls"].clone()).unwrap();
        assert_eq!(calls.len(), 1);
        assert!(calls[0].sets.contains_key("two"));
        first.note_taken_back(true);
        assert_eq!(
            (first.status, back(&first)),
            (RunStatus::Parked, vec!["one".to_owned()])
        );
    }

    /// Quell stopped after the intent: nobody knows, so it counts as done, also when the same call is refused later.
    #[test]
    fn what_was_never_answered_counts_as_done() {
        let ([a, b], mut run) = (tasks(), run());
        run.note_intended(a, &call("one"));
        assert_eq!(back(&run), [""; 0], "it may still be answered");
        let text = serde_json::to_string(&run).unwrap();
        let mut again: Run = serde_json::from_str(&text).unwrap();
        again.note_unanswered();
        assert_eq!(back(&again), ["one"]);
        run.note_intended(b, &call("one"));
        run.note_receipt(&receipt(&run, "one", no()));
        assert_eq!(back(&run), ["one"]);
        assert!(run.unanswered.is_empty());
    }

    /// A batch that is refused is made again, and its notes are taken in again.
    #[test]
    fn the_same_note_twice_changes_nothing() {
        let ([a, _], mut run) = (tasks(), run());
        for _ in 0..2 {
            run.note_intended(a, &call("one"));
        }
        for _ in 0..2 {
            run.note_receipt(&receipt(&run, "one", no()));
        }
        assert_eq!(back(&run), [""; 0]);
        for _ in 0..2 {
            run.note_receipt(&receipt(&run, "one", Outcome::Accepted));
        }
        assert_eq!(back(&run), ["one"]);
    }
}
