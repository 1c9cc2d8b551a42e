//! JSONPath as Step Functions speaks it: paths, intrinsic functions, payload
//! templates, and the five fields that shape a state's data.

mod cursor;
mod filter;
mod functions;
mod intrinsic;
mod path;
mod payload;
mod query;
mod reference;
mod select;
mod shape;

pub(crate) use payload::Payload;
pub(crate) use query::{Query, View};
pub(crate) use reference::ResultPath;
pub(crate) use shape::{Shape, ShapeFields};
