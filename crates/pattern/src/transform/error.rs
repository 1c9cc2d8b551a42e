//! What can be wrong with an input transformer.

use crate::json::JsonError;
use crate::limits::{INPUT_TEMPLATE_CHARS_MAX, INPUT_VARIABLES_MAX};

/// Why EventBridge would refuse an input transformer, or could not use it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// The text that describes it is not JSON.
    #[error("the target is not valid JSON: {0}")]
    Json(#[from] JsonError),
    /// A member of the target has another form than the API wants.
    #[error("{0} has the wrong form")]
    Form(&'static str),
    /// More than one way to make the input. The text is AWS's.
    #[error("Only one of Input, InputPath, or InputTransformer must be provided")]
    OnlyOne,
    /// A path outside what EventBridge supports.
    #[error("{path} is no JSON path EventBridge supports: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More variables than EventBridge takes.
    #[error("InputPathsMap has more than {INPUT_VARIABLES_MAX} variables")]
    TooManyVariables,
    /// A name no variable may have.
    #[error(
        "{0} cannot be a variable: a name has 1 to 256 letters, digits, - and _, and does not begin with AWS"
    )]
    Variable(String),
    /// A template without characters, or with too many.
    #[error("InputTemplate has 1 to {INPUT_TEMPLATE_CHARS_MAX} characters")]
    TemplateLength,
    /// `<…>` around something that is no variable. The text is AWS's.
    #[error("InputTemplate contains invalid placeholder {0}.")]
    Placeholder(String),
    /// A variable in the name of a member.
    #[error("InputTemplate uses a variable in an object key, {0}")]
    Key(String),
    /// A template of JSON that is not JSON.
    #[error("InputTemplate is not valid JSON: {0}")]
    Template(crate::JsonFault),
    /// A template of text without quotes.
    #[error("InputTemplate is not in quotes: for strings, quotes are required")]
    Quotes,
}
