//! Calls on a real socket against a server that misbehaves, and changing calls against moto. These are here and not
//! in `tests/` because a changing call needs a permit, which no test can make: here the engine is called below the
//! sessions.

#[path = "../tests/range/mod.rs"]
pub(crate) mod range;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quell_model::{ErrorKind, Timestamp};
use serde_json::{Value, json};

use crate::execute::{Job, Safety};
use crate::{AwsError, Client, Config, Response, RoleToAssume, Scope};

/// What the server does with one request.
#[derive(Clone)]
enum Act {
    Answer(u16, &'static str, String),
    /// Promises more than it sends.
    Truncate,
    /// Reads the request and closes.
    Close,
    /// Reads the request and says nothing.
    Hang,
}

/// A server that does what the script says, the last line for ever, and remembers what it was sent.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let remember = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut hung = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let request = read_request(&stream);
                let number = {
                    let mut seen = remember.lock().unwrap();
                    seen.push(request);
                    seen.len() - 1
                };
                let act = script.get(number).or(script.last()).unwrap();
                if let Some(open) = perform(stream, act) {
                    hung.push(open);
                }
            }
        });
        Self { url, seen }
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn count(&self, part: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| request.contains(part)).count()
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        text.push_str(&line);
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    text + &String::from_utf8_lossy(&body)
}

/// The stream, when it is to stay open without an answer.
fn perform(mut stream: TcpStream, act: &Act) -> Option<TcpStream> {
    let (status, kind, body, length) = match act {
        Act::Answer(status, kind, body) => (*status, *kind, body.as_str(), body.len()),
        Act::Truncate => (200, "text/xml", "<DescribeRegionsResponse>", 500),
        Act::Close => return None,
        Act::Hang => return Some(stream),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         x-amzn-requestid: from-header\r\nConnection: close\r\n\r\n{body}"
    );
    None
}

fn said(code: &str, status: u16) -> Act {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors>\
         <RequestID>r-1</RequestID></Response>"
    );
    Act::Answer(status, "text/xml", body)
}

fn fine() -> Act {
    let body = "<R><requestId>r-2</requestId><return>true</return></R>";
    Act::Answer(200, "text/xml", body.to_owned())
}

fn html(status: u16) -> Act {
    Act::Answer(
        status,
        "text/html",
        "<html><body>Hello<br></body>".to_owned(),
    )
}

fn config(url: &str) -> Config {
    let mut config = range::config(url);
    config.retries.attempts_max = 4;
    config.retries.base_delay = Duration::from_millis(1);
    config.timeouts.attempt = Duration::from_millis(400);
    config
}

async fn read(client: &Client) -> Result<Response, AwsError> {
    let job = Job {
        service: "ec2",
        operation: "DescribeRegions",
        params: &json!({}),
        region: "us-east-1",
        role: None,
        safety: Safety::Repeatable,
    };
    client.inner.call(&job).await
}

async fn change(client: &Client, operation: &str, params: &Value) -> Result<Response, AwsError> {
    let job = Job {
        service: "ec2",
        operation,
        params,
        region: "us-east-1",
        role: None,
        safety: Safety::Once,
    };
    client.inner.call(&job).await
}

async fn revoke(client: &Client) -> Result<Response, AwsError> {
    let params = json!({"GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"]});
    change(client, "RevokeSecurityGroupIngress", &params).await
}

/// Reads and revokes against the script; gives both outcomes and how many requests each took.
async fn both(
    script: &[Act],
) -> (
    (Result<Response, AwsError>, usize),
    (Result<Response, AwsError>, usize),
) {
    let server = Server::start(script.to_vec());
    let client = Client::new(config(&server.url)).unwrap();
    let reading = (read(&client).await, server.requests());
    let server = Server::start(script.to_vec());
    let client = Client::new(config(&server.url)).unwrap();
    let changing = (revoke(&client).await, server.requests());
    (reading, changing)
}

