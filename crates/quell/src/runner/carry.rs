//! One run, from its log to where it ends or rests.

mod commit;
mod flights;
mod open;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use quell_model::{RunId, Timestamp};
use quell_respond::{Begun, Flow, LogEntry};
use quell_states::{Event, Moment, Status, TaskId, TaskRequest};
use quell_store::{Kind, Query, StoreError, Write};
use tokio::sync::Notify;

use self::flights::{Flights, Landed};
use super::batch::Pending;
use super::host::{Answer, Begin, Ended, Host, Point, Work};
use super::signal::{self, Signal};
use super::{Rest, RunError, Runner, wake};
use crate::claims::Claim;
use crate::random;

/// A run that waits for less than this stays in memory.
const NEAR: Duration = Duration::from_millis(50);
/// A person has to decide: the host is asked again this often, since more than a word of theirs may change its mind.
const PARKED_EVERY: Duration = Duration::from_secs(10);
/// A batch is not made larger than this many entries.
const ENTRIES_AT_ONCE_MAX: usize = 256;
/// A log longer than this is that of a run which goes in circles. The states language itself stops an execution
/// after 25,000 events of its history.
const LOG_ENTRIES_MAX: i64 = 100_000;

/// A run in memory.
struct Carried<'a, H: Host> {
    runner: &'a Runner<H>,
    id: &'a RunId,
    bell: &'a Notify,
    claim: Claim,
    run: Box<H::Run>,
    account: String,
    flow: Box<Flow>,
    /// The number of the next entry of the log.
    seq: i64,
    /// When the store says that the run is to be looked at.
    wake_at: Option<Timestamp>,
    pending: Pending,
    /// The last batch was not committed.
    refused: bool,
    /// Work that begins when the batch is durable.
    starting: Vec<(TaskId, bool, Work)>,
    flights: Flights,
    /// When it was noted, before the run was taken up, that tasks were about to be begun.
    intended: BTreeMap<TaskId, Timestamp>,
    /// Tasks that wait for a person, and since when.
    parked: BTreeSet<TaskId>,
    parked_at: Timestamp,
    /// The tokens that tasks wait for, by their hashes; and what waits for a worker who is given one.
    tokens: BTreeMap<String, TaskId>,
}

/// What a run in memory waited for.
enum Happened {
    Landed(Vec<Landed>),
    /// A timer may be due.
    Time,
    /// Somebody said something.
    Knock,
    /// Everything stops.
    Stop,
}

impl<H: Host> Runner<H> {
    /// Carries a run on until it has ended or waits. Whoever rings `bell` has it look at what was said to it.
    ///
    /// # Errors
    /// [`RunError`]: it goes on from its log when it is carried again.
    pub async fn carry(&self, id: &RunId, bell: &Notify) -> Result<Rest, RunError> {
        match open::open(self, id, bell).await? {
            Ok(mut carried) => carried.go_on().await,
            Err(rest) => Ok(rest),
        }
    }
}

