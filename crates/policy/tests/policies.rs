//! Policies against the guard's questions: what they say, what is wrong with them, and that nothing fails open.

use std::collections::BTreeSet;

use quell_guard::{Level, Place, Policies, Question, Verdict};
use quell_model::{Class, OuPath, Resource, Severity, Timestamp};
use quell_policy::{Action, PolicyFile, PolicySet, Vocabulary};

const DECLARED: &str = include_str!("../../../content/policies/declared.cedar");
const NEVER_TOUCH: &str = include_str!("../../../content/policies/never-touch.cedar");
const PEOPLE: &str = include_str!("../../../content/policies/people.cedar");

fn file(name: &str, text: &str) -> PolicyFile {
    PolicyFile {
        path: format!("policies/{name}"),
        text: text.to_owned(),
    }
}

fn vocabulary() -> Vocabulary {
    let declared = [
        ("ec2", "RevokeSecurityGroupIngress"),
        ("iam", "PutRolePolicy"),
        ("s3", "PutPublicAccessBlock"),
        ("sns", "Publish"),
    ];
    Vocabulary {
        playbooks: BTreeSet::from(["PB-008".to_owned(), "PB-001".to_owned()]),
        actions: declared.map(|(s, o)| Action::new(s, o)).into(),
    }
}

fn load(files: &[PolicyFile]) -> (PolicySet, Vec<String>) {
    let exists = |action: &Action| action.operation == "StopInstances";
    let (policies, faults) = PolicySet::load(files, &vocabulary(), &exists);
    (policies, faults.iter().map(ToString::to_string).collect())
}

/// The default policies and these.
fn with(text: &str) -> PolicySet {
    let files = [
        file("declared.cedar", DECLARED),
        file("never-touch.cedar", NEVER_TOUCH),
        file("people.cedar", PEOPLE),
        file("own.cedar", text),
    ];
    let (policies, faults) = load(&files);
    assert_eq!(faults, [""; 0]);
    policies
}

fn group() -> Resource {
    Resource::security_group("aws", "us-east-1", "444455556666", "sg-1")
}

fn question(resource: &Resource) -> Question<'_> {
    Question {
        playbook: "PB-008",
        version: "1.0.0",
        category: "Policy Violations",
        service: "ec2",
        operation: "RevokeSecurityGroupIngress",
        class: Class::R1,
        declared: true,
        resource,
        place: Place {
            environment: Some("production"),
            ou: None,
            ..Place::default()
        },
        production: true,
        level: Level::AutoWithUndo,
        undo: false,
        approved_by: 0,
        requested_by_person: false,
        severity: Some(Severity::High),
        now: Timestamp::EPOCH,
    }
}

