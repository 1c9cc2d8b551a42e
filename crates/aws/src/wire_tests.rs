//! Calls on a real socket against a server that misbehaves, and changing calls against moto. These are here and not
//! in `tests/` because a changing call needs a permit, which no test can make: here the engine is called below the
//! sessions.

#[path = "../tests/range/mod.rs"]
pub(crate) mod range;
mod redirects;

mod chain;
mod hostile;
mod moto;
mod proxy;
mod retries;
mod roles;
mod secrets;
mod skew;
mod tasks;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::execute::{Job, Safety};
use crate::{AwsError, Client, Config, Response};

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
    /// Reads the request and closes its own half.
    HalfClose,
    /// Writes the bytes as they are, and closes.
    Raw(String),
    /// Writes the first, then the second again and again, with a pause between, until the client has had enough.
    Repeat(&'static str, &'static str, Duration),
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
    if let Act::Raw(text) = act {
        let _ = stream.write_all(text.as_bytes());
        return None;
    }
    if let Act::Repeat(first, again, pause) = act {
        let (first, again, pause) = (*first, *again, *pause);
        std::thread::spawn(move || {
            let mut text = first;
            while stream.write_all(text.as_bytes()).is_ok() {
                text = again;
                std::thread::sleep(pause);
            }
        });
        return None;
    }
    let (status, kind, body, length) = match act {
        Act::Answer(status, kind, body) => (*status, *kind, body.as_str(), body.len()),
        Act::Truncate => (200, "text/xml", "<DescribeRegionsResponse>", 500),
        Act::Close => return None,
        Act::HalfClose => {
            let _ = stream.shutdown(std::net::Shutdown::Write);
            return Some(stream);
        }
        Act::Hang | Act::Raw(_) | Act::Repeat(..) => return Some(stream),
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
    config.retries.throttled_delay = Duration::from_millis(1);
    config.timeouts.attempt = Duration::from_millis(400);
    config
}

async fn read(client: &Client) -> Result<Response, AwsError> {
    call(client, "DescribeRegions", &json!({}), Safety::Repeatable).await
}

async fn call(
    client: &Client,
    operation: &str,
    params: &Value,
    safety: Safety,
) -> Result<Response, AwsError> {
    let job = Job {
        service: "ec2",
        operation,
        params,
        region: "us-east-1",
        role: None,
        safety,
        deadline: None,
        idempotency_token: None,
    };
    client.inner.call(&job).await
}

async fn revoke(client: &Client) -> Result<Response, AwsError> {
    let params = json!({"GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"]});
    call(client, "RevokeSecurityGroupIngress", &params, Safety::Once).await
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
