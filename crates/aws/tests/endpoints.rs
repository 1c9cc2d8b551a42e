//! Whatever the parameters are, the endpoint rules of every service end with a refusal or with the URL of a host.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

use std::sync::LazyLock;

use proptest::prelude::*;
use quell_aws::endpoint::{Partitions, RuleSet};
use quell_aws::registry;
use serde_json::{Map, Value};

static PARTITIONS: LazyLock<Partitions> =
    LazyLock::new(|| Partitions::from_json(registry::partitions_json()).unwrap());

/// The rules of every service: each compiles.
static RULES: LazyLock<Vec<RuleSet>> = LazyLock::new(|| {
    let json = |name: &&str| registry::service(name).unwrap().endpoint_rule_set_json();
    let all = registry::SERVICES.iter().map(json);
    all.map(|json| RuleSet::from_json(json.unwrap()).unwrap())
        .collect()
});

const TEXTS: &[&str] = &[
    "AccessPointName",
    "AccountId",
    "AccountIdEndpointMode",
    "Bucket",
    "ChannelARN",
    "ConsumerARN",
    "Endpoint",
    "EndpointId",
    "OperationType",
    "OutpostId",
    "QueueARN",
    "Region",
    "ResourceARN",
    "ResourceArn",
    "ResourceType",
    "ServiceType",
    "StreamARN",
    "StreamId",
];

const FLAGS: &[&str] = &[
    "Accelerate",
    "DisableAccessPoints",
    "DisableMultiRegionAccessPoints",
    "DisableS3ExpressSessionAuth",
    "ForcePathStyle",
    "IsSearchOperation",
    "RequiresAccountId",
    "UseArnRegion",
    "UseDualStack",
    "UseFIPS",
    "UseGlobalEndpoint",
    "UseObjectLambdaEndpoint",
    "UseS3ExpressControlEndpoint",
];

/// Text that is nearly right more often than chance would have it.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("us-east-1".to_owned()),
        Just("cn-north-1".to_owned()),
        Just("123456789012".to_owned()),
        Just("preferred".to_owned()),
        Just("bucket--use1-az4--x-s3".to_owned()),
        Just("https://example.com".to_owned()),
        Just("mfzwi23gnjvgw.mrap".to_owned()),
        "[a-z0-9.-]{0,70}",
        "[/@#?:\\r\\n%. \\\\a-z]{0,12}",
        any::<String>(),
    ];
    let arn = (
        "(s3|s3-outposts|s3-object-lambda|dynamodb|kinesis)",
        word.clone(),
        word.clone(),
    );
    let arn = (arn, word.clone()).prop_map(|((service, region, account), name)| {
        format!("arn:aws:{service}:{region}:{account}:accesspoint/{name}")
    });
    prop_oneof![3 => word, 1 => arn]
}

fn parameters() -> impl Strategy<Value = Map<String, Value>> {
    let texts = proptest::collection::vec(proptest::option::of(text()), TEXTS.len());
    let flags = proptest::collection::vec(proptest::option::of(any::<bool>()), FLAGS.len());
    let list = proptest::collection::vec(text(), 0..3);
    (texts, flags, list).prop_map(|(texts, flags, list)| {
        let texts = TEXTS
            .iter()
            .zip(texts.into_iter().map(|t| t.map(Value::from)));
        let flags = FLAGS
            .iter()
            .zip(flags.into_iter().map(|f| f.map(Value::from)));
        let mut all: Map<String, Value> = texts
            .chain(flags)
            .filter_map(|(name, value)| Some(((*name).to_owned(), value?)))
            .collect();
        all.insert("ResourceArnList".to_owned(), list.into());
        all
    })
}

fn is_url_of_a_host(url: &str) -> bool {
    let uri: http::Uri = match url.parse() {
        Ok(uri) => uri,
        Err(_) => return false,
    };
    let host = uri.host().unwrap_or_default();
    let rest = url.split_once("://").unwrap().1;
    !host.is_empty() && rest.starts_with(host) && !rest.contains(['@', '#', '?', '\\', ' '])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_parameters_end_with_a_host_or_a_refusal(given in parameters()) {
        for rules in RULES.iter() {
            if let Ok(endpoint) = rules.evaluate(&PARTITIONS, &given) {
                prop_assert!(is_url_of_a_host(&endpoint.url), "{}", endpoint.url);
            }
        }
    }

    #[test]
    fn no_bucket_leaves_the_partitions_hosts(bucket in text(), path_style in any::<bool>()) {
        let place = registry::SERVICES.iter().position(|name| *name == "s3").unwrap();
        let mut given = Map::new();
        given.insert("Region".to_owned(), "us-east-1".into());
        given.insert("Bucket".to_owned(), bucket.into());
        given.insert("ForcePathStyle".to_owned(), path_style.into());
        if let Ok(endpoint) = RULES[place].evaluate(&PARTITIONS, &given) {
            let uri: http::Uri = endpoint.url.parse().unwrap();
            let host = uri.host().unwrap();
            prop_assert!(host.ends_with(".amazonaws.com"), "{}", endpoint.url);
        }
    }
}
