//! What an EventBridge connection holds: the credentials for a server that is not of AWS.

use std::fmt;

use serde_json::{Value, json};

use crate::error::{AwsError, ServiceError};
use crate::execute::{Job, Safety};
use crate::session::ReadSession;

/// An EventBridge connection, with its secret.
#[derive(Clone, PartialEq)]
pub struct ConnectionSecret {
    /// `AUTHORIZED`, or why it cannot be used.
    pub state: String,
    /// `API_KEY`, `BASIC`, `OAUTH_CLIENT_CREDENTIALS`.
    pub authorization_type: String,
    /// What EventBridge keeps in Secrets Manager: credentials and parameters, their names in lower case with `_`.
    pub secret: Value,
}

/// Without the secret.
impl fmt::Debug for ConnectionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionSecret")
            .field("state", &self.state)
            .field("authorization_type", &self.authorization_type)
            .finish_non_exhaustive()
    }
}

/// What the secrets of connections are called, and no others.
const SECRETS: &str = ":secret:events!connection/";

impl ReadSession {
    /// The connection with this ARN. Its secret is the one secret that a session which reads can be told, because a
    /// request to a server is made with it; it is EventBridge's own, and whoever may use the connection may read it.
    ///
    /// # Errors
    /// Whatever a call may meet; `ResourceNotFoundException` also for a connection that was made anew under its name.
    pub async fn connection(&self, arn: &str) -> Result<ConnectionSecret, AwsError> {
        let resource = arn.splitn(6, ':').last().unwrap_or_default();
        let name = resource.split('/').nth(1).unwrap_or_default();
        let found = self
            .call("events", "DescribeConnection", &json!({"Name": name}))
            .await?;
        let text = |name: &str| found.value.get(name).and_then(|part| part.as_str());
        if text("ConnectionArn") != Some(arn) {
            return Err(missing("events", "DescribeConnection", found.request_id));
        }
        let secret = text("SecretArn").filter(|arn| arn.contains(SECRETS));
        let secret = secret
            .ok_or_else(|| missing("events", "DescribeConnection", found.request_id.clone()))?;
        Ok(ConnectionSecret {
            state: text("ConnectionState").unwrap_or_default().to_owned(),
            authorization_type: text("AuthorizationType").unwrap_or_default().to_owned(),
            secret: self.secret(secret).await?,
        })
    }

    async fn secret(&self, arn: &str) -> Result<Value, AwsError> {
        let (client, scope, deadline) = self.parts();
        let job = Job {
            service: "secretsmanager",
            operation: "GetSecretValue",
            params: &json!({"SecretId": arn}),
            region: &scope.region,
            role: scope.role.as_ref(),
            safety: Safety::Repeatable,
            deadline,
            idempotency_token: None,
        };
        let found = client.inner.call(&job).await?;
        let text = found
            .value
            .get("SecretString")
            .and_then(|part| part.as_str());
        let read = text.and_then(|text| serde_json::from_str(text).ok());
        read.ok_or_else(|| missing("secretsmanager", "GetSecretValue", found.request_id))
    }
}

fn missing(service: &str, operation: &str, request_id: Option<String>) -> AwsError {
    let code = "ResourceNotFoundException";
    AwsError::from(Box::new(ServiceError {
        service: service.to_owned(),
        operation: operation.to_owned(),
        code: code.to_owned(),
        message: "there is no such connection, or nothing in its secret".to_owned(),
        request_id,
        status: 404,
        shape: Some(code.to_owned()),
        attempts: 1,
        is_changing: false,
        is_throttling: false,
        bucket_region: None,
    }))
}
