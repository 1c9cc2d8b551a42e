//! Amazon States Language: validate a document, then step an execution.
//!
//! Two types carry the crate. [`Definition::parse`] turns a document into a
//! validated [`Definition`], or into every fault it has at once.
//! [`Execution::step`] takes one [`Event`] and the [`Moment`] it arrived at, and
//! returns the new execution, the history it wrote and the [`Effect`]s the
//! caller must carry out. It touches nothing itself: no clock, socket, file or
//! random number, so replaying the same events rebuilds the same execution.
//!
//! **Invariant:** nothing here knows what a task does. Tasks leave as
//! [`Effect::StartTask`] and come back as [`Event::TaskSucceeded`] or
//! [`Event::TaskFailed`].

mod clock;
mod definition;
mod diagnostic;
mod document;
mod effect;
mod event;
mod execution;
mod failure;
mod family;
mod history;
mod ids;
mod integrations;
pub mod jsonata;
mod jsonpath;
pub mod limits;
mod lint;
mod outline;
mod random;
mod resource;
mod run;
mod seen;
mod states;
mod template;
mod thread;
mod trial;

pub use clock::{Moment, TokenKey};
pub use definition::{Definition, RetriedTask, TaskRef};
pub use diagnostic::{Diagnostic, DiagnosticCode, Severity};
pub use effect::{Effect, TaskRequest};
pub use event::Event;
pub use execution::{ChildEvent, Execution, MachineRef, OpenTask, Status, Step};
pub use history::{HistoryEvent, HistoryEventType};
pub use ids::{TaskId, TimerId};
pub use lint::{Catalog, lint};
pub use outline::{Inside, Outline, StateOutline, Transition};
pub use resource::{Pattern, Resource, ResourceError};
pub use trial::{Trial, Verdict, Work};
