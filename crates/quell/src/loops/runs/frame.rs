//! What runs of playbooks are: the host of the runner. The guard stands before each change, a receipt after it, and
//! one run at a time works on a resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use quell_guard::{Decision, Permit};
use quell_model::{Call, Caller, Plan, Receipt, RunId, Timestamp};
use quell_respond::task::{ActivityTask, TaskFault, Work};
use quell_respond::{Flow, INTERRUPTED, LogEntry, Mode, Playbook, Run, RunStatus, Stage, run};
use quell_states::{TaskId, TaskRequest};
use quell_store::{Batch, Document, Kind, StoreError, Write};
use serde_json::Value;

use super::budget::Budgets;
use super::effects::{self, Outcome, Want};
use super::finish;
use super::nested;
use super::perform;
use crate::app::App;
use crate::audit;
use crate::runner::{Answer, Begin, Beside, Ended, Host, Opened, Point, RunError, signal};

/// The host of the runs of playbooks.
pub(super) struct Frame {
    pub(super) app: Arc<App>,
}

/// A run of a playbook in memory.
pub struct Framed {
    /// The run as it was last known to be stored.
    document: Document,
    /// The run as it was written in the batch before this one.
    written: Option<Document>,
    pub(super) run: Run,
    permit: Option<Arc<Permit>>,
    /// Changing calls that are under way, to say of them what is known when nobody waits for them any more.
    sent: BTreeMap<TaskId, Sent>,
}

#[derive(Clone)]
struct Sent {
    run: RunId,
    call: Call,
    plan_hash: String,
    at: Timestamp,
}

impl Sent {
    fn receipt(self, outcome: &Outcome, ended_at: Timestamp) -> LogEntry {
        LogEntry::Receipt(Box::new(Receipt {
            run: self.run,
            call: self.call,
            plan_hash: self.plan_hash,
            request_id: outcome.request_id(),
            sent_at: self.at,
            ended_at,
            outcome: outcome.for_receipt(),
        }))
    }
}

#[async_trait]
impl Host for Frame {
    type Run = Framed;

    async fn open(&self, id: &RunId) -> Result<Opened<Framed>, RunError> {
        let app = &self.app;
        let Some(mut document) = app.state.get(Kind::Run, id.as_str()).await? else {
            return Ok(Opened::Ended);
        };
        let run: Run = document.read()?;
        if run.outcome.is_some() {
            // It ended since it was listed.
            return Ok(Opened::Ended);
        }
        let Some(playbook) = pinned(app, &run) else {
            finish::park_without_playbook(app, document, run).await?;
            return Ok(Opened::Ended);
        };
        if !lease(app, &mut document, &run).await? {
            return Ok(Opened::Later);
        }
        Ok(Opened::Ready {
            flow: Box::new(new_flow(app, playbook, &run)),
            account: run.resource.account.clone(),
            run: Box::new(Framed {
                document,
                written: None,
                run,
                permit: None,
                sent: BTreeMap::new(),
            }),
        })
    }

    async fn begin(
        &self,
        framed: &mut Framed,
        request: &TaskRequest,
        since: Option<Timestamp>,
    ) -> Result<Begin, RunError> {
        let Some(playbook) = pinned(&self.app, &framed.run) else {
            return Ok(answered(Outcome::failed("Quell.PlaybookChanged", "")));
        };
        let want = effects::want(&self.app, playbook, &framed.run, request);
        if since.is_some_and(|since| !may_be_sent_again(&want, since, self.app.clock.now())) {
            return Ok(answered(Outcome::failed(
                INTERRUPTED,
                "Quell stopped between sending this call and noting its answer",
            )));
        }
        Ok(match want {
            Want::Permit(plan) => self.ask_for_permit(framed, playbook, plan).await?,
            Want::Read(scope, work) => {
                let app = self.app.clone();
                let work = async move { perform::read(&app, &scope, &work).await.into_answer() };
                let (intent, work) = (None, Box::pin(work));
                Begin::Work { intent, work }
            }
            Want::Change(_, Work::Execution(task)) => {
                let Some(permit) = self.renew_permit(framed, playbook).await else {
                    return Ok(answered(no_permit()));
                };
                let run = &mut framed.run;
                nested::begin(&self.app, run, request.task, &task, &permit).await?
            }
            Want::Change(scope, Work::Activity(task)) => {
                match self.renew_permit(framed, playbook).await {
                    Some(permit) => self.offer(framed, request.task, &scope, &task, &permit)?,
                    None => answered(no_permit()),
                }
            }
            Want::Change(scope, work) => self.change(framed, playbook, request, scope, work).await,
            Want::Impossible(fault) => refused(fault),
        })
    }

