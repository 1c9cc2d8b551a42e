//! Where AWS is reached: what `quell.toml` says, else what the environment says in the words of the AWS SDKs.

use std::collections::BTreeMap;

/// The endpoints of AWS, as [`quell_aws::Config`] takes them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// One URL for every service.
    pub url: Option<String>,
    /// The URLs of single services, by their ids as in `AWS_ENDPOINT_URL_…`.
    pub urls: BTreeMap<String, String>,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub use_fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub use_dual_stack: bool,
}

const URL: &str = "AWS_ENDPOINT_URL";
const URL_OF: &str = "AWS_ENDPOINT_URL_";

impl Endpoints {
    /// `named` is the URL that the settings name: then the environment's URLs do not count.
    pub fn new(named: Option<&str>, environment: &BTreeMap<String, String>) -> Self {
        let is = |name: &str| {
            let value = environment.get(name);
            value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let mut endpoints = Self {
            url: named.map(str::to_owned),
            urls: BTreeMap::new(),
            use_fips: is("AWS_USE_FIPS_ENDPOINT"),
            use_dual_stack: is("AWS_USE_DUALSTACK_ENDPOINT"),
        };
        if named.is_some() || is("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            return endpoints;
        }
        for (name, url) in environment {
            if name == URL {
                endpoints.url = Some(url.clone());
            } else if let Some(service) = name.strip_prefix(URL_OF) {
                endpoints.urls.insert(service.to_owned(), url.clone());
            }
        }
        endpoints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn the_environment_speaks_as_to_every_aws_tool() {
        let given = environment(&[
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_S3", "http://s3"),
            ("AWS_USE_FIPS_ENDPOINT", "True"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "no"),
            ("AWS_REGION", "eu-west-1"),
        ]);
        let found = Endpoints::new(None, &given);
        assert_eq!(found.url.as_deref(), Some("http://all"));
        assert_eq!(found.urls, environment(&[("S3", "http://s3")]));
        assert!(found.use_fips && !found.use_dual_stack);
    }

    #[test]
    fn its_urls_count_only_when_nobody_says_otherwise() {
        let mut given = environment(&[
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_S3", "http://s3"),
        ]);
        let named = Endpoints::new(Some("http://range"), &given);
        assert_eq!(named.url.as_deref(), Some("http://range"));
        assert!(named.urls.is_empty());

        let ignore = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS".to_owned();
        given.insert(ignore, "true".to_owned());
        assert_eq!(Endpoints::new(None, &given), Endpoints::default());
    }
}
