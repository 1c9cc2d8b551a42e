//! What a task of a document means, and what the guard says of a plan.

use std::collections::BTreeMap;

use quell_aws::Scope;
use quell_guard::proof::Known;
use quell_guard::{Decision, Family, Level, NeverTouch, Orders, Place, Situation};
use quell_model::{Call, Caller, Plan, Resource};
use quell_respond::task::{TaskFault, Work};
use quell_respond::{Mode, Playbook, Roles, Run, Watch};
use quell_states::TaskRequest;
use quell_store::{Kind, Query};
use serde_json::Value;

use crate::app::App;
use crate::orders::{LaidDown, images};
use crate::runner::{Answer, Ended};

/// What a task wants done, and what that takes.
pub(super) enum Want {
    /// The gate: a permit for this plan.
    Permit(Value),
    /// Something that only reads.
    Read(Scope, Work),
    /// Something that changes something.
    Change(Scope, Work),
    /// Nothing that a playbook may do.
    Impossible(TaskFault),
}

/// How a task ended.
pub(super) enum Outcome {
    Succeeded {
        output: Value,
        request_id: Option<String>,
    },
    /// The call was answered so, and somebody else says how the task ends.
    Elsewhere {
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

    /// The task ended badly though nobody refused the call, or there was none.
    pub(super) fn fault(fault: TaskFault, receipt: quell_model::Outcome) -> Self {
        let TaskFault { error, cause } = fault;
        Self::Failed {
            error,
            cause,
            receipt,
        }
    }

    /// The outcome as the runner takes it.
    pub(super) fn into_answer(self) -> Answer {
        match self {
            Self::Succeeded { output, .. } => Answer::of(Ended::Succeeded(output)),
            Self::Elsewhere { output, .. } => Answer::of(Ended::Elsewhere(output)),
            Self::Failed { error, cause, .. } => Answer::failed(error, cause),
            Self::TimedOut => Answer::failed("States.Timeout", ""),
        }
    }

    pub(super) fn request_id(&self) -> Option<String> {
        match self {
            Self::Succeeded { request_id, .. } | Self::Elsewhere { request_id, .. } => {
                request_id.clone()
            }
            Self::Failed { .. } | Self::TimedOut => None,
        }
    }

    pub(super) fn for_receipt(&self) -> quell_model::Outcome {
        match self {
            Self::Succeeded { .. } | Self::Elsewhere { .. } => quell_model::Outcome::Accepted,
            Self::Failed { receipt, .. } => receipt.clone(),
            Self::TimedOut => quell_model::Outcome::Unknown {
                reason: "no answer in time".to_owned(),
            },
        }
    }
}

/// Understands a task. The account, Region and roles are the run's own: a document cannot point elsewhere.
pub(super) fn want(app: &App, playbook: &Playbook, run: &Run, request: &TaskRequest) -> Want {
    let work = match Work::of(request, &Caller::new(&run.id, &run.playbook)) {
        Ok(Work::Gate(plan)) => return Want::Permit(plan),
        Ok(work) => work,
        Err(fault) => return Want::Impossible(fault),
    };
    let Some(call) = work.call() else {
        return not_permitted(format!("{} is no call", request.resource));
    };
    let roles = roles(app, &run.resource);
    let changing = changes(&work, call);
    let role = match changing {
        true => roles.acting(&call.service, &call.operation),
        false => roles.reading(&call.service, &call.operation),
    };
    let named = request.credentials_role.as_ref();
    // What is not of AWS is done as nobody.
    let is_fit = named.map(String::as_str) == Some(role)
        || (named.is_none() && !matches!(work, Work::Aws(_)));
    if !is_fit {
        let used = named.map_or("no role", String::as_str);
        return not_permitted(format!(
            "{}:{} is made as {role}, not as {used}",
            call.service, call.operation
        ));
    }
    let family = Family::of(&call.service, &call.operation);
    let scope = app.scope_of(family, &run.resource, role, &run.id);
    match changing {
        true if playbook.declaration().covers(call) => Want::Change(scope, work),
        true => not_permitted(format!(
            "{} does not declare {}:{}",
            playbook.id, call.service, call.operation
        )),
        false => Want::Read(scope, work),
    }
}

fn not_permitted(cause: String) -> Want {
    let error = "Quell.NotPermitted".to_owned();
    Want::Impossible(TaskFault { error, cause })
}

fn changes(work: &Work, call: &Call) -> bool {
    match work {
        Work::Http(task) => !task.only_reads(),
        Work::Gate(_) | Work::Execution(_) | Work::Activity(_) => true,
        Work::Aws(_) => {
            !quell_aws::is_read_only(quell_aws::sdk_service(&call.service), &call.operation)
        }
    }
}

/// The roles for a run about a resource; roles that cannot exist when its account is not in scope.
pub(super) fn roles(app: &App, resource: &Resource) -> Roles {
    match app.account(&resource.account) {
        Some(account) => {
            app.with_organization(App::roles(account, &resource.arn.partition), resource)
        }
        None => Roles {
            read: String::new(),
            read_organization: None,
            act: BTreeMap::new(),
        },
    }
}

/// Asks the guard.
pub(super) async fn decide(
    app: &App,
    playbook: &Playbook,
    run: &Run,
    plan: &Plan,
    budgets: &[quell_guard::Budget],
) -> Decision {
    let account = app.account(&run.resource.account);
    let (names, accounts) = (app.never_touched(), app.account_ids());
    let (now, respond) = (app.clock.now(), &app.config.respond);
    let laid_down = LaidDown::read(&*app.state, &run.incident, now).await;
    let detections = laid_down.detections();
    let approved = images::of_run(&*app.state, run, now).await;
    let refused_before = refused_before(app, run).await;
    let situation = Situation {
        run: &run.id,
        resource: &run.resource,
        declaration: playbook.declaration(),
        undo: run.undo.as_ref().filter(|_| run.mode == Mode::Undo),
        account_in_scope: account.is_some(),
        level: level(app, playbook, run).await,
        halted: app.is_halted().await,
        place: Place {
            environment: account.map(|a| a.environment.as_str()),
            ou: account.and_then(|a| a.ou.as_ref()),
            management_account: app.config.organization.management_account.as_deref(),
        },
        cause: laid_down.cause(&detections),
        orders: Orders {
            policies: &app.content.policies,
            exceptions: laid_down.exceptions.as_deref().map_err(String::as_str),
            freezes: laid_down.freezes.as_deref().map_err(String::as_str),
            budgets,
            pipelines: &respond.pipelines,
        },
        production: account.is_none_or(App::is_production),
        known: Known {
            since: run.told.since(),
            baseline: approved.as_ref(),
            accounts: &accounts,
            actors: run.told.hints.get("actors"),
            ..Known::default()
        },
        never_touch: NeverTouch {
            accounts: &respond.never_touch.accounts,
            names: &names,
        },
        approvals: &run.approvals,
        rejection: run.rejection.as_ref(),
        refused_before: refused_before.as_deref(),
        requested_by: run.requested_by.as_deref(),
        comes_back: comes_back(app, run).await,
        caused_by_outsiders: run.requested_by.is_none() && run.told.is_by_outsiders(),
        takes_back: run.takes_back,
        now,
    };
    quell_guard::decide(plan, &situation)
}

/// How far the run may go by itself. Taking back is no response: the levels alone decide.
async fn level(app: &App, playbook: &Playbook, run: &Run) -> Level {
    match (app.account(&run.resource.account), run.mode) {
        (None, _) => Level::Observe,
        (Some(account), Mode::Undo) => app.level(playbook, account),
        (Some(account), Mode::Respond) => app.level_in_effect(playbook, account).await,
    }
}

/// Who said no to what this playbook wanted to do to this resource in an earlier run of the incident, in words. What cannot be read counts
/// as a no.
async fn refused_before(app: &App, run: &Run) -> Option<String> {
    let query = Query::all(Kind::Run).parent(run.incident.as_str()).newest();
    let runs = app.state.list(&query).await;
    let runs: Vec<Run> = match runs.and_then(|page| page.read()) {
        Ok(runs) => runs,
        Err(error) => {
            return Some(format!(
                "the earlier runs of the incident cannot be read: {error}"
            ));
        }
    };
    let same = |one: &&Run| {
        one.id != run.id && one.playbook == run.playbook && one.resource.arn == run.resource.arn
    };
    let no = runs
        .iter()
        .filter(same)
        .find_map(|one| one.rejection.as_ref().map(|no| (one, no)));
    no.map(|(one, no)| format!("{} said no to {}: {}", no.by, one.id, no.reason))
}

/// How often the run's playbook changed its resource lately, when that is too often. What cannot be read counts as that: a
/// person is asked.
async fn comes_back(app: &App, run: &Run) -> Option<usize> {
    let id = Watch::id(&run.playbook, &run.resource);
    let watch = app.state.get(Kind::Watch, &id).await;
    let watch = watch.and_then(|found| found.map(|d| d.read::<Watch>()).transpose());
    let times = match watch {
        Ok(watch) => watch.map_or(0, |watch| watch.fixes_lately(app.clock.now())),
        Err(_) => return Some(Watch::FIXES_MAX),
    };
    (times >= app.config.respond.changes_per_resource_day).then_some(times)
}
