//! What every product's reader fills in, and the finding made of it.

use quell_model::{
    Actor, Finding, FindingId, Part, Product, Record, Report, ReportState, Resource, Severity,
    Timestamp,
};
use serde_json::Value;

use super::about;
use super::facts::Facts;
use super::look::{name, plain, wrong};
use super::{FindingError, Reported};

/// A product's id of a finding is an ARN at most.
const UID_CHARS_MAX: usize = 2_048;
/// ATT&CK ids of one finding: an attack sequence names a handful.
const ATTACK_MAX: usize = 32;

/// A finding in the making: what has to be there is asked for by [`Draft::new`], the rest has a plain default.
pub(super) struct Draft {
    product: Product,
    report: Report,
    detection: String,
    pub title: String,
    pub severity: Severity,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub count: u64,
    pub sample: bool,
    /// Why somebody outside may have caused it; none when nobody could.
    pub outsider: Option<&'static str>,
    pub explanation: String,
    pub resource: Option<Resource>,
    pub principal: Option<Resource>,
    pub actor: Actor,
    pub attack: Vec<String>,
    pub facts: Facts,
}

/// Who says what of which account and Region.
pub(super) struct Whose<'a> {
    pub product: Product,
    pub uid: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    pub updated_at: Timestamp,
}

impl Draft {
    /// A draft of the finding that `whose` says; `kind` is the product's type of it.
    pub(super) fn new(
        whose: &Whose<'_>,
        kind: &str,
        severity: Severity,
    ) -> Result<Self, FindingError> {
        let Whose {
            product,
            uid,
            account,
            region,
            updated_at,
        } = *whose;
        if !about::is_account(account) {
            return Err(wrong("account", account, "twelve digits"));
        }
        if !about::is_region(region) {
            return Err(wrong("region", region, "a Region's name"));
        }
        if uid.chars().count() > UID_CHARS_MAX {
            return Err(wrong("id", uid, "as short as an ARN"));
        }
        Ok(Self {
            product,
            report: Report {
                uid: uid.to_owned(),
                account: account.to_owned(),
                region: region.to_owned(),
                updated_at,
                state: ReportState::Active,
                part: None,
            },
            detection: format!("{}/{}", folder(product), name(kind)),
            title: name(kind),
            severity,
            first: None,
            last: None,
            count: 1,
            sample: false,
            outsider: None,
            explanation: String::new(),
            resource: None,
            principal: None,
            actor: Actor::default(),
            attack: Vec::new(),
            facts: Facts::default(),
        })
    }

    pub(super) fn account(&self) -> &str {
        &self.report.account
    }

    pub(super) fn region(&self) -> &str {
        &self.report.region
    }

    /// GuardDuty's word for the part that the resource has in it.
    pub(super) fn set_part(&mut self, role: Option<&str>) {
        self.report.part = match role {
            Some("ACTOR") => Some(Part::Actor),
            Some("TARGET") => Some(Part::Target),
            _ => None,
        };
    }

    pub(super) fn set_state(&mut self, state: ReportState) {
        self.report.state = state;
    }

    /// Adds the ATT&CK ids that are in a value of any form.
    pub(super) fn add_attack(&mut self, value: &Value) {
        if let Some(found) = value.as_str().and_then(technique)
            && self.attack.len() < ATTACK_MAX
            && !self.attack.iter().any(|known| known == found)
        {
            self.attack.push(found.to_owned());
        }
    }

    /// The finding, as of a record that came `now`.
    pub(super) fn into_reported(self, record: &Record, now: Timestamp) -> Reported {
        let Report {
            uid,
            account,
            region,
            updated_at,
            ..
        } = &self.report;
        let whole = about::account(account, region);
        let last = self.last.unwrap_or(*updated_at);
        let first = self.first.unwrap_or(last).min(last);
        // The ARN of a bucket does not say where it is: the finding does.
        let here = |resource: Resource| resource.told_to_be_in(account, region);
        let principal = self.principal.map_or_else(|| whole.clone(), here);
        let explanation = explanation(&self.explanation, self.outsider);
        let actor = Actor {
            account: self.actor.account.or_else(|| Some(account.clone())),
            ..self.actor
        };
        let finding = Finding {
            initiator: None,
            id: FindingId::of_report(folder(self.product), account, region, uid),
            event_name: self
                .detection
                .split_once('/')
                .map_or_else(String::new, |(_, kind)| kind.to_owned()),
            detection: self.detection,
            title: self.title,
            severity: self.severity,
            product: self.product,
            record: record.id.clone(),
            records: vec![record.id.clone()],
            record_count: self.count.max(1),
            first_event_time: first,
            event_time: last,
            detected_at: now,
            resource: self.resource.map_or(whole, here),
            principal,
            actor,
            attack: self.attack,
            sample: self.sample,
            outsider: self.outsider.is_some(),
            explanation: (!explanation.is_empty()).then_some(explanation),
            report: Some(self.report),
        };
        Reported {
            finding,
            facts: self.facts,
        }
    }
}

/// The folder under which the detections of a product are named.
fn folder(product: Product) -> &'static str {
    match product {
        Product::Quell => "aws",
        Product::GuardDuty => "guardduty",
        Product::SecurityHub => "security-hub",
        Product::Inspector => "inspector",
        Product::Macie => "macie",
        Product::AccessAnalyzer => "access-analyzer",
        Product::Config => "config",
        Product::Health => "health",
    }
}

/// What the product says, in so many bytes, and who else could have caused it.
fn explanation(text: &str, outsider: Option<&str>) -> String {
    let outsider = outsider
        .map(|why| format!(" [an outsider can cause this: {why}]"))
        .unwrap_or_default();
    let room = Finding::EXPLANATION_BYTES_MAX.saturating_sub(outsider.len());
    let mut said = plain(text, room);
    while said.len() > room {
        said.pop();
    }
    format!("{said}{outsider}").trim().to_owned()
}

/// The ATT&CK technique that a text is, or begins with: `T1078`, `T1078.004`.
fn technique(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .unwrap_or(text.len());
    let id = text.get(..end)?;
    let (main, sub) = id
        .strip_prefix('T')?
        .split_once('.')
        .unwrap_or((id.get(1..)?, "001"));
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    (digits(main, 4) && digits(sub, 3)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_fits_and_says_who_else_could_have_caused_it() {
        let long = explanation(&"é\n".repeat(5_000), Some("anybody may scan"));
        assert!(long.len() <= Finding::EXPLANATION_BYTES_MAX);
        assert!(long.ends_with("[an outsider can cause this: anybody may scan]"));
        assert!(!long.contains('\n'));
        assert_eq!(explanation("", None), "");
    }

    #[test]
    fn techniques_are_told_from_other_words() {
        assert_eq!(technique("T1078.004"), Some("T1078.004"));
        assert_eq!(technique("T1078 - Valid Accounts"), Some("T1078"));
        for text in ["TA0001", "T10", "T1078.4", "Tor", "", "é"] {
            assert_eq!(technique(text), None, "{text}");
        }
    }
}
