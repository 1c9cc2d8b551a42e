//! The audit log: who did what, so that nobody can change it unseen.
//!
//! An entry is written in the batch of what it tells of ([`write()`]), so there is neither without the other. A moment later it joins
//! the log and its Merkle tree ([`Keeper`]); from then on every checkpoint stands for it.

mod export;
mod keeper;
mod locker;

pub use export::{ExportError, Exported, body, export};
pub use keeper::{Keeper, KeeperError, LOG};
pub use locker::{LockError, Locker};

use quell_evidence::{Act, Entry, Hash};
use quell_model::{Outcome, Timestamp};
use quell_respond::{LogEntry, Run};
use quell_store::{Document, Kind, StoreError, Write};
use serde_json::{Value, json};

/// What somebody else wrote is cut to this.
const TEXT_CHARS_MAX: usize = 500;
const REASONS_MAX: usize = 20;

/// An entry without bodies.
pub fn entry(at: Timestamp, act: Act, by: &str, about: &str, details: Value) -> Entry {
    Entry {
        at,
        act,
        by: cut(by),
        about: cut(about),
        details,
        bodies: [].into(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// The write of an entry: for the batch of what it tells of.
///
/// # Errors
/// [`StoreError::Unwritable`] when it is too long for a line.
pub fn write(entry: &Entry) -> Result<Write, StoreError> {
    let line = entry.line().map_err(|e| StoreError::Unwritable {
        kind: Kind::AuditEntry.as_str(),
        id: entry.about.clone(),
        source: serde::ser::Error::custom(e),
    })?;
    // Its id is what it says: the same said twice in one moment is one.
    let id = Hash::of_bytes(line.as_bytes()).to_string();
    let mut document = Document::new(Kind::AuditEntry, id, "waiting", entry.at, &())?;
    document.body = line;
    Ok(Write::InsertNew(document))
}

/// That a run was begun.
pub fn begun(run: &Run, at: Timestamp) -> Entry {
    let by = run.requested_by.as_deref().unwrap_or("policy:auto");
    let details = json!({
        "playbook": run.playbook, "version": run.playbook_version, "digest": run.playbook_digest, "mode": run.mode,
        "incident": run.incident, "resource": run.resource.arn.to_string(), "undoOf": run.undo_of,
    });
    entry(at, Act::RunBegun, by, run.id.as_str(), details)
}

/// That a run ended, with the hash of its evidence when something was captured.
pub fn ended(run: &Run, evidence: Option<Hash>, at: Timestamp) -> Entry {
    let details = json!({
        "status": run.status, "outcome": run.outcome.as_deref().map(cut), "reason": run.reason.as_deref().map(cut),
        "planHash": run.plan.as_ref().map(quell_model::Plan::hash),
    });
    let mut entry = entry(at, Act::RunEnded, "quell", run.id.as_str(), details);
    entry
        .bodies
        .extend(evidence.map(|hash| ("evidence".to_owned(), hash)));
    entry
}

/// What an entry of a run's log means to the audit log, when it means something.
pub fn of_log(run: &Run, logged: &LogEntry, at: Timestamp) -> Option<Entry> {
    match logged {
        LogEntry::Decided {
            decision,
            approver,
            reasons,
        } => {
            let reasons: Vec<String> = reasons.iter().take(REASONS_MAX).map(|r| cut(r)).collect();
            let plan = run.plan.as_ref().map(quell_model::Plan::hash);
            let details = json!({"decision": decision, "reasons": reasons, "planHash": plan});
            let by = approver.as_deref().unwrap_or("quell");
            Some(entry(at, Act::Decided, by, run.id.as_str(), details))
        }
        LogEntry::Receipt(receipt) => {
            let outcome = match &receipt.outcome {
                Outcome::Accepted => "accepted".to_owned(),
                Outcome::Refused { code } => format!("refused: {}", cut(code)),
                Outcome::Unknown { reason } => format!("unknown: {}", cut(reason)),
            };
            let details = json!({
                "call": format!("{}:{}", receipt.call.service, receipt.call.operation), "outcome": outcome,
                "planHash": receipt.plan_hash, "requestId": receipt.request_id.as_deref().map(cut), "sentAt": receipt.sent_at,
                "resource": run.resource.arn.to_string(),
            });
            Some(entry(
                receipt.ended_at,
                Act::Changed,
                "quell",
                run.id.as_str(),
                details,
            ))
        }
        LogEntry::Input { .. } | LogEntry::Intent { .. } => None,
    }
}
