//! Taking a run up from the store.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{RunId, Timestamp};
use quell_respond::{Flow, LogEntry};
use quell_states::{Event, Resource, TaskId, TaskRequest};
use quell_store::{Batch, Kind, Query, Write};
use tokio::sync::Notify;

use super::{Carried, Pending};
use crate::claims::Claim;
use crate::runner::host::{Host, Opened};
use crate::runner::{Rest, RunError, Runner, signal, wake};

/// Entries of a log that are read at once.
const PAGE: usize = 500;

/// The run in memory; `Err` says why not.
pub(super) async fn open<'a, H: Host>(
    runner: &'a Runner<H>,
    id: &'a RunId,
    bell: &'a Notify,
) -> Result<Result<Carried<'a, H>, Rest>, RunError> {
    let Some(claim) = runner.claims.take(id).await? else {
        return Ok(Err(Rest::Later));
    };
    let (run, flow, account) = match runner.host.open(id).await? {
        Opened::Ready { run, flow, account } => (run, flow, account),
        Opened::Later => return Ok(Err(Rest::Later)),
        Opened::Ended => {
            forget(runner, id, &claim).await?;
            return Ok(Err(Rest::Ended));
        }
    };
    let mut flow = Box::new(flow.keyed(runner.token_key));
    let (seq, intended) = fold(runner, id, &mut flow).await?;
    let woken = runner.state.get(Kind::Wake, id.as_str()).await?;
    let mut carried = Carried {
        runner,
        id,
        bell,
        claim,
        run,
        account,
        flow,
        seq,
        wake_at: woken.map(|document| document.at),
        pending: Pending::default(),
        refused: false,
        starting: Vec::new(),
        flights: Default::default(),
        intended,
        parked: BTreeSet::new(),
        parked_at: runner.clock.now(),
        tokens: BTreeMap::new(),
    };
    if seq == 0 {
        carried.input(Event::Started)?;
    }
    carried.listen().await?;
    Ok(Ok(carried))
}

/// Applies the log to the flow; answers the number of its next entry, and when the tasks that may have begun were
/// intended.
async fn fold<H: Host>(
    runner: &Runner<H>,
    run: &RunId,
    flow: &mut Flow,
) -> Result<(i64, BTreeMap<TaskId, Timestamp>), RunError> {
    let (mut seq, mut intended) = (0, BTreeMap::new());
    loop {
        let page = runner.state.read_log(run.as_str(), seq, PAGE).await?;
        let last = page.len() < PAGE;
        for stored in page {
            let entry = serde_json::from_str::<LogEntry>(&stored.body);
            let entry = entry.map_err(|source| RunError::Log {
                run: run.clone(),
                seq: stored.seq,
                source,
            })?;
            if let LogEntry::Intent { task, .. } = &entry {
                intended.insert(*task, stored.at);
            }
            flow.apply(entry);
            seq = stored.seq.saturating_add(1);
        }
        if last {
            intended.retain(|task, _| flow.task(*task).is_some());
            return Ok((seq, intended));
        }
    }
}

/// The tokens that were given out and are still waited for. Their texts are known to nobody here.
pub(super) async fn tokens<H: Host>(
    runner: &Runner<H>,
    run: &RunId,
    flow: &Flow,
) -> Result<BTreeMap<String, TaskId>, RunError> {
    let waits = |request: &TaskRequest| {
        request.token.is_some() || matches!(request.resource, Resource::Activity { .. })
    };
    if !flow.tasks().any(|awaited| waits(&awaited.request)) {
        return Ok(BTreeMap::new());
    }
    let query = Query::all(Kind::Token)
        .parent(run.as_str())
        .limit(Query::LIMIT_MAX);
    let page = runner.state.list(&query).await?;
    let held = page.documents.into_iter();
    held.map(|token| Ok((token.id.clone(), signal::task_of(&token)?)))
        .collect()
}

/// What is left in the store of a run that has ended: something said to it too late.
async fn forget<H: Host>(runner: &Runner<H>, run: &RunId, claim: &Claim) -> Result<(), RunError> {
    let mut batch = Batch::new()
        .with(claim.fence())
        .with(claim.give_back())
        .with(wake::last(run));
    for kind in [Kind::Token, Kind::Signal] {
        let query = Query::all(kind)
            .parent(run.as_str())
            .limit(Query::LIMIT_MAX);
        for document in runner.state.list(&query).await?.documents {
            batch.push(Write::Delete(kind, document.id));
        }
    }
    runner.state.commit(batch).await?;
    Ok(())
}
