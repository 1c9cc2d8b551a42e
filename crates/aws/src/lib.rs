//! The AWS client: any call by name, driven by service models.
//!
//! A [`Client`] is made once. Calls are made through sessions: a [`ReadSession`] only reads, a [`ChangeSession`]
//! wants a permit for each call, a [`HomeSession`] is Quell's own plumbing. Parameters and answers are JSON in the
//! API's own spelling; times are RFC 3339 text and blobs base64, both ways.
//!
//! **Invariant:** no other room talks to AWS, and no changing call is made here without a permit or a line in the
//! list of `session.rs`. A call that changes something is never sent twice unless AWS proved that the first did
//! nothing.

// The tests' helpers are shared with `tests/`, where the crate goes by its name.
#[cfg(test)]
extern crate self as quell_aws;

mod checksum;
mod client;
mod config;
mod credentials;
mod endpoint;
mod error;
mod execute;
pub mod model;
mod names;
mod object;
pub mod protocol;
mod read_only;
mod registry;
mod retry;
mod scalar;
mod session;
mod sign;
mod transport;
pub mod validate;
#[cfg(test)]
mod wire_tests;

pub use client::{Client, MemberFacts, OperationFacts};
pub use config::{Clock, Config, Random, Retries, Timeouts};
pub use credentials::{RoleToAssume, Scope};
pub use error::{AwsError, ServiceError, states_error};
pub use names::sdk_service;
pub use object::ObjectStream;
pub use read_only::is_read_only;
pub use registry::SERVICES;
pub use session::{ChangeSession, HomeSession, ReadSession, Response};

pub use aws_credential_types::Credentials;
pub use aws_credential_types::provider::SharedCredentialsProvider;
