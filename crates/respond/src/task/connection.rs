//! What an EventBridge connection adds to a request: credentials, and parameters of its own.

use std::fmt;

/// What a connection adds. Never printed: all of it may be secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// How the request says who it is from.
    pub authorization: Option<Authorization>,
    /// What is added besides, and wins over the task's own.
    pub parameters: Parameters,
}

/// How a request says who it is from.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A header of this name with this value.
    ApiKey {
        /// The header's name.
        name: String,
        /// The key.
        value: String,
    },
    /// The finished value of the `Authorization` header: `Basic …`, `Bearer …`.
    Header(String),
}

/// Names and values for the parts of a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Members of the body.
    pub body: Vec<(String, String)>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection(…)")
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(…)")
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parameters(…)")
    }
}
