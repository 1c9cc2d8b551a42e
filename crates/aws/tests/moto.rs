//! Against plain moto: the calls that Quell lives on, on a real socket.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

mod range;

use std::time::Duration;

use quell_aws::{
    AwsError, Client, Credentials, PageError, PageLimits, RoleToAssume, Scope,
    SharedCredentialsProvider, WaitError, WaitLimits,
};
use quell_model::ErrorKind;
use range::{Moto, setup};
use serde_json::{Value, json};

const HOME: &str = "123456789012";
const OTHER: &str = "210987654321";

fn scope(account: &str) -> Scope {
    let role = format!("arn:aws:iam::{account}:role/quell");
    Scope {
        account: account.to_owned(),
        region: "us-east-1".to_owned(),
        role: (account != HOME).then(|| RoleToAssume::new(role, "quell-test")),
    }
}

fn home_scope() -> Scope {
    scope(HOME)
}

/// Moto, or nothing with a loud word about it.
fn moto() -> Option<(Moto, Client)> {
    let moto = Moto::start()?;
    let client = Client::new(range::config(&moto.url)).unwrap();
    Some((moto, client))
}

#[tokio::test]
async fn security_groups_are_read_by_the_model() {
    let Some((moto, client)) = moto() else { return };
    let group = setup(&moto.url, "ec2-group", &[]).await;
    let session = client.read_session(&home_scope()).await.unwrap();

    let groups = session
        .call(
            "ec2",
            "DescribeSecurityGroups",
            &json!({"GroupIds": [group]}),
        )
        .await
        .unwrap();
    assert!(groups.request_id.is_some());
    assert!(groups.date.is_some());
    let found = &groups.value.to_json()["SecurityGroups"][0].clone();
    assert_eq!(found["GroupId"], group.as_str());
    assert_eq!(found["IpPermissions"][0]["FromPort"], 22);
    assert_eq!(
        found["IpPermissions"][0]["IpRanges"][0]["CidrIp"],
        "0.0.0.0/0"
    );

    let filter = json!({"Filters": [{"Name": "group-id", "Values": [group]}]});
    let rules = session
        .call("ec2", "DescribeSecurityGroupRules", &filter)
        .await
        .unwrap();
    let rules = rules.value.to_json()["SecurityGroupRules"]
        .as_array()
        .unwrap()
        .clone();
    let ingress: Vec<&Value> = rules.iter().filter(|r| r["IsEgress"] == false).collect();
    assert_eq!(ingress.len(), 1);
    assert_eq!(ingress[0]["ToPort"], 22);

    let missing = session
        .call(
            "ec2",
            "DescribeSecurityGroups",
            &json!({"GroupIds": ["sg-0000"]}),
        )
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Some("InvalidGroup.NotFound"));
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.error_name(), "Ec2.Ec2Exception");
}

#[tokio::test]
async fn a_read_session_refuses_to_revoke() {
    let Some((_moto, client)) = moto() else {
        return;
    };
    let session = client.read_session(&home_scope()).await.unwrap();
    let refused = session
        .call("ec2", "RevokeSecurityGroupIngress", &json!({}))
        .await
        .unwrap_err();
    assert!(matches!(refused, AwsError::NotReadOnly { .. }), "{refused}");
}

#[tokio::test]
async fn messages_are_received_and_deleted() {
    let Some((moto, client)) = moto() else { return };
    let url = setup(&moto.url, "queue", &["orders"]).await;
    let home = client.home_session();

    let sent = json!({"QueueUrl": url, "MessageBody": "<a> & «b»"});
    home.call("sqs", "SendMessage", &sent).await.unwrap();
    let asked = json!({"QueueUrl": url, "WaitTimeSeconds": 1, "MaxNumberOfMessages": 10});
    let got = home.call("sqs", "ReceiveMessage", &asked).await.unwrap();
    let message = &got.value.to_json()["Messages"][0].clone();
    assert_eq!(message["Body"], "<a> & «b»");

    let handle = &message["ReceiptHandle"];
    let entry = json!({"QueueUrl": url, "Entries": [{"Id": "1", "ReceiptHandle": handle}]});
    let gone = home
        .call("sqs", "DeleteMessageBatch", &entry)
        .await
        .unwrap();
    assert_eq!(gone.value.to_json()["Successful"][0]["Id"], "1");
    let empty = json!({"QueueUrl": url, "WaitTimeSeconds": 0});
    let none = home.call("sqs", "ReceiveMessage", &empty).await.unwrap();
    assert!(
        none.value
            .get("Messages")
            .is_none_or(|m| m.items().next().is_none())
    );

    let wrong = json!({"QueueName": "no-such-queue"});
    let missing = home.call("sqs", "GetQueueUrl", &wrong).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.error_name(), "Sqs.QueueDoesNotExistException");

    let refused = home
        .call("sqs", "DeleteQueue", &json!({"QueueUrl": url}))
        .await;
    assert!(matches!(refused, Err(AwsError::NotAtHome { .. })));
}

