//! The record of an execution, as GetExecutionHistory gives it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One event of the history. Serialises to the shape of GetExecutionHistory,
/// with the timestamp in epoch milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// 1 for the first event.
    pub id: u64,
    /// The event that led to this one; 0 for none.
    #[serde(rename = "previousEventId")]
    pub previous_event_id: u64,
    /// Epoch milliseconds.
    pub timestamp: i64,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: HistoryEventType,
    /// At most one entry, such as `stateEnteredEventDetails`.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

macro_rules! history_event_types {
    ($($name:ident),* $(,)?) => {
        /// AWS's names of history events.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum HistoryEventType {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)*
        }

        impl HistoryEventType {
            /// The name as AWS writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(HistoryEventType::$name => stringify!($name),)*
                }
            }
        }
    };
}

history_event_types!(
    ActivityFailed,
    ActivityScheduled,
    ActivityStarted,
    ActivitySucceeded,
    ActivityTimedOut,
    ChoiceStateEntered,
    ChoiceStateExited,
    EvaluationFailed,
    ExecutionAborted,
    ExecutionFailed,
    ExecutionRedriven,
    ExecutionStarted,
    ExecutionSucceeded,
    ExecutionTimedOut,
    FailStateEntered,
    LambdaFunctionFailed,
    LambdaFunctionScheduled,
    LambdaFunctionStarted,
    LambdaFunctionSucceeded,
    LambdaFunctionTimedOut,
    MapIterationAborted,
    MapIterationFailed,
    MapIterationStarted,
    MapIterationSucceeded,
    MapRunAborted,
    MapRunFailed,
    MapRunRedriven,
    MapRunStarted,
    MapRunSucceeded,
    MapStateAborted,
    MapStateEntered,
    MapStateExited,
    MapStateFailed,
    MapStateStarted,
    MapStateSucceeded,
    ParallelStateAborted,
    ParallelStateEntered,
    ParallelStateExited,
    ParallelStateFailed,
    ParallelStateStarted,
    ParallelStateSucceeded,
    PassStateEntered,
    PassStateExited,
    SucceedStateEntered,
    SucceedStateExited,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskStateAborted,
    TaskStateEntered,
    TaskStateExited,
    TaskSubmitted,
    TaskSucceeded,
    TaskTimedOut,
    WaitStateAborted,
    WaitStateEntered,
    WaitStateExited,
);

/// The details of an event under their name.
pub(crate) fn details(name: &str, fields: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), fields)])
}

/// A payload and its companion, as most details carry them.
pub(crate) fn payload(name: &str, value: &Value) -> Map<String, Value> {
    Map::from_iter([
        (name.to_owned(), Value::String(value.to_string())),
        (format!("{name}Details"), json!({ "truncated": false })),
    ])
}

/// An error and its cause, leaving out what is not there.
pub(crate) fn error_fields(error: Option<&str>, cause: Option<&str>) -> Map<String, Value> {
    [("error", error), ("cause", cause)]
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?))))
        .collect()
}
