//! Calls of AWS Organizations: in the account that manages the organisation, never about it, and not without a person.

use super::tests::Declares;
use super::*;
use crate::declaration::StepFact;
use crate::family::Family;
use crate::orders::Budget;
use crate::permit::NotPermitted;
use quell_model::UndoCall;
use serde_json::{Map, json};

const ACCOUNT: &str = "444455556666";
const MANAGEMENT: &str = "100020003000";
const TEXT: &str = include_str!("proof/organization/QuellDenyRoot.json");

fn account(id: &str) -> Resource {
    let arn = format!("arn:aws:iam::{id}:root").parse().unwrap();
    Resource::of_arn(&arn).unwrap()
}

fn plan(id: &str) -> Plan {
    let key = format!("account/{id}/scp/p-0a1b2c3d");
    let arguments = json!({"PolicyId": "p-0a1b2c3d", "TargetId": id});
    let before = json!({"organization/management": MANAGEMENT, "scp/p-0a1b2c3d/name": "QuellDenyRoot", "scp/p-0a1b2c3d/content": TEXT});
    let mut after = before.clone();
    after[&key] = "attached".into();
    let task = |operation: &str| format!("arn:aws:states:::aws-sdk:organizations:{operation}");
    Plan {
        playbook: "PB-012".into(),
        resource: account(id).arn.to_string(),
        summary: String::new(),
        calls: vec![PlannedCall {
            resource: task("attachPolicy"),
            arguments: arguments.clone(),
            class: Class::R2,
            sets: Map::from_iter([(key.clone(), "attached".into())]),
            undo: vec![UndoCall {
                resource: task("detachPolicy"),
                arguments,
                sets: Map::from_iter([(key, Value::Null)]),
            }],
        }],
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: Value::Null,
    }
}

/// What the guard says of attaching the policy to an account; `management` as the settings have it.
fn said(id: &str, management: Option<&str>, level: Level, people: &[&str]) -> Decision {
    let (run, resource, plan) = ("run-1".parse().unwrap(), account(id), plan(id));
    let steps = [StepFact {
        document: "respond".into(),
        state: "Attach".into(),
        class: Class::R2,
        service: "organizations".into(),
        operation: "AttachPolicy".into(),
        condition: None,
    }];
    let yes = |by: &&str| Approval {
        by: (*by).to_owned(),
        plan_hash: plan.hash(),
        at: Timestamp::EPOCH,
    };
    let approvals: Vec<_> = people.iter().map(yes).collect();
    let (facts, budgets): (_, [Budget; 0]) = (json!({"scp": "QuellDenyRoot"}), []);
    let declared = super::tests::declared();
    let situation = Situation {
        declaration: Declaration {
            playbook: "PB-012",
            version: "1.0.0",
            category: "Unauthorized Access",
            steps: &steps,
            facts: &facts,
            ..declared.declaration()
        },
        place: Place {
            management_account: management,
            ..Place::default()
        },
        orders: Orders {
            policies: &Declares,
            exceptions: Ok(&[]),
            freezes: Ok(&[]),
            budgets: &budgets,
            pipelines: &[],
        },
        level,
        production: false,
        approvals: &approvals,
        ..super::tests::good(&run, &resource, &declared)
    };
    decide(&plan, &situation)
}

#[test]
fn the_permit_is_for_the_account_that_manages_and_for_its_region() {
    let Decision::Permit(permit) = said(ACCOUNT, Some(MANAGEMENT), Level::Approve, &["ann"]) else {
        panic!()
    };
    let call = call_of(&plan(ACCOUNT).calls[0]).unwrap();
    let check = |account, region| permit.check(account, region, &call, Timestamp::EPOCH);
    assert_eq!(check(MANAGEMENT, "us-east-1"), Ok(()));
    for (account, region) in [
        (ACCOUNT, "us-east-1"),
        (MANAGEMENT, "eu-west-1"),
        ("", "us-east-1"),
    ] {
        let refused = check(account, region);
        assert!(
            matches!(refused, Err(NotPermitted::Elsewhere { .. })),
            "{account} {region}"
        );
    }
    let session = permit.session_policy(&call);
    assert!(
        session.contains("arn:aws:organizations::100020003000:account/*/444455556666"),
        "{session}"
    );
    assert!(!session.contains("444455556666:"), "{session}");
    let family = Family::of(&call.service, &call.operation);
    assert_eq!(family, Family::Organization);
}

#[test]
fn a_person_is_asked_whatever_the_level() {
    for level in [Level::Auto, Level::AutoWithUndo, Level::Approve] {
        let decision = said(ACCOUNT, Some(MANAGEMENT), level, &[]);
        assert!(matches!(decision, Decision::Ask { .. }), "{level}");
    }
}

#[test]
fn nothing_is_done_without_or_to_the_account_that_manages() {
    for (id, management, why) in [
        (ACCOUNT, None, "organization.management_account"),
        (MANAGEMENT, Some(MANAGEMENT), "never touched"),
        (ACCOUNT, Some(ACCOUNT), "never touched"),
        (MANAGEMENT, Some(ACCOUNT), "manages the organisation"),
    ] {
        let Decision::Refuse { reasons } = said(id, management, Level::Auto, &["ann", "bob"])
        else {
            panic!("{id} {management:?}")
        };
        let found = reasons.iter().any(|reason| reason.contains(why));
        assert!(found, "{id} {management:?}: {reasons:?}");
    }
}
