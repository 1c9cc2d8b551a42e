//! Matchers as people read them and as patterns write them.

use std::fmt::Write;

use crate::matcher::{Excluded, Matcher, Range};
use crate::wildcard::Wildcard;

/// `text` as a JSON string, with its quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a string does not fail.
            c if c < ' ' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What a field's list asks for, in words.
pub(crate) fn wanted(matchers: &[Matcher]) -> String {
    join(matchers.iter().map(in_words), " or ")
}

/// What one member of a field's list asks for, in words.
fn in_words(matcher: &Matcher) -> String {
    match matcher {
        Matcher::Text(text) => quote(text),
        Matcher::Address(address) => format!("the address {address}"),
        Matcher::Number { text, .. } => format!("the number {text}"),
        Matcher::Bool(value) => value.to_string(),
        Matcher::Null => "null".to_owned(),
        Matcher::Prefix(prefix) => format!("text that begins with {}", quote(prefix)),
        Matcher::PrefixFolded(prefix) => format!(
            "text that begins with {} in any case",
            quote(&prefix.text())
        ),
        Matcher::Suffix(suffix) => format!("text that ends with {}", quote(suffix)),
        Matcher::SuffixFolded(suffix) => {
            format!("text that ends with {} in any case", quote(&suffix.text()))
        }
        Matcher::EqualsFolded(text) => format!("{} in any case", quote(&text.text())),
        Matcher::Wildcard(wildcard) => format!("text like {}", quote(&wildcard.text())),
        Matcher::Numeric(range) => format!("a number {}", range_in_words(range)),
        Matcher::Cidr(block) => format!("an address in {block}"),
        Matcher::Present => "any value".to_owned(),
        Matcher::Absent => "no value at all".to_owned(),
        Matcher::AnythingBut(excluded) => format!("any value but {}", excluded_in_words(excluded)),
    }
}

fn range_in_words(range: &Range) -> String {
    let bounds = bounds(range);
    join(
        bounds
            .iter()
            .map(|(sign, number)| format!("{sign} {number}")),
        " and ",
    )
}

fn excluded_in_words(excluded: &Excluded) -> String {
    match excluded {
        Excluded::Texts(texts) => join(texts.iter().map(|text| quote(text)), " and "),
        Excluded::Numbers(numbers) => join(numbers.iter().map(f64::to_string), " and "),
        Excluded::Prefixes(all) => {
            format!(
                "text that begins with {}",
                join(all.iter().map(|t| quote(t)), " or ")
            )
        }
        Excluded::Suffixes(all) => {
            format!(
                "text that ends with {}",
                join(all.iter().map(|t| quote(t)), " or ")
            )
        }
        Excluded::Folded(all) => {
            format!(
                "{} in any case",
                join(all.iter().map(|t| quote(&t.text())), " and ")
            )
        }
        Excluded::Wildcards(all) => {
            format!(
                "text like {}",
                join(all.iter().map(|t| quote(&t.text())), " or ")
            )
        }
    }
}

/// A field's list as a pattern writes it. What it means is kept; addresses and letter cases are written one way.
pub(crate) fn list(matchers: &[Matcher]) -> String {
    format!("[{}]", join(matchers.iter().map(written), ", "))
}

fn written(matcher: &Matcher) -> String {
    let expression = |name: &str, value: &str| format!("{{{}: {value}}}", quote(name));
    let folded = |text: &str| expression("equals-ignore-case", &quote(text));
    match matcher {
        Matcher::Text(text) => quote(text),
        Matcher::Address(address) => quote(&address.to_string()),
        Matcher::Number { text, .. } => text.clone(),
        Matcher::Bool(value) => value.to_string(),
        Matcher::Null => "null".to_owned(),
        Matcher::Prefix(text) => expression("prefix", &quote(text)),
        Matcher::PrefixFolded(text) => expression("prefix", &folded(&text.text())),
        Matcher::Suffix(text) => expression("suffix", &quote(text)),
        Matcher::SuffixFolded(text) => expression("suffix", &folded(&text.text())),
        Matcher::EqualsFolded(text) => folded(&text.text()),
        Matcher::Wildcard(wildcard) => expression("wildcard", &quote(&wildcard.text())),
        Matcher::Numeric(range) => expression("numeric", &range_written(range)),
        Matcher::Cidr(block) => expression("cidr", &quote(&block.to_string())),
        Matcher::Present => expression("exists", "true"),
        Matcher::Absent => expression("exists", "false"),
        Matcher::AnythingBut(excluded) => {
            expression("anything-but", &excluded_written(excluded, &expression))
        }
    }
}

