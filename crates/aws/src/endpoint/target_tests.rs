use super::*;
use std::fmt::Write as _;
use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use quell_model::Timestamp;
use serde_json::json;

use crate::protocol::{Protocol, write};

fn config() -> Config {
    let keys = crate::Credentials::from_keys("AKID", "secret", None);
    let clock = Arc::new(|| Timestamp::from_millis(0));
    Config::new("us-east-1", SharedCredentialsProvider::new(keys), clock)
}

struct Asked<'a> {
    call: (&'a str, &'a str),
    params: Json,
    region: &'a str,
    account: Option<&'a str>,
    config: Config,
}

/// A call in us-east-1.
fn asked<'a>(service: &'a str, operation: &'a str, params: Json) -> Asked<'a> {
    Asked {
        call: (service, operation),
        params,
        region: "us-east-1",
        account: None,
        config: config(),
    }
}

impl Asked<'_> {
    fn target(&self) -> Result<(Target, WireRequest), AwsError> {
        let (service, operation) = registry::operation(self.call.0, self.call.1).unwrap();
        let protocol = Protocol::of(service).unwrap();
        let mut request = write(protocol, service, operation, &self.params).unwrap();
        let placing = Placing {
            name: self.call.0,
            service,
            operation,
            params: &self.params,
            region: self.region,
            account: self.account,
            config: &self.config,
        };
        let target = placing.target(&mut request)?;
        Ok((target, request))
    }

    fn url(&self) -> String {
        self.target().unwrap().0.url
    }
}

/// One Region of each partition.
const REGIONS: &[&str] = &[
    "us-west-2",
    "cn-north-1",
    "us-gov-east-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "eusc-de-east-1",
];

#[test]
fn every_partition_with_fips_and_dual_stack() {
    let calls = [
        ("ec2", "DescribeRegions"),
        ("iam", "ListUsers"),
        ("organizations", "ListAccounts"),
        ("route53", "ListHostedZones"),
        ("s3", "ListBuckets"),
        ("sqs", "ListQueues"),
        ("sts", "GetCallerIdentity"),
    ];
    let mut table = String::new();
    for (call, region) in calls
        .iter()
        .flat_map(|c| REGIONS.iter().map(move |r| (c, r)))
    {
        for (fips, dual_stack) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut asked = asked(call.0, call.1, json!({}));
            asked.region = region;
            asked.config.use_fips = fips;
            asked.config.use_dual_stack = dual_stack;
            let (fips, dual) = (
                if fips { "fips" } else { "-" },
                if dual_stack { "dual" } else { "-" },
            );
            let _ = write!(table, "{} {region} {fips} {dual} ", call.0);
            let _ = match asked.target() {
                Ok((t, _)) => writeln!(table, "{} {}/{}", t.url, t.signing_name, t.signing_region),
                Err(why) => writeln!(table, "{why}"),
            };
        }
    }
    insta::assert_snapshot!("partitions", table);
}

#[test]
fn buckets_stand_in_the_host_when_they_fit_and_in_the_path_else() {
    for (bucket, url) in [
        ("logs", "https://logs.s3.us-east-1.amazonaws.com/a/b%20c"),
        (
            "my.logs",
            "https://s3.us-east-1.amazonaws.com/my.logs/a/b%20c",
        ),
        ("Logs", "https://s3.us-east-1.amazonaws.com/Logs/a/b%20c"),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap",
            "https://ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/a/b%20c",
        ),
        (
            "arn:aws:s3-outposts:us-east-1:123456789012:outpost/op-1/accesspoint/ap",
            "https://ap-123456789012.op-1.s3-outposts.us-east-1.amazonaws.com/a/b%20c",
        ),
    ] {
        let params = json!({"Bucket": bucket, "Key": "a/b c"});
        let asked = asked("s3", "GetObject", params);
        assert_eq!(asked.url(), url);
    }
    let whole = |bucket: &str| asked("s3", "ListObjectsV2", json!({"Bucket": bucket})).url();
    assert_eq!(
        whole("logs"),
        "https://logs.s3.us-east-1.amazonaws.com/?list-type=2"
    );
    assert_eq!(
        whole("my.logs"),
        "https://s3.us-east-1.amazonaws.com/my.logs?list-type=2"
    );
    // A key that begins like the bucket is not taken for it.
    let twice = json!({"Bucket": "logs", "Key": "logs/x"});
    let twice = asked("s3", "GetObject", twice).url();
    assert_eq!(twice, "https://logs.s3.us-east-1.amazonaws.com/logs/x");
    let place = asked("s3", "GetBucketLocation", json!({"Bucket": "logs"})).url();
    assert_eq!(place, "https://s3.us-east-1.amazonaws.com/logs?location");
}

