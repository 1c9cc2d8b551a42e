//! The signing suites, from the side that signs. The official crate shows no stage but the last; the signature covers
//! the others (it is of the string to sign, which has the hash of the canonical request), so that an equal signature
//! is the proof of equal stages.

use std::time::Duration;

use quell_aws::Credentials;
use quell_aws::sign::{Manner, Signer};
use quell_model::Timestamp;
use serde_json::Value;

use crate::compare::pairs;
use crate::tally::Outcome;

/// A request as the suites write it.
struct Written {
    method: String,
    /// Path and query.
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Written {
    fn parse(text: &str) -> Self {
        let whole = text.split_once("\n\n");
        let (head, body) = whole.unwrap_or((text.trim_end_matches('\n'), ""));
        let mut lines = head.split('\n');
        let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
        let (target, _) = rest.rsplit_once(' ').unwrap();
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match line.strip_prefix(' ') {
                // A folded header: the lines are one value.
                Some(more) => {
                    let value = &mut headers.last_mut().unwrap().1;
                    *value = format!("{value} {}", more.trim());
                }
                None => {
                    let (name, value) = line.split_once(':').unwrap();
                    headers.push((name.to_lowercase(), value.trim().to_owned()));
                }
            }
        }
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// As this client has it before it signs: without what the signature brings, encoded as it is sent.
    fn unsigned(&self) -> http::Request<()> {
        let host = self.header("host").unwrap();
        let uri = format!("https://{host}{}", encoded(&self.target));
        let mut builder = http::Request::builder().method(&*self.method).uri(uri);
        for (name, value) in &self.headers {
            if !matches!(name.as_str(), "x-amz-date" | "x-amz-security-token") {
                builder = builder.header(name, value);
            }
        }
        builder.body(()).unwrap()
    }
}

/// What cannot stand in a request line, encoded.
fn encoded(target: &str) -> String {
    let byte = |b: u8| match b {
        b'!'..=b'~' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    target.bytes().map(byte).collect()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn credentials(given: &Value) -> Credentials {
    let text = |name: &str| given[name].as_str().unwrap().to_owned();
    let token = given["token"].as_str().map(str::to_owned);
    let (id, secret) = (text("access_key_id"), text("secret_access_key"));
    Credentials::new(id, secret, token, None, "case")
}

/// A row of `sigv4-suite.jsonl`: in the headers and in the URL.
pub(crate) fn suite_case(row: &Value) -> Outcome {
    if row["version"] != "v4" {
        let why = "SigV4a is not made here: what demands it is refused (AwsError::CannotSign)";
        return Outcome::Skipped(why.to_owned());
    }
    let context = &row["context"];
    let written = Written::parse(row["request"].as_str().unwrap());
    let credentials = credentials(&context["credentials"]);
    let signer = Signer {
        credentials: Some(&credentials),
        service: context["service"].as_str().unwrap(),
        region: context["region"].as_str().unwrap(),
        now: time(context["timestamp"].as_str().unwrap()),
        manner: Manner {
            // The suite signs the path that is sent as it is, or encodes a raw one once.
            encodes_twice: false,
            normalizes_path: context["normalize"] == true,
            sends_hash: context["sign_body"] == true,
            signs_token: context["omit_session_token"] != true,
        },
    };
    let expires_in = Duration::from_secs(context["expiration_in_seconds"].as_u64().unwrap());
    let body = Some(written.body.as_bytes());
    let in_headers = signer.sign(written.unsigned(), body).unwrap();
    let in_url = signer
        .presign(written.unsigned(), body, expires_in)
        .unwrap();

    let expected = Written::parse(row["header"]["signed"].as_str().unwrap());
    for (name, value) in &expected.headers {
        let ours = in_headers.headers().get_all(name);
        let ours: Vec<&str> = ours.iter().map(|v| v.to_str().unwrap()).collect();
        if !ours.contains(&value.as_str()) {
            return Outcome::Failed(format!("header {name} is {ours:?}, not {value}"));
        }
    }
    let expected = Written::parse(row["query"]["signed"].as_str().unwrap());
    let (_, expected) = expected.target.split_once('?').unwrap();
    let ours = in_url.uri().query().unwrap();
    if pairs(ours) != pairs(&encoded(expected)) {
        return Outcome::Failed(format!("query\n  ours     {ours}\n  expected {expected}"));
    }
    Outcome::Passed
}

/// A row of `sigv4.jsonl`, which has headers only.
pub(crate) fn classic_case(row: &Value) -> Outcome {
    let written = Written::parse(row["req"].as_str().unwrap());
    let sent = Written::parse(row["sreq"].as_str().unwrap());
    let authorization = row["authz"].as_str().unwrap();
    let token = sent.header("x-amz-security-token").map(str::to_owned);
    let credentials = Credentials::new(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        token,
        None,
        "case",
    );
    let signer = Signer {
        credentials: Some(&credentials),
        service: "service",
        region: "us-east-1",
        now: time("2015-08-30T12:36:00Z"),
        manner: Manner {
            encodes_twice: false,
            normalizes_path: true,
            sends_hash: false,
            signs_token: authorization.contains("x-amz-security-token"),
        },
    };
    let signed = signer.sign(written.unsigned(), Some(written.body.as_bytes()));
    let signed = signed.unwrap();
    let ours = signed.headers()["authorization"].to_str().unwrap();
    if ours == authorization {
        return Outcome::Passed;
    }
    Outcome::Failed(format!("{ours}\n  expected {authorization}"))
}
