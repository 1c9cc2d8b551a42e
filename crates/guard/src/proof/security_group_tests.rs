use super::super::Known;
use super::*;
use quell_model::{Class, PlannedCall, UndoCall};
use serde_json::json;

fn group() -> quell_model::Resource {
    quell_model::Resource::security_group("aws", "us-east-1", "111122223333", "sg-1")
}

fn facts() -> Value {
    json!({"criticalPorts": [22, 3389], "exposedShare": 0.05})
}

fn rule(id: &str, source: &str, port: i64) -> Value {
    let key = if source.contains(':') {
        "CidrIpv6"
    } else {
        "CidrIpv4"
    };
    json!({"SecurityGroupRuleId": id, "GroupId": "sg-1", "IsEgress": false, "IpProtocol": "tcp",
           "FromPort": port, "ToPort": port, key: source, "Description": "d"})
}

fn undo_of(rule: &Value) -> UndoCall {
    let mut range = json!({"CidrIp": rule["CidrIpv4"], "Description": rule["Description"]});
    let mut list = "IpRanges";
    if rule.get("CidrIpv6").is_some() {
        range = json!({"CidrIpv6": rule["CidrIpv6"], "Description": rule["Description"]});
        list = "Ipv6Ranges";
    }
    let permission = json!({"IpProtocol": rule["IpProtocol"], "FromPort": rule["FromPort"], "ToPort": rule["ToPort"], list: [range]});
    UndoCall {
        resource: AUTHORIZE.into(),
        arguments: json!({"GroupId": "sg-1", "IpPermissions": [permission]}),
        sets: Map::new(),
    }
}

fn plan(rules: &[Value], revoked: &[&str]) -> Plan {
    let kept: Vec<&Value> = rules
        .iter()
        .filter(|r| !revoked.contains(&r["SecurityGroupRuleId"].as_str().unwrap()))
        .collect();
    let gone = rules
        .iter()
        .filter(|r| revoked.contains(&r["SecurityGroupRuleId"].as_str().unwrap()));
    Plan {
        playbook: "PB-008".into(),
        resource: "arn:aws:ec2:us-east-1:1:security-group/sg-1".into(),
        summary: String::new(),
        calls: vec![PlannedCall {
            resource: REVOKE.into(),
            arguments: json!({"GroupId": "sg-1", "SecurityGroupRuleIds": revoked}),
            class: Class::R1,
            sets: Map::new(),
            undo: gone.map(undo_of).collect(),
        }],
        before: json!({"securityGroupRules": rules}),
        after: json!({"securityGroupRules": kept}),
        facts: json!({"prefixLists": {"pl-1": ["0.0.0.0/1", "128.0.0.0/1"]}}),
    }
}

fn check(plan: &Plan) -> Result<(), Unproven> {
    super::super::prove(
        "AWS::EC2::SecurityGroup",
        plan,
        &Claim {
            run: "run-1",
            resource: &group(),
            facts: &facts(),
            undo: None,
            production: true,
            known: Known::default(),
        },
    )
    .map(drop)
}

fn world() -> Vec<Value> {
    vec![
        rule("sgr-open", "0.0.0.0/0", 22),
        rule("sgr-six", "::/0", 3389),
        rule("sgr-office", "198.51.100.0/24", 22),
        rule("sgr-web", "0.0.0.0/0", 443),
        rule("sgr-inside", "10.0.0.0/8", 22),
        json!({"SecurityGroupRuleId": "sgr-out", "GroupId": "sg-1", "IsEgress": true, "IpProtocol": "-1", "CidrIpv4": "0.0.0.0/0"}),
        json!({"SecurityGroupRuleId": "sgr-ref", "GroupId": "sg-1", "IsEgress": false, "IpProtocol": "-1", "ReferencedGroupInfo": {"GroupId": "sg-2"}}),
    ]
}

#[test]
fn the_right_plan_is_proven() {
    check(&plan(&world(), &["sgr-open", "sgr-six"])).unwrap();
    let halves = [
        rule("a", "0.0.0.0/1", 22),
        rule("b", "128.0.0.0/1", 22),
        rule("c", "17.0.0.0/8", 22),
    ];
    check(&plan(&halves, &["a", "b"])).unwrap();
}

