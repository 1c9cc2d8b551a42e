//! A server of this machine, which says what it is told to.

use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers each request with the bytes, or with nothing; what it was asked.
async fn server(answer: &'static str) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, heard) = tokio::sync::mpsc::unbounded_channel();
    let tasks = crate::loops::Tasks::default();
    tasks.start("server", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut piece).await.unwrap();
                if read == 0 {
                    break;
                }
                request.extend_from_slice(&piece[..read]);
            }
            drop(asked.send(String::from_utf8(request).unwrap()));
            match answer {
                "" => std::future::pending().await,
                answer => stream.write_all(answer.as_bytes()).await.unwrap(),
            }
        }
    });
    (port, heard)
}

fn http(entries: &[String]) -> Http {
    Http::new(Hosts::parse(entries).unwrap())
}

fn request(url: String) -> HttpRequest {
    HttpRequest {
        method: "POST".to_owned(),
        url,
        headers: vec![("X-Key".to_owned(), "hush".to_owned())],
        body: Some("{}".to_owned()),
    }
}

#[tokio::test]
async fn an_allowed_host_is_asked_and_its_answer_read() {
    let (port, mut heard) = server(
        "HTTP/1.1 418 x\r\ncontent-length: 3\r\nA: 1\r\nA: 2\r\nconnection: close\r\n\r\nabc",
    )
    .await;
    let http = http(&[format!("http://127.0.0.1:{port}")]);
    let answer = http
        .send(&request(format!("http://127.0.0.1:{port}/p?q=1")))
        .await
        .unwrap();
    assert_eq!(
        (
            answer.status,
            answer.reason.as_str(),
            answer.body.as_slice()
        ),
        (418, "I'm a teapot", &b"abc"[..])
    );
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert!(
        answer.headers.contains(&header("a", "1")) && answer.headers.contains(&header("a", "2"))
    );
    let asked = heard.recv().await.unwrap();
    assert!(asked.starts_with("POST /p?q=1 HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("x-key: hush\r\n") && asked.contains(&format!("host: 127.0.0.1:{port}\r\n")),
        "{asked}"
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (port, mut heard) = server(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    .await;
    let http = http(&[
        "http://127.0.0.0/8".to_owned(),
        format!("http://127.0.0.1:{port}"),
    ]);
    let answer = http
        .send(&request(format!("http://127.0.0.1:{port}/")))
        .await
        .unwrap();
    assert_eq!(answer.status, 302);
    heard.recv().await.unwrap();
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn what_is_not_listed_is_not_asked() {
    let (port, mut heard) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let named = http(&[format!("http://localhost:{port}")]);
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.2:{port}/"),
    ] {
        let refused = named.send(&request(url)).await.unwrap_err();
        assert!(matches!(refused, NoAnswer::NotAllowed(_)), "{refused:?}");
    }
    // The name is allowed, and the address that it leads to is not.
    let refused = named
        .send(&request(format!("http://localhost:{port}/")))
        .await
        .unwrap_err();
    let NoAnswer::NotSent(reason) = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("leads to no address"), "{reason}");
    assert!(heard.try_recv().is_err(), "nothing was sent");
    let listed = http(&[
        format!("http://localhost:{port}"),
        "127.0.0.1".to_owned(),
        "[::1]".to_owned(),
    ]);
    assert_eq!(
        listed
            .send(&request(format!("http://localhost:{port}/")))
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn no_answer_is_told_from_no_connection() {
    let (port, _heard) = server("").await;
    let entry = format!("http://127.0.0.1:{port}");
    let silent = Http {
        timeout: Duration::from_millis(200),
        ..http(std::slice::from_ref(&entry))
    };
    let lost = silent.send(&request(entry)).await.unwrap_err();
    assert_eq!(lost, NoAnswer::Lost("no answer within 200ms".to_owned()));

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let entry = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let refused = http(std::slice::from_ref(&entry))
        .send(&request(entry))
        .await
        .unwrap_err();
    assert!(matches!(refused, NoAnswer::NotSent(_)), "{refused:?}");

    let (port, _heard) = server("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc").await;
    let entry = format!("http://127.0.0.1:{port}");
    let cut = http(std::slice::from_ref(&entry))
        .send(&request(entry))
        .await
        .unwrap_err();
    assert!(matches!(cut, NoAnswer::Lost(_)), "{cut:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let long: &'static str = Box::leak(
        format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
            "x".repeat(ANSWER_BYTES_MAX + 1)
        )
        .into_boxed_str(),
    );
    let (port, _heard) = server(long).await;
    let entry = format!("http://127.0.0.1:{port}");
    let refused = http(std::slice::from_ref(&entry))
        .send(&request(entry))
        .await
        .unwrap_err();
    assert_eq!(refused, NoAnswer::TooLarge);
}

#[tokio::test]
async fn no_secret_is_in_what_is_said() {
    let http = http(&["http://127.0.0.1:9".to_owned()]);
    let mut bad = request("http://127.0.0.1:9/?key=hush".to_owned());
    bad.headers = vec![("X-Key".to_owned(), "hush\n".to_owned())];
    let said = http.send(&bad).await.unwrap_err().to_string();
    assert_eq!(said, "the header x-key cannot be sent");
    let url = "http://127.0.0.1:8/?key=hush".to_owned();
    let said = http.send(&request(url)).await.unwrap_err().to_string();
    assert!(!said.contains("hush"), "{said}");
}
