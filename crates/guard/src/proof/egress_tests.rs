use super::*;
use crate::proof::Known;
use crate::proof::attributes::{prove_respond, prove_undo};
use quell_model::{PlannedCall, Resource, UndoCall};

const RUN: &str = "run-1";
const INSTANCE: &str = "i-1";

fn task(operation: &str) -> String {
    format!("arn:aws:states:::aws-sdk:ec2:{operation}")
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn call(
    operation: &str,
    arguments: Value,
    class: Class,
    sets: &Value,
    undo: Vec<UndoCall>,
) -> PlannedCall {
    PlannedCall {
        resource: task(operation),
        arguments,
        class,
        sets: map(sets),
        undo,
    }
}

fn back(operation: &str, arguments: Value, sets: &Value) -> UndoCall {
    UndoCall {
        resource: task(operation),
        arguments,
        sets: map(sets),
    }
}

/// Two interfaces. sg-a lets in the web and sg-b's members, and everything out; sg-b lets nothing in, and HTTPS out.
fn image() -> Value {
    json!({
        "eni/eni-1/groups": ["sg-a", "sg-b"], "eni/eni-1/vpc": "vpc-1",
        "eni/eni-1/sourceDestCheck": true, "eni/eni-1/requesterManaged": false,
        "eni/eni-2/groups": ["sg-b"], "eni/eni-2/vpc": "vpc-1",
        "eni/eni-2/sourceDestCheck": true, "eni/eni-2/requesterManaged": false,
        "rules/sg-a/ingress/tcp 443-443 0.0.0.0/0": "web",
        "rules/sg-a/ingress/tcp 22-22 444455556666/sg-b": "",
        "rules/sg-a/egress/all 0.0.0.0/0": "", "rules/sg-a/egress/all ::/0": "",
        "rules/sg-b/egress/tcp 443-443 10.0.0.0/16": "",
    })
}

/// The image with the copies as they are to be.
fn filled() -> Value {
    let mut image = image();
    for (key, value) in [
        ("copy/sg-ca", "sg-a"),
        ("copy/sg-ca/ingress/tcp 443-443 0.0.0.0/0", "web"),
        ("copy/sg-ca/ingress/tcp 22-22 444455556666/sg-b", ""),
        ("copy/sg-ca/egress/tcp 443-443 10.0.0.10/32", "q"),
        ("copy/sg-cb", "sg-b"),
        ("copy/sg-cb/egress/tcp 443-443 10.0.0.10/32", "q"),
    ] {
        image[key] = json!(value);
    }
    image
}

fn declared() -> Value {
    json!({"egress": [
        {"vpc": "vpc-1", "cidrIpv4": "10.0.0.10/32"}, {"vpc": "vpc-1", "cidrIpv4": "192.0.2.1/32"},
        {"vpc": "vpc-1", "cidrIpv6": "2001:db8::1/128"}, {"vpc": "vpc-2", "cidrIpv4": "10.0.0.99/32"},
    ], "scanners": [{"instance": "i-7", "until": "2027-01-01T00:00:00Z", "reason": "ours"}]})
}

fn plan(calls: Vec<PlannedCall>, before: Value, after: Value) -> Plan {
    let copy = |of: &str| json!({"id": "x", "of": of, "vpc": "vpc-1", "name": format!("quell-egress-{RUN}-{of}")});
    Plan {
        playbook: "PB-005".into(),
        resource: "arn".into(),
        summary: String::new(),
        calls,
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({"instance": INSTANCE, "copies": {"sg-ca": copy("sg-a"), "sg-cb": copy("sg-b")}}),
    }
}

fn making() -> Plan {
    let arguments = json!({
        "GroupName": "quell-egress-run-1-sg-a", "VpcId": "vpc-1",
        "Description": "Quell: copy of sg-a with restricted egress",
        "TagSpecifications": [{"ResourceType": "security-group", "Tags": [
            {"Key": "quell:run", "Value": "run-1"}, {"Key": "quell:copy-of", "Value": "sg-a"}]}],
    });
    let sets = json!({"made/quell-egress-run-1-sg-a": "made"});
    let mut after = image();
    after["made/quell-egress-run-1-sg-a"] = json!("made");
    let calls = vec![call(
        "createSecurityGroup",
        arguments,
        Class::R1,
        &sets,
        Vec::new(),
    )];
    plan(calls, image(), after)
}

fn permissions(id: &str, list: Value) -> Value {
    json!({"GroupId": id, "IpPermissions": list})
}

fn filling() -> Plan {
    let everything = json!([
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
    ]);
    let web = |more: &Value| {
        let mut range = json!({"CidrIp": "0.0.0.0/0"});
        range.as_object_mut().unwrap().extend(map(more));
        json!([
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [range]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": "sg-b", "UserId": "444455556666"}]},
        ])
    };
    let proxy = |more: &Value| {
        let mut range = json!({"CidrIp": "10.0.0.10/32"});
        range.as_object_mut().unwrap().extend(map(more));
        json!([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [range]}])
    };
    let close = |id: &str, of: &str| {
        let key = format!("copy/{id}");
        let undo = back(
            "deleteSecurityGroup",
            json!({"GroupId": id}),
            &json!({&key: null}),
        );
        call(
            "revokeSecurityGroupEgress",
            permissions(id, everything.clone()),
            Class::R1,
            &json!({&key: of}),
            vec![undo],
        )
    };
    let out = |id: &str| {
        let key = format!("copy/{id}/egress/tcp 443-443 10.0.0.10/32");
        let undo = back(
            "revokeSecurityGroupEgress",
            permissions(id, proxy(&json!({}))),
            &json!({&key: null}),
        );
        let arguments = permissions(id, proxy(&json!({"Description": "q"})));
        call(
            "authorizeSecurityGroupEgress",
            arguments,
            Class::R1,
            &json!({&key: "q"}),
            vec![undo],
        )
    };
    let keys = [
        "copy/sg-ca/ingress/tcp 443-443 0.0.0.0/0",
        "copy/sg-ca/ingress/tcp 22-22 444455556666/sg-b",
    ];
    let undo = back(
        "revokeSecurityGroupIngress",
        permissions("sg-ca", web(&json!({}))),
        &json!({keys[0]: null, keys[1]: null}),
    );
    let arguments = permissions("sg-ca", web(&json!({"Description": "web"})));
    let ingress = call(
        "authorizeSecurityGroupIngress",
        arguments,
        Class::R1,
        &json!({keys[0]: "web", keys[1]: ""}),
        vec![undo],
    );
    let calls = vec![
        close("sg-ca", "sg-a"),
        ingress,
        out("sg-ca"),
        close("sg-cb", "sg-b"),
        out("sg-cb"),
    ];
    plan(calls, image(), filled())
}

