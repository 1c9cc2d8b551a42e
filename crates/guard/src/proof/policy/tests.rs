//! Plans as a hostile document would make them.

use quell_model::{Class, Plan, PlannedCall, Resource, UndoCall};
use serde_json::{Map, Value, json};

use super::super::{Claim, Known, Unproven, prove};

const EVE: &str = "arn:aws:iam::444455556666:user/eve";
const APP: &str = "arn:aws:iam::444455556666:role/team/app";
const DEPLOY: &str = "arn:aws:iam::444455556666:policy/team/deploy";
const BACKDOOR: &str = "arn:aws:iam::444455556666:policy/backdoor";
const SINCE: &str = "2026-11-21T10:00:00Z";
const NEW: &str = "2026-11-21T10:00:05Z";
const OLD: &str = "2025-03-04T05:06:07Z";

fn policy(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn admin() -> Value {
    policy(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
}

fn reads() -> Value {
    policy(
        json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}]),
    )
}

fn facts() -> Value {
    json!({"skewSeconds": 60, "settleSeconds": 60, "attachmentsMax": 10, "escalation": [
        {"action": "iam:CreatePolicyVersion", "on": "arn:PARTITION:iam::ACCOUNT:policy/quell-probe"},
        {"action": "iam:PassRole", "on": "arn:PARTITION:iam::ACCOUNT:role/quell-probe"},
    ]})
}

fn resource(arn: &str) -> Resource {
    let (_, path) = arn.rsplit_once(':').unwrap();
    let (object, path) = path.split_once('/').unwrap();
    let kind = match object {
        "user" => "AWS::IAM::User",
        "role" => "AWS::IAM::Role",
        "group" => "AWS::IAM::Group",
        _ => "AWS::IAM::ManagedPolicy",
    };
    let name = path.rsplit('/').next().unwrap();
    Resource::new(arn.parse().unwrap(), kind, name).told_to_be_in("444455556666", "us-east-1")
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn sdk(operation: &str) -> String {
    format!("arn:aws:states:::aws-sdk:iam:{operation}")
}

fn undo(operation: &str, arguments: Value, sets: Value) -> UndoCall {
    UndoCall {
        resource: sdk(operation),
        arguments,
        sets: map(sets),
    }
}

/// A call with its way back, each as operation, arguments and what it sets.
fn call(there: (&str, Value, Value), class: Class, back: (&str, Value, Value)) -> PlannedCall {
    PlannedCall {
        resource: sdk(there.0),
        arguments: there.1,
        class,
        sets: map(there.2),
        undo: vec![undo(back.0, back.1, back.2)],
    }
}

/// A plan whose predicted state is the one that was read, with its calls applied.
fn plan(arn: &str, before: &Value, calls: Vec<PlannedCall>, facts: Value) -> Plan {
    let mut after = map(before.clone());
    for (key, value) in calls.iter().flat_map(|call| &call.sets) {
        match value {
            Value::Null => drop(after.remove(key)),
            value => drop(after.insert(key.clone(), value.clone())),
        }
    }
    Plan {
        playbook: "PB-004".into(),
        resource: arn.into(),
        summary: String::new(),
        calls,
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts,
    }
}

/// What the frame knows, and what the guard says: the proof, and what a person is asked.
struct Guard {
    arn: &'static str,
    since: Option<&'static str>,
    baseline: Option<Value>,
    production: bool,
}

impl Guard {
    fn of(arn: &'static str) -> Self {
        Self {
            arn,
            since: Some(SINCE),
            baseline: None,
            production: true,
        }
    }

    fn say(&self, plan: &Plan) -> (Result<(), Unproven>, Vec<String>) {
        let (resource, facts) = (resource(self.arn), facts());
        let claim = Claim {
            run: "run-1",
            resource: &resource,
            facts: &facts,
            undo: None,
            production: self.production,
            known: Known {
                since: self.since.map(|since| since.parse().unwrap()),
                baseline: self.baseline.as_ref(),
                ..Known::default()
            },
        };
        match prove(&resource.kind, plan, &claim) {
            Ok(proof) => (Ok(()), proof.concerns),
            Err(why) => (Err(why), Vec::new()),
        }
    }

    /// Proven, and nobody need be asked.
    #[track_caller]
    fn lets(&self, plan: &Plan) {
        assert_eq!(self.say(plan), (Ok(()), Vec::new()));
    }

    /// Proven, and somebody is asked; of a lower class it is not proven.
    #[track_caller]
    fn asks(&self, plan: &Plan, why: &str) {
        let (proven, ask) = self.say(plan);
        assert_eq!(proven, Ok(()));
        assert!(ask.iter().any(|text| text.contains(why)), "{ask:?}");
        let mut lower = plan.clone();
        lower.calls[0].class = Class::R1;
        self.refuses(&lower, "of class R2 at least");
    }

    #[track_caller]
    fn refuses(&self, plan: &Plan, why: &str) {
        let (proven, _) = self.say(plan);
        let text = proven.unwrap_err().to_string();
        assert!(text.contains(why), "{text}");
    }
}

fn in_force(id: &str) -> (&'static str, Value, Value) {
    let arguments = json!({"PolicyArn": DEPLOY, "VersionId": id});
    (
        "setDefaultPolicyVersion",
        arguments,
        json!({"policy/default": id}),
    )
}

/// Version v2 is in force since it began; v1 comes back.
fn version_plan(now: &Value, wanted: &Value) -> Plan {
    let before = json!({
        "policy/id": "ANPA1", "policy/default": "v2",
        "policy/version/v1": {"created": OLD, "document": wanted},
        "policy/version/v2": {"created": NEW, "document": now},
    });
    let back = call(in_force("v1"), Class::R1, in_force("v2"));
    let facts = json!({"created": OLD, "attachments": 1, "boundaries": 0});
    plan(DEPLOY, &before, vec![back], facts)
}

fn with_class(mut plan: Plan, class: Class) -> Plan {
    for call in &mut plan.calls {
        call.class = class;
    }
    plan
}

#[test]
fn an_older_version_comes_back_when_it_allows_nothing_more() {
    let guard = Guard::of(DEPLOY);
    guard.lets(&version_plan(&admin(), &reads()));
    let other = policy(json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]));
    let passes = policy(json!([{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]));
    guard.refuses(&version_plan(&passes, &other), "statement 1 allows more");
    guard.refuses(&version_plan(&reads(), &admin()), "statement 1 allows more");
    guard.refuses(&version_plan(&admin(), &admin()), "raises no rights");
    let more = policy(json!([
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"},
    ]));
    guard.refuses(&version_plan(&more, &reads()), "raises no rights");
    let odd = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Hint": 1}]});
    guard.refuses(&version_plan(&odd, &reads()), "an element «Hint»");
}

