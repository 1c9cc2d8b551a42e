use proptest::prelude::*;
use quell_model::{Origin, Product, RecordId, ReportState, Severity};
use serde_json::json;

use super::*;

const ACCOUNT: &str = "111122223333";

fn record(envelope: Option<Value>, body: &Value) -> Record {
    let text = body.to_string();
    Record {
        id: RecordId::of_bytes(text.as_bytes()),
        origin: Origin::File { path: "t".into() },
        received_at: Timestamp::EPOCH,
        envelope,
        body: RawValue::from_string(text).unwrap(),
    }
}

fn types() -> GuardDutyTypes {
    let row = |kind: &str, outsider| GuardDutyType {
        kind: kind.to_owned(),
        tactic: "impact".to_owned(),
        attack: vec!["T1110".to_owned()],
        playbooks: Vec::new(),
        outsider,
        note: None,
    };
    GuardDutyTypes::new(vec![
        row("UnauthorizedAccess:EC2/SSHBruteForce", Outsider::Target),
        row("UnauthorizedAccess:IAMUser/TorIPCaller", Outsider::No),
    ])
    .unwrap()
}

fn read(source: &str, kind: &str, detail: &Value) -> Findings {
    let record = record(
        Some(
            json!({"source": source, "detail-type": kind, "region": "eu-west-1", "account": ACCOUNT}),
        ),
        detail,
    );
    let source = Source::of(&record).unwrap();
    findings(&record, source, &types(), Timestamp::from_millis(7))
}

fn guardduty(change: &Value) -> Value {
    let mut detail = json!({
        "schemaVersion": "2.0", "accountId": ACCOUNT, "region": "eu-west-1", "id": "f-1", "severity": 5.0, "type": "UnauthorizedAccess:EC2/SSHBruteForce",
        "title": "T", "updatedAt": "2026-11-21T10:00:00Z", "createdAt": "2026-11-21T09:00:00Z",
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a1"}}, "service": {"count": 3, "resourceRole": "TARGET"},
    });
    merge(&mut detail, change);
    detail
}

