//! Query logs of the Route 53 Resolver: one JSON object a line.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html>

use std::borrow::Cow;
use std::net::IpAddr;

use quell_model::{DnsQuery, Timestamp};
use serde::Deserialize;

/// A name is never longer (RFC 1035), escapes counted fourfold.
const NAME_BYTES_MAX: usize = 1024;
/// So many addresses of an answer are looked at.
const ADDRESSES_MAX: usize = 64;

/// Why a line is not a query.
#[derive(Debug, thiserror::Error)]
pub enum DnsFault {
    /// It is not the JSON that the Resolver writes.
    #[error("it is not a query of the Resolver: {0}")]
    Json(#[from] serde_json::Error),
    /// A value is not what its field has.
    #[error("«{value}» is not {what}")]
    Value {
        /// The value, cut.
        value: String,
        /// What the field has.
        what: &'static str,
    },
}

#[derive(Deserialize)]
struct Line<'a> {
    account_id: &'a str,
    region: &'a str,
    vpc_id: Option<&'a str>,
    query_timestamp: &'a str,
    #[serde(borrow)]
    query_name: Cow<'a, str>,
    query_type: &'a str,
    rcode: &'a str,
    srcaddr: &'a str,
    #[serde(borrow, default)]
    answers: Vec<Answer<'a>>,
    #[serde(borrow, default)]
    srcids: Sources<'a>,
    firewall_rule_action: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, rename = "Rdata", default)]
    data: Cow<'a, str>,
    #[serde(borrow, rename = "Type", default)]
    kind: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
struct Sources<'a> {
    instance: Option<&'a str>,
}

/// Reads one line.
///
/// # Errors
/// [`DnsFault`] when it is not a query.
pub fn dns_query(line: &str) -> Result<DnsQuery<'_>, DnsFault> {
    let line: Line = serde_json::from_str(line)?;
    let time: Timestamp =
        (line.query_timestamp.parse()).map_err(|_| fault(line.query_timestamp, "a time"))?;
    let source = (line.srcaddr.parse()).map_err(|_| fault(line.srcaddr, "an address"))?;
    if line.query_name.len() > NAME_BYTES_MAX {
        return Err(fault(&line.query_name, "a name"));
    }
    let is_account =
        line.account_id.len() == 12 && line.account_id.bytes().all(|b| b.is_ascii_digit());
    if !is_account {
        return Err(fault(line.account_id, "an account"));
    }
    for (value, what) in [
        (Some(line.region), "a Region"),
        (line.vpc_id, "a VPC's id"),
        (line.srcids.instance, "an instance's id"),
    ] {
        if value.is_some_and(|value| !is_name(value)) {
            return Err(fault(value.unwrap_or_default(), what));
        }
    }
    let addresses = line
        .answers
        .iter()
        .filter(|a| a.kind == "A" || a.kind == "AAAA");
    let addresses = addresses.filter_map(|a| a.data.parse::<IpAddr>().ok());
    Ok(DnsQuery {
        account: line.account_id,
        region: line.region,
        vpc: line.vpc_id,
        instance: line.srcids.instance,
        source,
        time,
        name: plain(line.query_name),
        kind: line.query_type,
        answer_code: line.rcode,
        addresses: addresses
            .take(ADDRESSES_MAX)
            .map(|a| a.to_canonical())
            .collect(),
        firewall_action: line.firewall_rule_action,
    })
}

/// Small letters, no dot at the end. Copies only what has to change.
fn plain(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        let lower = name.to_ascii_lowercase();
        return Cow::Owned(lower.strip_suffix('.').unwrap_or(&lower).to_owned());
    }
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.strip_suffix('.').unwrap_or(name)),
        Cow::Owned(name) => Cow::Owned(name.strip_suffix('.').unwrap_or(&name).to_owned()),
    }
}

/// An id as AWS writes them: it becomes part of an ARN and of keys.
fn is_name(value: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !value.is_empty() && value.len() <= 128 && value.bytes().all(good)
}

fn fault(value: &str, what: &'static str) -> DnsFault {
    DnsFault::Value {
        value: value.escape_debug().take(40).collect(),
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"srcaddr":"4.5.64.102","vpc_id":"vpc-7example","answers":[{"Rdata":"203.0.113.9","Type":"A","Class":"IN"},
        {"Rdata":"x.example.","Type":"CNAME","Class":"IN"}],"firewall_rule_group_id":"rslvr-frg-01234567890abcdef","firewall_rule_action":"BLOCK",
        "query_name":"Pool.Example.COM.","firewall_domain_list_id":"rslvr-fdl-01234567890abcdef","query_class":"IN",
        "srcids":{"instance":"i-0d15cd0d3example"},"rcode":"NOERROR","query_type":"A","transport":"UDP","version":"1.100000",
        "account_id":"111122223333","srcport":"56067","query_timestamp":"2021-02-04T17:51:55Z","region":"us-east-1"}"#;

    #[test]
    fn a_query_is_read() {
        let query = dns_query(LINE).unwrap();
        assert_eq!(query.name, "pool.example.com");
        assert_eq!(query.instance, Some("i-0d15cd0d3example"));
        assert_eq!(query.addresses, ["203.0.113.9".parse::<IpAddr>().unwrap()]);
        assert_eq!(query.firewall_action, Some("BLOCK"));
        assert_eq!(query.time.to_string(), "2021-02-04T17:51:55.000Z");
    }

    #[test]
    fn what_is_none_says_why() {
        for (from, to, why) in [
            ("4.5.64.102", "4.5.64", "«4.5.64» is not an address"),
            ("111122223333", "eve", "«eve» is not an account"),
            (
                "2021-02-04T17:51:55Z",
                "yesterday",
                "«yesterday» is not a time",
            ),
            (
                "i-0d15cd0d3example",
                "i/../0",
                "«i/../0» is not an instance's id",
            ),
        ] {
            assert_eq!(
                dns_query(&LINE.replace(from, to)).unwrap_err().to_string(),
                why
            );
        }
        assert!(dns_query("{}").is_err());
        assert!(dns_query(&LINE.replace("Pool", &"a".repeat(2000))).is_err());
    }
}