#[test]
fn a_conditioned_statement_is_not_an_open_one() {
    let conditioned = policy(json!([
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"},
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
    ]));
    let plan = with_class(version_plan(&conditioned, &reads()), Class::R2);
    Guard::of(DEPLOY).asks(&plan, "under a condition only");
}

#[test]
fn what_a_version_denies_is_not_lifted_unasked() {
    let denies = policy(json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
    ]));
    let plan = with_class(version_plan(&denies, &reads()), Class::R2);
    Guard::of(DEPLOY).asks(&plan, "denied no more");
}

#[test]
fn what_is_not_surely_new_is_asked_about() {
    let plan = with_class(version_plan(&admin(), &reads()), Class::R2);
    let unknown = Guard {
        since: None,
        ..Guard::of(DEPLOY)
    };
    unknown.asks(&plan, "before it began");
    let later = Guard {
        since: Some("2026-11-21T10:02:00Z"),
        ..Guard::of(DEPLOY)
    };
    later.asks(&plan, "before it began");
    let mut both_new = plan;
    both_new.before["attributes"]["policy/version/v1"]["created"] = NEW.into();
    both_new.after["attributes"]["policy/version/v1"]["created"] = NEW.into();
    Guard::of(DEPLOY).asks(&both_new, "before it began");
}

