//! Change freezes: while one lasts, nothing is changed by itself.

use quell_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exception::Ended;

/// A time in which a person has to say yes to every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Freeze {
    /// `frz-…`.
    pub id: String,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: String,
    /// Its first moment.
    pub from: Timestamp,
    /// The moment at which it is over.
    pub until: Timestamp,
    /// Accounts that it is about, twelve digits each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Environments that it is about. Without any account and any environment it is about everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Who ended it before, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

impl Freeze {
    /// Whether it lasts now.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.from <= now && now < self.until
    }

    /// Whether it is about an account. An account that nobody knows is in every environment.
    pub fn is_about(&self, account: &str, environment: Option<&str>) -> bool {
        let everywhere = self.accounts.is_empty() && self.environments.is_empty();
        let there = |named: &String| environment.is_none_or(|is| is == named);
        everywhere
            || self.accounts.iter().any(|named| named == account)
            || self.environments.iter().any(there)
    }

    /// What people are told.
    pub(crate) fn words(&self) -> String {
        format!(
            "changes are frozen until {} ({} of {}): {}",
            self.until, self.id, self.by, self.reason
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_from_its_first_moment_to_its_last_where_it_is_about() {
        let mut freeze = Freeze {
            id: "frz-1".into(),
            reason: "end of year".into(),
            by: "ann".into(),
            from: Timestamp::from_millis(10),
            until: Timestamp::from_millis(20),
            accounts: Vec::new(),
            environments: Vec::new(),
            ended: None,
        };
        let lasts = |freeze: &Freeze| {
            let at = |millis| freeze.is_in_force(Timestamp::from_millis(millis));
            [at(9), at(10), at(19), at(20)]
        };
        assert_eq!(lasts(&freeze), [false, true, true, false]);
        assert!(freeze.is_about("1", Some("test")));
        freeze.environments = vec!["production".into()];
        assert!(!freeze.is_about("1", Some("test")) && freeze.is_about("1", Some("production")));
        assert!(freeze.is_about("1", None), "an account that nobody knows");
        freeze.accounts = vec!["1".into()];
        assert!(freeze.is_about("1", Some("test")) && !freeze.is_about("2", Some("test")));
        freeze.ended = Some(Ended {
            by: "bob".into(),
            at: Timestamp::from_millis(12),
        });
        assert_eq!(lasts(&freeze), [false; 4]);
    }
}
