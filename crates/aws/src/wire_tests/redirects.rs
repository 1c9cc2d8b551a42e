//! Buckets that are in another Region.

use serde_json::json;

use super::{Act, Server, config};
use crate::Client;
use crate::execute::{Job, Safety};

fn moved(region: &str) -> Act {
    Act::Raw(format!(
        "HTTP/1.1 301 Moved\r\nx-amz-bucket-region: {region}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ))
}

#[tokio::test]
async fn a_read_follows_its_bucket_to_another_region_once() {
    let bucket = json!({"Bucket": "logs"});
    let job = |safety| Job {
        service: "s3",
        operation: "GetBucketVersioning",
        params: &bucket,
        region: "us-east-1",
        role: None,
        safety,
        deadline: None,
        idempotency_token: None,
    };
    let told = "<VersioningConfiguration/>".to_owned();
    let told = Act::Answer(200, "application/xml", told);
    let server = Server::start(vec![moved("eu-west-1"), told]);
    let client = Client::new(config(&server.url)).unwrap();
    client.inner.call(&job(Safety::Repeatable)).await.unwrap();
    assert_eq!(server.count("/us-east-1/s3/aws4_request"), 1);
    assert_eq!(server.count("/eu-west-1/s3/aws4_request"), 1);

    // From there it is not sent on, and a change does not leave the Region that its permit is for.
    for (safety, sent) in [(Safety::Repeatable, 2), (Safety::Once, 1)] {
        let server = Server::start(vec![moved("eu-west-1"), moved("us-west-2")]);
        let client = Client::new(config(&server.url)).unwrap();
        let refused = client.inner.call(&job(safety)).await.unwrap_err();
        assert!(!refused.may_have_happened(), "{refused}");
        assert_eq!(server.requests(), sent, "{safety:?}");
    }
}

#[tokio::test]
async fn an_object_is_fetched_from_where_its_bucket_is() {
    let object = Act::Answer(200, "text/plain", "there".to_owned());
    let server = Server::start(vec![moved("eu-west-1"), object]);
    let client = Client::new(config(&server.url)).unwrap();
    let bytes = client.home_session().object("logs", "k", 100).await;
    assert_eq!(bytes.unwrap(), "there");
    assert_eq!(server.count("/eu-west-1/s3/aws4_request"), 1);
}
