use super::*;

pub(super) const ARN: &str = "arn:aws:cloudtrail:us-east-1:444455556666:trail/main";

pub(super) fn trail() -> Resource {
    Resource::new(ARN.parse().unwrap(), "AWS::CloudTrail::Trail", "main")
}

fn live() -> Value {
    json!({"trail/bucket": "logs", "trail/global-events": true, "trail/multi-region": true, "trail/validation": true,
        "trail/organization": false, "trail/logging": true,
        "trail/selectors": {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]}})
}

fn with(mut image: Value, key: &str, value: Value) -> Value {
    image[key] = value;
    image
}

fn start() -> UndoCall {
    call(
        "cloudtrail:startLogging",
        json!({"Name": ARN}),
        json!({"trail/logging": true}),
    )
}

fn stop() -> UndoCall {
    call(
        "cloudtrail:stopLogging",
        json!({"Name": ARN}),
        json!({"trail/logging": false}),
    )
}

fn update(argument: &str, key: &str, value: Value) -> UndoCall {
    let given = if value.is_null() {
        json!("")
    } else {
        value.clone()
    };
    call(
        "cloudtrail:updateTrail",
        json!({"Name": ARN, argument: given}),
        json!({key: value}),
    )
}

/// One setting goes from what is there to a value.
fn set(before: Value, argument: &str, key: &str, value: Value) -> Plan {
    let was = before.get(key).cloned().unwrap_or_default();
    plan(
        before,
        update(argument, key, value),
        Some(update(argument, key, was)),
    )
}

#[test]
fn logging_goes_on_and_the_way_back_is_off() {
    let off = with(live(), "trail/logging", json!(false));
    check(&trail(), &plan(off.clone(), start(), Some(stop())), None).unwrap();
    assert!(
        why(&trail(), &plan(live(), start(), Some(stop())), None).contains("no trail that is off")
    );
    assert!(why(&trail(), &plan(off.clone(), start(), None), None).contains("does not bring back"));
    let mut elsewhere = start();
    elsewhere.arguments["Name"] = json!("arn:aws:cloudtrail:us-east-1:444455556666:trail/other");
    assert!(
        why(&trail(), &plan(off.clone(), elsewhere, Some(stop())), None).contains("may only be")
    );
    let mut by_name = start();
    by_name.arguments["Name"] = json!("main");
    why(&trail(), &plan(off, by_name, Some(stop())), None);
}

#[test]
fn nothing_is_delivered_to_where_nobody_approved() {
    let moved = with(live(), "trail/bucket", json!("theirs"));
    let back = set(moved.clone(), "S3BucketName", "trail/bucket", json!("logs"));
    check(&trail(), &back, Some(&live())).unwrap();
    assert!(why(&trail(), &back, None).contains("nobody approved"));
    for (argument, key) in [
        ("S3BucketName", "trail/bucket"),
        ("S3KeyPrefix", "trail/prefix"),
        ("SnsTopicName", "trail/topic"),
        ("CloudWatchLogsLogGroupArn", "trail/log-group"),
        ("CloudWatchLogsRoleArn", "trail/log-role"),
        ("KmsKeyId", "trail/key"),
    ] {
        let planned = set(live(), argument, key, json!("evil"));
        assert!(
            why(&trail(), &planned, Some(&live())).contains("nobody approved"),
            "{argument}"
        );
        assert!(
            why(&trail(), &planned, None).contains("nobody approved"),
            "{argument}"
        );
        // What was added is taken away only when somebody approved that it is not there.
        let added = with(live(), key, json!("evil"));
        if key != "trail/bucket" {
            let away = set(added, argument, key, Value::Null);
            check(&trail(), &away, Some(&live())).unwrap();
            why(&trail(), &away, None);
        }
    }
}

#[test]
fn a_switch_goes_on_and_never_off() {
    for (argument, key) in [
        ("IncludeGlobalServiceEvents", "trail/global-events"),
        ("IsMultiRegionTrail", "trail/multi-region"),
        ("EnableLogFileValidation", "trail/validation"),
    ] {
        let off = with(live(), key, json!(false));
        check(
            &trail(),
            &set(off.clone(), argument, key, json!(true)),
            None,
        )
        .unwrap();
        check(
            &trail(),
            &set(off.clone(), argument, key, json!(true)),
            Some(&live()),
        )
        .unwrap();
        why(&trail(), &set(live(), argument, key, json!(false)), None);
        assert!(
            why(
                &trail(),
                &set(live(), argument, key, json!(false)),
                Some(&off)
            )
            .contains("switched off")
        );
        why(
            &trail(),
            &set(off.clone(), argument, key, json!(true)),
            Some(&off),
        );
    }
    let theirs = set(
        live(),
        "IsOrganizationTrail",
        "trail/organization",
        json!(true),
    );
    assert!(why(&trail(), &theirs, Some(&live())).contains("may not set"));
}

#[test]
fn a_trail_of_the_organisation_is_changed_when_a_person_agrees() {
    let ours = with(live(), "trail/organization", json!(true));
    let off = with(ours.clone(), "trail/logging", json!(false));
    let started = check(&trail(), &plan(off, start(), Some(stop())), None).unwrap();
    assert!(started.concerns.is_empty());
    let moved = with(ours.clone(), "trail/bucket", json!("theirs"));
    let back = set(moved, "S3BucketName", "trail/bucket", json!("logs"));
    assert_eq!(
        check(&trail(), &back, Some(&ours)).unwrap().concerns.len(),
        1
    );
}

