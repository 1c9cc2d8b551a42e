//! An object that a distributed Map is reading or writing. Plain data.

use super::reader::Reading;
use crate::family::Family;
use crate::ids::TaskId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;

/// One read or write under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(crate) task: TaskId,
    pub(crate) family: Box<Family>,
    pub(crate) work: Work,
}

/// What is being moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// The objects with the items.
    Read(Reading),
    /// The arguments of the writes still to make, and the state's result after them.
    Write {
        left: VecDeque<Value>,
        result: Value,
    },
}
