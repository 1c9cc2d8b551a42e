//! Plans that put a policy.

use super::*;

/// What some remediations do: they take every statement for «*» out, with the condition that made it harmless.
#[test]
fn a_conditioned_statement_is_never_deleted_nor_any_other() {
    let change = |change: Change| {
        let mut after = with_tls(&policy());
        change(&mut after);
        plan(json!({POLICY: policy()}), &[(POLICY, after, Class::R2)])
    };
    let wrong: &[(&str, Change)] = &[
        ("rewritten, moved or taken out", |p| {
            drop(p["Statement"].as_array_mut().unwrap().remove(0))
        }),
        ("rewritten, moved or taken out", |p| {
            drop(p["Statement"].as_array_mut().unwrap().remove(1))
        }),
        ("rewritten, moved or taken out", |p| {
            p["Statement"].as_array_mut().unwrap().swap(0, 1)
        }),
        ("rewritten, moved or taken out", |p| {
            drop(
                p["Statement"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("Condition"),
            )
        }),
        ("rewritten, moved or taken out", |p| {
            p["Statement"][1]["Action"] = json!("s3:*")
        }),
        ("one statement longer", |p| {
            p["Version"] = json!("2008-10-17")
        }),
        ("one statement longer", |p| {
            drop(p.as_object_mut().unwrap().remove("Id"))
        }),
        ("no statement", |p| p["Statement"] = json!([])),
    ];
    for (says, tamper) in wrong {
        refused(&change(*tamper), says);
    }
    check(&change(|_| {})).unwrap();
}

/// A refusal that everybody feels, with TLS or without.
#[test]
fn a_deny_that_locks_everybody_out_is_refused() {
    let wrong: &[Change] = &[
        |deny| drop(deny.as_object_mut().unwrap().remove("Condition")),
        |deny| deny["Condition"] = json!({}),
        |deny| deny["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}}),
        |deny| deny["Condition"] = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        |deny| deny["Condition"]["StringLike"] = json!({"aws:userid": "*"}),
        |deny| deny["Effect"] = json!("Allow"),
        |deny| deny["Resource"] = json!("*"),
        |deny| deny["Sid"] = json!("Other"),
        |deny| deny["Principal"] = json!({"AWS": "arn:aws:iam::444455556666:root"}),
        |deny| deny["NotAction"] = json!("s3:GetObject"),
    ];
    for tamper in wrong {
        let mut after = with_tls(&policy());
        tamper(&mut after["Statement"][2]);
        let plan = plan(json!({POLICY: policy()}), &[(POLICY, after, Class::R2)]);
        refused(&plan, "does more than refuse requests without TLS");
    }
}

#[test]
fn a_policy_is_put_only_when_asked_for_and_only_so() {
    let image = json!({POLICY: policy()});
    let good = plan(image.clone(), &[(POLICY, with_tls(&policy()), Class::R2)]);
    let unasked = check_as(&good, &bucket(), &json!({"requireTls": false}));
    assert!(
        unasked
            .unwrap_err()
            .to_string()
            .contains("do not ask for TLS")
    );
    let gentle = plan(image, &[(POLICY, with_tls(&policy()), Class::R1)]);
    refused(&gentle, "class R2");
    let mut sure = good.clone();
    sure.calls[0].arguments["ConfirmRemoveSelfBucketAccess"] = json!(true);
    refused(&sure, "may only be false");
    sure.calls[0]
        .arguments
        .as_object_mut()
        .unwrap()
        .remove("ConfirmRemoveSelfBucketAccess");
    refused(&sure, "has no ConfirmRemoveSelfBucketAccess");
    let twice = with_tls(&with_tls(&policy()));
    let again = plan(
        json!({POLICY: with_tls(&policy())}),
        &[(POLICY, twice, Class::R2)],
    );
    refused(&again, "already");
    let mut long = good;
    long.calls[0].arguments["Policy"] = json!(" ".repeat(20 * 1024) + "{}");
    refused(&long, "S3 takes");
    long.calls[0].arguments["Policy"] = json!("[]");
    refused(&long, "no JSON object");
}
