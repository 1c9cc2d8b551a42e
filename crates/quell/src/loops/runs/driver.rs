//! One run, from its log to its end.

use std::sync::Arc;
use std::time::Duration;

use quell_guard::{Decision, Permit};
use quell_model::{Receipt, RunId, Timestamp};
use quell_respond::{Flow, LogEntry, Mode, Next, Playbook, Run, RunStatus, Stage, run};
use quell_states::{Event, Moment, Status, TaskId, TaskRequest};
use quell_store::{Batch, Document, Entry, Kind, StoreError, Write};
use serde_json::Value;

use super::effects::{self, Outcome, Want};
use super::finish;
use crate::app::App;
use crate::random::{self, NoRandomness};

/// A run cannot go on just now.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error("a log entry cannot be read: {0}")]
    Log(serde_json::Error),
}

/// A log longer than this is that of a run which goes in circles.
const LOG_ENTRIES_MAX: usize = 5_000;
/// Another run holds the resource: looked at again so soon.
const LEASE_PAUSE: Duration = Duration::from_millis(200);

/// A run in memory.
pub(super) struct Driver<'a> {
    pub(super) app: &'a App,
    pub(super) playbook: &'a Playbook,
    pub(super) document: Document,
    pub(super) run: Run,
    flow: Flow,
    seq: i64,
    permit: Option<Permit>,
}

/// Carries a run on until it has ended, waits for a person, or cannot go on just now.
pub(super) async fn drive(app: &App, id: &RunId) -> Result<(), DriveError> {
    let Some(mut document) = app.state.get(Kind::Run, id.as_str()).await? else {
        return Ok(());
    };
    let run: Run = document.read()?;
    if run.outcome.is_some() {
        // It ended since it was listed.
        return Ok(());
    }
    let playbook = app
        .content
        .playbooks
        .get(&run.playbook)
        .filter(|p| p.digest == run.playbook_digest);
    let Some(playbook) = playbook else {
        return finish::park_without_playbook(app, document, run).await;
    };
    if !lease(app, &mut document, &run).await? {
        tokio::time::sleep(LEASE_PAUSE).await;
        return Ok(());
    }
    let mut driver = Driver::load(app, playbook, document, run).await?;
    driver.go_on().await
}

/// The command line's way to carry a run when no server is up.
///
/// # Errors
/// What stopped it, in words.
pub async fn drive_to_end(app: &Arc<App>, id: &RunId) -> Result<(), String> {
    drive(app, id).await.map_err(|e| e.to_string())
}

/// One run at a time works on a resource. The lease is taken together with the run as it was read, so that a run which
/// ended meanwhile cannot take one that nobody would give back; it is given back in the batch that ends the run.
async fn lease(app: &App, document: &mut Document, run: &Run) -> Result<bool, StoreError> {
    let key = run.resource.arn.to_string();
    if let Some(held) = app.state.get(Kind::Lease, &key).await? {
        return Ok(held.read::<RunId>()? == run.id);
    }
    let mine = Document::new(Kind::Lease, key, "held", app.clock.now(), &run.id)?;
    let batch = Batch::new()
        .with(Write::Insert(mine))
        .with(Write::Update(document.clone()));
    match app.state.commit(batch).await {
        Ok(_) => {
            document.version = document.version.saturating_add(1);
            Ok(true)
        }
        Err(StoreError::Conflict { .. }) => Ok(false),
        Err(e) => Err(e),
    }
}

impl<'a> Driver<'a> {
    async fn load(
        app: &'a App,
        playbook: &'a Playbook,
        document: Document,
        run: Run,
    ) -> Result<Self, DriveError> {
        let flow = new_flow(app, playbook, &run);
        let entries = app
            .state
            .read_log(run.id.as_str(), 0, LOG_ENTRIES_MAX)
            .await?;
        let mut driver = Self {
            app,
            playbook,
            document,
            run,
            flow,
            seq: 0,
            permit: None,
        };
        for Entry { seq, body, .. } in entries {
            let entry: LogEntry = serde_json::from_str(&body).map_err(DriveError::Log)?;
            driver.flow = driver.flow.apply(&entry);
            driver.seq = seq.saturating_add(1);
        }
        if driver.seq == 0 {
            driver.input(Event::Started, Vec::new()).await?;
        }
        Ok(driver)
    }

