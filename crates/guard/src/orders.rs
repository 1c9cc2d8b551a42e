//! What people have laid down for the guard beside settings: policies, exceptions, freezes, budgets, and who builds things.
//!
//! It fails closed: what cannot be read counts as a no.

use std::collections::BTreeSet;

use quell_model::{Arn, Call, OuPath, Plan, Severity};

use crate::ArnPattern;
use crate::exception::{Exception, excepted};
use crate::freeze::Freeze;
use crate::guard::{Situation, call_of, class_of};
use crate::verdict::{Policies, Question, Verdict};

/// Where a resource is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// The account's environment; none when the account is not known.
    pub environment: Option<&'a str>,
    /// The organisational unit that the account is in, when that is known.
    pub ou: Option<&'a OuPath>,
    /// The account that manages the organisation, when somebody said which. Calls of AWS Organizations are made there, and nothing is ever done to it.
    pub management_account: Option<&'a str>,
}

/// Why a run is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cause<'a> {
    /// The severity of its incident.
    pub severity: Option<Severity>,
    /// The detections whose findings its incident has.
    pub detections: &'a [&'a str],
    /// The identities behind these findings: roles and users, and whoever began their sessions.
    pub identities: &'a [Arn],
}

/// What people have laid down. What could not be read is the error, in words.
#[derive(Clone, Debug)]
pub struct Orders<'a> {
    /// The policies.
    pub policies: &'a dyn Policies,
    /// The exceptions that may count now.
    pub exceptions: Result<&'a [Exception], &'a str>,
    /// The freezes that may last now.
    pub freezes: Result<&'a [Freeze], &'a str>,
    /// What may still be changed in this hour.
    pub budgets: &'a [Budget],
    /// Who makes things by machine: what they made is mended in the code.
    pub pipelines: &'a [ArnPattern],
}

/// How many changing calls may still be made in this hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Whose it is, in words: `account 444455556666`, `OU Root/Prod`, `ec2:StopInstances`.
    pub of: String,
    /// The one call that it counts, service and operation; every call without it.
    pub call: Option<(String, String)>,
    /// What is left.
    pub left: u64,
}

impl Budget {
    /// How many of the plan's calls it counts.
    pub fn cost(&self, plan: &Plan) -> u64 {
        let counts = |call: &Call| {
            let Some((service, operation)) = &self.call else {
                return true;
            };
            *service == call.service && *operation == call.operation
        };
        let calls = plan.calls.iter();
        // What is no call at all is refused; until then it counts everywhere.
        let counted = calls.filter(|planned| call_of(planned).as_ref().is_none_or(counts));
        u64::try_from(counted.count()).unwrap_or(u64::MAX)
    }
}

/// What the orders come to for a plan.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    pub(crate) refusals: Vec<String>,
    pub(crate) questions: Vec<String>,
    /// How many people have to say yes because of a policy.
    pub(crate) persons: usize,
}

/// What nobody asked for is asked for by a policy: the end of a containment, the taking back of what is half done.
const BY_POLICY: &str = "policy:";
/// A hygiene playbook's category: what it mends was often made on purpose, and is made again.
const HYGIENE: &str = "Policy Violations";

/// What the orders say of the plan. `approved_by`: how many people said yes to it.
pub(crate) fn ordered(plan: &Plan, s: &Situation<'_>, approved_by: usize) -> Ordered {
    let mut out = Ordered::default();
    out.budgets(plan, s);
    // Taking back puts things as somebody had them: neither an exception nor a freeze speaks against that.
    if s.undo.is_none() {
        out.exceptions(s);
        out.freezes(s);
        out.provenance(s);
    }
    out.policies(plan, s, approved_by);
    out
}

impl Ordered {
    fn budgets(&mut self, plan: &Plan, s: &Situation<'_>) {
        for budget in s.orders.budgets {
            let cost = budget.cost(plan);
            if cost > budget.left {
                self.questions.push(format!(
                    "the plan makes {cost} changes and the budget of {} has {} left in this hour",
                    budget.of, budget.left
                ));
            }
        }
    }

    fn exceptions(&mut self, s: &Situation<'_>) {
        match s.orders.exceptions {
            Err(why) => self.refusals.push(format!(
                "nobody can say whether an exception speaks against it: {why}"
            )),
            Ok(exceptions) => {
                let (playbook, detections) = (s.declaration.playbook, s.cause.detections);
                let words = excepted(exceptions, s.now, playbook, detections, s.resource);
                self.refusals.extend(words);
            }
        }
    }

    fn freezes(&mut self, s: &Situation<'_>) {
        let freezes = match s.orders.freezes {
            Ok(freezes) => freezes,
            Err(why) => {
                self.refusals
                    .push(format!("nobody can say whether changes are frozen: {why}"));
                return;
            }
        };
        if s.requested_by.is_some() {
            return;
        }
        let lasting = freezes.iter().filter(|freeze| {
            freeze.is_in_force(s.now) && freeze.is_about(&s.resource.account, s.place.environment)
        });
        self.questions.extend(lasting.map(Freeze::words));
    }

    /// What a pipeline made is made again by it: it has to be mended in the code, unless it cannot wait.
    fn provenance(&mut self, s: &Situation<'_>) {
        let waits = s.cause.severity.is_none_or(|is| is < Severity::Critical);
        if s.declaration.category != HYGIENE || s.requested_by.is_some() || !waits {
            return;
        }
        let is_pipeline = |arn: &&Arn| s.orders.pipelines.iter().any(|p| p.matches(arn));
        if let Some(arn) = s.cause.identities.iter().find(is_pipeline) {
            self.questions.push(format!(
                "the pipeline {arn} made it so and will make it so again: fix it in the code, or say yes to have it mended here too"
            ));
        }
    }

    fn policies(&mut self, plan: &Plan, s: &Situation<'_>, approved_by: usize) {
        let mut asked = BTreeSet::new();
        for planned in &plan.calls {
            // What is no call is refused elsewhere.
            let Some(call) = call_of(planned) else {
                continue;
            };
            // Policies do not see arguments: a thousand calls of one kind are one question.
            let kind = (
                call.service.clone(),
                call.operation.clone(),
                class_of(planned),
            );
            if !asked.insert(kind) {
                continue;
            }
            let question = Question {
                playbook: s.declaration.playbook,
                version: s.declaration.version,
                category: s.declaration.category,
                service: &call.service,
                operation: &call.operation,
                class: class_of(planned),
                declared: s.declaration.covers(&call),
                resource: s.resource,
                place: s.place,
                production: s.production,
                level: s.level,
                undo: s.undo.is_some(),
                approved_by,
                requested_by_person: s.requested_by.is_some_and(|by| !by.starts_with(BY_POLICY)),
                severity: s.cause.severity,
                now: s.now,
            };
            match s.orders.policies.judge(&question) {
                Verdict::Permit => {}
                Verdict::Ask { reasons, persons } => {
                    self.persons = self.persons.max(persons).max(1);
                    add(&mut self.questions, reasons);
                }
                Verdict::Forbid { reasons } => add(&mut self.refusals, reasons),
            }
        }
    }
}

/// Each reason once, though several calls have it.
fn add(to: &mut Vec<String>, reasons: Vec<String>) {
    for reason in reasons {
        if !to.contains(&reason) {
            to.push(reason);
        }
    }
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;
