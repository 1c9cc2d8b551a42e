//! AWS Security Hub CSPM: the AWS Security Finding Format.
//!
//! Whoever may call `BatchImportFindings` writes findings of a custom product, with whatever title, severity, resource and
//! company name they like. Only the product's ARN, which Security Hub checks, tells them from AWS's.

use quell_model::{Product, ReportState, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::draft::{Draft, Whose};
use super::facts::{Compliance, ComplianceStatus, Detection, Facts, Vulnerability};
use super::look::{LIST_MAX, is_true, items, moment, name, names, need, need_moment, text, wrong};
use super::types::GuardDutyTypes;
use super::weakness::{packages, scores};

pub(super) fn read(value: &Value, types: &GuardDutyTypes) -> Result<Draft, FindingError> {
    let product_arn = need(value, "/ProductArn")?;
    let account = need(value, "/AwsAccountId")?;
    let updated_at = need_moment(value, "/UpdatedAt")?;
    let region =
        text(value, "/Region").or_else(|| product_arn.split(':').nth(3).filter(|r| !r.is_empty()));
    let whose = Whose {
        product: Product::SecurityHub,
        uid: need(value, "/Id")?,
        account,
        region: region.ok_or(FindingError::Missing { field: "/Region" })?,
        updated_at,
    };
    let control = text(value, "/Compliance/SecurityControlId");
    let kind = control
        .or_else(|| text(value, "/Types/0"))
        .unwrap_or(need(value, "/GeneratorId")?);
    let mut draft = Draft::new(&whose, kind, severity(value)?)?;
    draft.title = name(need(value, "/Title")?);
    draft.explanation = text(value, "/Description").unwrap_or_default().to_owned();
    draft.first = moment(value, "/FirstObservedAt")?.or(moment(value, "/CreatedAt")?);
    draft.last = moment(value, "/LastObservedAt")?;
    draft.sample = is_true(value, "/Sample") || draft.title.starts_with("[SAMPLE]");
    draft.set_state(state(value));
    let role = text(
        value,
        "/ProductFields/aws~1guardduty~1service~1resourceRole",
    );
    if own_product(product_arn) == Some("guardduty") {
        draft.set_part(role);
    }
    draft.outsider = outsider_of(
        own_product(product_arn),
        guardduty_type(value).as_deref(),
        role == Some("ACTOR"),
        types,
    );
    draft.resource = items(value, "/Resources")
        .iter()
        .find_map(|resource| about::arn(text(resource, "/Id")?, account, None));
    draft.attack = Vec::new();
    if let Some(known) = guardduty_type(value).and_then(|kind| types.get(&kind).cloned()) {
        draft.attack = known.attack;
    }
    draft.facts = facts(value, kind);
    Ok(draft)
}

/// The label, else what it was normalised to, else what the product says.
fn severity(value: &Value) -> Result<Severity, FindingError> {
    let label = ["/Severity/Label", "/FindingProviderFields/Severity/Label"];
    let label = label.iter().find_map(|pointer| text(value, pointer));
    if let Some(label) = label {
        let found = Severity::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(label));
        return found
            .ok_or_else(|| wrong("/Severity/Label", label, "one of Security Hub's labels"));
    }
    let number = value
        .pointer("/Severity/Normalized")
        .ok_or(FindingError::Missing {
            field: "/Severity/Label",
        })?;
    match number.as_u64() {
        Some(0) => Ok(Severity::Informational),
        Some(1..=39) => Ok(Severity::Low),
        Some(40..=69) => Ok(Severity::Medium),
        Some(70..=89) => Ok(Severity::High),
        Some(90..=100) => Ok(Severity::Critical),
        _ => Err(wrong(
            "/Severity/Normalized",
            &number.to_string(),
            "a whole number from 0 to 100",
        )),
    }
}

fn state(value: &Value) -> ReportState {
    let workflow = text(value, "/Workflow/Status").or_else(|| text(value, "/WorkflowState"));
    match (text(value, "/RecordState"), workflow) {
        (Some("ARCHIVED"), _) => ReportState::Archived,
        (_, Some("SUPPRESSED")) => ReportState::Suppressed,
        (_, Some("RESOLVED")) => ReportState::Resolved,
        _ if text(value, "/Compliance/Status") == Some("PASSED") => ReportState::Resolved,
        _ => ReportState::Active,
    }
}

