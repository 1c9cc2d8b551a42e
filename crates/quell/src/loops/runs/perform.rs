//! The doing of a task: calls to AWS, and requests to other servers.

use quell_aws::{AwsError, Scope, Spelling, optimized_error, states_error};
use quell_guard::Permit;
use quell_model::ErrorKind;
use quell_respond::task::{Answer, AwsTask, TaskFault, Work};

use super::effects::Outcome;
use crate::app::App;

/// Does what only reads.
pub(super) async fn read(app: &App, scope: &Scope, work: &Work) -> Outcome {
    match work {
        Work::Aws(task) => call(app, scope, task, None).await,
        other => Outcome::fault(not_here(other), quell_model::Outcome::Accepted),
    }
}

/// Does what changes something, under a permit. `once_as`: the name under which AWS knows the call when it is made again.
pub(super) async fn change(
    app: &App,
    scope: &Scope,
    permit: &Permit,
    work: &Work,
    once_as: &str,
) -> Outcome {
    match work {
        Work::Aws(task) => call(app, scope, task, Some((permit, once_as))).await,
        other => Outcome::fault(not_here(other), quell_model::Outcome::Accepted),
    }
}

/// A fault of ours: what is stored and not sent is done elsewhere.
fn not_here(work: &Work) -> TaskFault {
    TaskFault {
        error: "Quell.Bug".to_owned(),
        cause: format!("{work:?} is nothing to send"),
    }
}

async fn call(
    app: &App,
    scope: &Scope,
    task: &AwsTask,
    permit: Option<(&Permit, &str)>,
) -> Outcome {
    let Some(aws) = &app.aws else {
        return Outcome::failed("Quell.NoCredentials", "there are no AWS credentials");
    };
    let spelling = match task.is_optimized() {
        true => Spelling::Optimized,
        false => Spelling::Sdk,
    };
    let (call, token) = (task.call(), task.token());
    let answer = async {
        match permit {
            Some((permit, once_as)) => {
                let session = aws.change_session(scope).await?.once_as(once_as);
                session.call(permit, call, spelling, token).await
            }
            None => {
                let sent = call.clone().with_token(token.unwrap_or_default());
                let session = aws.read_session(scope).await?;
                let (service, operation) = (&sent.service, &sent.operation);
                session
                    .task(service, operation, &sent.params, spelling)
                    .await
            }
        }
    };
    match answer.await {
        Ok(response) => answered(task, response),
        Err(error) => refused(task, &error),
    }
}

fn answered(task: &AwsTask, response: quell_aws::Response) -> Outcome {
    let request_id = response.request_id.clone();
    let answer = Answer {
        value: response.value,
        status: response.status,
        headers: response.headers,
        request_id: response.request_id,
    };
    match task.answered(answer) {
        Ok(output) if task.waits_for_token() => Outcome::Elsewhere { output, request_id },
        Ok(output) => Outcome::Succeeded { output, request_id },
        // AWS took the call: it is what was called that failed.
        Err(fault) => Outcome::fault(fault, quell_model::Outcome::Accepted),
    }
}

fn refused(task: &AwsTask, error: &AwsError) -> Outcome {
    let (name, cause) = match task.is_optimized() {
        true => optimized_error(error),
        false => states_error(error),
    };
    let receipt = match error.may_have_happened() {
        true => quell_model::Outcome::Unknown {
            reason: error.to_string(),
        },
        false => quell_model::Outcome::Refused {
            code: error.code().unwrap_or(&name).to_owned(),
        },
    };
    if error.kind() == ErrorKind::Denied {
        tracing::warn!(%error, "AWS denied a call of a playbook");
    }
    Outcome::fault(TaskFault { error: name, cause }, receipt)
}
