use super::*;

/// What takes all stages back, as the frame records it.
fn undo_of_all() -> (Plan, Value) {
    let stages = [protect(), seal(), isolate(), deny()];
    let calls = stages.iter().flat_map(|plan| &plan.calls).rev();
    let recorded: Vec<UndoCall> = calls.flat_map(|call| call.undo.clone()).collect();
    let planned = |c: &UndoCall| PlannedCall {
        resource: c.resource.clone(),
        arguments: c.arguments.clone(),
        class: Class::R1,
        sets: c.sets.clone(),
        undo: vec![],
    };
    let mut left = stages[0].before["attributes"].clone();
    for call in stages.iter().flat_map(|plan| &plan.calls) {
        left = with(left, json!(call.sets));
    }
    let recorded_undo =
        json!({"before": stages[0].before, "after": {"attributes": left}, "calls": recorded});
    (
        plan(left, recorded.iter().map(planned).collect(), json!({})),
        recorded_undo,
    )
}

fn check_undo(plan: &Plan, undo: &Value) -> Result<(), Unproven> {
    let resource = resource();
    // Another run: the one that takes back.
    let claim = Claim {
        run: "run-2",
        resource: &resource,
        facts: &Value::Null,
        undo: Some(undo),
        production: true,
        known: crate::proof::Known::default(),
    };
    prove_undo(&Instance, plan, &claim, undo)
}

#[test]
fn all_stages_are_taken_back_together_and_evidence_stays() {
    let (plan, undo) = undo_of_all();
    check_undo(&plan, &undo).unwrap();
    let after = plan.after["attributes"].as_object().unwrap();
    for (key, was) in image().as_object().unwrap() {
        assert_eq!(after.get(key), Some(was), "{key}");
    }
    let mut kept: Vec<&String> = after
        .keys()
        .filter(|key| image().get(key.as_str()).is_none())
        .collect();
    kept.sort_unstable();
    assert_eq!(
        kept,
        [
            "lock/snap-1",
            "made/quell-quarantine-run-1-1",
            "snapshot/vol-1",
            "snapshot/vol-2",
            "tag/quell:incident"
        ]
    );
}

#[test]
fn a_tampered_undo_is_refused() {
    let (good, undo) = undo_of_all();
    let position = |call: &str| {
        good.calls
            .iter()
            .position(|c| c.resource.ends_with(call))
            .unwrap()
    };
    let (groups, associate, delete) = (
        position("modifyNetworkInterfaceAttribute"),
        position("associateAddress"),
        position("deleteSecurityGroup"),
    );
    let tampered = |change: &dyn Fn(&mut Plan)| {
        let mut bad = good.clone();
        change(&mut bad);
        reckon(&mut bad);
        check_undo(&bad, &undo).unwrap_err().to_string()
    };
    assert!(
        tampered(&|p| p.calls[groups].arguments["Groups"] = json!(["sg-open"]))
            .contains("none of the recorded")
    );
    assert!(
        tampered(&|p| p.calls[associate].arguments["AllowReassociation"] = json!(true))
            .contains("none of the recorded")
    );
    assert!(tampered(&|p| p.calls.swap(groups, delete)).contains("or in use"));
    assert!(tampered(&|p| drop(p.calls.remove(associate))).contains("would not be as it was"));
    // Recorded so, it is refused all the same: it may serve another by now.
    let mut recorded = undo.clone();
    recorded["calls"][associate]["arguments"]["AllowReassociation"] = json!(true);
    let mut bad = good.clone();
    bad.calls[associate].arguments["AllowReassociation"] = json!(true);
    assert!(
        check_undo(&bad, &recorded)
            .unwrap_err()
            .to_string()
            .contains("AllowReassociation is true")
    );
    // Somebody else has moved an interface since.
    let mut drifted = good.clone();
    drifted.before["attributes"]["eni/eni-1/groups"] = json!(["sg-theirs"]);
    assert!(
        check_undo(&drifted, &undo)
            .unwrap_err()
            .to_string()
            .contains("changed eni/eni-1/groups since")
    );
}
