//! Logs of AWS WAF: one JSON object a line.
//! <https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html>

use std::borrow::Cow;

use quell_model::{Timestamp, WebRequest};
use serde::Deserialize;

/// So many labels of a request are kept: AWS allows a rule no more than a hundred.
const LABELS_MAX: usize = 100;

/// Why a line is not a request.
#[derive(Debug, thiserror::Error)]
pub enum WafFault {
    /// It is not the JSON that AWS WAF writes.
    #[error("it is not a request of AWS WAF: {0}")]
    Json(#[from] serde_json::Error),
    /// The client's address is none.
    #[error("«{0}» is not an address")]
    Address(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    timestamp: i64,
    #[serde(borrow)]
    webacl_id: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    terminating_rule_id: Cow<'a, str>,
    #[serde(borrow)]
    http_request: Request<'a>,
    #[serde(borrow, default)]
    labels: Vec<Label<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    client_ip: Cow<'a, str>,
    #[serde(borrow, default)]
    country: Cow<'a, str>,
    #[serde(borrow, default)]
    uri: Cow<'a, str>,
    #[serde(borrow, default)]
    http_method: Cow<'a, str>,
    #[serde(borrow, default)]
    headers: Vec<Header<'a>>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Label<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// Reads one line.
///
/// # Errors
/// [`WafFault`] when it is not a request.
pub fn web_request(line: &str) -> Result<WebRequest<'_>, WafFault> {
    let line: Line = serde_json::from_str(line)?;
    let request = line.http_request;
    let client = (request.client_ip.parse())
        .map_err(|_| WafFault::Address(request.client_ip.escape_debug().take(40).collect()))?;
    let is_host = |header: &Header| header.name.eq_ignore_ascii_case("host");
    let host = request.headers.into_iter().find(is_host);
    Ok(WebRequest {
        time: Timestamp::from_millis(line.timestamp),
        acl: line.webacl_id,
        action: line.action,
        rule: line.terminating_rule_id,
        client,
        country: request.country,
        host: host.map(|header| header.value),
        method: request.http_method,
        uri: request.uri,
        labels: line
            .labels
            .into_iter()
            .take(LABELS_MAX)
            .map(|label| label.name)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":1576280412771,"formatVersion":1,"webaclId":"arn:aws:wafv2:ap-southeast-2:111122223333:regional/webacl/STMTest/1EXAMPLE",
        "terminatingRuleId":"STMTest_SQLi_XSS","terminatingRuleType":"REGULAR","action":"BLOCK","httpSourceName":"-","httpSourceId":"-",
        "httpRequest":{"clientIp":"1.1.1.1","country":"AU","headers":[{"name":"Host","value":"localhost:1989"}],"uri":"/\u0022","args":"",
        "httpVersion":"HTTP/1.1","httpMethod":"POST","requestId":"rid"},"labels":[{"name":"value"}]}"#;

    #[test]
    fn a_request_is_read() {
        let request = web_request(LINE).unwrap();
        assert_eq!(request.time.to_string(), "2019-12-13T23:40:12.771Z");
        assert_eq!(
            (&*request.action, &*request.rule),
            ("BLOCK", "STMTest_SQLi_XSS")
        );
        assert_eq!(request.host.as_deref(), Some("localhost:1989"));
        assert_eq!((&*request.uri, &*request.labels[0]), ("/\"", "value"));
        assert!(web_request(&LINE.replace("1.1.1.1", "1.1")).is_err());
        assert!(web_request("{}").is_err());
    }
}
