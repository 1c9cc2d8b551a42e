use super::*;

pub(super) fn recorder() -> Resource {
    let arn = "arn:aws:config:us-east-1:444455556666:configuration-recorder/default";
    Resource::new(
        arn.parse().unwrap(),
        "AWS::Config::ConfigurationRecorder",
        "default",
    )
}

fn group(only: &str, members: Value) -> Value {
    let mut group = json!({"AllSupported": only.starts_with("ALL"), "IncludeGlobalResourceTypes": only.starts_with("ALL"), "RecordingStrategy": {"UseOnly": only}});
    group
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    group
}

fn all() -> Value {
    group("ALL_SUPPORTED_RESOURCE_TYPES", json!({}))
}

fn these(types: &[&str]) -> Value {
    group(
        "INCLUSION_BY_RESOURCE_TYPES",
        json!({"ResourceTypes": types}),
    )
}

fn all_but(types: &[&str]) -> Value {
    group(
        "EXCLUSION_BY_RESOURCE_TYPES",
        json!({"ExclusionByResourceTypes": {"ResourceTypes": types}}),
    )
}

fn channel(bucket: &str) -> Value {
    json!({"Name": "default", "S3BucketName": bucket})
}

fn live() -> Value {
    json!({"recorder/role": "role", "recorder/group": all(), "recorder/recording": true, "channel": channel("logs")})
}

fn with(mut image: Value, key: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(image.as_object_mut().unwrap().remove(key)),
        value => image[key] = value,
    }
    image
}

fn start() -> (UndoCall, UndoCall) {
    let named = json!({"ConfigurationRecorderName": "default"});
    (
        call(
            "config:startConfigurationRecorder",
            named.clone(),
            json!({"recorder/recording": true}),
        ),
        call(
            "config:stopConfigurationRecorder",
            named,
            json!({"recorder/recording": false}),
        ),
    )
}

fn put(role: &str, group: &Value) -> UndoCall {
    let recorder = json!({"Name": "default", "RoleARN": role, "RecordingGroup": group});
    call(
        "config:putConfigurationRecorder",
        json!({"ConfigurationRecorder": recorder}),
        json!({"recorder/role": role, "recorder/group": group}),
    )
}

fn regrouped(now: &Value, then: &Value) -> Plan {
    plan(
        with(live(), "recorder/group", now.clone()),
        put("role", then),
        Some(put("role", now)),
    )
}

#[test]
fn it_is_started_once_there_is_a_channel() {
    let off = with(live(), "recorder/recording", json!(false));
    let (on, back) = start();
    check(
        &recorder(),
        &plan(off.clone(), on.clone(), Some(back.clone())),
        None,
    )
    .unwrap();
    let blind = with(off, "channel", Value::Null);
    assert!(
        why(
            &recorder(),
            &plan(blind, on.clone(), Some(back.clone())),
            None
        )
        .contains("delivery channel")
    );
    why(&recorder(), &plan(live(), on, Some(back)), None);
}

#[test]
fn it_records_more_or_what_was_approved() {
    for (now, then, is_more) in [
        (these(&["a"]), all(), true),
        (all_but(&["a"]), all(), true),
        (these(&["a"]), these(&["a", "b"]), true),
        (all_but(&["a", "b"]), all_but(&["b"]), true),
        (all(), these(&["a"]), false),
        (these(&["a", "b"]), these(&["b"]), false),
        (all_but(&["b"]), all_but(&["a", "b"]), false),
        (these(&["a"]), all_but(&["a"]), false),
        (all_but(&["a"]), these(&["b"]), false),
    ] {
        let planned = regrouped(&now, &then);
        assert_eq!(
            check(&recorder(), &planned, None).is_ok(),
            is_more,
            "{now} {then}"
        );
        check(
            &recorder(),
            &planned,
            Some(&with(live(), "recorder/group", then.clone())),
        )
        .unwrap();
        why(
            &recorder(),
            &planned,
            Some(&with(live(), "recorder/group", json!({"other": true}))),
        );
    }
    let mut fewer = all();
    fewer["IncludeGlobalResourceTypes"] = json!(false);
    why(&recorder(), &regrouped(&all(), &fewer), None);
    let liar = group(
        "ALL_SUPPORTED_RESOURCE_TYPES",
        json!({"AllSupported": false}),
    );
    why(&recorder(), &regrouped(&these(&["a"]), &liar), None);
}

#[test]
fn it_works_as_no_other_role_and_delivers_nowhere_else() {
    let planned = plan(live(), put("theirs", &all()), Some(put("role", &all())));
    assert!(why(&recorder(), &planned, None).contains("nobody approved"));
    assert!(why(&recorder(), &planned, Some(&live())).contains("nobody approved"));
    check(
        &recorder(),
        &planned,
        Some(&with(live(), "recorder/role", json!("theirs"))),
    )
    .unwrap();
    let link = |to: &Value| {
        call(
            "config:putDeliveryChannel",
            json!({"DeliveryChannel": to}),
            json!({"channel": to}),
        )
    };
    let moved = with(live(), "channel", channel("theirs"));
    let back = plan(
        moved.clone(),
        link(&channel("logs")),
        Some(link(&channel("theirs"))),
    );
    check(&recorder(), &back, Some(&live())).unwrap();
    why(&recorder(), &back, None);
    why(&recorder(), &back, Some(&moved));
    let named = with(
        live(),
        "channel",
        json!({"Name": "other", "S3BucketName": "logs"}),
    );
    let beside = plan(
        named.clone(),
        link(&channel("logs")),
        Some(link(&named["channel"])),
    );
    assert!(why(&recorder(), &beside, Some(&live())).contains("only one"));
}

#[test]
fn a_deleted_one_is_made_again_as_it_was_approved() {
    let none = with(json!({}), "channel", channel("logs"));
    let mut make = put("role", &all());
    make.sets
        .insert("recorder/recording".to_owned(), json!(false));
    let gone = json!({"recorder/role": null, "recorder/group": null, "recorder/mode": null, "recorder/recording": null});
    let remove = call(
        "config:deleteConfigurationRecorder",
        json!({"ConfigurationRecorderName": "default"}),
        gone,
    );
    let again = plan(none.clone(), make.clone(), Some(remove.clone()));
    check(&recorder(), &again, Some(&live())).unwrap();
    assert!(why(&recorder(), &again, None).contains("nobody approved"));
    why(
        &recorder(),
        &again,
        Some(&with(live(), "recorder/role", json!("other"))),
    );
    let mut other = make;
    other.arguments["ConfigurationRecorder"]["Name"] = json!("other");
    assert!(
        why(&recorder(), &plan(none, other, Some(remove)), Some(&live()))
            .contains("not the recorder")
    );
}