fn range_written(range: &Range) -> String {
    let bounds = bounds(range);
    let members = bounds
        .iter()
        .map(|(sign, number)| format!("{}, {number}", quote(sign)));
    format!("[{}]", join(members, ", "))
}

fn excluded_written(excluded: &Excluded, expression: &dyn Fn(&str, &str) -> String) -> String {
    let texts = |texts: &mut dyn Iterator<Item = String>| {
        format!("[{}]", join(texts.map(|text| quote(&text)), ", "))
    };
    match excluded {
        Excluded::Texts(all) => texts(&mut all.iter().cloned()),
        Excluded::Numbers(all) => format!("[{}]", join(all.iter().map(f64::to_string), ", ")),
        Excluded::Prefixes(all) => expression("prefix", &texts(&mut all.iter().cloned())),
        Excluded::Suffixes(all) => expression("suffix", &texts(&mut all.iter().cloned())),
        Excluded::Folded(all) => expression(
            "equals-ignore-case",
            &texts(&mut all.iter().map(crate::fold::Folded::text)),
        ),
        Excluded::Wildcards(all) => {
            expression("wildcard", &texts(&mut all.iter().map(Wildcard::text)))
        }
    }
}

/// The comparisons of a range: `=` alone, or a lower and an upper one.
fn bounds(range: &Range) -> Vec<(&'static str, f64)> {
    if let (Some((bottom, true)), Some((top, true))) = (range.bottom, range.top)
        && bottom == top
    {
        return vec![("=", bottom)];
    }
    let sign = |open, closed, is_closed| if is_closed { closed } else { open };
    let lower = range.bottom.map(|(n, closed)| (sign(">", ">=", closed), n));
    let upper = range.top.map(|(n, closed)| (sign("<", "<=", closed), n));
    lower.into_iter().chain(upper).collect()
}

/// The members with `between` between them.
pub(crate) fn join(members: impl Iterator<Item = String>, between: &str) -> String {
    members.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use crate::compile::compile;

    /// Every kind of matcher, what it says, and what it writes.
    #[test]
    fn every_matcher_has_words_and_is_written_as_it_was_read() {
        for (member, words) in [
            (r#""a\"b""#, r#""a\"b""#),
            (r#""10.0.0.1""#, "the address 10.0.0.1"),
            ("7.0", "the number 7.0"),
            ("true", "true"),
            ("null", "null"),
            (r#"{"prefix": "a"}"#, r#"text that begins with "a""#),
            (
                r#"{"prefix": {"equals-ignore-case": "ab"}}"#,
                r#"text that begins with "ab" in any case"#,
            ),
            (r#"{"suffix": "a"}"#, r#"text that ends with "a""#),
            (
                r#"{"suffix": {"equals-ignore-case": "ab"}}"#,
                r#"text that ends with "ab" in any case"#,
            ),
            (r#"{"equals-ignore-case": "ab"}"#, r#""ab" in any case"#),
            (r#"{"wildcard": "a*b\\*"}"#, r#"text like "a*b\\*""#),
            (r#"{"numeric": ["=", 3]}"#, "a number = 3"),
            (
                r#"{"numeric": [">", 0, "<=", 5.5]}"#,
                "a number > 0 and <= 5.5",
            ),
            (r#"{"numeric": ["<", -1]}"#, "a number < -1"),
            (r#"{"cidr": "10.0.0.0/8"}"#, "an address in 10.0.0.0/8"),
            (
                r#"{"cidr": "2001:db8::/32"}"#,
                "an address in 2001:db8::/32",
            ),
            (r#"{"exists": true}"#, "any value"),
            (r#"{"exists": false}"#, "no value at all"),
            (
                r#"{"anything-but": ["a", "b"]}"#,
                r#"any value but "a" and "b""#,
            ),
            (r#"{"anything-but": [1, 2.5]}"#, "any value but 1 and 2.5"),
            (
                r#"{"anything-but": {"prefix": ["a"]}}"#,
                r#"any value but text that begins with "a""#,
            ),
            (
                r#"{"anything-but": {"suffix": ["a", "b"]}}"#,
                r#"any value but text that ends with "a" or "b""#,
            ),
            (
                r#"{"anything-but": {"equals-ignore-case": ["ab"]}}"#,
                r#"any value but "ab" in any case"#,
            ),
            (
                r#"{"anything-but": {"wildcard": ["a*"]}}"#,
                r#"any value but text like "a*""#,
            ),
        ] {
            let branches = compile(&format!(r#"{{"f": [{member}]}}"#))
                .unwrap()
                .branches;
            let matchers = &branches[0][0].matchers;
            assert_eq!(super::wanted(matchers), words);
            let written = super::list(matchers);
            assert_eq!(written, format!("[{member}]"));
        }
    }
}
