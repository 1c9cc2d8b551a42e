//! The real guard, in the situation of a case.

use quell_guard::proof::Known;
use quell_guard::{
    Approval, Cause, Decision, Declaration, Family, Level, NeverTouch, Orders, Place, Policies,
    Question, Situation, Verdict, decide,
};
use quell_model::{Plan, Timestamp};
use quell_respond::{Mode, Playbook, Run};
use serde_json::Value;

use super::case::{Case, MANAGEMENT};

/// Policies that permit what a playbook declares: what the content's own say is tried elsewhere.
#[derive(Debug)]
struct Declared;

impl Policies for Declared {
    fn judge(&self, question: &Question<'_>) -> Verdict {
        match question.declared {
            true => Verdict::Permit,
            false => Verdict::Forbid {
                reasons: vec!["it is not declared".to_owned()],
            },
        }
    }
}

/// What the guard looks at in these tests.
pub struct Judge<'a> {
    playbook: &'a Playbook,
    /// The playbook's own facts, with what the case says instead.
    facts: Value,
    since: Option<Timestamp>,
    baseline: Option<Value>,
    accounts: Vec<String>,
    caused_by_outsiders: bool,
    actors: Value,
    /// Quell's own roles, by name, as the settings know them.
    own: Vec<String>,
    production: bool,
    people_agree: bool,
    approvals: Vec<Approval>,
    /// How many plans it still says yes to.
    pub yeses: usize,
    /// Whether somebody has pulled the brake.
    pub halted: bool,
    /// Whether a person was asked.
    pub asked: bool,
    /// All that it said no for.
    pub refusals: Vec<String>,
}

fn caused_by_outsiders(input: &Value) -> bool {
    let told = quell_respond::Told {
        hints: input["hints"].clone(),
        ..Default::default()
    };
    told.is_by_outsiders()
}

impl<'a> Judge<'a> {
    pub fn new(playbook: &'a Playbook, case: &Case, input: &Value) -> Self {
        Self {
            playbook,
            facts: input["facts"].clone(),
            since: serde_json::from_value(input["hints"]["since"].clone()).ok(),
            baseline: input.get("baseline").cloned(),
            accounts: serde_json::from_value(input["accounts"].clone()).unwrap_or_default(),
            caused_by_outsiders: caused_by_outsiders(input),
            actors: input["hints"]["actors"].clone(),
            own: Family::ALL
                .map(|family| format!("QuellAct-{}", family.name()))
                .into_iter()
                .chain(["QuellReader".to_owned()])
                .collect(),
            production: case.production,
            people_agree: case.people_agree,
            approvals: Vec::new(),
            yeses: usize::MAX,
            halted: false,
            asked: false,
            refusals: Vec::new(),
        }
    }

    fn level(&self) -> Level {
        match self.production {
            true => self.playbook.level.production,
            false => self.playbook.level.non_production,
        }
    }

    /// What the guard says of a plan, once those who are asked have said yes, if they do.
    pub fn decide(&mut self, plan: &Plan, run: &Run, now: Timestamp) -> Decision {
        let first = self.ask(plan, run, now);
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
        let second = self.ask(plan, run, now);
        self.note(second)
    }

    fn note(&mut self, decision: Decision) -> Decision {
        if let Decision::Refuse { reasons } = &decision {
            self.refusals.extend(reasons.iter().cloned());
        }
        decision
    }

    fn ask(&self, plan: &Plan, run: &Run, now: Timestamp) -> Decision {
        let accounts: Vec<&str> = self.accounts.iter().map(String::as_str).collect();
        let situation = Situation {
            run: &run.id,
            resource: &run.resource,
            declaration: Declaration {
                facts: &self.facts,
                ..self.playbook.declaration()
            },
            undo: run.undo.as_ref().filter(|_| run.mode == Mode::Undo),
            account_in_scope: true,
            level: self.level(),
            halted: self.halted,
            place: Place {
                management_account: Some(MANAGEMENT),
                ..Place::default()
            },
            cause: Cause::default(),
            orders: Orders {
                policies: &Declared,
                exceptions: Ok(&[]),
                freezes: Ok(&[]),
                budgets: &[],
                pipelines: &[],
            },
            production: self.production,
            never_touch: NeverTouch {
                accounts: &[],
                names: &self.own,
            },
            approvals: &self.approvals,
            rejection: None,
            refused_before: None,
            requested_by: run.requested_by.as_deref(),
            comes_back: None,
            caused_by_outsiders: self.caused_by_outsiders,
            takes_back: run.takes_back,
            known: Known {
                since: self.since,
                baseline: self.baseline.as_ref(),
                accounts: &accounts,
                actors: Some(&self.actors),
                ..Known::default()
            },
            now,
        };
        decide(plan, &situation)
    }
}