/// The name of AWS's own product behind a finding; none when it is a custom product's or a partner's.
pub(super) fn own_product(product_arn: &str) -> Option<&str> {
    let arn: quell_model::Arn = product_arn.parse().ok()?;
    let own = arn.service == "securityhub" && arn.account.is_empty();
    // Borrowed from the argument, so that nobody looks at another text than the one that was checked.
    let product = product_arn
        .rsplit_once("product/aws/")
        .map(|(_, product)| product)?;
    let exact =
        arn.resource.strip_prefix("product/aws/") == Some(product) && !product.contains('/');
    (own && exact).then_some(product)
}

/// Why somebody else may be behind a finding of one of AWS's own products, or of none of them.
pub(super) fn outsider_of(
    product: Option<&str>,
    guardduty_type: Option<&str>,
    is_actor: bool,
    types: &GuardDutyTypes,
) -> Option<&'static str> {
    match product {
        None => Some(
            "it is a custom product's finding, which anybody with BatchImportFindings may write",
        ),
        Some("guardduty") => match guardduty_type.and_then(|kind| types.get(kind)) {
            Some(known) => known.outsider.reason(is_actor),
            None => Some("this type of GuardDuty's is not known"),
        },
        Some("macie") => Some("what is in a bucket may have been uploaded from outside"),
        Some(
            "securityhub"
            | "inspector"
            | "access-analyzer"
            | "config"
            | "firewall-manager"
            | "health"
            | "ssm-patch-manager"
            | "securityhub-exposure-detection",
        ) => None,
        Some(_) => Some("how this product of AWS's finds is not known"),
    }
}

/// GuardDuty's type in ASFF: `TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce`.
fn guardduty_type(value: &Value) -> Option<String> {
    let last = text(value, "/Types/0")?.rsplit('/').next()?;
    let (purpose, rest) = last.split_once(':')?;
    let (resource, family) = rest.split_once('-')?;
    Some(format!("{purpose}:{resource}/{family}"))
}

fn facts(value: &Value, kind: &str) -> Facts {
    let vulnerabilities = items(value, "/Vulnerabilities");
    if !vulnerabilities.is_empty() {
        return Facts::Vulnerability(
            vulnerabilities
                .iter()
                .take(LIST_MAX)
                .map(vulnerability)
                .collect(),
        );
    }
    if value.pointer("/Compliance/Status").is_some() {
        return Facts::Compliance(compliance(value, kind));
    }
    let detection = Detection {
        kind: name(text(value, "/Types/0").unwrap_or(kind)),
        remote_ip: text(
            value,
            "/Action/AwsApiCallAction/RemoteIpDetails/IpAddressV4",
        )
        .or_else(|| {
            text(
                value,
                "/Action/NetworkConnectionAction/RemoteIpDetails/IpAddressV4",
            )
        })
        .filter(|address| address.parse::<std::net::IpAddr>().is_ok())
        .map(str::to_owned),
        service: text(value, "/Action/AwsApiCallAction/ServiceName").map(name),
        operation: text(value, "/Action/AwsApiCallAction/Api").map(name),
        domain: text(value, "/Action/DnsRequestAction/Domain").map(name),
        ..Detection::default()
    };
    Facts::Detection(Box::new(detection))
}

fn compliance(value: &Value, kind: &str) -> Compliance {
    let standards = items(value, "/Compliance/AssociatedStandards").iter();
    Compliance {
        control: name(kind),
        standards: standards
            .filter_map(|standard| text(standard, "/StandardsId"))
            .take(LIST_MAX)
            .map(name)
            .collect(),
        requirements: names(value, "/Compliance/RelatedRequirements"),
        status: match text(value, "/Compliance/Status") {
            Some("PASSED") => ComplianceStatus::Pass,
            Some("WARNING") => ComplianceStatus::Warning,
            Some("FAILED") => ComplianceStatus::Fail,
            _ => ComplianceStatus::Unknown,
        },
        detail: text(value, "/Compliance/StatusReasons/0/ReasonCode").map(name),
    }
}

fn vulnerability(value: &Value) -> Vulnerability {
    let yes = |pointer| text(value, pointer).map(|answer| answer == "YES");
    Vulnerability {
        cve: text(value, "/Id").map(name),
        cvss: scores(value, "/Cvss", ["/Version", "/BaseScore", "/BaseVector"]),
        packages: packages(
            value,
            "/VulnerablePackages",
            ["/Name", "/Version", "/FixedInVersion", "/Architecture"],
        ),
        fix_available: yes("/FixAvailable"),
        exploit_available: yes("/ExploitAvailable"),
        references: names(value, "/ReferenceUrls"),
        vendor: text(value, "/Vendor/Name").map(name),
        ..Vulnerability::default()
    }
}
