//! The real guard, in the situation of a case.

use quell_guard::proof::Known;
use quell_guard::{Approval, Decision, Declaration, Level, NeverTouch, Situation, decide};
use quell_model::{Plan, Resource, RunId, Timestamp};
use quell_respond::Playbook;
use serde_json::Value;

use super::case::{Case, RUN};

/// What the guard looks at in these tests.
pub struct Judge<'a> {
    playbook: &'a Playbook,
    resource: Resource,
    run: RunId,
    undo: Option<&'a Value>,
    /// The playbook's own facts, with what the case says instead.
    facts: Value,
    production: bool,
    people_agree: bool,
    approvals: Vec<Approval>,
    /// Whether somebody has pulled the brake.
    pub halted: bool,
    /// Whether a person was asked.
    pub asked: bool,
    /// All that it said no for.
    pub refusals: Vec<String>,
}

impl<'a> Judge<'a> {
    pub fn new(playbook: &'a Playbook, case: &Case, undo: Option<&'a Value>) -> Self {
        Self {
            playbook,
            resource: case.resource(playbook),
            run: RUN.parse().unwrap(),
            undo,
            facts: case.input(playbook, None)["facts"].take(),
            production: case.production,
            people_agree: case.people_agree,
            approvals: Vec::new(),
            halted: false,
            asked: false,
            refusals: Vec::new(),
        }
    }

    /// Where the calls are made.
    pub fn place(&self) -> (&str, &str) {
        (&self.resource.account, &self.resource.region)
    }

    fn level(&self) -> Level {
        match self.production {
            true => self.playbook.level.production,
            false => self.playbook.level.non_production,
        }
    }

    /// What the guard says of a plan, once those who are asked have said yes, if they do.
    pub fn decide(&mut self, plan: &Plan, now: Timestamp) -> Decision {
        let first = self.ask(plan, now);
        if !matches!(first, Decision::Ask { .. }) {
            return self.note(first);
        }
        self.asked = true;
        if self.people_agree {
            let yes = |by: &str| Approval {
                by: by.to_owned(),
                plan_hash: plan.hash(),
                at: now,
            };
            self.approvals.extend(["ann", "bob"].map(yes));
        }
        let second = self.ask(plan, now);
        self.note(second)
    }

    fn note(&mut self, decision: Decision) -> Decision {
        if let Decision::Refuse { reasons } = &decision {
            self.refusals.extend(reasons.iter().cloned());
        }
        decision
    }

    fn ask(&self, plan: &Plan, now: Timestamp) -> Decision {
        let situation = Situation {
            run: &self.run,
            resource: &self.resource,
            declaration: Declaration {
                facts: &self.facts,
                ..self.playbook.declaration()
            },
            undo: self.undo,
            account_in_scope: true,
            level: self.level(),
            halted: self.halted,
            budget_left: 100,
            production: self.production,
            never_touch: NeverTouch::default(),
            approvals: &self.approvals,
            rejection: None,
            requested_by: self.undo.map(|_| "carol"),
            changed_lately: 0,
            takes_back: false,
            known: Known::default(),
            now,
        };
        decide(plan, &situation)
    }
}
