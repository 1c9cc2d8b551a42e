//! `quell exception`.

use clap::{Args, Subcommand};
use quell_guard::exception::Scope;
use quell_guard::{ArnPattern, Exception};
use quell_model::Timestamp;
use quell_store::{Clock, SystemClock};
use serde_json::json;

use super::undo::person;
use super::when::moment;
use super::{Failure, Global};
use crate::orders::exceptions;
use crate::output::{note, table};
use crate::place::Place;

/// Exceptions: what is left as it is, for a while, because somebody answers for it
///
/// While one is in force the guard refuses what it is about, whoever asks for it. docs/orders.md says what one means.
#[derive(Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of it, when the program starts"
)]
pub enum ExceptionCommand {
    Add(Add),
    /// What is excepted, the first to expire first
    List {
        /// Also those that have expired or were ended
        #[arg(long)]
        all: bool,
    },
    /// End one before its time: what it was about is answered again
    End {
        /// The exception (exc-…)
        id: String,
    },
}

/// Add one; you approve it, so it is somebody else's
///
/// It names a playbook or a detection, and an account or a resource; each that is given narrows it.
#[derive(Args)]
pub struct Add {
    /// Who answers for what is left as it is: a person or a team, not you
    #[arg(long)]
    owner: String,
    /// Why
    #[arg(long)]
    reason: String,
    /// Until when: a moment (2026-12-24T18:00:00Z) or so long from now (30d), 90 days at most
    #[arg(long, value_name = "WHEN")]
    expires: String,
    /// What this playbook would do
    #[arg(long, value_name = "ID")]
    playbook: Option<String>,
    /// What this detection says
    #[arg(long, value_name = "ID")]
    detection: Option<String>,
    /// In this account
    #[arg(long, value_name = "DIGITS")]
    account: Option<String>,
    /// To this resource, or to those of a pattern: * stands for anything, as Region, as account, and in the last part
    #[arg(long, value_name = "ARN")]
    resource: Option<ArnPattern>,
}

impl ExceptionCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let settings = global.settings()?;
        let now = SystemClock.now();
        match self {
            Self::Add(add) => {
                let exception = add.exception(now)?;
                let content = crate::content::Content::load(settings.content.as_deref())
                    .map_err(|e| Failure::Setup(format!("content: {e}")))?;
                known(&exception.scope, &content)?;
                let state = Place::of(&settings).open().await?;
                let added = exceptions::add(&*state, exception).await?;
                global
                    .output
                    .print(&added, |e| format!("{}  until {}", e.id, e.expires_at));
            }
            Self::List { all } => {
                let state = Place::of(&settings).open().await?;
                let mut those = exceptions::list(&*state).await?;
                those.retain(|e| all || e.is_in_force(now));
                list(global, &those, now);
            }
            Self::End { id } => {
                let state = Place::of(&settings).open().await?;
                exceptions::end(&*state, &id, &person(), now).await?;
                note(&format!("{id} has ended"));
            }
        }
        Ok(())
    }
}

impl Add {
    fn exception(self, now: Timestamp) -> Result<Exception, Failure> {
        if let Some(account) = &self.account
            && (account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()))
        {
            let text = format!("«{account}» is no account: twelve digits are wanted");
            return Err(Failure::Usage(text));
        }
        Ok(Exception {
            id: String::new(),
            owner: self.owner,
            reason: self.reason,
            scope: Scope {
                playbook: self.playbook,
                detection: self.detection,
                account: self.account,
                resource: self.resource,
            },
            approved_by: person(),
            created_at: now,
            expires_at: moment(&self.expires, now).map_err(Failure::Usage)?,
            ended: None,
        })
    }
}

/// A misspelt name would except nothing, and nobody would notice.
fn known(scope: &Scope, content: &crate::content::Content) -> Result<(), Failure> {
    let no = |what: &str, name: &str, known: Vec<&str>| {
        let meant = quell_model::nearest(name, known);
        let meant = meant.map_or(String::new(), |m| format!("; did you mean «{m}»?"));
        Err(Failure::Usage(format!(
            "there is no {what} «{name}»{meant}"
        )))
    };
    if let Some(id) = &scope.playbook
        && !content.playbooks.contains_key(id)
    {
        let known = content.playbooks.keys().map(String::as_str);
        return no("playbook", id, known.collect());
    }
    if let Some(id) = &scope.detection {
        let known = content.detection_ids();
        if !known.contains(&id.as_str()) {
            return no("detection", id, known);
        }
    }
    Ok(())
}

/// How it stands: whoever lists them sees which end soon.
fn standing(exception: &Exception, now: Timestamp) -> String {
    match exception {
        e if e.ended.is_some() => "ended".to_owned(),
        e if !e.is_in_force(now) => "expired".to_owned(),
        e if e.ends_soon(now) => {
            let days = e.expires_at.millis_since(now) / (24 * 3_600_000);
            format!("ENDS IN {days} d")
        }
        _ => "in force".to_owned(),
    }
}

fn list(global: &Global, those: &[Exception], now: Timestamp) {
    let value: Vec<_> = those
        .iter()
        .map(|e| json!({"exception": e, "status": standing(e, now), "endsSoon": e.ends_soon(now)}))
        .collect();
    global.output.print(&value, |_| {
        let rows = those.iter().map(|e| {
            let scope = &e.scope;
            let what = [&scope.playbook, &scope.detection].into_iter().flatten();
            let resource = scope.resource.as_ref().map(ToString::to_string);
            let place = [&scope.account, &resource].into_iter().flatten();
            let join = |parts: Vec<String>| parts.join(" ");
            vec![
                e.id.clone(),
                standing(e, now),
                e.expires_at.date(),
                e.owner.clone(),
                join(what.cloned().collect()),
                join(place.cloned().collect()),
                e.reason.clone(),
                e.approved_by.clone(),
            ]
        });
        table(
            &[
                "id",
                "status",
                "until",
                "owner",
                "what",
                "where",
                "reason",
                "approved by",
            ],
            rows,
        )
    });
}
