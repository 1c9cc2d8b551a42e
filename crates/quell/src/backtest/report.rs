//! What a backtest says.

use std::collections::{BTreeMap, BTreeSet};

use quell_guard::{Decision, Level};
use quell_model::{Plan, RecordId, Resource, Severity, Timestamp, canonical_json, sha256_hex};
use quell_respond::Playbook;
use serde::Serialize;
use serde_json::{Value, json};

use super::Window;
use super::gather::Counts;
use super::replay::Replayed;
use crate::app::App;

/// How a trigger would have come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Came {
    /// By itself, the plan.
    Acts,
    /// A person would have been asked.
    Asks,
    /// The guard would have said no.
    Refused,
    /// There was nothing to do.
    Nothing,
    /// The document would have failed.
    Fails,
    /// Live state would have decided, which no event tells.
    Unknown,
    /// No run would have begun.
    NotBegun,
}

impl Came {
    /// The word on screen.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Acts => "acts",
            Self::Asks => "asks",
            Self::Refused => "refused",
            Self::Nothing => "nothing to do",
            Self::Fails => "fails",
            Self::Unknown => "would have read live state",
            Self::NotBegun => "not begun",
        }
    }
}

/// Which guard stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Guard {
    /// The account is not looked after.
    Scope,
    /// The playbook's own level, or a step that reaches further.
    Level,
    /// Somebody answers for it.
    Exception,
    /// A change freeze.
    Freeze,
    /// What no playbook touches.
    NeverTouch,
    /// So many changes in an hour.
    Budget,
    /// It was changed often within a day.
    ComesBack,
    /// A pipeline made it.
    Pipeline,
    /// A policy, or who else would feel it.
    PolicyOrConcern,
    /// The plan could not be proven.
    Proof,
}

/// What one trigger would have led to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Act {
    pub(crate) at: Timestamp,
    pub(crate) resource: Resource,
    pub(crate) record: RecordId,
    pub(crate) findings: Vec<String>,
    pub(crate) detections: BTreeSet<String>,
    pub(crate) severity: Severity,
    pub(crate) came: Came,
    /// Which guards stood in the way.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) guards: BTreeSet<Guard>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reasons: Vec<String>,
    /// The plan in a line, its calls, and its hash.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) plan: Value,
    /// What would have been read, and no event tells.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) would_have_read: BTreeSet<String>,
    /// When what the plan takes away was gone in truth; absent when it was there to the end of the events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) closed_in_truth_at: Option<Timestamp>,
    /// Until when a containment would have held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held_until: Option<Timestamp>,
    /// When the resource would have been answered next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_begins_at: Option<Timestamp>,
    /// A person said of its incident that nothing of the kind had happened.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) judged_wrong: bool,
}

impl Act {
    pub(super) fn note_plan(&mut self, plan: &Plan) {
        let calls = plan.calls.iter();
        let calls = calls
            .map(|c| json!({"resource": c.resource, "arguments": c.arguments, "class": c.class}));
        self.plan = json!({
            "summary": plan.summary, "calls": calls.collect::<Vec<_>>(),
        });
    }

    pub(super) fn note_decision(&mut self, decision: Decision) {
        let (came, reasons) = match decision {
            Decision::Permit(_) => (Came::Acts, Vec::new()),
            Decision::Ask { reasons, .. } => (Came::Asks, reasons),
            Decision::Refuse { reasons } => (Came::Refused, reasons),
        };
        self.came = came;
        self.guards = reasons.iter().map(|why| guard_of(why, came)).collect();
        self.reasons = reasons;
    }
}

/// What a reason of what is never touched says.
const NEVER: &[&str] = &["is never touched", "is ever changed", "is never changed"];

/// Which guard a reason is of, by how the guard begins it.
fn guard_of(why: &str, came: Came) -> Guard {
    let begins = |with: &str| why.starts_with(with);
    match came {
        _ if why.contains("the budget of ") => Guard::Budget,
        _ if NEVER.iter().any(|words| why.contains(words)) => Guard::NeverTouch,
        _ if begins("it was changed ") => Guard::ComesBack,
        _ if begins("the pipeline ") => Guard::Pipeline,
        _ if begins("the level here is ") || begins("a step is of class ") => Guard::Level,
        _ if begins("exc-") => Guard::Exception,
        _ if begins("changes are frozen") => Guard::Freeze,
        Came::Refused => Guard::Proof,
        _ => Guard::PolicyOrConcern,
    }
}

