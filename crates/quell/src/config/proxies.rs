//! The proxies on the way to AWS: what `quell.toml` says, else what the environment says, as every tool understands it.

use quell_aws::Proxies;

use super::{AwsConfig, environment};

/// The proxies for AWS.
pub fn proxies(aws: &AwsConfig) -> Proxies {
    let or = |named: &Option<String>, names: [&str; 2]| {
        let given = || names.into_iter().find_map(environment);
        named.clone().or_else(given)
    };
    Proxies {
        https: or(&aws.https_proxy, ["HTTPS_PROXY", "https_proxy"]),
        http: or(&aws.http_proxy, ["HTTP_PROXY", "http_proxy"]),
        none: or(&aws.no_proxy, ["NO_PROXY", "no_proxy"]),
    }
}
