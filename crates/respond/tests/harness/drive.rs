//! A small frame: it carries a document to its end on a world, as the program does. The log is written before and after each
//! change, the guard decides on each plan, and every changing call is held to its permit. On the way it may be struck.

use std::sync::Arc;

use quell_guard::{Decision, Family, Permit};
use quell_model::{Call, Caller, Class, Outcome, Plan, Receipt, RunId, Timestamp};
use quell_respond::task::Work;
use quell_respond::{Begun, Flow, INTERRUPTED, LogEntry, Mode, Playbook, Run, RunStatus};
use quell_states::{Event, MachineRef, Moment, Status, TaskId, TaskRequest};
use serde_json::{Value, json};

use super::case::{Case, MANAGEMENT, RUN, roles};
use super::judge::Judge;
use super::life::Stands;
use crate::world::{World, Worlds};

/// What happens to one changing call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Nothing out of the ordinary.
    None,
    /// AWS says no.
    Refused,
    /// It arrives twice.
    Twice,
    /// Quell dies before it notes that it will call.
    BeforeIntent,
    /// Quell dies before the call leaves.
    Unsent,
    /// The call takes effect, and no answer comes.
    NoReply,
    /// The call takes effect, and Quell dies before it notes the answer.
    ReplyLost,
    /// Quell dies once the answer is noted.
    Recorded,
    /// AWS says yes and does nothing.
    Hollow,
    /// It takes effect, and something else changes with it.
    TooMuch,
    /// It takes effect, and somebody else takes it back at once.
    Reverted,
    /// The brake is pulled just before it.
    Halted,
    /// Something else changes and the call does not leave: Quell dies before.
    UnsentAndMeddled,
}

/// What happens to the n-th attempt at a changing call.
pub type Fate<'a> = &'a dyn Fn(usize, &Call) -> Blow;

/// Nothing goes wrong.
pub const KIND: Fate<'static> = &|_, _| Blow::None;

/// How a document ended, and what it did.
pub struct End {
    pub status: Status,
    /// The plans that it asked a permit for.
    pub plans: Vec<Plan>,
    /// The changing calls that arrived, in order.
    pub made: Vec<Call>,
    /// The calls that only read, in order.
    pub reads: Vec<Call>,
    /// Which of the plans each of these calls was of.
    pub stages: Vec<usize>,
    /// How the world was when each permit was asked for.
    pub images: Vec<Value>,
    /// All attempts at changing calls, arrived or not.
    pub attempts: usize,
    /// The run as it is kept beside its log.
    pub run: Run,
    /// Whether a person was asked.
    pub asked: bool,
    /// Why the guard said no, when it did.
    pub refusals: Vec<String>,
}

impl End {
    /// How the run stands with this end of its document.
    pub fn stands(&self) -> Stands {
        let outcome = self.run.outcome.as_deref().unwrap_or("waits").to_owned();
        match self.run.status {
            RunStatus::Done => Stands::Done(outcome),
            RunStatus::Undone => Stands::Undone,
            RunStatus::Parked | RunStatus::Running => Stands::Parked(outcome),
        }
    }

    /// The outcome, or the error.
    pub fn outcome(&self) -> &str {
        match &self.status {
            Status::Succeeded { output } => output["outcome"].as_str().unwrap_or("done"),
            Status::Failed { error, .. } => error.as_deref().unwrap_or("States.Runtime"),
            // It waits for a person.
            Status::Running => "waits",
            other => panic!("{other:?}"),
        }
    }
}

/// So many events: no document makes more in these tests.
const STEPS_MAX: u64 = 20_000;

struct Drive<'a> {
    playbook: &'a Playbook,
    document: &'static str,
    input: Value,
    run: Run,
    judge: Judge<'a>,
    world: &'a mut Worlds,
    fate: Fate<'a>,
    flow: Flow,
    log: Vec<LogEntry>,
    permit: Option<Arc<Permit>>,
    plans: Vec<Plan>,
    made: Vec<Call>,
    reads: Vec<Call>,
    stages: Vec<usize>,
    images: Vec<Value>,
    attempts: usize,
    now: Timestamp,
}

