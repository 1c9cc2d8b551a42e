//! Runs that tasks of other runs start: how they begin, what their end means to those, and how they are stopped.
//!
//! A nested run is stored in the batch that says its task was submitted, and its end is said to its parent in the batch
//! that ends it; so each happens once, whatever crashes.

use quell_guard::Permit;
use quell_model::{Call, Receipt, RunId, Timestamp};
use quell_respond::task::{Awaits, ChildEnd, ExecutionTask, TaskFault};
use quell_respond::{Flow, LogEntry, Mode, Parent, Playbook, Run, RunStatus, Stage};
use quell_states::{Event, Status, TaskId};
use quell_store::{Document, Kind, StoreError, Write};

use crate::app::App;
use crate::begin;
use crate::runner::{Answer, Begin, Ended, signal, wake};

/// What a nested run ends with when nobody waits for it any more.
const STOPPED: (&str, &str) = (
    "States.TaskFailed",
    "the execution that waited for this one ended, or waits no more",
);

/// Starts the run that a task asks for.
pub(super) async fn begin(
    app: &App,
    run: &mut Run,
    task: TaskId,
    execution: &ExecutionTask,
    permit: &Permit,
) -> Result<Begin, StoreError> {
    let now = app.clock.now();
    let child = match nested(app, run, task, execution, permit) {
        Ok(child) => child,
        Err(fault) => return Ok(failed(fault)),
    };
    let stored = app.state.get(Kind::Run, child.id.as_str()).await?;
    let (started, writes) = match stored {
        None => (now, writes(&child)?),
        // The name was given before, by this run. The same execution again is the one there is.
        Some(stored) => match same(&stored.read()?, execution) {
            Some(started) => (started, Vec::new()),
            None => return Ok(failed(execution.name_is_taken(child.id.as_str()))),
        },
    };
    if execution.awaits().is_end() {
        run.children.insert(task, child.id.clone());
    }
    let said = execution.started(child.id.as_str(), started.millis());
    let answer = Answer {
        ended: match execution.awaits() {
            Awaits::Start => Ended::Succeeded(said),
            Awaits::End | Awaits::EndAsJson | Awaits::Token => Ended::Elsewhere(said),
        },
        entries: vec![receipt(run, execution.call(), permit, now)],
    };
    Ok(Begin::Answered { answer, writes })
}

fn failed(fault: TaskFault) -> Begin {
    Begin::Answered {
        answer: Answer::failed(fault.error, fault.cause),
        writes: Vec::new(),
    }
}

fn nested(
    app: &App,
    run: &Run,
    task: TaskId,
    execution: &ExecutionTask,
    permit: &Permit,
) -> Result<Run, TaskFault> {
    let now = app.clock.now();
    let refused = |error: &str, cause: String| TaskFault {
        error: error.to_owned(),
        cause,
    };
    let (account, region) = (&run.resource.account, &run.resource.region);
    permit
        .check(account, region, execution.call(), now)
        .map_err(|no| refused("States.Permissions", no.to_string()))?;
    if run.mode == Mode::Undo {
        let cause = "an undo makes the recorded calls and starts nothing else".to_owned();
        return Err(refused("Quell.NotPermitted", cause));
    }
    let playbook = machine(app, execution.machine()).ok_or_else(|| execution.no_such_machine())?;
    let parent = Parent {
        task,
        execution: execution.clone(),
        above: run.above_nested(&playbook.id)?,
    };
    Ok(begin::nested(run, playbook, parent, now))
}

/// What can be started is a playbook of the content, by its id, as `$states.context.StateMachine.Id` calls it, or by
/// the ARN that it has on Step Functions when its state machine there is called like it.
fn machine<'a>(app: &'a App, name: &str) -> Option<&'a Playbook> {
    let by_arn = |arn: &str| Some(arn.split_once(":stateMachine:")?.1.to_owned());
    let id = match name.strip_prefix("arn:") {
        Some(arn) => by_arn(arn)?,
        None => name
            .strip_prefix("quell:playbook/")
            .unwrap_or(name)
            .to_owned(),
    };
    app.content.playbooks.get(&id)
}

