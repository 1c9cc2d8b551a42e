//! The partitions of AWS: which Regions they have, and what their hosts are called.

use std::sync::Arc;

use serde::Deserialize;

use super::RulesError;

/// Every partition, as botocore's `partitions.json` has them.
#[derive(Debug)]
pub struct Partitions {
    all: Vec<Arc<Partition>>,
}

/// One partition: `aws`, `aws-cn`, …
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) name: Arc<str>,
    pub(super) dns_suffix: Arc<str>,
    pub(super) dual_stack_dns_suffix: Arc<str>,
    pub(super) implicit_global_region: Arc<str>,
    pub(super) supports_fips: bool,
    pub(super) supports_dual_stack: bool,
    regions: Vec<String>,
    pattern: Vec<Segment>,
}

/// What one part of a Region's name, between hyphens, must be.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    OneOf(Vec<String>),
    Word,
    Digits,
}

#[derive(Deserialize)]
struct RawPartitions {
    partitions: Vec<RawPartition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPartition {
    id: String,
    outputs: RawOutputs,
    region_regex: String,
    regions: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOutputs {
    dns_suffix: String,
    dual_stack_dns_suffix: String,
    implicit_global_region: String,
    #[serde(rename = "supportsFIPS")]
    supports_fips: bool,
    supports_dual_stack: bool,
}

impl Partitions {
    /// Reads `partitions.json`.
    ///
    /// # Errors
    /// [`RulesError`] when it is not what it should be, or names Regions by a pattern of an unknown form.
    pub fn from_json(json: &str) -> Result<Self, RulesError> {
        let raw: RawPartitions = serde_json::from_str(json)?;
        let all: Result<Vec<_>, _> = raw.partitions.into_iter().map(partition).collect();
        let all = all?;
        if all.is_empty() {
            return Err(RulesError::malformed("there is no partition"));
        }
        Ok(Self { all })
    }

    /// Whether a partition has the Region, or would have it by its name.
    pub fn has(&self, region: &str) -> bool {
        self.find(region).is_some()
    }

    /// The partition of a Region; what no partition claims is taken for the first's, `aws`, as Smithy has it.
    pub(super) fn of(&self, region: &str) -> Option<&Arc<Partition>> {
        self.find(region).or(self.all.first())
    }

    fn find(&self, region: &str) -> Option<&Arc<Partition>> {
        self.all.iter().find(|partition| partition.claims(region))
    }
}

impl Partition {
    fn claims(&self, region: &str) -> bool {
        if self.regions.iter().any(|known| known == region) {
            return true;
        }
        let parts: Vec<&str> = region.split('-').collect();
        parts.len() == self.pattern.len()
            && parts
                .iter()
                .zip(&self.pattern)
                .all(|(part, segment)| segment.fits(part))
    }
}

impl Segment {
    fn fits(&self, part: &str) -> bool {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match self {
            Self::OneOf(words) => words.iter().any(|word| word == part),
            Self::Word => !part.is_empty() && part.bytes().all(word),
            Self::Digits => !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()),
        }
    }
}

fn partition(raw: RawPartition) -> Result<Arc<Partition>, RulesError> {
    Ok(Arc::new(Partition {
        name: raw.id.into(),
        dns_suffix: raw.outputs.dns_suffix.into(),
        dual_stack_dns_suffix: raw.outputs.dual_stack_dns_suffix.into(),
        implicit_global_region: raw.outputs.implicit_global_region.into(),
        supports_fips: raw.outputs.supports_fips,
        supports_dual_stack: raw.outputs.supports_dual_stack,
        regions: raw.regions.into_iter().map(|(name, _)| name).collect(),
        pattern: pattern(&raw.region_regex)?,
    }))
}

/// AWS writes every pattern as parts between `\-`: a word, alternatives in parentheses, `\w+` or `\d+`. That needs no
/// engine of regular expressions, and any other form is refused here rather than misread later.
fn pattern(regex: &str) -> Result<Vec<Segment>, RulesError> {
    let unknown = || RulesError::malformed(format!("the Region pattern {regex} is of a new form"));
    let inner = regex
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'));
    let segments = inner.ok_or_else(unknown)?.split(r"\-").map(segment);
    segments.collect::<Option<Vec<_>>>().ok_or_else(unknown)
}

fn segment(text: &str) -> Option<Segment> {
    match text {
        r"\w+" => return Some(Segment::Word),
        r"\d+" => return Some(Segment::Digits),
        _ => {}
    }
    let grouped = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
    let words: Vec<String> = match grouped {
        Some(inner) => inner.split('|').map(str::to_owned).collect(),
        None => vec![text.to_owned()],
    };
    let plain = |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    words.iter().all(plain).then_some(Segment::OneOf(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Partitions {
        let outputs = r#"{"dnsSuffix": "a.com", "dualStackDnsSuffix": "b.aws", "implicitGlobalRegion": "g",
            "supportsFIPS": true, "supportsDualStack": true}"#;
        let json = format!(
            r#"{{"partitions": [
                {{"id": "aws", "regionRegex": "^(us|eu)\\-\\w+\\-\\d+$", "regions": {{"aws-global": {{}}}}, "outputs": {outputs}}},
                {{"id": "aws-iso", "regionRegex": "^us\\-iso\\-\\w+\\-\\d+$", "regions": {{}}, "outputs": {outputs}}}
            ]}}"#
        );
        Partitions::from_json(&json).unwrap()
    }

    #[test]
    fn regions_belong_to_partitions_by_name_or_pattern() {
        let two = two();
        for (region, partition) in [
            ("us-east-1", Some("aws")),
            ("eu-anywhere-77", Some("aws")),
            ("aws-global", Some("aws")),
            ("us-iso-east-1", Some("aws-iso")),
            ("us-iso-1", Some("aws")),
            ("us-east-", None),
            ("us-east-1-", None),
            ("us-east-1\n", None),
            ("US-east-1", None),
            ("", None),
        ] {
            let found = two.find(region).map(|p| &*p.name);
            assert_eq!(found, partition, "{region:?}");
        }
        assert_eq!(&*two.of("moon-1").unwrap().name, "aws");
    }

    #[test]
    fn a_pattern_of_another_form_is_an_error() {
        for regex in ["us", "^us.*$", r"^(us|e?u)\-\d+$", "^$", r"^us\-[a-z]+$"] {
            assert!(pattern(regex).is_err(), "{regex}");
        }
    }
}