/// RFC 7396: what is null goes.
fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    fields.remove(name);
                } else {
                    merge(fields.entry(name.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (into, change) => *into = change.clone(),
    }
}

fn one(change: &Value) -> Finding {
    let mut read = read("aws.guardduty", "GuardDuty Finding", &guardduty(change));
    assert_eq!(
        (read.faults.len(), read.found.len()),
        (0, 1),
        "{:?}",
        read.faults
    );
    read.found.pop().unwrap().finding
}

#[test]
fn the_fields_of_a_finding_are_taken() {
    let finding = one(&json!({}));
    assert_eq!(finding.product, Product::GuardDuty);
    assert_eq!(
        finding.detection,
        "guardduty/UnauthorizedAccess:EC2/SSHBruteForce"
    );
    assert_eq!(finding.severity, Severity::Medium);
    assert_eq!(
        finding.resource.arn.to_string(),
        "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1"
    );
    assert_eq!(
        (finding.record_count, finding.attack.as_slice()),
        (3, ["T1110".to_owned()].as_slice())
    );
    assert_eq!(
        finding.first_event_time.to_string(),
        "2026-11-21T09:00:00.000Z"
    );
    let report = finding.report.unwrap();
    assert_eq!(
        (
            report.uid.as_str(),
            report.account.as_str(),
            report.region.as_str()
        ),
        ("f-1", ACCOUNT, "eu-west-1")
    );
}

#[test]
fn severities_are_in_guarddutys_bands() {
    for (number, severity) in [
        (0.1, Severity::Informational),
        (1.0, Severity::Low),
        (3.99, Severity::Low),
        (4.0, Severity::Medium),
        (6.9, Severity::Medium),
        (7.0, Severity::High),
        (8.9, Severity::High),
        (9.0, Severity::Critical),
        (10.0, Severity::Critical),
    ] {
        assert_eq!(
            one(&json!({"severity": number})).severity,
            severity,
            "{number}"
        );
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    for (change, says) in [
        (json!({"severity": 10.5}), "/severity"),
        (json!({"severity": "high"}), "/severity"),
        (json!({"id": null}), "«/id»"),
        (json!({"id": ""}), "«/id»"),
        (json!({"accountId": "1/../2"}), "twelve digits"),
        (json!({"region": "evil.example/"}), "Region"),
        (json!({"updatedAt": "soon"}), "/updatedAt"),
        (json!({"type": 5}), "«/type»"),
    ] {
        let read = read("aws.guardduty", "GuardDuty Finding", &guardduty(&change));
        assert!(
            read.found.is_empty() && read.faults[0].contains(says),
            "{change}: {:?}",
            read.faults
        );
    }
}

#[test]
fn a_sample_is_a_sample_by_any_of_its_marks() {
    for mark in [
        json!({"service": {"additionalInfo": {"sample": true}}}),
        json!({"service": {"additionalInfo": {"value": "{\"sample\":true}"}}}),
        json!({"title": "[SAMPLE] of something"}),
    ] {
        let finding = one(&mark);
        assert!(finding.sample && !finding.may_begin_a_change(), "{mark}");
    }
    assert!(!one(&json!({"service": {"additionalInfo": {"value": "not JSON"}}})).sample);
}

#[test]
fn who_was_the_target_was_it_by_somebodys_will_and_an_unknown_type_counts_so_too() {
    assert!(one(&json!({})).outsider);
    assert!(!one(&json!({"service": {"resourceRole": "ACTOR"}})).outsider);
    assert!(!one(&json!({"type": "UnauthorizedAccess:IAMUser/TorIPCaller"})).outsider);
    let unknown = one(&json!({"type": "Impact:Quantum/EntanglementAbuse"}));
    assert!(unknown.outsider && unknown.explanation.unwrap().contains("not known"));
}

#[test]
fn who_came_from_an_address_is_told_by_it_and_a_victim_of_ours_is_not() {
    let connection = |direction: &str, address: &str| {
        json!({"networkConnectionAction": {"connectionDirection": direction,
            "remoteIpDetails": {"ipAddressV4": address}}})
    };
    let of = |action: Value, role: &str| {
        one(&json!({"service": {"resourceRole": role, "action": action}}))
            .actor
            .address()
    };
    let address = "203.0.113.5".parse().ok();
    assert_eq!(of(connection("INBOUND", "203.0.113.5"), "TARGET"), address);
    let login =
        json!({"rdsLoginAttemptAction": {"remoteIpDetails": {"ipAddressV4": "203.0.113.5"}}});
    assert_eq!(of(login, "TARGET"), address);
    assert_eq!(of(connection("INBOUND", "203.0.113.5"), "ACTOR"), None);
    assert_eq!(of(connection("OUTBOUND", "203.0.113.5"), "TARGET"), None);
    for text in ["", "0.0.0.0/0", "example.com", "203.0.113.5, 203.0.113.6"] {
        assert_eq!(of(connection("INBOUND", text), "TARGET"), None, "{text}");
    }
}

#[test]
fn a_resource_is_never_what_an_attacker_wrote() {
    for resource in [
        json!({"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1/../../x"}}),
        json!({"resourceType": "Instance", "instanceDetails": {"instanceId": "../x", "tags": [{"key": "Name", "value": "arn:aws:iam::111122223333:role/admin"}]}}),
        json!({"resourceType": "EKSCluster", "eksClusterDetails": {"arn": "arn:aws:eks:eu-west-1:999988887777:cluster/c"}, "instanceDetails": null}),
        json!({"resourceType": "Lambda", "lambdaDetails": {"functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f g"}, "instanceDetails": null}),
    ] {
        let finding = one(&json!({"resource": resource}));
        assert_eq!(finding.resource.kind, "AWS::::Account", "{resource}");
    }
}

#[test]
fn what_runs_in_containers_is_not_the_host_that_it_runs_on() {
    let (task, cluster) = (
        "arn:aws:ecs:eu-west-1:111122223333:task/shop/0123456789abcdef",
        "arn:aws:ecs:eu-west-1:111122223333:cluster/shop",
    );
    let eks = "arn:aws:eks:eu-west-1:111122223333:cluster/prod";
    let host = json!({"instanceId": "i-0a1b2c3d4e5f60718"});
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:resize:7";
    for (resource, kind, id) in [
        (
            json!({"resourceType": "ECSCluster", "instanceDetails": host, "ecsClusterDetails": {"arn": cluster, "taskDetails": {"arn": task}}}),
            "AWS::ECS::Task",
            "0123456789abcdef",
        ),
        (
            json!({"resourceType": "ECSCluster", "instanceDetails": host, "ecsClusterDetails": {"arn": cluster, "taskDetails": {"arn": "x y"}}}),
            "AWS::ECS::Cluster",
            "shop",
        ),
        (
            json!({"resourceType": "EKSCluster", "instanceDetails": host, "eksClusterDetails": {"arn": eks}}),
            "AWS::EKS::Cluster",
            "prod",
        ),
        (
            json!({"resourceType": "Instance", "instanceDetails": host, "eksClusterDetails": null}),
            "AWS::EC2::Instance",
            "i-0a1b2c3d4e5f60718",
        ),
        (
            json!({"resourceType": "Lambda", "instanceDetails": null, "lambdaDetails": {"functionArn": function}}),
            "AWS::Lambda::Function",
            "resize",
        ),
    ] {
        let finding = one(&json!({"type": "Backdoor:Runtime/C&CActivity.B", "resource": resource}));
        let found = (finding.resource.kind.as_str(), finding.resource.id.as_str());
        assert_eq!(found, (kind, id), "{resource}");
    }
}

#[test]
fn a_sequence_with_one_task_is_about_that_task_and_with_several_about_the_cluster() {
    let of = |kind: &str, arn: &str| json!({"resourceType": kind, "uid": format!("arn:aws:ecs:eu-west-1:111122223333:{arn}")});
    let about = |resources: Value| {
        let sequence = json!({"detection": {"sequence": {"resources": resources}}});
        let finding = one(
            &json!({"type": "AttackSequence:ECS/CompromisedCluster", "service": sequence, "resource": {"resourceType": "AttackSequence", "instanceDetails": null}}),
        );
        finding.resource.kind
    };
    let (cluster, one, two) = (
        of("ECS_CLUSTER", "cluster/shop"),
        of("ECS_TASK", "task/shop/1"),
        of("ECS_TASK", "task/shop/2"),
    );
    assert_eq!(about(json!([cluster, one])), "AWS::ECS::Task");
    assert_eq!(about(json!([one, two, cluster])), "AWS::ECS::Cluster");
}

#[test]
fn only_an_event_of_awss_is_a_finding_of_awss() {
    let body = guardduty(&json!({}));
    for (source, kind) in [
        ("custom.app", "GuardDuty Finding"),
        ("aws.guardduty", "AWS API Call via CloudTrail"),
        ("aws.ec2", "GuardDuty Finding"),
    ] {
        let record = record(Some(json!({"source": source, "detail-type": kind})), &body);
        assert_eq!(Source::of(&record), None, "{source}");
    }
    assert_eq!(Source::of(&record(Some(json!({})), &body)), None);
    assert_eq!(Source::of(&record(None, &body)), Some(Source::GuardDuty));
}

fn asff(id: &str, product_arn: &str) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "Id": id, "ProductArn": product_arn, "GeneratorId": "g", "AwsAccountId": ACCOUNT, "Region": "eu-west-1",
        "Types": ["Effects"], "CreatedAt": "2026-11-21T10:00:00Z", "UpdatedAt": "2026-11-21T10:00:00Z", "Severity": {"Label": "HIGH"},
        "Title": "T", "Description": "D", "Resources": [{"Type": "Other", "Id": "x"}],
    })
}