#[test]
fn how_many_feel_it_is_asked_in_production() {
    let mut plan = version_plan(&admin(), &reads());
    plan.facts["attachments"] = 11.into();
    let (proven, ask) = Guard::of(DEPLOY).say(&plan);
    assert_eq!(
        (proven, ask),
        (
            Ok(()),
            vec!["11 users, roles and groups have this policy".to_owned()]
        )
    );
    let elsewhere = Guard {
        production: false,
        ..Guard::of(DEPLOY)
    };
    elsewhere.lets(&plan);
    plan.facts = json!({});
    let (_, ask) = Guard::of(DEPLOY).say(&plan);
    assert_eq!(ask, ["it is not known how many would feel it"]);
}

#[test]
fn a_version_is_never_deleted_or_made() {
    for (operation, arguments) in [
        (
            "deletePolicyVersion",
            json!({"PolicyArn": DEPLOY, "VersionId": "v2"}),
        ),
        (
            "createPolicyVersion",
            json!({"PolicyArn": DEPLOY, "PolicyDocument": reads().to_string(), "SetAsDefault": true}),
        ),
        ("deletePolicy", json!({"PolicyArn": DEPLOY})),
    ] {
        let mut bad = version_plan(&admin(), &reads());
        bad.calls[0].resource = sdk(operation);
        bad.calls[0].arguments = arguments;
        Guard::of(DEPLOY).refuses(&bad, "makes no call");
    }
}

#[test]
fn another_policy_than_the_run_s_is_not_touched() {
    let mut bad = version_plan(&admin(), &reads());
    bad.calls[0].arguments["PolicyArn"] = BACKDOOR.into();
    Guard::of(DEPLOY).refuses(&bad, "may only be");
    let mut unsaid = version_plan(&admin(), &reads());
    unsaid.calls[0].sets = map(json!({"policy/default": "v7"}));
    Guard::of(DEPLOY).refuses(&unsaid, "is said to set");
    let mut unknown = version_plan(&admin(), &reads());
    unknown.calls[0].arguments["VersionId"] = "v7".into();
    Guard::of(DEPLOY).refuses(&unknown, "no version v7");
}

fn detach(arn: &str, class: Class) -> PlannedCall {
    let (arguments, key) = (
        json!({"UserName": "eve", "PolicyArn": arn}),
        format!("user/eve/policy/{arn}"),
    );
    call(
        ("detachUserPolicy", arguments.clone(), json!({&key: null})),
        class,
        ("attachUserPolicy", arguments, json!({key: "attached"})),
    )
}

/// Eve has a policy with this text, made then.
fn user_plan(arn: &str, document: &Value, made: &str, class: Class) -> Plan {
    let key = format!("user/eve/policy/{arn}");
    let before = json!({"user/eve/id": "AIDA1", &key: "attached"});
    let facts =
        json!({"created": OLD, "grants": {key: {"created": made, "documents": [document]}}});
    plan(EVE, &before, vec![detach(arn, class)], facts)
}

#[test]
fn a_new_policy_that_raises_rights_is_detached_unasked_and_no_other() {
    let guard = Guard::of(EVE);
    guard.lets(&user_plan(BACKDOOR, &admin(), NEW, Class::R1));
    guard.asks(&user_plan(BACKDOOR, &admin(), OLD, Class::R2), "since when");
    guard.asks(
        &user_plan(BACKDOOR, &json!({"no": "policy"}), NEW, Class::R2),
        "can be read",
    );
    guard.refuses(
        &user_plan(BACKDOOR, &reads(), NEW, Class::R2),
        "raises no rights",
    );
    let denies = policy(json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]));
    guard.refuses(
        &user_plan(BACKDOOR, &denies, NEW, Class::R2),
        "raises no rights",
    );
    let mut unread = user_plan(BACKDOOR, &admin(), NEW, Class::R2);
    unread.facts = json!({});
    guard.refuses(&unread, "raises no rights");
    let mixed = policy(json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
    ]));
    guard.asks(
        &user_plan(BACKDOOR, &mixed, NEW, Class::R2),
        "denied no more",
    );
}

