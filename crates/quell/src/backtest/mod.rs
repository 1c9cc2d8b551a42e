//! Backtest: what a playbook would have done, had it been there. The records are assessed as the loop assesses them, the playbook's own
//! document is stepped, and the real guard decides; only AWS is not there. A world is put together from the events themselves
//! ([`world`]); what no event tells is named in the result as what would have been read.
//!
//! [`gather`] finds in each record by itself what begins the playbook and what changed the world; [`replay`] goes through both in the
//! order of time. Neither has a clock or randomness: the same records give the same result.

mod document;
mod gather;
mod replay;
mod report;
mod security_groups;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use quell_guard::Level;
use quell_model::{Disposition, Incident, Record, Timestamp, Verdict};
use quell_respond::Playbook;
use quell_store::{Kind, Page, Query, StoreError};
use tokio::task::JoinHandle;

pub(crate) use gather::Gathered;
pub(crate) use report::{Act, Report};

use crate::app::App;
use crate::orders::{exceptions, freezes};
use replay::{LaidDownThen, Replay};

/// Which records, and how far the playbook may go by itself.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// Events from then on.
    pub(crate) since: Timestamp,
    /// Events before that.
    pub(crate) until: Timestamp,
    /// The most that the installation would allow; the playbook's own level counts as well.
    pub(crate) level_max: Level,
}

/// A backtest cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BacktestError {
    /// There are more events of interest than memory may hold.
    #[error("there are more than {max} {what}: give a shorter time with --since and --until")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// So many are kept.
        max: usize,
    },
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread died.
    #[error("a part of the work broke off: {0}")]
    Broken(String),
}

/// So many parts are under way at once: a core each, and one that is being read meanwhile.
fn parts_at_once() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().saturating_add(1))
}

/// Gathers parts on all cores and puts them together in the order in which they came.
pub(crate) struct Gatherer {
    app: Arc<App>,
    playbook: String,
    window: Window,
    under_way: std::collections::VecDeque<JoinHandle<Gathered>>,
    done: Gathered,
}

impl Gatherer {
    /// For one playbook.
    pub(crate) fn new(app: &Arc<App>, playbook: &Playbook, window: &Window) -> Self {
        Self {
            app: app.clone(),
            playbook: playbook.id.clone(),
            window: window.clone(),
            under_way: std::collections::VecDeque::new(),
            done: Gathered::default(),
        }
    }

    /// Takes a part, which is made into records on another thread: those that can be read, and why others cannot.
    pub(crate) async fn add(
        &mut self,
        part: impl FnOnce() -> (Vec<Record>, Vec<String>) + Send + 'static,
    ) -> Result<(), BacktestError> {
        while self.under_way.len() >= parts_at_once() {
            self.take().await?;
        }
        let (app, playbook, window) =
            (self.app.clone(), self.playbook.clone(), self.window.clone());
        self.under_way
            .push_back(tokio::task::spawn_blocking(move || {
                let (records, faults) = part();
                let mut gathered = Gathered::default();
                faults.into_iter().for_each(|fault| gathered.refuse(fault));
                if let Some(playbook) = app.content.playbooks.get(&playbook) {
                    gathered.look(&app, playbook, &window, &records);
                }
                gathered
            }));
        Ok(())
    }

    async fn take(&mut self) -> Result<(), BacktestError> {
        if let Some(part) = self.under_way.pop_front() {
            let part = part
                .await
                .map_err(|e| BacktestError::Broken(e.to_string()))?;
            self.done.join(part)?;
        }
        Ok(())
    }

    /// All of it.
    async fn finish(mut self) -> Result<Gathered, BacktestError> {
        while !self.under_way.is_empty() {
            self.take().await?;
        }
        Ok(self.done)
    }

    /// Takes all records that are stored and were received since the window began: what happened in it was received after that.
    pub(crate) async fn add_stored(&mut self) -> Result<(), BacktestError> {
        let mut query = Query::all(Kind::Record)
            .status("done")
            .status("pending")
            .limit(Query::LIMIT_MAX);
        query.since = Some(self.window.since);
        let app = self.app.clone();
        loop {
            let Page { documents, next } = app.state.list(&query).await?;
            self.add(move || {
                let (mut records, mut faults) = (Vec::new(), Vec::new());
                for document in documents {
                    match document.read::<Record>() {
                        Ok(record) => records.push(record),
                        Err(error) => faults.push(error.to_string()),
                    }
                }
                (records, faults)
            })
            .await?;
            match next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// What the playbook would have done.
    pub(crate) async fn report(self) -> Result<Report, BacktestError> {
        let (app, window, id) = (self.app.clone(), self.window.clone(), self.playbook.clone());
        let gathered = self.finish().await?;
        let then = LaidDownThen::of(
            exceptions::list(&*app.state).await?,
            freezes::list(&*app.state).await?,
        );
        let wrong = judged_wrong(&app).await?;
        let work = move || {
            let playbook = app.content.playbooks.get(&id)?;
            let replay = Replay::new(&app, playbook, &window, &then);
            Some(report::of(
                &app,
                playbook,
                &window,
                replay.run(gathered),
                &wrong,
            ))
        };
        let done = tokio::task::spawn_blocking(work).await;
        let broken = |why: String| BacktestError::Broken(why);
        let report = done.map_err(|e| broken(e.to_string()))?;
        report.ok_or_else(|| broken("the playbook is not there".to_owned()))
    }
}

/// The findings of incidents of which a person said that nothing of the kind had happened.
async fn judged_wrong(app: &App) -> Result<BTreeSet<String>, StoreError> {
    let mut query = Query::all(Kind::Incident).limit(Query::LIMIT_MAX);
    let mut out = BTreeSet::new();
    loop {
        let page = app.state.list(&query).await?;
        for incident in page.read::<Incident>()? {
            let said = incident.disposition.as_ref();
            let is_wrong = |said: &Disposition| said.verdict == Verdict::False;
            if said.is_some_and(is_wrong) {
                out.extend(incident.findings.iter().map(ToString::to_string));
            }
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(out),
        }
    }
}
