//! What a task of a document means, and the doing of it.

use quell_aws::{AwsError, Scope, states_error};
use quell_guard::{Decision, Level, Permit, Situation};
use quell_model::{Call, ErrorKind, Plan, Resource, Timestamp};
use quell_respond::run::PERMIT_QUEUE;
use quell_respond::{Mode, Playbook, Roles, Run};
use quell_states::{Pattern, Resource as TaskResource, TaskRequest};
use quell_store::{Document, Kind, StoreError, Write};
use serde_json::Value;

use crate::app::App;

/// What a task wants done.
pub(super) enum Want {
    /// The gate: a permit for this plan.
    Permit(Value),
    /// A call that only reads.
    Read(Scope, Call),
    /// A call that changes something.
    Change(Scope, Call),
    /// Nothing that a playbook may do.
    Impossible(String),
}

/// How a task ended.
pub(super) enum Outcome {
    Succeeded {
        output: Value,
        request_id: Option<String>,
    },
    Failed {
        error: String,
        cause: String,
        receipt: quell_model::Outcome,
    },
    TimedOut,
}

impl Outcome {
    pub(super) fn failed(error: &str, cause: impl Into<String>) -> Self {
        let receipt = quell_model::Outcome::Refused {
            code: error.to_owned(),
        };
        Self::Failed {
            error: error.to_owned(),
            cause: cause.into(),
            receipt,
        }
    }

    pub(super) fn request_id(&self) -> Option<String> {
        match self {
            Self::Succeeded { request_id, .. } => request_id.clone(),
            Self::Failed { .. } | Self::TimedOut => None,
        }
    }

    pub(super) fn for_receipt(&self) -> quell_model::Outcome {
        match self {
            Self::Succeeded { .. } => quell_model::Outcome::Accepted,
            Self::Failed { receipt, .. } => receipt.clone(),
            Self::TimedOut => quell_model::Outcome::Unknown {
                reason: "no answer in time".to_owned(),
            },
        }
    }
}

/// Understands a task. The account, Region and roles are the run's own: a document cannot point elsewhere.
pub(super) fn want(app: &App, playbook: &Playbook, run: &Run, request: &TaskRequest) -> Want {
    if let TaskResource::Optimized {
        service,
        pattern: Pattern::WaitForTaskToken,
        ..
    } = &request.resource
    {
        let queue = request.arguments.get("QueueUrl").and_then(Value::as_str);
        let plan = request.arguments.pointer("/MessageBody/plan");
        return match (service.as_str(), queue, plan) {
            ("sqs", Some(PERMIT_QUEUE), Some(plan)) => Want::Permit(plan.clone()),
            _ => Want::Impossible(
                "the only queue that a playbook may send to is the permit queue".to_owned(),
            ),
        };
    }
    let Some(call) = Call::of_task(&request.resource.to_string(), &request.arguments) else {
        return Want::Impossible(format!(
            "{} is not a resource a playbook may use",
            request.resource
        ));
    };
    let roles = roles(app, &run.resource);
    let changing = !quell_aws::is_read_only(quell_aws::sdk_service(&call.service), &call.operation);
    let role = if changing { &roles.act } else { &roles.read };
    if request.credentials_role.as_ref() != Some(role) {
        let used = request.credentials_role.as_deref().unwrap_or("no role");
        return Want::Impossible(format!(
            "{}:{} is made as {role}, not as {used}",
            call.service, call.operation
        ));
    }
    let scope = app.scope(&run.resource, role, &run.id);
    match changing {
        true if playbook.declaration().covers(&call) => Want::Change(scope, call),
        true => Want::Impossible(format!(
            "{} does not declare {}:{}",
            playbook.id, call.service, call.operation
        )),
        false => Want::Read(scope, call),
    }
}

