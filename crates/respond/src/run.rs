//! One execution of a playbook: what is kept of it besides its log.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use quell_guard::proof::Proof;
use quell_guard::{Approval, Family, Rejection};
use quell_model::{Actor, Call, Caller, Incident, IncidentId, Plan, Resource, RunId, Timestamp};
use quell_states::{MachineRef, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::task::{ExecutionTask, TaskFault};

/// Which of a playbook's documents runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// The response.
    Respond,
    /// Taking a response back.
    Undo,
}

/// Where a run stands. Every run ends done, undone, or parked with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunStatus {
    /// At work.
    Running,
    /// A person has to decide or look.
    Parked,
    /// Ended and verified.
    Done,
    /// Ended, verified, and taken back later.
    Undone,
}

impl RunStatus {
    /// The word used in storage, in the API and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Done => "done",
            Self::Undone => "undone",
        }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The claim.
    pub id: RunId,
    /// The playbook's id.
    pub playbook: String,
    /// Its version, and the digest of its files: a run never changes documents half way.
    pub playbook_version: String,
    /// SHA-256 of the playbook's files.
    pub playbook_digest: String,
    /// Respond or undo.
    pub mode: Mode,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// What it is about.
    pub resource: Resource,
    /// Where it stands.
    pub status: RunStatus,
    /// How it ended, in the document's word (`fixed`, `already-fixed`, `undone`, …), or why it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Findings of the incident when the run began: later ones may be about a later state.
    pub covers_findings: u64,
    /// The person who asked for it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// What people said yes to, where it was needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// A person's no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// Since when it waits for a person to decide on this plan, by the plan's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<(String, Timestamp)>,
    /// The plan, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// What was shown of the plan, and who else would feel it; absent when the guard said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// When each stage was reached, in order.
    pub timeline: Vec<(Stage, Timestamp)>,
    /// What is needed to take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Value>,
    /// Changing calls that are under way, or that nobody knows the answer to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unanswered: BTreeMap<TaskId, Call>,
    /// What takes back the stages before the one whose plan this is: they were verified, and stay when a later one fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Value>,
    /// For an undo: the run it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<RunId>,
    /// For an undo: nobody asked for it; a step of that run failed half way.
    #[serde(default, skip_serializing_if = "is_false")]
    pub takes_back: bool,
    /// What its document is told of the incident, as it was when the run began.
    #[serde(default)]
    pub told: Told,
    /// For a nested run: the task that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The nested runs that tasks of this one await, until they have ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<TaskId, RunId>,
}

/// What a document is told of the incident. Hints where to look: live state decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The incident: id, severity, category.
    pub incident: Value,
    /// Who did what it is about, and what says so.
    pub hints: Value,
    /// The image of the resource as a person approved it, when one did: `{"attributes": {…}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Value>,
}

impl Told {
    /// What an incident says.
    pub fn of(incident: &Incident) -> Self {
        Self {
            incident: serde_json::json!({
                "id": incident.id, "severity": incident.severity, "category": incident.category,
            }),
            hints: serde_json::json!({
                "actors": incident.actors, "findings": incident.told, "since": incident.first_event_at,
                "addresses": addresses(&incident.actors),
            }),
            baseline: None,
        }
    }

    /// Whether an outsider can cause every finding that it tells of, and it tells of one.
    pub fn is_by_outsiders(&self) -> bool {
        let findings = self.hints.get("findings").and_then(Value::as_array);
        let outsider = |finding: &Value| finding.get("outsider") == Some(&Value::Bool(true));
        findings.is_some_and(|all| !all.is_empty() && all.iter().all(outsider))
    }

    /// When the first of the incident's events happened.
    pub fn since(&self) -> Option<Timestamp> {
        let since = self.hints.get("since").and_then(Value::as_str)?;
        since.parse().ok()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The addresses of those who are known by nothing else, each once, as they are written in short. What is no address is left out.
fn addresses(actors: &[Actor]) -> Vec<IpAddr> {
    let addresses = actors.iter().filter_map(Actor::address);
    let each: BTreeSet<IpAddr> = addresses.collect();
    each.into_iter().collect()
}

/// The task of another run that started a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    /// The task.
    pub task: TaskId,
    /// What it asked for.
    pub execution: ExecutionTask,
    /// The runs above this one with their playbooks, the outermost first.
    pub above: Vec<(RunId, String)>,
}

impl Parent {
    /// The run of the task.
    pub fn run(&self) -> Option<&RunId> {
        self.above.last().map(|(run, _)| run)
    }
}

/// A run inside a run inside a run: so many at most.
const DEPTH_MAX: usize = 8;

/// A stage of a run, for timelines and measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The run was opened.
    Opened,
    /// Live state was read and a plan made.
    Planned,
    /// The guard, or a person, said yes.
    Permitted,
    /// The first changing call was answered.
    Acted,
    /// The result was read back and is as planned.
    Verified,
    /// It ended.
    Ended,
}

