//! Where one call goes, and as what it is signed: the rules' answer, put together with the written request.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::Value as Json;

use super::parameters::{BuiltIns, parameters};
use super::{AuthScheme, Endpoint, Partitions, RuleSet, RulesError};
use crate::config::Config;
use crate::error::AwsError;
use crate::model::{Operation, Service};
use crate::protocol::WireRequest;
use crate::registry;
use crate::scalar::percent_encode;
use crate::sign::Manner;

/// Where a request goes and as what it is signed.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// The whole URL, with path and query.
    pub url: String,
    /// The service that the request is signed for.
    pub signing_name: String,
    /// The Region that it is signed for.
    pub signing_region: String,
    /// How it is signed.
    pub manner: Manner,
}

/// A call that is to be sent somewhere.
pub struct Placing<'a> {
    /// botocore's name of the service.
    pub name: &'a str,
    /// Its model.
    pub service: &'a Service,
    /// What is called.
    pub operation: &'a Operation,
    /// With what.
    pub params: &'a Json,
    /// Where.
    pub region: &'a str,
    /// The account it is made in, when that is known beforehand.
    pub account: Option<&'a str>,
    /// What the client is told of endpoints.
    pub config: &'a Config,
}

/// Whether `region` is a Region of a partition, by its name, and can be part of a host.
pub(crate) fn is_region(region: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_known = || partitions().is_ok_and(|partitions| partitions.has(region));
    region.len() <= 32 && region.bytes().all(legal) && is_known()
}

fn partitions() -> Result<&'static Partitions, &'static RulesError> {
    static PARTITIONS: OnceLock<Result<Partitions, RulesError>> = OnceLock::new();
    let read = || Partitions::from_json(registry::partitions_json());
    PARTITIONS.get_or_init(read).as_ref()
}

