//! `quell config`.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global};
use crate::config::explain;

/// Settings: what is in force, and where it came from
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// What a setting is, and where it came from
    Explain {
        /// The key, with dots: respond.level_max
        key: String,
    },
    /// All settings in force
    Show,
}

impl ConfigCommand {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Explain { key } => {
                let (value, from) =
                    explain(global.config.as_deref(), global.data.as_deref(), &key)?;
                let shown = json!({"key": key, "value": value, "from": from});
                global
                    .output
                    .print(&shown, |_| format!("{key} = {value}\nfrom {from}"));
            }
            Self::Show => {
                let settings = global.settings()?;
                global.output.print(&settings, |s| format!("{s:#?}"));
            }
        }
        Ok(())
    }
}
