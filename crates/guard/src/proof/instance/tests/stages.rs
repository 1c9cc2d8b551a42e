use super::*;

#[test]
fn each_stage_is_proven_and_only_the_cutting_off_is_felt_by_others() {
    for stage in [protect(), seal(), isolate(), deny()] {
        check(&stage).unwrap();
        assert_eq!(concerns(&stage), Vec::<String>::new());
    }
    let mut unknown = isolate();
    unknown.facts = json!({});
    assert_eq!(concerns(&unknown).len(), 1);
}

#[test]
fn evidence_is_about_this_instance_and_protects_it() {
    all_refused(
        &protect(),
        vec![
            ("about i-other", |p| {
                p.calls[1].arguments["InstanceId"] = json!("i-other")
            }),
            ("would not protect it", |p| {
                p.calls[1].arguments["DisableApiTermination"]["Value"] = json!(false);
                p.calls[1].sets["attribute/disableApiTermination"] = json!(false);
            }),
            ("would not protect it", |p| {
                p.calls[3].arguments["InstanceInitiatedShutdownBehavior"]["Value"] =
                    json!("terminate");
                p.calls[3].sets["attribute/instanceInitiatedShutdownBehavior"] = json!("terminate");
            }),
            ("one attribute in each call", |p| {
                p.calls[1].arguments["DisableApiStop"] = json!({"Value": true})
            }),
            ("not for a playbook", |p| {
                p.calls[1].arguments = json!({"InstanceId": I, "UserData": {"Value": "x"}})
            }),
            ("would go with the instance", |p| {
                p.calls[4].arguments["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"] =
                    json!(true)
            }),
            ("more than its disk's end", |p| {
                p.calls[4].arguments["BlockDeviceMappings"][0]["Ebs"]["VolumeId"] = json!("vol-9")
            }),
            ("no device", |p| {
                p.calls[4].arguments["BlockDeviceMappings"][0]["DeviceName"] = json!("/dev/none")
            }),
            ("InstanceSpecification is", |p| {
                p.calls[6].arguments["InstanceSpecification"]["ExcludeBootVolume"] = json!(true)
            }),
            ("InstanceSpecification is", |p| {
                p.calls[6].arguments["InstanceSpecification"]["InstanceId"] = json!("i-other")
            }),
            ("not tagged as made by this run", |p| {
                p.calls[6].arguments["TagSpecifications"][0]["Tags"][1]["Value"] = json!("run-2")
            }),
            ("not a key of Quell's", |p| {
                p.calls[0].arguments["Tags"][0]["Key"] = json!("owner")
            }),
            ("is about i-other", |p| {
                p.calls[0].arguments["Resources"][0] = json!("i-other")
            }),
            ("is said to set", |p| {
                p.calls[6].sets["snapshot/vol-1"] = json!("somebody's")
            }),
            ("is kept, and has a way back", |p| {
                p.calls[6].undo = p.calls[1].undo.clone()
            }),
            ("does not bring back", |p| p.calls[1].undo.clear()),
            ("nothing that is done to an instance", |p| {
                p.calls[1].resource = "arn:aws:states:::aws-sdk:ec2:terminateInstances".into()
            }),
            ("nothing that is done to an instance", |p| {
                p.calls[1].resource = "arn:aws:states:::aws-sdk:ec2:deleteSnapshot".into()
            }),
            ("no name for a group", |p| {
                p.calls[7].arguments["GroupName"] = json!("web")
            }),
            ("VpcId is", |p| {
                p.calls[7].arguments["VpcId"] = json!("vpc-2")
            }),
            ("several VPCs", |p| {
                p.before["attributes"]["eni/eni-2/vpc"] = json!("vpc-2")
            }),
        ],
    );
}

/// ModifyInstanceAttribute.Groups fails with several interfaces, and says nothing of the others with one.
#[test]
fn trap_groups_of_an_instance_are_never_set_through_the_instance() {
    let mut bad = isolate();
    bad.calls[4] = call(
        "ec2:modifyInstanceAttribute",
        json!({"InstanceId": I, "Groups": ["sg-q"]}),
        Class::R2,
        json!({"eni/eni-1/groups": ["sg-q"]}),
        bad.calls[4].undo.clone(),
    );
    reckon(&mut bad);
    refused("Groups of an instance is not for a playbook to set", &bad);
}

