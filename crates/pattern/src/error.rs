//! What can be wrong with a pattern or an event, in AWS's own words.

use std::fmt;

use crate::json::{JsonError, JsonFault};

/// Why EventBridge refuses a pattern. The text of each is AWS's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The text is not JSON.
    #[error(transparent)]
    Json(JsonFault),
    /// The pattern is not an object.
    #[error("Filter is not an object")]
    NotAnObject,
    /// `{}`, where at least one field is due.
    #[error("Empty objects are not allowed")]
    EmptyObject,
    /// `[]`, where at least one value is due.
    #[error("Empty arrays are not allowed")]
    EmptyArray,
    /// A field whose value is neither an object nor an array.
    #[error("\"{0}\" must be an object or an array")]
    FieldValue(String),
    /// An array inside a field's array.
    #[error("Match value must be String, number, true, false, or null")]
    MatchValue,
    /// `{}` where a match expression is due.
    #[error("Match expression name not found")]
    MatchName,
    /// A match expression of an unknown name.
    #[error("Unrecognized match type {0}")]
    MatchType(String),
    /// A match expression with a second key.
    #[error("Only one key allowed in match expression")]
    OneKey,
    /// The value of an expression that wants a string is something else.
    #[error("{0} match pattern must be a string")]
    MustBeString(&'static str),
    /// `prefix` or `suffix` of an object without a key.
    #[error("{0} expression name not found")]
    InnerName(&'static str),
    /// `prefix` or `suffix` of an object other than `equals-ignore-case`.
    #[error("Unsupported {0} pattern: {1}")]
    InnerUnsupported(&'static str, String),
    /// `exists` of something other than a boolean.
    #[error("exists match pattern must be either true or false.")]
    Exists,
    /// `anything-but` of a boolean, null, or an array or object too deep.
    #[error("Value of anything-but must be an array or single string/number value.")]
    AnythingButValue,
    /// `anything-but` of a list with a member that is neither string nor number.
    #[error("Inside anything but list, start|null|boolean is not supported.")]
    AnythingButMember,
    /// `anything-but` of an empty list, or of strings and numbers together.
    #[error(
        "Inside anything but list, either all values are number or string, mixed type is not supported"
    )]
    AnythingButMixed,
    /// `anything-but` `equals-ignore-case` of something other than strings.
    #[error(
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
    )]
    AnythingButIgnoreCase,
    /// `anything-but` `prefix` or `suffix` of an empty string.
    #[error("Null prefix/suffix not allowed")]
    EmptyAffix,
    /// `numeric` of something other than a list.
    #[error("Value of numeric must be an array.")]
    NumericForm,
    /// A `numeric` list that does not begin with an operator.
    #[error("Invalid member in numeric match: {0}")]
    NumericMember(String),
    /// A `numeric` list that begins with an unknown operator.
    #[error("Unrecognized numeric range operator: {0}")]
    NumericOperator(String),
    /// A `numeric` operator without a number.
    #[error("Value of {0} must be numeric")]
    NumericValue(&'static str),
    /// A `numeric` range whose second operator is not a string.
    #[error("Bad value in numeric range: {0}")]
    NumericRangeValue(String),
    /// A `numeric` range whose second operator is not `<` or `<=`.
    #[error("Bad numeric range operator: {0}")]
    NumericRangeOperator(String),
    /// A `numeric` range of more than two comparisons.
    #[error("Too many terms in numeric range expression")]
    NumericTerms,
    /// A `numeric` range that nothing lies in.
    #[error("Bottom must be less than top")]
    NumericEmpty,
    /// Something after a complete expression.
    #[error("Too many elements in numeric expression")]
    TooManyElements,
    /// A number no 64-bit float holds exactly.
    #[error("Cannot compare number : {0}")]
    Incomparable(String),
    /// A CIDR block that is not `address/bits`.
    #[error("Malformed CIDR, one '/' required")]
    CidrForm,
    /// The bits of a CIDR block are not a number.
    #[error("Malformed CIDR, mask bits must be an integer")]
    CidrMask,
    /// The bits of a CIDR block are negative.
    #[error("Malformed CIDR, mask bits must not be negative")]
    CidrMaskNegative,
    /// An IPv4 block of one address or less.
    #[error("IPv4 mask bits must be < 32")]
    CidrMaskV4,
    /// An IPv6 block of one address or less.
    #[error("IPv6 mask bits must be < 128")]
    CidrMaskV6,
    /// An address with the characters of one, but no address.
    #[error("Invalid IP address: {0}")]
    InvalidAddress(String),
    /// An address with characters that none has.
    #[error("Nonstandard IP address: {0}")]
    NonstandardAddress(String),
    /// Two stars of a wildcard touch.
    #[error("Consecutive wildcard characters at pos {position}")]
    ConsecutiveWildcards {
        /// The byte of the first, counted from the opening quote.
        position: usize,
    },
    /// A backslash of a wildcard before something other than a star or a backslash.
    #[error("Invalid escape character at pos {position}")]
    WildcardEscape {
        /// Its byte, counted from the opening quote.
        position: usize,
    },
    /// `$or` of something other than an array.
    #[error("It must be an Array followed with $or.")]
    OrForm,
    /// A member of `$or` that is not an object.
    #[error("Only JSON object is allowed in array of $or relationship.")]
    OrMember,
    /// `$or` of fewer than two alternatives.
    #[error("There must have at least 2 Objects in $or relationship.")]
    OrFew,
    /// A field inside `$or` named like a match expression.
    #[error("{0} is Ruler reserved fieldName which cannot be used inside $or.")]
    OrReserved(String),
    /// The `$or`s multiply to more combinations than [`crate::BRANCHES_MAX`].
    #[error("Rule is too complex - the $or relationships make more than {max} combinations")]
    TooManyBranches {
        /// The limit.
        max: usize,
    },
    /// More fields in one combination than [`crate::FIELDS_MAX`].
    #[error("Size of rule exceeds max value of {max}")]
    TooManyFields {
        /// The limit.
        max: usize,
    },
    /// The wildcards of one field together pass [`crate::COMPLEXITY_MAX`].
    #[error(
        "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"
    )]
    TooComplex,
}

/// A place in a pattern's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The JSON path of the innermost field or value, `$.detail.state[0]`.
    pub path: String,
}

impl Place {
    pub(crate) fn new(text: &str, offset: usize, path: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Self {
            line: before.matches('\n').count() + 1,
            column,
            path,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}, {}",
            self.line, self.column, self.path
        )
    }
}

/// A pattern that EventBridge refuses: why, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Event pattern is not valid. Reason: {fault}\n at {place}")]
pub struct PatternError {
    fault: Fault,
    place: Place,
}

impl PatternError {
    pub(crate) fn new(fault: Fault, place: Place) -> Self {
        Self { fault, place }
    }

    /// Why the pattern is refused.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Where in the text the fault is.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

/// A text that is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The text is not JSON.
    #[error("Event is not valid JSON: {0}")]
    Json(#[from] JsonError),
    /// The root is not an object.
    #[error("Event must be a JSON object")]
    NotAnObject,
    /// More values or arrays than 32 bits can number.
    #[error("Event has too many values")]
    TooLarge,
}