    fn given_up(&self, framed: &mut Framed, task: TaskId) -> Option<LogEntry> {
        let sent = framed.sent.remove(&task)?;
        Some(sent.receipt(&Outcome::TimedOut, self.app.clock.now()))
    }

    async fn beside(
        &self,
        framed: &mut Framed,
        beside: Beside<'_>,
    ) -> Result<Vec<Write>, RunError> {
        match framed.written.take() {
            Some(written) if !beside.again => framed.document = written,
            _ if beside.again => self.read_again(framed).await?,
            _ => {}
        }
        for note in beside.notes {
            framed.note_acted(note, beside.flow, self.app.clock.now());
        }
        let mut writes = match beside.point {
            Point::Ended(status) => finish::ended(&self.app, &mut framed.run, status).await?,
            Point::Parks => finish::parked(&self.app, &framed.run).await?,
            Point::Going | Point::Rests => Vec::new(),
        };
        let now = self.app.clock.now();
        for note in beside.notes {
            let told = audit::of_log(&framed.run, note, now);
            writes.extend(told.map(|entry| audit::write(&entry)).transpose()?);
        }
        writes.extend(nested::stop_unawaited(&self.app, &mut framed.run, beside.flow).await?);
        writes.extend(framed.changed()?);
        Ok(writes)
    }

    async fn awaited(&self, id: &RunId) -> Result<Vec<RunId>, RunError> {
        let stored = self.app.state.get(Kind::Run, id.as_str()).await?;
        let run = stored.map(|document| document.read::<Run>()).transpose()?;
        match run {
            Some(run) => Ok(nested::awaited(&self.app, &run).await?),
            None => Ok(Vec::new()),
        }
    }
}

/// How long after a call was intended it may be made again: one hour. AWS forgets tokens: EC2 after a day, others sooner,
/// and one that is forgotten makes the change a second time.
const SENT_AGAIN_MILLIS_MAX: i64 = 60 * 60 * 1000;

/// Whether a call that may have happened `since` then takes effect once when it is made again: AWS knows it by its token,
/// and has not forgotten it.
fn may_be_sent_again(want: &Want, since: Timestamp, now: Timestamp) -> bool {
    if now > since.plus_millis(SENT_AGAIN_MILLIS_MAX) {
        return false;
    }
    let Want::Change(_, work @ Work::Aws(_)) = want else {
        return false;
    };
    work.call().is_some_and(|call| {
        let service = quell_aws::sdk_service(&call.service);
        quell_aws::registry::takes_idempotency_token(service, &call.operation)
    })
}

/// The idempotency token of a task of a run: the same after every crash, and of no other task.
fn once_as(run: &RunId, task: TaskId) -> String {
    let hash = quell_model::sha256_hex(format!("{run}/{task}"));
    let parts =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hash.get(part).unwrap_or_default());
    parts.join("-")
}

fn answered(outcome: Outcome) -> Begin {
    Begin::Answered {
        answer: outcome.into_answer(),
        writes: Vec::new(),
    }
}

fn no_permit() -> Outcome {
    Outcome::failed(
        "Quell.Refused",
        "the guard gives no permit for this plan now (changes are halted, or something changed since it was made)",
    )
}

/// Nothing was done.
fn refused(fault: TaskFault) -> Begin {
    Begin::Answered {
        answer: Answer::failed(fault.error, fault.cause),
        writes: Vec::new(),
    }
}

impl Frame {
    /// The changing call, when the guard still permits it.
    async fn change(
        &self,
        framed: &mut Framed,
        playbook: &Playbook,
        request: &TaskRequest,
        mut scope: quell_aws::Scope,
        work: Work,
    ) -> Begin {
        let Some(permit) = self.renew_permit(framed, playbook).await else {
            return answered(no_permit());
        };
        let Some(call) = work.call().cloned() else {
            return answered(Outcome::failed("Quell.Bug", "a change without a call"));
        };
        // The session can do what the plan does, and no more.
        if let Some(role) = &mut scope.role {
            role.session_policy = Some(permit.session_policy(&call));
        }
        let intent = Some(permit.plan_hash().to_owned());
        let sent = Sent {
            run: framed.run.id.clone(),
            call,
            plan_hash: permit.plan_hash().to_owned(),
            at: self.app.clock.now(),
        };
        framed.sent.insert(request.task, sent.clone());
        let once_as = once_as(&framed.run.id, request.task);
        let app = self.app.clone();
        let work = async move {
            let sent = Sent {
                at: app.clock.now(),
                ..sent
            };
            let outcome = perform::change(&app, &scope, &permit, &work, &once_as).await;
            let receipt = sent.receipt(&outcome, app.clock.now());
            let answer = outcome.into_answer();
            Answer {
                entries: vec![receipt],
                ..answer
            }
        };
        let work = Box::pin(work);
        Begin::Work { intent, work }
    }

