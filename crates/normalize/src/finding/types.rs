//! The types of GuardDuty findings: content, which is checked here and read by the content loader.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What Quell knows of a type of GuardDuty finding beside what a finding itself says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardDutyType {
    /// As in the finding.
    #[serde(rename = "type")]
    pub kind: String,
    /// The ATT&CK tactic, in words.
    pub tactic: String,
    /// ATT&CK techniques, or ATLAS's.
    pub attack: Vec<String>,
    /// The playbooks that answer it; none: people are told.
    pub playbooks: Vec<String>,
    /// Whether somebody without any foothold can cause it.
    pub outsider: Outsider,
    /// What else to know.
    #[serde(default)]
    pub note: Option<String>,
}

/// Whether somebody without any foothold can cause a type of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outsider {
    /// Nobody can.
    No,
    /// At will.
    Yes,
    /// When the resource was the target, not the actor.
    Target,
    /// By content that a host fetches and that makes it look a name up.
    Lookup,
    /// In some set-ups: where anonymous access is allowed.
    Some,
}

impl Outsider {
    /// Why an outsider may have caused a finding, whose resource was the actor or not; `None` when none could.
    pub fn reason(self, is_actor: bool) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::Target if is_actor => None,
            Self::Yes | Self::Target => Some("it only takes reaching the resource from outside"),
            Self::Lookup => Some("mail or a page can make a host look a name up"),
            Self::Some => Some("where anonymous access is allowed, anybody can"),
        }
    }
}

/// All known types, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardDutyTypes(BTreeMap<String, GuardDutyType>);

impl GuardDutyTypes {
    /// The types, or what is wrong with them: the row, from 0, and the fault.
    ///
    /// # Errors
    /// All faults of all rows.
    pub fn new(rows: Vec<GuardDutyType>) -> Result<Self, Vec<(usize, String)>> {
        let mut faults = Vec::new();
        let mut types = BTreeMap::new();
        for (at, row) in rows.into_iter().enumerate() {
            faults.extend(row.faults().into_iter().map(|fault| (at, fault)));
            if let Some(before) = types.insert(row.kind.clone(), row) {
                faults.push((at, format!("«{}» stands twice", before.kind)));
            }
        }
        if faults.is_empty() {
            Ok(Self(types))
        } else {
            Err(faults)
        }
    }

    /// What is known of a type.
    pub fn get(&self, kind: &str) -> Option<&GuardDutyType> {
        self.0.get(kind)
    }

    /// The types, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &GuardDutyType> {
        self.0.values()
    }
}

impl GuardDutyType {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_type = self.kind.split_once(':').is_some_and(|(purpose, rest)| {
            let resource = rest.split_once('/');
            !purpose.is_empty() && resource.is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
        });
        if !is_type || self.kind.contains(char::is_whitespace) {
            faults.push(format!("«{}» is not Purpose:Resource/Family", self.kind));
        }
        let digits = |text: &str, count: usize| {
            text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
        };
        for id in &self.attack {
            let (main, sub) = id
                .split_once('.')
                .filter(|(main, _)| *main != "AML")
                .unwrap_or((id, "000"));
            let number = main
                .strip_prefix("AML.T")
                .or_else(|| main.strip_prefix('T'));
            if !number.is_some_and(|number| digits(number, 4)) || !digits(sub, 3) {
                faults.push(format!("«{id}» is no ATT&CK technique"));
            }
        }
        for id in &self.playbooks {
            if !id
                .strip_prefix("PB-")
                .is_some_and(|number| digits(number, 3))
            {
                faults.push(format!("«{id}» is no playbook's id"));
            }
        }
        if self.tactic.is_empty()
            || !self
                .tactic
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b'-')
        {
            faults.push(format!(
                "the tactic «{}» is not words with dashes",
                self.tactic
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str) -> GuardDutyType {
        GuardDutyType {
            kind: kind.to_owned(),
            tactic: "impact".to_owned(),
            attack: vec!["T1496.001".to_owned(), "AML.T0051".to_owned()],
            playbooks: vec!["PB-002".to_owned()],
            outsider: Outsider::Target,
            note: None,
        }
    }

    #[test]
    fn a_wrong_row_is_named() {
        let good = row("CryptoCurrency:EC2/BitcoinTool.B!DNS");
        assert!(GuardDutyTypes::new(vec![good.clone()]).is_ok());
        let twice = GuardDutyTypes::new(vec![good.clone(), good.clone()]).unwrap_err();
        assert_eq!(twice.len(), 1);
        for bad in [
            row("BitcoinTool"),
            row("A:B"),
            row("A:B/C D"),
            GuardDutyType {
                attack: vec!["TA0001".into()],
                ..row("A:B/C")
            },
            GuardDutyType {
                playbooks: vec!["2".into()],
                ..row("A:B/C")
            },
            GuardDutyType {
                tactic: "C2!".into(),
                ..row("A:B/C")
            },
        ] {
            let faults = GuardDutyTypes::new(vec![good.clone(), bad]).unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(faults[0].0, 1);
        }
    }

    #[test]
    fn who_acts_is_not_caused_from_outside() {
        assert!(Outsider::Target.reason(false).is_some());
        assert!(Outsider::Target.reason(true).is_none());
        assert!(Outsider::No.reason(false).is_none());
        assert!(Outsider::Lookup.reason(true).is_some());
    }
}
