//! The rights in IAM of the roles that playbooks work as, derived from what their documents call.

use std::collections::{BTreeMap, BTreeSet};

use quell_guard::Family;
use quell_guard::rights::{Right, UnknownAction, action, may_need, right};
use quell_model::Class;
use serde_json::{Value, json};

use crate::playbook::Playbook;

/// A managed policy has so many characters at most, blanks left out
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const POLICY_CHARS_MAX: usize = 6_144;

/// A role of each account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The one that reads.
    Read,
    /// The one in the management account that reads policies of the organisation.
    ReadOrganization,
    /// The one that makes the calls of a family.
    Act(Family),
}

impl Role {
    /// The role that makes a call of this class.
    fn of(class: Class, service: &str, operation: &str) -> Self {
        match (class, Family::of(service, operation)) {
            (Class::R0, Family::Organization) => Self::ReadOrganization,
            (Class::R0, _) => Self::Read,
            (_, family) => Self::Act(family),
        }
    }

    /// Whether it only reads.
    pub fn only_reads(self) -> bool {
        !matches!(self, Self::Act(_))
    }

    /// Whether it is in the management account.
    pub fn is_of_organization(self) -> bool {
        matches!(
            self,
            Self::ReadOrganization | Self::Act(Family::Organization)
        )
    }
}

/// Actions, with the conditions under which they are enough, one for each use; none: the right as such.
type Needed = BTreeMap<String, Vec<Option<Value>>>;

/// What the calls of a playbook need, by role. What a call needs beside its own action is its caller's too, when the playbook says that its
/// documents ask for it.
fn needed(playbook: &Playbook) -> BTreeMap<Role, Needed> {
    let mut out: BTreeMap<Role, Needed> = BTreeMap::new();
    for step in &playbook.steps {
        let role = Role::of(step.class, &step.service, &step.operation);
        let beside = may_need(&step.service, &step.operation).map(str::to_owned);
        let beside = beside.filter(|more| !role.only_reads() && playbook.iam.act.contains(more));
        let needed = out.entry(role).or_default();
        let own = action(&step.service, &step.operation);
        needed.entry(own).or_default().push(step.condition.clone());
        for more in beside {
            needed.entry(more).or_default().push(None);
        }
    }
    out
}

/// What is wrong with the actions that a playbook says it needs, against what its documents call.
pub(crate) fn faults(playbook: &Playbook) -> Vec<String> {
    let needed = needed(playbook);
    let mut faults = Vec::new();
    for (name, said, is_read) in [
        ("read", &playbook.iam.read, true),
        ("act", &playbook.iam.act, false),
    ] {
        let of = needed
            .iter()
            .filter(|(role, _)| role.only_reads() == is_read);
        let needed: BTreeSet<&String> = of.flat_map(|(_, needed)| needed.keys()).collect();
        let said: BTreeSet<&String> = said.iter().collect();
        let missing = needed.difference(&said);
        faults.extend(missing.map(|a| format!("«{name}» lacks {a}, which a step needs")));
        let spare = said.difference(&needed);
        faults.extend(spare.map(|a| format!("«{name}» has {a}, which no step needs")));
    }
    faults
}

/// The policies of each role that these playbooks need in `account`, each no longer than [`POLICY_CHARS_MAX`]. Those of the organisation's roles
/// are for the management account, when there is one.
///
/// # Errors
/// [`UnknownAction`]: a playbook needs one that nobody wrote down.
pub fn policies<'a>(
    playbooks: impl IntoIterator<Item = &'a Playbook>,
    partition: &str,
    account: &str,
    management: Option<&str>,
) -> Result<BTreeMap<Role, Vec<Value>>, UnknownAction> {
    let mut all: BTreeMap<Role, Needed> = BTreeMap::new();
    for playbook in playbooks {
        for (role, needed) in needed(playbook) {
            let all = all.entry(role).or_default();
            for (action, uses) in needed {
                all.entry(action).or_default().extend(uses);
            }
        }
    }
    let mut out = BTreeMap::new();
    for (role, needed) in all {
        let place = match role.is_of_organization() {
            true => management,
            false => Some(account),
        };
        let Some(account) = place else { continue };
        let mut rights = Vec::new();
        for (action, uses) in needed {
            let right = right(&action, partition, account)?;
            rights.extend(narrowed(&right, uses));
        }
        out.insert(role, documents(&rights));
    }
    Ok(out)
}