impl Run {
    /// When a stage was reached.
    pub fn reached(&self, stage: Stage) -> Option<Timestamp> {
        self.timeline
            .iter()
            .find(|(s, _)| *s == stage)
            .map(|(_, at)| *at)
    }

    /// The runs that a run nested in this one would have above it.
    ///
    /// # Errors
    /// How the task that asks for it fails, when that would be too deep or would go in a circle.
    pub fn above_nested(&self, playbook: &str) -> Result<Vec<(RunId, String)>, TaskFault> {
        let parent = self.parent.iter().flat_map(|parent| &parent.above);
        let mut above: Vec<_> = parent.cloned().collect();
        above.push((self.id.clone(), self.playbook.clone()));
        let path = || {
            let names = above.iter().map(|(_, name)| name.as_str());
            names.chain([playbook]).collect::<Vec<_>>().join(" → ")
        };
        if above.iter().any(|(_, name)| name == playbook) {
            let cause = format!("an execution would start itself: {}", path());
            return Err(TaskFault::new("Quell.CyclicExecution", cause));
        }
        if above.len() >= DEPTH_MAX {
            let cause = format!("executions are nested {DEPTH_MAX} deep at most: {}", path());
            return Err(TaskFault::new("Quell.ExecutionTooDeep", cause));
        }
        Ok(above)
    }

    /// Notes a stage, the first time only.
    pub fn note(&mut self, stage: Stage, at: Timestamp) {
        if self.reached(stage).is_none() {
            self.timeline.push((stage, at));
        }
    }
}

/// What a playbook's document is given. The same members for every playbook; a nested run has what its task gave it,
/// and nothing else.
///
/// `accounts` are the installation's own; a document is told of [`ACCOUNTS_MAX`] of them.
pub fn input(run: &Run, facts: &Value, roles: &Roles, accounts: &[&str]) -> Value {
    if let Some(parent) = &run.parent {
        return parent.execution.input();
    }
    let arn = &run.resource.arn;
    let mut input = serde_json::json!({
        "run": run.id, "playbook": run.playbook, "mode": run.mode,
        "account": run.resource.account, "region": run.resource.region, "partition": arn.partition,
        "resource": run.resource, "facts": facts,
        "roles": roles.by_key(), "incident": run.told.incident, "hints": run.told.hints,
        "queues": {"permit": PERMIT_QUEUE},
        "accounts": accounts.iter().take(ACCOUNTS_MAX).collect::<Vec<_>>(),
    });
    if let Some(map) = input.as_object_mut() {
        if run.mode == Mode::Undo {
            map.insert("undo".to_owned(), run.undo.clone().unwrap_or_default());
        }
        if let Some(approved) = &run.told.baseline {
            map.insert("baseline".to_owned(), approved.clone());
        }
    }
    input
}

/// The state machine that a run is an execution of, as its document can see it.
pub fn machine(run: &Run) -> MachineRef {
    MachineRef {
        id: Caller::new(&run.id, &run.playbook).machine,
        name: run.playbook.clone(),
        role_arn: String::new(),
        region: run.resource.region.clone(),
    }
}

/// The roles that a run assumes: in the resource's account, and, for the calls of AWS Organizations, in the one that manages the
/// organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Reads.
    pub read: String,
    /// Reads what the organisation says; none when nobody said which account manages it.
    pub read_organization: Option<String>,
    /// Changes, one for each family of calls.
    pub act: BTreeMap<Family, String>,
}

impl Roles {
    /// The role that makes a changing call.
    pub fn acting(&self, service: &str, operation: &str) -> &str {
        let family = Family::of(service, operation);
        self.act.get(&family).map_or("", String::as_str)
    }

    /// The role that makes a call that only reads.
    pub fn reading(&self, service: &str, operation: &str) -> &str {
        match Family::of(service, operation) {
            Family::Organization => self.read_organization.as_deref().unwrap_or_default(),
            _ => &self.read,
        }
    }

    /// As a document is given them.
    fn by_key(&self) -> Value {
        let acting = self.act.iter().map(|(family, role)| (family.key(), role));
        let of_organization = self.read_organization.iter();
        let of_organization = of_organization.map(|role| ("readOrganization", role));
        let all = acting.chain([("read", &self.read)]).chain(of_organization);
        let all = all.map(|(key, role)| (key.to_owned(), Value::from(role.as_str())));
        Value::Object(all.collect())
    }
}

/// A document is told of so many accounts at most: Step Functions takes 256 KiB as input, and this is less than 80. The guard
/// knows them all.
pub const ACCOUNTS_MAX: usize = 5_000;

/// Where a document sends its plan to ask for a permit. Quell's own runner answers it in process; on Step
/// Functions it is a queue that Quell reads.
pub const PERMIT_QUEUE: &str = "quell:permits";
