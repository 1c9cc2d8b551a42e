//! The guard: whether a plan may be carried out. It fails closed: what it cannot check is not permitted.
//!
//! [`decide`] is the only maker of a [`Permit`].

use std::fmt;

use quell_model::{Call, Caller, Class, Plan, PlannedCall, Resource, RunId, Timestamp, UndoCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::approval::{Approval, Rejection, approvers, persons_needed, rejection};
use crate::declaration::Declaration;
use crate::family::Family;
use crate::never_touch::{self, NeverTouch};
use crate::orders::{Cause, Orders, Place, ordered};
use crate::permit::Permit;
use crate::proof::{Claim, Known, Proof, prove};

/// How far a playbook may go by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Look and tell; plan nothing.
    Observe,
    /// Plan, and show the plan.
    Suggest,
    /// Plan, and act once a person has said yes.
    Approve,
    /// Act by itself where every step can be undone and nothing speaks against it; otherwise ask.
    AutoWithUndo,
    /// Act by itself.
    Auto,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observe => "observe",
            Self::Suggest => "suggest",
            Self::Approve => "approve",
            Self::AutoWithUndo => "auto-with-undo",
            Self::Auto => "auto",
        })
    }
}

/// What the guard looks at beside the plan.
#[derive(Debug)]
pub struct Situation<'a> {
    /// The run that asks.
    pub run: &'a RunId,
    /// The one resource that the run is about.
    pub resource: &'a Resource,
    /// What the playbook that made the plan declares.
    pub declaration: Declaration<'a>,
    /// For an undo, what the first run recorded.
    pub undo: Option<&'a Value>,
    /// Whether the account is one that Quell was told to look after.
    pub account_in_scope: bool,
    /// How far the playbook may go in this account.
    pub level: Level,
    /// Whether somebody has pulled the brake.
    pub halted: bool,
    /// Where the resource is.
    pub place: Place<'a>,
    /// Why the run is there.
    pub cause: Cause<'a>,
    /// What people have laid down.
    pub orders: Orders<'a>,
    /// Whether the account is one of production, or not known to be another.
    pub production: bool,
    /// What is known of the resource beside the plan.
    pub known: Known<'a>,
    /// What no playbook ever touches, beside what is compiled in.
    pub never_touch: NeverTouch<'a>,
    /// What people said yes to.
    pub approvals: &'a [Approval],
    /// A person's no, if there is one.
    pub rejection: Option<&'a Rejection>,
    /// A person said no to what this playbook wanted to do to this resource in an earlier run of the incident: who and why. Another look at the same
    /// trouble does not do by itself what was refused.
    pub refused_before: Option<&'a str>,
    /// The person who asked for this run by name, if one did: that is a yes to what the plan does by itself.
    pub requested_by: Option<&'a str>,
    /// How often this playbook changed this resource within the last day, when that is too often: two machines must not fight.
    pub comes_back: Option<usize>,
    /// An outsider can cause everything that the run answers, and nobody asked for it: by itself it does nothing but what ends by
    /// itself.
    pub caused_by_outsiders: bool,
    /// The run takes back what another had done when a step of it failed: nobody is asked about that, since what is
    /// half done is nobody's choice.
    pub takes_back: bool,
    /// Now.
    pub now: Timestamp,
}

/// What the guard says.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for a moment, with whoever asked"
)]
pub enum Decision {
    /// Yes.
    Permit(Permit),
    /// A person has to say.
    Ask {
        /// Why.
        reasons: Vec<String>,
        /// What was shown of the plan all the same.
        proof: Proof,
    },
    /// No.
    Refuse {
        /// Why.
        reasons: Vec<String>,
    },
}

impl Decision {
    /// What was shown of the plan; `None` when the answer is no.
    pub fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Permit(permit) => Some(permit.proof()),
            Self::Ask { proof, .. } => Some(proof),
            Self::Refuse { .. } => None,
        }
    }
}

/// A permit lasts so long: the state that it rests on gets old.
pub const PERMIT_MILLIS: i64 = 5 * 60 * 1000;