fn said(policies: &PolicySet, change: impl FnOnce(&mut Question<'_>)) -> String {
    let resource = group();
    let mut question = question(&resource);
    change(&mut question);
    said_of(policies, &question)
}

fn said_of(policies: &PolicySet, question: &Question<'_>) -> String {
    match policies.judge(question) {
        Verdict::Permit => "permit".to_owned(),
        Verdict::Ask { reasons, persons } => format!("ask {persons}: {}", reasons.join("; ")),
        Verdict::Forbid { reasons } => format!("forbid: {}", reasons.join("; ")),
    }
}

#[test]
fn what_is_declared_is_permitted_and_nothing_else() {
    let policies = with("");
    assert_eq!(said(&policies, |_| {}), "permit");
    let undeclared = said(&policies, |q| q.declared = false);
    assert_eq!(
        undeclared,
        "forbid: no policy permits PB-008 to call ec2:RevokeSecurityGroupIngress on arn:aws:ec2:us-east-1:444455556666:security-group/sg-1"
    );
    let considered = policies.consider(&question(&group()));
    assert_eq!(considered.policies, ["declared"]);
}

#[test]
fn what_the_default_policies_forbid_and_ask() {
    let policies = with("");
    let bucket = |name: &str| {
        let arn = format!("arn:aws:s3:::{name}").parse().unwrap();
        let mut bucket = Resource::new(arn, "AWS::S3::Bucket", name);
        bucket.account = "444455556666".into();
        bucket
    };
    let role = |name: &str| {
        let arn = format!("arn:aws:iam::444455556666:role/{name}");
        Resource::new(arn.parse().unwrap(), "AWS::IAM::Role", name)
    };
    for (resource, says) in [
        (bucket("aws-controltower-logs-1"), "(policy landing-zone)"),
        (role("aws-controltower-ForwardSns"), "(policy landing-zone)"),
        (bucket("aws-cloudtrail-logs-1-2"), "(policy log-archive)"),
        (bucket("acme-log-archive-eu"), "(policy log-archive)"),
        (role("cdk-hnb659fds-deploy-role-1"), "(policy deployment)"),
        (bucket("acme-terraform-state"), "(policy deployment)"),
        (bucket("acme-web"), "permit"),
        (role("app"), "permit"),
    ] {
        let mut question = question(&resource);
        (question.service, question.operation) = ("s3", "PutPublicAccessBlock");
        let answer = said_of(&policies, &question);
        assert!(answer.ends_with(says), "{}: {answer}", resource.arn);
        question.approved_by = 5;
        let stands = answer.starts_with("forbid");
        let approved = said_of(&policies, &question);
        assert_eq!(approved.starts_with("forbid"), stands, "{}", resource.arn);
        question.undo = true;
        let undo = said_of(&policies, &question);
        assert_eq!(undo.starts_with("permit"), !stands, "{undo}");
    }
}

#[test]
fn a_policy_sees_who_wants_what_where_and_when() {
    let rules = [
        (
            r#"principal == Playbook::"PB-008", action, resource) when { true"#,
            true,
        ),
        (
            r#"principal == Playbook::"PB-001", action, resource) when { true"#,
            false,
        ),
        (
            r#"principal, action in Action::"network", resource) when { true"#,
            true,
        ),
        (
            r#"principal, action in Action::"iam", resource) when { true"#,
            false,
        ),
        (
            r#"principal, action == Action::"ec2:RevokeSecurityGroupIngress", resource) when { true"#,
            true,
        ),
        (
            r#"principal, action == Action::"ec2:StopInstances", resource) when { true"#,
            false,
        ),
        (
            r#"principal, action, resource in Account::"444455556666") when { true"#,
            true,
        ),
        (
            r#"principal, action, resource in Account::"111122223333") when { true"#,
            false,
        ),
        (
            r#"principal, action, resource) when { principal.category == "Policy Violations""#,
            true,
        ),
        (
            r#"principal, action, resource) when { resource.type == "AWS::EC2::SecurityGroup""#,
            true,
        ),
        (
            r#"principal, action, resource) when { resource.region like "eu-*""#,
            false,
        ),
        (
            r#"principal, action, resource) when { resource.production && resource.environment == "production""#,
            true,
        ),
        (
            r#"principal, action, resource) when { context.class >= 2"#,
            false,
        ),
        (
            r#"principal, action, resource) when { context.level == Level::"auto-with-undo""#,
            true,
        ),
        (
            r#"principal, action, resource) when { context has severity && context.severity == Severity::"high""#,
            true,
        ),
        (
            r#"principal, action, resource) when { context.hour == 0 && context.weekday == 4"#,
            true,
        ),
        (
            r#"principal, action, resource) when { context.requestedByPerson || context.undo"#,
            false,
        ),
    ];
    for (rule, forbids) in rules {
        let policies = with(&format!(
            "@id(\"own\")\n@reason(\"no\")\nforbid ({rule} }};"
        ));
        let answer = said(&policies, |_| {});
        assert_eq!(
            answer == "forbid: no (policy own)",
            forbids,
            "{rule}: {answer}"
        );
    }
}

#[test]
fn the_hour_and_the_day_are_those_of_utc() {
    let at = |millis| move |q: &mut Question<'_>| q.now = Timestamp::from_millis(millis);
    let own = |when: &str| {
        with(&format!(
            "@id(\"own\") @reason(\"no\") forbid (principal, action, resource) when {{ {when} }};"
        ))
    };
    // Saturday, 21 November 2026, 22:40, and two hours later.
    let evening = own("context.hour == 22 && context.weekday == 6");
    let morning = own("context.hour == 0 && context.weekday == 7");
    let millis = 1_795_300_800_000;
    assert!(said(&evening, at(millis)).starts_with("forbid"));
    assert!(said(&morning, at(millis + 7_200_000)).starts_with("forbid"));
    assert_eq!(said(&evening, at(millis + 7_200_000)), "permit");
}

#[test]
fn a_question_wants_one_yes_or_as_many_as_it_says() {
    let own = |when: &str| {
        with(&format!(
            "@id(\"own\") @ask(\"sure?\") forbid (principal, action, resource) when {{ {when} }};"
        ))
    };
    let one = own("context.class >= 1");
    assert_eq!(said(&one, |_| {}), "ask 1: sure? (policy own)");
    let two = own("context.class >= 1 && context.approvedBy < 2");
    assert_eq!(said(&two, |_| {}), "ask 2: sure? (policy own)");
    assert_eq!(
        said(&two, |q| q.approved_by = 1),
        "ask 2: sure? (policy own)"
    );
    assert_eq!(said(&two, |q| q.approved_by = 2), "permit");
    let never = own("context.approvedBy < 50");
    assert!(said(&never, |_| {}).starts_with("forbid: a policy wants more than 10"));
    // A question does not stand above a no, nor above the want of a permit.
    assert!(said(&one, |q| q.declared = false).starts_with("forbid: no policy permits"));
}

/// The trap: filters that look at the unit of an account and not at those above it.
#[test]
fn ou_filters_that_see_one_level_only() {
    let path: &OuPath = Box::leak(Box::new("Root/Prod/Payments/Cards".parse().unwrap()));
    for (unit, forbids) in [
        ("Root", true),
        ("Root/Prod", true),
        ("Root/Prod/Payments", true),
        ("Root/Prod/Payments/Cards", true),
        ("Root/Prod/Payments/Cards/Visa", false),
        ("Root/Test", false),
        ("Prod", false),
        ("Payments", false),
    ] {
        for rule in [
            format!("principal, action, resource in OU::\"{unit}\")"),
            format!("principal, action, resource) when {{ resource.account in OU::\"{unit}\" }}"),
        ] {
            let policies = with(&format!("@id(\"own\") @reason(\"no\") forbid ({rule};"));
            let answer = said(&policies, |q| q.place.ou = Some(path));
            assert_eq!(answer.starts_with("forbid"), forbids, "{rule}: {answer}");
            // Nobody said in which unit the account is: it may be in this one.
            let unknown = said(&policies, |_| {});
            assert!(unknown.starts_with("forbid: policies look at"), "{unknown}");
        }
    }
}

/// The trap: policies by the tags of a resource, which whoever holds it writes.
#[test]
fn tags_as_exemption() {
    for rule in [
        r#"resource.hasTag("quell:exempt")"#,
        r#"resource has tags && resource.tags.contains("quell:exempt")"#,
        r#"context has tags"#,
    ] {
        let text = format!("@id(\"own\") permit (principal, action, resource) when {{ {rule} }};");
        let (policies, faults) =
            load(&[file("declared.cedar", DECLARED), file("own.cedar", &text)]);
        assert!(!faults.is_empty(), "{rule}");
        assert!(said(&policies, |_| {}).starts_with("forbid"), "{rule}");
    }
}

/// The trap: a policy file with a fault is left out, and with it what it forbids.
#[test]
fn fail_open_on_an_unreadable_policy() {
    let forbid = "@id(\"own\")\n@reason(\"no\")\nforbid (principal, action, resource)";
    let ok = format!("{forbid};");
    let cases: [(String, &str, Option<usize>); 16] = [
        (
            format!("{forbid} when {{ context.clas >= 2 }};"),
            "clas",
            Some(3),
        ),
        (
            format!("{forbid} when {{ context.level == Level::\"atuo\" }};"),
            "atuo",
            Some(3),
        ),
        (
            format!("{forbid} when {{ context.severity == Severity::\"high\" }};"),
            "severity",
            Some(3),
        ),
        (
            format!("{forbid} when {{ context.class >= \"2\" }};"),
            "Long",
            Some(3),
        ),
        (
            format!("{forbid} when {{ resource.arn == 5 }};"),
            "",
            Some(3),
        ),
        (forbid.to_owned(), "", None),
        (ok.replace("forbid", "forbit"), "forbit", Some(3)),
        (
            ok.replace("principal,", "principal == Playbook::\"PB-080\","),
            "did you mean «PB-00",
            Some(1),
        ),
        (
            ok.replace("action", "action == Action::\"ec2:StopInstance\""),
            "ec2:StopInstance",
            Some(3),
        ),
        (
            ok.replace("action", "action in Action::\"netwrok\""),
            "netwrok",
            Some(3),
        ),
        (
            ok.replace("resource", "resource in Account::\"4444\""),
            "twelve digits",
            Some(1),
        ),
        (
            ok.replace("resource", "resource in OU::\"Root/\""),
            "no path",
            Some(1),
        ),
        (
            ok.replace("@reason", "@raeson"),
            "did you mean @reason",
            Some(1),
        ),
        (ok.replace("@id(\"own\")\n", ""), "put @id", Some(1)),
        (
            ok.replace("@reason(\"no\")", ""),
            "does not tell people why",
            Some(1),
        ),
        (
            ok.replace("own", "declared"),
            "is that of a policy in policies/declared.cedar already",
            Some(1),
        ),
    ];
    for (text, says, line) in cases {
        let (policies, faults) =
            load(&[file("declared.cedar", DECLARED), file("own.cedar", &text)]);
        assert!(!faults.is_empty(), "no fault in {text}");
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains(says) && fault.starts_with("policies/own.cedar")),
            "{text}: {faults:?}"
        );
        if let Some(line) = line {
            let place = format!("policies/own.cedar:{line}");
            assert!(
                faults.iter().any(|f| f.starts_with(&place)),
                "{text}: {faults:?}"
            );
        }
        let answer = said(&policies, |_| {});
        assert!(
            answer.starts_with("forbid: there is a fault in the policies"),
            "{text}: {answer}"
        );
    }
}

