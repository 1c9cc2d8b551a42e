//! A request as it would be written, for people to look at. It is neither signed nor sent.

use bytes::Bytes;
use serde_json::Value;

use crate::client::Client;
use crate::error::AwsError;
use crate::execute::{Job, Safety};
use crate::{names, registry, sensitive};

/// A request that is not sent. Its sensitive members are asterisks; what signing adds is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// `POST`.
    pub method: String,
    /// Where it would go, with path and query.
    pub url: String,
    /// Header names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// Writes the request of a call as it would go to `region`, with Quell's own credentials. Nothing is sent and no
    /// credentials are asked for, so any operation may be looked at.
    ///
    /// # Errors
    /// As for the call itself, as long as it is not sent.
    pub fn draft(
        &self,
        service: &str,
        operation: &str,
        params: &Value,
        region: &str,
    ) -> Result<Draft, AwsError> {
        let service = names::sdk_service(service);
        let (model, described) = registry::operation(service, operation)?;
        let job = |params| Job {
            service,
            operation,
            params,
            region,
            role: None,
            safety: Safety::Once,
            deadline: None,
            idempotency_token: None,
        };
        // What is wrong with the parameters themselves is told before they are masked.
        let as_given = self.inner.draft(&job(params))?;
        let Some(input) = &described.input else {
            return Ok(as_given);
        };
        let masked = sensitive::masked(model.view(input), params);
        self.inner.draft(&job(&masked))
    }
}
