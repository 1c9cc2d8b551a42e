//! Objects of S3 piece by piece, on a real socket, from a server that does not always send what it promised.

#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod range;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use quell_aws::{AwsError, Client, ObjectStream, ReadSession, Scope};

const ACCOUNT: &str = "123456789012";

/// Answers the first request as STS, and then with the given bytes; the last connection stays open.
fn server(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let identity = format!(
            "<R><GetCallerIdentityResult><Account>{ACCOUNT}</Account></GetCallerIdentityResult></R>"
        );
        let answers = std::iter::once(answer(200, "", &identity)).chain(answers);
        let mut open = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            skip_request(&stream);
            stream.write_all(answer.as_bytes()).unwrap();
            if answer.contains("hold") {
                open.push(stream);
            }
        }
        listener.accept().unwrap();
    });
    url
}

fn skip_request(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).unwrap() == 0 {
            return;
        }
    }
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

async fn session(answers: Vec<String>) -> ReadSession {
    let mut config = range::config(&server(answers));
    config.timeouts.attempt = Duration::from_millis(300);
    config.retries.base_delay = Duration::from_millis(1);
    let scope = Scope {
        account: ACCOUNT.to_owned(),
        region: "us-east-1".to_owned(),
        role: None,
    };
    let client = Client::new(config).unwrap();
    client.read_session(&scope).await.unwrap()
}

async fn whole(mut stream: ObjectStream) -> Result<Vec<u8>, AwsError> {
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await? {
        bytes.extend_from_slice(&piece);
    }
    assert!(stream.next().await?.is_none(), "something after the end");
    Ok(bytes)
}

async fn object(answer: String, bytes_max: usize) -> Result<Vec<u8>, AwsError> {
    let session = session(vec![answer]).await;
    whole(session.object("b", "k", bytes_max).await?).await
}

#[tokio::test]
async fn an_object_comes_as_it_is() {
    let sum = "x-amz-checksum-crc32: y/Q5Jg==\r\n";
    let bytes = object(answer(200, sum, "123456789"), 9).await.unwrap();
    assert_eq!(bytes, b"123456789");
    let session = session(vec![answer(200, "", "123456789")]).await;
    let stream = session.object("b", "k", 9).await.unwrap();
    assert_eq!(stream.length(), Some(9));
}

#[tokio::test]
async fn what_is_not_the_object_is_told() {
    let sum = "x-amz-checksum-crc32: AAAAAA==\r\n";
    let wrong = object(answer(200, sum, "123456789"), 9).await;
    assert!(
        matches!(wrong, Err(AwsError::Unreadable { .. })),
        "{wrong:?}"
    );
    let large = object(answer(200, "", "123456789"), 8).await;
    assert!(
        matches!(large, Err(AwsError::TooLarge { bytes_max: 8, .. })),
        "{large:?}"
    );
    let chunked = "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n9\r\n123456789\r\n0\r\n\r\n";
    let large = object(chunked.to_owned(), 8).await;
    assert!(
        matches!(large, Err(AwsError::TooLarge { bytes_max: 8, .. })),
        "{large:?}"
    );

    let whole = answer(200, "", "123456789");
    let cut = whole.strip_suffix("789").unwrap().to_owned();
    let cut = object(cut, 9).await;
    assert!(matches!(cut, Err(AwsError::Unreachable { .. })), "{cut:?}");
    let silent = whole.replace("Content-Length: 9", "Content-Length: 10\r\nx-hold: hold");
    let silent = object(silent, 10).await;
    assert!(
        matches!(silent, Err(AwsError::Unreachable { .. })),
        "{silent:?}"
    );
}

#[tokio::test]
async fn a_refusal_is_read_and_tried_again_as_any() {
    let busy = "<Error><Code>SlowDown</Code><Message>m</Message></Error>";
    let none = "<Error><Code>NoSuchKey</Code><Message>m</Message></Error>";
    let answers = vec![answer(503, "", busy), answer(200, "", "1")];
    let session = session(answers).await;
    let stream = session.object("b", "k", 9).await.unwrap();
    assert_eq!(whole(stream).await.unwrap(), b"1");
    let refused = object(answer(404, "", none), 9).await.unwrap_err();
    assert_eq!(refused.code(), Some("NoSuchKey"));
}
