//! Whose findings a record holds.

use quell_model::Record;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

/// A product, and the form in which its findings come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Amazon GuardDuty.
    GuardDuty,
    /// AWS Security Hub CSPM: ASFF.
    SecurityHub,
    /// AWS Security Hub: OCSF.
    SecurityHubV2,
    /// Amazon Inspector.
    Inspector,
    /// Amazon Macie.
    Macie,
    /// IAM Access Analyzer.
    AccessAnalyzer,
    /// A rule of AWS Config.
    Config,
    /// AWS Health.
    Health,
}

/// `source` and `detail-type` of the events on EventBridge.
const EVENTS: [(&str, &str, Source); 13] = [
    ("aws.guardduty", "GuardDuty Finding", Source::GuardDuty),
    (
        "aws.securityhub",
        "Security Hub Findings - Imported",
        Source::SecurityHub,
    ),
    (
        "aws.securityhub",
        "Security Hub Findings - Custom Action",
        Source::SecurityHub,
    ),
    (
        "aws.securityhub",
        "Findings Imported V2",
        Source::SecurityHubV2,
    ),
    ("aws.inspector2", "Inspector2 Finding", Source::Inspector),
    ("aws.macie", "Macie Finding", Source::Macie),
    ("aws.macie2", "Macie Finding", Source::Macie),
    (
        "aws.access-analyzer",
        "Access Analyzer Finding",
        Source::AccessAnalyzer,
    ),
    (
        "aws.access-analyzer",
        "Unused Access Finding for IAM entities",
        Source::AccessAnalyzer,
    ),
    (
        "aws.access-analyzer",
        "Internal Access Finding",
        Source::AccessAnalyzer,
    ),
    (
        "aws.config",
        "Config Rules Compliance Change",
        Source::Config,
    ),
    ("aws.health", "AWS Health Event", Source::Health),
    ("aws.health", "AWS Health Abuse Event", Source::Health),
];

impl Source {
    /// Whose findings a record holds; none when it holds no findings. In an envelope, its source and type alone say so:
    /// whatever an event of somebody else's looks like, it is no finding of AWS's. From a file, the fields say so.
    pub fn of(record: &Record) -> Option<Self> {
        match &record.envelope {
            Some(envelope) => {
                let text = |field| envelope.get(field).and_then(Value::as_str);
                let (source, kind) = (text("source")?, text("detail-type")?);
                let found = EVENTS
                    .iter()
                    .find(|event| event.0 == source && event.1 == kind);
                found.map(|event| event.2)
            }
            None => Self::of_form(record.body.get()),
        }
    }

    /// Whose findings an object is, by its fields.
    pub(crate) fn of_form(text: &str) -> Option<Self> {
        if let Ok(list) = serde_json::from_str::<List<'_>>(text)
            && let Some(findings) = list.findings
        {
            return One::read(findings.first()?.get()).filter(|source| source.is_list());
        }
        One::read(text)
    }

    /// Whether one record may hold several.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::SecurityHub | Self::SecurityHubV2)
    }
}

/// Several in one object, as Security Hub answers and sends them.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, alias = "Findings")]
    findings: Option<Vec<&'a RawValue>>,
}

/// The fields that tell one product's finding from another's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    #[serde(rename = "ProductArn")]
    product_arn: Option<IgnoredAny>,
    #[serde(rename = "AwsAccountId")]
    asff_account: Option<IgnoredAny>,
    #[serde(rename = "class_uid")]
    class_uid: Option<IgnoredAny>,
    #[serde(rename = "finding_info")]
    finding_info: Option<IgnoredAny>,
    finding_arn: Option<IgnoredAny>,
    aws_account_id: Option<IgnoredAny>,
    schema_version: Option<IgnoredAny>,
    service: Option<IgnoredAny>,
    resource: Option<IgnoredAny>,
    resources_affected: Option<IgnoredAny>,
    category: Option<IgnoredAny>,
    analyzed_at: Option<IgnoredAny>,
    resource_type: Option<IgnoredAny>,
    config_rule_name: Option<IgnoredAny>,
    new_evaluation_result: Option<IgnoredAny>,
    event_arn: Option<IgnoredAny>,
    event_type_code: Option<IgnoredAny>,
}

impl One {
    fn read(text: &str) -> Option<Source> {
        serde_json::from_str::<Self>(text).ok()?.source()
    }

    fn source(&self) -> Option<Source> {
        let forms = [
            (
                self.product_arn.is_some() && self.asff_account.is_some(),
                Source::SecurityHub,
            ),
            (
                self.class_uid.is_some() && self.finding_info.is_some(),
                Source::SecurityHubV2,
            ),
            (
                self.finding_arn.is_some() && self.aws_account_id.is_some(),
                Source::Inspector,
            ),
            (
                self.resources_affected.is_some() && self.category.is_some(),
                Source::Macie,
            ),
            (
                self.schema_version.is_some() && self.service.is_some() && self.resource.is_some(),
                Source::GuardDuty,
            ),
            (
                self.analyzed_at.is_some() && self.resource_type.is_some(),
                Source::AccessAnalyzer,
            ),
            (
                self.config_rule_name.is_some() && self.new_evaluation_result.is_some(),
                Source::Config,
            ),
            (
                self.event_arn.is_some() && self.event_type_code.is_some(),
                Source::Health,
            ),
        ];
        forms.iter().find(|(is, _)| *is).map(|(_, source)| *source)
    }
}