#[test]
fn a_broken_finding_stops_no_other_and_is_named_by_its_place() {
    let good = |id| asff(id, "arn:aws:securityhub:eu-west-1::product/aws/securityhub");
    let list = json!({"findings": [good("1"), 5, {"Id": "x"}, good("2")]});
    let read = read("aws.securityhub", "Security Hub Findings - Imported", &list);
    let ids: Vec<&str> = read
        .found
        .iter()
        .map(|r| r.finding.report.as_ref().unwrap().uid.as_str())
        .collect();
    assert_eq!(ids, ["1", "2"]);
    assert!(
        read.faults[0].starts_with("findings[1]: ") && read.faults[1].starts_with("findings[2]: "),
        "{:?}",
        read.faults
    );
    // A number that no program reads spoils its own finding only.
    let text = list.to_string().replacen("\"HIGH\"", "1e999", 1);
    let record = Record {
        body: RawValue::from_string(text).unwrap(),
        ..record(None, &json!({}))
    };
    let read = findings(&record, Source::SecurityHub, &types(), Timestamp::EPOCH);
    assert_eq!(
        (read.found.len(), read.faults.len()),
        (1, 3),
        "{:?}",
        read.faults
    );
}

#[test]
fn more_findings_than_anybody_sends_are_named_not_read() {
    let list = vec![
        asff(
            "1",
            "arn:aws:securityhub:eu-west-1::product/aws/securityhub"
        );
        FINDINGS_MAX + 1
    ];
    let read = read(
        "aws.securityhub",
        "Security Hub Findings - Imported",
        &json!({"findings": list}),
    );
    assert_eq!((read.found.len(), read.faults.len()), (FINDINGS_MAX, 1));
    let none = super::tests::read(
        "aws.securityhub",
        "Security Hub Findings - Imported",
        &json!({"findings": []}),
    );
    assert_eq!((none.found.len(), none.faults.len()), (0, 1));
}

