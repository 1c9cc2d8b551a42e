//! Goes through what was gathered in the order of time: changes alter the world, triggers begin runs, the guard decides, and what it
//! permits is done in the world. What a person would have said nobody knows: nobody is there, so what is asked is not done.

use std::collections::{BTreeMap, BTreeSet};

use quell_guard::proof::Known;
use quell_guard::{
    Budget, Decision, Exception, Freeze, Level, NeverTouch, Orders, Place, Situation,
};
use quell_model::{Call, Finding, Incident, Plan, Resource, Timestamp};
use quell_respond::{Playbook, Run};
use quell_triage::{Cause, Known as KnownOf, Placed, place};
use serde_json::Value;

use super::Window;
use super::document::{Came, step};
use super::gather::{Gathered, Trigger};
use super::report::{Act, Came as Said, Guard};
use super::security_groups::SecurityGroups;
use super::world::{Change, World, Worlds};
use crate::app::App;
use crate::begin;
use crate::loops::limits;
use crate::orders::LaidDown;

/// Exceptions and freezes as they counted then: one that was ended counted until it was.
pub(super) struct LaidDownThen {
    exceptions: Vec<Exception>,
    freezes: Vec<Freeze>,
}

impl LaidDownThen {
    pub(super) fn of(mut exceptions: Vec<Exception>, mut freezes: Vec<Freeze>) -> Self {
        for exception in &mut exceptions {
            if let Some(ended) = exception.ended.take() {
                exception.expires_at = exception.expires_at.min(ended.at);
            }
        }
        for freeze in &mut freezes {
            if let Some(ended) = freeze.ended.take() {
                freeze.until = freeze.until.min(ended.at);
            }
        }
        Self {
            exceptions,
            freezes,
        }
    }
}

/// An incident that is not resolved.
struct Open {
    incident: Incident,
    /// A plan waits for a person until then.
    waits_until: Option<Timestamp>,
}

/// The simulation.
pub(super) struct Replay<'a> {
    app: &'a App,
    playbook: &'a Playbook,
    window: &'a Window,
    then: &'a LaidDownThen,
    world: Option<Box<dyn World>>,
    open: BTreeMap<Cause, Open>,
    /// When each resource was changed.
    fixes: BTreeMap<String, Vec<Timestamp>>,
    /// What was spent of each budget, by its key and the hour.
    spent: BTreeMap<(String, i64), u64>,
    /// Which act planned to take a thing away: the thing is gone in truth at some time, or never.
    planned: BTreeMap<String, usize>,
    left: BTreeMap<usize, usize>,
    out: Replayed,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) acts: Vec<Act>,
    pub(super) incidents: u64,
    /// Findings that joined an incident whose plan waits for a person.
    pub(super) joined_waiting: u64,
    /// Findings that were in their incident already.
    pub(super) repeated: u64,
    pub(super) is_reconstructed: bool,
}

enum Item {
    Change(Change),
    Trigger(Trigger),
}

/// A resource that was changed again within this time came back.
const DAY_MILLIS: i64 = 24 * 3_600_000;

impl<'a> Replay<'a> {
    pub(super) fn new(
        app: &'a App,
        playbook: &'a Playbook,
        window: &'a Window,
        then: &'a LaidDownThen,
    ) -> Self {
        Self {
            app,
            playbook,
            window,
            then,
            world: Worlds::of(playbook).world(),
            open: BTreeMap::new(),
            fixes: BTreeMap::new(),
            spent: BTreeMap::new(),
            planned: BTreeMap::new(),
            left: BTreeMap::new(),
            out: Replayed::default(),
        }
    }

    /// Goes through all of it.
    pub(super) fn run(mut self, mut gathered: Gathered) -> (Replayed, super::gather::Counts) {
        gathered.correlated(self.app);
        self.out.is_reconstructed = self.world.is_some();
        // Of one second the changes come first, in the order that makes sense; what is told twice is one.
        let mut items: Vec<((Timestamp, usize, String), Item)> = Vec::new();
        for change in gathered.changes {
            let key = (
                change.at,
                SecurityGroups::rank(&change.name),
                change.record.to_string(),
            );
            items.push((key, Item::Change(change)));
        }
        for trigger in gathered.triggers {
            let key = (trigger.at, usize::MAX, trigger.record.to_string());
            items.push((key, Item::Trigger(trigger)));
        }
        items.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut last_change = None;
        for (key, item) in items {
            match item {
                Item::Change(change) => {
                    if last_change.as_ref() != Some(&key) {
                        self.change(&change);
                    }
                    last_change = Some(key);
                }
                Item::Trigger(trigger) => self.trigger(&trigger),
            }
        }
        self.say_when_next();
        (self.out, gathered.counts)
    }

    fn change(&mut self, change: &Change) {
        let gone = self.world.as_mut().map(|world| world.apply(change));
        for thing in gone.into_iter().flatten() {
            let Some(act) = self.planned.remove(&thing) else {
                continue;
            };
            let left = self.left.entry(act).or_default();
            *left = left.saturating_sub(1);
            if *left == 0
                && let Some(act) = self.out.acts.get_mut(act)
            {
                act.closed_in_truth_at = Some(change.at);
            }
        }
    }

