use super::*;

pub(super) fn detector() -> Resource {
    let arn = "arn:aws:guardduty:us-east-1:444455556666:detector/d0a1";
    Resource::new(arn.parse().unwrap(), "AWS::GuardDuty::Detector", "d0a1")
}

fn live() -> Value {
    json!({"detector/status": "ENABLED", "detector/frequency": "SIX_HOURS", "feature/S3": "DISABLED", "feature/RUNTIME": "ENABLED",
        "feature/RUNTIME/EC2": "DISABLED", "trusted/theirs": "ACTIVE", "trusted/old": "INACTIVE"})
}

fn with(mut image: Value, key: &str, value: &str) -> Value {
    image[key] = json!(value);
    image
}

fn update(more: Value, sets: Value) -> UndoCall {
    let mut arguments = more;
    arguments["DetectorId"] = json!("d0a1");
    call("guardduty:updateDetector", arguments, sets)
}

fn feature(name: &str, status: &str) -> UndoCall {
    update(
        json!({"Features": [{"Name": name, "Status": status}]}),
        json!({format!("feature/{name}"): status}),
    )
}

fn trust(id: &str, on: bool) -> UndoCall {
    let status = if on { "ACTIVE" } else { "INACTIVE" };
    call(
        "guardduty:updateIPSet",
        json!({"DetectorId": "d0a1", "IpSetId": id, "Activate": on}),
        json!({format!("trusted/{id}"): status}),
    )
}

#[test]
fn it_is_switched_on_and_never_off() {
    let on = update(
        json!({"Enable": true}),
        json!({"detector/status": "ENABLED"}),
    );
    let off = update(
        json!({"Enable": false}),
        json!({"detector/status": "DISABLED"}),
    );
    let disabled = with(live(), "detector/status", "DISABLED");
    check(
        &detector(),
        &plan(disabled.clone(), on.clone(), Some(off.clone())),
        None,
    )
    .unwrap();
    why(
        &detector(),
        &plan(live(), off.clone(), Some(on.clone())),
        Some(&disabled),
    );
    assert!(
        why(
            &detector(),
            &plan(live(), on.clone(), Some(on.clone())),
            None
        )
        .contains("already")
    );
    let mut elsewhere = on;
    elsewhere.arguments["DetectorId"] = json!("other");
    why(&detector(), &plan(disabled, elsewhere, Some(off)), None);
}

#[test]
fn features_are_switched_on_and_never_off() {
    let on = plan(
        live(),
        feature("S3", "ENABLED"),
        Some(feature("S3", "DISABLED")),
    );
    check(&detector(), &on, None).unwrap();
    check(
        &detector(),
        &on,
        Some(&with(live(), "feature/S3", "ENABLED")),
    )
    .unwrap();
    assert!(why(&detector(), &on, Some(&live())).contains("nobody approved"));
    let off = plan(
        live(),
        feature("RUNTIME", "DISABLED"),
        Some(feature("RUNTIME", "ENABLED")),
    );
    assert!(
        why(
            &detector(),
            &off,
            Some(&with(live(), "feature/RUNTIME", "DISABLED"))
        )
        .contains("switched off")
    );
    let unknown = plan(
        live(),
        feature("NEW", "ENABLED"),
        Some(feature("NEW", "DISABLED")),
    );
    why(&detector(), &unknown, None);
    let part = |status: &str| {
        let features = json!({"Features": [{"Name": "RUNTIME", "Status": "ENABLED", "AdditionalConfiguration": [{"Name": "EC2", "Status": status}]}]});
        update(
            features,
            json!({"feature/RUNTIME": "ENABLED", "feature/RUNTIME/EC2": status}),
        )
    };
    check(
        &detector(),
        &plan(live(), part("ENABLED"), Some(part("DISABLED"))),
        None,
    )
    .unwrap();
    let on_already = with(live(), "feature/RUNTIME/EC2", "ENABLED");
    why(
        &detector(),
        &plan(on_already, part("DISABLED"), Some(part("ENABLED"))),
        None,
    );
}

#[test]
fn how_often_findings_are_sent_is_approved() {
    let often = |value: &str| {
        update(
            json!({"FindingPublishingFrequency": value}),
            json!({"detector/frequency": value}),
        )
    };
    let planned = plan(live(), often("FIFTEEN_MINUTES"), Some(often("SIX_HOURS")));
    check(
        &detector(),
        &planned,
        Some(&with(live(), "detector/frequency", "FIFTEEN_MINUTES")),
    )
    .unwrap();
    why(&detector(), &planned, Some(&live()));
    why(&detector(), &planned, None);
}

#[test]
fn a_list_is_trusted_no_more_unless_somebody_approved_it() {
    let mut planned = plan(live(), trust("theirs", false), Some(trust("theirs", true)));
    assert!(why(&detector(), &planned, None).contains("class R2"));
    planned.calls[0].class = Class::R2;
    check(&detector(), &planned, None).unwrap();
    assert!(why(&detector(), &planned, Some(&live())).contains("somebody approved"));
    let mut on = plan(live(), trust("old", true), Some(trust("old", false)));
    on.calls[0].class = Class::R2;
    why(
        &detector(),
        &on,
        Some(&with(live(), "trusted/old", "ACTIVE")),
    );
    let mut widened = planned;
    widened.calls[0].arguments["Location"] = json!("s3://theirs/list");
    why(&detector(), &widened, None);
}
