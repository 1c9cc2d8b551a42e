//! Tasks of `http:invoke`: the connection's credentials, the request, the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quell_aws::{AwsError, ConnectionSecret, Scope};
use quell_guard::Permit;
use quell_model::ErrorKind;
use quell_respond::task::{Authorization, Connection, HttpTask, Parameters, TaskFault};
use serde_json::Value;

use super::effects::Outcome;
use crate::app::App;
use crate::http::NoAnswer;

/// Whether a request that may change something is covered by the permit.
pub(super) fn permitted(
    app: &App,
    scope: &Scope,
    task: &HttpTask,
    permit: &Permit,
) -> Result<(), TaskFault> {
    let now = app.clock.now();
    permit
        .check(&scope.account, &scope.region, task.call(), now)
        .map_err(|no| fault("States.Permissions", no.to_string()))
}

/// Sends the request of a task, once.
pub(super) async fn send(app: &App, scope: &Scope, task: &HttpTask) -> Outcome {
    // Before any secret is read for it.
    if let Err(no) = app.http.check(task.endpoint()) {
        return no_answer(task, &no);
    }
    let request = match connection(app, scope, task.connection()).await {
        Ok(connection) => task.request(&connection, &scope.region),
        Err(fault) => Err(fault),
    };
    let request = match request {
        Ok(request) => request,
        Err(fault) => return Outcome::failed(&fault.error, fault.cause),
    };
    match app.http.send(&request).await {
        Ok(answer) => {
            let refused = answer.status;
            match task.answered(answer) {
                Ok(output) => Outcome::Succeeded {
                    output,
                    request_id: None,
                },
                Err(fault) => {
                    let receipt = receipt(refused, &fault.error);
                    Outcome::fault(fault, receipt)
                }
            }
        }
        Err(no) => no_answer(task, &no),
    }
}

/// What a server's status says of whether the request took effect.
fn receipt(status: u16, error: &str) -> quell_model::Outcome {
    match status {
        200..300 => quell_model::Outcome::Accepted,
        500.. => quell_model::Outcome::Unknown {
            reason: format!("the server answered {status}"),
        },
        _ => quell_model::Outcome::Refused {
            code: error.to_owned(),
        },
    }
}

fn no_answer(task: &HttpTask, no: &NoAnswer) -> Outcome {
    let cause = no.to_string();
    match no {
        NoAnswer::NotAllowed(_) => Outcome::failed("Quell.NotPermitted", cause),
        NoAnswer::NotSent(_) => {
            let fault = task.unanswered(&cause);
            Outcome::failed(&fault.error, fault.cause)
        }
        NoAnswer::Lost(reason) => {
            let reason = reason.clone();
            Outcome::fault(
                task.unanswered(&cause),
                quell_model::Outcome::Unknown { reason },
            )
        }
        NoAnswer::TooLarge => Outcome::fault(
            fault("States.DataLimitExceeded", cause),
            quell_model::Outcome::Accepted,
        ),
    }
}

/// What the connection adds. It is one of the run's own account and Region: a document cannot point elsewhere.
async fn connection(app: &App, scope: &Scope, arn: &str) -> Result<Connection, TaskFault> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let mut part = || parts.next().unwrap_or_default();
    let is_here = part() == "events" && part() == scope.region && part() == scope.account;
    if !is_here || !part().starts_with("connection/") {
        let cause = format!(
            "{arn} is no connection in {} {}",
            scope.account, scope.region
        );
        return Err(trouble("AccessDenied", cause));
    }
    let Some(aws) = &app.aws else {
        return Err(fault(
            "Quell.NoCredentials",
            "there are no AWS credentials".to_owned(),
        ));
    };
    let found = async { aws.read_session(scope).await?.connection(arn).await };
    let found = found.await.map_err(|error| unread(&error))?;
    if found.state != "AUTHORIZED" {
        let cause = format!("the connection is {}", found.state);
        return Err(trouble("InvalidConnectionState", cause));
    }
    Ok(Connection {
        authorization: Some(authorization(&found)?),
        parameters: parameters(&found.secret),
    })
}

fn authorization(found: &ConnectionSecret) -> Result<Authorization, TaskFault> {
    let text = |name: &str| {
        let value = found.secret.get(name).and_then(Value::as_str);
        let missing = || {
            trouble(
                "InternalError",
                format!("the connection's secret has no {name}"),
            )
        };
        value.map(str::to_owned).ok_or_else(missing)
    };
    match found.authorization_type.as_str() {
        "API_KEY" => Ok(Authorization::ApiKey {
            name: text("api_key_name")?,
            value: text("api_key_value")?,
        }),
        "BASIC" => {
            let pair = format!("{}:{}", text("username")?, text("password")?);
            let header = format!("Basic {}", BASE64.encode(pair));
            Ok(Authorization::Header(header))
        }
        other => Err(trouble(
            "InvalidConnectionState",
            format!("connections of the type {other} cannot be used here"),
        )),
    }
}

fn parameters(secret: &Value) -> Parameters {
    let list = |name: &str| {
        let list = secret
            .get("invocation_http_parameters")
            .and_then(|all| all.get(name));
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|pair| {
            let text = |name: &str| pair.get(name)?.as_str().map(str::to_owned);
            Some((text("key")?, text("value")?))
        })
        .collect()
    };
    Parameters {
        headers: list("header_parameters"),
        query: list("query_string_parameters"),
        body: list("body_parameters"),
    }
}

fn unread(error: &AwsError) -> TaskFault {
    let name = match error.kind() {
        ErrorKind::Denied => "AccessDenied",
        ErrorKind::NotFound => "ResourceNotFound",
        _ => "InternalError",
    };
    trouble(name, error.to_string())
}

fn trouble(name: &str, cause: String) -> TaskFault {
    fault(&format!("Events.ConnectionResource.{name}"), cause)
}

fn fault(error: &str, cause: String) -> TaskFault {
    let error = error.to_owned();
    TaskFault { error, cause }
}
