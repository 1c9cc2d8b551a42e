use super::super::attributes::prove_respond;
use super::*;
use proptest::prelude::*;
use quell_model::{Class, PlannedCall, UndoCall};
use serde_json::json;

const QUARANTINE_ARN: &str = "arn:aws:iam::444455556666:policy/QuellQuarantine";
pub(super) const ATTACHED: &str =
    "user/eve/policy/arn:aws:iam::444455556666:policy/QuellQuarantine";
pub(super) const KEY: &str = "user/eve/key/AKIAEXAMPLEEVE000001";
const ROLE_ID: &str = "AROAEXAMPLEAPP0000001";
pub(super) const INLINE_KEY: &str = "role/app/inline/Quell-inc-20261121-0a1b2c3d";

fn resource(kind: &str, arn: &str) -> Resource {
    let arn: quell_model::Arn = arn.parse().unwrap();
    let name = arn.resource.rsplit('/').next().unwrap().to_owned();
    Resource::new(arn, kind, name)
}

pub(super) fn eve() -> Resource {
    resource("AWS::IAM::User", "arn:aws:iam::444455556666:user/team/eve")
}

pub(super) fn app() -> Resource {
    resource("AWS::IAM::Role", "arn:aws:iam::444455556666:role/app")
}

pub(super) fn task(operation: &str) -> String {
    format!("arn:aws:states:::aws-sdk:iam:{operation}")
}

fn sets(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}

fn call(operation: &str, arguments: Value, set: (&str, Value), back: UndoCall) -> PlannedCall {
    PlannedCall {
        resource: task(operation),
        arguments,
        class: Class::R1,
        sets: sets(set.0, set.1),
        undo: vec![back],
    }
}

fn back(operation: &str, arguments: Value, set: (&str, Value)) -> UndoCall {
    UndoCall {
        resource: task(operation),
        arguments,
        sets: sets(set.0, set.1),
    }
}

fn deny() -> PlannedCall {
    let arguments = json!({"UserName": "eve", "PolicyArn": QUARANTINE_ARN});
    let undo = back(
        "detachUserPolicy",
        arguments.clone(),
        (ATTACHED, Value::Null),
    );
    call(
        "attachUserPolicy",
        arguments,
        (ATTACHED, json!("attached")),
        undo,
    )
}

fn switch(operation: &str, argument: &str, id: &str, key: &str) -> PlannedCall {
    let to = |status: &str| json!({"UserName": "eve", argument: id, "Status": status});
    let undo = back(operation, to("Active"), (key, json!("Active")));
    call(operation, to("Inactive"), (key, json!("Inactive")), undo)
}

fn key_off() -> PlannedCall {
    switch(
        "updateAccessKey",
        "AccessKeyId",
        "AKIAEXAMPLEEVE000001",
        KEY,
    )
}

/// A name, and how a plan becomes wrong.
type Wrong = (&'static str, fn(&mut Plan));

/// Carries a plan's calls out on its before-image.
pub(super) fn carried_out(mut plan: Plan) -> Plan {
    let mut image = plan.before["attributes"].as_object().unwrap().clone();
    for (key, value) in plan.calls.iter().flat_map(|c| c.sets.clone()) {
        match value {
            Value::Null => drop(image.remove(&key)),
            value => drop(image.insert(key, value)),
        }
    }
    plan.after = json!({"attributes": image});
    plan
}

pub(super) fn of_user() -> Plan {
    carried_out(Plan {
        playbook: "PB-001".into(),
        resource: eve().arn.to_string(),
        summary: String::new(),
        calls: vec![
            deny(),
            key_off(),
            switch(
                "updateServiceSpecificCredential",
                "ServiceSpecificCredentialId",
                "ACCAEXAMPLE1",
                "user/eve/credential/ACCAEXAMPLE1",
            ),
            switch(
                "updateSSHPublicKey",
                "SshPublicKeyId",
                "APKAEXAMPLE1",
                "user/eve/ssh-key/APKAEXAMPLE1",
            ),
            switch(
                "updateSigningCertificate",
                "CertificateId",
                "CERTEXAMPLE1",
                "user/eve/certificate/CERTEXAMPLE1",
            ),
        ],
        before: json!({"attributes": {
            "user/eve/id": "AIDAEXAMPLEEVE0000001",
            KEY: "Active",
            "user/eve/key/AKIAEXAMPLEEVE000002": "Inactive",
            "user/eve/credential/ACCAEXAMPLE1": "Active",
            "user/eve/ssh-key/APKAEXAMPLE1": "Active",
            "user/eve/certificate/CERTEXAMPLE1": "Active",
        }}),
        after: Value::Null,
        facts: json!({
            "quarantine": {"arn": QUARANTINE_ARN, "version": "v1", "document":
                {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}},
            "waysIn": {"administrator": "no", "others": []},
        }),
    })
}

pub(super) fn denying(sessions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "QuellContainment", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:userid": sessions}},
    }]})
    .to_string()
}

