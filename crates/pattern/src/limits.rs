//! Every limit of this crate, each with its reason.

/// How deeply a pattern may nest objects and arrays. The compiler descends one stack frame a level, and no real pattern
/// comes near it: EventBridge accepts 4,096 characters at most.
pub const PATTERN_DEPTH_MAX: usize = 256;

/// How deeply an event may nest objects and arrays: what Jackson, the parser behind EventBridge, allows by default.
pub const EVENT_DEPTH_MAX: usize = 1_000;

/// How many combinations the `$or`s of one pattern may multiply to. EventBridge refuses more than 1,000.
pub const BRANCHES_MAX: usize = 1_000;

/// How many fields one combination may name, as in aws/event-ruler.
pub const FIELDS_MAX: usize = 256;

/// How many wildcard prefixes may be alive at once while one field is read, counted as aws/event-ruler's
/// `MachineComplexityEvaluator` counts them. AWS does not publish its number; ten agrees with every acceptance and
/// refusal known to us.
pub const COMPLEXITY_MAX: usize = 10;

/// How many field values array consistency may look at for one pattern and one event. A well-formed event needs a few
/// for each of its leaves; only one that repeats a key for many separate arrays reaches this, and it does not match.
pub const STEPS_MAX: usize = 1_000_000;

/// How many array elements the values of all fields of one pattern may lie in, counted with repetition: a bound on the
/// memory one evaluation takes (32 MB). Only an event with very many values inside very many nested arrays reaches it,
/// and it does not match.
pub const CHOICES_MAX: usize = 4_000_000;

/// How many values of one field an explanation shows, those that count first; it says how many there are. More would
/// tell a reader nothing.
pub const SEEN_MAX: usize = 20;

/// How many variables an input transformer may have: EventBridge's limit.
pub const INPUT_VARIABLES_MAX: usize = 100;

/// How many characters an `InputTemplate` may have: EventBridge's limit.
pub const INPUT_TEMPLATE_CHARS_MAX: usize = 8_192;

/// How many characters a JSON path, or the name of a variable, may have: EventBridge's limit.
pub const INPUT_PATH_CHARS_MAX: usize = 256;
