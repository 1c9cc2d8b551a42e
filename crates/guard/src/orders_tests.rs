use super::*;
use crate::exception::Scope;
use crate::guard::tests::{declared, good, plan, resource};
use crate::{Approval, Decision, decide};
use quell_model::{Class, RunId, Timestamp};
use serde_json::json;

/// Says the same of everything.
#[derive(Debug)]
struct Says(Verdict);

impl Policies for Says {
    fn judge(&self, _: &Question<'_>) -> Verdict {
        self.0.clone()
    }
}

const NOW: Timestamp = Timestamp::EPOCH;

fn decided(people: &[&str], change: impl FnOnce(&mut Situation<'_>)) -> String {
    let (declared, resource, run) = (declared(), resource(), "run-1".parse::<RunId>().unwrap());
    let plan = plan();
    let yes = |by: &&str| Approval {
        by: (*by).to_owned(),
        plan_hash: plan.hash(),
        at: NOW,
    };
    let approvals: Vec<Approval> = people.iter().map(yes).collect();
    let mut situation = good(&run, &resource, &declared);
    // What a test changes may live for ever.
    situation.approvals = Box::leak(approvals.into_boxed_slice());
    change(&mut situation);
    match decide(&plan, &situation) {
        Decision::Permit(permit) => format!("permit {}", permit.approver()),
        Decision::Ask { reasons, .. } => format!("ask {}", reasons.join("; ")),
        Decision::Refuse { reasons } => format!("refuse {}", reasons.join("; ")),
    }
}

fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn exceptions() -> &'static [Exception] {
    kept([Exception {
        id: "exc-1".into(),
        owner: "web team".into(),
        reason: "a load test".into(),
        scope: Scope {
            playbook: Some("PB-008".into()),
            account: Some("444455556666".into()),
            ..Scope::default()
        },
        approved_by: "ann".into(),
        created_at: NOW,
        expires_at: NOW.plus_millis(1000),
        ended: None,
    }])
}

fn freezes() -> &'static [Freeze] {
    kept([Freeze {
        id: "frz-1".into(),
        reason: "end of year".into(),
        by: "ann".into(),
        from: NOW,
        until: NOW.plus_millis(1000),
        accounts: Vec::new(),
        environments: vec!["production".into()],
        ended: None,
    }])
}

#[test]
fn what_a_policy_forbids_no_approval_mends() {
    let no = kept(Says(Verdict::Forbid {
        reasons: vec!["it is the log archive".into()],
    }));
    let answer = decided(&["bob", "eve"], |s| s.orders.policies = no);
    assert_eq!(answer, "refuse it is the log archive");
}

#[test]
fn what_a_policy_asks_as_many_people_answer_as_it_wants() {
    let ask = |persons| {
        kept(Says(Verdict::Ask {
            reasons: vec!["it is the CFO's".into()],
            persons,
        }))
    };
    let one = decided(&[], |s| s.orders.policies = ask(1));
    assert_eq!(one, "ask it is the CFO's");
    let answered = decided(&["bob"], |s| s.orders.policies = ask(1));
    assert_eq!(answered, "permit bob");
    // Whoever asks for nobody asks for one.
    let none = decided(&[], |s| s.orders.policies = ask(0));
    assert_eq!(none, one);
    let two = decided(&["bob"], |s| s.orders.policies = ask(2));
    assert_eq!(
        two,
        "ask it is the CFO's; 2 persons have to say yes, and 1 did"
    );
    let answered = decided(&["bob", "eve"], |s| s.orders.policies = ask(2));
    assert_eq!(answered, "permit bob, eve");
}

#[test]
fn what_is_excepted_is_not_touched_whoever_says_yes() {
    let excepted = |s: &mut Situation<'_>| s.orders.exceptions = Ok(exceptions());
    let answer = decided(&["bob"], excepted);
    assert!(
        answer.starts_with("refuse exc-1 of web team excepts it until "),
        "{answer}"
    );
    let over = decided(&[], |s| {
        s.orders.exceptions = Ok(exceptions());
        s.now = NOW.plus_millis(1000);
    });
    assert_eq!(over, "permit policy:auto");
}

/// The trap: a resource that says of itself that it is not to be touched. Whoever holds it writes its tags.
#[test]
fn tags_as_exemption() {
    let (declared, resource, run) = (declared(), resource(), "run-1".parse::<RunId>().unwrap());
    let tags = json!([{"Key": "quell:exempt", "Value": "true"}, {"Key": "quell:exception", "Value": "exc-1"}]);
    let mut plan = plan();
    plan.facts["tags"] = tags.clone();
    plan.before["tags"] = tags.clone();
    plan.after["tags"] = tags;
    let decision = decide(&plan, &good(&run, &resource, &declared));
    assert!(matches!(decision, Decision::Permit(_)), "{decision:?}");
}

/// The trap: whoever makes the store unreadable has an exemption from everything, or an end of every freeze.
#[test]
fn fail_open_on_an_unreadable_store() {
    let answer = decided(&["bob"], |s| s.orders.exceptions = Err("it is corrupt"));
    assert_eq!(
        answer,
        "refuse nobody can say whether an exception speaks against it: it is corrupt"
    );
    let answer = decided(&["bob"], |s| s.orders.freezes = Err("it is corrupt"));
    assert_eq!(
        answer,
        "refuse nobody can say whether changes are frozen: it is corrupt"
    );
}