/// Whether the plan may be carried out.
pub fn decide(plan: &Plan, situation: &Situation<'_>) -> Decision {
    let hash = plan.hash();
    let approvers = approvers(&hash, situation);
    let ordered = ordered(plan, situation, approvers.len());
    let mut refusals = refusals(plan, situation);
    refusals.extend(ordered.refusals);
    let proven = prove(
        &situation.resource.kind,
        &to_the_resource(plan),
        &claim_of(situation),
    );
    let proof = match proven {
        Ok(proof) if refusals.is_empty() => proof,
        Ok(_) => return Decision::Refuse { reasons: refusals },
        Err(unproven) => {
            refusals.push(unproven.to_string());
            return Decision::Refuse { reasons: refusals };
        }
    };
    let mut questions = match situation.takes_back {
        true => Vec::new(),
        false => [ordered.questions, questions(plan, situation, &proof)].concat(),
    };
    let needed = match situation.takes_back {
        true => 0,
        false => persons_needed(worst_deed(plan), situation.production)
            .max(ordered.persons)
            .max(usize::from(!questions.is_empty())),
    };
    if approvers.len() < needed {
        if needed > 1 {
            let said = approvers.len();
            questions.push(format!("{needed} persons have to say yes, and {said} did"));
        }
        return Decision::Ask {
            reasons: questions,
            proof,
        };
    }
    let approver = match approvers.is_empty() {
        false => approvers.join(", "),
        true => situation.requested_by.unwrap_or("policy:auto").to_owned(),
    };
    let caller = Caller::new(situation.run, situation.declaration.playbook);
    let calls = plan.calls.iter().filter_map(call_of);
    let calls = calls.map(|call| call.made_by(&caller)).collect();
    let expires_at = situation.now.plus_millis(PERMIT_MILLIS);
    Decision::Permit(Permit::new(
        (
            situation.run,
            situation.resource,
            situation.place.management_account,
        ),
        plan,
        calls,
        approver,
        expires_at,
        proof,
    ))
}

/// The call that a planned call stands for, or `None` when its resource is none that a playbook may use.
pub(crate) fn call_of(planned: &PlannedCall) -> Option<Call> {
    Call::of_task(&planned.resource, &planned.arguments)
}

/// What reaches others and leaves the resource as it is. No proof for a resource can say anything of it, and nobody can
/// take it back, whatever class the plan gives it.
pub(crate) const MESSAGES: &[(&str, &str)] = &[
    ("activity", "Offer"),
    ("eventbridge", "PutEvents"),
    ("events", "PutEvents"),
    ("http", "Invoke"),
    ("lambda", "Invoke"),
    ("sns", "Publish"),
    ("sqs", "SendMessage"),
    ("states", "StartExecution"),
];

fn is_message(planned: &PlannedCall) -> bool {
    call_of(planned)
        .is_some_and(|call| MESSAGES.contains(&(call.service.as_str(), call.operation.as_str())))
}

/// How far a planned call reaches.
pub(crate) fn class_of(planned: &PlannedCall) -> Class {
    match is_message(planned) {
        true => Class::R3,
        false => planned.class,
    }
}

/// What the plan does to the resource itself: that is what a proof is about.
fn to_the_resource(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.calls.retain(|planned| !is_message(planned));
    plan
}

/// What no approval can mend.
fn refusals(plan: &Plan, s: &Situation<'_>) -> Vec<String> {
    let mut no = Vec::new();
    let account = &s.resource.account;
    if let Some(said) = rejection(&plan.hash(), s) {
        no.push(format!("{} said no to this plan: {}", said.by, said.reason));
    }
    no.extend(never_touch::reason(plan, s.resource, s.never_touch));
    no.extend(of_the_organization(plan, s));
    if s.halted {
        no.push("changes are halted (remove the halt with `quell resume`)".to_owned());
    }
    if !s.account_in_scope {
        no.push(format!(
            "account {account} is not in scope (list it under [[accounts]] in quell.toml)"
        ));
    }
    let playbook = s.declaration.playbook;
    if plan.playbook != playbook {
        no.push(format!(
            "the plan is of {}, the run of {playbook}",
            plan.playbook
        ));
    }
    if plan.resource != s.resource.arn.to_string() {
        no.push(format!(
            "the plan is about {}, the run about {}",
            plan.resource, s.resource.arn
        ));
    }
    for planned in &plan.calls {
        match call_of(planned) {
            Some(call) if s.declaration.covers(&call) => {}
            Some(call) => no.push(format!(
                "{playbook} does not declare {}:{}",
                call.service, call.operation
            )),
            None => no.push(format!(
                "{} is not a resource a playbook may use",
                planned.resource
            )),
        }
    }
    no
}

