//! Making durable what happened to a run.

use quell_model::Timestamp;
use quell_states::Status;
use quell_store::{Kind, Query, StoreError, Write};

use super::{Carried, ENTRIES_AT_ONCE_MAX, LOG_ENTRIES_MAX, is_lost};
use crate::runner::batch::Pending;
use crate::runner::host::{Beside, Host, Point};
use crate::runner::{Rest, RunError, wake};

/// Others write what a run writes too, such as its incident; not for ever at the same moment.
const CONFLICTS_MAX: usize = 20;

impl<H: Host> Carried<'_, H> {
    pub(super) async fn commit_if_large(&mut self) -> Result<(), RunError> {
        if self.pending.entries() < ENTRIES_AT_ONCE_MAX {
            return Ok(());
        }
        self.commit(Point::Going).await?;
        if self.seq > LOG_ENTRIES_MAX && *self.flow.status() == Status::Running {
            let cause = format!("the run's log has more than {LOG_ENTRIES_MAX} entries");
            self.stop("States.Runtime", &cause)?;
        }
        Ok(())
    }

    /// Stores what happened, if anything did, and how the run stands.
    pub(super) async fn commit(&mut self, point: Point<'_>) -> Result<(), RunError> {
        if self.pending.is_empty() && point == Point::Going {
            return Ok(());
        }
        for _ in 0..CONFLICTS_MAX {
            match self.commit_once(point).await {
                Err(RunError::Store(StoreError::Conflict { kind, .. })) if !is_lost(kind) => {}
                other => return other,
            }
        }
        let (kind, id) = ("run", self.id.to_string());
        Err(StoreError::Conflict { kind, id }.into())
    }

    pub(super) async fn commit_once(&mut self, point: Point<'_>) -> Result<(), RunError> {
        let now = self.runner.clock.now();
        let beside = Beside {
            notes: &self.pending.notes,
            point,
            flow: &self.flow,
            again: std::mem::replace(&mut self.refused, true),
        };
        let host = &self.runner.host;
        let writes = host.beside(&mut self.run, beside).await?;
        let mut batch = self.pending.batch(self.id, self.seq, now);
        writes.into_iter().for_each(|write| batch.push(write));
        batch.push(self.claim.fence());
        if point != Point::Going {
            // It leaves memory: whoever is first takes it up again.
            batch.push(self.claim.give_back());
        }
        let works = point == Point::Going && self.wake_at.is_none_or(|at| at > now);
        if works {
            // Whoever starts after a crash finds it.
            for write in wake::at(self.id, &self.account, now)? {
                batch.push(write);
            }
        }
        self.runner.state.commit(batch).await?;
        self.refused = false;
        if works {
            self.wake_at = Some(now);
        }
        self.seq = self
            .seq
            .saturating_add_unsigned(u64::try_from(self.pending.entries()).unwrap_or(u64::MAX));
        self.pending = Pending::default();
        Ok(())
    }

    /// Stores what happened and when the run is to be looked at again.
    pub(super) async fn commit_to_rest(
        &mut self,
        point: Point<'_>,
        at: Timestamp,
    ) -> Result<(), RunError> {
        if self.wake_at != Some(at) {
            let writes = wake::at(self.id, &self.account, at)?;
            self.pending.writes.extend(writes);
            self.wake_at = Some(at);
        }
        self.commit(point).await
    }

    /// Stores the end of the run. Nothing is left of it but its log and what its host keeps.
    pub(super) async fn end(&mut self) -> Result<Rest, RunError> {
        let status = self.flow.status().clone();
        for kind in [Kind::Token, Kind::Signal] {
            let query = Query::all(kind)
                .parent(self.id.as_str())
                .limit(Query::LIMIT_MAX);
            for document in self.runner.state.list(&query).await?.documents {
                self.pending.writes.push(Write::Delete(kind, document.id));
            }
        }
        self.pending.writes.push(wake::last(self.id));
        self.commit(Point::Ended(&status)).await?;
        self.runner.bell.notify_one();
        Ok(Rest::Ended)
    }
}