/// What a backtest says of a playbook.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) playbook: String,
    pub(crate) version: String,
    /// SHA-256 of the playbook's files.
    pub(crate) playbook_digest: String,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    /// How far it might have gone by itself, in production and elsewhere.
    pub(crate) levels: [Level; 2],
    pub(crate) counts: Counts,
    pub(crate) totals: Totals,
    /// How often each guard stood in the way.
    pub(crate) guards: BTreeMap<Guard, u64>,
    /// Whether there is a world of events for what the playbook is about; else only triggers and guards are known.
    pub(crate) is_reconstructed: bool,
    /// What names the playbook and was not tried, because it looks at something else than single records.
    pub(crate) not_tried: Vec<String>,
    /// Why it is not clean; empty when it is.
    pub(crate) unclean: Vec<String>,
    pub(crate) acts: Vec<Act>,
    /// SHA-256 of all of this but the bounds of time.
    pub(crate) digest: String,
}

/// How often what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Totals {
    pub(crate) triggers: u64,
    pub(crate) incidents: u64,
    pub(crate) resources: usize,
    pub(crate) acts: u64,
    pub(crate) asks: u64,
    pub(crate) refused: u64,
    pub(crate) nothing: u64,
    pub(crate) fails: u64,
    pub(crate) unknown: u64,
    pub(crate) not_begun: u64,
    /// Findings that joined an incident whose plan waits for a person.
    pub(crate) joined_waiting: u64,
    pub(crate) repeated: u64,
    pub(crate) judged_wrong: u64,
    /// Of what it would have changed by itself: gone in truth, by whoever took it away.
    pub(crate) closed_in_truth: u64,
}

/// Puts it together. `wrong`: findings of which a person said that nothing of the kind had happened.
pub(super) fn of(
    app: &App,
    playbook: &Playbook,
    window: &Window,
    (replayed, counts): (Replayed, Counts),
    wrong: &BTreeSet<String>,
) -> Report {
    let Replayed {
        mut acts,
        incidents,
        joined_waiting,
        repeated,
        is_reconstructed,
    } = replayed;
    let mut totals = Totals {
        incidents,
        joined_waiting,
        repeated,
        ..Totals::default()
    };
    let mut guards: BTreeMap<Guard, u64> = BTreeMap::new();
    let mut resources: BTreeSet<String> = BTreeSet::new();
    for act in &mut acts {
        act.judged_wrong = act.findings.iter().any(|id| wrong.contains(id));
        totals.triggers += 1;
        let count = match act.came {
            Came::Acts => &mut totals.acts,
            Came::Asks => &mut totals.asks,
            Came::Refused => &mut totals.refused,
            Came::Nothing => &mut totals.nothing,
            Came::Fails => &mut totals.fails,
            Came::Unknown => &mut totals.unknown,
            Came::NotBegun => &mut totals.not_begun,
        };
        *count += 1;
        let would_act = matches!(act.came, Came::Acts | Came::Unknown);
        totals.judged_wrong += u64::from(would_act && act.judged_wrong);
        totals.closed_in_truth += u64::from(act.closed_in_truth_at.is_some());
        for guard in &act.guards {
            *guards.entry(*guard).or_default() += 1;
        }
        if would_act {
            resources.insert(act.resource.arn.to_string());
        }
    }
    totals.triggers += joined_waiting + repeated;
    totals.resources = resources.len();
    let level = |production| playbook.level.of(production).min(window.level_max);
    let network = app.content.network.detections();
    let of_lines = network
        .iter()
        .filter(|d| d.playbook.as_deref() == Some(&*playbook.id));
    let mut report = Report {
        playbook: playbook.id.clone(),
        version: playbook.version.clone(),
        playbook_digest: playbook.digest.clone(),
        since: window.since,
        until: window.until,
        levels: [level(true), level(false)],
        unclean: unclean(&totals, &guards),
        counts,
        totals,
        guards,
        is_reconstructed,
        not_tried: of_lines.map(|d| d.id.clone()).collect(),
        acts,
        digest: String::new(),
    };
    report.digest = digest(&report);
    report
}

/// What speaks against letting it act by itself.
fn unclean(totals: &Totals, guards: &BTreeMap<Guard, u64>) -> Vec<String> {
    let of = |guard| guards.get(&guard).copied().unwrap_or(0);
    let checks = [
        (
            totals.judged_wrong,
            "would have answered what a person judged to be a false alarm",
        ),
        (of(Guard::Proof), "made a plan that could not be proven"),
        (
            of(Guard::NeverTouch),
            "planned to touch what is never touched",
        ),
        (
            of(Guard::ComesBack),
            "would have changed a resource again and again within a day",
        ),
        (of(Guard::Budget), "would have gone beyond a budget"),
        (totals.fails, "failed"),
    ];
    let found = checks.into_iter().filter(|(count, _)| *count > 0);
    found
        .map(|(count, what)| format!("{count} time(s) it {what}"))
        .collect()
}

fn digest(report: &Report) -> String {
    let mut value = serde_json::to_value(report).unwrap_or_default();
    if let Some(all) = value.as_object_mut() {
        for name in ["since", "until", "digest"] {
            all.remove(name);
        }
    }
    sha256_hex(canonical_json(&value))
}
