//! Records to findings to incidents to runs. A record is done in the same batch that stores what came of it and what detectors
//! remember of it, so a crash repeats it whole, and the ids make the repetition harmless.

mod heard;
mod lines;
mod memory;
mod placing;
mod related;
mod respond;
mod sweep;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use quell_collect::Quarantined;
use quell_detect::correlation::{Correlation, Fired, Group, RULE_HITS_MAX};
use quell_detect::network::{Network, Seed, Watch};
use quell_detect::{About, Assessed, Matched, Scratch, about};
use quell_model::{Event, Incident, Record, Timestamp};
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};

use self::heard::Heard;
use self::lines::{LinesWork, NETWORK_MAX};
use self::memory::Memories;
use self::placing::{Placing, Together};
use self::related::{Resources, VISITS_MAX};
use crate::app::App;

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
    matched: Option<(Record, Matched<'e>)>,
    /// What its lines say, when it is a record of lines.
    lines: Option<LinesWork>,
}

impl Worker {
    /// One that begins at `now`, and keeps at most so many hits of a rule.
    fn new(now: Timestamp, hits_max: usize) -> Self {
        Self {
            scratch: Scratch::default(),
            memories: Memories::new(hits_max),
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
        let quiet = |done| {
            Ok(Work {
                done,
                matched: None,
                lines: None,
            })
        };
        let record: Record = match document.read() {
            Ok(record) => record,
            Err(error) => {
                // It must not hold up those behind it; what is stored stays as it is.
                tracing::error!(record = document.id, %error, "a stored record cannot be read");
                return quiet(as_it_is("quarantined"));
            }
        };
        if let Some(lines) = LinesWork::of(app, &record) {
            return Ok(Work {
                done: as_it_is("done"),
                matched: None,
                lines: Some(lines),
            });
        }
        let is_own = |event: &Event| app.is_own(&event.actor, &event.account);
        let now = app.clock.now();
        let engine = &app.content.engine;
        match engine.assess(&record, is_own, now, &mut self.scratch) {
            Assessed::Matched(mut matched) => {
                self.heard.record(matched.event.time, record.received_at);
                for (_, _, hit) in &mut matched.hits {
                    // Else whoever can send a record could make all that comes after it too late.
                    hit.time = hit.time.min(record.received_at);
                }
                Ok(Work {
                    done: as_it_is("done"),
                    matched: Some((record, *matched)),
                    lines: None,
                })
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
                let aside = Quarantined::new(origin, error.to_string(), body, received);
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
            if let Some(lines) = &work.lines {
                for write in self.add_lines(app, &work.done, lines, &mut placing).await? {
                    batch.push(write);
                }
            } else {
                batch.push(Write::Update(work.done.clone()));
            }
            if let Some((record, matched)) = &work.matched {
                self.add(app, record, matched, &mut placing).await?;
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
        self.memories.write(app.clock.now(), &mut batch)?;
        self.visitors.write(app.clock.now(), &mut batch)?;
        self.network.write(app.clock.now(), &mut batch)?;
        app.state.commit(batch).await?;
        self.memories.committed();
        self.visitors.committed();
        self.network.committed();
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
        let of_record = Together {
            findings: &matched.findings,
            received_at: record.received_at,
            must_be_new: false,
        };
        placing.add(app, of_record).await?;
        for (correlation, group, hit) in &matched.hits {
            let at = hit.time;
            let hit = hit.clone();
            let step = self
                .memories
                .step(&*app.state, *correlation, group, hit, at);
            for fired in step.await? {
                let here = (record, &matched.event);
                let said = (*correlation, group, fired);
                say(app, said, Some(here), record.received_at, placing).await?;
            }
        }
        Ok(())
    }

    async fn forget(&mut self, app: &App) -> Result<(), StoreError> {
        let (store, now) = (&*app.state, app.clock.now());
        let all = app.content.engine.correlations();
        self.memories.forget(store, all, now).await?;
        self.visitors.forget(store, &[Resources], now).await?;
        let watch = std::slice::from_ref(&self.watch);
        self.network.forget(store, watch, now).await
    }

    /// Forgets what was read of what detectors remember: it may not be so any more.
    fn clear(&mut self) {
        self.memories.clear();
        self.visitors.clear();
        self.network.clear();
    }

    /// How many writes the next batch has for what is remembered.
    fn writes(&self) -> usize {
        self.memories.writes() + self.visitors.writes() + self.network.writes()
    }
}

/// Places the finding of a correlation that fired, unless it is stored already. `here` is the record at hand, when there is one.
async fn say(
    app: &App,
    (correlation, group, fired): (&Correlation, &Group, Fired),
    here: Option<(&Record, &Event)>,
    received_at: Timestamp,
    placing: &mut Placing,
) -> Result<(), StoreError> {
    let Some(about) = about_fired(app, &fired, here).await? else {
        tracing::error!(
            correlation = correlation.id,
            "none of the records is there any more that it fired on"
        );
        return Ok(());
    };
    let Some(finding) = correlation.finding(group, fired, about, app.clock.now()) else {
        return Ok(());
    };
    // It fires again when its group was forgotten, and says the same.
    if placing.is_known(&*app.state, &finding).await? {
        return Ok(());
    }
    let together = Together {
        findings: std::slice::from_ref(&finding),
        received_at,
        must_be_new: true,
    };
    placing.add(app, together).await
}

/// What the last record is about of those that something fired on.
async fn about_fired(
    app: &App,
    fired: &Fired,
    here: Option<(&Record, &Event)>,
) -> Result<Option<About>, StoreError> {
    for id in fired.records.iter().rev() {
        if let Some((record, event)) = here.filter(|(record, _)| record.id == *id) {
            return Ok(about(event, record).ok());
        }
        let Some(document) = app.state.get(Kind::Record, id.as_str()).await? else {
            continue;
        };
        let record = document.read::<Record>().ok();
        let event = record.and_then(|r| Some((quell_normalize::event(&r).ok()?, r)));
        if let Some((event, record)) = event {
            return Ok(about(&event, &record).ok());
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
        .status("parked");
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