    /// A task for whoever works on an activity: one batch says so and offers it.
    fn offer(
        &self,
        framed: &Framed,
        task: TaskId,
        scope: &quell_aws::Scope,
        activity: &ActivityTask,
        permit: &Permit,
    ) -> Result<Begin, RunError> {
        let (run, now) = (&framed.run.id, self.app.clock.now());
        let (account, call) = (&scope.account, activity.call());
        if let Err(no) = permit.check(account, &scope.region, call, now) {
            return Ok(answered(Outcome::failed(
                "States.Permissions",
                no.to_string(),
            )));
        }
        let what = (activity.activity(), activity.input());
        let offer = signal::offered(run, account, task, what, now)?;
        let sent = Sent {
            run: run.clone(),
            call: call.clone(),
            plan_hash: permit.plan_hash().to_owned(),
            at: now,
        };
        let accepted = Outcome::Succeeded {
            output: Value::Null,
            request_id: None,
        };
        Ok(Begin::Answered {
            answer: Answer {
                ended: Ended::Elsewhere(Value::Null),
                entries: vec![sent.receipt(&accepted, now)],
            },
            writes: vec![offer],
        })
    }

    /// The gate: the guard decides on the plan, and the answer is the task's result.
    async fn ask_for_permit(
        &self,
        framed: &mut Framed,
        playbook: &Playbook,
        plan: Value,
    ) -> Result<Begin, RunError> {
        let (app, now) = (&self.app, self.app.clock.now());
        let plan: Plan = match serde_json::from_value(plan) {
            Ok(plan) => plan,
            Err(e) => {
                let reason = format!("the plan cannot be read: {e}");
                return Ok(answered(Outcome::failed("Quell.Refused", reason)));
            }
        };
        let run = &mut framed.run;
        run.note_unanswered();
        run.note(Stage::Planned, now);
        let budgets = Budgets::read(app, &run.resource, &plan, now).await?;
        let decision = effects::decide(app, playbook, run, &plan, &budgets.left()).await;
        let spent = budgets.spend(&plan)?;
        run.plan = Some(plan);
        run.proof = decision.proof().cloned();
        match decision {
            Decision::Permit(permit) => {
                run.status = RunStatus::Running;
                run.reason = None;
                run.asked = None;
                run.note(Stage::Permitted, now);
                let (approver, hash) = (permit.approver().to_owned(), permit.plan_hash());
                let output = serde_json::json!({"decision": "permitted", "permit": hash, "approver": approver});
                run.note_stage();
                framed.permit = Some(Arc::new(permit));
                Ok(Begin::Answered {
                    answer: Answer {
                        ended: Ended::Succeeded(output),
                        entries: vec![decided("permit", Some(approver), Vec::new())],
                    },
                    writes: spent,
                })
            }
            Decision::Refuse { reasons } => Ok(Begin::Answered {
                answer: Answer {
                    entries: vec![decided("refuse", None, reasons.clone())],
                    ..Answer::failed("Quell.Refused", reasons.join("; "))
                },
                writes: Vec::new(),
            }),
            Decision::Ask { reasons, .. } => {
                let hours = app.config.respond.approval_hours;
                Ok(framed.wait_for_a_person(reasons, now, hours))
            }
        }
    }

    /// A permit does not survive a restart, and it ages: the guard decides again on the same plan.
    async fn renew_permit(&self, framed: &mut Framed, playbook: &Playbook) -> Option<Arc<Permit>> {
        if self.app.is_halted().await {
            // The brake holds a run that was permitted before it was pulled, too.
            framed.permit = None;
            return None;
        }
        let now = self.app.clock.now();
        if framed.permit.as_ref().is_none_or(|p| p.expires_at() <= now) {
            let plan = framed.run.plan.as_ref()?;
            // What the plan costs was taken from the budgets when it was first permitted.
            let decision = effects::decide(&self.app, playbook, &framed.run, plan, &[]);
            framed.permit = match decision.await {
                Decision::Permit(permit) => Some(Arc::new(permit)),
                Decision::Ask { .. } | Decision::Refuse { .. } => None,
            };
        }
        framed.permit.clone()
    }

