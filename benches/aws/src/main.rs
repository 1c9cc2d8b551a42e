//! CPU time for each call: this client, boto3, and for S3 and STS the official Rust SDK.
//!
//! All of them make the same whole calls (validate, write, sign, send, receive, parse) on one thread against the same
//! server, which gives canned answers from another process. What is counted is the CPU time, user and system, of the
//! process that calls, so waiting costs nothing. A second table has the same without the network, for this client and
//! boto3: what is left is what they differ in. Of each answer some members are read by their names, of every item of its
//! list (`Case::reads`), by all of them. Last, what no reader of JSON on serde_json can go below.
//!
//! `make bench-aws`, or `taskset -c 0 quell-bench-aws [PYTHON]`, where PYTHON has boto3.

mod alone;
mod cases;
mod server;

use std::future::Future;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use cases::Case;
use cpu_time::ProcessTime;
use serde_json::json;

const SMALL: u32 = 2000;
const LARGE: u32 = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("serve") {
        return server::serve().await;
    }
    let (mut server, url) = start_server();
    let cases = cases::all();
    let ours = ours(&url, &cases).await;
    let official = official(&url, &cases).await;
    let boto3 = |url: &str| {
        let python = argument.as_deref();
        python.map_or_else(Vec::new, |python| boto3(python, url, &cases))
    };
    print("whole calls", &cases, &ours, &boto3(&url), &official);
    let alone = alone::ours(&alone::config(), &cases, repeats);
    print("without the network", &cases, &alone, &boto3(""), &[]);
    let _ = server.kill();
    println!("\nCPU µs, serde_json over the same JSON, nothing kept");
    for (case, floor) in cases.iter().zip(alone::serde_json(&cases, repeats)) {
        if let Some(floor) = floor {
            println!("{:34} {:>10}", case.name, micros(floor));
        }
    }
}

fn print(what: &str, cases: &[Case], ours: &[f64], boto3: &[f64], official: &[Option<f64>]) {
    println!(
        "{:34} {:>10} {:>10} {:>8} {:>12} {:>8}",
        format!("CPU µs, {what}"),
        "quell-aws",
        "boto3",
        "×",
        "official SDK",
        "ours/its"
    );
    let none = || ("-".to_owned(), "-".to_owned());
    for (at, case) in cases.iter().enumerate() {
        let mine = ours[at];
        let python = boto3
            .get(at)
            .map_or_else(none, |its| (micros(*its), format!("{:.1}", its / mine)));
        let its = official.get(at).copied().flatten();
        let sdk = its.map_or_else(none, |its| (micros(its), format!("{:.2}", mine / its)));
        println!(
            "{:34} {:>10} {:>10} {:>8} {:>12} {:>8}",
            case.name,
            micros(mine),
            python.0,
            python.1,
            sdk.0,
            sdk.1
        );
    }
}

fn micros(seconds: f64) -> String {
    format!("{:.1}", seconds * 1e6)
}

fn start_server() -> (Child, String) {
    let mut server = Command::new(std::env::current_exe().expect("this program"))
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut port = String::new();
    let stdout = server.stdout.take().expect("its output");
    BufReader::new(stdout)
        .read_line(&mut port)
        .expect("its port");
    (server, format!("http://127.0.0.1:{}", port.trim()))
}

fn repeats(case: &Case) -> u32 {
    if case.body.len() > 10_000 {
        LARGE
    } else {
        SMALL
    }
}

/// CPU seconds for each call, after a tenth as many to warm up.
async fn timed<F: Future<Output = ()>>(count: u32, call: impl Fn() -> F) -> f64 {
    for _ in 0..count.div_ceil(10) {
        call().await;
    }
    let before = ProcessTime::now();
    for _ in 0..count {
        call().await;
    }
    before.elapsed().as_secs_f64() / f64::from(count)
}

fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::from_keys(
        "AKIAIOSFODNN7EXAMPLE",
        "secret",
        None,
    ))
}

async fn ours(url: &str, cases: &[Case]) -> Vec<f64> {
    let now = || quell_model::Timestamp::from_millis(1_795_255_200_000);
    let mut config = quell_aws::Config::new("us-east-1", credentials(), Arc::new(now));
    config.endpoint_url = Some(url.to_owned());
    config.timeouts.attempt = Duration::from_secs(20);
    // What is measured is a call, not the wait for its turn.
    config.limits = quell_aws::Limits([].into());
    let client = quell_aws::Client::new(config).expect("a client");
    let scope = quell_aws::Scope {
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
        role: None,
    };
    let session = client.read_session(&scope).await.expect("a session");
    let mut times = Vec::new();
    for case in cases {
        let call = async || {
            let answer = session
                .call(case.service, case.operation, &case.params)
                .await;
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            std::hint::black_box(case.consume(&answer.value));
        };
        times.push(timed(repeats(case), call).await);
    }
    times
}

async fn official(url: &str, cases: &[Case]) -> Vec<Option<f64>> {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_s3::config::Region::new("us-east-1"))
            .credentials_provider(credentials())
            .endpoint_url(url)
            .force_path_style(true)
            .http_client(http.clone())
            .build(),
    );
    let sts = aws_sdk_sts::Client::from_conf(
        aws_sdk_sts::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_sts::config::Region::new("us-east-1"))
            .credentials_provider(credentials())
            .endpoint_url(url)
            .http_client(http)
            .build(),
    );
    let mut times = Vec::new();
    for case in cases {
        let text = |name: &str| case.params[name].as_str().unwrap_or_default().to_owned();
        let count = repeats(case);
        times.push(match case.operation {
            "GetCallerIdentity" => Some(
                timed(count, async || {
                    std::hint::black_box(
                        sts.get_caller_identity().send().await.expect("an answer"),
                    );
                })
                .await,
            ),
            "HeadObject" => Some(
                timed(count, async || {
                    let call = s3.head_object().bucket(text("Bucket")).key(text("Key"));
                    std::hint::black_box(call.send().await.expect("an answer"));
                })
                .await,
            ),
            "ListObjectsV2" => Some(
                timed(count, async || {
                    let call = s3
                        .list_objects_v2()
                        .bucket(text("Bucket"))
                        .prefix(text("Prefix"));
                    let answer = call.send().await.expect("an answer");
                    for object in answer.contents() {
                        let read = (object.key(), object.size(), object.last_modified());
                        std::hint::black_box(read);
                    }
                })
                .await,
            ),
            _ => None,
        });
    }
    times
}

fn boto3(python: &str, url: &str, cases: &[Case]) -> Vec<f64> {
    let repeats: Vec<u32> = cases
        .iter()
        .map(|case| repeats(case).div_ceil(10))
        .collect();
    let calls: Vec<_> = cases
        .iter()
        .map(|case| {
            json!({
                "service": case.service,
                "operation": case.operation,
                "params": case.params,
                "headers": case.headers,
                "body": case.body,
                "list": case.list,
                "reads": case.reads,
            })
        })
        .collect();
    let mut child = Command::new(python)
        .args(["-B", "-c", include_str!("boto3_calls.py"), url])
        .arg(json!(repeats).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin
        .write_all(json!(calls).to_string().as_bytes())
        .expect("the calls are written");
    drop(stdin);
    let output = child.wait_with_output().expect("Python ends");
    assert!(output.status.success(), "boto3 failed");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| line.parse().expect("seconds"))
        .collect()
}