/// Carries the document that responds to its end.
pub fn respond(playbook: &Playbook, case: &Case, world: &mut Worlds, fate: Fate<'_>) -> End {
    Drive::new(playbook, case, case.run(playbook, None), world, fate).carry()
}

/// The same, and the guard's brake is pulled before its gate number `gate`.
pub fn refused_at(playbook: &Playbook, case: &Case, world: &mut Worlds, gate: usize) -> End {
    let mut drive = Drive::new(playbook, case, case.run(playbook, None), world, KIND);
    drive.judge.yeses = gate;
    drive.carry()
}

/// Carries the document that undoes to its end, for a person.
pub fn undo(
    playbook: &Playbook,
    case: &Case,
    recorded: &Value,
    world: &mut Worlds,
    fate: Fate<'_>,
) -> End {
    let mut run = case.run(playbook, Some(recorded));
    run.requested_by = Some("carol".to_owned());
    Drive::new(playbook, case, run, world, fate).carry()
}

/// The same for what failed half way: nobody asked for it.
pub fn take_back(
    playbook: &Playbook,
    case: &Case,
    recorded: &Value,
    world: &mut Worlds,
    fate: Fate<'_>,
) -> End {
    let mut run = case.run(playbook, Some(recorded));
    run.takes_back = true;
    Drive::new(playbook, case, run, world, fate).carry()
}

fn new_flow(playbook: &Playbook, document: &str, input: &Value) -> Flow {
    let definition = match document {
        "undo" => playbook.undo.clone(),
        _ => playbook.respond.clone(),
    };
    Flow::new(definition, RUN, MachineRef::default(), input.clone())
}

fn run_id() -> RunId {
    RUN.parse().unwrap()
}

/// What the guard's no, or AWS's, is to the document.
fn failed(task: TaskId, error: &str, cause: impl Into<String>) -> Event {
    Event::TaskFailed {
        task,
        error: error.into(),
        cause: cause.into(),
    }
}
/// What a world says, as the task's end.
fn answer(task: TaskId, said: Result<Value, String>) -> Event {
    match said {
        Ok(output) => Event::TaskSucceeded { task, output },
        Err(said) => {
            let (error, cause) = said.split_once(": ").unwrap_or((&said, ""));
            failed(task, error, cause)
        }
    }
}

impl<'a> Drive<'a> {
    fn new(
        playbook: &'a Playbook,
        case: &'a Case,
        run: Run,
        world: &'a mut Worlds,
        fate: Fate<'a>,
    ) -> Self {
        let input = case.input(playbook, &run);
        let document = match run.mode {
            Mode::Respond => "respond",
            Mode::Undo => "undo",
        };
        Self {
            playbook,
            document,
            flow: new_flow(playbook, document, &input),
            judge: Judge::new(playbook, case, &input),
            input,
            run,
            world,
            fate,
            log: Vec::new(),
            permit: None,
            plans: Vec::new(),
            made: Vec::new(),
            reads: Vec::new(),
            stages: Vec::new(),
            images: Vec::new(),
            attempts: 0,
            now: Timestamp::from_millis(1_700_000_000_000),
        }
    }

    fn carry(mut self) -> End {
        self.go_on();
        if *self.flow.status() != Status::Running {
            self.run.end(self.flow.status(), self.now);
        }
        End {
            status: self.flow.status().clone(),
            plans: self.plans,
            made: self.made,
            reads: self.reads,
            stages: self.stages,
            images: self.images,
            attempts: self.attempts,
            run: self.run,
            asked: self.judge.asked,
            refusals: self.judge.refusals,
        }
    }

    fn go_on(&mut self) {
        self.happens(Event::Started);
        for _ in 0..STEPS_MAX {
            if *self.flow.status() != Status::Running {
                return;
            }
            let next = self.flow.tasks().next().cloned();
            let Some(awaited) = next else {
                let (timer, due) = self.flow.next_timer().expect("it waits for something");
                self.now = due.max(self.now);
                self.happens(Event::TimerFired { timer });
                continue;
            };
            let request = &awaited.request;
            let event = match awaited.begun {
                Begun::No => match self.begin(request) {
                    Some(event) => event,
                    None if self.waits(request) => return,
                    // It died, and begins where the log ends.
                    None => continue,
                },
                Begun::Perhaps => failed(request.task, INTERRUPTED, "nobody knows"),
                Begun::Elsewhere => panic!("{} waits for somebody else", request.state),
            };
            self.happens(event);
        }
        panic!("{} {} has no end", self.playbook.id, self.document);
    }