#[tokio::test]
async fn objects_are_read_up_to_a_limit() {
    let Some((moto, client)) = moto() else { return };
    setup(
        &moto.url,
        "object",
        &["logs", "a b/ü+1.json.gz", "0123456789"],
    )
    .await;
    let home = client.home_session();
    let bytes = home.object("logs", "a b/ü+1.json.gz", 10).await.unwrap();
    assert_eq!(&bytes[..], b"0123456789");
    let large = home.object("logs", "a b/ü+1.json.gz", 9).await.unwrap_err();
    assert!(
        matches!(large, AwsError::TooLarge { bytes_max: 9, .. }),
        "{large}"
    );
    let none = home.object("logs", "nothing", 10).await.unwrap_err();
    assert_eq!(none.code(), Some("NoSuchKey"));
    assert_eq!(none.error_name(), "S3.NoSuchKeyException");
    let head = json!({"Bucket": "logs", "Key": "nothing"});
    let none = home.call("s3", "HeadObject", &head).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn pages_and_items_are_read_to_the_end_and_within_limits() {
    let Some((moto, client)) = moto() else { return };
    setup(&moto.url, "objects", &["paged", "a", "b", "c", "d", "e"]).await;
    let session = client.read_session(&home_scope()).await.unwrap();
    let params = json!({"Bucket": "paged", "MaxKeys": 2});
    let pages = |limits: PageLimits| session.pages("s3", "ListObjectsV2", &params, &limits);
    let mut sizes = Vec::new();
    let mut paged = pages(PageLimits::default()).unwrap();
    while let Some(page) = paged.next().await.unwrap() {
        assert!(page.request_id.is_some());
        sizes.push(page.value.to_json()["Contents"].as_array().unwrap().len());
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert!(paged.next().await.unwrap().is_none() && !paged.has_more());

    let three = PageLimits {
        items_max: Some(3),
        ..PageLimits::default()
    };
    let mut items = pages(three).unwrap().items();
    let mut keys = Vec::new();
    while let Some(item) = items.next().await.unwrap() {
        keys.push(item["Key"].as_str().unwrap().to_owned());
    }
    assert_eq!(keys, ["a", "b", "c"]);
    assert!(items.has_more());

    let two_pages = PageLimits {
        pages_max: 2,
        ..PageLimits::default()
    };
    let error = pages(two_pages).unwrap().all().await.err().unwrap();
    assert!(
        matches!(error, PageError::TooMany { pages_max: 2, .. }),
        "{error}"
    );
    let no_time = PageLimits {
        time_max: Duration::ZERO,
        ..PageLimits::default()
    };
    let error = pages(no_time).unwrap().next().await.unwrap_err();
    assert!(
        matches!(error, PageError::TooLate { page: 1, .. }),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Unavailable);

    let limits = PageLimits::default();
    let no = session.pages("s3", "GetBucketAcl", &json!({}), &limits);
    assert!(matches!(no, Err(PageError::NotPaged { .. })));
}

#[tokio::test]
async fn a_state_is_waited_for_and_a_waiter_cannot_change_anything() {
    let Some((moto, client)) = moto() else { return };
    setup(&moto.url, "object", &["there", "k", "x"]).await;
    let session = client.read_session(&home_scope()).await.unwrap();
    let limits = WaitLimits {
        attempts_max: 2,
        delay_max: Duration::from_millis(1),
        ..WaitLimits::default()
    };
    let there = json!({"Bucket": "there"});
    let waited = session
        .wait("s3", "BucketExists", &there, &limits)
        .await
        .unwrap();
    assert_eq!(waited.attempts, 1);
    let gone = json!({"Bucket": "gone"});
    let waited = session
        .wait("s3", "BucketNotExists", &gone, &limits)
        .await
        .unwrap();
    assert!(waited.answer.is_none());
    let error = session
        .wait("s3", "BucketExists", &gone, &limits)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(error, WaitError::TooLong { attempts: 2, .. }),
        "{error}"
    );

    let params = json!({"InstanceId": "i-1"});
    let secret = session
        .wait("ec2", "PasswordDataAvailable", &params, &limits)
        .await;
    let refused = secret.err().unwrap();
    assert!(
        matches!(refused, WaitError::Call(AwsError::NotReadOnly { .. })),
        "{refused}"
    );
}

#[tokio::test]
async fn a_role_of_another_account_is_assumed() {
    let Some((_moto, client)) = moto() else {
        return;
    };
    assert_eq!(client.home_account().await.unwrap(), HOME);
    let session = client.read_session(&scope(OTHER)).await.unwrap();
    let who = session
        .call("sts", "GetCallerIdentity", &json!({}))
        .await
        .unwrap();
    assert_eq!(who.value.to_json()["Account"], OTHER);

    let mut lie = scope(OTHER);
    lie.account = HOME.to_owned();
    assert!(matches!(
        client.read_session(&lie).await,
        Err(AwsError::WrongAccount { .. })
    ));
    let mut lie = home_scope();
    lie.account = OTHER.to_owned();
    assert!(matches!(
        client.change_session(&lie).await,
        Err(AwsError::WrongAccount { .. })
    ));
}

#[tokio::test]
async fn signatures_are_right_for_every_protocol() {
    let Some((moto, _)) = moto() else { return };
    let object = "a b/ü+=&%1.gz";
    let key = setup(&moto.url, "checked-key", &[object]).await;
    let (id, secret) = key.split_once(' ').unwrap();
    let with = |secret: &str| {
        let mut config = range::config(&moto.url);
        let keys = Credentials::from_keys(id, secret, None);
        config.credentials = SharedCredentialsProvider::new(keys);
        Client::new(config).unwrap()
    };
    let client = with(secret);
    let home = client.home_session();
    assert_eq!(client.home_account().await.unwrap(), HOME);
    let session = client.read_session(&home_scope()).await.unwrap();
    session
        .call("ec2", "DescribeRegions", &json!({}))
        .await
        .unwrap();
    session.call("sqs", "ListQueues", &json!({})).await.unwrap();
    session
        .call("iam", "GetUser", &json!({"UserName": "u"}))
        .await
        .unwrap();
    let listed = json!({"Bucket": "logs", "Prefix": "a b/ü", "Delimiter": "+"});
    let listed = session.call("s3", "ListObjectsV2", &listed).await.unwrap();
    assert_eq!(
        listed.value.to_json()["CommonPrefixes"][0]["Prefix"],
        "a b/ü+"
    );
    let bytes = home.object("logs", object, 100).await.unwrap();
    assert_eq!(&bytes[..], b"checked");

    let error = with("another").home_account().await.unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn a_presigned_url_needs_nothing_else() {
    let Some((moto, client)) = moto() else { return };
    setup(&moto.url, "object", &["logs", "a b/ü+1.json", "for you"]).await;
    let session = client.read_session(&home_scope()).await.unwrap();
    let object = json!({"Bucket": "logs", "Key": "a b/ü+1.json"});
    let hour = Duration::from_secs(3600);
    let presigned = session.presign("s3", "GetObject", &object, hour).await;
    let url = presigned.unwrap().url;
    assert_eq!(setup(&moto.url, "fetch", &[&url]).await, "for you");
}

#[tokio::test]
async fn nobody_there_is_unreachable_within_bounds() {
    // Port 9 on this machine: nobody listens.
    let mut config = range::config("http://127.0.0.1:9");
    config.retries.attempts_max = 3;
    config.retries.base_delay = Duration::from_millis(1);
    let client = Client::new(config).unwrap();
    let error = client.home_account().await.unwrap_err();
    assert!(
        matches!(error, AwsError::Unreachable { attempts: 3, .. }),
        "{error}"
    );
}