/// The roles in a resource's account; roles that cannot exist when the account is not in scope.
pub(super) fn roles(app: &App, resource: &Resource) -> Roles {
    match app.account(&resource.arn.account) {
        Some(account) => App::roles(account, &resource.arn.partition),
        None => Roles {
            read: String::new(),
            act: String::new(),
        },
    }
}

pub(super) async fn read(app: &App, scope: &Scope, call: &Call) -> Outcome {
    let Some(aws) = &app.aws else { return no_aws() };
    let answer = async {
        aws.read_session(scope)
            .await?
            .task(&call.service, &call.operation, &call.params)
            .await
    };
    ended(answer.await)
}

pub(super) async fn change(app: &App, scope: &Scope, permit: &Permit, call: &Call) -> Outcome {
    let Some(aws) = &app.aws else { return no_aws() };
    let answer = async { aws.change_session(scope).await?.call(permit, call).await };
    ended(answer.await)
}

fn no_aws() -> Outcome {
    Outcome::failed("Quell.NoCredentials", "there are no AWS credentials")
}

fn ended(answer: Result<quell_aws::Response<Value>, AwsError>) -> Outcome {
    match answer {
        Ok(response) => Outcome::Succeeded {
            output: response.value,
            request_id: response.request_id,
        },
        Err(e) => {
            let (error, cause) = states_error(&e);
            let receipt = match e.may_have_happened() {
                true => quell_model::Outcome::Unknown {
                    reason: e.to_string(),
                },
                false => quell_model::Outcome::Refused {
                    code: e.code().unwrap_or(&error).to_owned(),
                },
            };
            if e.kind() == ErrorKind::Denied {
                tracing::warn!(error = %e, "AWS denied a call of a playbook");
            }
            Outcome::Failed {
                error,
                cause,
                receipt,
            }
        }
    }
}

/// Asks the guard.
pub(super) fn decide(
    app: &App,
    playbook: &Playbook,
    run: &Run,
    plan: &Plan,
    budget_left: u64,
) -> Decision {
    let account = app.account(&run.resource.arn.account);
    let situation = Situation {
        run: &run.id,
        resource: &run.resource,
        declaration: playbook.declaration(),
        undo: run.undo.as_ref().filter(|_| run.mode == Mode::Undo),
        account_in_scope: account.is_some(),
        level: account.map_or(Level::Observe, |a| app.level(playbook, a)),
        halted: app.is_halted(),
        budget_left,
        approval: run.approval.as_ref(),
        requested_by: run.requested_by.as_deref(),
        now: app.clock.now(),
    };
    quell_guard::decide(plan, &situation)
}

/// How many changing calls an account has left in this hour. It is spent in the batch that notes the permit.
pub(super) struct Budget {
    stored: Option<Document>,
    id: String,
    spent: u64,
    limit: u64,
    now: Timestamp,
}

impl Budget {
    pub(super) async fn read(app: &App, run: &Run, now: Timestamp) -> Result<Self, StoreError> {
        let hour = now.seconds().div_euclid(3600);
        let id = format!("changes:{}:{hour}", run.resource.arn.account);
        let stored = app.state.get(Kind::Counter, &id).await?;
        let spent = stored
            .as_ref()
            .map(Document::read::<u64>)
            .transpose()?
            .unwrap_or(0);
        Ok(Self {
            stored,
            id,
            spent,
            limit: app.config.respond.changes_per_account_hour,
            now,
        })
    }

    pub(super) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent)
    }

    /// The write that spends `changes`. It conflicts when another run spent meanwhile: the run asks anew.
    pub(super) fn spend(self, changes: usize) -> Result<Write, StoreError> {
        let spent = self
            .spent
            .saturating_add(u64::try_from(changes).unwrap_or(u64::MAX));
        match self.stored {
            Some(document) => Ok(Write::Update(document.with("spent", &spent)?)),
            None => Ok(Write::Insert(Document::new(
                Kind::Counter,
                self.id,
                "spent",
                self.now,
                &spent,
            )?)),
        }
    }
}