impl<H: Host> Carried<'_, H> {
    async fn go_on(&mut self) -> Result<Rest, RunError> {
        loop {
            let stopping = self.runner.stop.is_cancelled();
            if !stopping {
                self.fire_due().await?;
                self.begin_all().await?;
            }
            if *self.flow.status() != Status::Running {
                return self.end().await;
            }
            if stopping && self.flights.ground_readers() {
                // What is in the log is all there is: a good place to stop.
                self.commit(Point::Going).await?;
                return Ok(Rest::Stopped);
            }
            if let Some(rest) = self.rest().await? {
                return Ok(rest);
            }
            self.be_sure_of_claim()?;
            self.commit(Point::Going).await?;
            self.be_sure_of_claim()?;
            for (task, changes, work) in self.starting.drain(..) {
                self.flights.start(task, changes, work);
            }
            match self.wait().await {
                Happened::Landed(landed) => self.land(landed)?,
                Happened::Knock => self.listen().await?,
                Happened::Time | Happened::Stop => {}
            }
        }
    }

    /// Before intents are noted, and again before the work begins: noting them may take long.
    fn be_sure_of_claim(&self) -> Result<(), RunError> {
        let changes = self.starting.iter().any(|(_, changes, _)| *changes);
        if changes && !self.runner.claims.are_good(&self.claim) {
            let run = self.id.clone();
            return Err(RunError::Lost { run });
        }
        Ok(())
    }

    /// Fires every timer that is due.
    async fn fire_due(&mut self) -> Result<(), RunError> {
        while let Some(timer) = self.flow.due(self.runner.clock.now()) {
            self.input(Event::TimerFired { timer })?;
            self.commit_if_large().await?;
        }
        Ok(())
    }

    /// Begins every task that can begin, and what follows from answers that are there at once.
    async fn begin_all(&mut self) -> Result<(), RunError> {
        while let Some((request, begun)) = self.next_to_begin() {
            let task = request.task;
            let again = begun == Begun::Perhaps;
            let since = again.then(|| self.intended.get(&task).copied().unwrap_or_default());
            let begin = self.runner.host.begin(&mut self.run, &request, since);
            match begin.await? {
                Begin::Work { intent, work } => {
                    self.note_begun(&request, &intent, again)?;
                    self.starting.push((task, intent.is_some(), work));
                }
                Begin::Answered { answer, writes }
                    if writes.is_empty() && !matches!(answer.ended, Ended::Elsewhere(_)) =>
                {
                    self.answer(task, answer)?;
                }
                Begin::Answered { answer, writes } => {
                    self.answer_with(&request, answer, writes).await?;
                }
                Begin::Waits { entries } => {
                    if self.parked.is_empty() {
                        self.parked_at = self.runner.clock.now();
                    }
                    self.parked.insert(task);
                    entries.into_iter().try_for_each(|entry| self.push(entry))?;
                }
            }
            self.commit_if_large().await?;
        }
        Ok(())
    }

    /// A task that nothing keeps from beginning.
    fn next_to_begin(&self) -> Option<(TaskRequest, Begun)> {
        if self.flights.len() + self.starting.len() >= self.runner.limits.tasks_at_once.max(1) {
            return None;
        }
        let open = self.flow.tasks().find(|awaited| {
            let task = awaited.request.task;
            awaited.begun != Begun::Elsewhere
                && !self.flights.has(task)
                && !self.parked.contains(&task)
                && !self.starting.iter().any(|(started, ..)| *started == task)
        })?;
        Some((open.request.clone(), open.begun))
    }

    /// What has to be durable before the work on a task begins.
    fn note_begun(
        &mut self,
        request: &TaskRequest,
        intent: &Option<String>,
        again: bool,
    ) -> Result<(), RunError> {
        if let Some(plan_hash) = intent.as_ref().filter(|_| !again) {
            self.push(LogEntry::Intent {
                task: request.task,
                plan_hash: plan_hash.clone(),
            })?;
        }
        if let Some(token) = &request.token {
            let now = self.runner.clock.now();
            let write = signal::given_out(self.id, &self.account, request.task, token, now)?;
            self.pending.writes.push(write);
            self.tokens.insert(signal::hash(token), request.task);
        }
        Ok(())
    }

    /// Notes how a task ended.
    fn answer(&mut self, task: TaskId, answer: Answer) -> Result<(), RunError> {
        answer
            .entries
            .into_iter()
            .try_for_each(|entry| self.push(entry))?;
        self.input(event_of(task, answer.ended))
    }

    /// The same, together with writes that may be refused: then the task stays open, and is begun anew.
    async fn answer_with(
        &mut self,
        request: &TaskRequest,
        answer: Answer,
        writes: Vec<Write>,
    ) -> Result<(), RunError> {
        self.commit(Point::Going).await?;
        let elsewhere = matches!(answer.ended, Ended::Elsewhere(_));
        let token = request.token.as_deref().filter(|_| elsewhere);
        let mut entries = answer.entries;
        entries.push(self.moment(event_of(request.task, answer.ended))?);
        for entry in &entries {
            self.pending.push(self.id, entry)?;
        }
        self.pending.writes = writes;
        if let Some(token) = token {
            let now = self.runner.clock.now();
            let write = signal::given_out(self.id, &self.account, request.task, token, now)?;
            self.pending.writes.push(write);
        }
        match self.commit_once(Point::Going).await {
            Ok(()) => {
                self.runner.bell.notify_one();
                entries.into_iter().for_each(|entry| self.flow.apply(entry));
                if elsewhere {
                    self.know_tokens().await?;
                }
                self.let_go()
            }
            Err(RunError::Store(StoreError::Conflict { kind, .. })) if !is_lost(kind) => {
                self.pending = Pending::default();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn land(&mut self, landed: Vec<Landed>) -> Result<(), RunError> {
        for (task, answer) in landed {
            // A task that nobody waits for any more was let go, and its work with it.
            if self.flow.task(task).is_some() {
                self.answer(task, answer)?;
            }
        }
        Ok(())
    }

    /// Takes in what was said to the run, and asks again what waits for a person.
    async fn listen(&mut self) -> Result<(), RunError> {
        self.parked.clear();
        let query = Query::all(Kind::Signal)
            .parent(self.id.as_str())
            .limit(ENTRIES_AT_ONCE_MAX);
        for document in self.runner.state.list(&query).await?.documents {
            let Signal { event, .. } = document.read()?;
            self.input(event)?;
            let taken = Write::Delete(Kind::Signal, document.id);
            self.pending.writes.push(taken);
        }
        self.know_tokens().await
    }

    /// Reads which tokens are given out. A worker may have been given one meanwhile.
    async fn know_tokens(&mut self) -> Result<(), RunError> {
        let known = open::tokens(self.runner, self.id, &self.flow).await?;
        self.tokens.extend(known);
        Ok(())
    }

    /// Gives the state machine an event.
    fn input(&mut self, event: Event) -> Result<(), RunError> {
        let entry = self.moment(event)?;
        self.push(entry)?;
        self.let_go()
    }

    fn moment(&self, event: Event) -> Result<LogEntry, RunError> {
        let moment = Moment::new(self.runner.clock.now().millis(), random::seed()?);
        Ok(LogEntry::Input { event, moment })
    }

    fn push(&mut self, entry: LogEntry) -> Result<(), RunError> {
        self.pending.push(self.id, &entry)?;
        self.flow.apply(entry);
        Ok(())
    }

    /// Drops the work and the tokens of tasks that are not waited for any more.
    fn let_go(&mut self) -> Result<(), RunError> {
        let flow = &self.flow;
        let gone = self.flights.ground(|task| flow.task(task).is_none());
        self.starting
            .retain(|(task, ..)| flow.task(*task).is_some());
        self.parked.retain(|task| flow.task(*task).is_some());
        for (task, changes) in gone {
            let entry = changes.then(|| self.runner.host.given_up(&mut self.run, task));
            if let Some(entry) = entry.flatten() {
                self.push(entry)?;
            }
        }
        let flow = &self.flow;
        let over: Vec<_> = self
            .tokens
            .extract_if(.., |_, task| flow.task(*task).is_none())
            .collect();
        for (hash, _) in over {
            let write = Write::Delete(Kind::Token, hash);
            self.pending.writes.push(write);
        }
        Ok(())
    }

    /// Waits for whatever comes first.
    async fn wait(&mut self) -> Happened {
        let runner = self.runner;
        let asked_again = self
            .parked_at
            .plus_millis(i64::try_from(PARKED_EVERY.as_millis()).unwrap_or(i64::MAX));
        let due = self.flow.next_timer().map(|(_, due)| due);
        let (any_parked, stopping) = (!self.parked.is_empty(), runner.stop.is_cancelled());
        tokio::select! {
            biased;
            Some(landed) = self.flights.next() => Happened::Landed(landed),
            () = runner.sleep_until(due.unwrap_or_else(wake::never)), if !stopping => Happened::Time,
            () = self.bell.notified(), if !stopping => Happened::Knock,
            () = runner.sleep_until(asked_again), if any_parked && !stopping => Happened::Knock,
            () = runner.stop.cancelled(), if !stopping => Happened::Stop,
        }
    }

    /// Leaves memory when nothing is under way and nothing is due soon.
    async fn rest(&mut self) -> Result<Option<Rest>, RunError> {
        if self.flights.len() + self.starting.len() > 0 {
            return Ok(None);
        }
        let now = self.runner.clock.now();
        let due = self.flow.next_timer().map(|(_, due)| due);
        if !self.parked.is_empty() {
            let again = i64::try_from(PARKED_EVERY.as_millis()).unwrap_or(i64::MAX);
            let at = now.plus_millis(again).min(due.unwrap_or_else(wake::never));
            self.commit_to_rest(Point::Parks, at).await?;
            return Ok(Some(Rest::Parked));
        }
        let near = i64::try_from(NEAR.as_millis()).unwrap_or(0);
        let at = match due {
            Some(due) if due.millis_since(now) <= near => return Ok(None),
            Some(due) => due,
            None if self.flow.tasks().next().is_some() => wake::never(),
            None => {
                // The states language never leaves one so.
                self.stop("States.Runtime", "the document waits for nothing")?;
                return self.end().await.map(Some);
            }
        };
        self.commit_to_rest(Point::Rests, at).await?;
        Ok(Some(Rest::Until(at)))
    }

    fn stop(&mut self, error: &str, cause: &str) -> Result<(), RunError> {
        let (error, cause) = (error.to_owned(), cause.to_owned());
        self.input(Event::Stopped { error, cause })
    }
}

/// Whether a conflict on this says that another process carries the run: what is in memory here is old.
fn is_lost(kind: &str) -> bool {
    matches!(kind, "log" | "claim")
}

fn event_of(task: TaskId, ended: Ended) -> Event {
    match ended {
        Ended::Succeeded(output) => Event::TaskSucceeded { task, output },
        Ended::Failed { error, cause } => Event::TaskFailed { task, error, cause },
        Ended::Elsewhere(output) => Event::TaskSubmitted { task, output },
    }
}
