//! Findings: Detection Finding (2004), Compliance Finding (2003), Vulnerability Finding (2002).

use quell_model::{Finding, ReportState, Resource};
use serde_json::{Value, json};

use super::OcsfEvent;
use super::base::{
    Activity, COMPLIANCE_FINDING, Class, Cloud, DETECTION_FINDING, Observables, Product,
    VULNERABILITY_FINDING, event, metadata,
};
use super::hostname::is_hostname;
use crate::finding::Reported;
use crate::finding::facts::{
    Compliance, ComplianceStatus, Cvss, Detection, Facts, Package, Vulnerability,
};

/// A finding in OCSF. Quell's own are detections; another product's are what their facts are.
pub fn of_finding(reported: &Reported) -> OcsfEvent {
    let Reported { finding, facts } = reported;
    let resource = resource(&finding.resource);
    let (class, more) = match facts {
        Facts::Detection(detection) => (
            &DETECTION_FINDING,
            json!({"resources": [resource], "evidences": evidences(detection)}),
        ),
        Facts::Compliance(rule) => (
            &COMPLIANCE_FINDING,
            json!({"resource": resource, "compliance": compliance(rule)}),
        ),
        Facts::Vulnerability(all) if !all.is_empty() => {
            let all: Vec<Value> = all
                .iter()
                .map(|one| vulnerability(one, &finding.title))
                .collect();
            (
                &VULNERABILITY_FINDING,
                json!({"resource": resource, "vulnerabilities": all}),
            )
        }
        Facts::Vulnerability(_) => (&DETECTION_FINDING, json!({"resources": [resource]})),
    };
    let report = finding.report.as_ref();
    let place = &finding.resource;
    let cloud = Cloud {
        account: report
            .map(|r| r.account.as_str())
            .or(Some(place.account.as_str()).filter(|a| !a.is_empty())),
        region: report
            .map(|r| r.region.as_str())
            .or(Some(place.region.as_str()).filter(|r| !r.is_empty())),
    };
    let mut attributes = common(class, finding, facts);
    if let (Some(all), Value::Object(more)) = (attributes.as_object_mut(), more) {
        all.extend(more);
    }
    let time = report.map_or(finding.event_time, |report| report.updated_at);
    event(
        class,
        &activity(finding),
        time,
        finding.severity,
        &cloud,
        attributes,
    )
}

fn activity(finding: &Finding) -> Activity {
    match &finding.report {
        Some(report) if report.state == ReportState::Resolved => Activity::new(3, "Close"),
        Some(report)
            if report.updated_at > finding.first_event_time && finding.record_count > 1 =>
        {
            Activity::new(2, "Update")
        }
        _ => Activity::new(1, "Create"),
    }
}

fn status(finding: &Finding) -> (u64, &'static str) {
    match finding.report.as_ref().map(|report| report.state) {
        Some(ReportState::Resolved) => (4, "Resolved"),
        // Archived is OCSF's only from 1.3 on: suppressed is the nearest of 1.1.
        Some(ReportState::Suppressed | ReportState::Archived) => (3, "Suppressed"),
        Some(ReportState::Active) | None => (1, "New"),
    }
}

fn common(class: &Class, finding: &Finding, facts: &Facts) -> Value {
    let report = finding.report.as_ref();
    let product = Product {
        name: finding.product.as_str(),
        feature: None,
        version: None,
    };
    let (status_id, status) = status(finding);
    let mut observables = Observables::default();
    let about = if class.uid == DETECTION_FINDING.uid {
        "resources[].uid"
    } else {
        "resource.uid"
    };
    observables.resource(about, Some(&finding.resource.arn.to_string()));
    if let Facts::Detection(detection) = facts {
        observables.ip(
            "evidences[].src_endpoint.ip",
            detection.remote_ip.as_deref(),
        );
        let name = detection.domain.as_deref().filter(|name| is_hostname(name));
        observables.add("evidences[].query.hostname", 1, "Hostname", name);
    }
    let comment = [
        (finding.sample, "a sample"),
        (finding.outsider, "an outsider can cause it"),
    ];
    let comment: Vec<&str> = comment
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, text)| *text)
        .collect();
    json!({
        "metadata": metadata(&product, Some(finding.id.as_str()), &["cloud"]),
        "finding_info": finding_info(finding, facts),
        "message": finding.title,
        "count": finding.record_count,
        "status": status,
        "status_id": status_id,
        "comment": comment.join("; "),
        "start_time": finding.first_event_time.millis(),
        "end_time": finding.event_time.millis(),
        "observables": observables.into_value(),
        "unmapped": {
            "detection": finding.detection,
            "sample": finding.sample,
            "outsider": finding.outsider,
            "state": report.map(|report| report.state),
            "principal": finding.principal.arn.to_string(),
        },
    })
}