#[test]
fn every_wrong_plan_is_refused() {
    for (revoked, says) in [
        (vec!["sgr-open"], "3389 would still be open"),
        (
            vec!["sgr-open", "sgr-six", "sgr-web"],
            "sgr-web does not open",
        ),
        (
            vec!["sgr-open", "sgr-six", "sgr-inside"],
            "sgr-inside does not open",
        ),
        (
            vec!["sgr-open", "sgr-six", "sgr-out"],
            "sgr-out is not an ingress rule",
        ),
        (
            vec!["sgr-open", "sgr-six", "sgr-ref"],
            "sgr-ref is not an ingress rule",
        ),
        (
            vec!["sgr-open", "sgr-six", "sgr-none"],
            "sgr-none is not an ingress rule",
        ),
        (vec![], "names no rule ids"),
    ] {
        let refused = check(&plan(&world(), &revoked)).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
}

/// Each change makes a proven plan wrong.
#[test]
fn a_tampered_plan_is_refused() {
    let good = plan(&world(), &["sgr-open", "sgr-six"]);
    type Change = fn(&mut Plan);
    let changes: Vec<(&str, Change)> = vec![
        ("another group", |p| {
            p.calls[0].arguments["GroupId"] = json!("sg-2")
        }),
        ("argument «IpPermissions»", |p| {
            p.calls[0].arguments["IpPermissions"] = json!([])
        }),
        ("exactly one call", |p| p.calls.push(p.calls[0].clone())),
        ("not the revocation", |p| {
            p.calls[0].resource = "arn:aws:states:::aws-sdk:ec2:deleteSecurityGroup".into()
        }),
        ("less the plan", |p| p.after = p.before.clone()),
        ("no way back", |p| drop(p.calls[0].undo.pop())),
        ("was not there", |p| {
            p.calls[0].undo[0].arguments["IpPermissions"][0]["FromPort"] = json!(0)
        }),
        ("not an authorisation", |p| {
            p.calls[0].undo[0].resource = REVOKE.into()
        }),
        ("of another group", |p| {
            p.before["securityGroupRules"][0]["GroupId"] = json!("sg-2")
        }),
        ("no securityGroupRules", |p| p.before = json!({})),
    ];
    for (says, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let refused = check(&bad).expect_err(says).to_string();
        assert!(refused.contains(says), "wanted «{says}», got «{refused}»");
    }
}

#[test]
fn prefix_lists_and_all_protocols_count() {
    let list = json!({"SecurityGroupRuleId": "l", "GroupId": "sg-1", "IsEgress": false, "IpProtocol": "-1",
                      "FromPort": -1, "ToPort": -1, "PrefixListId": "pl-1"});
    let mut proven = plan(std::slice::from_ref(&list), &["l"]);
    proven.calls[0].undo = vec![UndoCall {
        resource: AUTHORIZE.into(),
        arguments: json!({"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-1"}]}]}),
        sets: Map::new(),
    }];
    check(&proven).unwrap();
}

/// A response that revokes two rules, what was recorded of it, and the plan that takes it back.
fn way_back() -> (Value, Plan) {
    let first = plan(&world(), &["sgr-open", "sgr-six"]);
    let calls: Vec<Value> = first.calls[0].undo.iter().map(|c| json!(c)).collect();
    let undo = json!({"before": first.before, "after": first.after, "calls": calls});
    let mut back = first.clone();
    back.calls = first.calls[0]
        .undo
        .iter()
        .map(|c| PlannedCall {
            resource: c.resource.clone(),
            arguments: c.arguments.clone(),
            class: Class::R1,
            sets: Map::new(),
            undo: vec![],
        })
        .collect();
    back.before = first.after.clone();
    back.after = first.before.clone();
    (undo, back)
}

fn judged(back: &Plan, undo: &Value) -> Result<(), String> {
    let (facts, group) = (facts(), group());
    let claim = Claim {
        run: "run-1",
        resource: &group,
        facts: &facts,
        undo: Some(undo),
        production: true,
        known: Known::default(),
    };
    prove_undo(back, &claim, undo).map_err(|no| no.to_string())
}

#[test]
fn an_undo_is_what_was_recorded_and_nothing_else() {
    let (undo, back) = way_back();
    judged(&back, &undo).unwrap();
    let mut more = back.clone();
    more.calls.push(back.calls[0].clone());
    judged(&more, &undo).unwrap_err();
    let mut drifted = back.clone();
    let stranger = rule("new", "192.0.2.1/32", 22);
    drifted.before["securityGroupRules"]
        .as_array_mut()
        .unwrap()
        .push(stranger);
    let no = judged(&drifted, &undo).unwrap_err();
    assert!(no.contains("not as the run left it"), "{no}");
}

/// An undo that failed half way goes on where it came to; who leaves a call out has to show its rule.
#[test]
fn an_undo_goes_on_where_an_earlier_try_came_to() {
    let (undo, back) = way_back();
    let restored = |id: &str| {
        let rules = undo["before"]["securityGroupRules"].as_array().unwrap();
        let mut rule = rules
            .iter()
            .find(|rule| rule["SecurityGroupRuleId"] == id)
            .unwrap()
            .clone();
        rule["SecurityGroupRuleId"] = json!("sgr-again");
        rule
    };
    let with = |rules: &[Value]| {
        let mut half = back.clone();
        half.calls.remove(0);
        let live = half.before["securityGroupRules"].as_array_mut().unwrap();
        live.extend_from_slice(rules);
        judged(&half, &undo)
    };
    let first = "sgr-open";
    with(&[restored(first)]).unwrap();
    with(&[]).unwrap_err();
    with(&[restored("sgr-six")]).unwrap_err();
    with(&[restored(first), restored(first)]).unwrap_err();
    with(&[restored(first), rule("new", "192.0.2.1/32", 22)]).unwrap_err();
    let mut wider = restored(first);
    wider["CidrIpv4"] = json!("0.0.0.0/1");
    with(&[wider]).unwrap_err();
    let mut all = back.clone();
    let live = all.before["securityGroupRules"].as_array_mut().unwrap();
    live.push(restored(first));
    judged(&all, &undo).unwrap_err();
}
