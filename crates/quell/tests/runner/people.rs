//! A person has to decide: the branches beside do not wait for that. And how much is under way at once.

use quell::runner::Rest;
use quell_store::{Clock, Kind};
use serde_json::json;

use crate::documents::{CHANGE, READ};
use crate::lab::Lab;

#[tokio::test]
async fn branches_beside_a_question_go_on_and_then_the_run_is_parked() {
    let task = |resource: &str, arguments: serde_json::Value, next: &str| json!({"Type": "Task", "Resource": resource, "Arguments": arguments, "Next": next});
    let document = json!({"QueryLanguage": "JSONata", "StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true,
        "Branches": [
            {"StartAt": "Gate", "States": {
                "Gate": task(READ, json!({"Key": "g", "Mode": "gate"}), "After"),
                "After": {"Type": "Task", "Resource": CHANGE, "Arguments": {"Key": "after"}, "End": true},
            }},
            {"StartAt": "One", "States": {
                "One": task(CHANGE, json!({"Key": "one"}), "Two"),
                "Two": task(READ, json!({"Key": "one"}), "Three"),
                "Three": {"Type": "Task", "Resource": CHANGE, "Arguments": {"Key": "three"}, "End": true},
            }},
        ],
    }}});
    let lab = Lab::new(&[("d", &document)]).await;
    let run = lab.begin("run-1", "d", "a", json!({})).await;
    let process = lab.process().await;
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Parked));
    let keys: Vec<String> = lab.world.look().effects.into_keys().collect();
    assert_eq!(keys, ["one", "three"]);
    let entries = lab.log(&run).await.len();
    // It asks again by itself, and the log does not grow while somebody thinks.
    let wake = lab.state.get(Kind::Wake, "run-1").await.unwrap().unwrap();
    assert_eq!(wake.at.millis_since(lab.clock.now()), 10_000);
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Parked));
    assert_eq!(lab.log(&run).await.len(), entries);
    lab.world.change(|facts| {
        facts.approved.insert("g".to_owned());
    });
    assert_eq!(lab.carry(&process, &run).await, Some(Rest::Ended));
    assert_eq!(lab.stands(&run).await.0, "succeeded");
    assert_eq!(lab.world.look().effects["after"], 1);
    lab.assert_nothing_left().await;
}

#[tokio::test]
async fn many_tasks_of_a_run_are_under_way_at_once_and_never_more_than_its_limit() {
    for (concurrency, want) in [(0, 16), (5, 5), (1, 1)] {
        let items: Vec<u32> = (0..40).collect();
        let document = json!({"QueryLanguage": "JSONata", "StartAt": "M", "States": {"M": {
            "Type": "Map", "Items": items, "MaxConcurrency": concurrency, "End": true,
            "ItemProcessor": {"StartAt": "T", "States": {"T": {
                "Type": "Task", "Resource": CHANGE, "End": true,
                "Arguments": {"Key": "{% 'k' & $string($states.context.Map.Item.Value) %}"},
            }}},
        }}});
        let lab = Lab::new(&[("d", &document)]).await;
        let run = lab.begin("run-1", "d", "a", json!({})).await;
        assert_eq!(
            lab.finish(&lab.process().await, &run).await,
            Some(Rest::Ended)
        );
        let facts = lab.world.look();
        assert_eq!(facts.effects.len(), 40);
        assert_eq!(facts.aloft_max, want);
    }
}
