//! What is run over findings of AWS's detectors: each is read or named, what is read is bounded and about its own account, and
//! it can be written in OCSF.

use quell_model::{Finding, Origin, Record, RecordId, Timestamp};
use quell_normalize::finding::{FINDINGS_MAX, GuardDutyTypes, Source, findings, newer};
use quell_normalize::ocsf::of_finding;
use serde_json::value::RawValue;

/// A finding of GuardDuty.
pub fn guardduty(bytes: &[u8]) {
    read(bytes, Source::GuardDuty);
}

/// Findings of Security Hub CSPM.
pub fn asff(bytes: &[u8]) {
    read(bytes, Source::SecurityHub);
}

/// Findings of Security Hub.
pub fn ocsf_v2(bytes: &[u8]) {
    read(bytes, Source::SecurityHubV2);
}

/// Findings of the other products, whose form alone says whose they are.
pub fn other_findings(bytes: &[u8]) {
    for source in [
        Source::Inspector,
        Source::Macie,
        Source::AccessAnalyzer,
        Source::Config,
        Source::Health,
    ] {
        read(bytes, source);
    }
}

fn read(bytes: &[u8], source: Source) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(body) = serde_json::from_str::<Box<RawValue>>(text) else {
        return;
    };
    let record = Record {
        id: RecordId::of_bytes(bytes),
        origin: Origin::File {
            path: "fuzz".into(),
        },
        received_at: Timestamp::EPOCH,
        envelope: Some(
            serde_json::json!({"account": "111122223333", "region": "eu-west-1", "time": "2026-11-21T10:00:00Z"}),
        ),
        body,
    };
    let read = findings(
        &record,
        source,
        &GuardDutyTypes::default(),
        Timestamp::EPOCH,
    );
    assert!(!read.found.is_empty() || !read.faults.is_empty());
    assert!(read.found.len() <= FINDINGS_MAX);
    for fault in &read.faults {
        assert!(fault.chars().count() < 400, "{fault}");
    }
    let mut kept: Option<Finding> = None;
    for reported in &read.found {
        let finding = &reported.finding;
        assert!(finding.title.chars().count() <= 256);
        let account = &finding.report.as_ref().unwrap().account;
        let about = &finding.resource.arn.account;
        assert!(
            about.is_empty() || about == account,
            "{about} is not {account}"
        );
        let told = finding.explanation.as_ref();
        assert!(
            told.is_none_or(|text| text.len() <= Finding::EXPLANATION_BYTES_MAX
                && !text.contains(char::is_control))
        );
        let text = serde_json::to_string(finding).unwrap();
        assert_eq!(&serde_json::from_str::<Finding>(&text).unwrap(), finding);
        let line = of_finding(reported).to_line();
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        let (class, activity) = (
            event["class_uid"].as_u64().unwrap(),
            event["activity_id"].as_u64().unwrap(),
        );
        assert_eq!(event["type_uid"], class * 100 + activity);
        if let Some(before) = kept.take() {
            let (there, back) = (
                newer(before.clone(), finding.clone()),
                newer(finding.clone(), before),
            );
            assert_eq!(there, back);
            kept = Some(there);
        } else {
            kept = Some(finding.clone());
        }
    }
}
