//! What AWS's own detectors say, and say anew: a finding of theirs is stored once and changes with its updates, whatever the
//! order in which they come.

use quell_collect::Quarantined;
use quell_model::{Finding, Record, RecordId, ReportState};
use quell_normalize::finding::newer;
use quell_store::{Document, Kind, StoreError, Write};

use super::placing::{Placing, Stored, Together, WAITING, answer_to};
use crate::app::App;
use crate::assess::Reports;

/// The status of a finding that its product does not uphold, and that no incident holds.
const CLOSED: &str = "closed";

/// Places the findings of a record, and puts aside what could not be read.
pub(super) async fn add(
    app: &App,
    record: &Record,
    reports: &Reports,
    placing: &mut Placing,
) -> Result<(), StoreError> {
    for finding in &reports.findings {
        add_one(app, record, finding, placing).await?;
    }
    for fault in &reports.faults {
        placing.aside.push(aside(record, fault)?);
    }
    Ok(())
}

async fn add_one(
    app: &App,
    record: &Record,
    finding: &Finding,
    placing: &mut Placing,
) -> Result<(), StoreError> {
    let id = finding.id.as_str();
    let (document, is_new) = match placing.findings.get(id) {
        Some(Write::Insert(document)) => (document.clone(), true),
        Some(Write::Update(document)) => (document.clone(), false),
        _ => match app.state.get(Kind::Finding, id).await? {
            Some(document) => (document, false),
            None => return place(app, record, finding, Stored::No, placing).await,
        },
    };
    let old: Finding = document.read()?;
    let kept = newer(old.clone(), finding.clone());
    if kept == old {
        return Ok(());
    }
    let (_, _, cause) = answer_to(app, std::slice::from_ref(&kept), &kept);
    let begins = |f: &Finding| {
        let playbook = app.content.playbook_for(f);
        playbook.is_some_and(|playbook| playbook.may_begin_for(f))
    };
    let is_worse = (upheld(&kept) && !upheld(&old)) || (begins(&kept) && !begins(&old));
    if document.status == WAITING || document.status == CLOSED || is_worse {
        // As if it came for the first time: it may be worse than it was, or be there again.
        placing.stop_waiting(app, &cause, &kept.id).await?;
        let stored = match is_new {
            true => Stored::No,
            false => Stored::Before(document),
        };
        place(app, record, &kept, stored, placing).await?;
    } else {
        let status = document.status.clone();
        let document = document.with(&status, &kept)?;
        let write = match is_new {
            true => Write::Insert(document),
            false => Write::Update(document),
        };
        placing.findings.insert(id.to_owned(), write);
    }
    placing.tell(app, &cause, &kept).await
}

/// Whether its product says that it stands.
fn upheld(finding: &Finding) -> bool {
    let report = finding.report.as_ref();
    report.is_none_or(|report| report.state == ReportState::Active)
}

/// Puts a finding into the incident of its cause, if it stands; else it is only kept.
async fn place(
    app: &App,
    record: &Record,
    finding: &Finding,
    stored: Stored,
    placing: &mut Placing,
) -> Result<(), StoreError> {
    if upheld(finding) {
        let together = Together {
            findings: std::slice::from_ref(finding),
            received_at: record.received_at,
            stored,
        };
        return placing.add(app, together).await;
    }
    let id = finding.id.as_str();
    let write = match stored {
        Stored::Before(before) => Write::Update(before.with(CLOSED, finding)?),
        Stored::No | Stored::Perhaps => {
            let new = Document::new(Kind::Finding, id, CLOSED, finding.event_time, finding)?;
            let (_, _, cause) = answer_to(app, std::slice::from_ref(finding), finding);
            Write::Insert(new.under(cause.key()))
        }
    };
    placing.findings.insert(id.to_owned(), write);
    Ok(())
}

/// A finding that cannot be read is kept as what it came in, and counted.
fn aside(record: &Record, fault: &str) -> Result<Write, StoreError> {
    let (origin, body) = (record.origin.clone(), record.body.get());
    let aside = Quarantined::new(origin, fault, body.as_bytes(), record.received_at);
    tracing::warn!(record = %record.id, fault, "a finding was put aside");
    let id = RecordId::of_bytes(format!("{}\n{fault}", record.id).as_bytes());
    let id = id.as_str();
    let document = Document::new(Kind::Record, id, "quarantined", record.received_at, &aside)?;
    Ok(Write::InsertNew(document))
}