    fn trigger(&mut self, trigger: &Trigger) {
        let findings = &trigger.findings;
        let mut may = findings.iter().filter(|f| f.may_begin_a_change());
        let target = may.find_map(|f| self.playbook.target(f).map(|target| (f, target.clone())));
        let (Some(first), Some((finding, resource))) = (findings.first(), target) else {
            return;
        };
        let trouble = self
            .app
            .content
            .trouble(Some(self.playbook), findings.iter());
        let cause = Cause::of(trouble, first);
        let open = self.open.remove(&cause);
        let waits_until = open.as_ref().and_then(|open| open.waits_until);
        let known = KnownOf {
            open: open.map(|open| open.incident),
            waiting: Vec::new(),
        };
        let waits = waits_until.is_some_and(|until| trigger.at < until);
        let incident = match place(known, &cause, findings, trouble, trigger.at) {
            Some(Placed::Opened(incident)) => {
                self.out.incidents += 1;
                incident
            }
            Some(Placed::Joined(incident)) if !waits => incident,
            Some(Placed::Joined(incident)) => {
                self.out.joined_waiting += 1;
                self.open.insert(
                    cause,
                    Open {
                        incident,
                        waits_until,
                    },
                );
                return;
            }
            Some(Placed::Known(incident)) => {
                self.out.repeated += 1;
                self.open.insert(
                    cause,
                    Open {
                        incident,
                        waits_until,
                    },
                );
                return;
            }
            Some(Placed::Waiting) | None => return,
        };
        let run = begin::respond(&incident, &resource, self.playbook, None, trigger.at);
        let mut act = Act::of(finding, &run, trigger);
        let ends = self.respond(&incident, &run, trigger.at, &mut act);
        let hours = self.playbook.containment_hours.map(i64::from);
        act.held_until = hours
            .filter(|_| matches!(act.came, Said::Acts | Said::Unknown))
            .map(|hours| trigger.at.plus_millis(hours.saturating_mul(3_600_000)));
        let waits_until = (act.came == Said::Asks).then(|| {
            let hours = i64::from(self.app.config.respond.approval_hours);
            trigger.at.plus_millis(hours.saturating_mul(3_600_000))
        });
        if !ends {
            let mut incident = incident;
            incident.runs.push(run.id);
            self.open.insert(
                cause,
                Open {
                    incident,
                    waits_until,
                },
            );
        }
        self.out.acts.push(act);
    }

    /// What would have come of it. Answers whether the incident would have been over.
    fn respond(&mut self, incident: &Incident, run: &Run, at: Timestamp, act: &mut Act) -> bool {
        let resource = &run.resource;
        if let Some((guard, why)) = self.not_begun(incident, resource, at) {
            act.came = Said::NotBegun;
            act.guards.insert(guard);
            act.reasons.push(why);
            return false;
        }
        let Some(world) = self.world.as_deref() else {
            act.came = Said::Unknown;
            act.would_have_read
                .insert(format!("{} itself", resource.kind));
            return false;
        };
        let mut notes = BTreeSet::new();
        let came = step(self.app, self.playbook, run, at.millis(), world, &mut notes);
        act.would_have_read = notes;
        match came {
            Came::Nothing(output) => {
                act.came = Said::Nothing;
                let words =
                    ["outcome", "reason"].map(|name| output.get(name).and_then(Value::as_str));
                act.reasons = words.into_iter().flatten().map(str::to_owned).collect();
                true
            }
            Came::Unread(what) => {
                act.came = Said::Unknown;
                act.reasons
                    .push(format!("no event tells what {what} would have answered"));
                false
            }
            Came::Failed(why) => {
                act.came = Said::Fails;
                act.reasons.push(why);
                false
            }
            Came::Planned(plan) => self.decide(run, incident, &plan, at, act),
        }
    }

    /// Why no run would have begun.
    fn not_begun(
        &self,
        incident: &Incident,
        resource: &Resource,
        at: Timestamp,
    ) -> Option<(Guard, String)> {
        let Some(account) = self.app.account(&resource.account) else {
            let why = format!("account {} is not in scope", resource.account);
            return Some((Guard::Scope, why));
        };
        if self.level(account) == Level::Observe {
            return Some((Guard::Level, "the level here is «observe»".to_owned()));
        }
        let told = incident.told.iter();
        let detections: Vec<&str> = told.map(|told| told.detection.as_str()).collect();
        let (exceptions, id) = (&self.then.exceptions, &self.playbook.id);
        quell_guard::exception::excepted(exceptions, at, id, &detections, resource)
            .map(|words| (Guard::Exception, words))
    }

    fn level(&self, account: &crate::config::Account) -> Level {
        self.playbook
            .level
            .of(App::is_production(account))
            .min(self.window.level_max)
    }

