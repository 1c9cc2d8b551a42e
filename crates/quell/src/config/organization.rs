//! The organisation that the accounts are in: where its policies are read and attached.

use quell_guard::Family;
use serde::{Deserialize, Serialize};

use super::{act_role_prefix, is_account, read_role};

/// The organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrganizationConfig {
    /// The account that manages it. Without it nothing is done by the organisation's means; nothing is ever done to it.
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
