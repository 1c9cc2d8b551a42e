use super::*;
use crate::declaration::StepFact;
use crate::orders::Budget;
use crate::permit::NotPermitted;
use crate::verdict::{Policies, Question, Verdict};
use quell_model::UndoCall;
use serde_json::{Map, json};

/// What a playbook declares, owned.
pub(crate) struct Declared {
    steps: Vec<StepFact>,
    facts: Value,
    ends: Vec<String>,
}

impl Declared {
    pub(crate) fn declaration(&self) -> Declaration<'_> {
        Declaration {
            playbook: "PB-008",
            version: "1.0.0",
            category: "Policy Violations",
            steps: &self.steps,
            facts: &self.facts,
            containment_hours: self.ends.first().map(|_| 24),
            taken_back_at_end: &self.ends,
        }
    }
}

pub(crate) fn declared() -> Declared {
    let step = |state: &str, class, operation: &str| StepFact {
        document: "respond".into(),
        state: state.into(),
        class,
        service: "ec2".into(),
        operation: operation.into(),
        condition: None,
    };
    Declared {
        steps: vec![
            step("Read", Class::R0, "DescribeSecurityGroups"),
            step("Revoke", Class::R1, "RevokeSecurityGroupIngress"),
        ],
        facts: json!({"criticalPorts": [22], "exposedShare": 0.05, "maxAttachments": 20}),
        ends: Vec::new(),
    }
}

pub(crate) fn resource() -> Resource {
    Resource::security_group("aws", "us-east-1", "444455556666", "sg-1")
}

pub(crate) fn plan() -> Plan {
    let rule = json!({"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": false, "IpProtocol": "tcp",
                      "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"});
    let permission = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
    Plan {
        playbook: "PB-008".into(),
        resource: resource().arn.to_string(),
        summary: "Revoke 1 of 1 ingress rules".into(),
        calls: vec![PlannedCall {
            resource: "arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress".into(),
            arguments: json!({"GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"]}),
            class: Class::R1,
            sets: Map::new(),
            undo: vec![UndoCall {
                resource: "arn:aws:states:::aws-sdk:ec2:authorizeSecurityGroupIngress".into(),
                arguments: json!({"GroupId": "sg-1", "IpPermissions": [permission]}),
                sets: Map::new(),
            }],
        }],
        before: json!({"securityGroupRules": [rule]}),
        after: json!({"securityGroupRules": []}),
        facts: json!({"groupName": "web", "isDefault": false, "attachments": [], "attachmentCount": 0, "wideRange": false}),
    }
}

/// Policies that permit what is declared.
#[derive(Debug)]
pub(crate) struct Declares;

impl Policies for Declares {
    fn judge(&self, question: &Question<'_>) -> Verdict {
        match question.declared {
            true => Verdict::Permit,
            false => Verdict::Forbid {
                reasons: vec!["no policy permits it".into()],
            },
        }
    }
}

/// A budget of which nothing is left.
fn spent() -> &'static [Budget] {
    let budget = Budget {
        of: "account 444455556666".into(),
        call: None,
        left: 0,
    };
    Box::leak(Box::new([budget]))
}

/// A situation in which nothing speaks against a plan.
pub(crate) fn good<'a>(
    run: &'a RunId,
    resource: &'a Resource,
    declared: &'a Declared,
) -> Situation<'a> {
    Situation {
        run,
        resource,
        declaration: declared.declaration(),
        undo: None,
        account_in_scope: true,
        level: Level::AutoWithUndo,
        halted: false,
        place: Place {
            environment: Some("production"),
            ..Place::default()
        },
        cause: Cause::default(),
        orders: Orders {
            policies: &Declares,
            exceptions: Ok(&[]),
            freezes: Ok(&[]),
            budgets: &[],
            pipelines: &[],
        },
        production: true,
        known: Known::default(),
        never_touch: NeverTouch::default(),
        approvals: &[],
        rejection: None,
        refused_before: None,
        requested_by: None,
        comes_back: None,
        caused_by_outsiders: false,
        takes_back: false,
        now: Timestamp::EPOCH,
    }
}

