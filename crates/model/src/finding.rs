//! What a detection says.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Actor, FindingId, Initiator, RecordId, Resource, Timestamp};

/// How bad, in Security Hub's words and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// GuardDuty 1.0–3.9.
    Low,
    /// GuardDuty 4.0–6.9.
    Medium,
    /// GuardDuty 7.0–8.9.
    High,
    /// GuardDuty 9.0–10.
    Critical,
}

impl Severity {
    /// All, from the least to the worst.
    pub const ALL: [Severity; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word on screen, in rules and in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Whose finding it is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Product {
    /// A detection of Quell's own.
    #[default]
    Quell,
    /// Amazon GuardDuty.
    GuardDuty,
    /// AWS Security Hub.
    SecurityHub,
    /// Amazon Inspector.
    Inspector,
    /// Amazon Macie.
    Macie,
    /// IAM Access Analyzer.
    AccessAnalyzer,
    /// AWS Config.
    Config,
    /// AWS Health.
    Health,
}

impl Product {
    /// The name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quell => "Quell",
            Self::GuardDuty => "GuardDuty",
            Self::SecurityHub => "Security Hub",
            Self::Inspector => "Inspector",
            Self::Macie => "Macie",
            Self::AccessAnalyzer => "Access Analyzer",
            Self::Config => "Config",
            Self::Health => "Health",
        }
    }
}

/// What becomes of a finding in the product that made it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum ReportState {
    /// It stands.
    #[default]
    Active,
    /// Put aside, by a person or a rule there.
    Archived,
    /// Not to be told of, by a person or a rule there.
    Suppressed,
    /// What it was about is no more.
    Resolved,
}

/// What part the resource of a finding has in what happened, where its product says so (GuardDuty's `resourceRole`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// It did it.
    Actor,
    /// It was done to it.
    Target,
}

