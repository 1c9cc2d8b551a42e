//! What policies say of a call.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet as Cedar, Request, RestrictedExpression, Schema,
};
use quell_guard::{Policies, Question, Verdict};
use quell_model::Class;

use crate::load::{Effect, PolicySet};
use crate::schema::Action;

/// What was said, and by which policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// What was said.
    pub verdict: Verdict,
    /// The ids of the policies that said it.
    pub policies: Vec<String>,
}

/// No policy can want more people than this to say yes.
const PERSONS_MAX: usize = 10;

impl Policies for PolicySet {
    fn judge(&self, question: &Question<'_>) -> Verdict {
        self.consider(question).verdict
    }
}

impl PolicySet {
    /// What the policies say, and which of them.
    pub fn consider(&self, question: &Question<'_>) -> Considered {
        self.considered(question)
            .unwrap_or_else(|reason| Considered {
                verdict: Verdict::Forbid {
                    reasons: vec![reason],
                },
                policies: Vec::new(),
            })
    }

    /// The error is why nobody can say: that is a no.
    fn considered(&self, question: &Question<'_>) -> Result<Considered, String> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let action = Action::new(question.service, question.operation).name();
        let Some(schema) = &self.schema else {
            return Err("there are no policies, and so nothing is permitted".to_owned());
        };
        if self.names_units && question.place.ou.is_none() {
            return Err(format!(
                "policies look at organisational units, and that of account {} is not known: give it an `ou` under [[accounts]]",
                question.resource.account
            ));
        }
        let asked = Asked::new(question, &action, schema, &self.actions)?;
        let (decision, firm) = asked.of(&self.firm, question.approved_by)?;
        if decision == Decision::Deny {
            if firm.is_empty() {
                return Err(format!(
                    "no policy permits {} to call {action} on {}",
                    question.playbook, question.resource.arn
                ));
            }
            let reasons = self.words(&firm);
            return Ok(Considered {
                verdict: Verdict::Forbid { reasons },
                policies: firm.into_iter().collect(),
            });
        }
        let (_, open) = asked.of(&self.asking, question.approved_by)?;
        if open.is_empty() {
            return Ok(Considered {
                verdict: Verdict::Permit,
                policies: firm.into_iter().collect(),
            });
        }
        let persons = self.persons(&asked)?;
        let reasons = self.words(&open);
        Ok(Considered {
            verdict: Verdict::Ask { reasons, persons },
            policies: open.into_iter().collect(),
        })
    }

    /// How many people have to say yes. A policy that does not look at how many did is answered by one. One that does is answered
    /// by so many as it takes to say no more than with any number of them.
    fn persons(&self, asked: &Asked<'_>) -> Result<usize, String> {
        let (_, whatever) = asked.of(&self.asking, usize::MAX)?;
        for persons in 1..=PERSONS_MAX {
            let (_, open) = asked.of(&self.asking, persons)?;
            if open.is_subset(&whatever) {
                return Ok(persons);
            }
        }
        Err(format!(
            "a policy wants more than {PERSONS_MAX} people to say yes"
        ))
    }

    fn words(&self, ids: &BTreeSet<String>) -> Vec<String> {
        let entries = ids.iter().filter_map(|id| self.entries.get(id));
        let told = entries.filter(|entry| entry.effect != Effect::Permit);
        told.map(|entry| format!("{} (policy {})", entry.words, entry.id))
            .collect()
    }
}

/// A question in Cedar's terms.
struct Asked<'a> {
    question: &'a Question<'a>,
    schema: &'a Schema,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    entities: Entities,
}

impl<'a> Asked<'a> {
    fn new(
        question: &'a Question<'a>,
        action: &str,
        schema: &'a Schema,
        actions: &Entities,
    ) -> Result<Self, String> {
        let principal = uid("Playbook", question.playbook)?;
        let resource = uid("Resource", &question.resource.arn.to_string())?;
        let entities = entities(question, &principal, &resource)?;
        let entities = actions
            .clone()
            .add_entities(entities, Some(schema))
            .map_err(|e| format!("policies cannot be asked: {e}"))?;
        Ok(Self {
            question,
            schema,
            principal,
            action: uid("Action", action)?,
            resource,
            entities,
        })
    }

