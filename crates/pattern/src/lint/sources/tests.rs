use crate::Pattern;
use crate::lint::tests::kinds;
use crate::lint::{Kind, lint};

const REQUIREMENT: &str = r#"{
    "source": ["aws.config", "aws.guardduty"],
    "detail-type": ["Config Rules Compliance Change", "GuardDuty Finding"],
    "detail": {
        "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
        "severity": [7.0, 8.0, 8.5, 9.0]
    }
}"#;

#[test]
fn fields_of_two_sources_become_two_patterns() {
    let warnings = lint(&Pattern::parse(REQUIREMENT).unwrap());
    let mixed = warnings
        .iter()
        .find(|w| w.kind() == Kind::MixedSources)
        .unwrap();
    assert_eq!(
        mixed.suggestions(),
        [
            r#"{"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"], "detail": {"severity": [7.0, 8.0, 8.5, 9.0]}}"#,
            r#"{"source": ["aws.config"], "detail-type": ["Config Rules Compliance Change"], "detail": {"newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]}}}"#,
        ]
    );
    assert_eq!(
        kinds(REQUIREMENT),
        ["mixed-sources -", "exact-severity detail.severity"]
    );
    for suggestion in mixed.suggestions() {
        let left = kinds(suggestion);
        assert!(
            left.iter().all(|kind| kind.starts_with("exact-severity")),
            "{left:?}"
        );
    }
}

#[test]
fn sources_alone_are_enough_to_tell() {
    let pattern = r#"{"source": ["aws.config", "aws.guardduty"], "detail": {"newEvaluationResult.complianceType": ["NON_COMPLIANT"], "severity": [{"numeric": [">=", 7]}]}}"#;
    assert_eq!(kinds(pattern), ["mixed-sources -"]);
    let of_one = r#"{"source": ["aws.config", "aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 7]}]}}"#;
    assert_eq!(kinds(of_one), [""; 0]);
}

#[test]
fn a_source_that_a_field_shuts_out() {
    let pattern = r#"{"detail-type": ["Config Rules Compliance Change", "GuardDuty Finding"], "detail": {"severity": [{"numeric": [">=", 7]}]}}"#;
    assert_eq!(kinds(pattern), ["dead-source detail.severity"]);
    let absent = pattern.replace("]}]", "]}, {\"exists\": false}]");
    assert_eq!(kinds(&absent), [""; 0], "it may be absent");
}

#[test]
fn pairs_that_do_not_belong_together() {
    for (source, detail_type, expected) in [
        ("aws.ec2", "GuardDuty Finding", "mismatch detail-type"),
        (
            "aws.cloudtrail",
            "AWS Console Sign In via CloudTrail",
            "mismatch detail-type",
        ),
        (
            "com.example",
            "AWS API Call via CloudTrail",
            "mismatch detail-type",
        ),
        (
            "aws.guardduty",
            "GuardDuty finding",
            "letter-case detail-type",
        ),
        ("AWS.guardduty", "x", "letter-case source"),
    ] {
        let pattern = format!(r#"{{"source": ["{source}"], "detail-type": ["{detail_type}"]}}"#);
        assert_eq!(kinds(&pattern), [expected], "{pattern}");
    }
    assert_eq!(
        kinds(r#"{"source": ["aws.ec2", "aws.guardduty"], "detail-type": ["GuardDuty Finding"]}"#),
        ["mismatch source"]
    );
    assert_eq!(
        kinds(r#"{"source": ["aws.ec2"], "detail-type": ["Something new"]}"#),
        [""; 0]
    );
}

#[test]
fn the_source_of_a_call_is_the_service() {
    let pattern = r#"{"source": ["aws.cloudtrail"], "detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventSource": ["s3.amazonaws.com"]}}"#;
    let warnings = lint(&Pattern::parse(pattern).unwrap());
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0].suggestions(),
        [pattern.replace("aws.cloudtrail", "aws.s3")]
    );
    let own = pattern.replace("s3.amazonaws", "cloudtrail.amazonaws");
    assert_eq!(kinds(&own), [""; 0]);
}

#[test]
fn fields_that_no_such_event_has() {
    for (pattern, path) in [
        (
            r#"{"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventname": ["X"]}}"#,
            "detail.eventname",
        ),
        (
            r#"{"detail-type": ["Security Hub Findings - Imported"], "detail": {"Severity": {"Label": ["HIGH"]}}}"#,
            "detail.Severity.Label",
        ),
        (r#"{"source": ["aws.s3"], "eventName": ["X"]}"#, "eventName"),
        (
            r#"{"source": ["aws.s3"], "detailType": ["X"]}"#,
            "detailType",
        ),
    ] {
        assert_eq!(
            kinds(pattern),
            [format!("unknown-field {path}")],
            "{pattern}"
        );
    }
}