/// Why nothing is done by the organisation's means: nobody said which account manages it, or it is that account that the run is
/// about, which no policy of the organisation binds.
fn of_the_organization(plan: &Plan, s: &Situation<'_>) -> Option<String> {
    let management = s.place.management_account;
    if management == Some(s.resource.account.as_str()) {
        return Some("the organisation's management account is never touched".to_owned());
    }
    let calls = plan.calls.iter().filter_map(call_of);
    let is_there = calls
        .map(|call| Family::of(&call.service, &call.operation))
        .any(|family| family == Family::Organization);
    (is_there && management.is_none()).then(|| {
        "no account manages the organisation (set organization.management_account in quell.toml)"
            .to_owned()
    })
}

/// What the plan has to be proven against.
fn claim_of<'a>(s: &'a Situation<'_>) -> Claim<'a> {
    Claim {
        run: s.run.as_str(),
        resource: s.resource,
        facts: s.declaration.facts,
        undo: s.undo,
        production: s.production,
        known: Known {
            ends_after_hours: s.declaration.ends_after_hours(),
            never_touch: s.never_touch,
            ..s.known
        },
    }
}

/// Whether a call is gone again at the end of the containment, whatever anybody does: everything that takes it back is made then.
fn ends_by_itself(planned: &PlannedCall, s: &Situation<'_>) -> bool {
    let back = |undo: &UndoCall| Call::of_task(&undo.resource, &undo.arguments);
    let ends = |undo| back(undo).is_some_and(|call| s.declaration.ends_by(&call));
    !planned.undo.is_empty() && planned.undo.iter().all(ends)
}

/// What a person may say yes to.
fn questions(plan: &Plan, s: &Situation<'_>, proof: &Proof) -> Vec<String> {
    let mut ask = Vec::new();
    let worst = plan.calls.iter().map(class_of).max().unwrap_or(Class::R3);
    let asked_for = s.requested_by.is_some();
    match s.level {
        Level::Auto if persons_needed(worst_deed(plan), s.production) == 0 => {}
        Level::AutoWithUndo if worst <= Class::R1 => {}
        Level::Auto | Level::AutoWithUndo => ask.push(format!("a step is of class {worst:?}")),
        Level::Observe | Level::Suggest | Level::Approve if asked_for && worst <= Class::R1 => {}
        level => ask.push(format!("the level here is «{level}»")),
    }
    if let Some(said) = s.refused_before.filter(|_| s.undo.is_none() && !asked_for) {
        ask.push(said.to_owned());
    }
    if let Some(times) = s.comes_back.filter(|_| s.undo.is_none()) {
        ask.push(format!(
            "it was changed {times} times within a day and came back: somebody or something keeps making it so"
        ));
    }
    let mut calls = plan.calls.iter();
    if s.caused_by_outsiders && s.undo.is_none() && !calls.all(|call| ends_by_itself(call, s)) {
        ask.push(
            "an outsider can cause what this answers, and the plan does more than what ends by itself".to_owned(),
        );
    }
    ask.extend(proof.concerns.iter().cloned());
    ask
}

/// How far the worst call reaches that does something to the resource. Telling others is asked about, and needs no two persons.
fn worst_deed(plan: &Plan) -> Class {
    let deeds = plan.calls.iter().filter(|planned| !is_message(planned));
    deeds
        .map(|planned| planned.class)
        .max()
        .unwrap_or(Class::R0)
}

#[cfg(test)]
#[path = "guard_tests.rs"]
pub(crate) mod tests;

#[cfg(test)]
#[path = "guard_organization_tests.rs"]
mod organization_tests;