#[test]
fn a_fault_quotes_little_of_what_was_sent() {
    for body in [
        json!("x".repeat(5000)),
        json!({"findings": "x".repeat(5000)}),
        json!({"findings": ["x".repeat(5000)]}),
    ] {
        for source in ["aws.securityhub", "aws.guardduty", "aws.health"] {
            let kind = match source {
                "aws.securityhub" => "Security Hub Findings - Imported",
                "aws.guardduty" => "GuardDuty Finding",
                _ => "AWS Health Event",
            };
            let read = super::tests::read(source, kind, &body);
            assert!(
                read.found.is_empty() && read.faults.iter().all(|f| f.chars().count() < 400),
                "{:?}",
                read.faults
            );
        }
    }
}

#[test]
fn only_the_products_arn_says_whose_a_security_hub_finding_is() {
    for (arn, trusted) in [
        (
            "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
            true,
        ),
        (
            "arn:aws-us-gov:securityhub:us-gov-west-1::product/aws/inspector",
            true,
        ),
        (
            "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default",
            false,
        ),
        (
            "arn:aws:securityhub:eu-west-1:111122223333:product/aws/securityhub",
            false,
        ),
        (
            "arn:aws:securityhub:eu-west-1::product/aws/securityhub/x",
            false,
        ),
        (
            "arn:aws:securityhub:eu-west-1::product/evil/product/aws/securityhub",
            false,
        ),
        (
            "arn:aws:securityhub:eu-west-1::product/aws-partner/securityhub",
            false,
        ),
        (
            "arn:aws:securityhub:eu-west-1::product/aws/something-new",
            false,
        ),
        ("arn:aws:s3:eu-west-1::product/aws/securityhub", false),
        ("product/aws/securityhub", false),
    ] {
        let mut finding = asff("1", arn);
        merge(
            &mut finding,
            &json!({"ProductName": "Security Hub", "CompanyName": "AWS"}),
        );
        let read = read(
            "aws.securityhub",
            "Security Hub Findings - Imported",
            &json!({"findings": [finding]}),
        );
        assert_eq!(read.found[0].finding.outsider, !trusted, "{arn}");
        assert_eq!(read.found[0].finding.may_begin_a_change(), trusted, "{arn}");
    }
}