#[test]
fn what_can_never_apply_and_what_is_never_filled_in_are_faults() {
    for (text, says) in [
        (
            "@id(\"own\") @reason(\"no\") forbid (principal, action, resource) when { resource.production && !resource.production && false };",
            "",
        ),
        (
            "@id(\"own\") @reason(\"no\") forbid (principal == ?principal, action, resource);",
            "slot",
        ),
        (
            "@id(\"own\") @ask(\"?\") permit (principal, action, resource);",
            "permits and asks",
        ),
        (
            "@id(\"own\") @ask(\"?\") @reason(\"no\") forbid (principal, action, resource);",
            "both",
        ),
        (
            "@id(\"a b\") @reason(\"no\") forbid (principal, action, resource);",
            "«a b»",
        ),
    ] {
        let (policies, faults) = load(&[file("declared.cedar", DECLARED), file("own.cedar", text)]);
        assert!(
            faults.iter().any(|f| f.contains(says)),
            "{text}: {faults:?}"
        );
        assert!(said(&policies, |_| {}).starts_with("forbid"), "{text}");
    }
}

#[test]
fn a_policy_that_cannot_be_evaluated_forbids() {
    let overflow = "@id(\"own\") @reason(\"no\") forbid (principal, action, resource)\n\
        when { context.approvedBy * 9223372036854775807 == 5 };";
    let (policies, faults) = load(&[
        file("declared.cedar", DECLARED),
        file("own.cedar", overflow),
    ]);
    assert_eq!(faults, [""; 0]);
    let answer = said(&policies, |q| q.approved_by = 2);
    assert!(
        answer.starts_with("forbid: a policy cannot be evaluated"),
        "{answer}"
    );
    assert_eq!(said(&policies, |_| {}), "permit");
}