#[test]
fn a_quarantine_stays_and_no_name_protects_what_is_none() {
    for name in ["QuellQuarantine", "AWSCompromisedKeyQuarantineV3"] {
        let arn = format!("arn:aws:iam::444455556666:policy/{name}");
        let denies = policy(json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]));
        let guard = Guard::of(EVE);
        guard.refuses(
            &user_plan(&arn, &denies, NEW, Class::R2),
            "raises no rights",
        );
        guard.lets(&user_plan(&arn, &admin(), NEW, Class::R1));
        let approved = Guard {
            baseline: Some(json!({"attributes": {"user/eve/id": "AIDA1"}})),
            ..Guard::of(EVE)
        };
        approved.refuses(
            &user_plan(&arn, &denies, NEW, Class::R2),
            "raises no rights",
        );
    }
}

#[test]
fn nobody_else_is_touched_and_nothing_is_given() {
    let guard = Guard::of(EVE);
    let good = || user_plan(BACKDOOR, &admin(), NEW, Class::R1);
    let mut other = good();
    other.calls[0].arguments["UserName"] = "max".into();
    guard.refuses(&other, "may only be \"eve\"");
    let mut role = good();
    role.calls[0].resource = sdk("detachRolePolicy");
    guard.refuses(&role, "makes no call");
    let mut gives = good();
    gives.calls[0].resource = sdk("attachUserPolicy");
    guard.refuses(&gives, "a response never does");
    let mut password = good();
    password.calls[0].resource = sdk("deleteLoginProfile");
    password.calls[0].arguments = json!({"UserName": "eve"});
    guard.refuses(&password, "makes no call");
    let mut key = good();
    key.calls[0].resource = sdk("deleteAccessKey");
    guard.refuses(&key, "makes no call");
    let mut absent = good();
    absent.before = json!({"attributes": {"user/eve/id": "AIDA1"}});
    guard.refuses(&absent, "is not there");
    let mut elsewhere = good();
    elsewhere.calls[0].undo[0].arguments["PolicyArn"] = DEPLOY.into();
    guard.refuses(&elsewhere, "is said to set");
    let mut one_way = good();
    one_way.calls[0].undo.clear();
    guard.refuses(&one_way, "does not bring back");
}

fn key_plan(made: &str, status: &str) -> Plan {
    let switch = |status: &str| {
        let arguments = json!({"UserName": "eve", "AccessKeyId": "AKIA1", "Status": status});
        (
            "updateAccessKey",
            arguments,
            json!({"user/eve/key/AKIA1": status}),
        )
    };
    let before = json!({"user/eve/id": "AIDA1", "user/eve/key/AKIA1": "Active"});
    let facts = json!({"created": OLD, "keys": {"AKIA1": made}});
    plan(
        EVE,
        &before,
        vec![call(switch(status), Class::R1, switch("Active"))],
        facts,
    )
}

#[test]
fn only_a_new_key_goes_off() {
    let guard = Guard::of(EVE);
    guard.lets(&key_plan(NEW, "Inactive"));
    for (made, status) in [
        (OLD, "Inactive"),
        ("soon", "Inactive"),
        (NEW, "Active"),
        (NEW, "Expired"),
    ] {
        assert!(
            guard.say(&key_plan(made, status)).0.is_err(),
            "{made} {status}"
        );
    }
}