fn writes(child: &Run) -> Result<Vec<Write>, StoreError> {
    let [document, wake, told] = begin::writes(child)?;
    let document = match document {
        // Whoever was faster is read before the task is begun anew.
        Write::InsertNew(document) => Write::Insert(document),
        other => other,
    };
    Ok(vec![document, wake, told])
}

/// When the run that has the name began, if it was asked for in the same way and is still at work.
fn same(stored: &Run, execution: &ExecutionTask) -> Option<Timestamp> {
    let is_same = stored.outcome.is_none()
        && stored
            .parent
            .as_ref()
            .is_some_and(|parent| parent.execution.input() == execution.input());
    is_same.then(|| stored.reached(Stage::Opened)).flatten()
}

fn receipt(run: &Run, call: &Call, permit: &Permit, now: Timestamp) -> LogEntry {
    LogEntry::Receipt(Box::new(Receipt {
        run: run.id.clone(),
        call: call.clone(),
        plan_hash: permit.plan_hash().to_owned(),
        request_id: None,
        sent_at: now,
        ended_at: now,
        outcome: quell_model::Outcome::Accepted,
    }))
}

/// What the end of a nested run says to the task that awaits it. `status`: how its document ended.
pub(super) fn ended(
    run: &Run,
    status: &Status,
    now: Timestamp,
) -> Result<Option<Write>, StoreError> {
    let Some(parent) = &run.parent else {
        return Ok(None);
    };
    let (Some(above), true) = (parent.run(), parent.execution.awaits().is_end()) else {
        return Ok(None);
    };
    let name = parent.execution.name().unwrap_or(run.id.as_str());
    let end = ChildEnd {
        execution: run.id.to_string(),
        name: name.to_owned(),
        started_at: run.reached(Stage::Opened).unwrap_or_default().millis(),
        stopped_at: now.millis(),
        status: believed(run, status),
    };
    let task = parent.task;
    let event = match parent.execution.ended(&end) {
        Ok(output) => Event::TaskSucceeded { task, output },
        Err(TaskFault { error, cause }) => Event::TaskFailed { task, error, cause },
    };
    let account = &run.resource.account;
    signal::job_ended(above, account, run.id.as_str(), event, now).map(Some)
}

/// A document that says it is done, and whose word was not taken for it, has failed.
fn believed(run: &Run, status: &Status) -> Status {
    match (status, run.status) {
        (Status::Succeeded { .. }, RunStatus::Parked) => Status::Failed {
            error: run.outcome.clone(),
            cause: run.reason.clone(),
        },
        (status, _) => status.clone(),
    }
}

/// Stops the nested runs whose tasks are not waited for any more, and forgets those that have ended.
pub(super) async fn stop_unawaited(
    app: &App,
    run: &mut Run,
    flow: &Flow,
) -> Result<Vec<Write>, StoreError> {
    let over = run
        .children
        .iter()
        .filter(|(task, _)| flow.task(**task).is_none());
    let over: Vec<(TaskId, RunId)> = over.map(|(task, id)| (*task, id.clone())).collect();
    let mut writes = Vec::new();
    for (task, child) in over {
        match at_work(app, &child).await? {
            Some(wake) => {
                let now = app.clock.now();
                writes.push(signal::stopped(&child, &wake.parent, STOPPED, now)?);
                // Whoever carries it alone looks at it at once.
                writes.extend(wake::at(&child, &wake.parent, now)?);
            }
            None => drop(run.children.remove(&task)),
        }
    }
    Ok(writes)
}

/// The nested runs at work that a run awaits.
pub(super) async fn awaited(app: &App, run: &Run) -> Result<Vec<RunId>, StoreError> {
    let mut awaited = Vec::new();
    for child in run.children.values() {
        if at_work(app, child).await?.is_some() {
            awaited.push(child.clone());
        }
    }
    Ok(awaited)
}

async fn at_work(app: &App, run: &RunId) -> Result<Option<Document>, StoreError> {
    app.state.get(Kind::Wake, run.as_str()).await
}

/// Whether a run may work while `holder` has its resource: its parent waits for it, and so on upwards.
pub(super) fn works_under(run: &Run, holder: &RunId) -> bool {
    run.parent.as_ref().is_some_and(|parent| {
        let awaited = parent.execution.awaits() != Awaits::Start;
        awaited && parent.above.iter().any(|(above, _)| above == holder)
    })
}
