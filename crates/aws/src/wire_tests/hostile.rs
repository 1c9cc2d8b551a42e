//! Servers that lie, hang, drip and flood: every answer is classified, every wait and every buffer has an end.

use quell_model::ErrorKind;

use super::*;

const PAUSE: Duration = Duration::from_millis(10);
const NONE: Duration = Duration::ZERO;

/// The read ends as an answer that could not be had, and the change as one that may have happened.
async fn is_unclear(act: Act) {
    let ((reading, _), (changing, changed)) = both(std::slice::from_ref(&act)).await;
    let error = reading.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(!error.may_have_happened(), "{error}");
    let error = changing.unwrap_err();
    assert!(matches!(error, AwsError::Unanswered { .. }), "{error}");
    assert_eq!(changed, 1, "{error}");
}

#[tokio::test]
async fn headers_that_drip_end_with_the_attempt() {
    is_unclear(Act::Repeat("HTTP/1.1 200 X\r\n", "X-A: b\r\n", PAUSE)).await;
}

#[tokio::test]
async fn a_body_that_drips_ends_with_the_attempt() {
    let head = "HTTP/1.1 200 X\r\nContent-Type: text/xml\r\nContent-Length: 99999\r\n\r\n<R>";
    is_unclear(Act::Repeat(head, " ", PAUSE)).await;
}

#[tokio::test]
async fn a_connection_that_is_half_closed_is_over() {
    is_unclear(Act::HalfClose).await;
}

#[tokio::test]
async fn a_handshake_that_hangs_proves_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(&format!("https://{}", listener.local_addr().unwrap()));
    config.timeouts.connect = Duration::from_millis(100);
    config.timeouts.attempt = Duration::from_secs(60);
    config.retries.attempts_max = 2;
    let client = Client::new(config).unwrap();
    let error = revoke(&client).await.unwrap_err();
    assert!(
        matches!(error, AwsError::Unreachable { attempts: 2, .. }),
        "{error}"
    );
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    is_unclear(Act::Repeat(
        "HTTP/1.1 200 X\r\n",
        concat!("X-A: ", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "\r\n"),
        NONE,
    ))
    .await;
    is_unclear(Act::Repeat(
        "HTTP/1.1 200 X\r\nX-A: ",
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        NONE,
    ))
    .await;
}

#[tokio::test]
async fn interim_answers_are_passed_over_but_not_for_ever() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(3);
    let body = "<R><requestId>r-2</requestId><return>true</return></R>";
    let length = body.len();
    let text = format!(
        "{hints}HTTP/1.1 200 X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let ((reading, _), (changing, _)) = both(&[Act::Raw(text)]).await;
    assert!(reading.is_ok() && changing.is_ok());
    is_unclear(Act::Repeat(
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        PAUSE,
    ))
    .await;
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for text in [
        "",
        "\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 2",
        "HTTP/9.9 200 X\r\n\r\n",
        "HTTP/1.1 999999 X\r\n\r\n",
        "HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        is_unclear(Act::Raw(text.to_owned())).await;
    }
}

/// However a body is cut, it is the same, and has the same limit.
#[tokio::test]
async fn a_body_in_pieces_is_whole() {
    let body = "<R><regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo></R>";
    for size in [1, 2, 7, 40, body.len()] {
        let chunks = body.as_bytes().chunks(size).map(|chunk| {
            let text = std::str::from_utf8(chunk).unwrap();
            format!("{:x}\r\n{text}\r\n", chunk.len())
        });
        let chunks: String = chunks.collect();
        let text = format!("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
        for (bytes_max, fits) in [(body.len(), true), (body.len() - 1, false)] {
            let server = Server::start(vec![Act::Raw(text.clone())]);
            let mut config = config(&server.url);
            config.answer_bytes_max = bytes_max;
            let answer = read(&Client::new(config).unwrap()).await;
            match answer {
                Ok(answer) if fits => {
                    let expected = json!({"Regions": [{"RegionName": "eu-west-1"}]});
                    assert_eq!(answer.value.to_json(), expected, "{size}");
                }
                Err(AwsError::TooLarge { .. }) if !fits => {}
                other => panic!("{size} {fits}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_yes_of_the_wrong_kind_is_no_answer() {
    for (kind, body) in [
        ("application/json", r#"{"return": true}"#),
        ("text/html", "<html><body>Welcome<br></body></html>"),
        ("text/xml", "<DescribeRegionsResponse><regionInfo>"),
        ("text/xml", "\u{0}\u{1}\u{2}"),
    ] {
        is_unclear(Act::Answer(200, kind, body.to_owned())).await;
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 307, 308] {
        let text = format!(
            "HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        let ((reading, sent), (changing, changed)) = both(&[Act::Raw(text)]).await;
        for error in [reading.unwrap_err(), changing.unwrap_err()] {
            assert!(matches!(error, AwsError::Service(_)), "{error}");
            assert!(!error.may_have_happened(), "{error}");
        }
        assert_eq!((sent, changed), (1, 1));
    }
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let part = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    for (head, is_no) in [
        ("HTTP/1.1 200 X\r\nConnection: close\r\n\r\n", false),
        ("HTTP/1.1 500 X\r\nConnection: close\r\n\r\n", true),
    ] {
        let server = Server::start(vec![Act::Repeat(head, part, NONE)]);
        let mut config = config(&server.url);
        config.answer_bytes_max = 100_000;
        config.timeouts.attempt = Duration::from_secs(60);
        config.timeouts.operation = Duration::from_secs(60);
        let client = Client::new(config).unwrap();
        let error = read(&client).await.unwrap_err();
        assert!(
            matches!(error, AwsError::TooLarge { .. }),
            "{is_no}: {error}"
        );
        assert!(revoke(&client).await.unwrap_err().may_have_happened());
        assert_eq!(server.requests(), 2);
    }
}

#[tokio::test]
async fn refusals_in_strange_clothes_are_refusals() {
    for (status, body, kind) in [
        (403, String::new(), ErrorKind::Denied),
        (404, "<html>".to_owned(), ErrorKind::NotFound),
        (429, "{}".to_owned(), ErrorKind::Throttled),
        (400, "<R><Errors>".to_owned(), ErrorKind::Invalid),
        (400, "<a>".repeat(5000), ErrorKind::Invalid),
        (503, "\u{fffd}".repeat(100), ErrorKind::Unavailable),
    ] {
        let act = Act::Answer(status, "text/plain", body);
        let ((reading, _), (changing, changed)) = both(&[act]).await;
        for error in [reading.unwrap_err(), changing.unwrap_err()] {
            assert_eq!(error.kind(), kind, "{status}: {error}");
        }
        let sent = if kind == ErrorKind::Throttled { 4 } else { 1 };
        assert_eq!(changed, sent, "{status}");
    }
}