#[test]
fn while_changes_are_frozen_a_person_is_asked_and_one_who_asked_for_it_is_not() {
    let frozen = |s: &mut Situation<'_>| s.orders.freezes = Ok(freezes());
    let answer = decided(&[], frozen);
    let words = "changes are frozen until 1970-01-01T00:00:01.000Z (frz-1 of ann): end of year";
    assert_eq!(answer, format!("ask {words}"));
    assert_eq!(decided(&["bob"], frozen), "permit bob");
    let asked_for = decided(&[], |s| {
        frozen(s);
        s.requested_by = Some("eve");
    });
    assert_eq!(asked_for, "permit eve");
    let elsewhere = decided(&[], |s| {
        frozen(s);
        s.place.environment = Some("test");
    });
    assert_eq!(elsewhere, "permit policy:auto");
}

#[test]
fn a_budget_counts_the_calls_that_it_is_about() {
    let mut plan = plan();
    plan.calls.push(plan.calls[0].clone());
    let budget = |call: Option<(&str, &str)>| Budget {
        of: "x".into(),
        call: call.map(|(service, operation)| (service.into(), operation.into())),
        left: 0,
    };
    assert_eq!(budget(None).cost(&plan), 2);
    let this = Some(("ec2", "RevokeSecurityGroupIngress"));
    assert_eq!(budget(this).cost(&plan), 2);
    assert_eq!(budget(Some(("ec2", "StopInstances"))).cost(&plan), 0);
    plan.calls[0].resource = "what is this".into();
    assert_eq!(budget(Some(("ec2", "StopInstances"))).cost(&plan), 1);
    for (left, says) in [
        (
            0,
            "ask the plan makes 1 changes and the budget of OU Root/Prod has 0 left in this hour",
        ),
        (1, "permit policy:auto"),
    ] {
        let budgets = kept([Budget {
            of: "OU Root/Prod".into(),
            left,
            call: None,
        }]);
        assert_eq!(decided(&[], |s| s.orders.budgets = budgets), says);
    }
}

#[test]
fn what_a_pipeline_made_is_mended_in_the_code_unless_it_cannot_wait() {
    let pipelines: &[ArnPattern] = kept(["arn:aws:iam::*:role/cdk-*-exec-*".parse().unwrap()]);
    let made_by = |arn: &str| -> &'static [Arn] {
        kept([
            "arn:aws:iam::1:user/ann".parse().unwrap(),
            arn.parse().unwrap(),
        ])
    };
    let pipeline = made_by("arn:aws:iam::444455556666:role/cdk-hnb-exec-role");
    let said = |severity, change: fn(&mut Situation<'_>)| {
        decided(&[], |s| {
            s.orders.pipelines = pipelines;
            s.cause.identities = pipeline;
            s.cause.severity = severity;
            change(s);
        })
    };
    let asked = said(Some(Severity::High), |_| {});
    assert!(
        asked.starts_with("ask the pipeline arn:aws:iam::444455556666:role/cdk-hnb-exec-role"),
        "{asked}"
    );
    // How bad it is is not known: it waits.
    assert_eq!(said(None, |_| {}), asked);
    let permitted = "permit policy:auto";
    assert_eq!(said(Some(Severity::Critical), |_| {}), permitted);
    let threat = said(Some(Severity::High), |s| s.declaration.category = "Threats");
    assert_eq!(threat, permitted);
    let by_hand = said(Some(Severity::High), |s| s.cause.identities = &[]);
    assert_eq!(by_hand, permitted);
    let asked_for = said(Some(Severity::High), |s| s.requested_by = Some("ann"));
    assert_eq!(asked_for, "permit ann");
}

#[test]
fn a_policy_is_asked_about_what_the_call_is_and_not_what_the_plan_says() {
    /// Remembers nothing; says what it was asked.
    #[derive(Debug)]
    struct Echo;
    impl Policies for Echo {
        fn judge(&self, q: &Question<'_>) -> Verdict {
            let reason = format!(
                "{} {} {}:{} {:?} {} {} {:?}",
                q.playbook,
                q.category,
                q.service,
                q.operation,
                q.class,
                q.declared,
                q.approved_by,
                q.place.environment
            );
            Verdict::Forbid {
                reasons: vec![reason],
            }
        }
    }
    let answer = decided(&["bob"], |s| s.orders.policies = &Echo);
    assert_eq!(
        answer,
        "refuse PB-008 Policy Violations ec2:RevokeSecurityGroupIngress R1 true 1 Some(\"production\")"
    );
    let told = PlannedMessage::question_class();
    assert_eq!(told, Class::R3);
}

/// A message of a plan that calls itself harmless.
struct PlannedMessage;

impl PlannedMessage {
    fn question_class() -> Class {
        let mut planned = plan().calls.remove(0);
        planned.resource = "arn:aws:states:::sns:publish".into();
        planned.class = Class::R1;
        class_of(&planned)
    }
}

#[test]
fn calls_of_one_kind_are_one_question() {
    /// Counts what it is asked.
    #[derive(Debug, Default)]
    struct Counts(std::sync::atomic::AtomicUsize);
    impl Policies for Counts {
        fn judge(&self, _: &Question<'_>) -> Verdict {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Verdict::Permit
        }
    }
    let (declared, resource, run) = (declared(), resource(), "run-1".parse::<RunId>().unwrap());
    let mut plan = plan();
    let call = plan.calls[0].clone();
    plan.calls = vec![call; 100];
    plan.calls[7].class = Class::R2;
    let counts: &'static Counts = kept(Counts::default());
    let mut situation = good(&run, &resource, &declared);
    situation.orders.policies = counts;
    ordered(&plan, &situation, 0);
    let asked = counts.0.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(asked, 2, "another class is another question");
}
