//! Records to findings to incidents to runs. A record is done in the same batch that stores what came of it and what detectors
//! remember of it, so a crash repeats it whole, and the ids make the repetition harmless.

mod heard;
mod lines;
mod memory;
mod pasts;
mod placing;
mod related;
mod reported;
mod respond;
mod sessions;
mod sweep;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use quell_collect::Quarantined;
use quell_detect::Scratch;
use quell_detect::baseline::{Baselines, KEPT_VALUES_MAX};
use quell_detect::correlation::{Correlation, Fired, Group, RULE_HITS_MAX};
use quell_detect::network::{Network, Seed, Watch};
use quell_model::{Event, Incident, Record, Timestamp};
use quell_normalize::LineLog;
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};

use self::heard::Heard;
use self::lines::NETWORK_MAX;
use self::memory::Memories;
use self::placing::{Placing, Stored, Together};
use self::related::{Resources, VISITS_MAX};
use self::sessions::{LINKS_MAX, Sessions};
use crate::app::App;
use crate::assess::{Assessed, Matched, Reports, assess};

/// Looked for even when nobody rang: records that another process stored.
const POLL: Duration = Duration::from_millis(500);
const AT_ONCE: usize = 200;
/// A batch takes no more records in once it has so many writes.
const WRITES_MAX: usize = 500;
/// Somebody else may write the same incident or state at the same moment; not for ever.
const CONFLICTS_MAX: u32 = 20;