/// A new group lets everything out over IPv4, and over IPv6 where the VPC has it.
#[test]
fn trap_a_new_group_is_open_outwards_over_both_families() {
    all_refused(
        &seal(),
        vec![
            ("rules of sg-q would stay", |p| {
                p.calls[1].arguments["SecurityGroupRuleIds"] = json!(["sgr-4"])
            }),
            ("rules of sg-q would stay", |p| {
                p.calls[1].arguments["SecurityGroupRuleIds"] = json!(["sgr-6"])
            }),
            ("are not its own", |p| {
                p.calls[1].arguments["SecurityGroupRuleIds"] = json!(["sgr-4", "sgr-6", "sgr-prod"])
            }),
        ],
    );
}

/// Whoever makes a group chooses its name, and its tags.
#[test]
fn trap_a_group_is_never_trusted_by_its_name() {
    all_refused(
        &seal(),
        vec![
            ("no group that this run made", |p| {
                p.calls[1].arguments["GroupId"] = json!("sg-prod")
            }),
            ("a rule that no new group has", |p| {
                p.facts["fresh"]["rules"][0]["IsEgress"] = json!(false)
            }),
            ("a rule that no new group has", |p| {
                p.facts["fresh"]["rules"][0]["CidrIpv4"] = json!("203.0.113.0/24")
            }),
            ("a rule that no new group has", |p| {
                p.facts["fresh"]["rules"][0]["IpProtocol"] = json!("tcp")
            }),
            ("a rule that no new group has", |p| {
                p.facts["fresh"]["rules"][1]["PrefixListId"] = json!("pl-1")
            }),
            ("is in use", |p| {
                p.before["attributes"]["eni/eni-2/groups"] = json!(["sg-q"])
            }),
            ("no snapshot that this run took", |p| {
                p.calls[0].arguments["SnapshotId"] = json!("snap-9")
            }),
            ("LockMode is", |p| {
                p.calls[0].arguments["LockMode"] = json!("compliance")
            }),
            ("a lock lasts", |p| {
                p.calls[0].arguments["LockDuration"] = json!(36_500)
            }),
        ],
    );
    all_refused(
        &isolate(),
        vec![
            // It is called as ours are, and has rules: the image knows no such quarantine.
            ("no rules at all", |p| {
                drop(
                    p.before["attributes"]
                        .as_object_mut()
                        .unwrap()
                        .remove("quarantine/sg-q"),
                )
            }),
            ("no rules at all", |p| {
                p.before["attributes"]["quarantine/sg-q"] = json!("vpc-2")
            }),
            ("no rules at all", |p| {
                p.calls[5].arguments["Groups"] = json!(["sg-web"]);
                p.calls[5].sets["eni/eni-2/groups"] = json!(["sg-web"]);
            }),
            ("no rules at all", |p| {
                p.calls[5].arguments["Groups"] = json!(["sg-q", "sg-web"]);
                p.calls[5].sets["eni/eni-2/groups"] = json!(["sg-q", "sg-web"]);
            }),
        ],
    );
}

/// What is left out is a way out: nothing is called isolated that is not proven to be.
#[test]
fn trap_isolated_means_every_interface_and_no_way_in_or_out() {
    all_refused(
        &isolate(),
        vec![
            ("eni-2 would not be isolated", |p| drop(p.calls.remove(5))),
            ("«address/eipalloc-1» still there", |p| {
                drop(p.calls.remove(3))
            }),
            ("«load-balancer/old» still there", |p| {
                drop(p.calls.remove(2))
            }),
            ("still there", |p| drop(p.calls.remove(1))),
            ("«scaling-group» still there", |p| drop(p.calls.remove(0))),
            ("before there is a snapshot of vol-2", |p| {
                drop(
                    p.before["attributes"]
                        .as_object_mut()
                        .unwrap()
                        .remove("snapshot/vol-2"),
                )
            }),
            ("no interface of this instance", |p| {
                p.calls[4].arguments["NetworkInterfaceId"] = json!("eni-9")
            }),
            ("no elastic address of this instance", |p| {
                p.calls[3].arguments["AssociationId"] = json!("eipassoc-9")
            }),
            ("ShouldDecrementDesiredCapacity is true", |p| {
                p.calls[0].arguments["ShouldDecrementDesiredCapacity"] = json!(true)
            }),
            ("is about i-other", |p| {
                p.calls[0].arguments["InstanceIds"] = json!(["i-other"])
            }),
            ("has to name one instance", |p| {
                p.calls[0].arguments["InstanceIds"] = json!([I, "i-other"])
            }),
            ("serves in no «target/other»", |p| {
                p.facts["serves"] = json!(["target/other"]);
            }),
            ("serves in no «eni/eni-1/groups»", |p| {
                p.facts["serves"] = json!(["eni/eni-1/groups"]);
            }),
            ("is said to set", |p| {
                p.facts["serves"] = json!(["load-balancer/old"]);
            }),
            ("not in the Auto Scaling group", |p| {
                p.calls[0].arguments["AutoScalingGroupName"] = json!("other")
            }),
            ("no target that this instance is", |p| {
                p.calls[1].arguments["Targets"][0]["Id"] = json!("i-other")
            }),
            ("not those that are registered", |p| {
                p.calls[1].arguments["Targets"][0]["Port"] = json!(81)
            }),
            ("Instances is", |p| {
                p.calls[2].arguments["Instances"] = json!([{"InstanceId": "i-other"}])
            }),
            ("class R2 at least", |p| p.calls[4].class = Class::R1),
            ("managed by an AWS service", |p| {
                p.before["attributes"]["eni/eni-2/requesterManaged"] = json!(true)
            }),
            ("managed by an AWS service", |p| {
                drop(
                    p.before["attributes"]
                        .as_object_mut()
                        .unwrap()
                        .remove("eni/eni-2/requesterManaged"),
                )
            }),
            ("passes on traffic", |p| {
                p.before["attributes"]["eni/eni-1/sourceDestCheck"] = json!(false)
            }),
            ("Quell's own", |p| {
                p.before["attributes"]["profile"]["role"] = json!("QuellAct-Network")
            }),
        ],
    );
}