#[test]
fn an_access_point_is_signed_for_its_own_region_and_service() {
    let arn = "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-1/accesspoint/ap";
    let asked = asked("s3", "GetObject", json!({"Bucket": arn, "Key": "k"}));
    let (target, _) = asked.target().unwrap();
    assert_eq!(target.signing_name, "s3-outposts");
    assert_eq!(target.signing_region, "eu-west-1");
    assert_eq!(target.manner, Manner::S3);
}

#[test]
fn what_a_bucket_is_called_never_changes_the_host() {
    for bucket in [
        "evil.example/",
        "a@evil.example",
        "a#b",
        "a?b",
        "a\\b",
        "a\r\nHost: evil.example",
        "a b",
        "%2e%2e",
        "[::1]",
        "a:80",
        "ü",
        "arn:aws:s3:us-east-1@evil.example:123456789012:accesspoint/ap",
        "arn:aws:s3:us-east-1:evil.example/:accesspoint/ap",
        "arn:aws:s3:us-east-1:123456789012:accesspoint/a.evil.example#",
    ] {
        let asked = asked("s3", "GetObject", json!({"Bucket": bucket, "Key": "k"}));
        let Ok((target, _)) = asked.target() else {
            continue;
        };
        let uri: http::Uri = target.url.parse().unwrap();
        assert_eq!(uri.host(), Some("s3.us-east-1.amazonaws.com"), "{bucket:?}");
        assert_eq!(uri.path(), format!("/{}/k", percent_encode(bucket, b"")));
    }
}

#[test]
fn an_endpoint_of_ones_own_has_buckets_in_the_path_unless_told_otherwise() {
    let params = json!({"Bucket": "logs", "Key": "k"});
    let mut asked = asked("s3", "GetObject", params);
    asked.config.endpoint_url = Some("http://127.0.0.1:5000/".to_owned());
    assert_eq!(asked.url(), "http://127.0.0.1:5000/logs/k");
    asked.config.s3.force_path_style = Some(false);
    asked.config.endpoint_url = Some("http://s3.test".to_owned());
    assert_eq!(asked.url(), "http://logs.s3.test/k");
    let urls = &mut asked.config.endpoint_urls;
    urls.insert("S3".to_owned(), "https://minio.test/base".to_owned());
    asked.config.s3.force_path_style = None;
    assert_eq!(asked.url(), "https://minio.test/base/logs/k");
}

#[test]
fn the_endpoint_of_a_service_outdoes_the_one_for_all() {
    let mut asked = asked("elbv2", "DescribeLoadBalancers", json!({}));
    asked.config.endpoint_url = Some("http://all.test".to_owned());
    assert_eq!(asked.url(), "http://all.test/");
    let urls = &mut asked.config.endpoint_urls;
    let id = "ELASTIC_LOAD_BALANCING_V2".to_owned();
    urls.insert(id, "http://one.test/x".to_owned());
    assert_eq!(asked.url(), "http://one.test/x");
    asked.config.use_fips = true;
    let refused = asked.target().unwrap_err();
    let what = "elbv2 DescribeLoadBalancers has no endpoint: \
                Invalid Configuration: FIPS and custom endpoint are not supported";
    assert_eq!(refused.to_string(), what);
}