#[test]
fn without_policies_nothing_is_permitted() {
    let (none, faults) = load(&[]);
    assert_eq!(faults, [""; 0]);
    assert!(said(&none, |_| {}).starts_with("forbid: no policy permits"));
    let never = PolicySet::forbidding(None);
    assert!(said(&never, |_| {}).starts_with("forbid: there are no policies"));
}

#[test]
fn a_call_that_no_playbook_declares_can_be_named_and_is_not_permitted() {
    let policies = with("");
    let answer = said(&policies, |q| q.operation = "TerminateInstances");
    assert!(
        answer.starts_with("forbid: policies cannot be asked"),
        "{answer}"
    );
}

#[test]
fn what_is_in_a_name_stays_in_it() {
    let policies = with(
        "@id(\"own\") @reason(\"no\") forbid (principal, action, resource in Account::\"111122223333\");",
    );
    let arn = "arn:aws:s3:::a\"; permit(principal,action,resource); //"
        .parse()
        .unwrap();
    let mut bucket = Resource::new(arn, "AWS::S3::Bucket", "x");
    bucket.account = "111122223333".into();
    let mut question = question(&bucket);
    (question.service, question.operation) = ("s3", "PutPublicAccessBlock");
    assert_eq!(said_of(&policies, &question), "forbid: no (policy own)");
}

#[test]
fn entries_tell_people_what_there_is() {
    let policies = with("");
    let told: Vec<(&str, &str)> = policies
        .entries()
        .map(|e| (e.id.as_str(), e.effect.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("declared", "permit"),
            ("deployment", "ask"),
            ("landing-zone", "forbid"),
            ("log-archive", "forbid"),
        ]
    );
    let declared = policies.entries().next().unwrap();
    assert!(
        declared.text.contains("context.declared"),
        "{}",
        declared.text
    );
}