fn putting() -> Plan {
    let put = |eni: &str, new: &Value, was: &Value| {
        let key = format!("eni/{eni}/groups");
        let arguments = |groups: &Value| json!({"NetworkInterfaceId": eni, "Groups": groups});
        let undo = back(
            "modifyNetworkInterfaceAttribute",
            arguments(was),
            &json!({&key: was}),
        );
        call(
            "modifyNetworkInterfaceAttribute",
            arguments(new),
            Class::R2,
            &json!({&key: new}),
            vec![undo],
        )
    };
    let mut after = filled();
    after["eni/eni-1/groups"] = json!(["sg-ca", "sg-cb"]);
    after["eni/eni-2/groups"] = json!(["sg-cb"]);
    let calls = vec![
        put(
            "eni-1",
            &json!(["sg-ca", "sg-cb"]),
            &json!(["sg-a", "sg-b"]),
        ),
        put("eni-2", &json!(["sg-cb"]), &json!(["sg-b"])),
    ];
    plan(calls, filled(), after)
}

fn claim<'a>(resource: &'a Resource, facts: &'a Value, undo: Option<&'a Value>) -> Claim<'a> {
    Claim {
        run: RUN,
        resource,
        facts,
        undo,
        production: true,
        known: Known::default(),
    }
}

fn resource(kind: &str, id: &str) -> Resource {
    let arn = format!("arn:aws:ec2:us-east-1:444455556666:thing/{id}");
    Resource::new(arn.parse().unwrap(), kind, id)
}

fn instance() -> Resource {
    resource("AWS::EC2::Instance", INSTANCE)
}

fn proven(plan: &Plan) -> Result<(), Unproven> {
    prove_respond(&Egress, plan, &claim(&instance(), &declared(), None))
}

#[test]
fn each_stage_is_proven() {
    for plan in [making(), filling(), putting()] {
        assert_eq!(proven(&plan), Ok(()), "{}", plan.calls[0].resource);
    }
}