#[test]
fn what_wants_another_kind_of_signature_is_refused_by_its_name() {
    let everywhere = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap";
    for (bucket, kind) in [
        (everywhere, "sigv4a"),
        ("logs--use1-az4--x-s3", "sigv4-s3express"),
    ] {
        let asked = asked("s3", "GetObject", json!({"Bucket": bucket, "Key": "k"}));
        match asked.target() {
            Err(AwsError::CannotSign { scheme, .. }) => assert_eq!(scheme, kind),
            other => panic!("{other:?}"),
        }
    }
    let events = json!({"Entries": [], "EndpointId": "abc.456"});
    let refused = asked("events", "PutEvents", events).target().unwrap_err();
    assert!(refused.to_string().contains("several Regions"), "{refused}");
}

#[test]
fn prefixes_and_headers_that_operations_and_rules_add() {
    let sync = json!({"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:x"});
    let sync = asked("stepfunctions", "StartSyncExecution", sync).url();
    assert_eq!(sync, "https://sync-states.us-east-1.amazonaws.com/");

    let account = json!({"AccountId": "123456789012"});
    let asked_s3control = asked("s3control", "GetPublicAccessBlock", account);
    let url = "https://123456789012.s3-control.us-east-1.amazonaws.com\
               /v20180820/configuration/publicAccessBlock";
    assert_eq!(asked_s3control.url(), url);

    let name = "arn:aws:s3-outposts:us-east-1:123456789012:outpost:op-1:accesspoint:ap";
    let params = json!({"AccountId": "123456789012", "Name": name});
    let (target, request) = asked("s3control", "GetAccessPoint", params)
        .target()
        .unwrap();
    assert_eq!(target.signing_name, "s3-outposts");
    let header = |name: &str| {
        let found = request
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(header("x-amz-outpost-id"), ["op-1"]);
    assert_eq!(header("x-amz-account-id"), ["123456789012"]);
}

#[test]
fn tables_are_reached_by_their_account() {
    let params = json!({"TableName": "t", "Key": {}});
    let mut asked = asked("dynamodb", "GetItem", params);
    assert_eq!(asked.url(), "https://dynamodb.us-east-1.amazonaws.com/");
    asked.account = Some("123456789012");
    assert_eq!(
        asked.url(),
        "https://123456789012.ddb.us-east-1.amazonaws.com/"
    );
    let table = "arn:aws:dynamodb:us-east-1:210987654321:table/t";
    asked.call.1 = "BatchGetItem";
    asked.params = json!({"RequestItems": {table: {"Keys": []}}});
    assert_eq!(
        asked.url(),
        "https://210987654321.ddb.us-east-1.amazonaws.com/"
    );
}

#[test]
fn regions_are_known_by_their_names() {
    for region in REGIONS
        .iter()
        .chain(&["us-east-1", "eu-new-7", "aws-global"])
    {
        assert!(is_region(region), "{region}");
    }
    for region in [
        "us-east-1.evil.example/",
        "moon-1",
        "",
        "US-EAST-1",
        "us-e_st-1",
    ] {
        assert!(!is_region(region), "{region}");
    }
}

#[test]
fn the_account_of_s3_control_is_not_put_before_an_address() {
    let params = json!({"AccountId": "123456789012"});
    let mut asked = asked("s3control", "GetPublicAccessBlock", params);
    assert!(asked.url().starts_with("https://123456789012.s3-control."));
    for (own, used) in [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
        ("http://[::1]:5000", "http://[::1]:5000/"),
        ("http://localhost:5000", "http://localhost:5000/"),
        ("https://vpce.example", "https://123456789012.vpce.example/"),
    ] {
        asked.config.endpoint_url = Some(own.to_owned());
        assert!(asked.url().starts_with(used), "{own}: {}", asked.url());
    }
}
