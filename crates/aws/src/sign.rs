//! Signature Version 4, by the official crate.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http_body_util::Full;
use quell_model::Timestamp;

/// Who signs for what.
pub(crate) struct Signer<'a> {
    pub(crate) credentials: Option<&'a Credentials>,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) now: Timestamp,
}

/// The moment as the standard library has it. Before 1970 it is 1970: a signature of then is refused anyway.
pub(crate) fn system_time(now: Timestamp) -> SystemTime {
    let millis = u64::try_from(now.millis()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

impl Signer<'_> {
    /// Signs `request`, whose body is `body`. Without credentials it stays as it is.
    pub(crate) fn sign(
        &self,
        mut request: http::Request<Full<Bytes>>,
        body: &Bytes,
    ) -> Result<http::Request<Full<Bytes>>, String> {
        let Some(credentials) = self.credentials else {
            return Ok(request);
        };
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = Identity::from(credentials.clone());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(system_time(self.now))
            .settings(settings)
            .build()
            .map_err(|e| e.to_string())?;
        let uri = request.uri().to_string();
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let method = request.method().clone();
        let signable =
            SignableRequest::new(method.as_str(), uri, headers, SignableBody::Bytes(body))
                .map_err(|e| e.to_string())?;
        let output = sign(signable, &params.into()).map_err(|e| e.to_string())?;
        let (instructions, _signature) = output.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}
