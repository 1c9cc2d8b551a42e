//! What is said to a run from outside: stop, or how a task ended that waits for its token.
//!
//! A signal is a document until the run's carrier, in whatever process, puts it into the run's log; both happen in
//! one batch, so it counts exactly once. Of a token the store keeps the hash, under which its task is found.

use quell_model::{RunId, Timestamp, sha256_hex};
use quell_states::{Event, TaskId, limits};
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A signal cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// No task waits for this token.
    #[error(
        "no task waits for this token: it was never given out, it was used, or its task has ended"
    )]
    NoTask,
    /// There is no such run at work.
    #[error("there is no run {0} that could be stopped")]
    NoRun(RunId),
    /// The result is larger than a state may be given.
    #[error(
        "the result has {bytes} bytes, and a state takes {} at most",
        limits::PAYLOAD_BYTES_MAX
    )]
    TooLarge {
        /// Its size as JSON.
        bytes: usize,
    },
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a task ended that waited for its token, as whoever holds the token says.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// Well, with this result.
    Success(Value),
    /// Badly.
    Failure {
        /// The error name.
        error: String,
        /// What it says to a person.
        cause: String,
    },
    /// It is still at work. May be said many times.
    Heartbeat,
}

/// A signal as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Signal {
    /// Whose turn the run takes.
    pub(super) account: String,
    pub(super) event: Event,
}

/// What is kept of a token.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    account: String,
    task: TaskId,
}

/// Other workers may be faster this often.
const OFFERS_TRIED_MAX: usize = 20;
const OPEN: &str = "open";
const USED: &str = "used";

/// Under which a token is stored.
pub(super) fn hash(token: &str) -> String {
    sha256_hex(token)
}

/// What stores that a task waits for a token.
pub(super) fn given_out(
    run: &RunId,
    account: &str,
    task: TaskId,
    token: &str,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let account = account.to_owned();
    let held = Held { account, task };
    let document = Document::new(Kind::Token, hash(token), OPEN, now, &held)?;
    Ok(Write::InsertNew(document.under(run.as_str())))
}

/// The task of a stored token, or of an offer.
pub(super) fn task_of(token: &Document) -> Result<TaskId, StoreError> {
    Ok(token.read::<Held>()?.task)
}

/// Says how the task with this token ended, durably. A token ends its task once; the task's run goes on in whatever
/// process carries it.
///
/// # Errors
/// [`SignalError::NoTask`] when the token was never given out, was used, or its task has ended.
pub async fn tell(
    state: &dyn State,
    token: &str,
    word: Word,
    now: Timestamp,
) -> Result<(), SignalError> {
    let id = hash(token);
    let held = state.get(Kind::Token, &id).await?;
    let Some(held) = held.filter(|held| held.status == OPEN) else {
        return Err(SignalError::NoTask);
    };
    let Held { account, task } = held.read()?;
    let heartbeat = word == Word::Heartbeat;
    let event = match word {
        Word::Success(output) => {
            let bytes = output.to_string().len();
            if bytes > limits::PAYLOAD_BYTES_MAX {
                return Err(SignalError::TooLarge { bytes });
            }
            Event::TaskSucceeded { task, output }
        }
        Word::Failure { error, cause } => Event::TaskFailed { task, error, cause },
        Word::Heartbeat => Event::TaskHeartbeat { task },
    };
    let run = held.parent.clone();
    let signal = Signal { account, event };
    let batch = match heartbeat {
        true => {
            let beat = Document::new(Kind::Signal, format!("{id}:beat"), "sent", now, &signal)?;
            Batch::new().with(Write::InsertNew(beat.under(run)))
        }
        false => {
            let end = Document::new(Kind::Signal, id, "sent", now, &signal)?;
            let mut used = held;
            USED.clone_into(&mut used.status);
            Batch::new()
                .with(Write::Update(used))
                .with(Write::Insert(end.under(run)))
        }
    };
    match state.commit(batch).await {
        Ok(_) => Ok(()),
        // Somebody else was faster, or the task ended.
        Err(StoreError::Conflict { .. }) => Err(SignalError::NoTask),
        Err(e) => Err(e.into()),
    }
}