/// What may be changed about a good situation.
struct Changes {
    plan: fn(&mut Plan),
    situation: fn(&mut Situation<'_>),
}

fn said(changes: &Changes) -> String {
    let (declared, resource, run) = (declared(), resource(), "run-1".parse().unwrap());
    let mut plan = plan();
    (changes.plan)(&mut plan);
    let mut situation = good(&run, &resource, &declared);
    (changes.situation)(&mut situation);
    let approval = Approval {
        by: "ann".into(),
        plan_hash: plan.hash(),
        at: Timestamp::default(),
    };
    let approvals = [approval];
    if !situation.approvals.is_empty() {
        situation.approvals = &approvals;
    }
    match decide(&plan, &situation) {
        Decision::Permit(permit) => format!("permit {}", permit.approver()),
        Decision::Ask { reasons, .. } => format!("ask {}", reasons.join("; ")),
        Decision::Refuse { reasons } => format!("refuse {}", reasons.join("; ")),
    }
}

const SAME: fn(&mut Plan) = |_| {};
const AS_IS: fn(&mut Situation<'_>) = |_| {};

#[test]
fn a_good_plan_is_permitted() {
    assert_eq!(
        said(&Changes {
            plan: SAME,
            situation: AS_IS
        }),
        "permit policy:auto"
    );
}

#[test]
fn what_no_approval_can_mend_is_refused_even_with_one() {
    let cases: [(&str, Changes); 9] = [
        (
            "does not declare lambda:Invoke",
            Changes {
                plan: |p| p.calls.push(message("lambda:invoke")),
                situation: AS_IS,
            },
        ),
        (
            "halted",
            Changes {
                plan: SAME,
                situation: |s| s.halted = true,
            },
        ),
        (
            "not in scope",
            Changes {
                plan: SAME,
                situation: |s| s.account_in_scope = false,
            },
        ),
        (
            "the plan is of PB-001",
            Changes {
                plan: |p| p.playbook = "PB-001".into(),
                situation: AS_IS,
            },
        ),
        (
            "the plan is about",
            Changes {
                plan: |p| p.resource = "arn:aws:ec2:us-east-1:1:security-group/sg-2".into(),
                situation: AS_IS,
            },
        ),
        (
            "does not declare ec2:DeleteSecurityGroup",
            Changes {
                plan: |p| {
                    p.calls[0].resource = "arn:aws:states:::aws-sdk:ec2:deleteSecurityGroup".into()
                },
                situation: AS_IS,
            },
        ),
        (
            "does not declare ec2:DescribeSecurityGroups",
            Changes {
                plan: |p| {
                    p.calls[0].resource =
                        "arn:aws:states:::aws-sdk:ec2:describeSecurityGroups".into()
                },
                situation: AS_IS,
            },
        ),
        (
            "is not a resource a playbook may use",
            Changes {
                plan: |p| p.calls[0].resource = "arn:aws:states:::batch:submitJob".into(),
                situation: AS_IS,
            },
        ),
        (
            "no calls",
            Changes {
                plan: |p| p.calls.clear(),
                situation: AS_IS,
            },
        ),
    ];
    for (says, changes) in cases {
        let answer = said(&changes);
        assert!(
            answer.starts_with("refuse") && answer.contains(says),
            "wanted «{says}», got «{answer}»"
        );
        let approved = Changes {
            plan: changes.plan,
            situation: match says {
                "halted" => |s| {
                    s.halted = true;
                    s.approvals = ANY;
                },
                "not in scope" => |s| {
                    s.account_in_scope = false;
                    s.approvals = ANY;
                },
                _ => |s| s.approvals = ANY,
            },
        };
        assert!(said(&approved).starts_with("refuse"), "{says}");
    }
}

/// A call that tells others; the plan takes it for harmless.
fn message(resource: &str) -> PlannedCall {
    PlannedCall {
        resource: format!("arn:aws:states:::{resource}"),
        arguments: json!({"Entries": [{"Source": "quell"}]}),
        class: Class::R0,
        sets: Map::new(),
        undo: Vec::new(),
    }
}

fn declaring(service: &str, operation: &str) -> Declared {
    let mut declared = declared();
    declared.steps.push(StepFact {
        document: "respond".into(),
        state: "Tell".into(),
        class: Class::R3,
        service: service.into(),
        operation: operation.into(),
        condition: None,
    });
    declared
}

#[test]
fn what_an_outsider_can_cause_begins_nothing_but_what_ends_by_itself() {
    let (target, run) = (resource(), "run-1".parse().unwrap());
    let asks = |declared: &Declared, by_outsiders: bool| {
        let situation = Situation {
            level: Level::Auto,
            caused_by_outsiders: by_outsiders,
            ..good(&run, &target, declared)
        };
        match decide(&plan(), &situation) {
            Decision::Ask { reasons, .. } => reasons.iter().any(|r| r.contains("an outsider can")),
            Decision::Permit(_) => false,
            Decision::Refuse { reasons } => panic!("{reasons:?}"),
        }
    };
    let mut declared = declared();
    assert!(!asks(&declared, false));
    assert!(asks(&declared, true), "it has no end");
    declared.ends = vec!["ec2:RevokeSecurityGroupIngress".into()];
    assert!(asks(&declared, true), "what takes it back has none");
    declared.ends = vec!["ec2:AuthorizeSecurityGroupIngress".into()];
    assert!(!asks(&declared, true));
}

/// The trap: a finding more of the same trouble, and the playbook does unasked what somebody has just said no to.
#[test]
fn what_a_person_refused_is_not_done_by_another_run_unasked() {
    let (target, run, declared) = (resource(), "run-2".parse().unwrap(), declared());
    let asks = |requested_by: Option<&str>, refused_before: Option<&str>| {
        let situation = Situation {
            requested_by,
            refused_before,
            ..good(&run, &target, &declared)
        };
        match decide(&plan(), &situation) {
            Decision::Ask { reasons, .. } => reasons.iter().any(|r| r.contains("ann said no")),
            Decision::Permit(_) => false,
            Decision::Refuse { reasons } => panic!("{reasons:?}"),
        }
    };
    let no = Some("ann said no to run-1: a load test");
    assert!(!asks(None, None) && asks(None, no));
    assert!(
        !asks(Some("ann"), no),
        "who asks for it by name has thought again"
    );
}

#[test]
fn telling_others_is_declared_and_a_person_or_the_highest_level_says_yes() {
    for (told, service, operation) in [
        ("sns:publish", "sns", "Publish"),
        ("sqs:sendMessage.waitForTaskToken", "sqs", "SendMessage"),
        ("events:putEvents", "events", "PutEvents"),
        ("aws-sdk:eventbridge:putEvents", "eventbridge", "PutEvents"),
        ("lambda:invoke", "lambda", "Invoke"),
        ("states:startExecution.sync:2", "states", "StartExecution"),
        ("http:invoke", "http", "Invoke"),
    ] {
        let (declared, target) = (declaring(service, operation), resource());
        let run = "run-1".parse().unwrap();
        let mut plan = plan();
        plan.calls.push(message(told));
        let decision = decide(&plan, &good(&run, &target, &declared));
        let Decision::Ask { reasons, .. } = decision else {
            panic!("{told}: {decision:?}");
        };
        assert_eq!(reasons, ["a step is of class R3"], "{told}");
        let auto = Situation {
            level: Level::Auto,
            ..good(&run, &target, &declared)
        };
        let Decision::Permit(permit) = decide(&plan, &auto) else {
            panic!("{told}");
        };
        let call = call_of(&message(told)).unwrap();
        let sent = call.clone().made_by(&Caller::new(&run, "PB-008"));
        let check = |call| permit.check("444455556666", "us-east-1", call, Timestamp::EPOCH);
        check(&sent).unwrap();
        assert_eq!(
            check(&call).is_ok(),
            call == sent,
            "with who sends it, or not at all"
        );
    }
}

#[test]
fn a_plan_that_only_tells_others_is_not_proven() {
    let (declared, target) = (declaring("sns", "Publish"), resource());
    let run = "run-1".parse().unwrap();
    let mut plan = plan();
    plan.calls = vec![message("sns:publish")];
    let decision = decide(&plan, &good(&run, &target, &declared));
    assert!(matches!(decision, Decision::Refuse { .. }), "{decision:?}");
}

/// Replaced by an approval of the very plan.
static ANY: &[Approval] = &[Approval {
    by: String::new(),
    plan_hash: String::new(),
    at: Timestamp::EPOCH,
}];

#[test]
fn what_a_person_may_decide_is_asked_and_done_once_they_said_yes() {
    let cases: [(&str, Changes); 11] = [
        (
            "level here is «suggest»",
            Changes {
                plan: SAME,
                situation: |s| s.level = Level::Suggest,
            },
        ),
        (
            "level here is «approve»",
            Changes {
                plan: SAME,
                situation: |s| s.level = Level::Approve,
            },
        ),
        (
            "1 changes and the budget of account 444455556666 has 0 left",
            Changes {
                plan: SAME,
                situation: |s| s.orders.budgets = spent(),
            },
        ),
        (
            "class R2",
            Changes {
                plan: |p| p.calls[0].class = Class::R2,
                situation: AS_IS,
            },
        ),
        (
            "mostly made by AWS or by Quell",
            Changes {
                plan: |p| p.facts["groupName"] = json!("quell-quarantine"),
                situation: AS_IS,
            },
        ),
        (
            "name is not known",
            Changes {
                plan: |p| drop(p.facts.as_object_mut().unwrap().remove("groupName")),
                situation: AS_IS,
            },
        ),
        (
            "default group",
            Changes {
                plan: |p| {
                    p.facts["isDefault"] = json!(true);
                    p.facts["attachmentCount"] = json!(1);
                },
                situation: AS_IS,
            },
        ),
        (
            "managed by an AWS service",
            Changes {
                plan: |p| p.facts["attachments"] = json!([{"requesterManaged": true}]),
                situation: AS_IS,
            },
        ),
        (
            "21 interfaces",
            Changes {
                plan: |p| p.facts["attachmentCount"] = json!(21),
                situation: AS_IS,
            },
        ),
        (
            "not known what uses",
            Changes {
                plan: |p| drop(p.facts.as_object_mut().unwrap().remove("attachments")),
                situation: AS_IS,
            },
        ),
        (
            "not critical",
            Changes {
                plan: |p| p.facts["wideRange"] = json!(true),
                situation: AS_IS,
            },
        ),
    ];
    for (says, changes) in cases {
        let answer = said(&changes);
        assert!(
            answer.starts_with("ask") && answer.contains(says),
            "wanted «{says}», got «{answer}»"
        );
    }
    let yes = Changes {
        plan: |p| p.facts["wideRange"] = json!(true),
        situation: |s| {
            s.level = Level::Suggest;
            s.approvals = ANY;
        },
    };
    assert_eq!(said(&yes), "permit ann");
    let asked_for = Changes {
        plan: SAME,
        situation: |s| {
            s.level = Level::Suggest;
            s.requested_by = Some("bob");
        },
    };
    assert_eq!(said(&asked_for), "permit bob");
}

#[test]
fn a_yes_to_another_plan_is_no_yes() {
    let (declared, resource, run) = (declared(), resource(), "run-1".parse().unwrap());
    let other = Approval {
        by: "ann".into(),
        plan_hash: "0".repeat(64),
        at: Timestamp::default(),
    };
    let situation = Situation {
        level: Level::Suggest,
        approvals: &[other],
        ..good(&run, &resource, &declared)
    };
    assert!(matches!(decide(&plan(), &situation), Decision::Ask { .. }));
}

#[test]
fn a_permit_covers_its_own_call_there_and_then_and_no_other() {
    let (declared, resource, run) = (declared(), resource(), "run-1".parse().unwrap());
    let situation = good(&run, &resource, &declared);
    let Decision::Permit(permit) = decide(&plan(), &situation) else {
        panic!()
    };
    let call = Call {
        service: "ec2".into(),
        operation: "RevokeSecurityGroupIngress".into(),
        params: json!({"SecurityGroupRuleIds": ["sgr-1"], "GroupId": "sg-1"}),
    };
    let at = Timestamp::from_millis;
    permit
        .check("444455556666", "us-east-1", &call, at(1))
        .unwrap();
    let refused = |account: &str, region: &str, call: &Call, now| {
        permit.check(account, region, call, now).unwrap_err()
    };
    assert!(matches!(
        refused("444455556666", "us-east-1", &call, at(PERMIT_MILLIS)),
        NotPermitted::Expired { .. }
    ));
    assert!(matches!(
        refused("111122223333", "us-east-1", &call, at(1)),
        NotPermitted::Elsewhere { .. }
    ));
    assert!(matches!(
        refused("444455556666", "eu-west-1", &call, at(1)),
        NotPermitted::Elsewhere { .. }
    ));
    let mut wider = call.clone();
    wider.params["SecurityGroupRuleIds"] = json!(["sgr-1", "sgr-2"]);
    assert!(matches!(
        refused("444455556666", "us-east-1", &wider, at(1)),
        NotPermitted::NotInPlan { .. }
    ));
    let mut other = call;
    other.operation = "RevokeSecurityGroupEgress".into();
    assert!(matches!(
        refused("444455556666", "us-east-1", &other, at(1)),
        NotPermitted::NotInPlan { .. }
    ));
}

/// Whose yes to a plan of this class is enough.
fn decided_by(class: Class, level: Level, production: bool, people: &[&str]) -> Decision {
    let (declared, resource, run) = (declared(), resource(), "run-1".parse().unwrap());
    let mut plan = plan();
    plan.calls[0].class = class;
    let yes = |by: &&str| Approval {
        by: (*by).to_owned(),
        plan_hash: plan.hash(),
        at: Timestamp::EPOCH,
    };
    let approvals: Vec<_> = people.iter().map(yes).collect();
    let situation = Situation {
        level,
        production,
        approvals: &approvals,
        requested_by: Some("ann"),
        ..good(&run, &resource, &declared)
    };
    decide(&plan, &situation)
}

#[test]
fn what_disrupts_production_needs_a_person_and_what_is_for_good_needs_two() {
    let permitted = |d: Decision| matches!(d, Decision::Permit(_));
    for level in [Level::Auto, Level::AutoWithUndo] {
        assert!(permitted(decided_by(Class::R1, level, true, &[])));
        assert!(!permitted(decided_by(Class::R2, level, true, &[])));
        assert!(permitted(decided_by(Class::R2, level, true, &["bob"])));
        assert!(!permitted(decided_by(Class::R3, level, false, &["bob"])));
        assert!(permitted(decided_by(
            Class::R3,
            level,
            false,
            &["bob", "eve"]
        )));
    }
    assert!(permitted(decided_by(Class::R2, Level::Auto, false, &[])));
    // The same person twice is one, and whoever asked for the run has no second voice.
    for people in [&["bob", "bob"][..], &["ann", "bob"]] {
        let decision = decided_by(Class::R3, Level::Auto, true, people);
        let Decision::Ask { reasons, .. } = decision else {
            panic!("{decision:?}");
        };
        let last = reasons.last().unwrap();
        assert_eq!(last, "2 persons have to say yes, and 1 did");
    }
    assert!(!permitted(decided_by(
        Class::R2,
        Level::Auto,
        true,
        &["ann"]
    )));
}

#[test]
fn a_yes_gets_old_and_a_no_stands() {
    let (declared, resource, run) = (declared(), resource(), "run-1".parse().unwrap());
    let yes = [Approval {
        by: "ann".into(),
        plan_hash: plan().hash(),
        at: Timestamp::EPOCH,
    }];
    let at = |millis: i64| Situation {
        level: Level::Suggest,
        approvals: &yes,
        now: Timestamp::from_millis(millis),
        ..good(&run, &resource, &declared)
    };
    let fresh = decide(&plan(), &at(crate::APPROVAL_MILLIS - 1));
    assert!(matches!(fresh, Decision::Permit(_)), "{fresh:?}");
    let old = decide(&plan(), &at(crate::APPROVAL_MILLIS));
    assert!(matches!(old, Decision::Ask { .. }), "{old:?}");
    let no = Rejection {
        by: "bob".into(),
        plan_hash: plan().hash(),
        at: Timestamp::EPOCH,
        reason: "it is a load test".into(),
    };
    let rejected = Situation {
        rejection: Some(&no),
        ..at(0)
    };
    let Decision::Refuse { reasons } = decide(&plan(), &rejected) else {
        panic!("a no is no yes");
    };
    assert_eq!(reasons, ["bob said no to this plan: it is a load test"]);
    let mut other = plan();
    other.summary.push('!');
    assert!(matches!(decide(&other, &rejected), Decision::Ask { .. }));
}

#[test]
fn what_is_never_touched_is_refused_even_with_a_yes() {
    let answer = said(&Changes {
        plan: SAME,
        situation: |s| {
            s.never_touch.accounts = Box::leak(Box::new(["444455556666".to_owned()]));
            s.approvals = ANY;
        },
    });
    assert!(
        answer.starts_with("refuse") && answer.contains("nothing is ever changed"),
        "{answer}"
    );
}
