//! Records of many lines: flow logs, DNS queries, web requests.

use std::collections::BTreeSet;

use quell_collect::Quarantined;
use quell_detect::network::{At, Group, Input, Seed};
use quell_model::{Origin, Record, RecordId, Timestamp};
use quell_normalize::{LineCounts, LineFaults, LineKind, LineLog, Lines};
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Worker;
use super::placing::{Placing, Stored, Together};
use crate::app::App;

/// So much the states of network logs are together: counted in sixty-four things each, a quarter of a gigabyte or so.
pub(super) const NETWORK_MAX: usize = 256 * 1024;
/// The document of the secret that network logs are hashed with.
const SEED: &str = "network-seed";

/// A record of lines, with what became of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counted<'a> {
    id: &'a RecordId,
    origin: &'a Origin,
    received_at: Timestamp,
    lines: LineCounts,
    body: &'a RawValue,
}

/// What the lines of a record say: what the states are given, and the counts as if nothing matched.
fn inputs(app: &App, record: &Record, at: At<'_>) -> (Vec<(Group, Input)>, LineCounts, LineFaults) {
    fn with<T>(
        lines: Lines<T>,
        inputs: impl Fn(&[T]) -> Vec<(Group, Input)>,
    ) -> (Vec<(Group, Input)>, LineCounts, LineFaults) {
        (inputs(&lines.things), lines.counts(0), lines.faults)
    }
    let network = &app.content.network;
    let Some(log) = LineLog::of(record) else {
        return Default::default();
    };
    match log.kind {
        LineKind::Flow => with(log.flows(&record.origin), |flows| network.flows(flows, at)),
        LineKind::Dns => with(log.queries(), |queries| network.queries(queries, at)),
        // They are read, so that what is malformed is known; nothing is detected on them yet.
        LineKind::Waf => with(log.requests(), |_| Vec::new()),
    }
}

impl Worker {
    /// Gives the states what the lines of a record say, and places what fired. What is stored of the record says what became of its
    /// lines. They are read only now, one record at a time: a page of such records is a hundred megabytes as it is.
    pub(super) async fn add_lines(
        &mut self,
        app: &App,
        document: &Document,
        placing: &mut Placing,
    ) -> Result<Vec<Write>, StoreError> {
        let record: &Record = &document.read()?;
        let at = At {
            record: &record.id,
            received_at: record.received_at,
        };
        let (inputs, counts, faults) = inputs(app, record, at);
        let mut matched: BTreeSet<u32> = BTreeSet::new();
        for (group, input) in inputs {
            let (store, watch) = (&*app.state, &self.watch);
            let step = self
                .network
                .step(store, watch, &group, input, record.received_at);
            for fired in step.await? {
                matched.extend(&fired.lines);
                let finding = fired.finding(&group, at, app.clock.now());
                // It fires again when its group was forgotten, and says the same.
                if placing.is_known(store, &finding).await? {
                    continue;
                }
                let together = Together {
                    findings: std::slice::from_ref(&finding),
                    received_at: record.received_at,
                    stored: Stored::No,
                };
                placing.add(app, together).await?;
            }
        }
        let lines = counts.with_matched(matched.len());
        let counted = Counted {
            id: &record.id,
            origin: &record.origin,
            received_at: record.received_at,
            lines,
            body: &record.body,
        };
        let mut writes = vec![Write::Update(document.clone().with("done", &counted)?)];
        if let Some(reason) = faults.reason() {
            tracing::warn!(record = document.id, reason, "lines were put aside");
            let reason = format!("record {}: {reason}", document.id);
            let aside = Quarantined::new(record.origin.clone(), reason, b"", record.received_at);
            writes.push(Write::InsertNew(aside.document()?));
        }
        Ok(writes)
    }
}

/// The secret that network logs are hashed with: made once, and the same for all processes and restarts, as what is kept of the logs
/// has it in it.
pub(super) async fn seed(state: &dyn State) -> Result<Seed, StoreError> {
    if let Some(document) = state.get(Kind::Memory, SEED).await? {
        return Ok(Seed::new(document.read()?));
    }
    let Ok(bytes) = crate::random::bytes::<16>() else {
        // Without chance there is no secret. It is not stored, so the next start may have better luck.
        tracing::error!(
            "the system gives no random bytes: network logs are hashed without a secret"
        );
        return Ok(Seed::new([0; 16]));
    };
    let document = Document::new(Kind::Memory, SEED, "seed", Timestamp::EPOCH, &bytes)?;
    state
        .commit(Batch::new().with(Write::InsertNew(document)))
        .await?;
    // Somebody else may have been quicker.
    match state.get(Kind::Memory, SEED).await? {
        Some(document) => Ok(Seed::new(document.read()?)),
        None => Ok(Seed::new(bytes)),
    }
}
