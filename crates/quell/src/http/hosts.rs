//! The hosts that playbooks may send requests to: `respond.http_hosts`.

use std::net::IpAddr;

use http::Uri;

use super::addresses::{Network, is_public};

/// Hosts that are allowed; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Whether it is spoken to without TLS.
    is_plain: bool,
    what: What,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// `api.example.com`.
    Name(String),
    /// `*.example.com`: every name below it.
    Below(String),
    /// `10.1.2.3`, `10.0.0.0/8`, `[fd00::1]`: also what names lead to.
    Network(Network),
}

impl Hosts {
    /// Reads a list of `[http://]HOST[:PORT]`.
    ///
    /// # Errors
    /// Names the entry that is none.
    pub(crate) fn parse(list: &[String]) -> Result<Self, String> {
        let entries = list.iter().map(|text| {
            entry(text).ok_or_else(|| {
                format!(
                    "«{text}» is no host: write api.example.com, *.example.com, 10.1.2.3, 10.0.0.0/8 or [fd00::1], \
                     with :PORT where it is not the usual one, and http:// before it where there is no TLS"
                )
            })
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a URL's host may be asked.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self, uri: &Uri) -> Result<(), String> {
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_plain = uri.scheme_str() == Some("http");
        let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let address: Option<IpAddr> = host.parse().ok();
        let is_meant = |entry: &&Entry| {
            let is_host = match (&entry.what, address) {
                (What::Name(name), None) => name == host,
                (What::Below(domain), None) => {
                    let name = host.strip_suffix(domain.as_str());
                    name.is_some_and(|name| name.len() > 1 && name.ends_with('.'))
                }
                (What::Network(network), Some(address)) => network.contains(address),
                _ => false,
            };
            is_host && entry.port == port && entry.is_plain == is_plain
        };
        match self.0.iter().any(|entry| is_meant(&entry)) {
            true => Ok(()),
            false => {
                let scheme = if is_plain { "http" } else { "https" };
                Err(format!(
                    "{scheme}://{host}:{port} is not one of respond.http_hosts"
                ))
            }
        }
    }

    /// Whether a connection may go to an address that a name led to: one of the public network, or one that is listed.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let listed = |entry: &Entry| match &entry.what {
            What::Network(network) => network.contains(address),
            What::Name(_) | What::Below(_) => false,
        };
        is_public(address) || self.0.iter().any(listed)
    }
}

fn entry(text: &str) -> Option<Entry> {
    let (is_plain, rest) = match text.strip_prefix("http://") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (host, port) = split_port(rest)?;
    let usual = if is_plain { 80 } else { 443 };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => usual,
    };
    let what = match Network::parse(host) {
        Some(network) => What::Network(network),
        None => name(host)?,
    };
    Some(Entry {
        is_plain,
        what,
        port,
    })
}

/// An address of IPv6 is in brackets, as in URLs.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match text.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((text, None)),
    }
}

fn name(text: &str) -> Option<What> {
    let lower = text.to_ascii_lowercase();
    let (domain, is_below) = match lower.strip_prefix("*.") {
        Some(domain) => (domain, true),
        None => (lower.as_str(), false),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // A last label of digits would be an address, however it is written.
    let last = domain.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if !domain.split('.').all(is_label) || is_number {
        return None;
    }
    let domain = domain.to_owned();
    Some(if is_below {
        What::Below(domain)
    } else {
        What::Name(domain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[&str]) -> Hosts {
        let list: Vec<String> = list.iter().map(|text| (*text).to_owned()).collect();
        Hosts::parse(&list).unwrap()
    }

    #[test]
    fn only_what_is_listed_is_asked() {
        let hosts = hosts(&[
            "api.example.com",
            "*.example.org:8443",
            "http://127.0.0.1:8080",
            "10.0.0.0/8",
            "[fd00::1]:9000",
        ]);
        for allowed in [
            "https://api.example.com/x?y",
            "https://API.example.com:443/",
            "https://a.b.example.org:8443/",
            "http://127.0.0.1:8080/",
            "https://10.9.8.7/",
            "https://[fd00::1]:9000/",
        ] {
            assert_eq!(hosts.check(&allowed.parse().unwrap()), Ok(()), "{allowed}");
        }
        for refused in [
            "http://api.example.com/",
            "https://api.example.com:444/",
            "https://x.api.example.com/",
            "https://api.example.com.evil.example/",
            "https://example.org:8443/",
            "https://evilexample.org:8443/",
            "https://127.0.0.1:8080/",
            "http://127.0.0.2:8080/",
            "https://11.0.0.1/",
            "https://169.254.169.254/",
            "https://[::1]/",
        ] {
            assert!(hosts.check(&refused.parse().unwrap()).is_err(), "{refused}");
        }
        assert!(
            Hosts::default()
                .check(&Uri::from_static("https://example.com/"))
                .is_err()
        );
    }

    #[test]
    fn a_name_leads_to_the_public_network_or_to_what_is_listed() {
        let hosts = hosts(&["api.example.com", "10.0.0.0/8"]);
        for (address, allowed) in [
            ("1.1.1.1", true),
            ("10.1.1.1", true),
            ("192.168.1.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("::1", false),
        ] {
            assert_eq!(hosts.allows(address.parse().unwrap()), allowed, "{address}");
        }
    }

    #[test]
    fn what_is_no_host_is_named() {
        for bad in [
            "",
            "https://x.com",
            "x.com/path",
            "x.com:0",
            "x.com:99999",
            "*",
            "*.",
            "a..b",
            "me@x.com",
            "1.2.3.4.5",
            "0x7f.1",
            "127.1",
            "[::1",
            "[::1]x",
        ] {
            let said = Hosts::parse(&[bad.to_owned()]).unwrap_err();
            assert!(said.contains(&format!("«{bad}»")), "{said}");
        }
    }
}
