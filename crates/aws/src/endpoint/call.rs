//! Where a request goes. The rules here cover the partitions and the global services; the full endpoint rule sets
//! are not there yet.

use serde_json::Value;

use crate::model::Service;
use crate::protocol::WireRequest;
use crate::scalar::percent_encode;

/// Where a request goes, and the Region it is signed for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Endpoint_ {
    /// `https://ec2.us-east-1.amazonaws.com`, without a slash at the end.
    pub(crate) base: String,
    pub(crate) signing_region: String,
}

/// A partition: how its Regions begin, its DNS suffix, and where its global services are signed for.
struct Partition {
    regions: &'static [&'static str],
    suffix: &'static str,
    global_region: &'static str,
    /// The host of IAM, which is one for the whole partition.
    iam: &'static str,
}

const PARTITIONS: &[Partition] = &[
    Partition {
        regions: &["cn-"],
        suffix: "amazonaws.com.cn",
        global_region: "cn-north-1",
        iam: "iam.cn-north-1.amazonaws.com.cn",
    },
    Partition {
        regions: &["us-gov-"],
        suffix: "amazonaws.com",
        global_region: "us-gov-west-1",
        iam: "iam.us-gov.amazonaws.com",
    },
    Partition {
        regions: &[
            "us-",
            "eu-",
            "ap-",
            "sa-",
            "ca-",
            "me-",
            "af-",
            "il-",
            "mx-",
            "aws-global",
        ],
        suffix: "amazonaws.com",
        global_region: "us-east-1",
        iam: "iam.amazonaws.com",
    },
];

/// Whether `region` can be part of a host name of a partition that is known.
pub(crate) fn is_region(region: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    region.len() <= 32 && region.bytes().all(legal) && partition(region).is_some()
}

fn partition(region: &str) -> Option<&'static Partition> {
    let of = |p: &&Partition| p.regions.iter().any(|prefix| region.starts_with(prefix));
    PARTITIONS.iter().find(of)
}

/// Finds the endpoint for `request`, which for S3 may move the bucket from the path to the host.
pub(crate) fn resolve(
    service_name: &str,
    service: &Service,
    region: &str,
    overridden: Option<&str>,
    params: &Value,
    request: &mut WireRequest,
) -> Result<Endpoint_, String> {
    let partition = partition(region).ok_or_else(|| format!("{region} is no Region"))?;
    let is_global = service_name == "iam";
    let signing_region = if is_global {
        partition.global_region
    } else {
        region
    }
    .to_owned();
    let bucket = (service_name == "s3")
        .then(|| params.get("Bucket")?.as_str())
        .flatten();
    if bucket.is_some_and(|bucket| bucket.starts_with("arn:")) {
        return Err(
            "access points are not supported yet: Bucket must be a bucket's name".to_owned(),
        );
    }
    if let Some(base) = overridden {
        // A host prefix cannot be put before `localhost` or an address; who overrides the endpoint names it whole.
        return Ok(Endpoint_ {
            base: base.trim_end_matches('/').to_owned(),
            signing_region,
        });
    }
    let host = if is_global {
        partition.iam.to_owned()
    } else {
        let prefix = &service.metadata.endpoint_prefix;
        format!("{prefix}.{region}.{}", partition.suffix)
    };
    let before = match bucket.filter(|bucket| fits_host(bucket)) {
        Some(bucket) => {
            let in_path = format!("/{}", percent_encode(bucket, b""));
            if let Some(rest) = request.path.strip_prefix(&in_path) {
                let rest = if rest.is_empty() { "/" } else { rest };
                request.path = rest.to_owned();
            }
            format!("{bucket}.")
        }
        None => request.host_prefix.take().unwrap_or_default(),
    };
    Ok(Endpoint_ {
        base: format!("https://{before}{host}"),
        signing_region,
    })
}

/// A bucket whose name has a point does not fit the certificate `*.s3.…`; it stays in the path.
fn fits_host(bucket: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=63).contains(&bucket.len()) && bucket.bytes().all(legal) && !bucket.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resolved(service: &str, region: &str, overridden: Option<&str>) -> (String, String) {
        let model = crate::registry::service(service).unwrap();
        let mut request = WireRequest::default();
        let found = resolve(service, model, region, overridden, &json!({}), &mut request);
        let found = found.unwrap();
        (found.base, found.signing_region)
    }

    #[test]
    fn hosts_and_signing_regions() {
        for (service, region, base, signed) in [
            (
                "ec2",
                "eu-west-1",
                "https://ec2.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            (
                "ec2",
                "cn-north-1",
                "https://ec2.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                "sts",
                "us-gov-east-1",
                "https://sts.us-gov-east-1.amazonaws.com",
                "us-gov-east-1",
            ),
            ("iam", "eu-west-1", "https://iam.amazonaws.com", "us-east-1"),
            (
                "iam",
                "us-gov-east-1",
                "https://iam.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
        ] {
            let expected = (base.to_owned(), signed.to_owned());
            assert_eq!(resolved(service, region, None), expected);
        }
        let local = resolved("ec2", "us-east-1", Some("http://127.0.0.1:5000/"));
        assert_eq!(local.0, "http://127.0.0.1:5000");
        assert!(!is_region("us-east-1.evil.example/"));
        assert!(!is_region("moon-1"));
    }

    #[test]
    fn buckets_go_to_the_host_when_they_fit() {
        let model = crate::registry::service("s3").unwrap();
        for (bucket, base, path) in [
            ("logs", "https://logs.s3.us-east-1.amazonaws.com", "/a/b"),
            (
                "my.logs",
                "https://s3.us-east-1.amazonaws.com",
                "/my.logs/a/b",
            ),
        ] {
            let mut request = WireRequest {
                path: format!("/{bucket}/a/b"),
                ..WireRequest::default()
            };
            let params = json!({"Bucket": bucket, "Key": "a/b"});
            let found = resolve("s3", model, "us-east-1", None, &params, &mut request).unwrap();
            assert_eq!((found.base.as_str(), request.path.as_str()), (base, path));
        }
        let params = json!({"Bucket": "arn:aws:s3:us-east-1:1:accesspoint/x"});
        let mut request = WireRequest::default();
        assert!(resolve("s3", model, "us-east-1", None, &params, &mut request).is_err());
    }
}