    fn waits(&self, request: &TaskRequest) -> bool {
        let gate = Work::of(request, &self.caller());
        matches!(gate, Ok(Work::Gate(_)))
    }

    fn caller(&self) -> Caller {
        Caller::new(&run_id(), &self.playbook.id)
    }

    fn note(&mut self, entry: LogEntry) {
        self.log.push(entry.clone());
        self.flow.apply(entry);
    }

    fn happens(&mut self, event: Event) {
        let seed = self.log.len() as u64;
        let moment = Moment::new(self.now.millis(), seed);
        self.note(LogEntry::Input { event, moment });
        self.now = self.now.plus_millis(10);
    }

    /// All that is not in the log is gone. What the log gives back is what there was.
    fn dies(&mut self) {
        let mut again = new_flow(self.playbook, self.document, &self.input);
        for entry in &self.log {
            again.apply(entry.clone());
        }
        assert_eq!(again.status(), self.flow.status());
        assert!(
            again.tasks().eq(self.flow.tasks()),
            "other tasks after a crash"
        );
        assert_eq!(again.history(), self.flow.history());
        self.flow = again;
        self.permit = None;
    }

    /// Begins a task; `None` when no answer comes of it.
    fn begin(&mut self, request: &TaskRequest) -> Option<Event> {
        let task = request.task;
        let work = match Work::of(request, &self.caller()) {
            Ok(work) => work,
            Err(fault) => return Some(failed(task, &fault.error, fault.cause)),
        };
        if let Work::Gate(plan) = work {
            return self.gate(task, plan);
        }
        let call = work.call().unwrap();
        let changes = self.class(&request.state, call) > Class::R0;
        let roles = roles();
        let role = match changes {
            true => roles.acting(&call.service, &call.operation),
            false => roles.reading(&call.service, &call.operation),
        };
        let named = request.credentials_role.as_deref();
        let who = (&self.playbook.id, &request.state);
        assert_eq!(named, Some(role), "{who:?}");
        self.world.meanwhile();
        match changes {
            true => self.change(task, call),
            false => Some(self.read(task, call)),
        }
    }

    fn class(&self, state: &str, call: &Call) -> Class {
        let mut steps = self.playbook.steps.iter();
        let step = steps.find(|step| {
            step.document == self.document
                && step.state == state
                && step.service == call.service
                && step.operation == call.operation
        });
        step.unwrap_or_else(|| panic!("{state} is not declared"))
            .class
    }

    fn gate(&mut self, task: TaskId, plan: Value) -> Option<Event> {
        let plan: Plan = match serde_json::from_value(plan) {
            Ok(plan) => plan,
            Err(e) => {
                self.judge
                    .refusals
                    .push(format!("the plan cannot be read: {e}"));
                return Some(failed(task, "Quell.Refused", e.to_string()));
            }
        };
        self.judge.halted |= self.plans.len() >= self.judge.yeses;
        self.images.push(self.world.image());
        self.plans.push(plan.clone());
        self.run.note_unanswered();
        self.run.plan = Some(plan.clone());
        match self.judge.decide(&plan, &self.run, self.now) {
            Decision::Permit(permit) => {
                let output = json!({"decision": "permitted", "permit": permit.plan_hash(), "approver": permit.approver()});
                self.permit = Some(Arc::new(permit));
                self.run.note_stage();
                Some(Event::TaskSucceeded { task, output })
            }
            Decision::Refuse { reasons } => Some(failed(task, "Quell.Refused", reasons.join("; "))),
            Decision::Ask { .. } => None,
        }
    }

    /// What only reads changes nothing.
    fn read(&mut self, task: TaskId, call: &Call) -> Event {
        let before = self.world.image();
        self.reads.push(call.clone());
        let event = answer(task, self.world.call(call));
        assert_eq!(
            self.world.image(),
            before,
            "{} changes something",
            call.operation
        );
        event
    }

