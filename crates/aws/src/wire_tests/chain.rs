//! The standard chain: each place where credentials may be, in a process of its own whose environment is made for it.

use std::path::Path;
use std::process::Command;

use aws_credential_types::provider::ProvideCredentials as _;

use super::*;
use crate::{Proxies, StandardChain};

/// Says what the chain finds. The tests run it, each with its own environment.
#[tokio::test]
#[ignore = "it looks at whatever environment it has: the tests below make one for it"]
async fn what_is_found() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(std::io::stderr)
        .init();
    let profile = std::env::var_os("TEST_PROFILE").map(|name| name.into_string().unwrap());
    let chain = StandardChain::new("us-east-1", profile, Proxies::default());
    for _ in 0..2 {
        match chain.provide_credentials().await {
            Ok(found) => println!(
                "found {} {} {}",
                found.access_key_id(),
                found.session_token().is_some(),
                found.expiry().is_some()
            ),
            Err(error) => println!("none: {}", crate::transport::chain(&error)),
        }
    }
}

/// What the chain finds in a home with these files and with these variables.
fn found(files: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let said = run(home.path(), variables);
    let mut lines = said.lines().filter_map(|line| {
        // The test runner's own words may stand before ours.
        let at = line.find("none: ").or_else(|| line.find("found "))?;
        line.get(at..).map(str::to_owned)
    });
    let first = lines.next().unwrap_or_else(|| panic!("it said {said}"));
    // It looks again and finds the same.
    assert_eq!(lines.next().as_ref(), Some(&first));
    first
}

fn run(home: &Path, variables: &[(&str, &str)]) -> String {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this)
        .args(["--exact", "wire_tests::chain::what_is_found"])
        .args(["--ignored", "--nocapture"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        // No test asks the machine that it runs on.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // Every secret of these tests has this in it.
    assert!(
        !log.contains("PLANTED") && !said.contains("PLANTED"),
        "{log}"
    );
    said
}

fn json(text: &str) -> Act {
    Act::Answer(200, "application/json", text.to_owned())
}

const CONFIG: &str = ".aws/config";

#[test]
fn the_environment_comes_first() {
    let files = [(
        CONFIG,
        "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = PLANTED\n",
    )];
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "PLANTED"),
        ("AWS_SESSION_TOKEN", "PLANTED"),
    ];
    assert_eq!(found(&files, &variables), "found AKIAENV true false");
    assert_eq!(found(&files, &[]), "found AKIAFILE false false");
}

#[test]
fn a_profile_is_named_or_that_of_the_environment() {
    let config = "[profile a]\naws_access_key_id = AKIAA\naws_secret_access_key = PLANTED\n";
    let credentials = "[b]\naws_access_key_id = AKIAB\naws_secret_access_key = PLANTED\n";
    let files = [(CONFIG, config), (".aws/credentials", credentials)];
    assert_eq!(
        found(&files, &[("AWS_PROFILE", "a")]),
        "found AKIAA false false"
    );
    let key = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "PLANTED"),
    ];
    // One that the settings name is the only place.
    let named = |name| [&key[..], &[("AWS_PROFILE", "a"), ("TEST_PROFILE", name)]].concat();
    assert_eq!(found(&files, &named("b")), "found AKIAB false false");
    let missing = found(&files, &named("c"));
    assert!(
        missing.starts_with("none: ") && missing.contains("`c`"),
        "{missing}"
    );
}

#[test]
fn a_process_may_give_them() {
    let config = r#"[default]
credential_process = echo '{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "PLANTED", "Expiration": "2126-11-21T10:00:00Z"}'
"#;
    assert_eq!(
        found(&[(CONFIG, config)], &[]),
        "found AKIAPROCESS false true"
    );
}

/// `sts AssumeRole` or `AssumeRoleWithWebIdentity` as STS answers it.
fn sts(action: &str) -> Act {
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <Credentials><AccessKeyId>AKIASTS</AccessKeyId><SecretAccessKey>PLANTED</SecretAccessKey>\
         <SessionToken>PLANTED</SessionToken><Expiration>2126-11-21T10:00:00Z</Expiration>\
         </Credentials><AssumedRoleUser><AssumedRoleId>x:s</AssumedRoleId>\
         <Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn></AssumedRoleUser>\
         </{action}Result></{action}Response>"
    );
    Act::Answer(200, "text/xml", body)
}