#[tokio::test]
async fn throttling_is_waited_out_for_both() {
    let script = [
        said("RequestLimitExceeded", 503),
        said("Throttling", 400),
        fine(),
    ];
    let ((reading, sent), (changing, changed)) = both(&script).await;
    assert_eq!(reading.unwrap().request_id.as_deref(), Some("r-2"));
    assert_eq!(changing.unwrap().value["Return"], true);
    assert_eq!((sent, changed), (3, 3));

    let ((reading, sent), (changing, changed)) = both(&[said("RequestLimitExceeded", 503)]).await;
    for error in [reading.unwrap_err(), changing.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert_eq!(error.request_id(), Some("r-1"));
        assert!(!error.may_have_happened());
    }
    assert_eq!((sent, changed), (4, 4));
}

#[tokio::test]
async fn a_server_error_is_tried_again_for_a_read_only() {
    for act in [
        said("InternalError", 500),
        html(503),
        Act::Answer(502, "x/y", String::new()),
    ] {
        let ((reading, sent), (changing, changed)) = both(&[act]).await;
        assert_eq!(reading.unwrap_err().kind(), ErrorKind::Unavailable);
        let error = changing.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.may_have_happened());
        assert_eq!((sent, changed), (4, 1));
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_change_is_never_asked_for_again() {
    for act in [Act::Truncate, Act::Close, Act::Hang, html(200)] {
        let ((reading, sent), (changing, changed)) = both(&[act]).await;
        let error = reading.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(!error.may_have_happened());
        assert_eq!(error.error_name(), "Ec2.SdkClientException");
        let error = changing.unwrap_err();
        assert!(matches!(error, AwsError::Unanswered { .. }), "{error}");
        assert!(error.may_have_happened());
        assert_eq!((sent, changed), (4, 1), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_expired_credentials_are_renewed_once() {
    let ((reading, sent), (changing, changed)) = both(&[said("UnauthorizedOperation", 403)]).await;
    assert_eq!(reading.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(changing.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!((sent, changed), (1, 1));

    let ((reading, sent), (changing, changed)) = both(&[said("ExpiredToken", 400), fine()]).await;
    assert!(reading.is_ok() && changing.is_ok());
    assert_eq!((sent, changed), (2, 2));
    let (_, (_, changed)) = both(&[said("ExpiredToken", 400)]).await;
    assert_eq!(changed, 2);
}

#[tokio::test]
async fn answers_have_a_limit() {
    let large = Act::Answer(200, "text/xml", "x".repeat(2_000));
    let server = Server::start(vec![large]);
    let mut config = config(&server.url);
    config.answer_bytes_max = 1_000;
    let client = Client::new(config).unwrap();
    let error = read(&client).await.unwrap_err();
    assert!(
        matches!(
            error,
            AwsError::TooLarge {
                bytes_max: 1_000,
                ..
            }
        ),
        "{error}"
    );
    let error = revoke(&client).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_up() {
    let server = Server::start(vec![Act::Hang]);
    let mut config = config(&server.url);
    config.timeouts.attempt = Duration::from_secs(60);
    config.timeouts.operation = Duration::from_millis(300);
    let client = Client::new(config).unwrap();
    let bounded = tokio::time::timeout(Duration::from_secs(20), read(&client)).await;
    assert!(bounded.unwrap().is_err());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn wrong_parameters_are_not_sent() {
    let server = Server::start(vec![fine()]);
    let client = Client::new(config(&server.url)).unwrap();
    let params = json!({"GroupID": "sg-1", "IpPermissions": 3});
    let error = change(&client, "RevokeSecurityGroupIngress", &params).await;
    let AwsError::InvalidParams { faults, .. } = error.unwrap_err() else {
        panic!("the parameters are wrong");
    };
    assert_eq!(faults.len(), 2);
    assert_eq!(server.requests(), 0);
}

/// A role's credentials, as STS gives them.
fn assumed(account: &str, expires: &str) -> Act {
    let body = format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIAROLE</AccessKeyId>\
         <SecretAccessKey>hush</SecretAccessKey><SessionToken>token</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials><AssumedRoleUser>\
         <AssumedRoleId>x:s</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/r/s</Arn>\
         </AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
    );
    Act::Answer(200, "text/xml", body)
}

fn scope() -> Scope {
    let mut role = RoleToAssume::new("arn:aws:iam::222222222222:role/r", "s");
    role.external_id = Some("ex".to_owned());
    role.tags.insert("run".to_owned(), "run-1".to_owned());
    Scope {
        account: "222222222222".to_owned(),
        region: "us-east-1".to_owned(),
        role: Some(role),
    }
}

#[tokio::test]
async fn a_role_is_assumed_once_and_again_before_it_expires() {
    let start: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let first = assumed("222222222222", "2026-11-21T11:00:00Z");
    let second = assumed("222222222222", "2026-11-21T12:00:00Z");
    let server = Server::start(vec![first, fine(), fine(), second, fine()]);
    let time = Arc::new(AtomicI64::new(start.millis()));
    let mut config = config(&server.url);
    let clock = Arc::clone(&time);
    config.clock = Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst)));
    let client = Client::new(config).unwrap();

    let session = client.read_session(&scope()).await.unwrap();
    for _ in 0..2 {
        session
            .call("ec2", "DescribeRegions", &json!({}))
            .await
            .unwrap();
    }
    assert_eq!(server.count("Action=AssumeRole&"), 1);
    assert_eq!(server.count("ExternalId=ex"), 1);
    assert_eq!(server.count("Tags.member.1.Key=run"), 1);
    assert_eq!(
        server.count("Credential=AKIAROLE/20261121/us-east-1/ec2/aws4_request"),
        2
    );

    time.fetch_add(56 * 60 * 1000, Ordering::SeqCst);
    session
        .call("ec2", "DescribeRegions", &json!({}))
        .await
        .unwrap();
    assert_eq!(server.count("Action=AssumeRole&"), 2);
    assert!(!format!("{session:?} {client:?}").contains("hush"));
}

#[tokio::test]
async fn a_role_that_turns_out_to_be_elsewhere_is_refused() {
    let server = Server::start(vec![assumed("333333333333", "2026-11-21T11:00:00Z")]);
    let client = Client::new(config(&server.url)).unwrap();
    let error = client.change_session(&scope()).await.unwrap_err();
    assert!(matches!(error, AwsError::WrongAccount { .. }), "{error}");
}

#[tokio::test]
async fn rules_are_added_and_revoked_by_id() {
    let Some(moto) = range::Moto::start() else {
        return;
    };
    let group = range::setup(&moto.url, "ec2-group", &[]).await;
    let client = Client::new(range::config(&moto.url)).unwrap();
    let added = json!({"GroupId": group, "IpPermissions": [{
        "IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389,
        "IpRanges": [{"CidrIp": "198.51.100.0/24", "Description": "a & b, «c»"}],
    }]});
    let added = change(&client, "AuthorizeSecurityGroupIngress", &added)
        .await
        .unwrap();
    let rule = &added.value["SecurityGroupRules"][0];
    assert_eq!(rule["CidrIpv4"], "198.51.100.0/24");
    assert_eq!(rule["Description"], "a & b, «c»");
    let id = rule["SecurityGroupRuleId"].as_str().unwrap().to_owned();

    let gone = json!({"GroupId": group, "SecurityGroupRuleIds": [id]});
    let gone = change(&client, "RevokeSecurityGroupIngress", &gone)
        .await
        .unwrap();
    assert_eq!(gone.value["Return"], true);

    let scope = Scope {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        role: None,
    };
    let session = client.read_session(&scope).await.unwrap();
    let filter = json!({"Filters": [{"Name": "group-id", "Values": [group]}]});
    let left = session
        .call("ec2", "DescribeSecurityGroupRules", &filter)
        .await
        .unwrap();
    let left = left.value["SecurityGroupRules"].as_array().unwrap().clone();
    assert!(
        left.iter()
            .all(|rule| rule["SecurityGroupRuleId"] != id.as_str())
    );
    assert!(left.iter().any(|rule| rule["ToPort"] == 22));
}
