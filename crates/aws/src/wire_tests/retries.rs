//! What is sent again, and what is not.

use quell_model::ErrorKind;

use super::*;

#[tokio::test]
async fn throttling_is_waited_out_for_both() {
    let script = [
        said("RequestLimitExceeded", 503),
        said("Throttling", 400),
        fine(),
    ];
    let ((reading, sent), (changing, changed)) = both(&script).await;
    assert_eq!(reading.unwrap().request_id.as_deref(), Some("r-2"));
    assert_eq!(changing.unwrap().value.to_json()["Return"], true);
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
    let error = call(&client, "RevokeSecurityGroupIngress", &params, Safety::Once).await;
    let AwsError::InvalidParams { faults, .. } = error.unwrap_err() else {
        panic!("the parameters are wrong");
    };
    assert_eq!(faults.len(), 2);
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn aws_is_asked_again_no_sooner_than_it_wants() {
    let body = "<R><Errors><Error><Code>Throttling</Code></Error></Errors></R>";
    let slower = format!(
        "HTTP/1.1 503 X\r\nx-amz-retry-after: 600000\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    let server = Server::start(vec![Act::Raw(slower)]);
    let mut config = config(&server.url);
    config.timeouts.operation = Duration::from_secs(4);
    let client = Client::new(config).unwrap();
    // Five seconds at most, and that is more than there is: it does not wait in vain.
    let error = read(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(error.is_retryable());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_callers_deadline_caps_everything() {
    let server = Server::start(vec![Act::Hang]);
    let mut config = config(&server.url);
    config.timeouts.attempt = Duration::from_secs(60);
    let client = Client::new(config).unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(200);
    let session = client.home_session().until(deadline);
    let params = json!({"QueueUrl": format!("{}/1/q", server.url)});
    let waits = session.call("sqs", "ReceiveMessage", &params);
    let bounded = tokio::time::timeout(Duration::from_secs(20), waits).await;
    let error = bounded.unwrap().unwrap_err();
    assert!(matches!(error, AwsError::Unreachable { .. }), "{error}");
    // When it has passed nothing is sent at all.
    let sent = server.requests();
    assert!(
        session
            .call("sqs", "ReceiveMessage", &params)
            .await
            .is_err()
    );
    assert_eq!(server.requests(), sent);
}

/// A provider that never comes to an end.
#[derive(Debug)]
struct Never;

impl aws_credential_types::provider::ProvideCredentials for Never {
    fn provide_credentials<'a>(
        &'a self,
    ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        aws_credential_types::provider::future::ProvideCredentials::new(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_credentials_ends_with_the_deadline_and_nothing_was_sent() {
    let mut config = config("http://127.0.0.1:9");
    config.credentials = crate::SharedCredentialsProvider::new(Never);
    let client = Client::new(config).unwrap();
    let error = revoke(&client).await.unwrap_err();
    assert!(
        matches!(
            error,
            AwsError::Credentials { .. } | AwsError::Unreachable { .. }
        ),
        "{error}"
    );
    assert!(!error.may_have_happened());
}

#[tokio::test(start_paused = true)]
async fn a_session_does_not_wait_for_ever_either() {
    let mut config = config("http://127.0.0.1:9");
    config.credentials = crate::SharedCredentialsProvider::new(Never);
    let client = Client::new(config).unwrap();
    let scope = crate::Scope {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        role: None,
    };
    let start = tokio::time::Instant::now();
    let mut sessions = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (client, scope) = (client.clone(), scope.clone());
        sessions.spawn(async move { client.change_session(&scope).await });
    }
    for session in sessions.join_all().await {
        let error = session.unwrap_err();
        assert!(
            matches!(
                error,
                AwsError::Credentials { .. } | AwsError::Unreachable { .. }
            ),
            "{error}"
        );
    }
    assert!(
        start.elapsed() <= Duration::from_secs(91),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn callers_of_one_place_share_its_limit() {
    let server = Server::start(vec![fine()]);
    let mut config = config(&server.url);
    let slow = crate::Limit {
        per_second: 0.001,
        burst: 2.0,
    };
    let limits = crate::ServiceLimits {
        reads: slow,
        changes: slow,
    };
    config.limits.0.insert("ec2".to_owned(), limits);
    let client = Client::new(config).unwrap();
    let other = client.clone();
    assert!(read(&client).await.is_ok());
    assert!(read(&other).await.is_ok());
    let error = read(&client).await.unwrap_err();
    assert!(matches!(error, AwsError::Crowded { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(
        revoke(&client).await.is_ok(),
        "changes have their own limit"
    );
    assert_eq!(server.requests(), 3);
}
