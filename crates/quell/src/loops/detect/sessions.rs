//! Who began it: the sessions that records tell of, and what is corrected when one is told of late.

use quell_detect::{Keeping, Remembers, Until};
use quell_model::{Event, Finding, Initiator, Record, Timestamp};
use quell_normalize::chain::{Link, Links, Step, Walk, caller};
use quell_store::{Kind, StoreError};

use super::Worker;
use super::placing::Placing;
use crate::app::App;

/// A session lasts 36 hours at the most, and its record comes an hour late.
const KEPT_MILLIS: i64 = 37 * 60 * 60 * 1000;
/// So many records of sessions are kept; those that are oldest go first: some hours of a large organisation.
pub(super) const LINKS_MAX: usize = 100_000;

/// How sessions came to be, as something that is remembered.
#[derive(Debug)]
pub(super) struct Sessions;

impl Remembers for Sessions {
    type State = Links;

    fn memory(&self) -> &str {
        "sessions"
    }

    /// A session of which nothing is known has an unknown beginning, and nothing else follows from it.
    fn begin(&self, _forgotten: Option<Timestamp>) -> Links {
        Links::default()
    }

    fn keeping(&self, links: &Links) -> Keeping {
        Keeping {
            size: links.len().max(1),
            newest: links.expires(),
            until: Until::Quiet(KEPT_MILLIS),
        }
    }
}

impl Worker {
    /// Takes in which session a record made; answers which findings had waited to hear of it.
    pub(super) async fn take_link(
        &mut self,
        app: &App,
        link: Link,
    ) -> Result<Vec<String>, StoreError> {
        let key = link.session.key();
        let take = |mut states: Vec<Links>| {
            let mut links = states.pop().unwrap_or_default();
            let before = links.len();
            let waited = links.take(link);
            let changed = links.len() != before || !waited.is_empty();
            (vec![(links, changed)], waited)
        };
        self.sessions
            .together(&*app.state, &Sessions, &[key], take)
            .await
    }

    /// Says of findings on an event who began it. When that is not known yet, they are noted with the session that is not.
    pub(super) async fn initiate(
        &mut self,
        app: &App,
        event: &Event,
        record: &Record,
        findings: &mut [Finding],
    ) -> Result<(), StoreError> {
        let ids: Vec<String> = findings.iter().map(|f| f.id.to_string()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let initiator = self.begun_by(app, event, record, &ids).await?;
        for finding in findings {
            finding.initiator.clone_from(&initiator);
        }
        Ok(())
    }

    async fn begun_by(
        &mut self,
        app: &App,
        event: &Event,
        record: &Record,
        ids: &[String],
    ) -> Result<Option<Initiator>, StoreError> {
        let mut walk = match caller(event, record).map(|caller| Walk::from(caller, event.time)) {
            Some(Ok(walk)) => walk,
            Some(Err(Step::Found(initiator))) => return Ok(Some(initiator)),
            _ => return Ok(None),
        };
        loop {
            let keys = [walk.wants().key()];
            let look = |mut states: Vec<Links>| {
                let mut links = states.pop().unwrap_or_default();
                let step = walk.next(Some(&links));
                let unknown = matches!(step, Step::Unknown(_));
                if unknown {
                    ids.iter().for_each(|id| links.wait(id));
                }
                (vec![(links, unknown)], step)
            };
            let step = self.sessions.together(&*app.state, &Sessions, &keys, look);
            match step.await? {
                Step::Wants(_) => {}
                Step::Found(initiator) => return Ok(Some(initiator)),
                Step::Unknown(_) | Step::Nobody => return Ok(None),
            }
        }
    }

    /// Looks again at findings that had waited: their incidents name who began it, now that it is known.
    pub(super) async fn correct(
        &mut self,
        app: &App,
        waited: Vec<String>,
        placing: &mut Placing,
    ) -> Result<(), StoreError> {
        for id in waited {
            let Some(mut document) = app.state.get(Kind::Finding, &id).await? else {
                continue;
            };
            let mut finding: Finding = document.read()?;
            let Some(stored) = app.state.get(Kind::Record, finding.record.as_str()).await? else {
                continue;
            };
            let record: Record = stored.read()?;
            let Ok(event) = quell_normalize::event(&record) else {
                continue;
            };
            let Some(initiator) = self.begun_by(app, &event, &record, &[id]).await? else {
                continue;
            };
            finding.initiator = Some(initiator);
            let status = document.status.clone();
            document = document.with(status, &finding)?;
            placing.correct(&*app.state, document, &finding).await?;
        }
        Ok(())
    }
}
