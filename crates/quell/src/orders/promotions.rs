//! Promotions in the store: which playbooks may act by themselves here, and what they showed before. docs/backtest.md says what one means.
//!
//! It fails closed: what cannot be read, or was given to the playbook when its files said something else, is none.

use quell_evidence::Act;
use quell_model::{RunId, Timestamp};
use quell_respond::Playbook;
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::OrderError;
use crate::audit;

/// That a playbook may act by itself, and what it showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// The playbook.
    pub playbook: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its files: it holds for these alone.
    pub digest: String,
    /// The digest of the clean backtest.
    pub backtest: String,
    /// The first moment of the backtest.
    pub since: Timestamp,
    /// How many records it went through.
    pub records: u64,
    /// Whether the state that the playbook reads was put together from events; else triggers and guards alone were tried.
    pub is_reconstructed: bool,
    /// The clean runs that were counted.
    pub runs: Vec<RunId>,
    /// Who promoted it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

const PROMOTED: &str = "promoted";
const REASON_CHARS_MAX: usize = 1000;

/// The promotion of a playbook, whether it holds for its files or not.
///
/// # Errors
/// [`StoreError`].
pub async fn of(state: &dyn State, playbook: &str) -> Result<Option<Promotion>, StoreError> {
    let stored = state.get(Kind::Promotion, playbook).await?;
    stored.map(|document| document.read()).transpose()
}

/// Whether a playbook was promoted as it is. What cannot be read is no promotion.
pub async fn holds(state: &dyn State, playbook: &Playbook) -> bool {
    match of(state, &playbook.id).await {
        Ok(promotion) => promotion.is_some_and(|p| p.digest == playbook.digest),
        Err(error) => {
            tracing::error!(%error, playbook = playbook.id, "a promotion cannot be read: a person is asked");
            false
        }
    }
}

/// Stores a promotion, in place of the one before.
///
/// # Errors
/// [`OrderError`]: it says no reason, or cannot be stored.
pub async fn promote(state: &dyn State, promotion: &Promotion) -> Result<(), OrderError> {
    let reason = promotion.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        let text = format!("a promotion has a reason of 1 to {REASON_CHARS_MAX} characters");
        return Err(OrderError::Refused(text));
    }
    let id = promotion.playbook.clone();
    let write = match state.get(Kind::Promotion, &id).await? {
        Some(mut document) => {
            document.at = promotion.at;
            Write::Update(document.with(PROMOTED, promotion)?)
        }
        None => Write::Insert(Document::new(
            Kind::Promotion,
            id.clone(),
            PROMOTED,
            promotion.at,
            promotion,
        )?),
    };
    let details = json!({
        "version": promotion.version, "digest": promotion.digest, "backtest": promotion.backtest,
        "records": promotion.records, "runs": promotion.runs, "reason": promotion.reason,
    });
    let told = audit::entry(promotion.at, Act::Promoted, &promotion.by, &id, details);
    let batch = Batch::new().with(write).with(audit::write(&told)?);
    state.commit(batch).await?;
    Ok(())
}

/// Takes a promotion back: from then on a person is asked, runs that are under way too.
///
/// # Errors
/// [`OrderError`]: there is none, or it cannot be removed.
pub async fn demote(
    state: &dyn State,
    playbook: &str,
    by: &str,
    now: Timestamp,
) -> Result<(), OrderError> {
    let none = || OrderError::NotFound(format!("promotion of {playbook}"));
    let promotion = of(state, playbook).await?.ok_or_else(none)?;
    let details = json!({"version": promotion.version, "digest": promotion.digest});
    let told = audit::entry(now, Act::Demoted, by, playbook, details);
    let batch = Batch::new()
        .with(Write::Delete(Kind::Promotion, playbook.to_owned()))
        .with(audit::write(&told)?);
    state.commit(batch).await?;
    Ok(())
}