/// The recorded way back of all stages together.
fn recorded() -> Value {
    let plans = [making(), filling(), putting()];
    let calls = plans.iter().rev().flat_map(|plan| plan.calls.iter().rev());
    let calls: Vec<_> = calls.flat_map(|call| call.undo.clone()).collect();
    json!({"before": plans[0].before, "after": plans[2].after, "calls": calls})
}

#[test]
fn all_that_was_done_is_taken_back_and_nothing_else() {
    let recorded = recorded();
    let calls: Vec<UndoCall> = serde_json::from_value(recorded["calls"].clone()).unwrap();
    let calls = calls.into_iter().map(|c| {
        call(
            "",
            c.arguments,
            Class::R1,
            &Value::Object(c.sets),
            Vec::new(),
        )
        .of(c.resource)
    });
    let before = recorded["after"]["attributes"].clone();
    let undo = plan(calls.collect(), before, image());
    let (instance, declared) = (instance(), declared());
    let claim = claim(&instance, &declared, Some(&recorded));
    assert_eq!(prove_undo(&Egress, &undo, &claim, &recorded), Ok(()));
    let mut other = undo.clone();
    other.calls.last_mut().unwrap().arguments["GroupId"] = json!("sg-a");
    assert!(prove_undo(&Egress, &other, &claim, &recorded).is_err());
}

trait Of {
    fn of(self, resource: String) -> Self;
}

impl Of for PlannedCall {
    fn of(self, resource: String) -> Self {
        Self { resource, ..self }
    }
}

/// Sets a key in an image of a plan and in its predicted state.
fn plant(plan: &mut Plan, key: &str, value: Value) {
    plan.before["attributes"][key] = value.clone();
    plan.after["attributes"][key] = value;
}

fn take(plan: &mut Plan, key: &str) {
    for image in [&mut plan.before, &mut plan.after] {
        image["attributes"].as_object_mut().unwrap().remove(key);
    }
}

