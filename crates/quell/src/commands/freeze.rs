//! `quell freeze`.

use clap::{Args, Subcommand};
use quell_guard::Freeze;
use quell_model::Timestamp;
use quell_store::{Clock, SystemClock};
use serde_json::json;

use super::undo::person;
use super::when::moment;
use super::{Failure, Global};
use crate::orders::freezes;
use crate::output::{note, table};
use crate::place::Place;

/// Change freezes: while one lasts, a person says yes to every change that nobody asked for
///
/// Taking back goes on. A freeze is in the state store and holds at once in every process that shares it.
#[derive(Subcommand)]
pub enum FreezeCommand {
    Add(Add),
    /// Which freezes last or are to come
    List {
        /// Also those that are over
        #[arg(long)]
        all: bool,
    },
    /// End one before its time
    End {
        /// The freeze (frz-…)
        id: String,
    },
}

/// Freeze changes
///
/// Without --account and --environment it is about everything; with several of them, about each of these.
#[derive(Args)]
pub struct Add {
    /// Why
    #[arg(long)]
    reason: String,
    /// From when on: a moment (2026-12-24T18:00:00Z) or so long from now (12h)
    #[arg(long, value_name = "WHEN", default_value = "0m")]
    from: String,
    /// Until when
    #[arg(long, value_name = "WHEN")]
    until: String,
    /// In this account; may be given several times
    #[arg(long = "account", value_name = "DIGITS")]
    accounts: Vec<String>,
    /// In the accounts of this environment; may be given several times
    #[arg(long = "environment", value_name = "NAME")]
    environments: Vec<String>,
}

impl FreezeCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let settings = global.settings()?;
        let now = SystemClock.now();
        match self {
            Self::Add(add) => {
                let freeze = add.freeze(now)?;
                known(&freeze, &settings.accounts)?;
                // Nothing but the store is opened: whatever else is wrong here, changes can be frozen.
                let state = Place::of(&settings).open().await?;
                let added = freezes::add(&*state, freeze, now).await?;
                global.output.print(&added, |f| {
                    format!("{}  from {} until {}", f.id, f.from, f.until)
                });
            }
            Self::List { all } => {
                let state = Place::of(&settings).open().await?;
                let mut those = freezes::list(&*state).await?;
                those.retain(|f| all || (f.ended.is_none() && now < f.until));
                list(global, &those, now);
            }
            Self::End { id } => {
                let state = Place::of(&settings).open().await?;
                freezes::end(&*state, &id, &person(), now).await?;
                note(&format!("{id} has ended"));
            }
        }
        Ok(())
    }
}

impl Add {
    fn freeze(self, now: Timestamp) -> Result<Freeze, Failure> {
        let at = |text: &str| moment(text, now).map_err(Failure::Usage);
        Ok(Freeze {
            id: String::new(),
            from: at(&self.from)?,
            until: at(&self.until)?,
            reason: self.reason,
            by: person(),
            accounts: self.accounts,
            environments: self.environments,
            ended: None,
        })
    }
}

/// A misspelt name would freeze nothing, and nobody would notice.
fn known(freeze: &Freeze, accounts: &[crate::config::Account]) -> Result<(), Failure> {
    let strange = |what: &str, name: &String, known: Vec<&str>| {
        let text = format!(
            "no account in scope is of the {what} «{name}»: there are {}",
            known.join(", ")
        );
        Err(Failure::Usage(text))
    };
    let ids: Vec<&str> = accounts.iter().map(|a| a.id.as_str()).collect();
    let environments: Vec<&str> = accounts.iter().map(|a| a.environment.as_str()).collect();
    if let Some(id) = freeze
        .accounts
        .iter()
        .find(|id| !ids.contains(&id.as_str()))
    {
        return strange("id", id, ids);
    }
    let mut named = freeze.environments.iter();
    match named.find(|name| !environments.contains(&name.as_str())) {
        Some(name) => strange("environment", name, environments),
        None => Ok(()),
    }
}

fn list(global: &Global, those: &[Freeze], now: Timestamp) {
    let standing = |f: &Freeze| match f {
        f if f.ended.is_some() => "ended",
        f if f.is_in_force(now) => "LASTS",
        f if now < f.from => "to come",
        _ => "over",
    };
    let value: Vec<_> = those
        .iter()
        .map(|f| json!({"freeze": f, "status": standing(f)}))
        .collect();
    global.output.print(&value, |_| {
        let rows = those.iter().map(|f| {
            let place = [f.accounts.join(" "), f.environments.join(" ")].join(" ");
            let place = match place.trim() {
                "" => "everywhere".to_owned(),
                place => place.to_owned(),
            };
            vec![
                f.id.clone(),
                standing(f).to_owned(),
                f.from.to_string(),
                f.until.to_string(),
                place,
                f.reason.clone(),
                f.by.clone(),
            ]
        });
        table(
            &["id", "status", "from", "until", "where", "reason", "by"],
            rows,
        )
    });
}