    /// The permit for the last plan: the one that there is, or after a crash another.
    fn renewed(&mut self) -> Option<Arc<Permit>> {
        let aged = |permit: &Arc<Permit>| permit.expires_at() <= self.now;
        if self.judge.halted || self.permit.as_ref().is_none_or(aged) {
            let plan = self.plans.last()?.clone();
            self.permit = match self.judge.decide(&plan, &self.run, self.now) {
                Decision::Permit(permit) => Some(Arc::new(permit)),
                Decision::Ask { .. } | Decision::Refuse { .. } => None,
            };
        }
        self.permit.clone()
    }

    /// A changing call, under a permit and between two entries of the log.
    fn change(&mut self, task: TaskId, call: &Call) -> Option<Event> {
        let blow = (self.fate)(self.attempts, call);
        self.attempts += 1;
        self.judge.halted |= blow == Blow::Halted;
        let Some(permit) = self.renewed() else {
            return Some(failed(
                task,
                "Quell.Refused",
                "the guard gives no permit now",
            ));
        };
        assert!(self.playbook.declaration().covers(call), "{call:?}");
        let family = Family::of(&call.service, &call.operation);
        let (account, region) = family.place(&self.run.resource, Some(MANAGEMENT));
        let within = permit.check(account, region, call, self.now);
        within.unwrap_or_else(|no| panic!("{}: {no}", self.playbook.id));
        if blow == Blow::BeforeIntent {
            self.dies();
            return None;
        }
        let plan_hash = permit.plan_hash().to_owned();
        self.note(LogEntry::Intent {
            task,
            plan_hash: plan_hash.clone(),
        });
        self.run.note_intended(task, call);
        if blow == Blow::UnsentAndMeddled {
            self.world.meddle(call);
        }
        if matches!(blow, Blow::Unsent | Blow::UnsentAndMeddled) {
            self.dies();
            return None;
        }
        let event = self.deliver(task, call, blow);
        if blow == Blow::ReplyLost {
            self.dies();
            return None;
        }
        self.receipt(call, plan_hash, &event, blow);
        if blow != Blow::Recorded {
            return Some(event);
        }
        self.happens(event);
        self.dies();
        None
    }

    /// The call on its way to the world and the answer on its way back.
    fn deliver(&mut self, task: TaskId, call: &Call, blow: Blow) -> Event {
        match blow {
            Blow::Refused => return failed(task, "Aws.AccessDeniedException", "no"),
            Blow::Hollow => {
                // What AWS would have said, of a world that nobody keeps.
                return answer(task, self.world.clone().call(call));
            }
            _ => {}
        }
        self.made.push(call.clone());
        self.stages.push(self.plans.len() - 1);
        let event = answer(task, self.world.call(call));
        match blow {
            Blow::Twice => drop(self.world.call(call)),
            Blow::TooMuch => self.world.meddle(call),
            Blow::Reverted => self.revert(call),
            Blow::NoReply => return failed(task, "States.Timeout", "no answer in time"),
            _ => {}
        }
        event
    }

    /// Somebody else undoes a call, as the plan says it is undone.
    fn revert(&mut self, call: &Call) {
        let plan = self.plans.last().unwrap();
        let of = |resource: &str, arguments: &Value| Call::of_task(resource, arguments).unwrap();
        let planned = plan
            .calls
            .iter()
            .find(|planned| of(&planned.resource, &planned.arguments) == *call)
            .unwrap();
        for back in &planned.undo {
            // What is gone already cannot be taken back once more.
            drop(self.world.call(&of(&back.resource, &back.arguments)));
        }
    }

    fn receipt(&mut self, call: &Call, plan_hash: String, event: &Event, blow: Blow) {
        let outcome = match event {
            Event::TaskFailed { .. } if blow == Blow::NoReply => Outcome::Unknown {
                reason: "no answer in time".to_owned(),
            },
            Event::TaskFailed { error, .. } => Outcome::Refused {
                code: error.to_string(),
            },
            _ => Outcome::Accepted,
        };
        let receipt = Receipt {
            run: run_id(),
            call: call.clone(),
            plan_hash,
            request_id: None,
            sent_at: self.now,
            ended_at: self.now,
            outcome,
        };
        self.run.note_receipt(&receipt);
        self.note(LogEntry::Receipt(Box::new(receipt)));
    }
}
