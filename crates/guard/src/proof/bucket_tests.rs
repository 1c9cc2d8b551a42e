use super::*;
use crate::proof::{Claim, Known, prove};
use quell_model::{PlannedCall, Resource, UndoCall};
use serde_json::Map;

const OWNER: &str = "444455556666";
const KEY: &str = "arn:aws:kms:us-east-1:444455556666:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f";

type Change = fn(&mut Value);

fn bucket() -> Resource {
    let arn = "arn:aws:s3:::shop-data".parse().unwrap();
    Resource::new(arn, "AWS::S3::Bucket", "shop-data").told_to_be_in(OWNER, "us-east-1")
}

fn facts() -> Value {
    json!({"requireTls": true, "kmsKeyArn": KEY, "blockCustomerKeys": true})
}

fn flags(on: &[&str]) -> Value {
    FLAGS.iter().map(|f| (*f, on.contains(f))).collect()
}

fn encryption(rule: Value) -> Value {
    json!({"Rules": [rule]})
}

fn aes() -> Value {
    encryption(
        json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "AES256"}, "BucketKeyEnabled": false}),
    )
}

fn kms(key: &str) -> Value {
    encryption(
        json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "aws:kms", "KmsMasterKeyID": key}, "BucketKeyEnabled": true}),
    )
}