pub(super) fn build_7() -> String {
    format!("{ROLE_ID}:build-7")
}

fn put(text: &str, was: Option<&str>) -> PlannedCall {
    let whose = json!({"RoleName": "app", "PolicyName": "Quell-inc-20261121-0a1b2c3d"});
    let with = |text: &str| {
        let mut arguments = whose.clone();
        arguments["PolicyDocument"] = text.into();
        arguments
    };
    let undo = match was {
        Some(was) => back("putRolePolicy", with(was), (INLINE_KEY, was.into())),
        None => back("deleteRolePolicy", whose.clone(), (INLINE_KEY, Value::Null)),
    };
    call("putRolePolicy", with(text), (INLINE_KEY, text.into()), undo)
}

pub(super) fn of_role(text: &str, was: Option<&str>) -> Plan {
    let mut before = json!({"role/app/id": ROLE_ID});
    if let Some(was) = was {
        before[INLINE_KEY] = was.into();
    }
    carried_out(Plan {
        resource: app().arn.to_string(),
        calls: vec![put(text, was)],
        before: json!({"attributes": before}),
        facts: json!({"role": {"id": ROLE_ID}}),
        ..of_user()
    })
}

fn proven(resource: &Resource, plan: &Plan) -> Result<(), Unproven> {
    let claim = Claim {
        run: "run-1",
        resource,
        facts: &Value::Null,
        undo: None,
        production: true,
        known: crate::proof::Known::default(),
    };
    prove_respond(&Containment, plan, &claim)
}

#[test]
fn a_plan_that_denies_first_and_switches_off_is_proven() {
    assert_eq!(proven(&eve(), &of_user()), Ok(()));
    let mut later = of_user();
    later.calls.remove(0);
    later.before["attributes"][ATTACHED] = json!("attached");
    assert_eq!(proven(&eve(), &carried_out(later)), Ok(()));
}