type Lie = (&'static str, fn() -> Plan, fn(&mut Plan));

#[test]
fn hostile_plans_are_not() {
    let lies: &[Lie] = &[
        ("a copy of a group that no interface has", making, |p| {
            p.calls[0].arguments["GroupName"] = json!("quell-egress-run-1-sg-x");
        }),
        ("a copy under another run's name", making, |p| {
            p.calls[0].arguments["GroupName"] = json!("quell-egress-run-2-sg-a")
        }),
        ("a copy in another VPC", making, |p| {
            p.calls[0].arguments["VpcId"] = json!("vpc-9")
        }),
        ("a copy without the run's tag", making, |p| {
            p.calls[0].arguments["TagSpecifications"][0]["Tags"][0]["Value"] = json!("run-9");
        }),
        ("a way back for what is kept", making, |p| {
            p.calls[0].undo = vec![back(
                "deleteSecurityGroup",
                json!({"GroupId": "sg-a"}),
                &json!({"made/quell-egress-run-1-sg-a": null}),
            )];
        }),
        ("egress taken from a group in use", filling, |p| {
            p.calls[0].arguments["GroupId"] = json!("sg-a");
            p.facts["copies"]["sg-a"] = p.facts["copies"]["sg-ca"].clone();
        }),
        ("trust by what a group says of itself", filling, |p| {
            p.facts["copies"]["sg-ca"]["name"] = json!("quell-egress-other")
        }),
        ("a copy in the wrong VPC", filling, |p| {
            p.facts["copies"]["sg-ca"]["vpc"] = json!("vpc-2")
        }),
        (
            "more than the egress of a new group is taken out",
            filling,
            |p| {
                p.calls[0].arguments["IpPermissions"][0]["IpRanges"][0]["CidrIp"] =
                    json!("10.0.0.0/8");
            },
        ),
        ("ingress added", filling, |p| {
            p.calls[1].arguments["IpPermissions"][0]["FromPort"] = json!(0);
            p.calls[1].sets = map(
                &json!({"copy/sg-ca/ingress/tcp 0-443 0.0.0.0/0": "web", "copy/sg-ca/ingress/tcp 22-22 444455556666/sg-b": ""}),
            );
        }),
        ("ingress of another group", filling, |p| {
            p.calls[1].arguments["GroupId"] = json!("sg-cb")
        }),
        ("ingress dropped", filling, |p| {
            drop(p.calls.remove(1));
            for key in [
                "copy/sg-ca/ingress/tcp 443-443 0.0.0.0/0",
                "copy/sg-ca/ingress/tcp 22-22 444455556666/sg-b",
            ] {
                p.after["attributes"].as_object_mut().unwrap().remove(key);
            }
        }),
        ("egress that no fact allows", filling, |p| {
            egress_to(p, 2, "sg-ca", "10.0.0.11/32")
        }),
        ("egress of another VPC", filling, |p| {
            egress_to(p, 2, "sg-ca", "10.0.0.99/32")
        }),
        ("egress widened beyond the original's", filling, |p| {
            egress_to(p, 4, "sg-cb", "192.0.2.1/32")
        }),
        ("all of the Internet", filling, |p| {
            egress_to(p, 2, "sg-ca", "0.0.0.0/0")
        }),
        ("ingress of an original widened", filling, |p| {
            p.calls[1].resource = task("authorizeSecurityGroupIngress");
            p.calls[1].arguments["GroupId"] = json!("sg-b");
        }),
        ("filled and put into at once", putting, |p| {
            p.calls.insert(0, filling().calls.remove(0));
            take(p, "copy/sg-ca");
            p.after["attributes"]["copy/sg-ca"] = json!("sg-a");
        }),
        ("a copy that still lets everything out", putting, |p| {
            take(p, "copy/sg-ca")
        }),
        ("a copy that lets everything out over IPv6", putting, |p| {
            plant(p, "copy/sg-ca/egress/all ::/0", json!(""))
        }),
        ("a copy that lets everything out over IPv4", putting, |p| {
            plant(p, "copy/sg-cb/egress/all 0.0.0.0/0", json!(""))
        }),
        ("a copy that lets in more", putting, |p| {
            plant(p, "copy/sg-cb/ingress/tcp 22-22 0.0.0.0/0", json!(""))
        }),
        ("a copy that lets in less", putting, |p| {
            take(p, "copy/sg-ca/ingress/tcp 443-443 0.0.0.0/0")
        }),
        ("a copy of another group", putting, |p| {
            plant(p, "copy/sg-ca", json!("sg-b"))
        }),
        ("one group less", putting, |p| groups(p, &["sg-ca"])),
        ("the groups in another order", putting, |p| {
            groups(p, &["sg-cb", "sg-ca"])
        }),
        ("a group that is no copy", putting, |p| {
            groups(p, &["sg-ca", "sg-open"])
        }),
        ("no group", putting, |p| groups(p, &[])),
        ("somebody else's interface", putting, |p| {
            p.calls[0].arguments["NetworkInterfaceId"] = json!("eni-9");
            p.calls[0].undo[0].arguments["NetworkInterfaceId"] = json!("eni-9");
        }),
        ("another instance", putting, |p| {
            p.facts["instance"] = json!("i-9")
        }),
        ("a host that forwards", putting, |p| {
            plant(p, "eni/eni-1/sourceDestCheck", json!(false))
        }),
        ("a service's interface", putting, |p| {
            plant(p, "eni/eni-2/requesterManaged", json!(true))
        }),
        ("as if it disrupted nothing", putting, |p| {
            p.calls[0].class = Class::R1
        }),
        ("no way back", putting, |p| p.calls[0].undo.clear()),
        ("another way back", putting, |p| {
            p.calls[0].undo[0].arguments["Groups"] = json!(["sg-b", "sg-a"])
        }),
        ("a way back that lies", putting, |p| {
            p.calls[0].undo[0].arguments["Groups"] = json!(["sg-b"]);
            p.calls[0].undo[0].sets = map(&json!({"eni/eni-1/groups": ["sg-b"]}));
        }),
        ("another attribute with it", putting, |p| {
            p.calls[0].arguments["SourceDestCheck"] = json!({"Value": false})
        }),
        ("the instance terminated", putting, |p| {
            p.calls[0] = call(
                "terminateInstances",
                json!({"InstanceIds": [INSTANCE]}),
                Class::R3,
                &json!({"instance/state": "terminated"}),
                Vec::new(),
            );
        }),
        ("the original deleted", putting, |p| {
            p.calls[0] = call(
                "deleteSecurityGroup",
                json!({"GroupId": "sg-a"}),
                Class::R1,
                &json!({"copy/sg-a": null}),
                Vec::new(),
            );
        }),
    ];
    for (name, plan, change) in lies {
        let mut plan = plan();
        change(&mut plan);
        let no = proven(&plan).expect_err(name);
        println!("{name}: {no}");
    }
}

/// A copy is given egress to this place, consistently.
fn egress_to(plan: &mut Plan, call: usize, id: &str, cidr: &str) {
    let old = format!("copy/{id}/egress/tcp 443-443 10.0.0.10/32");
    let new = format!("copy/{id}/egress/tcp 443-443 {cidr}");
    let call = &mut plan.calls[call];
    call.arguments["IpPermissions"][0]["IpRanges"][0]["CidrIp"] = json!(cidr);
    call.undo[0].arguments["IpPermissions"][0]["IpRanges"][0]["CidrIp"] = json!(cidr);
    call.sets = map(&json!({&new: "q"}));
    call.undo[0].sets = map(&json!({&new: null}));
    let after = plan.after["attributes"].as_object_mut().unwrap();
    after.remove(&old);
    after.insert(new, json!("q"));
}

/// The first interface is put into these groups, consistently.
fn groups(plan: &mut Plan, groups: &[&str]) {
    plan.calls[0].arguments["Groups"] = json!(groups);
    plan.calls[0].sets = map(&json!({"eni/eni-1/groups": groups}));
    plan.after["attributes"]["eni/eni-1/groups"] = json!(groups);
}

#[test]
fn an_interface_of_a_run_about_one_is_that_one() {
    let declared = declared();
    let own = resource("AWS::EC2::NetworkInterface", "eni-1");
    let mut plan = putting();
    assert!(prove_respond(&Egress, &plan, &claim(&own, &declared, None)).is_err());
    drop(plan.calls.pop());
    plan.after["attributes"]["eni/eni-2/groups"] = json!(["sg-b"]);
    assert_eq!(
        prove_respond(&Egress, &plan, &claim(&own, &declared, None)),
        Ok(())
    );
}

#[test]
fn a_permission_is_read_as_one_rule_or_not_at_all() {
    for (permission, wanted) in [
        (
            json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
            Some("all 0.0.0.0/0"),
        ),
        (
            json!({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}),
            Some("icmp 8--1 ::/0"),
        ),
        (
            json!({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "PrefixListIds": [{"PrefixListId": "pl-1"}]}),
            Some("tcp 1-2 pl-1"),
        ),
        (
            json!({"IpProtocol": "-1", "FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
            None,
        ),
        (
            json!({"IpProtocol": "tcp", "FromPort": 1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
            None,
        ),
        (
            json!({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "0.0.0.0/0"}]}),
            None,
        ),
        (
            json!({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": "10.0.0.0/8"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}),
            None,
        ),
        (
            json!({"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2}),
            None,
        ),
        (
            json!({"FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}),
            None,
        ),
    ] {
        let read = rule(&permission);
        assert_eq!(
            read.as_ref().map(|(name, _)| name.as_str()),
            wanted,
            "{permission}"
        );
    }
}

#[test]
fn an_outlet_is_wider_or_not() {
    for (outlet, to, wider) in [
        ("all 0.0.0.0/0", "10.0.0.1/32", true),
        ("all 0.0.0.0/0", "2001:db8::1/128", false),
        ("all ::/0", "2001:db8::1/128", true),
        ("tcp 0-65535 10.0.0.0/8", "10.1.0.0/16", true),
        ("tcp 443-443 10.1.0.0/16", "10.0.0.0/8", false),
        ("tcp 80-80 0.0.0.0/0", "10.0.0.1/32", false),
        ("udp 443-443 0.0.0.0/0", "10.0.0.1/32", false),
        ("all 0.0.0.0/0", "pl-1", true),
        ("all ::/0", "pl-1", false),
        ("6 443-443 pl-1", "pl-1", true),
        ("all 10.0.0.0/8", "444455556666/sg-1", false),
        ("", "10.0.0.1/32", false),
    ] {
        assert_eq!(lets_out(outlet, to), wider, "{outlet} → {to}");
    }
}

#[test]
fn a_scanner_of_our_own_is_named_to_who_is_asked() {
    let mut plan = putting();
    assert!(concerns(&plan, &declared()).is_empty());
    plan.facts["instance"] = json!("i-7");
    assert_eq!(concerns(&plan, &declared()).len(), 1);
}