/// The rules of a service, compiled when they are first asked for.
fn rules(placing: &Placing<'_>) -> Result<&'static RuleSet, AwsError> {
    type Slot = OnceLock<Result<RuleSet, RulesError>>;
    static SLOTS: [Slot; registry::SERVICES.len()] =
        [const { OnceLock::new() }; registry::SERVICES.len()];
    let broken = |what: String| AwsError::Model {
        service: placing.name.to_owned(),
        what,
    };
    let place = registry::SERVICES.binary_search(&placing.name).ok();
    let json = placing.service.endpoint_rule_set_json();
    let (slot, json) = place
        .and_then(|place| SLOTS.get(place))
        .zip(json)
        .ok_or_else(|| broken("it has no endpoint rules".to_owned()))?;
    let compiled = slot.get_or_init(|| RuleSet::from_json(json)).as_ref();
    compiled.map_err(|why| broken(why.to_string()))
}

impl Placing<'_> {
    /// Finds where `request` goes. Its headers gain what the rules add.
    ///
    /// # Errors
    /// [`AwsError::NoEndpoint`] when the rules have none for this call, [`AwsError::CannotSign`] when they want a
    /// signature that is not built, [`AwsError::Model`] when they are broken.
    pub fn target(&self, request: &mut WireRequest) -> Result<Target, AwsError> {
        let partitions = partitions().map_err(|why| AwsError::Model {
            service: self.name.to_owned(),
            what: why.to_string(),
        })?;
        let rules = rules(self)?;
        let overridden = self.config.endpoint_url_of(self.service);
        let built_ins = self.built_ins(overridden);
        let given = parameters(rules, self.service, self.operation, self.params, &built_ins);
        let endpoint = rules.evaluate(partitions, &given);
        let endpoint = endpoint.map_err(|why| AwsError::NoEndpoint {
            service: self.name.to_owned(),
            operation: self.operation.name.clone(),
            what: why.to_string(),
        })?;
        let scheme = self.scheme(&endpoint)?;
        set_headers(request, &endpoint);
        // A host prefix cannot be put before `localhost` or an address; who overrides the endpoint names it whole.
        let prefix = match overridden {
            Some(_) => "",
            None => self.host_prefix(request),
        };
        Ok(Target {
            url: join(
                &self.base(&endpoint, overridden),
                prefix,
                self.path(&request.path),
                &request.query,
            ),
            signing_name: scheme
                .signing_name
                .unwrap_or_else(|| self.service.signing_name().to_owned()),
            signing_region: scheme
                .signing_region
                .unwrap_or_else(|| self.region.to_owned()),
            manner: if scheme.disable_double_encoding {
                Manner::S3
            } else {
                Manner::STANDARD
            },
        })
    }

    /// The rules' URL. Those of S3 Control put the account even before an address or `localhost`, where nothing can be:
    /// there it is taken away again. The account is in a header as well.
    fn base<'e>(&self, endpoint: &'e Endpoint, overridden: Option<&str>) -> Cow<'e, str> {
        let account = self.params.get("AccountId").and_then(Json::as_str);
        let before = account.map(|account| format!("://{account}."));
        match (overridden.filter(|url| has_no_names_below(url)), before) {
            (Some(_), Some(before)) => Cow::Owned(endpoint.url.replacen(&before, "://", 1)),
            _ => Cow::Borrowed(&endpoint.url),
        }
    }

    fn built_ins<'b>(&'b self, overridden: Option<&'b str>) -> BuiltIns<'b> {
        let s3 = &self.config.s3;
        let bucket = self.bucket().unwrap_or_default();
        BuiltIns {
            region: Some(self.region),
            endpoint: overridden,
            use_fips: self.config.use_fips,
            use_dual_stack: self.config.use_dual_stack,
            account_id: self.account,
            account_id_endpoint_mode: Some("preferred"),
            s3_accelerate: s3.accelerate,
            // An ARN never fits into a path. Who asks where a bucket is need not be right about it, which a host
            // would be. A host made of a bucket cannot be put before an address.
            s3_force_path_style: !bucket.starts_with("arn:")
                && (self.operation.name == "GetBucketLocation"
                    || s3
                        .force_path_style
                        .unwrap_or(overridden.is_some() && !s3.accelerate)),
            s3_use_arn_region: Some(s3.use_arn_region),
            s3_disable_multi_region_access_points: s3.disable_multi_region_access_points,
            s3control_use_arn_region: Some(s3.use_arn_region),
            // The global endpoints are left over from before there were Regions of theirs.
            s3_use_global_endpoint: false,
            sts_use_global_endpoint: false,
        }
    }

    fn bucket(&self) -> Option<&str> {
        self.params.get("Bucket")?.as_str()
    }

    /// The best way to sign that there is; when the rules name none, it is the service's own.
    fn scheme(&self, endpoint: &Endpoint) -> Result<AuthScheme, AwsError> {
        let schemes = &endpoint.auth_schemes;
        match (schemes.iter().find(|s| s.name == "sigv4"), schemes.first()) {
            (Some(scheme), _) => Ok(scheme.clone()),
            (None, None) => Ok(AuthScheme::default()),
            (None, Some(demanded)) => Err(AwsError::CannotSign {
                service: self.name.to_owned(),
                operation: self.operation.name.clone(),
                scheme: demanded.name.clone(),
            }),
        }
    }

    /// The path without the bucket, which the rules put into the URL, be it into the host or into the path.
    fn path<'p>(&self, path: &'p str) -> &'p str {
        if self.name != "s3" {
            return path;
        }
        let in_path = |bucket: &str| format!("/{}", percent_encode(bucket, b""));
        let rest = self.bucket().and_then(|b| path.strip_prefix(&in_path(b)));
        match rest {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            _ => path,
        }
    }

    /// What goes before the host. S3 Control's rules put the account there themselves.
    fn host_prefix<'p>(&self, request: &'p WireRequest) -> &'p str {
        let fixed = &self.operation.static_context_params;
        match &request.host_prefix {
            Some(prefix) if !fixed.contains_key("RequiresAccountId") => prefix,
            _ => "",
        }
    }
}

/// What the rules say outdoes what the request has.
fn set_headers(request: &mut WireRequest, endpoint: &Endpoint) {
    for (name, values) in &endpoint.headers {
        let headers = &mut request.headers;
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.extend(values.iter().map(|value| (name.clone(), value.clone())));
    }
}

/// Whether the host of a URL is an address or `localhost`.
fn has_no_names_below(url: &str) -> bool {
    let uri: Option<http::Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok()
}

fn join(base: &str, host_prefix: &str, path: &str, query: &str) -> String {
    let (scheme, rest) = base.split_once("://").unwrap_or(("https", base));
    let rest = rest.trim_end_matches('/');
    let path = match path {
        // `https://s3.us-east-1.amazonaws.com/bucket` stays as it is.
        "" | "/" if rest.contains('/') => "",
        "" => "/",
        path => path,
    };
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{host_prefix}{rest}{path}{mark}{query}")
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