/// Each changes the plan, which is then reckoned through again, so that nothing but its own wrong speaks against it.
#[test]
fn a_hostile_plan_about_a_user_is_refused() {
    let wrongs: &[Wrong] = &[
        ("attaches another policy", |p| {
            let other = "arn:aws:iam::aws:policy/AdministratorAccess";
            p.calls[0].arguments["PolicyArn"] = other.into();
            p.calls[0].undo[0].arguments["PolicyArn"] = other.into();
            let key = format!("user/eve/policy/{other}");
            p.calls[0].sets = sets(&key, json!("attached"));
            p.calls[0].undo[0].sets = sets(&key, Value::Null);
        }),
        ("the same name in another account", |p| {
            let other = "arn:aws:iam::999900001111:policy/QuellQuarantine";
            p.calls[0].arguments["PolicyArn"] = other.into();
            p.calls[0].undo[0].arguments["PolicyArn"] = other.into();
            let key = format!("user/eve/policy/{other}");
            p.calls[0].sets = sets(&key, json!("attached"));
            p.calls[0].undo[0].sets = sets(&key, Value::Null);
        }),
        ("detaches the deny", |p| {
            p.before["attributes"][ATTACHED] = json!("attached");
            let arguments = p.calls[0].arguments.clone();
            let undo = back(
                "attachUserPolicy",
                arguments.clone(),
                (ATTACHED, json!("attached")),
            );
            p.calls[0] = call("detachUserPolicy", arguments, (ATTACHED, Value::Null), undo);
        }),
        ("no deny at all", |p| drop(p.calls.remove(0))),
        ("the deny comes last", |p| p.calls.rotate_left(1)),
        ("the quarantine was not read", |p| p.facts = json!({})),
        ("another policy was read", |p| {
            p.facts["quarantine"]["arn"] = json!("arn:aws:iam::444455556666:policy/Other");
        }),
        ("it allows", |p| {
            p.facts["quarantine"]["document"]["Statement"][0]["Effect"] = json!("Allow")
        }),
        ("it has a condition", |p| {
            p.facts["quarantine"]["document"]["Statement"][0]["Condition"] =
                json!({"StringEquals": {"aws:RequestedRegion": "us-east-1"}});
        }),
        ("it denies only a service", |p| {
            p.facts["quarantine"]["document"]["Statement"][0]["Action"] = json!("s3:*");
        }),
        ("it denies only a bucket", |p| {
            p.facts["quarantine"]["document"]["Statement"][0]["Resource"] =
                json!("arn:aws:s3:::b/*");
        }),
        ("it denies all but something", |p| {
            let one = &mut p.facts["quarantine"]["document"]["Statement"][0];
            one.as_object_mut().unwrap().remove("Action");
            one["NotAction"] = json!("iam:*");
        }),
        ("switches a key on", |p| {
            p.before["attributes"][KEY] = json!("Inactive");
            let to = |s: &str| json!({"UserName": "eve", "AccessKeyId": "AKIAEXAMPLEEVE000001", "Status": s});
            let undo = back("updateAccessKey", to("Inactive"), (KEY, json!("Inactive")));
            p.calls[1] = call(
                "updateAccessKey",
                to("Active"),
                (KEY, json!("Active")),
                undo,
            );
        }),
        ("deletes a key", |p| {
            let arguments = json!({"UserName": "eve", "AccessKeyId": "AKIAEXAMPLEEVE000001"});
            p.calls[1] = call(
                "deleteAccessKey",
                arguments,
                (KEY, Value::Null),
                key_off().undo.remove(0),
            );
        }),
        ("deletes the password", |p| {
            let key = "user/eve/login-profile";
            p.before["attributes"][key] = json!("there");
            let arguments = json!({"UserName": "eve"});
            let undo = back(
                "createLoginProfile",
                arguments.clone(),
                (key, json!("there")),
            );
            p.calls.push(call(
                "deleteLoginProfile",
                arguments,
                (key, Value::Null),
                undo,
            ));
        }),
        ("makes a key", |p| {
            let key = "user/eve/key/AKIANEW";
            let undo = back(
                "updateAccessKey",
                json!({"UserName": "eve"}),
                (key, Value::Null),
            );
            p.calls.push(call(
                "createAccessKey",
                json!({"UserName": "eve"}),
                (key, json!("Active")),
                undo,
            ));
        }),
        ("another user's key", |p| {
            p.calls[1].arguments["UserName"] = json!("alice");
            p.calls[1].undo[0].arguments["UserName"] = json!("alice");
        }),
        ("another user's deny", |p| {
            p.calls[0].arguments["UserName"] = json!("alice");
            p.calls[0].undo[0].arguments["UserName"] = json!("alice");
        }),
        ("a key that was not seen", |p| {
            drop(p.before["attributes"].as_object_mut().unwrap().remove(KEY))
        }),
        ("a key that was off", |p| {
            p.before["attributes"][KEY] = json!("Inactive")
        }),
        ("an id that is a path", |p| {
            p.calls[1].arguments["AccessKeyId"] = json!("../x");
            p.calls[1].undo[0].arguments["AccessKeyId"] = json!("../x");
        }),
        ("one argument more", |p| {
            p.calls[1].arguments["DryRun"] = json!(true)
        }),
        ("sets another key", |p| {
            p.calls[1].sets = sets("user/eve/key/AKIAOTHER", json!("Inactive"))
        }),
        ("sets nothing", |p| p.calls[1].sets = Map::new()),
        ("no way back", |p| p.calls[1].undo.clear()),
        ("the way back leaves it off", |p| {
            p.calls[1].undo[0].arguments["Status"] = json!("Inactive");
            p.calls[1].undo[0].sets = sets(KEY, json!("Inactive"));
        }),
        ("the way back gives a policy", |p| {
            p.calls[0].undo[0].resource = task("attachUserPolicy");
        }),
        ("class too low", |p| p.calls[1].class = Class::R0),
        ("which user is not known", |p| {
            drop(
                p.before["attributes"]
                    .as_object_mut()
                    .unwrap()
                    .remove("user/eve/id"),
            )
        }),
        ("of a role", |p| {
            p.calls[1] = put(&denying(&[&build_7()]), None)
        }),
    ];
    for (name, wrong) in wrongs {
        let mut plan = of_user();
        wrong(&mut plan);
        assert!(proven(&eve(), &carried_out(plan)).is_err(), "{name}");
    }
    let mut predicted = of_user();
    predicted.after["attributes"][KEY] = json!("Active");
    assert!(proven(&eve(), &predicted).is_err());
}

