//! ResultPath: where a result goes in the state's input.

use super::path::{Path, Step};
use crate::failure::{Failure, RESULT_PATH_MATCH_FAILURE};
use serde_json::{Map, Value};

/// A place for a result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ResultPath {
    /// `null`: the result is dropped.
    Nowhere,
    /// `$` and every path below it.
    At(Path, String),
}

impl ResultPath {
    /// Parses a reference path.
    pub(crate) fn parse(text: &str) -> Option<ResultPath> {
        let path = Path::parse(text)?;
        path.is_reference()
            .then(|| ResultPath::At(path, text.to_owned()))
    }

    /// Puts `result` into `input`, making the objects that are missing.
    pub(crate) fn put(&self, result: Value, input: &Value) -> Result<Value, Failure> {
        let ResultPath::At(path, text) = self else {
            return Ok(input.clone());
        };
        let mut whole = input.clone();
        match place(&mut whole, path.steps()) {
            Some(at) => *at = result,
            None => {
                return Err(Failure::interpreter(
                    RESULT_PATH_MATCH_FAILURE,
                    format!("Unable to apply ResultPath '{text}' to input '{input}'"),
                ));
            }
        }
        Ok(whole)
    }
}

fn place<'v>(mut value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    for step in steps {
        value = match step {
            Step::Child(name) => {
                if value.is_null() {
                    *value = Value::Object(Map::new());
                }
                value
                    .as_object_mut()?
                    .entry(name.clone())
                    .or_insert(Value::Null)
            }
            Step::Index(index) => value
                .as_array_mut()?
                .get_mut(usize::try_from(*index).ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}
