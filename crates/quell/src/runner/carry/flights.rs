//! The work of a run that is under way.

use std::collections::BTreeMap;
use std::pin::Pin;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable, Aborted};
use futures_util::stream::{FuturesUnordered, StreamExt};
use quell_states::TaskId;

use crate::runner::host::{Answer, Work};

/// A task whose work is done, with what came of it.
pub(super) type Landed = (TaskId, Answer);
type Flight = Pin<Box<dyn Future<Output = (TaskId, Result<Answer, Aborted>)> + Send>>;

#[derive(Default)]
pub(super) struct Flights {
    under_way: FuturesUnordered<Flight>,
    /// Each with whether it changes anything.
    handles: BTreeMap<TaskId, (bool, AbortHandle)>,
}

impl Flights {
    pub(super) fn start(&mut self, task: TaskId, changes: bool, work: Work) {
        let (handle, registration) = AbortHandle::new_pair();
        let work = Abortable::new(work, registration);
        self.under_way
            .push(Box::pin(async move { (task, work.await) }));
        self.handles.insert(task, (changes, handle));
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }

    pub(super) fn has(&self, task: TaskId) -> bool {
        self.handles.contains_key(&task)
    }

    /// Everything that has landed, waiting for at least one; nothing when nothing is under way.
    pub(super) async fn next(&mut self) -> Option<Vec<Landed>> {
        let mut landed = Vec::new();
        while landed.is_empty() {
            let first = self.under_way.next().await?;
            self.note(first, &mut landed);
            while let Some(Some(more)) = self.under_way.next().now_or_never() {
                self.note(more, &mut landed);
            }
        }
        Some(landed)
    }

    fn note(
        &mut self,
        (task, answer): (TaskId, Result<Answer, Aborted>),
        landed: &mut Vec<Landed>,
    ) {
        if let Ok(answer) = answer {
            self.handles.remove(&task);
            landed.push((task, answer));
        }
    }

    /// Drops the work on those tasks; answers which, and whether each changes anything.
    pub(super) fn ground(&mut self, which: impl Fn(TaskId) -> bool) -> Vec<(TaskId, bool)> {
        let gone = self.handles.extract_if(.., |task, _| which(*task));
        gone.map(|(task, (changes, handle))| {
            handle.abort();
            (task, changes)
        })
        .collect()
    }

    /// Drops all work that changes nothing; whether nothing else is under way.
    pub(super) fn ground_readers(&mut self) -> bool {
        self.handles.retain(|_, (changes, handle)| {
            if !*changes {
                handle.abort();
            }
            *changes
        });
        self.handles.is_empty()
    }
}
