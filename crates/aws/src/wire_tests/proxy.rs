//! Calls through a proxy.

use super::*;
use crate::Proxies;

fn proxied(proxy: &Server, endpoint: &str) -> Client {
    let mut config = config(endpoint);
    let address = proxy.url.strip_prefix("http://").unwrap();
    let url = Some(format!("http://me:hush@{address}"));
    config.proxies = Proxies {
        https: url.clone(),
        http: url,
        none: None,
    };
    config.retries.attempts_max = 1;
    Client::new(config).unwrap()
}

/// `me:hush`
const AUTHORIZATION: &str = "proxy-authorization: basic bwu6ahvzaa==";

#[tokio::test]
async fn http_is_passed_on_with_its_whole_url() {
    let proxy = Server::start(vec![fine()]);
    let client = proxied(&proxy, "http://aws.example:8080");
    read(&client).await.unwrap();
    let seen = proxy.seen.lock().unwrap()[0].clone();
    assert!(
        seen.starts_with("POST http://aws.example:8080/ HTTP/1.1"),
        "{seen}"
    );
    assert!(seen.to_lowercase().contains(AUTHORIZATION), "{seen}");
}

/// A proxy that opens the tunnel and gives back the first bytes that come through.
fn tunnel() -> (Server, std::sync::mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let asked = read_request(&stream);
            let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            let mut first = vec![0; 1024];
            let length = stream.read(&mut first).unwrap_or(0);
            first.truncate(length);
            let _ = sender.send((asked, first));
        }
    });
    let seen = Arc::default();
    (Server { url, seen }, receiver)
}

#[tokio::test]
async fn https_goes_through_a_tunnel_in_which_the_proxy_sees_only_tls() {
    let (proxy, received) = tunnel();
    let client = proxied(&proxy, "https://aws.example");
    let error = revoke(&client).await.unwrap_err();
    // The tunnel ends before there is a connection: nothing was sent.
    assert!(matches!(error, AwsError::Unreachable { .. }), "{error}");
    let (asked, first) = received.recv().unwrap();
    assert!(
        asked.starts_with("CONNECT aws.example:443 HTTP/1.1"),
        "{asked}"
    );
    assert!(asked.to_lowercase().contains(AUTHORIZATION), "{asked}");
    assert!(!asked.contains("AKIAIOSFODNN7EXAMPLE"));
    assert_eq!(first[..2], [0x16, 0x03], "a TLS handshake");
    let name = b"aws.example";
    assert!(first.windows(name.len()).any(|part| part == name));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_said_to() {
    let refusal = "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n".to_owned();
    let proxy = Server::start(vec![Act::Raw(refusal)]);
    let error = revoke(&proxied(&proxy, "https://aws.example")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("proxy authorization required"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