/// A right for each use; the right as such where one of them needs it.
fn narrowed(right: &Right, uses: Vec<Option<Value>>) -> Vec<Right> {
    let uses: Option<Vec<Value>> = uses.into_iter().collect();
    let Some(mut uses) = uses else {
        return vec![right.clone()];
    };
    uses.sort_by_key(Value::to_string);
    uses.dedup();
    let with = |when: Value| {
        let mut right = right.clone();
        right.when = Some(match right.when.take() {
            Some(own) => both(own, &when),
            None => when,
        });
        right
    };
    uses.into_iter().map(with).collect()
}

/// Both conditions at once: what an operator of each tests stands side by side.
fn both(mut one: Value, other: &Value) -> Value {
    for (operator, tests) in other.as_object().into_iter().flatten() {
        let Some(all) = one.as_object_mut() else {
            continue;
        };
        let own = all.entry(operator.clone()).or_insert_with(|| json!({}));
        if let (Some(own), Some(tests)) = (own.as_object_mut(), tests.as_object()) {
            own.extend(tests.clone());
        }
    }
    one
}

/// Statements with the same resources and conditions are one.
fn documents(rights: &[Right]) -> Vec<Value> {
    let mut statements: Vec<(&[String], Option<&Value>, Vec<&str>)> = Vec::new();
    for right in rights {
        let (on, when) = (right.on.as_slice(), right.when.as_ref());
        match statements
            .iter_mut()
            .find(|(o, w, _)| (*o, *w) == (on, when))
        {
            Some((_, _, actions)) => actions.push(&right.action),
            None => statements.push((on, when, vec![&right.action])),
        }
    }
    let statements = statements.into_iter().map(|(on, when, actions)| {
        let mut statement = json!({"Effect": "Allow", "Action": actions, "Resource": on});
        if let (Some(when), Some(statement)) = (when, statement.as_object_mut()) {
            statement.insert("Condition".to_owned(), when.clone());
        }
        statement
    });
    let mut documents: Vec<Vec<Value>> = vec![Vec::new()];
    for statement in statements {
        if let Some(last) = documents.last_mut() {
            last.push(statement);
            if last.len() > 1 && document(last).to_string().len() > POLICY_CHARS_MAX {
                let moved = last.pop();
                documents.push(Vec::from_iter(moved));
            }
        }
    }
    documents.iter().map(|all| document(all)).collect()
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(uses: Vec<Option<Value>>) -> Vec<Option<Value>> {
        let right = right("iam:AttachUserPolicy", "aws", "1").unwrap();
        narrowed(&right, uses).into_iter().map(|r| r.when).collect()
    }

    #[test]
    fn a_right_is_as_narrow_as_all_its_uses() {
        let quarantine =
            json!({"ArnLike": {"iam:PolicyARN": "arn:aws:iam::*:policy/QuellQuarantine"}});
        let some = Some(quarantine);
        assert_eq!(
            one(vec![some.clone(), some.clone()]),
            std::slice::from_ref(&some)
        );
        assert_eq!(one(vec![some, None]), [None]);
    }

    #[test]
    fn statements_are_put_together_and_a_document_is_never_too_long() {
        let right = |n: usize, on: &str| Right {
            action: format!("ec2:Action{n}"),
            on: vec![on.to_owned()],
            when: None,
        };
        let alike: Vec<Right> = (0..3).map(|n| right(n, "*")).collect();
        let [document] = documents(&alike).try_into().unwrap();
        assert_eq!(document["Statement"].as_array().unwrap().len(), 1);
        let many: Vec<Right> = (0..200)
            .map(|n| right(n, &format!("arn:aws:ec2:*:1:thing-{n}/*")))
            .collect();
        let documents = documents(&many);
        assert!(documents.len() > 1);
        let all = documents.iter().map(|d| {
            assert!(d.to_string().len() <= POLICY_CHARS_MAX);
            d["Statement"].as_array().unwrap().len()
        });
        assert_eq!(all.sum::<usize>(), 200);
    }
}
