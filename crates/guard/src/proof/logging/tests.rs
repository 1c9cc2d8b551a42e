use serde_json::{Value, json};

use crate::proof::{Claim, Known, Proof, Unproven, prove};
use quell_model::{Call, Class, Plan, PlannedCall, Resource, UndoCall};

mod detectors;
mod recorders;
mod rules;
mod selecting;
mod trails;

/// One call with what it is said to set: service, operation, arguments, settings.
pub(super) fn call(task: &str, arguments: Value, sets: Value) -> UndoCall {
    UndoCall {
        resource: format!("arn:aws:states:::aws-sdk:{task}"),
        arguments,
        sets: sets.as_object().unwrap().clone(),
    }
}

/// A plan of one call, with what takes it back.
pub(super) fn plan(before: Value, there: UndoCall, back: Option<UndoCall>) -> Plan {
    let mut after = before.clone();
    for (key, value) in &there.sets {
        match value {
            Value::Null => drop(after.as_object_mut().unwrap().remove(key)),
            value => after[key] = value.clone(),
        }
    }
    Plan {
        playbook: "PB-011".to_owned(),
        resource: "arn".to_owned(),
        summary: "record again".to_owned(),
        calls: vec![PlannedCall {
            resource: there.resource,
            arguments: there.arguments,
            class: Class::R1,
            sets: there.sets,
            undo: back.into_iter().collect(),
        }],
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({}),
    }
}

/// Whether a plan about a resource is proven, with what was approved of it.
pub(super) fn check(
    resource: &Resource,
    plan: &Plan,
    approved: Option<&Value>,
) -> Result<Proof, Unproven> {
    let baseline = approved.map(|attributes| json!({"attributes": attributes}));
    let claim = Claim {
        run: "run-1",
        resource,
        facts: &Value::Null,
        undo: None,
        production: true,
        known: Known {
            since: None,
            baseline: baseline.as_ref(),
            ..Known::default()
        },
    };
    prove(&resource.kind, plan, &claim)
}

/// Why it is not.
pub(super) fn why(resource: &Resource, plan: &Plan, approved: Option<&Value>) -> String {
    let found = check(resource, plan, approved);
    found.expect_err("it is proven, and may not be").0
}

#[test]
fn what_stops_or_deletes_is_in_no_plan() {
    for (resource, task, arguments, sets) in [
        (
            trails::trail(),
            "cloudtrail:stopLogging",
            json!({"Name": trails::ARN}),
            json!({"trail/logging": false}),
        ),
        (
            trails::trail(),
            "cloudtrail:deleteTrail",
            json!({"Name": trails::ARN}),
            json!({"trail/logging": null}),
        ),
        (
            recorders::recorder(),
            "config:stopConfigurationRecorder",
            json!({"ConfigurationRecorderName": "default"}),
            json!({"recorder/recording": false}),
        ),
        (
            recorders::recorder(),
            "config:deleteConfigurationRecorder",
            json!({"ConfigurationRecorderName": "default"}),
            json!({"recorder/recording": null}),
        ),
        (
            recorders::recorder(),
            "config:deleteDeliveryChannel",
            json!({"DeliveryChannelName": "default"}),
            json!({"channel": null}),
        ),
        (
            detectors::detector(),
            "guardduty:deleteDetector",
            json!({"DetectorId": "d0a1"}),
            json!({"detector/status": null}),
        ),
        (
            detectors::detector(),
            "guardduty:updateDetector",
            json!({"DetectorId": "d0a1", "Enable": false}),
            json!({"detector/status": "DISABLED"}),
        ),
        (
            detectors::detector(),
            "guardduty:createFilter",
            json!({"DetectorId": "d0a1"}),
            json!({"filter": "x"}),
        ),
    ] {
        let planned = plan(json!({}), call(task, arguments, sets), None);
        why(&resource, &planned, None);
    }
}

#[test]
fn every_call_is_one_of_the_logging_role_s() {
    for task in [
        "cloudtrail:startLogging",
        "config:putDeliveryChannel",
        "guardduty:updateIPSet",
    ] {
        let resource = format!("arn:aws:states:::aws-sdk:{task}");
        let call = Call::of_task(&resource, &json!({})).unwrap();
        assert_eq!(
            crate::Family::of(&call.service, &call.operation),
            crate::Family::Logging
        );
    }
}
