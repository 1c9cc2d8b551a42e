//! Amazon Inspector: weaknesses of packages and code, and ports that can be reached.

use quell_model::{Product, ReportState, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::draft::{Draft, Whose};
use super::facts::{Detection, Facts, Vulnerability};
use super::look::{LIST_MAX, items, moment, name, names, need, need_moment, text, wrong};
use super::weakness::{packages, scores};

pub(super) fn read(value: &Value, envelope: Option<&Value>) -> Result<Draft, FindingError> {
    let (uid, account, kind) = (
        need(value, "/findingArn")?,
        need(value, "/awsAccountId")?,
        need(value, "/type")?,
    );
    let updated_at = match moment(value, "/updatedAt")? {
        Some(time) => time,
        None => need_moment(value, "/lastObservedAt")?,
    };
    let in_arn = uid.split(':').nth(3).filter(|region| !region.is_empty());
    let region = in_arn.or_else(|| text(envelope?, "/region"));
    let region = region.ok_or(FindingError::Missing {
        field: "/findingArn",
    })?;
    let whose = Whose {
        product: Product::Inspector,
        uid,
        account,
        region,
        updated_at,
    };
    let mut draft = Draft::new(&whose, kind, severity(value)?)?;
    if let Some(title) = text(value, "/title") {
        draft.title = name(title);
    }
    draft.explanation = text(value, "/description").unwrap_or_default().to_owned();
    draft.first = moment(value, "/firstObservedAt")?;
    draft.last = moment(value, "/lastObservedAt")?;
    draft.set_state(match text(value, "/status") {
        Some("SUPPRESSED") => ReportState::Suppressed,
        Some("CLOSED") => ReportState::Resolved,
        _ => ReportState::Active,
    });
    let region = draft.region();
    draft.resource = items(value, "/resources").iter().find_map(|resource| {
        let id = text(resource, "/id")?;
        match text(resource, "/type") {
            Some("AWS_EC2_INSTANCE") if !id.starts_with("arn:") => {
                crate::resource::of_id("AWS::EC2::Instance", id, account, region)
            }
            Some("AWS_ECR_CONTAINER_IMAGE") => {
                about::arn(id.split("/sha256:").next()?, account, None)
            }
            _ => about::arn(id, account, None),
        }
    });
    draft.facts = facts(value, kind);
    Ok(draft)
}

/// Not triaged yet counts as low: it is a weakness without a score.
fn severity(value: &Value) -> Result<Severity, FindingError> {
    let label = need(value, "/severity")?;
    if label == "UNTRIAGED" {
        return Ok(Severity::Low);
    }
    let found = Severity::ALL
        .into_iter()
        .find(|severity| severity.as_str().eq_ignore_ascii_case(label));
    found.ok_or_else(|| wrong("/severity", label, "one of Inspector's severities"))
}

fn facts(value: &Value, kind: &str) -> Facts {
    let yes = |pointer| text(value, pointer).map(|answer| answer == "YES");
    let package = value
        .pointer("/packageVulnerabilityDetails")
        .unwrap_or(&Value::Null);
    let common = Vulnerability {
        fix_available: yes("/fixAvailable"),
        exploit_available: yes("/exploitAvailable"),
        ..Vulnerability::default()
    };
    if let Some(id) = text(package, "/vulnerabilityId") {
        return Facts::Vulnerability(vec![of_package(package, id, common)]);
    }
    let code = items(value, "/codeVulnerabilityDetails/cwes");
    if !code.is_empty() {
        let cwes = code.iter().filter_map(Value::as_str).take(LIST_MAX);
        return Facts::Vulnerability(
            cwes.map(|cwe| Vulnerability {
                cwe: Some(name(cwe)),
                ..common.clone()
            })
            .collect(),
        );
    }
    let port = value.pointer("/networkReachabilityDetails/openPortRange/begin");
    Facts::Detection(Box::new(Detection {
        kind: name(kind),
        local_port: port
            .and_then(Value::as_u64)
            .and_then(|port| u16::try_from(port).ok()),
        protocol: text(value, "/networkReachabilityDetails/protocol").map(name),
        ..Detection::default()
    }))
}

fn of_package(package: &Value, id: &str, common: Vulnerability) -> Vulnerability {
    Vulnerability {
        cve: Some(name(id)),
        cvss: scores(
            package,
            "/cvss",
            ["/version", "/baseScore", "/scoringVector"],
        ),
        packages: packages(
            package,
            "/vulnerablePackages",
            ["/name", "/version", "/fixedInVersion", "/arch"],
        ),
        references: names(package, "/referenceUrls"),
        vendor: text(package, "/source").map(name),
        ..common
    }
}
