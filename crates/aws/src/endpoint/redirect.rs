//! Where S3 says that a bucket is.

use super::is_region;
use crate::protocol::WireResponse;

/// The Region of the bucket, when S3 refused because the call went to another, `region`. There is no asking for it:
/// the refusal has it in a header, be it a redirect, `PermanentRedirect` or `AuthorizationHeaderMalformed`.
pub(crate) fn bucket_region(service: &str, region: &str, refusal: &WireResponse) -> Option<String> {
    let says_where = matches!(refusal.status, 301 | 302 | 307 | 400);
    let said = refusal.headers.get("x-amz-bucket-region")?.to_str().ok()?;
    let is_elsewhere = service == "s3" && said != region && is_region(said);
    (says_where && is_elsewhere).then(|| said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_region_that_is_one_and_another_is_gone_to() {
        for (service, status, said, gone_to) in [
            ("s3", 301, "eu-west-1", Some("eu-west-1")),
            ("s3", 307, "eu-west-1", Some("eu-west-1")),
            ("s3", 400, "eu-west-1", Some("eu-west-1")),
            ("s3", 403, "eu-west-1", None),
            ("s3", 301, "us-east-1", None),
            ("s3", 301, "evil.example/", None),
            ("sqs", 301, "eu-west-1", None),
        ] {
            let mut headers = http::HeaderMap::new();
            headers.insert("x-amz-bucket-region", said.parse().unwrap());
            let refusal = WireResponse {
                status,
                headers,
                body: bytes::Bytes::new(),
            };
            let found = bucket_region(service, "us-east-1", &refusal);
            assert_eq!(found.as_deref(), gone_to, "{service} {status} {said}");
        }
    }
}
