//! Sources and detail-types that do not belong together.

use super::{Asked, exact};
use crate::lint::table::{ANY_SERVICE, FAMILIES, Family};
use crate::lint::{Kind, Warning};
use crate::pattern::Condition;
use crate::words::{join, list, quote};
use crate::write;

/// The name of a family that a field of the pattern is compared with.
type NameOf = fn(&Family) -> &'static str;

impl Asked<'_> {
    pub(super) fn letter_cases(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let known: [(Option<&Condition>, NameOf); 2] = [
            (self.source, |family| family.source),
            (self.detail_type, |family| family.detail_type),
        ];
        for (condition, name) in known {
            let names = || FAMILIES.iter().map(name);
            for text in exact(condition).unwrap_or_default() {
                let right = names().find(|name| name.eq_ignore_ascii_case(text.trim()));
                if let (Some(right), Some(condition)) = (right, condition)
                    && !names().any(|name| name == text)
                {
                    let message = format!("AWS writes {}, not {}", quote(right), quote(text));
                    warnings.push(Warning::new(
                        Kind::LetterCase,
                        Some(&condition.path),
                        message,
                    ));
                }
            }
        }
        warnings
    }

    /// Detail-types no source asked for sends, and sources that send none of the detail-types.
    pub(super) fn mismatches(&self) -> Vec<Warning> {
        let (Some(sources), Some(types)) = (exact(self.source), exact(self.detail_type)) else {
            return Vec::new();
        };
        let mut warnings = Vec::new();
        let senders = |detail_type: &str| -> Vec<&Family> {
            let of_type = |family: &&Family| family.detail_type == detail_type;
            FAMILIES.iter().filter(of_type).collect()
        };
        for detail_type in &types {
            let senders = senders(detail_type);
            let sent = |source: &&str| senders.iter().any(|family| family.is_sent_by(source));
            if !senders.is_empty() && !sources.iter().any(sent) {
                let from = join(senders.iter().map(|f| from(f.source)), " or ");
                let message = format!(
                    "{} events come from {from}, and the pattern wants {}",
                    quote(detail_type),
                    join(sources.iter().map(|source| quote(source)), " or ")
                );
                warnings.push(Warning::new(Kind::Mismatch, Some("detail-type"), message));
            }
        }
        let all_known = types
            .iter()
            .all(|detail_type| !senders(detail_type).is_empty());
        for source in sources.iter().filter(|_| all_known && warnings.is_empty()) {
            let sends =
                |detail_type: &&str| senders(detail_type).iter().any(|f| f.is_sent_by(source));
            if !types.iter().any(sends) {
                let message = format!("{source} sends no event of the detail-types asked for");
                let warning = Warning::new(Kind::Mismatch, Some("source"), message);
                warnings.push(warning);
                break;
            }
        }
        warnings
    }

    /// API calls carry the source of the service called, which is CloudTrail's own only for calls of CloudTrail.
    pub(super) fn trail_as_source(&self) -> Option<Warning> {
        let called = self
            .branch
            .iter()
            .find(|c| *c.path == *"detail.eventSource");
        let only_trail = exact(self.source)?
            .iter()
            .all(|source| *source == "aws.cloudtrail");
        let services: Vec<&str> = exact(called)?
            .iter()
            .filter_map(|host| host.strip_suffix(".amazonaws.com"))
            .filter(|service| *service != "cloudtrail")
            .collect();
        if !only_trail || Some(services.len()) != exact(called).map(|hosts| hosts.len()) {
            return None;
        }
        let sources = join(
            services
                .iter()
                .map(|service| quote(&format!("aws.{service}"))),
            ", ",
        );
        let message = format!("the source of an API call is the service called: {sources}");
        let fields = self.branch.iter().map(|condition| match &*condition.path {
            path @ "source" => (path, format!("[{sources}]")),
            path => (path, list(&condition.matchers)),
        });
        Some(Warning::new(Kind::Mismatch, Some("source"), message).suggest(write::pattern(fields)))
    }
}

fn from(source: &str) -> String {
    if source == ANY_SERVICE {
        "the AWS service called".to_owned()
    } else {
        source.to_owned()
    }
}
