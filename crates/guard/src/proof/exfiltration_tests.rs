use super::*;
use crate::never_touch::NeverTouch;
use crate::proof::{Known, Proof, prove};
use quell_model::{PlannedCall, Resource, UndoCall};
use serde_json::Map;

const OWNER: &str = "444455556666";
const EVE: &str = "AIDAEVE00000000000001";
const SESSION: &str = "AROAAPP00000000000001:i-0a1b2c3d4e5f60718";

fn facts() -> Value {
    json!({"organisation": "o-abcdefghij", "trustedAccounts": ["222233334444"], "trustedBuckets": ["arn:aws:s3:::vault"]})
}

fn rule(bucket: &str, account: Option<&str>) -> Value {
    let mut rule = json!({"Id": bucket, "Status": "Enabled", "Filter": {"Prefix": ""}, "Destination": {"Bucket": format!("arn:aws:s3:::{bucket}")}});
    if let Some(account) = account {
        rule["Destination"]["Account"] = json!(account);
    }
    rule
}

fn replication(rules: &[Value]) -> Value {
    json!({"Role": "arn:aws:iam::444455556666:role/copy", "Rules": rules})
}

fn policy(more: &[Value]) -> Value {
    let mut statements = vec![
        json!({"Sid": "Org", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-data/*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}}),
        json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:role/QuellAct-S3"}, "Action": "s3:*", "Resource": "*"}),
    ];
    statements.extend(more.iter().cloned());
    json!({"Version": "2012-10-17", "Id": "p", "Statement": statements})
}

fn denies(ids: &[&str]) -> Value {
    json!({"Sid": "QuellDenySuspects", "Effect": "Deny", "Principal": "*",
        "Action": ["s3:DeleteObject*", "s3:GetObject*", "s3:ListBucket*", "s3:PutObject*"],
        "Resource": ["arn:aws:s3:::shop-data", "arn:aws:s3:::shop-data/*"],
        "Condition": {"StringEquals": {"aws:userid": ids}}})
}

fn denies_strangers() -> Value {
    let mut deny = denies(&[]);
    deny["Sid"] = json!("QuellDenyStrangers");
    deny["Condition"] = json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
    deny
}

fn puts(key: &str, value: &Value) -> UndoCall {
    let (operation, mut arguments) = match (key, value) {
        (REPLICATION, Value::Null) => ("s3:deleteBucketReplication", json!({})),
        (REPLICATION, v) => (
            "s3:putBucketReplication",
            json!({"ReplicationConfiguration": v}),
        ),
        (POLICY, Value::Null) => ("s3:deleteBucketPolicy", json!({})),
        (POLICY, v) => ("s3:putBucketPolicy", json!({"Policy": v.to_string()})),
        (job, _) => (
            "s3control:updateJobStatus",
            json!({"AccountId": OWNER, "JobId": &job[4..], "RequestedJobStatus": "Cancelled"}),
        ),
    };
    if operation.starts_with("s3:") {
        arguments["Bucket"] = json!("shop-data");
        arguments["ExpectedBucketOwner"] = json!(OWNER);
    }
    UndoCall {
        resource: format!("arn:aws:states:::aws-sdk:{operation}"),
        arguments,
        sets: Map::from_iter([(key.to_owned(), value.clone())]),
    }
}

/// A plan that sets a key, from this image.
fn plan(before: Value, key: &str, value: Value, class: Class) -> Plan {
    let was = before.get(key).cloned().unwrap_or_default();
    let mut there = puts(key, &value);
    if key == POLICY {
        there.arguments["ConfirmRemoveSelfBucketAccess"] = json!(false);
    }
    let mut after = before.as_object().unwrap().clone();
    match value.is_null() {
        true => drop(after.remove(key)),
        false => drop(after.insert(key.to_owned(), value)),
    }
    Plan {
        playbook: "PB-009".into(),
        resource: "arn:aws:s3:::shop-data".into(),
        summary: String::new(),
        calls: vec![PlannedCall {
            resource: there.resource,
            arguments: there.arguments,
            class,
            sets: there.sets,
            undo: match key.starts_with("job/") {
                true => Vec::new(),
                false => vec![puts(key, &was)],
            },
        }],
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({"suspects": [
            {"id": "AIDANAMED", "arn": "arn:aws:iam::444455556666:user/nat"},
            {"id": "AIDAMISREAD", "arn": "arn:aws:iam::444455556666:user/nat"},
            {"id": "AROANAMED:s-1", "arn": "arn:aws:sts::444455556666:assumed-role/app/s-1"},
            {"id": "AROALINKED2:s-1", "arn": "arn:aws:sts::444455556666:assumed-role/AWSServiceRoleForBackup/s-1"},
            {"id": "AIDABREAK", "arn": "arn:aws:iam::444455556666:user/nat"},
        ], "removed": [{"bucket": "arn:aws:s3:::out", "firstPut": "2026-11-21T09:30:00Z"}, {"bucket": "arn:aws:s3:::old", "firstPut": "2026-10-01T00:00:00Z"}]}),
    }
}

fn actors() -> Value {
    let arn = |rest: &str| format!("arn:aws:{rest}");
    json!([
        {"kind": "IAMUser", "principalId": EVE, "arn": arn("iam::444455556666:user/team/eve")},
        {"kind": "AssumedRole", "principalId": SESSION, "arn": arn("sts::444455556666:assumed-role/app/i-0a1b2c3d4e5f60718")},
        {"kind": "IAMUser", "principalId": "AIDAOTHER", "arn": arn("iam::111122223333:user/mallory")},
        {"kind": "IAMUser", "principalId": "AIDABREAK", "arn": arn("iam::444455556666:user/break-glass")},
        {"kind": "AssumedRole", "principalId": "AROAQUELL:run-1", "arn": arn("sts::444455556666:assumed-role/QuellAct-S3/run-1")},
        {"kind": "AssumedRole", "principalId": "AROALINKED:s3", "arn": arn("sts::444455556666:assumed-role/AWSServiceRoleForBackup/s3")},
        {"kind": "AssumedRole", "principalId": "AROAAPP:mine", "arn": arn("sts::444455556666:assumed-role/app/theirs")},
        {"kind": "AWSService", "principalId": "AIDASERVICE", "arn": arn("iam::444455556666:user/eve")},
        {"kind": "Root", "principalId": "444455556666", "arn": arn("iam::444455556666:root")},
        {"kind": "IAMUser", "principalId": "AIDANAMED", "name": "nat"},
        {"kind": "IAMUser", "principalId": "AIDAUNREAD", "name": "una"},
        {"kind": "IAMUser", "principalId": "AIDAMISREAD", "name": "mia"},
        {"kind": "AssumedRole", "principalId": "AROANAMED:s-1", "name": "s-1"},
        {"kind": "AssumedRole", "principalId": "AROALINKED2:s-1", "name": "s-1"},
        {"kind": "IAMUser", "principalId": "AIDATWICE", "arn": arn("iam::444455556666:user/eve")},
        {"kind": "AssumedRole", "principalId": "AIDATWICE", "arn": arn("sts::444455556666:assumed-role/AWSServiceRoleForBackup/s3")},
    ])
}

fn check(plan: &Plan) -> Result<Proof, Unproven> {
    check_as(plan, &["444455556666", "555566667777"], &facts())
}

fn check_as(plan: &Plan, accounts: &[&str], facts: &Value) -> Result<Proof, Unproven> {
    let names = ["QuellAct-S3".to_owned(), "break-glass".to_owned()];
    let actors = actors();
    let arn = "arn:aws:s3:::shop-data".parse().unwrap();
    let resource = Resource::new(arn, "AWS::S3::Bucket", "shop-data");
    let claim = Claim {
        run: "run-1",
        resource: &resource.told_to_be_in(OWNER, "us-east-1"),
        facts,
        undo: None,
        production: true,
        known: Known {
            since: "2026-11-21T10:00:00Z".parse().ok(),
            accounts,
            actors: Some(&actors),
            never_touch: NeverTouch {
                accounts: &[],
                names: &names,
            },
            ..Known::default()
        },
    };
    prove("AWS::S3::Bucket", plan, &claim)
}

fn refused(plan: &Plan, says: &str) {
    let no = check(plan).expect_err(says).to_string();
    assert!(no.contains(says), "wanted «{says}», got «{no}»");
}

/// Replication to a thief, to a back-up of ours, to a bucket that the facts name, and back to a plan that takes some out.
fn with_rules(old: &[Value], new: &[Value], class: Class) -> Plan {
    let value = match new {
        [] => Value::Null,
        new => replication(new),
    };
    plan(
        json!({REPLICATION: replication(old)}),
        REPLICATION,
        value,
        class,
    )
}

fn thief() -> Value {
    rule("out", Some("999900001111"))
}

#[test]
fn a_thief_s_rule_goes_by_itself_and_the_others_stay() {
    let ours = rule("backup", Some("555566667777"));
    for plan in [
        with_rules(
            &[thief(), ours.clone()],
            std::slice::from_ref(&ours),
            Class::R1,
        ),
        with_rules(&[thief()], &[], Class::R1),
        with_rules(&[thief(), ours.clone(), thief()], &[ours], Class::R1),
    ] {
        assert_eq!(check(&plan).unwrap().concerns, Vec::<String>::new());
    }
}

#[test]
fn nothing_is_put_in_rewritten_or_moved() {
    let (a, b) = (rule("a", Some("999900001111")), thief());
    let mut changed = a.clone();
    changed["Destination"]["Bucket"] = json!("arn:aws:s3:::elsewhere");
    for new in [
        vec![b.clone(), a.clone()],
        vec![changed],
        vec![a.clone(), b.clone(), thief()],
    ] {
        let plan = with_rules(&[a.clone(), b.clone()], &new, Class::R2);
        refused(&plan, "put in, rewritten or moved");
    }
    refused(
        &with_rules(
            std::slice::from_ref(&b),
            std::slice::from_ref(&b),
            Class::R2,
        ),
        "no replication rule would go",
    );
    let mut role = with_rules(&[a.clone(), b], &[a], Class::R2);
    let other = json!({"Role": "arn:aws:iam::444455556666:role/other", "Rules": [rule("a", Some("999900001111"))]});
    role.calls[0].arguments["ReplicationConfiguration"] = other.clone();
    role.calls[0].sets[REPLICATION] = other.clone();
    role.after["attributes"][REPLICATION] = other;
    refused(&role, "by another role");
    let empty = replication(&[]);
    let none = plan(
        json!({REPLICATION: replication(&[thief()])}),
        REPLICATION,
        empty,
        Class::R1,
    );
    refused(&none, "no rule left");
    let more = json!({REPLICATION: replication(&[thief()])});
    let mut odd = plan(more, REPLICATION, Value::Null, Class::R1);
    odd.calls[0].arguments["Token"] = json!("x");
    refused(&odd, "«Token»");
}

#[test]
fn what_is_not_surely_a_thief_s_is_asked_about() {
    for (which, says) in [
        (rule("nobody", None), "not known whose"),
        (rule("out", Some("9999")), "not known whose"),
        (rule("backup", Some("555566667777")), "one of ours"),
        (rule("own", Some(OWNER)), "one of ours"),
        (rule("partner", Some("222233334444")), "one of ours"),
        (rule("old", Some("999900001111")), "newer than the trouble"),
        (
            rule("unseen", Some("999900001111")),
            "newer than the trouble",
        ),
    ] {
        refused(
            &with_rules(std::slice::from_ref(&which), &[], Class::R1),
            "class R2 at least",
        );
        let shown = check(&with_rules(&[which], &[], Class::R2)).unwrap();
        assert!(shown.concerns[0].contains(says), "{:?}", shown.concerns);
    }
    let mixed = with_rules(
        &[thief(), rule("old", Some("999900001111"))],
        &[],
        Class::R1,
    );
    refused(&mixed, "class R2 at least");
    refused(
        &with_rules(&[rule("vault", None)], &[], Class::R2),
        "own facts",
    );
    // Nobody said which accounts are ours.
    let unknown = check_as(&with_rules(&[thief()], &[], Class::R1), &[], &facts());
    assert!(
        unknown
            .unwrap_err()
            .to_string()
            .contains("class R2 at least")
    );
}

#[test]
fn a_job_is_only_cancelled_and_that_is_for_ever() {
    let good = plan(
        json!({"job/j-1": "live"}),
        "job/j-1",
        json!("cancelled"),
        Class::R3,
    );
    check(&good).unwrap();
    let change = |change: fn(&mut Plan)| {
        let mut plan = good.clone();
        change(&mut plan);
        plan
    };
    refused(
        &change(|p| p.calls[0].class = Class::R2),
        "class R3 at least",
    );
    refused(
        &change(|p| p.calls[0].arguments["RequestedJobStatus"] = json!("Ready")),
        "may only be",
    );
    refused(
        &change(|p| p.calls[0].arguments["AccountId"] = json!("111122223333")),
        "may only be",
    );
    refused(
        &change(|p| p.calls[0].arguments["JobId"] = json!("j-2")),
        "none that is at work",
    );
    refused(
        &change(|p| p.calls[0].arguments["StatusUpdateReason"] = json!("x")),
        "no such call needs",
    );
    refused(
        &change(|p| p.calls[0].undo = vec![puts("job/j-1", &json!("live"))]),
        "UpdateJobStatus",
    );
}

fn puts_policy(before: Option<Value>, after: Value) -> Plan {
    let image = before.map_or(json!({}), |policy| json!({POLICY: policy}));
    plan(image, POLICY, after, Class::R2)
}

#[test]
fn actors_are_refused_objects_by_their_ids() {
    check(&puts_policy(Some(policy(&[])), policy(&[denies(&[EVE])]))).unwrap();
    let both = check(&puts_policy(
        Some(policy(&[denies(&[EVE])])),
        policy(&[denies(&[EVE, SESSION])]),
    ));
    assert!(both.unwrap().concerns[0].contains("every session «i-0a1b2c3d4e5f60718»"));
    let named = denies(&["AIDANAMED", "AROANAMED:s-1"]);
    check(&puts_policy(Some(policy(&[])), policy(&[named]))).unwrap();
    let new = json!({"Version": "2012-10-17", "Statement": [denies(&[EVE])]});
    check(&puts_policy(None, new)).unwrap();
    let mut one = denies(&[]);
    one["Condition"]["StringEquals"]["aws:userid"] = json!(EVE);
    check(&puts_policy(
        Some(policy(&[one])),
        policy(&[denies(&[EVE, SESSION])]),
    ))
    .unwrap();
    let strangers = check(&puts_policy(
        Some(policy(&[])),
        policy(&[denies_strangers()]),
    ));
    assert!(strangers.unwrap().concerns[0].contains("outside of the organisation"));
    let mut gentle = puts_policy(Some(policy(&[])), policy(&[denies(&[EVE])]));
    gentle.calls[0].class = Class::R1;
    refused(&gentle, "class R2 at least");
}

#[test]
fn nobody_else_is_refused() {
    for (id, says) in [
        ("AIDANOBODY", "none of the incident's actors"),
        ("AIDAOTHER", "no user and no session of this account"),
        ("AIDABREAK", "never touched"),
        ("AROAQUELL:run-1", "never touched"),
        ("AROALINKED:s3", "never touched"),
        ("AROAAPP:mine", "no user and no session of this account"),
        ("AIDASERVICE", "no user and no session of this account"),
        ("AIDAUNREAD", "nobody knows whose id"),
        ("AIDAMISREAD", "no user and no session of this account"),
        ("AROALINKED2:s-1", "never touched"),
        ("AIDATWICE", "no user and no session of this account"),
        ("444455556666", "no id of a user"),
        ("AROAAPP00000000000001", "no id of a user"),
        ("AROAAPP00000000000001:*", "no id of a user"),
        ("AROAAPP00000000000001:${aws:username}", "no id of a user"),
        ("AIDA*", "no id of a user"),
        ("*", "no id of a user"),
        ("", "no id of a user"),
    ] {
        let plan = puts_policy(Some(policy(&[])), policy(&[denies(&[EVE, id])]));
        refused(&plan, says);
    }
}

#[test]
fn every_other_statement_stays_word_for_word() {
    let wrong: &[fn(&mut Value)] = &[
        |p| drop(p["Statement"].as_array_mut().unwrap().remove(0)),
        |p| drop(p["Statement"].as_array_mut().unwrap().remove(1)),
        |p| p["Statement"].as_array_mut().unwrap().swap(0, 1),
        |p| p["Statement"][1]["Action"] = json!("s3:GetObject"),
        |p| {
            drop(
                p["Statement"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("Condition"),
            )
        },
        |p| {
            p["Statement"].as_array_mut().unwrap().push(
                json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}),
            )
        },
    ];
    for tamper in wrong {
        let mut after = policy(&[denies(&[EVE])]);
        tamper(&mut after);
        refused(
            &puts_policy(Some(policy(&[])), after),
            "rewritten, moved, put in or taken out",
        );
    }
    let mut version = policy(&[denies(&[EVE])]);
    version["Version"] = json!("2008-10-17");
    refused(
        &puts_policy(Some(policy(&[])), version),
        "beside its statements",
    );
    let twice = policy(&[denies(&[EVE]), denies(&[SESSION])]);
    refused(&puts_policy(Some(policy(&[])), twice), "two statements");
    let less = puts_policy(
        Some(policy(&[denies(&[EVE, SESSION])])),
        policy(&[denies(&[SESSION])]),
    );
    refused(&less, "let in again");
    let none = puts_policy(
        Some(policy(&[denies_strangers()])),
        policy(&[denies(&[EVE])]),
    );
    refused(&none, "everybody outside would change");
    let same = policy(&[denies(&[EVE])]);
    let mut blank = puts_policy(Some(same.clone()), same);
    blank.calls[0].arguments["Policy"] = json!(policy(&[denies(&[EVE])]).to_string() + " ");
    refused(&blank, "nobody more");
}

/// A refusal of more than objects, or of more people, would shut out who has to come in: root and Quell's own role.
#[test]
fn nobody_is_locked_out_of_the_policy() {
    let wrong: &[fn(&mut Value)] = &[
        |d| d["Action"] = json!("s3:*"),
        |d| {
            d["Action"]
                .as_array_mut()
                .unwrap()
                .push(json!("s3:PutBucketPolicy"))
        },
        |d| d["NotAction"] = json!("s3:GetObject"),
        |d| drop(d.as_object_mut().unwrap().remove("Condition")),
        |d| d["Condition"] = json!({"StringNotEquals": {"aws:userid": [EVE]}}),
        |d| d["Condition"] = json!({"StringLike": {"aws:userid": [EVE]}}),
        |d| d["Condition"] = json!({"StringEqualsIfExists": {"aws:userid": [EVE]}}),
        |d| d["Condition"]["StringEquals"]["aws:userid"] = json!([]),
        |d| d["Resource"] = json!("*"),
        |d| d["Principal"] = json!({"AWS": "arn:aws:iam::444455556666:root"}),
        |d| d["Effect"] = json!("Allow"),
    ];
    for tamper in wrong {
        let mut deny = denies(&[EVE]);
        tamper(&mut deny);
        refused(
            &puts_policy(Some(policy(&[])), policy(&[deny])),
            "does not just refuse objects",
        );
    }
    let wrong: &[fn(&mut Value)] = &[
        |d| d["Condition"]["StringNotEquals"]["aws:PrincipalOrgID"] = json!("o-zzzzzzzzzz"),
        |d| {
            drop(
                d["Condition"]
                    .as_object_mut()
                    .unwrap()
                    .remove("BoolIfExists"),
            )
        },
        |d| d["Condition"]["Bool"] = json!({"aws:SecureTransport": "true"}),
        |d| drop(d.as_object_mut().unwrap().remove("Condition")),
        |d| d["Action"] = json!("s3:*"),
    ];
    for tamper in wrong {
        let mut deny = denies_strangers();
        tamper(&mut deny);
        refused(
            &puts_policy(Some(policy(&[])), policy(&[deny])),
            "everybody outside of o-abcdefghij",
        );
    }
    let plan = puts_policy(Some(policy(&[])), policy(&[denies_strangers()]));
    for organisation in ["", "*", "o-short", "o-*aaaaaaaaaaa"] {
        let no = check_as(&plan, &[], &json!({"organisation": organisation}));
        assert!(no.unwrap_err().to_string().contains("name no organisation"));
    }
    let mut sure = puts_policy(Some(policy(&[])), policy(&[denies(&[EVE])]));
    sure.calls[0].arguments["ConfirmRemoveSelfBucketAccess"] = json!(true);
    refused(&sure, "may only be false");
}

#[test]
fn it_is_this_bucket_and_nothing_else_is_called() {
    let good = puts_policy(Some(policy(&[])), policy(&[denies(&[EVE])]));
    for (member, other) in [("Bucket", "other"), ("ExpectedBucketOwner", "111122223333")] {
        let mut plan = good.clone();
        plan.calls[0].arguments[member] = json!(other);
        refused(&plan, "may only be");
    }
    for operation in [
        "s3:deleteBucketPolicy",
        "s3:deleteBucket",
        "s3:putBucketAcl",
        "kms:revokeGrant",
        "kms:putKeyPolicy",
    ] {
        let mut plan = good.clone();
        plan.calls[0].resource = format!("arn:aws:states:::aws-sdk:{operation}");
        assert!(check(&plan).is_err(), "{operation}");
    }
}
