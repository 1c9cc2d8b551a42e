//! AWS Security Hub: findings in OCSF, of whichever version it writes today.

use quell_model::{Product, ReportState, Severity};
use serde_json::Value;

use super::FindingError;
use super::about;
use super::asff::{outsider_of, own_product};
use super::draft::{Draft, Whose};
use super::facts::{Compliance, ComplianceStatus, Detection, Facts, Vulnerability};
use super::look::{LIST_MAX, items, moment, name, names, need, text, wrong};
use super::types::GuardDutyTypes;
use super::weakness::{packages, scores};

pub(super) fn read(value: &Value, types: &GuardDutyTypes) -> Result<Draft, FindingError> {
    let class = class(value)?;
    let account = need(value, "/cloud/account/uid")?;
    let updated = [
        "/finding_info/modified_time_dt",
        "/finding_info/modified_time",
        "/time_dt",
        "/time",
    ];
    let updated = first_moment(value, &updated)?.ok_or(FindingError::Missing { field: "/time" })?;
    let product_arn = text(value, "/metadata/product/uid").unwrap_or_default();
    let whose = Whose {
        product: Product::SecurityHub,
        uid: need(value, "/finding_info/uid")?,
        account,
        region: need(value, "/cloud/region")?,
        updated_at: updated,
    };
    let kind = text(value, "/compliance/control").or_else(|| text(value, "/finding_info/types/0"));
    let kind = kind
        .or_else(|| text(value, "/class_name"))
        .unwrap_or("Finding");
    let mut draft = Draft::new(&whose, kind, severity(value)?)?;
    draft.title = name(need(value, "/finding_info/title")?);
    draft.explanation = text(value, "/finding_info/desc")
        .unwrap_or_default()
        .to_owned();
    draft.first = first_moment(
        value,
        &[
            "/finding_info/first_seen_time_dt",
            "/finding_info/first_seen_time",
            "/finding_info/created_time_dt",
            "/finding_info/created_time",
        ],
    )?;
    draft.last = first_moment(
        value,
        &[
            "/finding_info/last_seen_time_dt",
            "/finding_info/last_seen_time",
        ],
    )?;
    draft.sample = draft.title.starts_with("[SAMPLE]");
    draft.set_state(state(value));
    let types_text = text(value, "/finding_info/types/0").map(guardduty_type);
    draft.outsider = outsider_of(
        own_product(product_arn),
        types_text.as_deref(),
        false,
        types,
    );
    draft.resource = items(value, "/resources")
        .iter()
        .find_map(|resource| about::arn(text(resource, "/uid")?, account, text(resource, "/type")));
    for attack in items(value, "/finding_info/attacks").iter().take(LIST_MAX) {
        for place in ["/sub_technique/uid", "/technique/uid"] {
            if let Some(technique) = attack.pointer(place) {
                draft.add_attack(technique);
            }
        }
    }
    draft.facts = match class {
        2002 => Facts::Vulnerability(
            items(value, "/vulnerabilities")
                .iter()
                .take(LIST_MAX)
                .map(vulnerability)
                .collect(),
        ),
        2003 => Facts::Compliance(compliance(value, kind)),
        _ => Facts::Detection(Box::new(Detection {
            kind: name(kind),
            ..Detection::default()
        })),
    };
    Ok(draft)
}

/// OCSF's category «Findings».
fn class(value: &Value) -> Result<u64, FindingError> {
    let found = value.pointer("/class_uid").ok_or(FindingError::Missing {
        field: "/class_uid",
    })?;
    let class = found.as_u64().filter(|class| (2001..2100).contains(class));
    class.ok_or_else(|| wrong("/class_uid", &found.to_string(), "a class of findings"))
}

fn first_moment(
    value: &Value,
    places: &[&'static str],
) -> Result<Option<quell_model::Timestamp>, FindingError> {
    for place in places {
        if let Some(time) = moment(value, place)? {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

/// «Unknown» and «Other» count as medium: what nobody has judged is not hidden.
fn severity(value: &Value) -> Result<Severity, FindingError> {
    let found = value.pointer("/severity_id").ok_or(FindingError::Missing {
        field: "/severity_id",
    })?;
    match found.as_u64() {
        Some(1) => Ok(Severity::Informational),
        Some(2) => Ok(Severity::Low),
        Some(0 | 3 | 99) => Ok(Severity::Medium),
        Some(4) => Ok(Severity::High),
        Some(5 | 6) => Ok(Severity::Critical),
        _ => Err(wrong(
            "/severity_id",
            &found.to_string(),
            "one of OCSF's severities",
        )),
    }
}

fn state(value: &Value) -> ReportState {
    let number = |place| value.pointer(place).and_then(Value::as_u64);
    match (number("/activity_id"), number("/status_id")) {
        (_, Some(5 | 6)) => ReportState::Archived,
        (_, Some(3)) => ReportState::Suppressed,
        (Some(3), _) | (_, Some(4)) => ReportState::Resolved,
        _ if number("/compliance/status_id") == Some(1) => ReportState::Resolved,
        _ => ReportState::Active,
    }
}

/// GuardDuty's own type, which is here as it is, or in ASFF's spelling.
fn guardduty_type(text: &str) -> String {
    let last = text.rsplit_once("TTPs/").map_or(text, |(_, rest)| rest);
    let last = if last.contains(':') && last.find('/') < last.find(':') {
        last.rsplit('/').next().unwrap_or(last)
    } else {
        last
    };
    match last.split_once(':') {
        Some((purpose, rest)) if !rest.contains('/') => {
            format!("{purpose}:{}", rest.replacen('-', "/", 1))
        }
        _ => last.to_owned(),
    }
}

fn compliance(value: &Value, kind: &str) -> Compliance {
    Compliance {
        control: name(kind),
        standards: names(value, "/compliance/standards"),
        requirements: names(value, "/compliance/requirements"),
        status: match value
            .pointer("/compliance/status_id")
            .and_then(Value::as_u64)
        {
            Some(1) => ComplianceStatus::Pass,
            Some(2) => ComplianceStatus::Warning,
            Some(3) => ComplianceStatus::Fail,
            _ => ComplianceStatus::Unknown,
        },
        detail: text(value, "/compliance/status_detail").map(name),
    }
}

fn vulnerability(value: &Value) -> Vulnerability {
    let truth = |pointer| value.pointer(pointer).and_then(Value::as_bool);
    Vulnerability {
        cve: text(value, "/cve/uid").map(name),
        cwe: text(value, "/cwe/uid").map(name),
        cvss: scores(
            value,
            "/cve/cvss",
            ["/version", "/base_score", "/vector_string"],
        ),
        packages: packages(
            value,
            "/affected_packages",
            ["/name", "/version", "/fixed_in_version", "/architecture"],
        ),
        fix_available: truth("/is_fix_available"),
        exploit_available: truth("/is_exploit_available"),
        references: names(value, "/references"),
        vendor: text(value, "/vendor_name").map(name),
    }
}

#[cfg(test)]
mod tests {
    use super::guardduty_type;

    #[test]
    fn the_type_is_found_in_both_spellings() {
        for text in [
            "UnauthorizedAccess:EC2/SSHBruteForce",
            "TTPs/UnauthorizedAccess:EC2/SSHBruteForce",
            "TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce",
        ] {
            assert_eq!(guardduty_type(text), "UnauthorizedAccess:EC2/SSHBruteForce");
        }
        assert_eq!(guardduty_type("Exposure"), "Exposure");
    }
}
