//! Why a state failed, and the error names of the language.

pub(crate) const ALL: &str = "States.ALL";
pub(crate) const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
pub(crate) const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str =
    "States.ExceedToleratedFailureThreshold";
pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub(crate) const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
pub(crate) const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
pub(crate) const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
pub(crate) const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
pub(crate) const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
pub(crate) const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
pub(crate) const TIMEOUT: &str = "States.Timeout";

/// A state's failure before Retry and Catch have seen it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// The error name; a Fail state may leave it out, and pass that on.
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) origin: Origin,
}

/// Who reported a failure, which decides what the history says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin {
    /// A field did not evaluate; `EvaluationFailed` is written.
    Evaluation {
        /// The field, where one is to blame.
        location: Option<String>,
        /// The expression itself failed, as against its value not fitting.
        in_expression: bool,
    },
    /// The task or the child, which has its own event; the cause is already complete.
    Task,
    /// The interpreter.
    Interpreter,
}

impl Failure {
    pub(crate) fn evaluation(location: impl Into<String>, cause: impl Into<String>) -> Self {
        Failure {
            error: Some(QUERY_EVALUATION_ERROR.to_owned()),
            cause: Some(cause.into()),
            origin: Origin::Evaluation {
                location: Some(location.into()),
                in_expression: true,
            },
        }
    }

    pub(crate) fn unfit(location: impl Into<String>, cause: impl Into<String>) -> Self {
        Failure {
            error: Some(QUERY_EVALUATION_ERROR.to_owned()),
            cause: Some(cause.into()),
            origin: Origin::Evaluation {
                location: Some(location.into()),
                in_expression: false,
            },
        }
    }

    pub(crate) fn interpreter(error: &str, cause: impl Into<String>) -> Self {
        Failure {
            error: Some(error.to_owned()),
            cause: Some(cause.into()),
            origin: Origin::Interpreter,
        }
    }

    pub(crate) fn task(error: impl Into<String>, cause: Option<String>) -> Self {
        Failure {
            error: Some(error.into()),
            cause,
            origin: Origin::Task,
        }
    }

    /// The failure of a branch or iteration, which is that of its state too.
    pub(crate) fn passed_on(error: Option<String>, cause: Option<String>) -> Self {
        Failure {
            error,
            cause,
            origin: Origin::Task,
        }
    }

    /// The error name as ErrorEquals is compared with it.
    pub(crate) fn name(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }

    /// Whether the state itself cannot go on. Recorded on AWS: the history of a
    /// Map then goes straight to the end of the execution.
    pub(crate) fn is_the_states_own_runtime(&self) -> bool {
        self.origin == Origin::Interpreter && self.name() == RUNTIME
    }

    pub(crate) fn data_limit(what: &str) -> Self {
        // The wording is Step Functions' own; the cause needs no completion.
        Failure::task(
            DATA_LIMIT_EXCEEDED,
            Some(format!(
                "The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
            )),
        )
    }
}

/// Whether one name of an `ErrorEquals` list covers an error.
///
/// Nothing covers `States.Runtime`; `States.ALL` does not cover
/// `States.DataLimitExceeded` either;
/// `States.TaskFailed` covers neither those nor a timeout; `States.Timeout`
/// covers a missed heartbeat.
pub(crate) fn covers(name: &str, error: &str) -> bool {
    let terminal = matches!(error, DATA_LIMIT_EXCEEDED | RUNTIME);
    let timeout = matches!(error, TIMEOUT | HEARTBEAT_TIMEOUT);
    match name {
        // Recorded on AWS: not even its own name catches it.
        _ if error == RUNTIME => false,
        ALL => !terminal,
        TASK_FAILED => !terminal && !timeout,
        TIMEOUT => timeout,
        _ => name == error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_have_their_exceptions() {
        for (name, error, expected) in [
            (ALL, "Custom", true),
            (ALL, TIMEOUT, true),
            (ALL, QUERY_EVALUATION_ERROR, true),
            (ALL, RUNTIME, false),
            (ALL, DATA_LIMIT_EXCEEDED, false),
            (DATA_LIMIT_EXCEEDED, DATA_LIMIT_EXCEEDED, true),
            (TASK_FAILED, "Ec2.Ec2Exception", true),
            (TASK_FAILED, TIMEOUT, false),
            (TASK_FAILED, HEARTBEAT_TIMEOUT, false),
            (TIMEOUT, HEARTBEAT_TIMEOUT, true),
            (HEARTBEAT_TIMEOUT, TIMEOUT, false),
            ("Custom", "custom", false),
        ] {
            assert_eq!(covers(name, error), expected, "{name} / {error}");
        }
    }
}