fn trust(principals: Value) -> Value {
    policy(json!([{"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}]))
}

fn trust_plan(is: &Value, to: &Value) -> Plan {
    let put = |document: &Value| {
        let arguments = json!({"RoleName": "app", "PolicyDocument": document.to_string()});
        (
            "updateAssumeRolePolicy",
            arguments,
            json!({"role/app/trust": document}),
        )
    };
    let before = json!({"role/app/id": "AROA1", "role/app/trust": is});
    plan(
        APP,
        &before,
        vec![call(put(to), Class::R2, put(is))],
        json!({"created": NEW}),
    )
}

#[test]
fn whom_a_role_trusts_is_a_person_s_to_say() {
    let guard = Guard::of(APP);
    let (both, own) = (
        trust(json!({"AWS": ["444455556666", "999988887777"]})),
        trust(json!({"AWS": "444455556666"})),
    );
    guard.asks(&trust_plan(&both, &own), "from outside");
    guard.refuses(&trust_plan(&own, &both), "more could take the role");
    guard.refuses(
        &trust_plan(&own, &trust(json!("*"))),
        "more could take the role",
    );
    guard.refuses(&trust_plan(&own, &own), "is so already");
    let conditioned = |principal: Value| {
        let mut document = trust(principal);
        document["Statement"][0]["Condition"] =
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
        document
    };
    let mut open_and_conditioned = trust(json!("*"));
    let statements = open_and_conditioned["Statement"].as_array_mut().unwrap();
    statements.push(conditioned(json!("*"))["Statement"][0].clone());
    guard.asks(
        &trust_plan(&open_and_conditioned, &conditioned(json!("*"))),
        "from outside",
    );
    guard.refuses(
        &trust_plan(&conditioned(json!("*")), &own),
        "more could take the role",
    );
    let closed = policy(json!([{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]));
    guard.refuses(
        &trust_plan(&conditioned(json!("*")), &closed),
        "a condition limits it",
    );
}

#[test]
fn what_a_person_approved_decides_over_dates() {
    let key = format!("user/eve/policy/{BACKDOOR}");
    let approved = |more: Value| {
        let mut all = map(json!({"user/eve/id": "AIDA1"}));
        all.extend(map(more));
        Guard {
            baseline: Some(json!({"attributes": all})),
            ..Guard::of(EVE)
        }
    };
    approved(json!({})).lets(&user_plan(BACKDOOR, &reads(), OLD, Class::R1));
    approved(json!({key: "attached"})).refuses(
        &user_plan(BACKDOOR, &admin(), NEW, Class::R2),
        "a person approved",
    );

    let wide = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let put = |document: &Value| {
        let arguments =
            json!({"UserName": "eve", "PolicyName": "x", "PolicyDocument": document.to_string()});
        (
            "putUserPolicy",
            arguments,
            json!({"user/eve/inline/x": document}),
        )
    };
    let inline = |is: &Value, to: &Value, class| {
        let before = json!({"user/eve/id": "AIDA1", "user/eve/inline/x": is});
        plan(
            EVE,
            &before,
            vec![call(put(to), class, put(is))],
            json!({"created": OLD}),
        )
    };
    let guard = approved(json!({"user/eve/inline/x": reads()}));
    guard.lets(&inline(&policy(wide), &reads(), Class::R1));
    guard.refuses(&inline(&reads(), &admin(), Class::R2), "nobody approved");
    let less = policy(
        json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/one"}]),
    );
    guard.refuses(
        &inline(&less, &reads(), Class::R2),
        "allows nothing that was not approved",
    );
    let other = policy(json!([{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]));
    guard.asks(&inline(&other, &reads(), Class::R2), "goes further in part");
    Guard::of(EVE).refuses(&inline(&admin(), &reads(), Class::R2), "nobody approved");
}

#[test]
fn a_boundary_is_only_put_as_it_was_approved() {
    let limit = "arn:aws:iam::444455556666:policy/limit";
    let put = |arn: &str| {
        (
            "putUserPermissionsBoundary",
            json!({"UserName": "eve", "PermissionsBoundary": arn}),
            json!({"user/eve/boundary": arn}),
        )
    };
    let take = (
        "deleteUserPermissionsBoundary",
        json!({"UserName": "eve"}),
        json!({"user/eve/boundary": null}),
    );
    let bare = json!({"user/eve/id": "AIDA1"});
    let added = plan(
        EVE,
        &bare,
        vec![call(put(limit), Class::R1, take.clone())],
        json!({}),
    );
    let guard = Guard {
        baseline: Some(json!({"attributes": {"user/eve/boundary": limit}})),
        ..Guard::of(EVE)
    };
    guard.lets(&added);
    Guard::of(EVE).refuses(&added, "nobody approved");
    let bound = json!({"user/eve/id": "AIDA1", "user/eve/boundary": BACKDOOR});
    let changed = plan(
        EVE,
        &bound,
        vec![call(put(limit), Class::R2, put(BACKDOOR))],
        json!({}),
    );
    guard.asks(&changed, "is not known");
    let removed = plan(
        EVE,
        &bound,
        vec![call(take, Class::R2, put(BACKDOOR))],
        json!({}),
    );
    guard.refuses(&removed, "a response never does");
}
