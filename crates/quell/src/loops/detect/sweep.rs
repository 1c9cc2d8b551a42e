//! What detectors remember and time alone ends: windows that close, states that nothing can need any more.

use quell_detect::Stateful as _;
use quell_detect::correlation::Correlation;
use quell_model::Timestamp;
use quell_store::{Batch, Document, Kind, Query, StoreError, Write};

use super::memory::{CLOSES, EXPIRES};
use super::placing::Placing;
use super::related::Resources;
use super::{Worker, say};
use crate::app::App;

/// So often it is looked whether something is due.
const EVERY_MILLIS: i64 = 2_000;
/// So many states are ended in one batch.
const AT_ONCE: usize = 100;

impl Worker {
    /// Looks at what is due, when it is time to; answers whether there may be more.
    pub(super) async fn sweep_when_due(&mut self, app: &App) -> Result<bool, StoreError> {
        let now = app.clock.now();
        let due = |at: Timestamp| !(0..EVERY_MILLIS).contains(&now.millis_since(at));
        if !self.swept_at.is_none_or(due) {
            return Ok(false);
        }
        let more = self.sweep(app, now).await?;
        self.swept_at = (!more).then_some(now);
        Ok(more)
    }

    /// Closes windows before which nothing is expected any more, and drops states that nothing can need. Each batch wants the
    /// states as they were, so that a window closes once, whoever looks.
    pub(super) async fn sweep(&mut self, app: &App, now: Timestamp) -> Result<bool, StoreError> {
        // Looked at before the states are read: what came before this has been taken into them.
        let query = Query::all(Kind::Record).status("pending").limit(1);
        let pending = app.state.list(&query).await?.documents.pop();
        let closing = self.heard.closing(pending.map(|p| p.at), now);
        let mut ended = self.due(app, EXPIRES, now).await?;
        let expired = ended.len();
        if let Some(closing) = closing {
            ended.extend(self.due(app, CLOSES, closing).await?);
        }
        let more = expired == AT_ONCE || ended.len() - expired == AT_ONCE;
        if ended.is_empty() {
            return Ok(false);
        }
        match self.end(app, &ended, closing, now).await {
            Ok(()) => Ok(more),
            // Somebody else was quicker with one of them.
            Err(StoreError::Conflict { .. }) => {
                self.clear();
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    async fn due(
        &self,
        app: &App,
        status: &str,
        to: Timestamp,
    ) -> Result<Vec<Document>, StoreError> {
        let query = Query::all(Kind::Memory).status(status).limit(AT_ONCE);
        let mut documents = app.state.list(&query).await?.documents;
        documents.retain(|document| document.at <= to);
        Ok(documents)
    }

    async fn end(
        &mut self,
        app: &App,
        ended: &[Document],
        closing: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (mut batch, mut placing) = (Batch::new(), Placing::default());
        for document in ended {
            let store = &*app.state;
            if document.parent == Resources.memory() {
                self.visitors.expire(store, &Resources, document).await?;
                continue;
            }
            if document.parent == self.watch.memory() {
                self.network.expire(store, &self.watch, document).await?;
                continue;
            }
            let of = |c: &&Correlation| c.memory() == document.parent;
            let Some(correlation) = app.content.engine.correlations().iter().find(of) else {
                // Its rule is gone, or says something else now.
                batch.push(Write::Delete(Kind::Memory, document.id.clone()));
                continue;
            };
            match closing.filter(|_| document.status == CLOSES) {
                Some(to) => {
                    let advanced = self.memories.advance(store, correlation, document, to);
                    let (group, fired) = advanced.await?;
                    for fired in fired {
                        say(app, (correlation, &group, fired), None, now, &mut placing).await?;
                    }
                }
                None => self.memories.expire(store, correlation, document).await?,
            }
        }
        self.commit(app, batch, placing).await
    }
}
