//! Cedar policies: which calls of which playbooks are allowed where.
//!
//! [`PolicySet`] is content, checked strictly against a schema, and answers the guard's [`quell_guard::Question`]s. Cedar is in this room
//! alone: what only wants permits (the AWS client) does without its seventy crates.
//!
//! It fails closed: a policy file with a fault, a policy that cannot be evaluated, and a call that no policy permits are all a no.
//!
//! **Invariant:** no clock, no socket, no file, no random number.

mod judge;
mod load;
mod schema;

pub use judge::Considered;
pub use load::{Effect, Entry, PolicyFile, PolicySet, Vocabulary};
pub use schema::{Action, PUBLISHED, schema_text};