    /// What a set of policies says when so many people said yes, and which of them said it.
    fn of(
        &self,
        policies: &Cedar,
        approved_by: usize,
    ) -> Result<(Decision, BTreeSet<String>), String> {
        let context = context(self.question, approved_by)?;
        let (principal, action, resource) = (
            self.principal.clone(),
            self.action.clone(),
            self.resource.clone(),
        );
        let request = Request::new(principal, action, resource, context, Some(self.schema))
            .map_err(|e| format!("policies cannot be asked: {e}"))?;
        let response = Authorizer::new().is_authorized(&request, policies, &self.entities);
        // A forbid that cannot be evaluated is one that nobody knows of: Cedar leaves it out, and the guard must not.
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(format!("a policy cannot be evaluated: {error}"));
        }
        let said = response.diagnostics().reason();
        let said = said.map(ToString::to_string).collect();
        Ok((response.decision(), said))
    }
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let name = EntityTypeName::from_str(kind).map_err(|e| e.to_string())?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

type Attributes = HashMap<String, RestrictedExpression>;

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// The playbook, the resource, its account, and every organisational unit above it.
fn entities(
    question: &Question<'_>,
    principal: &EntityUid,
    resource: &EntityUid,
) -> Result<Vec<Entity>, String> {
    let is = question.resource;
    let environment = question.place.environment.unwrap_or_default();
    let account = uid("Account", &is.account)?;
    let production = RestrictedExpression::new_bool(question.production);
    let mut out = Vec::new();
    let mut above: HashSet<EntityUid> = HashSet::new();
    for path in question.place.ou.iter().flat_map(|ou| ou.up_to_root()) {
        let unit = uid("OU", path)?;
        out.push(Entity::new_no_attrs(unit.clone(), above));
        above = HashSet::from([unit]);
    }
    let of_account = Attributes::from([
        ("environment".to_owned(), text(environment)),
        ("production".to_owned(), production.clone()),
    ]);
    let of_playbook = Attributes::from([
        ("category".to_owned(), text(question.category)),
        ("version".to_owned(), text(question.version)),
    ]);
    let of_resource = Attributes::from([
        ("arn".to_owned(), text(&is.arn.to_string())),
        ("id".to_owned(), text(&is.id)),
        ("type".to_owned(), text(&is.kind)),
        (
            "account".to_owned(),
            RestrictedExpression::new_entity_uid(account.clone()),
        ),
        ("region".to_owned(), text(&is.region)),
        ("environment".to_owned(), text(environment)),
        ("production".to_owned(), production),
    ]);
    let there = HashSet::from([account.clone()]);
    for (uid, attributes, parents) in [
        (account, of_account, above),
        (principal.clone(), of_playbook, HashSet::new()),
        (resource.clone(), of_resource, there),
    ] {
        out.push(Entity::new(uid, attributes, parents).map_err(|e| e.to_string())?);
    }
    Ok(out)
}

const HOUR_MILLIS: i64 = 3_600_000;

fn context(question: &Question<'_>, approved_by: usize) -> Result<Context, String> {
    let number = RestrictedExpression::new_long;
    let yes = RestrictedExpression::new_bool;
    let class = match question.class {
        Class::R0 => 0,
        Class::R1 => 1,
        Class::R2 => 2,
        Class::R3 => 3,
    };
    let hours = question.now.millis().div_euclid(HOUR_MILLIS);
    // The first of January 1970 was a Thursday, the fourth day of the week.
    let weekday = (hours.div_euclid(24) + 3).rem_euclid(7) + 1;
    let level = uid("Level", &question.level.to_string())?;
    let mut pairs = vec![
        ("class", number(class)),
        ("declared", yes(question.declared)),
        ("level", RestrictedExpression::new_entity_uid(level)),
        ("undo", yes(question.undo)),
        (
            "approvedBy",
            number(i64::try_from(approved_by).unwrap_or(i64::MAX)),
        ),
        ("requestedByPerson", yes(question.requested_by_person)),
        ("hour", number(hours.rem_euclid(24))),
        ("weekday", number(weekday)),
    ];
    if let Some(severity) = question.severity {
        let severity = uid("Severity", severity.as_str())?;
        pairs.push(("severity", RestrictedExpression::new_entity_uid(severity)));
    }
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    Context::from_pairs(pairs).map_err(|e| e.to_string())
}
