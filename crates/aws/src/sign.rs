//! Signature Version 4, by the official crate: in the headers of a request, or in its URL.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest,
    SignatureLocation, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use quell_model::Timestamp;

/// Who signs for what.
pub struct Signer<'a> {
    /// Whose signature it is. Without any, a request stays as it is.
    pub credentials: Option<&'a Credentials>,
    /// The name of the service that the signature is for.
    pub service: &'a str,
    /// The Region that the signature is for.
    pub region: &'a str,
    /// When it is signed; AWS takes the signature for some minutes around that.
    pub now: Timestamp,
    /// How.
    pub manner: Manner,
}

/// What differs between services in how they are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether the path, encoded as it is sent, is encoded again.
    pub encodes_twice: bool,
    /// Whether dots and empty parts are taken out of the path.
    pub normalizes_path: bool,
    /// Whether the hash of the body is sent along.
    pub sends_hash: bool,
    /// Whether the session token is signed too, or only sent.
    pub signs_token: bool,
}

impl Manner {
    /// For most services.
    pub const STANDARD: Self = Self {
        encodes_twice: true,
        normalizes_path: true,
        sends_hash: false,
        signs_token: true,
    };
    /// For S3 and its relatives, where `a//b/../c` is the name of an object.
    pub const S3: Self = Self {
        encodes_twice: false,
        normalizes_path: false,
        sends_hash: true,
        signs_token: true,
    };

    fn settings(self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if !self.encodes_twice {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
        }
        if !self.normalizes_path {
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        if self.sends_hash {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if !self.signs_token {
            settings.session_token_mode = SessionTokenMode::Exclude;
        }
        settings
    }
}

/// The moment as the standard library has it. Before 1970 it is 1970: a signature of then is refused anyway.
pub(crate) fn system_time(now: Timestamp) -> SystemTime {
    let millis = u64::try_from(now.millis()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

impl Signer<'_> {
    /// Signs `request`, whose body is `body`, in its headers. Without a `body`, the signature holds for any.
    ///
    /// # Errors
    /// What of the request cannot be signed.
    pub fn sign<B>(
        &self,
        request: http::Request<B>,
        body: Option<&[u8]>,
    ) -> Result<http::Request<B>, String> {
        self.apply(request, body, self.manner.settings())
    }

    /// Signs `request` in its URL, for who has no credentials; it is good for `expires_in` (whole seconds). Without a
    /// `body`, the signature holds for any, as S3 wants it there.
    ///
    /// # Errors
    /// What of the request cannot be signed.
    pub fn presign<B>(
        &self,
        request: http::Request<B>,
        body: Option<&[u8]>,
        expires_in: Duration,
    ) -> Result<http::Request<B>, String> {
        let mut settings = self.manner.settings();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(expires_in);
        self.apply(request, body, settings)
    }

    fn apply<B>(
        &self,
        mut request: http::Request<B>,
        body: Option<&[u8]>,
        settings: SigningSettings,
    ) -> Result<http::Request<B>, String> {
        let Some(credentials) = self.credentials else {
            return Ok(request);
        };
        let body = body.map_or(SignableBody::UnsignedPayload, SignableBody::Bytes);
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
            SignableRequest::new(method.as_str(), uri, headers, body).map_err(|e| e.to_string())?;
        let output = sign(signable, &params.into()).map_err(|e| e.to_string())?;
        let (instructions, _signature) = output.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}