/// One statement for everybody with a condition, which may well be the owner's whole organisation, and one for an account.
fn policy() -> Value {
    json!({"Version": "2012-10-17", "Id": "p", "Statement": [
        {"Sid": "Org", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-data/*",
         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}},
        {"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::shop-data/*"]},
    ]})
}

fn with_tls(policy: &Value) -> Value {
    let mut policy = policy.clone();
    policy["Statement"].as_array_mut().unwrap().push(json!({
        "Sid": "QuellDenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::shop-data", "arn:aws:s3:::shop-data/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }));
    policy
}

fn task(operation: &str) -> String {
    format!("arn:aws:states:::aws-sdk:s3:{operation}")
}

fn saying(mut arguments: Value) -> Value {
    arguments["Bucket"] = json!("shop-data");
    arguments["ExpectedBucketOwner"] = json!(OWNER);
    arguments
}

fn puts(key: &str, value: &Value) -> UndoCall {
    let (operation, arguments) = match (key, value) {
        (BLOCK, Value::Null) => ("deletePublicAccessBlock", json!({})),
        (ENCRYPTION, Value::Null) => ("deleteBucketEncryption", json!({})),
        (POLICY, Value::Null) => ("deleteBucketPolicy", json!({})),
        (BLOCK, v) => (
            "putPublicAccessBlock",
            json!({"PublicAccessBlockConfiguration": v}),
        ),
        (ENCRYPTION, v) => (
            "putBucketEncryption",
            json!({"ServerSideEncryptionConfiguration": v}),
        ),
        (POLICY, v) => ("putBucketPolicy", json!({"Policy": v.to_string()})),
        (other, _) => panic!("{other}"),
    };
    UndoCall {
        resource: task(operation),
        arguments: saying(arguments),
        sets: Map::from_iter([(key.to_owned(), value.clone())]),
    }
}

/// A plan that sets these keys, from this image.
fn plan(before: Value, sets: &[(&str, Value, Class)]) -> Plan {
    let mut after = before.clone();
    let mut calls = Vec::new();
    for (key, value, class) in sets {
        let was = after.get(*key).cloned().unwrap_or_default();
        let mut there = puts(key, value);
        if *key == POLICY {
            there.arguments["ConfirmRemoveSelfBucketAccess"] = json!(false);
        }
        calls.push(PlannedCall {
            resource: there.resource,
            arguments: there.arguments,
            class: *class,
            sets: there.sets,
            undo: vec![puts(key, &was)],
        });
        after[*key] = value.clone();
    }
    Plan {
        playbook: "PB-003".into(),
        resource: "arn:aws:s3:::shop-data".into(),
        summary: String::new(),
        calls,
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({"policyIsPublic": false, "cors": false, "replication": false, "keyState": "Enabled"}),
    }
}

fn check_as(plan: &Plan, resource: &Resource, facts: &Value) -> Result<(), Unproven> {
    let claim = Claim {
        run: "run-1",
        resource,
        facts,
        undo: None,
        production: true,
        known: Known::default(),
    };
    prove("AWS::S3::Bucket", plan, &claim).map(drop)
}

fn check(plan: &Plan) -> Result<(), Unproven> {
    check_as(plan, &bucket(), &facts())
}

fn refused(plan: &Plan, says: &str) {
    let no = check(plan).expect_err(says).to_string();
    assert!(no.contains(says), "wanted «{says}», got «{no}»");
}

fn bare() -> Value {
    json!({ACL: ["abc FULL_CONTROL"]})
}

fn whole() -> Plan {
    plan(
        bare(),
        &[
            (BLOCK, flags(&FLAGS), Class::R1),
            (ENCRYPTION, aes(), Class::R1),
        ],
    )
}

#[test]
fn a_bucket_may_be_closed_and_encrypted() {
    check(&whole()).unwrap();
    let half = json!({BLOCK: flags(&FLAGS[..2])});
    check(&plan(half, &[(BLOCK, flags(&FLAGS), Class::R1)])).unwrap();
    let image = json!({ENCRYPTION: aes(), POLICY: policy()});
    let stronger = [
        (ENCRYPTION, kms(KEY), Class::R2),
        (POLICY, with_tls(&policy()), Class::R2),
    ];
    check(&plan(image, &stronger)).unwrap();
    let new = with_tls(&json!({"Version": "2012-10-17", "Statement": []}));
    check(&plan(bare(), &[(POLICY, new, Class::R2)])).unwrap();
}

#[test]
fn a_flag_is_never_taken_off() {
    let image = json!({BLOCK: flags(&["BlockPublicPolicy"])});
    for on in [&["BlockPublicAcls"][..], &FLAGS[..2], &[]] {
        let opened = plan(image.clone(), &[(BLOCK, flags(on), Class::R1)]);
        refused(&opened, "BlockPublicPolicy would be taken off");
    }
    let same = plan(image, &[(BLOCK, flags(&["BlockPublicPolicy"]), Class::R1)]);
    refused(&same, "would add nothing");
    // A flag that is not named is off in S3's eyes.
    let mut part = whole();
    part.calls[0].arguments["PublicAccessBlockConfiguration"] = json!({"BlockPublicAcls": true});
    refused(&part, "replaced as a whole");
    let mut text = whole();
    text.calls[0].arguments["PublicAccessBlockConfiguration"]["BlockPublicAcls"] = json!("true");
    refused(&text, "replaced as a whole");
}

/// The last flag cuts off who reads through an open policy: it is never a gentle step, whatever the plan says.
#[test]
fn cutting_off_who_uses_an_open_policy_is_disruptive() {
    let mut open = policy();
    open["Statement"][0]["Condition"] = Value::Null;
    for (policy, judged, class) in [
        (Some(policy()), json!(false), Class::R1),
        (Some(policy()), json!(true), Class::R2),
        (Some(policy()), Value::Null, Class::R2),
        (Some(open), json!(false), Class::R2),
        (None, json!(true), Class::R1),
    ] {
        let mut image = bare();
        if let Some(policy) = policy {
            image[POLICY] = policy;
        }
        for given in [Class::R1, Class::R2] {
            let mut plan = plan(image.clone(), &[(BLOCK, flags(&FLAGS), given)]);
            plan.facts["policyIsPublic"] = judged.clone();
            assert_eq!(check(&plan).is_ok(), given >= class, "{judged} {given:?}");
        }
        let mut three = plan(image, &[(BLOCK, flags(&FLAGS[..3]), Class::R1)]);
        three.facts["policyIsPublic"] = judged;
        check(&three).unwrap();
    }
}

/// Forms in which everybody is let in: in a list, by exclusion, as a single statement.
#[test]
fn everybody_has_many_names() {
    let allow = |who: Value| {
        let mut statement =
            json!({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::shop-data/*"});
        let fields = statement.as_object_mut().unwrap();
        fields.extend(who.as_object().unwrap().clone());
        statement
    };
    for who in [
        json!({"Principal": "*"}),
        json!({"Principal": {"AWS": "*"}}),
        json!({"Principal": {"AWS": ["111122223333", "*"]}}),
        json!({"NotPrincipal": {"AWS": "111122223333"}}),
    ] {
        for statements in [allow(who.clone()), json!([allow(who.clone())])] {
            let image = json!({POLICY: {"Statement": statements}});
            let gentle = plan(image, &[(BLOCK, flags(&FLAGS), Class::R1)]);
            refused(&gentle, "class R2");
        }
    }
}

#[test]
fn kms_is_never_downgraded_and_a_bucket_key_is_kept() {
    for (before, after, says) in [
        (kms(KEY), aes(), "weaker"),
        (
            kms(KEY),
            kms("arn:aws:kms:us-east-1:444455556666:key/other"),
            "another",
        ),
        (
            kms(KEY),
            encryption(
                json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "aws:kms", "KmsMasterKeyID": KEY}, "BucketKeyEnabled": false}),
            ),
            "bucket key",
        ),
        (
            kms(KEY),
            encryption(
                json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "aws:kms"}, "BucketKeyEnabled": true}),
            ),
            "another",
        ),
        (kms(KEY), kms(KEY), "as it is"),
        (aes(), aes(), "as it is"),
        (
            aes(),
            encryption(json!({"BucketKeyEnabled": false})),
            "weaker",
        ),
        (
            aes(),
            encryption(json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "rot13"}})),
            "not known",
        ),
        (aes(), kms("alias/shop"), "not the one"),
        (
            aes(),
            kms("arn:aws:kms:us-east-1:111122223333:key/evil"),
            "not the one",
        ),
        (
            aes(),
            encryption(
                json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "AES256"}, "BucketKeyEnabled": true}),
            ),
            "bucket key",
        ),
        (aes(), json!({"Rules": []}), "exactly one rule"),
        (
            aes(),
            encryption(
                json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "AES256"}, "More": 1}),
            ),
            "known members",
        ),
    ] {
        let weaker = plan(
            json!({ENCRYPTION: before}),
            &[(ENCRYPTION, after, Class::R2)],
        );
        refused(&weaker, says);
    }
}

#[test]
fn a_key_is_used_only_where_it_is_and_while_it_can_be() {
    let image = json!({ENCRYPTION: aes()});
    let good = plan(image.clone(), &[(ENCRYPTION, kms(KEY), Class::R2)]);
    check(&good).unwrap();
    let gentle = plan(image.clone(), &[(ENCRYPTION, kms(KEY), Class::R1)]);
    refused(&gentle, "class R2");
    let mut disabled = good.clone();
    disabled.facts["keyState"] = json!("PendingDeletion");
    refused(&disabled, "cannot be used");
    let far = "arn:aws:kms:eu-west-1:444455556666:key/far";
    let plan = plan(image, &[(ENCRYPTION, kms(far), Class::R2)]);
    let facts = json!({"kmsKeyArn": far});
    let no = check_as(&plan, &bucket(), &facts).unwrap_err();
    assert!(no.to_string().contains("no key in the bucket's Region"));
    let unasked = check_as(&good, &bucket(), &json!({})).unwrap_err();
    assert!(unasked.to_string().contains("not the one"));
}

#[test]
fn a_kind_of_encryption_that_is_refused_stays_refused() {
    let refusing = |kinds: &[&str]| {
        let mut encryption = aes();
        encryption["Rules"][0]["BlockedEncryptionTypes"] = json!({"EncryptionType": kinds});
        encryption
    };
    let step = |before: Value, after: Value| {
        plan(
            json!({ENCRYPTION: before}),
            &[(ENCRYPTION, after, Class::R2)],
        )
    };
    check(&step(aes(), refusing(&["SSE-C"]))).unwrap();
    check(&step(refusing(&["NONE"]), refusing(&["SSE-C"]))).unwrap();
    refused(&step(refusing(&["SSE-C"]), kms(KEY)), "allowed again");
    refused(&step(aes(), refusing(&["SSE-S3"])), "do not ask");
    let unasked = check_as(&step(aes(), refusing(&["SSE-C"])), &bucket(), &json!({}));
    assert!(unasked.unwrap_err().to_string().contains("do not ask"));
}

#[test]
fn another_bucket_or_another_owner_is_refused() {
    let mut other = whole();
    other.calls[0].arguments["Bucket"] = json!("shop-data-2");
    refused(&other, "may only be \"shop-data\"");
    let mut stranger = whole();
    stranger.calls[1].arguments["ExpectedBucketOwner"] = json!("111122223333");
    refused(&stranger, "may only be \"444455556666\"");
    let mut nobody = whole();
    nobody.calls[1]
        .arguments
        .as_object_mut()
        .unwrap()
        .remove("ExpectedBucketOwner");
    refused(&nobody, "has no ExpectedBucketOwner");
    let unknown = Resource::new(
        "arn:aws:s3:::shop-data".parse().unwrap(),
        "AWS::S3::Bucket",
        "shop-data",
    );
    let no = check_as(&whole(), &unknown, &facts()).unwrap_err();
    assert!(no.to_string().contains("not known which bucket"));
    let mut renamed = bucket();
    renamed.id = "shop".to_owned();
    assert!(check_as(&whole(), &renamed, &facts()).is_err());
}

/// The block of the whole account is about every bucket in it.
#[test]
fn the_account_s_own_block_is_never_changed() {
    for resource in [
        "arn:aws:states:::aws-sdk:s3control:putPublicAccessBlock",
        "arn:aws:states:::aws-sdk:s3control:deletePublicAccessBlock",
    ] {
        let mut plan = whole();
        plan.calls[0].resource = resource.to_owned();
        refused(&plan, "is no call that closes a bucket");
        plan.calls[0].arguments["AccountId"] = json!(OWNER);
        refused(&plan, "is no call that closes a bucket");
    }
}

#[test]
fn other_calls_and_other_arguments_are_refused() {
    for operation in [
        "deleteBucket",
        "putBucketAcl",
        "putBucketTagging",
        "deletePublicAccessBlock",
        "deleteBucketPolicy",
        "deleteBucketEncryption",
        "putObject",
    ] {
        let mut plan = whole();
        plan.calls[0].resource = task(operation);
        refused(&plan, "is no call that closes a bucket");
    }
    let mut more = whole();
    more.calls[0].arguments["ChecksumAlgorithm"] = json!("CRC32");
    refused(&more, "argument «ChecksumAlgorithm»");
}

#[test]
fn a_tampered_way_back_is_refused() {
    let image = json!({BLOCK: flags(&FLAGS[..2]), ENCRYPTION: aes()});
    let good = plan(
        image,
        &[
            (BLOCK, flags(&FLAGS), Class::R1),
            (ENCRYPTION, kms(KEY), Class::R2),
        ],
    );
    check(&good).unwrap();
    let wrong: &[fn(&mut Plan)] = &[
        |p| p.calls[0].undo.clear(),
        |p| p.calls[0].undo = vec![puts(BLOCK, &Value::Null)],
        |p| p.calls[0].undo = vec![puts(BLOCK, &flags(&[]))],
        |p| p.calls[0].undo[0].arguments["Bucket"] = json!("other"),
        |p| p.calls[0].undo[0].arguments["ExpectedBucketOwner"] = json!("111122223333"),
        |p| p.calls[0].undo[0].arguments["PublicAccessBlockConfiguration"] = flags(&[]),
        |p| p.calls[0].undo[0].resource = task("deleteBucket"),
        |p| {
            p.calls[1].undo = vec![puts(
                ENCRYPTION,
                &kms("arn:aws:kms:us-east-1:111122223333:key/evil"),
            )]
        },
        |p| p.calls[1].undo = vec![puts(POLICY, &json!({"Statement": []}))],
        |p| p.after = p.before.clone(),
        |p| p.after["attributes"][ACL] = json!([]),
    ];
    for (n, tamper) in wrong.iter().enumerate() {
        let mut bad = good.clone();
        tamper(&mut bad);
        assert!(check(&bad).is_err(), "{n}");
    }
}

#[test]
fn an_undo_is_what_was_recorded_and_nothing_else() {
    let first = plan(
        json!({POLICY: policy()}),
        &[
            (BLOCK, flags(&FLAGS), Class::R1),
            (ENCRYPTION, aes(), Class::R1),
        ],
    );
    let calls: Vec<UndoCall> = first
        .calls
        .iter()
        .rev()
        .flat_map(|c| c.undo.clone())
        .collect();
    let undo = json!({"before": first.before, "after": first.after, "calls": calls});
    let back = Plan {
        calls: { calls.iter() }
            .map(|call| PlannedCall {
                resource: call.resource.clone(),
                arguments: call.arguments.clone(),
                class: Class::R1,
                sets: call.sets.clone(),
                undo: vec![],
            })
            .collect(),
        before: first.after.clone(),
        after: first.before.clone(),
        ..first
    };
    let (resource, facts) = (bucket(), facts());
    let claim = Claim {
        run: "run-1",
        resource: &resource,
        facts: &facts,
        undo: Some(&undo),
        production: true,
        known: Known::default(),
    };
    prove("AWS::S3::Bucket", &back, &claim).unwrap();
    let wrong: &[fn(&mut Plan)] = &[
        |p| p.calls[0].arguments["Bucket"] = json!("other"),
        |p| p.calls[0].resource = task("deleteBucketPolicy"),
        |p| p.calls.reverse(),
        |p| p.before["attributes"][BLOCK]["BlockPublicAcls"] = json!(false),
    ];
    for (n, tamper) in wrong.iter().enumerate() {
        let mut bad = back.clone();
        tamper(&mut bad);
        assert!(prove("AWS::S3::Bucket", &bad, &claim).is_err(), "{n}");
    }
}

fn asks(before: Value, sets: &[(&str, Value, Class)], facts: &[(&str, Value)]) -> Vec<String> {
    let mut plan = plan(before, sets);
    for (name, value) in facts {
        plan.facts[*name] = value.clone();
    }
    concerns(&plan)
}

#[test]
fn who_else_would_feel_it_is_told() {
    let close = [(BLOCK, flags(&FLAGS), Class::R2)];
    let open = |more: Value| json!({POLICY: {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}, more]}});
    assert_eq!(asks(bare(), &close, &[]), Vec::<String>::new());
    assert_eq!(
        asks(json!({POLICY: policy()}), &close, &[]),
        Vec::<String>::new()
    );
    let cases = [
        (json!({WEBSITE: true}), "web site"),
        (
            json!({ACL: ["http://acs.amazonaws.com/groups/s3/LogDelivery WRITE"]}),
            "logs are delivered",
        ),
        (
            json!({POLICY: {"Statement": {"Effect": "Allow", "Principal": {"Service": ["delivery.logs.amazonaws.com"]}}}}),
            "logs are delivered",
        ),
        (
            open(json!({"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}})),
            "CloudFront",
        ),
        (
            open(
                json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}}),
            ),
            "CloudFront",
        ),
        (
            open(json!({"Effect": "Allow", "Principal": {"AWS": ["111122223333"]}})),
            "1 principals",
        ),
    ];
    for (before, says) in cases {
        let said = asks(before, &close, &[]);
        assert!(
            said.len() == 1 && said[0].contains(says),
            "{says}: {said:?}"
        );
    }
    for unread in [json!(true), Value::Null] {
        assert_eq!(asks(bare(), &close, &[("cors", unread.clone())]).len(), 1);
        let key = [(ENCRYPTION, kms(KEY), Class::R2)];
        assert_eq!(
            asks(json!({ENCRYPTION: aes()}), &key, &[("replication", unread)]).len(),
            1
        );
    }
    let mut none = whole();
    none.before = json!({});
    assert_eq!(concerns(&none).len(), 1);
}

#[path = "bucket_policy_tests.rs"]
mod policies;
#[path = "bucket_property_tests.rs"]
mod properties;