fn selecting(before: &Value, now: Value) -> Plan {
    let put = |kinds: &Value| {
        let mut arguments = kinds.clone();
        arguments["TrailName"] = json!(ARN);
        call(
            "cloudtrail:putEventSelectors",
            arguments,
            json!({"trail/selectors": kinds}),
        )
    };
    let before = with(live(), "trail/selectors", before.clone());
    let was = before["trail/selectors"].clone();
    plan(before, put(&now), Some(put(&was)))
}

#[test]
fn selectors_are_widened_or_become_what_was_approved() {
    let all = live()["trail/selectors"].clone();
    let reads =
        json!({"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true}]});
    let advanced = json!({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]});
    check(&trail(), &selecting(&reads, all.clone()), None).unwrap();
    check(&trail(), &selecting(&reads, advanced.clone()), None).unwrap();
    assert!(why(&trail(), &selecting(&all, reads.clone()), None).contains("not certain"));
    assert!(
        why(
            &trail(),
            &selecting(&reads, all.clone()),
            Some(&with(live(), "trail/selectors", advanced.clone()))
        )
        .contains("nobody approved")
    );
    check(
        &trail(),
        &selecting(&reads, advanced.clone()),
        Some(&with(live(), "trail/selectors", advanced.clone())),
    )
    .unwrap();
    let both = json!({"EventSelectors": [{}], "AdvancedEventSelectors": advanced["AdvancedEventSelectors"]});
    assert!(why(&trail(), &selecting(&reads, both), None).contains("one kind"));
    why(
        &trail(),
        &selecting(&reads, json!({"EventSelectors": []})),
        None,
    );
    why(&trail(), &selecting(&all, all.clone()), None);
}

fn creation() -> (UndoCall, UndoCall) {
    let made = json!({"trail/bucket": "logs", "trail/global-events": true, "trail/multi-region": true, "trail/validation": true,
        "trail/organization": false, "trail/logging": false, "trail/selectors": live()["trail/selectors"]});
    let arguments = json!({"Name": "main", "S3BucketName": "logs", "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true, "EnableLogFileValidation": true});
    let none: serde_json::Map<_, _> = [
        "bucket",
        "prefix",
        "topic",
        "global-events",
        "multi-region",
        "validation",
        "log-group",
        "log-role",
        "key",
        "organization",
        "logging",
        "selectors",
        "insights",
    ]
    .iter()
    .map(|key| (format!("trail/{key}"), Value::Null))
    .collect();
    (
        call("cloudtrail:createTrail", arguments, made),
        call(
            "cloudtrail:deleteTrail",
            json!({"Name": ARN}),
            Value::Object(none),
        ),
    )
}

#[test]
fn a_deleted_trail_is_made_again_as_it_was_approved_and_in_no_other_way() {
    let (make, remove) = creation();
    let again = plan(json!({}), make.clone(), Some(remove.clone()));
    check(&trail(), &again, Some(&live())).unwrap();
    assert!(why(&trail(), &again, None).contains("nobody approved"));
    let of_all = with(live(), "trail/organization", json!(true));
    assert!(why(&trail(), &again, Some(&of_all)).contains("organisation"));
    let elsewhere = with(live(), "trail/bucket", json!("other"));
    assert!(why(&trail(), &again, Some(&elsewhere)).contains("another than the approved"));
    for (argument, value) in [
        ("S3BucketName", json!("theirs")),
        ("EnableLogFileValidation", json!(false)),
        ("Name", json!("other")),
        ("KmsKeyId", json!("theirs")),
        ("TagsList", json!([])),
    ] {
        let mut other = make.clone();
        other.arguments[argument] = value;
        why(
            &trail(),
            &plan(json!({}), other, Some(remove.clone())),
            Some(&live()),
        );
    }
    // Beside one that is there, and deleted though it was there before.
    why(
        &trail(),
        &plan(json!({"trail/logging": true}), make, Some(remove.clone())),
        Some(&live()),
    );
    let off = with(live(), "trail/logging", json!(false));
    assert!(why(&trail(), &plan(off, start(), Some(remove)), None).contains("does not bring back"));
}

#[test]
fn insights_are_those_that_were_approved() {
    let put = |list: Value| {
        let value = if list == json!([]) {
            Value::Null
        } else {
            list.clone()
        };
        call(
            "cloudtrail:putInsightSelectors",
            json!({"TrailName": ARN, "InsightSelectors": list}),
            json!({"trail/insights": value}),
        )
    };
    let rate = json!([{"InsightType": "ApiCallRateInsight"}]);
    let approved = with(live(), "trail/insights", rate.clone());
    let on = plan(live(), put(rate.clone()), Some(put(json!([]))));
    check(&trail(), &on, Some(&approved)).unwrap();
    why(&trail(), &on, None);
    why(&trail(), &on, Some(&live()));
    let off = plan(approved.clone(), put(json!([])), Some(put(rate)));
    why(&trail(), &off, Some(&live()));
}
