//! What crossed the network: Network Activity (4001), DNS Activity (4003), HTTP Activity (4002).

use std::net::IpAddr;

use quell_model::{Arn, Direction, DnsQuery, Flow, FlowAction, Severity, WebRequest};
use serde_json::{Value, json};

use super::OcsfEvent;
use super::base::{
    Activity, Cloud, DNS_ACTIVITY, HTTP_ACTIVITY, NETWORK_ACTIVITY, Observables, Product, event,
    metadata,
};
use super::hostname::{hostname, is_hostname};

/// Whether it was let through is of this profile.
const PROFILES: [&str; 2] = ["cloud", "security_control"];

/// A line of a flow log in OCSF.
pub fn of_flow(flow: &Flow<'_>) -> OcsfEvent {
    let (activity, action, disposition) = match flow.action {
        FlowAction::Accept => (Activity::new(6, "Traffic"), (1, "Allowed"), (1, "Allowed")),
        FlowAction::Reject => (Activity::new(5, "Refuse"), (2, "Denied"), (2, "Blocked")),
    };
    let direction = match flow.direction {
        Some(Direction::Ingress) => (1, "Inbound"),
        Some(Direction::Egress) => (2, "Outbound"),
        None => (0, "Unknown"),
    };
    let protocol = match flow.protocol {
        1 => Some("icmp"),
        6 => Some("tcp"),
        17 => Some("udp"),
        58 => Some("ipv6-icmp"),
        _ => None,
    };
    let version = if flow.source.is_ipv4() {
        (4, "Internet Protocol version 4 (IPv4)")
    } else {
        (6, "Internet Protocol version 6 (IPv6)")
    };
    let ours = json!({"interface_uid": flow.interface, "instance_uid": flow.instance, "vpc_uid": flow.vpc});
    // Which end is ours only the direction says.
    let (source, target, neither) = match flow.direction {
        Some(Direction::Ingress) => (Value::Null, ours, Value::Null),
        Some(Direction::Egress) => (ours, Value::Null, Value::Null),
        None => (Value::Null, Value::Null, ours),
    };
    let port = |port: u16| (port != 0).then_some(port);
    let mut observables = Observables::default();
    observables.ip("src_endpoint.ip", Some(&flow.source.to_string()));
    observables.ip("dst_endpoint.ip", Some(&flow.target.to_string()));
    observables.resource(
        "src_endpoint.instance_uid",
        flow.instance
            .filter(|_| flow.direction == Some(Direction::Egress)),
    );
    observables.resource(
        "dst_endpoint.instance_uid",
        flow.instance
            .filter(|_| flow.direction == Some(Direction::Ingress)),
    );
    let product = Product {
        name: "Amazon VPC",
        feature: Some("Flowlogs"),
        version: None,
    };
    let attributes = json!({
        "metadata": metadata(&product, None, &PROFILES),
        "action_id": action.0,
        "action": action.1,
        "disposition_id": disposition.0,
        "disposition": disposition.1,
        "start_time": flow.start.millis(),
        "end_time": flow.end.millis(),
        "src_endpoint": with(source, json!({"ip": flow.source.to_string(), "port": port(flow.source_port)})),
        "dst_endpoint": with(target, json!({"ip": flow.target.to_string(), "port": port(flow.target_port), "svc_name": flow.target_service})),
        "connection_info": {
            "protocol_num": flow.protocol,
            "protocol_name": protocol,
            "protocol_ver_id": version.0,
            "protocol_ver": version.1,
            "tcp_flags": flow.tcp_flags,
            "direction_id": direction.0,
            "direction": direction.1,
        },
        "traffic": {"packets": flow.packets, "bytes": flow.bytes},
        "observables": observables.into_value(),
        "unmapped": said(neither),
    });
    let cloud = Cloud {
        account: flow.account,
        region: flow.region,
    };
    event(
        &NETWORK_ACTIVITY,
        &activity,
        flow.start,
        Severity::Informational,
        &cloud,
        attributes,
    )
}

/// A query that a Route 53 Resolver answered, in OCSF.
pub fn of_dns(query: &DnsQuery<'_>) -> OcsfEvent {
    let (action, disposition) = match query.firewall_action {
        Some("BLOCK") => ((2, "Denied"), Some((2, "Blocked"))),
        Some("ALERT") => ((1, "Allowed"), Some((19, "Alert"))),
        Some("ALLOW") => ((1, "Allowed"), Some((1, "Allowed"))),
        _ => ((0, "Unknown"), None),
    };
    let answer = |address: &IpAddr| json!({"rdata": address.to_string(), "type": if address.is_ipv4() { "A" } else { "AAAA" }});
    let code = rcode(query.answer_code);
    let good = query.answer_code == "NOERROR";
    let name = hostname(&query.name);
    let mut observables = Observables::default();
    observables.add("query.hostname", 1, "Hostname", Some(&name));
    observables.ip("src_endpoint.ip", Some(&query.source.to_string()));
    observables.resource("src_endpoint.instance_uid", query.instance);
    let product = Product {
        name: "Route 53",
        feature: Some("Resolver Query Logs"),
        version: None,
    };
    let attributes = json!({
        "metadata": metadata(&product, None, &PROFILES),
        "action_id": action.0,
        "action": action.1,
        "disposition_id": disposition.map(|(id, _)| id),
        "disposition": disposition.map(|(_, name)| name),
        "status_id": if good { 1 } else { 2 },
        "status": if good { "Success" } else { "Failure" },
        "rcode_id": code.0,
        "rcode": code.1.unwrap_or(query.answer_code),
        "query_time": query.time.millis(),
        "query": {"hostname": name, "type": query.kind},
        "answers": query.addresses.iter().map(answer).collect::<Vec<_>>(),
        "src_endpoint": {"ip": query.source.to_string(), "instance_uid": query.instance, "vpc_uid": query.vpc},
        "observables": observables.into_value(),
        "unmapped": (!is_hostname(&query.name)).then(|| json!({"query_name": query.name})),
    });
    let cloud = Cloud {
        account: Some(query.account),
        region: Some(query.region),
    };
    event(
        &DNS_ACTIVITY,
        &Activity::new(6, "Traffic"),
        query.time,
        Severity::Informational,
        &cloud,
        attributes,
    )
}

