//! Which ARNs are meant: one, or those of a pattern.

use std::fmt;
use std::str::FromStr;

use quell_model::Arn;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ARN, in which `*` may stand for any characters: as the whole Region, as the whole account, and anywhere in the last part,
/// which is not `*` alone. Everything else is compared to the letter, case included; there is no other sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArnPattern(Arn);

/// The text is no such pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("«{text}» is no ARN to match: {why}")]
pub struct ArnPatternError {
    text: String,
    why: &'static str,
}

impl ArnPattern {
    /// Whether the ARN is meant.
    pub fn matches(&self, arn: &Arn) -> bool {
        let whole = |wanted: &str, is: &str| wanted == "*" || wanted == is;
        self.0.partition == arn.partition
            && self.0.service == arn.service
            && whole(&self.0.region, &arn.region)
            && whole(&self.0.account, &arn.account)
            && matches(&self.0.resource, &arn.resource)
    }

    /// Its parts, as they are written.
    pub fn parts(&self) -> &Arn {
        &self.0
    }

    /// Whether it means ARNs of any account.
    pub fn is_of_any_account(&self) -> bool {
        self.0.account == "*"
    }
}

/// Whether `*` in the pattern can stand for what the text has in its place. It takes time in proportion to both lengths, whatever
/// the pattern: the pieces between the stars are found from left to right, the earliest each.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let Some(mut text) = text.strip_suffix(last) else {
        return false;
    };
    for piece in middle.split('*') {
        let Some(at) = text.find(piece) else {
            return false;
        };
        text = text.get(at + piece.len()..).unwrap_or_default();
    }
    true
}

impl FromStr for ArnPattern {
    type Err = ArnPatternError;

    fn from_str(text: &str) -> Result<Self, ArnPatternError> {
        let no = |why| ArnPatternError {
            text: text.chars().take(120).collect(),
            why,
        };
        let arn: Arn = text.parse().map_err(|_| {
            no("six parts are wanted, arn:partition:service:region:account:resource")
        })?;
        if arn.partition.contains('*') || arn.service.contains('*') {
            return Err(no("partition and service are written out"));
        }
        if arn.region != "*" && arn.region.contains('*') {
            return Err(no("the Region is written out, empty, or * as a whole"));
        }
        let digits = arn.account.len() == 12 && arn.account.bytes().all(|b| b.is_ascii_digit());
        if !digits && arn.account != "*" && !arn.account.is_empty() && arn.account != "aws" {
            return Err(no("the account is twelve digits, empty, or * as a whole"));
        }
        if arn.resource.bytes().all(|b| b == b'*') {
            return Err(no("it means everything: name a kind of resource at least"));
        }
        Ok(Self(arn))
    }
}

impl fmt::Display for ArnPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for ArnPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ArnPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_anything_in_its_part_and_for_nothing_outside() {
        let arn = "arn:aws:ec2:us-east-1:111122223333:security-group/sg-12";
        for (pattern, fits) in [
            (arn, true),
            ("arn:aws:ec2:*:111122223333:security-group/sg-12", true),
            ("arn:aws:ec2:us-east-1:*:security-group/*", true),
            ("arn:aws:ec2:*:*:*/sg-1*", true),
            ("arn:aws:ec2:*:*:*group*-12", true),
            ("arn:aws:ec2:*:*:security-group/sg-1", false),
            ("arn:aws:ec2:*:*:security-group/SG-*", false),
            ("arn:aws:ec2:eu-west-1:*:security-group/*", false),
            ("arn:aws:ec2:*:444455556666:security-group/*", false),
            ("arn:aws:s3:*:*:security-group/*", false),
            ("arn:aws-cn:ec2:*:*:security-group/*", false),
            ("arn:aws:ec2:*:*:*12*sg-*", false),
        ] {
            let parsed: ArnPattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(&arn.parse().unwrap()), fits, "{pattern}");
        }
    }

    #[test]
    fn what_means_too_much_is_no_pattern() {
        for bad in [
            "*",
            "arn:*:ec2:us-east-1:111122223333:security-group/sg-1",
            "arn:aws:*:us-east-1:111122223333:security-group/sg-1",
            "arn:aws:ec2:us-*:111122223333:security-group/sg-1",
            "arn:aws:ec2:us-east-1:1111*:security-group/sg-1",
            "arn:aws:ec2:us-east-1:111122223333:*",
            "arn:aws:ec2:us-east-1:111122223333:**",
            "sg-1",
        ] {
            assert!(bad.parse::<ArnPattern>().is_err(), "{bad}");
        }
    }

    /// The plain meaning: every way to share the text out among the stars.
    fn reference(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                (0..=text.len()).any(|taken| reference(rest, &text[taken..]))
            }
            (Some((p, rest)), Some((t, left))) if p == t => reference(rest, left),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_matches_what_the_plain_meaning_matches(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(matches(&pattern, &text), reference(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