    async fn go_on(&mut self) -> Result<(), DriveError> {
        for _ in 0..LOG_ENTRIES_MAX {
            if self.app.stop.is_cancelled() {
                // Between two steps everything is in the log: a good place to stop.
                return Ok(());
            }
            match self.flow.next() {
                Next::Ended(status) => return finish::ended(self, status).await,
                Next::Stuck => {
                    let cause = "the document waits for nothing".to_owned();
                    return finish::ended(
                        self,
                        Status::Failed {
                            error: None,
                            cause: Some(cause),
                        },
                    )
                    .await;
                }
                Next::Sleep(timer, due) => {
                    tokio::select! {
                        () = self.sleep_until(due) => {}
                        () = self.app.stop.cancelled() => continue,
                    }
                    self.input(Event::TimerFired { timer }, Vec::new()).await?;
                }
                Next::Interrupted(task) => {
                    let cause =
                        "Quell stopped between sending this call and noting its answer".to_owned();
                    let event = Event::TaskFailed {
                        task,
                        error: "Quell.Interrupted".to_owned(),
                        cause,
                    };
                    self.input(event, Vec::new()).await?;
                }
                Next::Perform(request) => {
                    if !self.perform(&request).await? {
                        return Ok(());
                    }
                }
            }
        }
        let cause = format!("the run made more than {LOG_ENTRIES_MAX} steps");
        finish::ended(
            self,
            Status::Failed {
                error: None,
                cause: Some(cause),
            },
        )
        .await
    }