pub(super) async fn run(app: Arc<App>) {
    let seed = loop {
        match lines::seed(&*app.state).await {
            Ok(seed) => break seed,
            Err(error) => {
                tracing::error!(%error, "detection cannot begin yet");
                tokio::time::sleep(POLL).await;
            }
        }
    };
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    worker.watch = app.content.network.watch(seed);
    loop {
        match worker.turn(&app).await {
            Ok(false) => drop(tokio::time::timeout(POLL, app.records.notified()).await),
            Ok(true) => {}
            Err(error) => {
                tracing::error!(%error, "detection stopped for a moment");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

/// Works off all records that are pending now, as the loop does: for benches.
///
/// # Errors
/// [`StoreError`].
pub async fn work_off(app: &App) -> Result<(), StoreError> {
    let mut worker = Worker::new(app.clock.now(), RULE_HITS_MAX);
    while worker.turn(app).await? {}
    Ok(())
}

/// One that works off records, and what it holds in memory. All of that can be lost.
struct Worker {
    scratch: Scratch,
    memories: Memories<Correlation>,
    pasts: Memories<Baselines>,
    sessions: Memories<Sessions>,
    visitors: Memories<Resources>,
    /// The detectors over network logs, and what they remember.
    watch: Watch,
    network: Memories<Watch>,
    heard: Heard,
    swept_at: Option<Timestamp>,
}

/// A record that was looked at.
struct Work<'e> {
    /// The stored record, as it is to be.
    done: Document,
    /// It and what was said of it, when something was.
    said: Option<(Record, Said<'e>)>,
    /// Whether it is a record of lines, which are still to be looked at.
    is_lines: bool,
}

/// What was said of a record.
enum Said<'e> {
    /// By the rules.
    Matched(Box<Matched<'e>>),
    /// By AWS's own detectors.
    Reported(Reports),
}

impl Worker {
    /// One that begins at `now`, and keeps at most so many hits of a rule.
    fn new(now: Timestamp, hits_max: usize) -> Self {
        Self {
            scratch: Scratch::default(),
            memories: Memories::new(hits_max),
            pasts: Memories::new(KEPT_VALUES_MAX),
            sessions: Memories::new(LINKS_MAX),
            visitors: Memories::new(VISITS_MAX),
            watch: Network::default().watch(Seed::new([0; 16])),
            network: Memories::new(NETWORK_MAX),
            heard: Heard::new(now),
            swept_at: None,
        }
    }

    /// Works off a page of pending records, and now and then looks at what is due; answers whether there may be more.
    async fn turn(&mut self, app: &App) -> Result<bool, StoreError> {
        let worked = self.work_off(app).await;
        let swept = match worked {
            Ok(_) => self.sweep_when_due(app).await,
            Err(_) => Ok(false),
        };
        if worked.is_err() || swept.is_err() {
            // What was to be stored may be, or may not.
            self.clear();
        }
        Ok(worked? > 0 || swept?)
    }

    /// Works off a page of pending records; answers how many there were.
    async fn work_off(&mut self, app: &App) -> Result<usize, StoreError> {
        let query = Query::all(Kind::Record).status("pending").limit(AT_ONCE);
        let mut documents = app.state.list(&query).await?.documents;
        // Two that look at the same record are no harm: whoever is late finds a conflict, and nothing is counted twice.
        documents.retain(|record| app.claims.is_for_me(&record.id, record.at));
        let count = documents.len();
        let mut works = Vec::with_capacity(count);
        for document in documents {
            works.push(self.look_at(app, document)?);
        }
        // Records of one file came at one moment, and are listed by their ids. What is new depends on what was before.
        works.sort_by_key(|work| match &work.said {
            Some((_, Said::Matched(matched))) => Some(matched.event.time),
            _ => None,
        });
        self.store(app, &works).await?;
        self.forget(app).await?;
        Ok(count)
    }

    /// What the rules say of a record.
    fn look_at<'a>(&mut self, app: &'a App, document: Document) -> Result<Work<'a>, StoreError> {
        let as_it_is = |status: &str| Document {
            status: status.to_owned(),
            ..document.clone()
        };
        let said = |done, said| {
            Ok(Work {
                done,
                said,
                is_lines: false,
            })
        };
        let quiet = |done| said(done, None);
        let record: Record = match document.read() {
            Ok(record) => record,
            Err(error) => {
                // It must not hold up those behind it; what is stored stays as it is.
                tracing::error!(record = document.id, %error, "a stored record cannot be read");
                return quiet(as_it_is("quarantined"));
            }
        };
        if LineLog::is(&record) {
            return Ok(Work {
                done: as_it_is("done"),
                said: None,
                is_lines: true,
            });
        }
        let is_own = |event: &Event| app.is_own(&event.actor, &event.account);
        let now = app.clock.now();
        match assess(&app.content, &record, is_own, now, &mut self.scratch) {
            Assessed::Matched(mut matched) => {
                self.heard.record(matched.event.time, record.received_at);
                for (_, _, hit) in &mut matched.hits {
                    // Else whoever can send a record could make all that comes after it too late.
                    hit.time = hit.time.min(record.received_at);
                }
                said(as_it_is("done"), Some((record, Said::Matched(matched))))
            }
            Assessed::Reported(reports) => {
                let reported = (record, Said::Reported(reports));
                said(as_it_is("done"), Some(reported))
            }
            Assessed::Unmatched(time) => {
                if let Some(time) = time {
                    self.heard.record(time, record.received_at);
                }
                quiet(as_it_is("done"))
            }
            Assessed::Quarantined(error) => {
                tracing::warn!(record = document.id, %error, "a record was put aside");
                let body = record.body.get().as_bytes();
                let (origin, received) = (record.origin.clone(), record.received_at);
                let aside = Quarantined::new(origin, error, body, received);
                quiet(document.clone().with("quarantined", &aside)?)
            }
        }
    }

    /// Stores records and what came of them, in as few batches as there is room for.
    async fn store(&mut self, app: &App, works: &[Work<'_>]) -> Result<(), StoreError> {
        let (mut rest, mut most, mut conflicts) = (works, works.len(), 0);
        while !rest.is_empty() {
            match self.store_some(app, rest, most).await {
                Ok(stored) => {
                    rest = rest.get(stored..).unwrap_or_default();
                    conflicts = 0;
                }
                // Somebody else was quicker with one of them: the next round sees what is left.
                Err(StoreError::Conflict { kind: "record", .. }) => {
                    self.clear();
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) if conflicts < CONFLICTS_MAX => {
                    self.clear();
                    conflicts += 1;
                    // What was in memory may have been old; after that, a smaller batch is quicker.
                    if conflicts > 1 {
                        most = (most / 2).max(1);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One batch of at most so many records; answers how many.
    async fn store_some(
        &mut self,
        app: &App,
        works: &[Work<'_>],
        most: usize,
    ) -> Result<usize, StoreError> {
        let mut placing = Placing::default();
        let mut batch = Batch::new();
        let mut count = 0;
        for work in works.iter().take(most) {
            count += 1;
            if work.is_lines {
                for write in self.add_lines(app, &work.done, &mut placing).await? {
                    batch.push(write);
                }
            } else {
                batch.push(Write::Update(work.done.clone()));
            }
            match &work.said {
                Some((record, Said::Matched(matched))) => {
                    self.add(app, record, matched, &mut placing).await?;
                }
                Some((record, Said::Reported(reports))) => {
                    reported::add(app, record, reports, &mut placing).await?;
                }
                None => {}
            }
            if batch.writes().len() + placing.writes() + self.writes() >= WRITES_MAX {
                break;
            }
        }
        self.commit(app, batch, placing).await?;
        Ok(count)
    }

    async fn commit(
        &mut self,
        app: &App,
        mut batch: Batch,
        mut placing: Placing,
    ) -> Result<(), StoreError> {
        let begins = placing.begins_a_run();
        self.relate(&*app.state, &mut placing).await?;
        placing.relate(&*app.state).await?;
        placing.write(&mut batch)?;
        let now = app.clock.now();
        self.memories.write(now, &mut batch)?;
        self.pasts.write(now, &mut batch)?;
        self.sessions.write(now, &mut batch)?;
        self.visitors.write(now, &mut batch)?;
        self.network.write(now, &mut batch)?;
        app.state.commit(batch).await?;
        self.memories.committed();
        self.visitors.committed();
        self.network.committed();
        self.pasts.committed();
        self.sessions.committed();
        if begins {
            app.runs.notify_one();
        }
        Ok(())
    }

    /// The findings of a record, and those that it completes.
    async fn add(
        &mut self,
        app: &App,
        record: &Record,
        matched: &Matched<'_>,
        placing: &mut Placing,
    ) -> Result<(), StoreError> {
        let event = &matched.event;
        if let Some(link) = &matched.link {
            let waited = self.take_link(app, link.clone()).await?;
            self.correct(app, waited, placing).await?;
        }
        let mut findings = matched.findings.clone();
        self.initiate(app, event, record, &mut findings).await?;
        let of_record = Together {
            findings: &findings,
            received_at: record.received_at,
            stored: Stored::Perhaps,
        };
        placing.add(app, of_record).await?;
        for (correlation, group, hit) in &matched.hits {
            let at = hit.time;
            let hit = hit.clone();
            let step = self
                .memories
                .step(&*app.state, *correlation, group, hit, at);
            for fired in step.await? {
                let said = (*correlation, group, fired);
                let here = Some((record, event));
                self.say(app, said, here, record.received_at, placing)
                    .await?;
            }
        }
        let here = (record, event);
        self.compare(app, here, &matched.subjects, placing).await
    }

    /// Places the finding of a correlation that fired, unless it is stored already. `here` is the record at hand, when there is one.
    async fn say(
        &mut self,
        app: &App,
        (correlation, group, fired): (&Correlation, &Group, Fired),
        here: Option<(&Record, &Event)>,
        received_at: Timestamp,
        placing: &mut Placing,
    ) -> Result<(), StoreError> {
        let Some((record, event)) = last_of(app, &fired, here).await? else {
            tracing::error!(
                correlation = correlation.id,
                "none of the records is there any more that it fired on"
            );
            return Ok(());
        };
        let Ok(about) = quell_detect::about(&event, &record) else {
            return Ok(());
        };
        let Some(mut finding) = correlation.finding(group, fired, about, app.clock.now()) else {
            return Ok(());
        };
        // It fires again when its group was forgotten, and says the same.
        if placing.is_known(&*app.state, &finding).await? {
            return Ok(());
        }
        let findings = std::slice::from_mut(&mut finding);
        self.initiate(app, &event, &record, findings).await?;
        let together = Together {
            findings,
            received_at,
            stored: Stored::No,
        };
        placing.add(app, together).await
    }

    async fn forget(&mut self, app: &App) -> Result<(), StoreError> {
        let (store, now) = (&*app.state, app.clock.now());
        let all = app.content.engine.correlations();
        self.memories.forget(store, all, now).await?;
        self.visitors.forget(store, &[Resources], now).await?;
        let watch = std::slice::from_ref(&self.watch);
        self.network.forget(store, watch, now).await?;
        let baselines = std::slice::from_ref(&app.content.baselines);
        self.pasts.forget(store, baselines, now).await?;
        self.sessions.forget(store, &[Sessions], now).await
    }

    /// Forgets what was read of what detectors remember: it may not be so any more.
    fn clear(&mut self) {
        self.memories.clear();
        self.visitors.clear();
        self.network.clear();
        self.pasts.clear();
        self.sessions.clear();
    }

    /// How many writes the next batch has for what is remembered.
    fn writes(&self) -> usize {
        let kept = self.pasts.writes() + self.sessions.writes();
        self.memories.writes() + self.visitors.writes() + self.network.writes() + kept
    }
}

/// The last record that is still there of those that something fired on.
async fn last_of(
    app: &App,
    fired: &Fired,
    here: Option<(&Record, &Event)>,
) -> Result<Option<(Record, Event)>, StoreError> {
    for id in fired.records.iter().rev() {
        if let Some((record, event)) = here.filter(|(record, _)| record.id == *id) {
            return Ok(Some((record.clone(), event.clone())));
        }
        let Some(document) = app.state.get(Kind::Record, id.as_str()).await? else {
            continue;
        };
        let record = document.read::<Record>().ok();
        let event = record.and_then(|r| Some((quell_normalize::event(&r).ok()?, r)));
        if let Some((event, record)) = event {
            return Ok(Some((record, event)));
        }
    }
    Ok(None)
}

/// The unresolved incident of a cause.
pub(crate) async fn open_incident(
    state: &dyn State,
    cause: &str,
) -> Result<Option<Document>, StoreError> {
    let query = Query::all(Kind::Incident)
        .parent(cause)
        .status("open")
        .status("responding")
        .status("parked")
        .status("contained");
    Ok(state.list(&query.newest().limit(1)).await?.documents.pop())
}

/// Adds an incident to a batch: changed, when it was read from the store, else new.
pub(crate) fn push_incident(
    incident: &Incident,
    stored: Option<Document>,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    let status = incident.status.as_str();
    batch.push(match stored {
        Some(document) => Write::Update(document.with(status, incident)?),
        None => {
            let id = incident.id.as_str();
            let document =
                Document::new(Kind::Incident, id, status, incident.detected_at, incident)?;
            Write::Insert(document.under(&*incident.cause))
        }
    });
    Ok(())
}
