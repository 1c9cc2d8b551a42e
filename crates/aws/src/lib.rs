//! The AWS client: any call by name, driven by service models.
//!
//! A [`Client`] is made once. Calls are made through sessions: a [`ReadSession`] only reads, a [`ChangeSession`]
//! wants a permit for each call, a [`HomeSession`] is Quell's own plumbing. Parameters and answers are JSON in the
//! API's own spelling, but for the tasks of playbooks, which have that of Step Functions ([`names`]); times are RFC 3339
//! text and blobs base64, both ways.
//!
//! **Invariant:** no other room talks to AWS, and no changing call is made here without a permit or a line in the
//! list of `session.rs`. A call that changes something is never sent twice unless AWS proved that the first did
//! nothing.

// The tests' helpers are shared with `tests/`, where the crate goes by its name.
#[cfg(test)]
extern crate self as quell_aws;

mod chain;
mod checksum;
mod client;
mod config;
mod connect;
mod connection;
mod credentials;
mod draft;
pub mod endpoint;
mod error;
mod execute;
mod jmes;
pub mod model;
#[cfg(test)]
mod moto_tests;
pub mod names;
mod object;
mod output;
mod pace;
mod paginate;
mod presign;
pub mod protocol;
mod read_only;
mod redact;
pub mod registry;
mod retry;
mod role;
mod scalar;
mod sensitive;
mod session;
pub mod sign;
mod skew;
mod task;
mod transport;
pub mod validate;
mod waiter;
#[cfg(test)]
mod wire_tests;
mod withheld;

pub use chain::StandardChain;
pub use client::{Client, MemberFacts, OperationFacts};
pub use config::{
    Clock, Config, Limit, Limits, Proxies, Random, Retries, RetryMode, S3Options, ServiceLimits,
    Timeouts,
};
pub use connection::ConnectionSecret;
pub use draft::Draft;
pub use error::{AwsError, ServiceError, states_error};
pub use names::{Spelling, optimized_error, sdk_service};
pub use object::ObjectStream;
pub use output::{Output, Part};
pub use paginate::{AllPages, Items, PageError, PageLimits, Pages};
pub use presign::Presigned;
pub use read_only::is_read_only;
pub use role::{RoleToAssume, Scope};
pub use sensitive::{HIDDEN, hide_sensitive};
pub use session::{ChangeSession, HomeSession, ReadSession, Response};
pub use waiter::{WaitError, WaitLimits, Waited};

pub use aws_credential_types::Credentials;
pub use aws_credential_types::provider::SharedCredentialsProvider;