    async fn sleep_until(&self, due: Timestamp) {
        let millis = u64::try_from(due.millis_since(self.app.clock.now())).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// Performs one task. `false`: the run waits for a person, and this driver's work is done.
    async fn perform(&mut self, request: &TaskRequest) -> Result<bool, DriveError> {
        if let Some(timer) = self.flow.due(self.app.clock.now()) {
            self.input(Event::TimerFired { timer }, Vec::new()).await?;
            return Ok(true);
        }
        match effects::want(self.app, self.playbook, &self.run, request) {
            Want::Permit(plan) => self.ask_for_permit(request.task, plan).await,
            Want::Read(scope, call) => {
                let work = effects::read(self.app, &scope, &call);
                let outcome = self.in_time(work).await;
                self.outcome(request.task, outcome, Vec::new()).await?;
                Ok(true)
            }
            Want::Change(scope, call) => {
                if !self.renew_permit() {
                    let no = Outcome::failed(
                        "Quell.Refused",
                        "the guard gives no permit for this plan now (changes are halted, or something changed since it was made)",
                    );
                    self.outcome(request.task, no, Vec::new()).await?;
                    return Ok(true);
                }
                self.change(request.task, scope, call).await?;
                Ok(true)
            }
            Want::Impossible(reason) => {
                self.outcome(
                    request.task,
                    Outcome::failed("Quell.NotPermitted", reason),
                    Vec::new(),
                )
                .await?;
                Ok(true)
            }
        }
    }

    /// Waits for an effect no longer than the document allows; the state machine's own timer says what follows.
    async fn in_time(&self, work: impl Future<Output = Outcome>) -> Outcome {
        let Some(due) = self.flow.next_due() else {
            return work.await;
        };
        tokio::select! {
            outcome = work => outcome,
            () = self.sleep_until(due) => Outcome::TimedOut,
        }
    }

    async fn change(
        &mut self,
        task: TaskId,
        scope: quell_aws::Scope,
        call: quell_model::Call,
    ) -> Result<(), DriveError> {
        let Some(permit) = self.permit.take() else {
            return Ok(());
        };
        let intent = LogEntry::Intent {
            task,
            plan_hash: permit.plan_hash().to_owned(),
        };
        self.append(vec![intent], None).await?;
        let sent_at = self.app.clock.now();
        let outcome = self
            .in_time(effects::change(self.app, &scope, &permit, &call))
            .await;
        let receipt = Receipt {
            run: self.run.id.clone(),
            call,
            plan_hash: permit.plan_hash().to_owned(),
            request_id: outcome.request_id(),
            sent_at,
            ended_at: self.app.clock.now(),
            outcome: outcome.for_receipt(),
        };
        self.permit = Some(permit);
        self.run.note(Stage::Acted, self.app.clock.now());
        if self.run.mode == Mode::Respond && self.run.undo.is_none() {
            self.run.undo = self.run.plan.as_ref().map(finish::undo_of_plan);
        }
        self.outcome(task, outcome, vec![LogEntry::Receipt(Box::new(receipt))])
            .await
    }

    /// Notes how a task ended.
    async fn outcome(
        &mut self,
        task: TaskId,
        outcome: Outcome,
        more: Vec<LogEntry>,
    ) -> Result<(), DriveError> {
        let event = match outcome {
            Outcome::Succeeded { output, .. } => Event::TaskSucceeded { task, output },
            Outcome::Failed { error, cause, .. } => Event::TaskFailed { task, error, cause },
            Outcome::TimedOut => match self.flow.due(self.app.clock.now()) {
                Some(timer) => Event::TimerFired { timer },
                None => Event::TaskFailed {
                    task,
                    error: "States.Timeout".into(),
                    cause: String::new(),
                },
            },
        };
        self.input(event, more).await
    }

    /// The gate: the guard decides on the plan, and the answer is the task's result.
    async fn ask_for_permit(&mut self, task: TaskId, plan: Value) -> Result<bool, DriveError> {
        let now = self.app.clock.now();
        let plan: quell_model::Plan = match serde_json::from_value(plan) {
            Ok(plan) => plan,
            Err(e) => {
                let no = Outcome::failed("Quell.Refused", format!("the plan cannot be read: {e}"));
                self.outcome(task, no, Vec::new()).await?;
                return Ok(true);
            }
        };
        self.run.note(Stage::Planned, now);
        let budget = effects::Budget::read(self.app, &self.run, now).await?;
        let decision = effects::decide(self.app, self.playbook, &self.run, &plan, budget.left());
        let changes = plan.calls.len();
        self.run.plan = Some(plan);
        match decision {
            Decision::Permit(permit) => {
                self.run.status = RunStatus::Running;
                self.run.reason = None;
                self.run.note(Stage::Permitted, now);
                let (approver, hash) =
                    (permit.approver().to_owned(), permit.plan_hash().to_owned());
                self.permit = Some(permit);
                let entry = decided("permit", Some(approver.clone()), Vec::new());
                let output = serde_json::json!({"decision": "permitted", "permit": hash, "approver": approver});
                let spent = budget.spend(changes)?;
                self.step(
                    Event::TaskSucceeded { task, output },
                    vec![entry],
                    Some(spent),
                )
                .await?;
                Ok(true)
            }
            Decision::Refuse { reasons } => {
                let cause = reasons.join("; ");
                let event = Event::TaskFailed {
                    task,
                    error: "Quell.Refused".into(),
                    cause,
                };
                self.step(event, vec![decided("refuse", None, reasons)], None)
                    .await?;
                Ok(true)
            }
            Decision::Ask { reasons } => {
                self.park(reasons).await?;
                Ok(false)
            }
        }
    }

    /// Leaves the run to a person. It gives up its resource meanwhile: whoever comes next reads the state anew.
    async fn park(&mut self, reasons: Vec<String>) -> Result<(), DriveError> {
        let give_up = Write::Delete(Kind::Lease, self.run.resource.arn.to_string());
        let reason = reasons.join("; ");
        let known =
            self.run.status == RunStatus::Parked && self.run.reason.as_ref() == Some(&reason);
        self.run.status = RunStatus::Parked;
        self.run.reason = Some(reason);
        if known {
            // Asked before, and nothing has changed: the log does not grow while somebody thinks.
            self.app.state.commit(Batch::new().with(give_up)).await?;
            return Ok(());
        }
        tracing::info!(run = %self.run.id, reason = self.run.reason, "a run waits for a person");
        self.append(vec![decided("ask", None, reasons)], Some(give_up))
            .await?;
        finish::park_incident(self.app, &self.run).await?;
        Ok(())
    }

    /// A permit does not survive a restart, and it ages: the guard decides again on the same plan.
    fn renew_permit(&mut self) -> bool {
        if self.app.is_halted() {
            // The brake holds a run that was permitted before it was pulled, too.
            self.permit = None;
            return false;
        }
        let now = self.app.clock.now();
        if self.permit.as_ref().is_some_and(|p| p.expires_at() > now) {
            return true;
        }
        let Some(plan) = &self.run.plan else {
            return false;
        };
        // What the plan costs was taken from the budget when it was first permitted.
        let budget = u64::try_from(plan.calls.len()).unwrap_or(u64::MAX);
        match effects::decide(self.app, self.playbook, &self.run, plan, budget) {
            Decision::Permit(permit) => {
                self.permit = Some(permit);
                true
            }
            Decision::Ask { .. } | Decision::Refuse { .. } => false,
        }
    }

    async fn input(&mut self, event: Event, more: Vec<LogEntry>) -> Result<(), DriveError> {
        self.step(event, more, None).await
    }

    async fn step(
        &mut self,
        event: Event,
        mut more: Vec<LogEntry>,
        with: Option<Write>,
    ) -> Result<(), DriveError> {
        let moment = Moment::new(self.app.clock.now().millis(), random::seed()?);
        more.push(LogEntry::Input { event, moment });
        self.append(more, with).await
    }

    /// Appends entries and stores the run as it is now, durably, then applies them.
    async fn append(
        &mut self,
        entries: Vec<LogEntry>,
        with: Option<Write>,
    ) -> Result<(), DriveError> {
        let at = self.app.clock.now();
        let mut batch = Batch::new();
        let mut seq = self.seq;
        for entry in &entries {
            let body = serde_json::to_string(entry).map_err(DriveError::Log)?;
            batch.push(Write::Append {
                log: self.run.id.to_string(),
                seq,
                at,
                body,
            });
            seq = seq.saturating_add(1);
        }
        let stored: Run = self.document.read()?;
        let changed = stored != self.run;
        if changed {
            self.document = self
                .document
                .clone()
                .with(self.run.status.as_str(), &self.run)?;
            batch.push(Write::Update(self.document.clone()));
        }
        if let Some(write) = with {
            batch.push(write);
        }
        self.app.state.commit(batch).await?;
        if changed {
            self.document.version = self.document.version.saturating_add(1);
        }
        self.seq = seq;
        for entry in &entries {
            self.flow = self.flow.clone().apply(entry);
        }
        Ok(())
    }
}

fn decided(decision: &str, approver: Option<String>, reasons: Vec<String>) -> LogEntry {
    LogEntry::Decided {
        decision: decision.to_owned(),
        approver,
        reasons,
    }
}

/// The flow of a run that has not begun.
pub(super) fn new_flow(app: &App, playbook: &Playbook, run: &Run) -> Flow {
    let definition = match run.mode {
        Mode::Respond => playbook.respond.clone(),
        Mode::Undo => playbook.undo.clone(),
    };
    let input = run::input(run, &playbook.facts, &effects::roles(app, &run.resource));
    Flow::new(
        definition,
        &run.id,
        &playbook.id,
        &run.resource.arn.region,
        input,
    )
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