#[test]
fn asffs_severities_and_states_are_read() {
    let with = |change: Value| {
        let mut finding = asff(
            "1",
            "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        );
        merge(&mut finding, &change);
        let mut read = read(
            "aws.securityhub",
            "Security Hub Findings - Imported",
            &json!({"findings": [finding]}),
        );
        read.found.pop().map(|reported| {
            (
                reported.finding.severity,
                reported.finding.report.unwrap().state,
            )
        })
    };
    let severity = |change| with(json!({"Severity": change})).map(|(severity, _)| severity);
    assert_eq!(
        severity(json!({"Label": "CRITICAL", "Normalized": 1})),
        Some(Severity::Critical)
    );
    for (number, wanted) in [
        (0, Severity::Informational),
        (1, Severity::Low),
        (39, Severity::Low),
        (40, Severity::Medium),
        (70, Severity::High),
        (100, Severity::Critical),
    ] {
        assert_eq!(
            severity(json!({"Label": null, "Normalized": number})),
            Some(wanted),
            "{number}"
        );
    }
    assert_eq!(severity(json!({"Label": null, "Normalized": 101})), None);
    assert_eq!(severity(json!({"Label": null})), None);
    for (change, state) in [
        (json!({}), ReportState::Active),
        (
            json!({"RecordState": "ARCHIVED", "Workflow": {"Status": "NEW"}}),
            ReportState::Archived,
        ),
        (
            json!({"Workflow": {"Status": "SUPPRESSED"}}),
            ReportState::Suppressed,
        ),
        (
            json!({"Workflow": {"Status": "RESOLVED"}}),
            ReportState::Resolved,
        ),
        (
            json!({"Workflow": {"Status": "NOTIFIED"}}),
            ReportState::Active,
        ),
        (
            json!({"Compliance": {"Status": "PASSED"}}),
            ReportState::Resolved,
        ),
    ] {
        assert_eq!(with(change.clone()).unwrap().1, state, "{change}");
    }
}

#[test]
fn updates_of_a_finding_are_one_finding_and_others_are_others() {
    let first = one(&json!({}));
    let update = one(
        &json!({"updatedAt": "2026-11-21T11:00:00Z", "severity": 8, "service": {"archived": true}}),
    );
    assert_eq!(first.id, update.id);
    for other in [
        json!({"id": "f-2"}),
        json!({"region": "us-east-1"}),
        json!({"accountId": "444455556666"}),
    ] {
        assert_ne!(one(&other).id, first.id, "{other}");
    }
    for kept in [newer(first.clone(), update.clone()), newer(update, first)] {
        assert_eq!(kept.severity, Severity::High);
        assert_eq!(kept.report.unwrap().state, ReportState::Archived);
        assert_eq!(
            kept.first_event_time.to_string(),
            "2026-11-21T09:00:00.000Z"
        );
    }
}

fn update() -> impl Strategy<Value = Finding> {
    (0..4_i64, 0..4_u64, any::<bool>(), 0..4_i64, 0..3_i64).prop_map(|(updated, count, archived, first, now)| {
        let time = |seconds: i64| Timestamp::from_millis(1_790_000_000_000 + seconds * 1000).to_string();
        let detail = guardduty(&json!({"updatedAt": time(updated + 10), "createdAt": time(first), "service": {"count": count, "archived": archived}}));
        let record = record(Some(json!({"source": "aws.guardduty", "detail-type": "GuardDuty Finding"})), &detail);
        let mut read = findings(&record, Source::GuardDuty, &types(), Timestamp::from_millis(now));
        read.found.pop().unwrap().finding
    })
}

/// JSON like that of findings, and unlike it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!(ACCOUNT)),
        Just(json!("2026-11-21T10:00:00Z")),
        Just(json!("arn:aws:s3:::b")),
        Just(json!("UnauthorizedAccess:EC2/SSHBruteForce")),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        let key = prop_oneof![
            Just("findings"),
            Just("Findings"),
            Just("id"),
            Just("Id"),
            Just("type"),
            Just("Types"),
            Just("service"),
            Just("resource"),
            Just("severity"),
            Just("Severity"),
            Just("Label"),
            Just("accountId"),
            Just("AwsAccountId"),
            Just("ProductArn"),
            Just("updatedAt"),
            Just("UpdatedAt"),
            Just("region"),
            Just("finding_info"),
            Just("class_uid"),
            Just("cloud"),
            Just("account"),
            Just("uid"),
            Just("detection"),
            Just("sequence"),
            Just("signals"),
        ]
        .prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

const SOURCES: [Source; 8] = [
    Source::GuardDuty,
    Source::SecurityHub,
    Source::SecurityHubV2,
    Source::Inspector,
    Source::Macie,
    Source::AccessAnalyzer,
    Source::Config,
    Source::Health,
];

proptest! {
    #[test]
    fn the_newest_stays_whatever_the_order_and_however_often(updates in prop::collection::vec(update(), 1..6), again in 0..6_usize, turn in 0..6_usize) {
        let fold = |all: &[Finding]| all.iter().cloned().reduce(newer).unwrap();
        let wanted = fold(&updates);
        prop_assert_eq!(wanted.report.as_ref().map(|r| r.updated_at), updates.iter().filter_map(|u| u.report.as_ref().map(|r| r.updated_at)).max());
        let mut other = updates.clone();
        other.push(updates[again % updates.len()].clone());
        let at = turn % other.len();
        other.rotate_left(at);
        other.reverse();
        prop_assert_eq!(fold(&other), wanted.clone());
        // In any grouping, as two processes may have it.
        let (left, right) = other.split_at(at.max(1).min(other.len()));
        let halves: Vec<Finding> = [left, right].into_iter().filter(|half| !half.is_empty()).map(fold).collect();
        prop_assert_eq!(fold(&halves), wanted);
    }

    #[test]
    fn any_json_gives_findings_or_reasons_that_are_bounded(value in any_json()) {
        for source in SOURCES {
            let record = record(Some(json!({"region": "eu-west-1", "account": ACCOUNT, "time": "2026-11-21T10:00:00Z"})), &value);
            let read = findings(&record, source, &types(), Timestamp::EPOCH);
            prop_assert!(!read.found.is_empty() || !read.faults.is_empty());
            for fault in &read.faults {
                prop_assert!(fault.chars().count() < 400, "{fault}");
            }
        }
    }

    #[test]
    fn a_finding_with_anything_in_one_field_is_read_or_named(field in "(/resource|/service|/service/action|/service/detection/sequence|/title|/description|/severity|/id|/resource/s3BucketDetails)", value in any_json()) {
        let mut detail = guardduty(&json!({}));
        let mut change = value;
        for name in field.split('/').skip(1).collect::<Vec<_>>().into_iter().rev() {
            change = json!({name: change});
        }
        merge(&mut detail, &change);
        let read = read("aws.guardduty", "GuardDuty Finding", &detail);
        prop_assert_eq!(read.found.len() + read.faults.len(), 1);
        for reported in read.found {
            let finding = reported.finding;
            prop_assert!(finding.title.chars().count() <= 256);
            prop_assert!(finding.explanation.as_ref().is_none_or(|text| text.len() <= Finding::EXPLANATION_BYTES_MAX));
            prop_assert!(finding.resource.arn.account.is_empty() || finding.resource.arn.account == ACCOUNT);
            prop_assert!(finding.attack.len() <= 33);
            crate::ocsf::of_finding(&Reported { finding, facts: reported.facts });
        }
    }
}
