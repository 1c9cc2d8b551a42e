//! The limits of an execution, with the reason for each.

/// Events one execution may write; Step Functions fails a Standard execution
/// that reaches this.
pub const HISTORY_EVENTS_MAX: u64 = 25_000;

/// Bytes of one input, output, argument or result as JSON text (256 KiB), the
/// quota behind `States.DataLimitExceeded`.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// Nested arrays and objects of one payload. Ours: JSON readers stop at 128
/// levels, and a payload must still be readable inside a stored execution.
pub const PAYLOAD_DEPTH_MAX: usize = 100;

/// Bytes all variables of an execution may hold together (10 MiB).
pub const VARIABLES_BYTES_MAX: usize = 10 * 1024 * 1024;

/// States one call of `step` may enter, in all threads together, before every
/// thread waits. Ours, not Step Functions': a loop of Pass and Choice must end,
/// and so must the iterations of a distributed Map, which have histories of
/// their own.
pub const STATES_PER_STEP_MAX: u32 = 100_000;

/// Iterations an inline Map runs at once, Step Functions' bound.
pub const INLINE_CONCURRENCY_MAX: usize = 40;

/// Threads of one execution that may be under way at once; further iterations
/// wait. Ours (Step Functions runs 10,000 children of a distributed Map): each
/// may hold a payload, and all are in memory.
pub const THREADS_MAX: usize = 1_000;

/// Bytes of the results of one visit of a Map that are kept until it ends. Ours:
/// only a Map with a ResultWriter can hand on more than one payload.
pub const RESULTS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of one object an ItemReader reads. Ours (Step Functions: 10 GB): the
/// object passes through the log.
pub const OBJECT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Items one distributed Map goes through. Ours (Step Functions: 100 million).
pub const MAP_ITEMS_MAX: usize = 100_000;

/// Columns of a CSV file, so that a hostile header cannot fill the memory. Ours.
pub const CSV_COLUMNS_MAX: usize = 1_000;

/// Objects one ItemReader lists or reads through a manifest, one after the
/// other. Ours: each is an answer in the log.
pub const OBJECTS_MAX: usize = 1_000;

/// Bytes of a document (1 MiB), the quota of CreateStateMachine.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// Characters of a state or variable name.
pub const NAME_CHARS_MAX: usize = 80;

/// The largest number of seconds any duration field takes.
pub const SECONDS_MAX: u64 = 99_999_999;

/// The largest `MaxDelaySeconds`: a leap year.
pub const MAX_DELAY_SECONDS_MAX: u64 = 31_622_400;

/// Milliseconds one JSONata expression may run. The only limit that reads a
/// clock (inside the evaluator): far above any honest expression, so that only
/// an endless one meets it.
pub const JSONATA_MILLIS_MAX: u64 = 2_000;

/// Nested evaluations of one JSONata expression.
pub const JSONATA_DEPTH_MAX: usize = 5_000;

/// Items one JSONata sequence may hold. No payload has room for more.
pub const JSONATA_SEQUENCE_MAX: usize = PAYLOAD_BYTES_MAX / 2;

/// Items the ranges of one JSONata expression may have together, in all its loops.
pub const JSONATA_RANGE_ITEMS_MAX: usize = 1024 * 1024;

/// Bytes of a text that a JSONata expression works on (1 MiB): four payloads, so
/// that what is cut down afterwards has room.
pub const JSONATA_TEXT_BYTES_MAX: usize = 4 * PAYLOAD_BYTES_MAX;

/// Bytes of a value that a JSONata expression works on or ends with, as JSON (2
/// MiB): what is larger is not even measured against the limit of payloads.
pub const JSONATA_VALUE_BYTES_MAX: usize = 8 * PAYLOAD_BYTES_MAX;

/// Bytes of a text that JSONata puts between or in the place of others, or takes
/// for the picture of a number.
pub const JSONATA_SMALL_BYTES_MAX: usize = 1024;

/// Steps one JSONPath may have. Ours: no honest path comes near.
pub const PATH_STEPS_MAX: usize = 1_000;

/// Items one intrinsic function may make, Step Functions' bound of
/// `States.ArrayRange`.
pub const INTRINSIC_ITEMS_MAX: usize = 1_000;

/// Characters `States.Base64Encode`, `States.Base64Decode` and `States.Hash` take.
pub const INTRINSIC_CHARS_MAX: usize = 10_000;

/// Values one path may select. Ours: `$..[*]..[*]` must not fill the memory.
pub const PATH_VALUES_MAX: usize = 100_000;

/// Bytes the queries of one template, or the arguments of one intrinsic
/// function, may gather (1 MiB) before the payload limit is looked at. Ours.
pub const GATHERED_BYTES_MAX: usize = 4 * PAYLOAD_BYTES_MAX;