    /// Somebody wrote the run's document meanwhile. Nothing but a person's yes is ever written there from outside.
    async fn read_again(&self, framed: &mut Framed) -> Result<(), StoreError> {
        let id = framed.run.id.as_str();
        let stored = self.app.state.get(Kind::Run, id).await?;
        if let Some(document) = stored.filter(|d| d.version != framed.document.version) {
            let stored: Run = document.read()?;
            framed.run.approvals = stored.approvals;
            framed.run.rejection = stored.rejection;
            framed.document = document;
        }
        Ok(())
    }
}

impl Framed {
    /// What was called, or may have been, is there to be taken back from this moment on.
    fn note_acted(&mut self, note: &LogEntry, flow: &Flow, now: Timestamp) {
        match note {
            LogEntry::Intent { task, .. } => {
                let caller = Caller::new(&self.run.id, &self.run.playbook);
                let request = flow.task(*task).map(|awaited| &awaited.request);
                let work = request.and_then(|request| Work::of(request, &caller).ok());
                if let Some(call) = work.as_ref().and_then(Work::call) {
                    self.run.note_intended(*task, call);
                }
            }
            LogEntry::Receipt(receipt) => {
                self.run.note(Stage::Acted, now);
                self.run.note_receipt(receipt);
            }
            LogEntry::Input { .. } | LogEntry::Decided { .. } => {}
        }
    }

    /// Leaves the plan to a person. The log does not grow while somebody thinks. When nobody has said yes in time, nothing is done:
    /// that is the default, and the incident stays with a person.
    fn wait_for_a_person(&mut self, reasons: Vec<String>, now: Timestamp, hours: u32) -> Begin {
        let reason = reasons.join("; ");
        let run = &mut self.run;
        let hash = run.plan.as_ref().map(Plan::hash).unwrap_or_default();
        let since = match run.asked.take() {
            Some((asked, since)) if asked == hash => since,
            _ => now,
        };
        run.asked = Some((hash, since));
        if now.millis_since(since) >= i64::from(hours).saturating_mul(3_600_000) {
            let reason =
                format!("nobody said yes within {hours} hours, so nothing was done: {reason}");
            run.status = RunStatus::Running;
            return Begin::Answered {
                answer: Answer {
                    entries: vec![decided("refuse", None, vec![reason.clone()])],
                    ..Answer::failed("Quell.Refused", reason)
                },
                writes: Vec::new(),
            };
        }
        let known = run.status == RunStatus::Parked && run.reason.as_ref() == Some(&reason);
        run.status = RunStatus::Parked;
        run.reason = Some(reason);
        if known {
            let entries = Vec::new();
            return Begin::Waits { entries };
        }
        tracing::info!(run = %run.id, reason = run.reason, "a run waits for a person");
        let entries = vec![decided("ask", None, reasons)];
        Begin::Waits { entries }
    }

    /// The write of the run as it is now, if it is not stored so.
    fn changed(&mut self) -> Result<Option<Write>, StoreError> {
        let stored: Run = self.document.read()?;
        if stored == self.run {
            return Ok(None);
        }
        let status = self.run.status.as_str();
        let write = self.document.clone().with(status, &self.run)?;
        let mut written = write.clone();
        written.version = written.version.saturating_add(1);
        self.written = Some(written);
        Ok(Some(Write::Update(write)))
    }
}

fn decided(decision: &str, approver: Option<String>, reasons: Vec<String>) -> LogEntry {
    LogEntry::Decided {
        decision: decision.to_owned(),
        approver,
        reasons,
    }
}

/// The playbook that a run is pinned to, when it is here as it was.
fn pinned<'a>(app: &'a App, run: &Run) -> Option<&'a Playbook> {
    let playbook = app.content.playbooks.get(&run.playbook)?;
    (playbook.digest == run.playbook_digest).then_some(playbook)
}

/// The flow of a run that has not begun.
pub(crate) fn new_flow(app: &App, playbook: &Playbook, run: &Run) -> Flow {
    let definition = match run.mode {
        Mode::Respond => playbook.respond.clone(),
        Mode::Undo => playbook.undo.clone(),
    };
    let roles = effects::roles(app, &run.resource);
    let input = run::input(run, &playbook.facts, &roles, &app.account_ids());
    Flow::new(definition, run.id.as_str(), run::machine(run), input)
}

/// One run at a time works on a resource. The lease is taken together with the run as it was read, so that a run which
/// ended meanwhile cannot take one that nobody would give back; it is given back in the batch that ends the run.
async fn lease(app: &App, document: &mut Document, run: &Run) -> Result<bool, StoreError> {
    let key = run.resource.arn.to_string();
    if let Some(held) = app.state.get(Kind::Lease, &key).await? {
        let holder = held.read::<RunId>()?;
        return Ok(holder == run.id || nested::works_under(run, &holder));
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

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