fn finding_info(finding: &Finding, facts: &Facts) -> Value {
    let report = finding.report.as_ref();
    let (kind, tactic, signals) = match facts {
        Facts::Detection(detection) => (
            Some(detection.kind.as_str()),
            detection.tactic.as_deref(),
            detection.signals.as_slice(),
        ),
        _ => (None, None, [].as_slice()),
    };
    let attacks = finding.attack.iter().map(|id| match id.split_once('.').filter(|(main, _)| *main != "AML") {
        Some((main, _)) => json!({"technique": {"uid": main}, "sub_technique": {"uid": id}, "tactic": {"name": tactic}}),
        None => json!({"technique": {"uid": id}, "tactic": {"name": tactic}}),
    });
    let related = signals.iter().map(
        |signal| json!({"uid": signal.uid, "type": format!("{}: {}", signal.kind, signal.name)}),
    );
    json!({
        "uid": report.map_or(finding.id.as_str(), |report| report.uid.as_str()),
        "title": if finding.title.is_empty() { &finding.detection } else { &finding.title },
        "desc": finding.explanation,
        "types": kind.map(|kind| [kind]),
        "created_time": finding.first_event_time.millis(),
        "modified_time": report.map(|report| report.updated_at.millis()),
        "first_seen_time": finding.first_event_time.millis(),
        "last_seen_time": finding.event_time.millis(),
        "attacks": attacks.collect::<Vec<_>>(),
        "related_events": related.collect::<Vec<_>>(),
    "analytic": analytic(finding),
    })
}

/// What found it. How another product finds is its own affair.
fn analytic(finding: &Finding) -> Value {
    match finding.report {
        None => {
            json!({"name": finding.title, "uid": finding.detection, "type_id": 1, "type": "Rule"})
        }
        Some(_) => {
            json!({"uid": finding.detection, "type_id": 99, "type": finding.product.as_str()})
        }
    }
}

fn resource(resource: &Resource) -> Value {
    let account = Some(resource.account.as_str()).filter(|account| !account.is_empty());
    json!({
        "uid": resource.arn.to_string(),
        "name": resource.id,
        "type": resource.kind,
        "region": resource.region,
        "cloud_partition": resource.arn.partition,
        "owner": account.map(|account| json!({"account": super::base::account(Some(account))})),
    })
}

fn evidences(detection: &Detection) -> Value {
    let Detection {
        remote_ip,
        remote_port,
        local_port,
        inbound,
        protocol,
        domain,
        service,
        operation,
        ..
    } = detection;
    let api = operation
        .as_ref()
        .map(|operation| json!({"operation": operation, "service": {"name": service}}));
    let query = domain
        .as_deref()
        .filter(|name| is_hostname(name))
        .map(|name| json!({"hostname": name}));
    // The other side is the source unless our side began.
    let remote = remote_ip
        .as_ref()
        .map(|ip| json!({"ip": ip, "port": remote_port}));
    let (source, target) = match inbound {
        Some(false) => (Value::Null, remote.unwrap_or_default()),
        _ => (remote.unwrap_or_default(), Value::Null),
    };
    let direction = match inbound {
        Some(true) => Some((1, "Inbound")),
        Some(false) => Some((2, "Outbound")),
        None => None,
    };
    let connection = match (direction, protocol, local_port) {
        (None, None, None) => Value::Null,
        _ => json!({
            "direction_id": direction.map_or(0, |(id, _)| id),
            "direction": direction.map(|(_, name)| name),
            "protocol_name": protocol.as_ref().map(|name| name.to_lowercase()),
        }),
    };
    let data = local_port.map(|port| json!({"local_port": port}));
    let mut evidence = json!({"api": api, "query": query, "src_endpoint": source, "dst_endpoint": target, "connection_info": connection});
    if let (Some(fields), Some(data)) = (evidence.as_object_mut(), data) {
        fields.insert("data".to_owned(), data);
    }
    json!([evidence])
}

fn compliance(rule: &Compliance) -> Value {
    let (status_id, status) = match rule.status {
        ComplianceStatus::Unknown => (0, "Unknown"),
        ComplianceStatus::Pass => (1, "Pass"),
        ComplianceStatus::Warning => (2, "Warning"),
        ComplianceStatus::Fail => (3, "Fail"),
    };
    // The schema wants a standard; a control of none is its own.
    let own = [rule.control.clone()];
    let standards = if rule.standards.is_empty() {
        &own[..]
    } else {
        &rule.standards
    };
    json!({
        "control": rule.control,
        "standards": standards,
        "requirements": rule.requirements,
        "status": status,
        "status_id": status_id,
        "status_detail": rule.detail,
    })
}

fn vulnerability(one: &Vulnerability, title: &str) -> Value {
    let score = |cvss: &Cvss| json!({"version": cvss.version, "base_score": cvss.score, "vector_string": cvss.vector});
    let package = |package: &Package| json!({"name": package.name, "version": package.version, "fixed_in_version": package.fixed_in, "architecture": package.architecture});
    let cve = one
        .cve
        .as_ref()
        .map(|uid| json!({"uid": uid, "cvss": one.cvss.iter().map(score).collect::<Vec<_>>()}));
    let cwe = one.cwe.as_ref().map(|uid| json!({"uid": uid}));
    // The schema wants one of the two.
    let nothing = cve.is_none() && cwe.is_none();
    json!({
        "title": title,
        "cve": if nothing { Some(json!({"uid": "unknown"})) } else { cve },
        "cwe": cwe,
        "affected_packages": one.packages.iter().map(package).collect::<Vec<_>>(),
        "is_fix_available": one.fix_available,
        "is_exploit_available": one.exploit_available,
        "references": one.references,
        "vendor_name": one.vendor,
    })
}