#[test]
fn a_plan_that_denies_named_sessions_is_proven() {
    let one = build_7();
    let two = format!("{ROLE_ID}:j.doe@example.com");
    assert_eq!(proven(&app(), &of_role(&denying(&[&one]), None)), Ok(()));
    let both = denying(&[&one, &two]);
    assert_eq!(
        proven(&app(), &of_role(&both, Some(&denying(&[&one])))),
        Ok(())
    );
    // What somebody else put there under this name gives way, and comes back.
    let theirs = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    assert_eq!(proven(&app(), &of_role(&both, Some(theirs))), Ok(()));
}

#[test]
fn a_role_is_never_denied_as_a_whole_and_its_other_sessions_go_on() {
    let document = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition,
        }]})
        .to_string()
    };
    let session = build_7();
    let mut texts = vec![
        // Role-wide.
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#
            .to_owned(),
        document(json!({})),
        document(json!({"DateLessThan": {"aws:TokenIssueTime": "2026-11-21T00:00:00Z"}})),
        document(json!({"StringEquals": {"aws:userid": []}})),
        document(json!({"StringEquals": {"aws:userid": session}})),
        document(json!({"StringNotEquals": {"aws:userid": [session]}})),
        document(json!({"StringLike": {"aws:userid": [format!("{ROLE_ID}:*")]}})),
        document(json!({"StringEqualsIgnoreCase": {"aws:userid": [session]}})),
        document(
            json!({"StringEquals": {"aws:userid": [session]}, "Null": {"aws:userid": "false"}}),
        ),
        document(
            json!({"StringEquals": {"aws:userid": [session], "aws:RequestedRegion": ["us-east-1"]}}),
        ),
        // Wider or other than a deny.
        denying(&[&session]).replace("Deny", "Allow"),
        denying(&[&session]).replace(r#""Action":"*""#, r#""NotAction":"*""#),
        denying(&[&session]).replace(r#""Resource":"*""#, r#""Resource":"*","Principal":"*""#),
        "[]".to_owned(),
        "not JSON".to_owned(),
        String::new(),
    ];
    // Names that are patterns, variables, nothing, or of another role.
    for name in [
        "*",
        "build-?",
        "${aws:userid}",
        "",
        "a",
        "a b",
        "a\"b",
        "büro",
        "a:b",
        "a/b",
        &"x".repeat(65),
    ] {
        texts.push(denying(&[&session, &format!("{ROLE_ID}:{name}")]));
    }
    for id in [
        "AROAOTHERROLE000000001:build-7",
        "*:build-7",
        "build-7",
        "AROAEXAMPLEAPP00000012:x1",
    ] {
        texts.push(denying(&[id]));
    }
    for text in texts {
        assert!(proven(&app(), &of_role(&text, None)).is_err(), "{text}");
    }
}

#[test]
fn a_hostile_plan_about_a_role_is_refused() {
    let (one, two) = (build_7(), format!("{ROLE_ID}:other"));
    let both = denying(&[&one, &two]);
    // It would let somebody go.
    assert!(proven(&app(), &of_role(&denying(&[&one]), Some(&both))).is_err());
    let wrongs: &[Wrong] = &[
        ("another role", |p| {
            p.calls[0].arguments["RoleName"] = json!("admin");
            p.calls[0].undo[0].arguments["RoleName"] = json!("admin");
        }),
        ("another policy", |p| {
            p.calls[0].arguments["PolicyName"] = json!("Quell-");
            p.calls[0].undo[0].arguments["PolicyName"] = json!("Quell-");
            p.calls[0].sets = sets(
                "role/app/inline/Quell-",
                p.calls[0].arguments["PolicyDocument"].clone(),
            );
            p.calls[0].undo[0].sets = sets("role/app/inline/Quell-", Value::Null);
        }),
        ("deletes a policy", |p| {
            let text = p.calls[0].arguments["PolicyDocument"]
                .as_str()
                .unwrap()
                .to_owned();
            p.before["attributes"][INLINE_KEY] = text.as_str().into();
            let there = put(&text, Some(&text)).undo.remove(0);
            p.calls[0] = call(
                "deleteRolePolicy",
                json!({"RoleName": "app", "PolicyName": "Quell-inc-20261121-0a1b2c3d"}),
                (INLINE_KEY, Value::Null),
                there,
            );
        }),
        ("which role is not known", |p| {
            drop(
                p.before["attributes"]
                    .as_object_mut()
                    .unwrap()
                    .remove("role/app/id"),
            )
        }),
        ("an id that is none", |p| {
            p.before["attributes"]["role/app/id"] = json!("")
        }),
        ("the trust policy", |p| {
            p.calls[0].resource = task("updateAssumeRolePolicy");
        }),
        ("a managed policy", |p| {
            let arguments = json!({"RoleName": "app", "PolicyArn": QUARANTINE_ARN});
            let key = "role/app/policy/x";
            p.calls[0] = call(
                "attachRolePolicy",
                arguments.clone(),
                (key, json!("attached")),
                back("detachRolePolicy", arguments, (key, Value::Null)),
            );
        }),
        ("the undo writes something else", |p| {
            let theirs = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
            p.calls[0].undo = put("", Some(theirs)).undo;
        }),
        ("of a user", |p| p.calls[0] = deny()),
    ];
    for (name, wrong) in wrongs {
        let mut plan = of_role(&denying(&[&build_7()]), None);
        wrong(&mut plan);
        assert!(proven(&app(), &carried_out(plan)).is_err(), "{name}");
    }
    for (kind, arn) in [
        ("AWS::IAM::User", "arn:aws:iam::444455556666:root"),
        ("AWS::IAM::Role", "arn:aws:iam::444455556666:user/app"),
        ("AWS::IAM::Group", "arn:aws:iam::444455556666:group/app"),
        ("AWS::IAM::Role", "arn:aws:sts::444455556666:role/app"),
    ] {
        let plan = of_role(&denying(&[&build_7()]), None);
        assert!(proven(&resource(kind, arn), &plan).is_err(), "{kind} {arn}");
    }
}

#[test]
fn a_person_is_asked_about_the_last_way_in_and_about_instances() {
    let asked = |ways: Value| {
        let mut plan = of_user();
        plan.facts["waysIn"] = ways;
        concerns(&plan).len()
    };
    assert_eq!(asked(json!({"administrator": "no"})), 0);
    assert_eq!(
        asked(json!({"administrator": "yes", "others": ["role/x"]})),
        0
    );
    assert_eq!(asked(json!({"administrator": "yes", "others": []})), 1);
    assert_eq!(asked(json!({"administrator": "unknown", "others": []})), 1);
    assert_eq!(asked(Value::Null), 1);
    let role = |name: &str, facts: Value| {
        let plan = of_role(&denying(&[&format!("{ROLE_ID}:{name}")]), None);
        let claim = Claim {
            run: "run-1",
            resource: &app(),
            facts: &facts,
            undo: None,
            production: true,
            known: crate::proof::Known::default(),
        };
        Containment.concerns(&plan, &claim).len()
    };
    assert_eq!(role("build-7", json!({})), 0);
    assert_eq!(role("i-0123456789abcdef0", json!({})), 1);
    assert_eq!(
        role("i-0123456789abcdef0", json!({"deniesInstances": "yes"})),
        1
    );
    assert_eq!(
        role("i-0123456789abcdef0", json!({"deniesInstances": true})),
        0
    );
    assert_eq!(role("i-team", json!({})), 0);
}

proptest! {
    /// Whatever a session is called: it is denied by its full name, or not at all.
    #[test]
    fn a_session_is_denied_exactly_when_sts_could_have_named_it_so(name in "\\PC{0,70}|[A-Za-z0-9_+=,.@*?:$-]{0,70}") {
        let id = format!("{ROLE_ID}:{name}");
        let legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        let could = (2..=64).contains(&name.len()) && name.chars().all(legal);
        let plan = of_role(&denying(&[&id]), None);
        prop_assert_eq!(proven(&app(), &plan).is_ok(), could);
    }
}