/// A Deny for the role would stop every instance that works as it.
#[test]
fn trap_only_the_session_of_this_instance_is_denied() {
    all_refused(
        &deny(),
        vec![
            ("not exactly a Deny", |p| policy(p, &session("AROA1:*"))),
            ("not exactly a Deny", |p| {
                policy(p, &session("AROA1:i-other"))
            }),
            ("not exactly a Deny", |p| {
                policy(p, &session(&format!("AROA2:{I}")))
            }),
            ("not exactly a Deny", |p| {
                let mut role_wide = session(&format!("AROA1:{I}"));
                role_wide["Statement"][0]["Condition"] =
                    json!({"DateLessThan": {"aws:TokenIssueTime": "2026-11-21T00:00:00Z"}});
                policy(p, &role_wide);
            }),
            ("not exactly a Deny", |p| {
                let mut all = session(&format!("AROA1:{I}"));
                all["Statement"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("Condition");
                policy(p, &all);
            }),
            ("not exactly a Deny", |p| {
                let mut allow = session(&format!("AROA1:{I}"));
                allow["Statement"][0]["Effect"] = json!("Allow");
                policy(p, &allow);
            }),
            ("works as «app»", |p| {
                p.calls[0].arguments["RoleName"] = json!("admin")
            }),
            ("PolicyName is", |p| {
                p.calls[0].arguments["PolicyName"] = json!("theirs")
            }),
            ("would be overwritten", |p| {
                p.before["attributes"][format!("role/app/inline/QuellSession-{I}")] = json!({})
            }),
            ("has no role", |p| {
                drop(
                    p.before["attributes"]
                        .as_object_mut()
                        .unwrap()
                        .remove("profile"),
                )
            }),
            ("nothing that is done to an instance", |p| {
                p.calls[0].resource = "arn:aws:states:::aws-sdk:iam:deleteRole".into()
            }),
        ],
    );
}

#[test]
fn the_group_is_not_deleted_while_an_interface_is_in_it() {
    let mut bad = seal();
    bad.before["attributes"]["eni/eni-1/groups"] = json!(["sg-q"]);
    reckon(&mut bad);
    refused("is in use", &bad);
}

#[test]
fn a_person_is_asked_when_too_few_would_be_left() {
    let asked = |change: fn(&mut Value)| {
        let mut plan = isolate();
        change(&mut plan.facts["service"]);
        concerns(&plan).join("; ")
    };
    for (says, change) in [
        (
            "left with 1 in service, and needs 2",
            (|s| s["scalingGroup"] = json!({"inService": 2, "minSize": 1, "desired": 3}))
                as fn(&mut Value),
        ),
        ("left with 2 in service, and needs 3", |s| {
            s["scalingGroup"] = json!({"inService": 3, "minSize": 3, "desired": 3})
        }),
        ("not known how many its Auto Scaling group", |s| {
            s["scalingGroup"] = json!({"name": "web"})
        }),
        ("«web» has 1 healthy", |s| {
            s["targets"][0]["healthy"] = json!(1)
        }),
        ("«old» has 1 registered", |s| {
            s["loadBalancers"][0]["registered"] = json!(1)
        }),
        ("not known how many «", |s| {
            s["targets"][0] = json!({"name": "web"})
        }),
        ("node of a cluster", |s| {
            s["clusters"] = json!(["eks: prod"])
        }),
    ] {
        assert!(asked(change).contains(says), "{says}: {}", asked(change));
    }
}