    fn decide(
        &mut self,
        run: &Run,
        incident: &Incident,
        plan: &Plan,
        at: Timestamp,
        act: &mut Act,
    ) -> bool {
        let hour = at.seconds().div_euclid(3600);
        let mut budgets = Vec::new();
        for (key, limit, budget) in limits(self.app, &run.resource, plan) {
            let spent = self.spent.get(&(key.clone(), hour)).copied().unwrap_or(0);
            budgets.push((key, budget(limit.saturating_sub(spent))));
        }
        let left: Vec<Budget> = budgets.iter().map(|(_, budget)| budget.clone()).collect();
        let decision = self.guard(run, incident, plan, at, &left);
        act.note_plan(plan);
        let calls: Vec<Call> = plan
            .calls
            .iter()
            .filter_map(|c| Call::of_task(&c.resource, &c.arguments))
            .collect();
        let is_permitted = matches!(decision, Decision::Permit(_));
        act.note_decision(decision);
        if act.came == Said::Refused {
            return false;
        }
        let number = self.out.acts.len();
        for call in &calls {
            let taken = match (&mut self.world, is_permitted) {
                (Some(world), true) => world.act(&run.resource, call),
                (Some(world), false) => world.takes(call),
                (None, _) => Vec::new(),
            };
            for thing in taken {
                *self.left.entry(number).or_default() += 1;
                self.planned.insert(thing, number);
            }
        }
        if !is_permitted {
            return false;
        }
        for (key, budget) in budgets {
            let spent = self.spent.entry((key, hour)).or_default();
            *spent = spent.saturating_add(budget.cost(plan));
        }
        let arn = run.resource.arn.to_string();
        self.fixes.entry(arn).or_default().push(at);
        self.playbook.containment_hours.is_none()
    }

    fn guard(
        &self,
        run: &Run,
        incident: &Incident,
        plan: &Plan,
        at: Timestamp,
        left: &[Budget],
    ) -> Decision {
        let (app, playbook) = (self.app, self.playbook);
        let account = app.account(&run.resource.account);
        let (names, accounts) = (app.never_touched(), app.account_ids());
        let respond = &app.config.respond;
        let exceptions = Ok(self.then.exceptions.clone());
        let laid_down = LaidDown::of(Some(incident), exceptions, Ok(self.then.freezes.clone()));
        let detections = laid_down.detections();
        let fixes = self.fixes.get(&run.resource.arn.to_string());
        let lately = fixes.iter().flat_map(|all| all.iter());
        let lately = lately
            .filter(|fix| at.millis_since(**fix) < DAY_MILLIS)
            .count();
        let situation = Situation {
            run: &run.id,
            resource: &run.resource,
            declaration: playbook.declaration(),
            undo: None,
            account_in_scope: account.is_some(),
            level: account.map_or(Level::Observe, |account| self.level(account)),
            halted: false,
            place: Place {
                environment: account.map(|a| a.environment.as_str()),
                ou: account.and_then(|a| a.ou.as_ref()),
                management_account: app.config.organization.management_account.as_deref(),
            },
            cause: laid_down.cause(&detections),
            orders: Orders {
                policies: &app.content.policies,
                exceptions: laid_down.exceptions.as_deref().map_err(String::as_str),
                freezes: laid_down.freezes.as_deref().map_err(String::as_str),
                budgets: left,
                pipelines: &respond.pipelines,
            },
            production: account.is_none_or(App::is_production),
            known: Known {
                since: run.told.since(),
                accounts: &accounts,
                actors: run.told.hints.get("actors"),
                ..Known::default()
            },
            never_touch: NeverTouch {
                accounts: &respond.never_touch.accounts,
                names: &names,
            },
            approvals: &[],
            rejection: None,
            refused_before: None,
            requested_by: None,
            caused_by_outsiders: run.told.is_by_outsiders(),
            comes_back: (lately >= respond.changes_per_resource_day).then_some(lately),
            takes_back: false,
            now: at,
        };
        quell_guard::decide(plan, &situation)
    }

    /// When each resource would have been answered next.
    fn say_when_next(&mut self) {
        let mut next: BTreeMap<String, Timestamp> = BTreeMap::new();
        for act in self.out.acts.iter_mut().rev() {
            act.next_begins_at = next.insert(act.resource.arn.to_string(), act.at);
        }
    }
}

impl Act {
    fn of(finding: &Finding, run: &Run, trigger: &Trigger) -> Self {
        let all = trigger.findings.iter();
        let detections: BTreeSet<String> = all.clone().map(|f| f.detection.clone()).collect();
        Self {
            at: trigger.at,
            resource: run.resource.clone(),
            record: trigger.record.clone(),
            findings: all.map(|f| f.id.to_string()).collect(),
            detections,
            severity: finding.severity,
            came: Said::Unknown,
            guards: BTreeSet::new(),
            reasons: Vec::new(),
            plan: Value::Null,
            would_have_read: BTreeSet::new(),
            closed_in_truth_at: None,
            held_until: None,
            next_begins_at: None,
            judged_wrong: false,
        }
    }
}