/// Stops a run, durably. What it waits for is called off; it ends aborted.
///
/// # Errors
/// [`SignalError::NoRun`] when it has ended or there is none.
pub async fn stop(
    state: &dyn State,
    run: &RunId,
    error: &str,
    cause: &str,
    now: Timestamp,
    with: Vec<Write>,
) -> Result<(), SignalError> {
    let Some(wake) = state.get(Kind::Wake, run.as_str()).await? else {
        return Err(SignalError::NoRun(run.clone()));
    };
    let stop = stopped(run, &wake.parent, (error, cause), now)?;
    let mut batch = Batch::new().with(stop);
    with.into_iter().for_each(|write| batch.push(write));
    state.commit(batch).await?;
    Ok(())
}

/// What a worker is given: the token that ends the task, and what the task is about.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// To be presented with [`tell`].
    pub token: String,
    /// JSON text.
    pub input: String,
}

/// A task that waits for a worker, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Offer {
    account: String,
    task: TaskId,
    input: String,
}

/// What stores that a task waits for a worker of an activity. It is a token that nobody has yet: like one it goes when
/// its task is not waited for any more.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub fn offered(
    run: &RunId,
    account: &str,
    task: TaskId,
    (activity, input): (&str, String),
    now: Timestamp,
) -> Result<Write, StoreError> {
    let account = account.to_owned();
    let offer = Offer {
        account,
        task,
        input,
    };
    let id = format!("{run}:{task}");
    let document = Document::new(Kind::Token, id, offers_of(activity), now, &offer)?;
    Ok(Write::InsertNew(document.under(run.as_str())))
}

fn offers_of(activity: &str) -> String {
    format!("offered {activity}")
}

/// Takes the oldest task that waits for a worker of an activity, if there is one. Nobody else gets it. `token` is a
/// new random text.
///
/// # Errors
/// [`StoreError`].
pub async fn take(
    state: &dyn State,
    activity: &str,
    token: String,
    now: Timestamp,
) -> Result<Option<Taken>, StoreError> {
    let query = Query::all(Kind::Token)
        .status(offers_of(activity))
        .limit(OFFERS_TRIED_MAX);
    for document in state.list(&query).await?.documents {
        let Offer {
            account,
            task,
            input,
        } = document.read()?;
        let run: RunId = match document.parent.parse() {
            Ok(run) => run,
            Err(_) => continue,
        };
        // An update first, so that of two workers one meets a conflict.
        let mut gone = document.clone();
        USED.clone_into(&mut gone.status);
        let beat = Event::TaskHeartbeat { task };
        let batch = Batch::new()
            .with(Write::Update(gone))
            .with(given_out(&run, &account, task, &token, now)?)
            .with(said(
                &run,
                &account,
                &format!("{}:taken", document.id),
                beat,
                now,
            )?);
        match state.commit(batch).await {
            Ok(_) => return Ok(Some(Taken { token, input })),
            Err(StoreError::Conflict { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// What stores that a run is to be stopped.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub fn stopped(
    run: &RunId,
    account: &str,
    (error, cause): (&str, &str),
    now: Timestamp,
) -> Result<Write, StoreError> {
    let (error, cause) = (error.to_owned(), cause.to_owned());
    let event = Event::Stopped { error, cause };
    said(run, account, &format!("{run}:stop"), event, now)
}

/// What stores that the job which a task of a run started has ended. `job` is what the job is called.
///
/// # Errors
/// [`StoreError::Unwritable`].
pub fn job_ended(
    run: &RunId,
    account: &str,
    job: &str,
    event: Event,
    now: Timestamp,
) -> Result<Write, StoreError> {
    said(run, account, &format!("{job}:end"), event, now)
}

fn said(
    run: &RunId,
    account: &str,
    id: &str,
    event: Event,
    now: Timestamp,
) -> Result<Write, StoreError> {
    let account = account.to_owned();
    let signal = Signal { account, event };
    let document = Document::new(Kind::Signal, id, "sent", now, &signal)?;
    Ok(Write::InsertNew(document.under(run.as_str())))
}
