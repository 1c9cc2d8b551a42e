use super::*;

fn rule(id: &str) -> Resource {
    let arn = format!("arn:aws:events:us-east-1:444455556666:rule/{id}");
    Resource::new(arn.parse().unwrap(), "AWS::Events::Rule", id)
}

fn switch(name: &str, on: bool) -> UndoCall {
    let (operation, state) = match on {
        true => ("enableRule", "ENABLED"),
        false => ("disableRule", "DISABLED"),
    };
    call(
        &format!("eventbridge:{operation}"),
        json!({"Name": name}),
        json!({"rule/state": state}),
    )
}

#[test]
fn a_rule_is_switched_on_and_never_off() {
    let off = json!({"rule/state": "DISABLED", "rule/targets": ["q"]});
    let on = json!({"rule/state": "ENABLED", "rule/targets": ["q"]});
    let ours = rule("alarm");
    let right = plan(
        off.clone(),
        switch("alarm", true),
        Some(switch("alarm", false)),
    );
    check(&ours, &right, None).unwrap();
    let reverse = plan(
        on.clone(),
        switch("alarm", false),
        Some(switch("alarm", true)),
    );
    assert!(why(&ours, &reverse, Some(&off)).contains("no call that switches"));
    let needless = plan(on, switch("alarm", true), Some(switch("alarm", false)));
    assert!(why(&ours, &needless, None).contains("no rule that is off"));
    let other = plan(
        off.clone(),
        switch("other", true),
        Some(switch("other", false)),
    );
    assert!(why(&ours, &other, None).contains("may only be"));
    let mut bus = right;
    bus.calls[0].arguments["EventBusName"] = json!("theirs");
    assert!(why(&ours, &bus, None).contains("no such call needs"));
    let there = plan(
        off.clone(),
        switch("bus/alarm", true),
        Some(switch("bus/alarm", false)),
    );
    assert!(why(&rule("bus/alarm"), &there, None).contains("default bus"));
    for (task, arguments) in [
        ("eventbridge:deleteRule", json!({"Name": "alarm"})),
        ("eventbridge:putRule", json!({"Name": "alarm"})),
    ] {
        let planted = plan(
            off.clone(),
            call(task, arguments, json!({"rule/state": "ENABLED"})),
            None,
        );
        why(&ours, &planted, None);
    }
}