#[test]
fn a_profile_may_name_a_role_and_whose_credentials_assume_it() {
    let server = Server::start(vec![sts("AssumeRole")]);
    let config = "[default]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = base\n\
                  external_id = ex-PLANTED\n\
                  [profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = PLANTED\n";
    let variables = [("AWS_ENDPOINT_URL_STS", server.url.as_str())];
    assert_eq!(
        found(&[(CONFIG, config)], &variables),
        "found AKIASTS true true"
    );
    assert_eq!(server.count("Credential=AKIABASE/"), 2);
    assert_eq!(server.count("ExternalId=ex-PLANTED"), 2);
}

#[test]
fn a_web_identity_is_exchanged() {
    let server = Server::start(vec![sts("AssumeRoleWithWebIdentity")]);
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    std::fs::write(&token, "web-PLANTED").unwrap();
    let variables = [
        ("AWS_ENDPOINT_URL_STS", server.url.as_str()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r"),
    ];
    assert_eq!(found(&[], &variables), "found AKIASTS true true");
    assert_eq!(server.count("WebIdentityToken=web-PLANTED"), 2);
    assert_eq!(server.count("Credential="), 0);
}

#[test]
fn moto_takes_a_web_identity_too() {
    let Some(moto) = range::Moto::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    std::fs::write(&token, "web-PLANTED").unwrap();
    let variables = [
        ("AWS_ENDPOINT_URL", moto.url.as_str()),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r"),
    ];
    let said = run(home.path(), &variables);
    assert!(said.contains("found ASIA"), "{said}");
}

const CONTAINER: &str = r#"{"AccessKeyId": "AKIACONTAINER", "SecretAccessKey": "PLANTED",
    "Token": "PLANTED", "Expiration": "2126-11-21T10:00:00Z"}"#;

#[test]
fn a_container_is_asked_with_its_token() {
    let server = Server::start(vec![json(CONTAINER)]);
    let url = format!("{}/creds", server.url);
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "PLANTED"),
    ];
    assert_eq!(found(&[], &variables), "found AKIACONTAINER true true");
    assert_eq!(server.count("GET /creds"), 2);
    assert_eq!(server.count("PLANTED"), 2);
}

#[test]
fn an_instance_is_asked_by_version_two() {
    let token = "HTTP/1.1 200 X\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: 7\r\n\
                 Connection: close\r\n\r\nPLANTED";
    let keys = r#"{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "AKIAINSTANCE",
        "SecretAccessKey": "PLANTED", "Token": "PLANTED", "Expiration": "2126-11-21T10:00:00Z",
        "LastUpdated": "2026-11-21T10:00:00Z"}"#;
    let role = Act::Answer(200, "text/plain", "role".to_owned());
    let once = [Act::Raw(token.to_owned()), role, json(keys)];
    let server = Server::start([once.clone(), once].concat());
    let variables = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.as_str()),
        ("AWS_EC2_METADATA_DISABLED", "false"),
    ];
    assert_eq!(found(&[], &variables), "found AKIAINSTANCE true true");
    assert_eq!(server.count("PUT /latest/api/token"), 2);
    assert_eq!(server.count("x-aws-ec2-metadata-token: PLANTED"), 4);
}

#[test]
fn a_token_of_sso_is_exchanged() {
    let keys = r#"{"roleCredentials": {"accessKeyId": "AKIASSO", "secretAccessKey": "PLANTED",
        "sessionToken": "PLANTED", "expiration": 4950000000000}}"#;
    let server = Server::start(vec![json(keys)]);
    let config = "[default]\nsso_session = quell-sso\nsso_account_id = 111122223333\n\
                  sso_role_name = r\n[sso-session quell-sso]\nsso_region = eu-west-1\n\
                  sso_start_url = https://example.awsapps.com/start\n";
    let token = r#"{"accessToken": "sso-PLANTED", "expiresAt": "2126-11-21T10:00:00Z",
        "region": "eu-west-1", "startUrl": "https://example.awsapps.com/start"}"#;
    // The file is named after the SHA-1 of the session's name.
    let cache = ".aws/sso/cache/a9e17e65e04fc8c48b8940e78447fe30cebc3fda.json";
    let variables = [("AWS_ENDPOINT_URL_SSO", server.url.as_str())];
    assert_eq!(
        found(&[(CONFIG, config), (cache, token)], &variables),
        "found AKIASSO true true"
    );
    assert_eq!(server.count("x-amz-sso_bearer_token: sso-PLANTED"), 2);
}

#[test]
fn nothing_anywhere_is_said() {
    let said = found(&[], &[]);
    assert!(said.starts_with("none: "), "{said}");
    let broken = found(&[(CONFIG, "[profile x]\nrole_arn\n")], &[]);
    assert!(broken.starts_with("none: "), "{broken}");
}
