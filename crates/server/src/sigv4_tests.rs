use super::*;
use std::path::PathBuf;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The signing suites' cases, when the folder with them is there.
fn cases(file: &str) -> Vec<serde_json::Value> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the folder's place is told to tests by the environment"
    )]
    let folder = std::env::var("QUELL_CONFORMANCE").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join(file)) else {
        eprintln!("skipped: {file} is not there; set QUELL_CONFORMANCE to its folder");
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

struct Parsed {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn parse(text: &str) -> Parsed {
    let (head, body) = text
        .split_once("\n\n")
        .unwrap_or((text.trim_end_matches('\n'), ""));
    let mut lines = head.split('\n');
    let first = lines.next().unwrap();
    let (method, rest) = first.split_once(' ').unwrap();
    let (target, _) = rest.rsplit_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        match line.strip_prefix(' ') {
            // A folded header: the lines are one value.
            Some(more) => {
                let last = headers.last_mut().unwrap();
                last.1 = format!("{} {}", last.1, more.trim());
            }
            None => {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.to_lowercase(), value.to_owned()));
            }
        }
    }
    Parsed {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body: body.into(),
    }
}

impl Parsed {
    fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: self.headers.clone(),
            body: self.body.as_bytes(),
        }
    }
}

/// The claim without the scope's service being one of ours: the suites sign for «service».
fn claim_of(request: &Request<'_>) -> Claimed {
    let authorization = request.header("authorization").unwrap().to_owned();
    request.read(&authorization).unwrap()
}

#[test]
fn the_signing_suites_header_forms_agree_at_every_stage() {
    let (mut passed, mut skipped) = (0, 0);
    for case in cases("sigv4-suite.jsonl") {
        // Version 4a is another algorithm, and unnormalised paths are S3's way: neither is taken at this door.
        if case["version"] != "v4" || case["context"]["normalize"] != true {
            skipped += 1;
            continue;
        }
        let signed = parse(case["header"]["signed"].as_str().unwrap());
        let request = signed.request();
        let claimed = claim_of(&request);
        assert_eq!(
            request.canonical(&claimed),
            case["header"]["creq"].as_str().unwrap(),
            "{}",
            case["id"]
        );
        assert_eq!(
            request.string_to_sign(&claimed),
            case["header"]["sts"].as_str().unwrap(),
            "{}",
            case["id"]
        );
        request
            .verify(&claimed, SECRET)
            .unwrap_or_else(|_| panic!("{}", case["id"]));
        passed += 1;
    }
    println!(
        "sigv4-suite.jsonl: passed {passed}, failed 0, skipped {skipped} (v4a and unnormalised paths are not taken at this door)"
    );
}

#[test]
fn the_classic_cases_agree_at_every_stage() {
    let all = cases("sigv4.jsonl");
    for case in &all {
        let signed = parse(case["sreq"].as_str().unwrap());
        let request = signed.request();
        let claimed = claim_of(&request);
        assert_eq!(
            request.canonical(&claimed),
            case["creq"].as_str().unwrap(),
            "{}",
            case["id"]
        );
        // One case's own signed request carries a signature that is not its own; `authz` has the right one.
        let wanted = case["authz"]
            .as_str()
            .unwrap()
            .rsplit_once("Signature=")
            .unwrap()
            .1;
        assert_eq!(
            request.signature(&claimed, SECRET),
            wanted,
            "{}",
            case["id"]
        );
    }
    println!("sigv4.jsonl: passed {}, failed 0, skipped 0", all.len());
}

fn signed() -> (Parsed, Timestamp) {
    let mut parsed = Parsed {
        method: "POST".into(),
        path: "/api/v1/remediate".into(),
        query: "b=2&a=%20".into(),
        headers: vec![
            ("host".into(), "localhost:8443".into()),
            ("content-type".into(), "application/json".into()),
            ("x-amz-date".into(), "20261121T100000Z".into()),
        ],
        body: "{\"incident_id\":\"inc-1\"}".into(),
    };
    let text = "Credential=K/20261121/us-east-1/execute-api/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=";
    parsed.headers.push((
        "authorization".into(),
        format!("{ALGORITHM} {text}{}", "0".repeat(64)),
    ));
    let claimed = claim_of(&parsed.request());
    let signature = parsed.request().signature(&claimed, SECRET);
    parsed.headers[3].1 = format!("{ALGORITHM} {text}{signature}");
    (parsed, "2026-11-21T10:00:00Z".parse().unwrap())
}

fn check(parsed: &Parsed, now: Timestamp) -> Result<(), SignatureError> {
    let request = parsed.request();
    let claimed = request.claim(now)?;
    assert!(claimed.key_id.len() == 1);
    if claimed.key_id != "K" {
        return Err(SignatureError::Mismatch); // nobody has that key
    }
    request.verify(&claimed, SECRET)
}

#[test]
fn every_changed_byte_is_refused() {
    let (good, now) = signed();
    check(&good, now).unwrap();
    let fields: [fn(&mut Parsed) -> &mut String; 8] = [
        |p| &mut p.method,
        |p| &mut p.path,
        |p| &mut p.query,
        |p| &mut p.headers[0].1,
        |p| &mut p.headers[1].1,
        |p| &mut p.headers[2].1,
        |p| &mut p.headers[3].1,
        |p| &mut p.body,
    ];
    for field in fields {
        let (mut probe, _) = signed();
        let len = field(&mut probe).len();
        for at in 0..len {
            let (mut bad, _) = signed();
            let text = field(&mut bad);
            let old = text.as_bytes()[at];
            let new = if old == b'x' { 'y' } else { 'x' };
            text.replace_range(at..=at, &new.to_string());
            assert!(
                check(&bad, now).is_err(),
                "byte {at} of {}",
                field(&mut probe)
            );
        }
    }
}

#[test]
fn what_is_not_covered_is_refused() {
    let (good, now) = signed();
    let minutes = |n: i64| now.plus_millis(n * 60_000);
    assert!(check(&good, minutes(4)).is_ok() && check(&good, minutes(-4)).is_ok());
    assert!(matches!(
        check(&good, minutes(6)),
        Err(SignatureError::Skew { .. })
    ));
    assert!(matches!(
        check(&good, minutes(-6)),
        Err(SignatureError::Skew { .. })
    ));
    type Change = fn(&mut Parsed);
    let changes: [(&str, Change); 6] = [
        ("not signed", |p| drop(p.headers.pop())),
        ("x-amz-security-token", |p| {
            p.headers.push(("x-amz-security-token".into(), "t".into()))
        }),
        ("there are two", |p| p.headers.push(p.headers[3].clone())),
        ("unsigned payload", |p| {
            p.headers
                .push(("x-amz-content-sha256".into(), "UNSIGNED-PAYLOAD".into()))
        }),
        ("another algorithm", |p| {
            p.headers[3].1 = "Basic Zm9v".into()
        }),
        ("«host» must", |p| {
            p.headers[3].1 = p.headers[3]
                .1
                .replace("content-type;host;", "content-type;")
        }),
    ];
    for (says, change) in changes {
        let (mut bad, _) = signed();
        change(&mut bad);
        let refused = match says {
            "unsigned payload" => {
                // Signed, but saying that the body is not.
                bad.headers[3].1 = bad.headers[3]
                    .1
                    .replace("host;x-amz-date", "host;x-amz-content-sha256;x-amz-date");
                check(&bad, now)
            }
            _ => check(&bad, now),
        };
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(says), "wanted «{says}», got «{text}»");
    }
}
