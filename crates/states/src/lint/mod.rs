//! Doubts about a document that runs, or could: branches that nobody chose,
//! calls that do not exist, secrets, waits without end.

mod calls;
mod choices;
mod condition;
mod nearest;
mod secrets;
mod timeouts;

use crate::diagnostic::{Diagnostic, Faults};
use crate::document::walk::each_state;
use crate::limits::DOCUMENT_BYTES_MAX;
use serde_json::Value;

/// What AWS can do, for the caller to say: this crate has no service models.
pub trait Catalog {
    /// The services, as the resources of tasks name them: `ec2`, `cloudwatchlogs`.
    fn services(&self) -> Vec<String>;

    /// The actions of a service, the first letter small: `describeInstances`.
    /// `None`: there is no such service.
    fn actions(&self, service: &str) -> Option<Vec<String>>;

    /// The parameters of an action, the first letter large: `InstanceIds`.
    /// `None`: there is no such action.
    fn parameters(&self, service: &str, action: &str) -> Option<Vec<String>>;
}

/// Every doubt about a document, as warnings. It looks at faulty documents too:
/// what [`Definition::parse`](crate::Definition::parse) says of a document and
/// what this says of it never overlap. Text that is not JSON has no doubts.
///
/// With a catalogue, calls of `aws-sdk` that do not exist and misspelt parameters
/// are named, with the nearest that exist.
pub fn lint(text: &str, catalog: Option<&dyn Catalog>) -> Vec<Diagnostic> {
    let mut faults = Faults::default();
    if text.len() > DOCUMENT_BYTES_MAX {
        return Vec::new();
    }
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        return Vec::new();
    };
    let bounded = document.get("TimeoutSeconds").is_some();
    each_state(
        &document,
        &mut |written| match written.state.get("Type").and_then(Value::as_str) {
            Some("Choice") => choices::check(written, &mut faults),
            Some("Task") => {
                timeouts::check(written, bounded, &mut faults);
                if let Some(catalog) = catalog {
                    calls::check(written, catalog, &mut faults);
                }
            }
            _ => {}
        },
    );
    secrets::check(&document, "", &mut faults);
    faults.into_list()
}
