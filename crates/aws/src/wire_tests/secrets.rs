//! What is secret is in no log, no error and no print.

use std::fmt::Write as _;
use std::io;

use super::*;
use crate::{Credentials, Proxies, RoleToAssume, Scope, SharedCredentialsProvider};

/// Every secret of this test has this in it.
const PLANTED: &str = "PLANTED";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn planted(what: &str) -> String {
    format!("{PLANTED}-{what}")
}

fn secretive(url: &str) -> Config {
    let mut config = config(url);
    let keys = Credentials::from_keys("AKIAEXAMPLE", planted("secret"), Some(planted("token")));
    config.credentials = SharedCredentialsProvider::new(keys);
    config.proxies = Proxies {
        https: Some(format!("http://me:{}@proxy.example:1", planted("password"))),
        ..Proxies::default()
    };
    config
}

fn scope() -> Scope {
    let mut role = RoleToAssume::new("arn:aws:iam::222222222222:role/r", "quell");
    role.external_id = Some(planted("external-id"));
    Scope {
        account: "222222222222".to_owned(),
        region: "us-east-1".to_owned(),
        role: Some(role),
    }
}

fn assumed() -> Act {
    let body = format!(
        "<R><AssumeRoleResult><Credentials><AccessKeyId>AKIAROLE</AccessKeyId>\
         <SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
         <Expiration>2026-11-21T11:00:00Z</Expiration></Credentials><AssumedRoleUser>\
         <Arn>arn:aws:sts::222222222222:assumed-role/r/s</Arn></AssumedRoleUser>\
         </AssumeRoleResult></R>",
        planted("role-secret"),
        planted("role-token")
    );
    Act::Answer(200, "text/xml", body)
}

fn quoting() -> String {
    let (old, new) = (planted("old"), planted("new"));
    format!(
        "<ErrorResponse><Error><Code>ValidationError</Code><Message>'{new}' is too like \
         '{old}'</Message></Error></ErrorResponse>"
    )
}

/// Parameters with secrets, sent and refused, and such as are not even sent.
async fn everything(url: &str, out: &mut String) {
    let client = Client::new(secretive(url)).unwrap();
    let session = client.read_session(&scope()).await.unwrap();
    write!(out, "{client:?}{session:?}{:?}", client.inner.config).unwrap();
    let params = json!({"Filters": [{"Name": "key", "Values": [planted("parameter")]}]});
    for _ in 0..2 {
        let answer = session.call("ec2", "DescribeRegions", &params).await;
        write!(out, "{answer:?}").unwrap();
        if let Err(error) = answer {
            write!(out, "{error}{:?}", crate::states_error(&error)).unwrap();
        }
    }
    for params in [
        json!({"Filters": planted("wrong")}),
        json!({"Filters": [{"Name": planted("name"), "Values": planted("values")}]}),
        json!(planted("text")),
    ] {
        let error = session.call("ec2", "DescribeRegions", &params).await;
        write!(out, "{error:?}{}", error.as_ref().unwrap_err()).unwrap();
    }
}

/// A call whose parameters the model calls sensitive, to a service that quotes them.
async fn change_password(url: &str, out: &mut String) {
    let client = Client::new(config(url)).unwrap();
    let params = json!({"OldPassword": planted("old"), "NewPassword": planted("new")});
    let job = Job {
        service: "iam",
        operation: "ChangePassword",
        params: &params,
        region: "us-east-1",
        role: None,
        safety: Safety::Once,
        deadline: None,
        idempotency_token: None,
    };
    let error = client.inner.call(&job).await.unwrap_err();
    write!(out, "{error} {error:?} {:?}", crate::states_error(&error)).unwrap();
}

#[test]
fn secrets_are_in_no_log_and_no_error() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let mut out = String::new();
    tracing::subscriber::with_default(subscriber, || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        for act in [
            said("UnauthorizedOperation", 403),
            said("Throttling", 400),
            html(500),
            html(200),
            Act::Close,
            Act::Truncate,
            Act::Answer(200, "text/xml", format!("<R>{}</R", planted("body"))),
        ] {
            // Another test may have met a place that logs first, with nobody listening, and have it remembered so.
            tracing::callsite::rebuild_interest_cache();
            let server = Server::start(vec![assumed(), act]);
            runtime.block_on(everything(&server.url, &mut out));
            assert!(server.count(PLANTED) > 1, "the secrets were used");
        }
        let server = Server::start(vec![Act::Answer(400, "text/xml", quoting())]);
        runtime.block_on(change_password(&server.url, &mut out));
        assert!(out.contains("is too like"));
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("trying again"), "something was logged");
    for text in [log, out] {
        let place = text
            .find(PLANTED)
            .and_then(|at| text.get(at.saturating_sub(200)..));
        assert_eq!(place, None);
    }
}
