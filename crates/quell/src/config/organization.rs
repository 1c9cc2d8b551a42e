//! The organisation that the accounts are in: where its policies are read and attached.

use quell_guard::Family;
use serde::{Deserialize, Deserializer, Serialize};

use super::{act_role_prefix, is_account, read_role};

/// The organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrganizationConfig {
    /// The account that manages it. Without it nothing is done by the organisation's means; nothing is ever done to it.
    #[serde(deserialize_with = "account_id")]
    pub management_account: Option<String>,
    /// The role there that reads policies of the organisation.
    pub read_role: String,
    /// What the name of the role there begins with that attaches and detaches them; it ends in `Organization`.
    pub act_role_prefix: String,
}

impl Default for OrganizationConfig {
    fn default() -> Self {
        Self {
            management_account: None,
            read_role: read_role(),
            act_role_prefix: act_role_prefix(),
        }
    }
}

/// Twelve digits as a text, or as the number that an environment variable of them is read as.
#[derive(Deserialize)]
#[serde(untagged)]
enum AccountId {
    Text(String),
    Number(u64),
}

fn account_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let read = Option::<AccountId>::deserialize(deserializer)?;
    Ok(read.map(|id| match id {
        AccountId::Text(text) => text,
        AccountId::Number(number) => format!("{number:012}"),
    }))
}

impl OrganizationConfig {
    /// The names of the two roles: the one that reads, the one that acts.
    pub fn roles(&self) -> [String; 2] {
        let act = format!("{}{}", self.act_role_prefix, Family::Organization.name());
        [self.read_role.clone(), act]
    }

    /// Why the settings make no sense, if so.
    pub(super) fn fault(&self) -> Option<String> {
        let id = self.management_account.as_deref()?;
        (!is_account(id)).then(|| format!("«{id}» is not twelve digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figment::Figment;
    use figment::providers::{Format, Toml};

    #[test]
    fn an_account_is_known_as_a_text_and_as_a_number() {
        for (text, id) in [
            (
                "management_account = \"012345678901\"",
                Some("012345678901"),
            ),
            ("management_account = 12345678901", Some("012345678901")),
            ("management_account = 100020003000", Some("100020003000")),
            ("", None),
        ] {
            let read: OrganizationConfig = Figment::from(Toml::string(text)).extract().unwrap();
            assert_eq!(
                (read.management_account.as_deref(), read.fault()),
                (id, None)
            );
        }
        let wrong = "management_account = 1000200030001";
        let read: OrganizationConfig = Figment::from(Toml::string(wrong)).extract().unwrap();
        assert!(read.fault().is_some());
    }
}
