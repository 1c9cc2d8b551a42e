//! The functions of the rules that look at text. They answer `None` where the rules' `isSet` is to say no.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::value::{Arn, Url};

/// `aws.parseArn`: partition, service and resource must be there; the resource is split at `:` and `/`.
pub(super) fn parse_arn(text: &str) -> Option<Arn> {
    let mut parts = text.splitn(6, ':');
    let is_arn = parts.next()? == "arn";
    let (partition, service) = (parts.next()?, parts.next()?);
    let (region, account_id, resource) = (parts.next()?, parts.next()?, parts.next()?);
    if !is_arn || partition.is_empty() || service.is_empty() || resource.is_empty() {
        return None;
    }
    Some(Arn {
        partition: partition.into(),
        service: service.into(),
        region: region.into(),
        account_id: account_id.into(),
        resource_id: resource.split([':', '/']).map(Arc::from).collect(),
    })
}

/// `parseURL`: `http:` or `https:` with a host, without query, fragment or user.
pub(super) fn parse_url(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let is_unsafe = |c: char| matches!(c, '?' | '#' | '@' | '\\') || c.is_control() || c == ' ';
    if !matches!(scheme, "http" | "https") || rest.contains(is_unsafe) {
        return None;
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    Some(Url {
        scheme: scheme.into(),
        authority: authority.into(),
        path: path.into(),
        normalized_path: normalized(path).into(),
        is_ip: is_ip(host(authority)?),
    })
}

/// The host of `host[:port]`, when both are possible.
fn host(authority: &str) -> Option<&str> {
    let end = match authority.find(']') {
        Some(at) => at + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(end)?;
    let port_fits = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    (!host.is_empty() && port_fits).then_some(host)
}

fn is_ip(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    match bracketed {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<Ipv4Addr>().is_ok(),
    }
}

/// The path with neither dots nor empty parts, between slashes.
fn normalized(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut text = String::from("/");
    for part in parts {
        text.push_str(&crate::scalar::percent_encode(part, b"%"));
        text.push('/');
    }
    text
}

/// `isValidHostLabel`: RFC 1123, each label when subdomains are allowed.
pub(super) fn is_host_label(text: &str, allow_subdomains: bool) -> bool {
    if allow_subdomains {
        return text.split('.').all(|label| is_host_label(label, false));
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(legal)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `aws.isVirtualHostableS3Bucket`: a host label of three or more, without capitals, that is no address.
pub(super) fn is_virtual_hostable(bucket: &str, allow_subdomains: bool) -> bool {
    bucket.len() >= 3
        && !bucket.bytes().any(|b| b.is_ascii_uppercase())
        && bucket.parse::<Ipv4Addr>().is_err()
        && is_host_label(bucket, allow_subdomains)
}

/// `substring`: of ASCII text only, and only when it is long enough; `reverse` counts from the end.
pub(super) fn substring(text: &str, start: usize, stop: usize, reverse: bool) -> Option<&str> {
    if start >= stop || text.len() < stop || !text.is_ascii() {
        return None;
    }
    if reverse {
        text.get(text.len() - stop..text.len() - start)
    } else {
        text.get(start..stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_taken_apart() {
        let arn = parse_arn("arn:aws:s3:us-west-2:123:accesspoint/my:x").unwrap();
        let parts: Vec<&str> = arn.resource_id.iter().map(|part| &**part).collect();
        assert_eq!(parts, ["accesspoint", "my", "x"]);
        assert_eq!((&*arn.region, &*arn.account_id), ("us-west-2", "123"));
        for text in [
            "",
            "arn",
            "arn:aws:s3:::",
            "arn::s3:::b",
            "arn:aws::::b",
            "x:aws:s3:::b",
        ] {
            assert_eq!(parse_arn(text), None, "{text}");
        }
    }

    #[test]
    fn urls_are_taken_apart() {
        let parsed = |text: &str| {
            let url = parse_url(text)?;
            let (authority, path) = (url.authority.to_string(), url.path.to_string());
            Some((authority, path, url.normalized_path.to_string(), url.is_ip))
        };
        let expected = |authority: &str, path: &str, normalized: &str, is_ip: bool| {
            Some((
                authority.to_owned(),
                path.to_owned(),
                normalized.to_owned(),
                is_ip,
            ))
        };
        assert_eq!(
            parsed("https://example.com"),
            expected("example.com", "", "/", false)
        );
        assert_eq!(
            parsed("http://127.0.0.1:5000/a/../b//c"),
            expected("127.0.0.1:5000", "/a/../b//c", "/b/c/", true)
        );
        assert_eq!(
            parsed("https://[::1]:443"),
            expected("[::1]:443", "", "/", true)
        );
        for text in [
            "example.com",
            "ftp://example.com",
            "https://",
            "https://a:99999",
            "https://a:b",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://a\r\nb",
            "https://a b",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn labels_and_buckets() {
        for (text, plain, with_subdomains) in [
            ("a", true, true),
            ("a.b", false, true),
            ("a..b", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("a_b", false, false),
            ("", false, false),
            ("a/b", false, false),
            ("ä", false, false),
        ] {
            assert_eq!(is_host_label(text, false), plain, "{text}");
            assert_eq!(is_host_label(text, true), with_subdomains, "{text}");
        }
        assert!(!is_host_label(&"a".repeat(64), false));
        assert!(is_virtual_hostable("logs", false));
        for bucket in ["ab", "Logs", "192.168.1.1", "a@b", "a#bc", "lo\r\ngs"] {
            assert!(!is_virtual_hostable(bucket, true), "{bucket:?}");
        }
    }

    #[test]
    fn parts_of_text() {
        assert_eq!(substring("abcdef", 0, 4, false), Some("abcd"));
        assert_eq!(substring("abcdef", 0, 4, true), Some("cdef"));
        assert_eq!(substring("abc", 0, 4, false), None);
        assert_eq!(substring("äbcd", 0, 4, false), None);
        assert_eq!(substring("abc", 2, 1, false), None);
    }
}