/// What another product says of a finding of its own, beside what every finding has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The product's own id of it.
    pub uid: String,
    /// The account it is about (twelve digits).
    pub account: String,
    /// The Region it is about.
    pub region: String,
    /// When the product last changed it.
    pub updated_at: Timestamp,
    /// What became of it there.
    #[serde(default)]
    pub state: ReportState,
    /// What part the resource has in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// What one detection says of one resource because of one record, or because of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// The fields that came later have values that follow from others: see `Deserialize` below.
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct Finding {
    /// Made from detection, record and resource; that of a correlation from detection, group and stretch of time; that of
    /// another product from product, account, Region and its own id, so that its updates are one.
    pub id: FindingId,
    /// The detection's id (its path under `content/detections`, without the ending).
    pub detection: String,
    /// The detection's title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Whose finding it is.
    #[serde(default)]
    pub product: Product,
    /// The record it rests on; the last one, when there are several.
    pub record: RecordId,
    /// The records it rests on, in order of time: the last [`Finding::RECORDS_MAX`] of them.
    #[serde(default)]
    pub records: Vec<RecordId>,
    /// How many records it rests on in all; of another product's, how often it says that it happened.
    #[serde(default)]
    pub record_count: u64,
    /// CloudTrail's `eventName` of the last record.
    pub event_name: String,
    /// When the first of it happened.
    #[serde(default)]
    pub first_event_time: Timestamp,
    /// When the last of it happened.
    pub event_time: Timestamp,
    /// When the finding was made.
    pub detected_at: Timestamp,
    /// What it is about: the resource that the call changed, else the principal.
    pub resource: Resource,
    /// Who did it, as a resource: the user, the role behind a session, or the account when no more is known.
    pub principal: Resource,
    /// Who did it.
    pub actor: Actor,
    /// Who began the sessions that it was done through, in whatever account, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Initiator>,
    /// ATT&CK technique ids.
    #[serde(default)]
    pub attack: Vec<String>,
    /// Its product says that it is a sample and nothing happened.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sample: bool,
    /// Somebody outside the organisation can cause it at will: by itself it never begins a change.
    #[serde(default, skip_serializing_if = "is_false")]
    pub outsider: bool,
    /// Why, in words, where the title does not say it: at most [`Finding::EXPLANATION_BYTES_MAX`] bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// What another product says of it; none of Quell's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

impl Finding {
    /// So many records are named: the rest are counted.
    pub const RECORDS_MAX: usize = 100;
    /// A page of text; who writes an explanation cuts it.
    pub const EXPLANATION_BYTES_MAX: usize = 2000;

    /// Whether it may begin a change by itself: it is no sample, no outsider can cause it, and where it came from it
    /// still stands.
    pub fn may_begin_a_change(&self) -> bool {
        !self.outsider && self.stands()
    }

    /// Whether it says something of the world as it is: it is no sample, and where it came from it still stands.
    pub fn stands(&self) -> bool {
        let stands = |report: &Report| report.state == ReportState::Active;
        !self.sample && self.report.as_ref().is_none_or(stands)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Finding {
    /// A finding stored before it could rest on several records rests on the one it names.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut finding = Self::deserialize(deserializer)?;
        if finding.records.is_empty() {
            finding.records.push(finding.record.clone());
            finding.record_count = 1;
            finding.first_event_time = finding.event_time;
        }
        Ok(finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 0.1 stored it.
    const OLD: &str = r#"{"id":"fnd-1","detection":"d","title":"T","severity":"HIGH","record":"rec-1","eventName":"E",
        "eventTime":"2026-11-21T10:00:00.000Z","detectedAt":"2026-11-21T10:00:01.000Z",
        "resource":{"arn":"arn:aws:iam::111122223333:user/eve","type":"AWS::IAM::User","id":"eve"},
        "principal":{"arn":"arn:aws:iam::111122223333:user/eve","type":"AWS::IAM::User","id":"eve"},
        "actor":{"kind":"IAMUser"},"attack":["T1562"]}"#;

    #[test]
    fn one_stored_before_there_were_several_records_rests_on_its_own() {
        let finding: Finding = serde_json::from_str(OLD).unwrap();
        assert_eq!(finding.records, vec![finding.record.clone()]);
        assert_eq!(finding.record_count, 1);
        assert_eq!(finding.first_event_time, finding.event_time);
        assert_eq!(finding.product, Product::Quell);
        assert!(!finding.sample && !finding.outsider);
    }

    #[test]
    fn a_sample_and_what_an_outsider_can_cause_begin_no_change_nor_does_what_stands_no_more() {
        let finding: Finding = serde_json::from_str(OLD).unwrap();
        assert!(finding.may_begin_a_change());
        let report = |state| Report {
            uid: "f-1".into(),
            account: "111122223333".into(),
            region: "us-east-1".into(),
            updated_at: Timestamp::EPOCH,
            state,
            part: None,
        };
        for (sample, outsider, state, may) in [
            (false, false, ReportState::Active, true),
            (true, false, ReportState::Active, false),
            (false, true, ReportState::Active, false),
            (false, false, ReportState::Archived, false),
            (false, false, ReportState::Suppressed, false),
            (false, false, ReportState::Resolved, false),
        ] {
            let report = Some(report(state));
            let finding = Finding {
                sample,
                outsider,
                report,
                ..finding.clone()
            };
            assert_eq!(finding.may_begin_a_change(), may);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut finding: Finding = serde_json::from_str(OLD).unwrap();
        finding.product = Product::GuardDuty;
        finding.records.push("rec-2".parse().unwrap());
        finding.record_count = 7;
        finding.first_event_time = Timestamp::from_millis(5);
        (finding.sample, finding.outsider) = (true, true);
        finding.explanation = Some("why".into());
        finding.report = Some(Report {
            uid: "f-1".into(),
            account: "111122223333".into(),
            region: "us-east-1".into(),
            updated_at: Timestamp::from_millis(7),
            state: ReportState::Archived,
            part: None,
        });
        let text = serde_json::to_string(&finding).unwrap();
        assert!(text.contains(r#""product":"guardDuty""#), "{text}");
        assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
    }
}