/// The schema's number and name of an answer's code; without a name the code's own stands.
fn rcode(code: &str) -> (u64, Option<&'static str>) {
    match code {
        "NOERROR" => (0, Some("NoError")),
        "FORMERR" => (1, Some("FormError")),
        "SERVFAIL" => (2, Some("ServError")),
        "NXDOMAIN" => (3, Some("NXDomain")),
        "NOTIMP" => (4, Some("NotImp")),
        "REFUSED" => (5, Some("Refused")),
        "YXDOMAIN" => (6, Some("YXDomain")),
        "YXRRSET" => (7, Some("YXRRSet")),
        "NXRRSET" => (8, Some("NXRRSet")),
        "NOTAUTH" => (9, Some("NotAuth")),
        "NOTZONE" => (10, Some("NotZone")),
        _ => (99, None),
    }
}

/// The schema's number and name of a method.
const METHODS: [(&str, u64, &str); 8] = [
    ("CONNECT", 1, "Connect"),
    ("DELETE", 2, "Delete"),
    ("GET", 3, "Get"),
    ("HEAD", 4, "Head"),
    ("OPTIONS", 5, "Options"),
    ("POST", 6, "Post"),
    ("PUT", 7, "Put"),
    ("TRACE", 8, "Trace"),
];

/// A request that AWS WAF looked at, in OCSF. What was answered is not in the log that Quell reads: the code is 0.
pub fn of_web(request: &WebRequest<'_>) -> OcsfEvent {
    let (action, disposition) = match &*request.action {
        "ALLOW" => ((1, "Allowed"), (1, "Allowed")),
        "BLOCK" => ((2, "Denied"), (2, "Blocked")),
        "CAPTCHA" => ((99, "CAPTCHA"), (22, "Captcha")),
        "CHALLENGE" => ((99, "CHALLENGE"), (23, "Challenge")),
        other => ((99, other), (99, other)),
    };
    let method = METHODS
        .iter()
        .find(|(method, ..)| *method == request.method);
    let activity = method.map_or_else(
        || Activity::other(&request.method),
        |(_, id, caption)| Activity::new(*id, caption),
    );
    let host = request.host.as_deref().filter(|host| !host.is_empty());
    // A host may come with a port.
    let name = host.map(|host| {
        host.rsplit_once(':')
            .filter(|(_, port)| port.parse::<u16>().is_ok())
            .map_or(host, |(name, _)| name)
    });
    let good = name.filter(|name| is_hostname(name));
    let target = match (good, name) {
        (Some(name), _) => json!({"hostname": name}),
        (None, Some(name)) => json!({"name": name}),
        (None, None) => json!({"name": "unknown"}),
    };
    let country = Some(&*request.country).filter(|country| !country.is_empty() && *country != "-");
    let mut observables = Observables::default();
    observables.ip("src_endpoint.ip", Some(&request.client.to_string()));
    observables.add("http_request.url.hostname", 1, "Hostname", good);
    let product = Product {
        name: "AWS WAF",
        feature: Some("WAF"),
        version: None,
    };
    let mut about = metadata(&product, None, &PROFILES);
    if let Some(fields) = about.as_object_mut() {
        fields.insert("labels".to_owned(), json!(request.labels));
    }
    if let Some(feature) = about
        .pointer_mut("/product/feature")
        .and_then(Value::as_object_mut)
    {
        feature.insert("uid".to_owned(), json!(request.acl));
    }
    let attributes = json!({
        "metadata": about,
        "action_id": action.0,
        "action": action.1,
        "disposition_id": disposition.0,
        "disposition": disposition.1,
        "firewall_rule": {"uid": request.rule},
        "http_request": {
            "http_method": method.map(|(method, ..)| *method),
            "url": {"path": if request.uri.is_empty() { "/" } else { &*request.uri }, "hostname": good},
        },
        "http_response": {"code": 0},
        "src_endpoint": {"ip": request.client.to_string(), "location": {"country": country}},
        "dst_endpoint": target,
        "observables": observables.into_value(),
    });
    let acl: Option<Arn> = request.acl.parse().ok();
    let cloud = Cloud {
        account: acl
            .as_ref()
            .map(|acl| acl.account.as_str())
            .filter(|account| !account.is_empty()),
        region: acl
            .as_ref()
            .map(|acl| acl.region.as_str())
            .filter(|region| !region.is_empty()),
    };
    event(
        &HTTP_ACTIVITY,
        &activity,
        request.time,
        Severity::Informational,
        &cloud,
        attributes,
    )
}

/// The fields of both.
fn with(mut fields: Value, more: Value) -> Value {
    match (fields.as_object_mut(), more) {
        (Some(all), Value::Object(more)) => {
            all.extend(more);
            fields
        }
        (_, more) => more,
    }
}

/// What has a value, since nothing in `unmapped` is taken away.
fn said(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, field)| !field.is_null())
                .collect(),
        ),
        other => other,
    }
}
