//! Names as the schema takes them.

/// Whether the schema takes a text for a host's name: labels of letters, digits and dashes, no dash at an end.
pub(super) fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        let ends = label.starts_with('-') || label.ends_with('-');
        !label.is_empty()
            && !ends
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.split('.').all(label)
}

/// A name that the schema takes, as near as there is one to what was asked for: `_ldap._tcp.example.com` is a name in DNS and
/// none there. The root is `root`.
pub(super) fn hostname(text: &str) -> String {
    if is_hostname(text) {
        return text.to_owned();
    }
    let plain: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let labels = plain
        .split('.')
        .map(|label| label.trim_matches('-'))
        .filter(|label| !label.is_empty());
    let name = labels.collect::<Vec<_>>().join(".");
    if name.is_empty() {
        "root".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_one_that_the_schema_takes() {
        for (text, name) in [
            ("www.example.com", "www.example.com"),
            ("_ldap._tcp.example.com", "ldap.tcp.example.com"),
            ("a b.example", "a-b.example"),
            ("xn--caf-dma.example", "xn--caf-dma.example"),
            (".", "root"),
            ("", "root"),
            ("--", "root"),
            ("é.example", "example"),
        ] {
            assert_eq!(hostname(text), name);
            assert!(is_hostname(&hostname(text)), "{text}");
        }
        assert!(!is_hostname("a..b") && !is_hostname("a.b.") && !is_hostname("-a.b"));
    }
}
