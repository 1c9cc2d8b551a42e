//! What a runner is told about its runs: the port between the running and the meaning of runs.

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use quell_model::{RunId, Timestamp};
use quell_respond::{Flow, LogEntry};
use quell_states::{Status, TaskId, TaskRequest};
use quell_store::Write;
use serde_json::Value;

use super::RunError;

/// Knows what runs mean: what their documents are, what their tasks do, and what is kept of them besides their logs.
///
/// A run is dropped from memory at any time and opened again from the store; so nothing of it is only in `Run`.
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// A run at work.
    type Run: Send;

    /// Opens a run that is to be carried on.
    ///
    /// # Errors
    /// [`RunError`]: it is tried again later.
    async fn open(&self, id: &RunId) -> Result<Opened<Self::Run>, RunError>;

    /// Says how to perform a task. `since`: it was begun before, at this moment, and whether it happened is not known.
    /// Nothing that changes anything is done here: that is the [`Work`], which begins once its intent is durable.
    ///
    /// # Errors
    /// [`RunError`]: the run is dropped from memory, and goes on from its log.
    async fn begin(
        &self,
        run: &mut Self::Run,
        request: &TaskRequest,
        since: Option<Timestamp>,
    ) -> Result<Begin, RunError>;

    /// A task that was begun is not waited for any more, and its work is dropped: what the log says of it.
    fn given_up(&self, run: &mut Self::Run, task: TaskId) -> Option<LogEntry>;

    /// What is stored in the same batch as these entries of the log.
    ///
    /// # Errors
    /// [`RunError`]: the run is dropped from memory, and goes on from its log.
    async fn beside(&self, run: &mut Self::Run, beside: Beside<'_>)
    -> Result<Vec<Write>, RunError>;

    /// The runs at work that this one waits for: who carries it alone carries those too. None, where runs start none.
    ///
    /// # Errors
    /// [`RunError`]: it is tried again later.
    async fn awaited(&self, _id: &RunId) -> Result<Vec<RunId>, RunError> {
        Ok(Vec::new())
    }
}

/// What there is of a run.
pub enum Opened<R> {
    /// It is to be carried on.
    Ready {
        /// What the host keeps of it.
        run: Box<R>,
        /// Its state machine, before the first entry of its log.
        flow: Box<Flow>,
        /// Whose turn it takes: places are given out in turn over these.
        account: String,
    },
    /// Something stands in its way for a moment.
    Later,
    /// It has ended, or there is no such run.
    Ended,
}

/// How a task is performed.
pub enum Begin {
    /// By this work.
    Work {
        /// For a task that changes something: the hash of the plan it is permitted by, or nothing where none is needed.
        intent: Option<String>,
        /// The work.
        work: Work,
    },
    /// It is answered already.
    Answered {
        /// How it ended.
        answer: Answer,
        /// What has to be stored with the answer. When others wrote it meanwhile, the task is begun anew.
        writes: Vec<Write>,
    },
    /// A person has to decide first.
    Waits {
        /// What the log says of it.
        entries: Vec<LogEntry>,
    },
}

/// The doing of a task. It has a time limit of its own, or its task has one.
pub type Work = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What came of a task.
#[derive(Debug)]
pub struct Answer {
    /// How it ended.
    pub ended: Ended,
    /// What the log says of it besides, such as a receipt.
    pub entries: Vec<LogEntry>,
}

/// How a task ended.
#[derive(Debug)]
pub enum Ended {
    /// Well, with this result.
    Succeeded(Value),
    /// Badly.
    Failed {
        /// The error name.
        error: String,
        /// What it says to a person.
        cause: String,
    },
    /// Not yet: its service took it, with this answer, and somebody else will say how it ends.
    Elsewhere(Value),
}

impl Answer {
    /// A task that failed.
    pub fn failed(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::of(Ended::Failed {
            error: error.into(),
            cause: cause.into(),
        })
    }

    /// A task that ended so, with nothing more to say.
    pub fn of(ended: Ended) -> Self {
        let entries = Vec::new();
        Self { ended, entries }
    }
}

/// A batch that is about to be committed for a run.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// Its entries of the log but the inputs of the state machine.
    pub notes: &'a [LogEntry],
    /// How the run stands after it.
    pub point: Point<'a>,
    /// Its state machine after it, with the tasks that are waited for.
    pub flow: &'a Flow,
    /// The batch was refused because somebody wrote meanwhile what it writes: read that again.
    pub again: bool,
}

/// How a run stands after a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Point<'a> {
    /// It goes on.
    Going,
    /// It leaves memory until a timer is due or somebody says something.
    Rests,
    /// The same, and a person has to decide.
    Parks,
    /// Its document has ended.
    Ended(&'a Status),
}
