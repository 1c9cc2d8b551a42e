//! A clock that is wrong is noticed by the answer's date, and the call is signed again for AWS's time.

use super::*;

/// The tests' clock stands at 10:00.
fn at(date: &str, status: u16, code: &str) -> Act {
    let body = if code.is_empty() {
        "<R><return>true</return></R>".to_owned()
    } else {
        format!("<R><Errors><Error><Code>{code}</Code></Error></Errors></R>")
    };
    Act::Raw(format!(
        "HTTP/1.1 {status} X\r\nDate: {date}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

const HOUR_ON: &str = "Sat, 21 Nov 2026 11:00:00 GMT";
const SAME: &str = "Sat, 21 Nov 2026 10:00:07 GMT";

#[tokio::test]
async fn a_call_is_signed_again_for_the_time_of_the_host() {
    for code in [
        "RequestTimeTooSkewed",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AuthFailure",
    ] {
        let server = Server::start(vec![at(HOUR_ON, 403, code), at(HOUR_ON, 200, "")]);
        let client = Client::new(config(&server.url)).unwrap();
        // Also what changes something: a signature that was refused did nothing.
        revoke(&client).await.unwrap();
        read(&client).await.unwrap();
        let seen = server.seen.lock().unwrap().clone();
        assert_eq!(seen.len(), 3, "{code}");
        assert!(seen[0].contains("20261121T100000Z"), "{code}: {}", seen[0]);
        assert!(seen[1].contains("20261121T110000Z"), "{code}: {}", seen[1]);
        assert!(seen[2].contains("20261121T110000Z"), "{code}: {}", seen[2]);
    }
}

#[tokio::test]
async fn a_refusal_at_the_right_time_is_final_and_one_that_stays_is_met_once() {
    let server = Server::start(vec![at(SAME, 403, "SignatureDoesNotMatch")]);
    let client = Client::new(config(&server.url)).unwrap();
    assert!(read(&client).await.is_err());
    assert_eq!(server.requests(), 1);

    let hours = ["11", "15", "19", "23"].map(|hour| {
        let date = format!("Sat, 21 Nov 2026 {hour}:00:00 GMT");
        at(&date, 403, "RequestTimeTooSkewed")
    });
    let server = Server::start(hours.to_vec());
    let client = Client::new(config(&server.url)).unwrap();
    let error = revoke(&client).await.unwrap_err();
    assert_eq!(error.code(), Some("RequestTimeTooSkewed"));
    assert_eq!(server.requests(), 2);
}
