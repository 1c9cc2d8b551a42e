//! A dry run: the document up to its gate. Nothing is stored, and no session that could change anything is made.

use std::time::Duration;

use quell_guard::Decision;
use quell_guard::proof::Proof;
use quell_model::{Plan, Resource};
use quell_respond::{Flow, LogEntry, Playbook, Run};
use quell_states::{Event, Moment, Status};
use serde_json::Value;

use super::budget::Budgets;
use super::effects::{self, Outcome, Want};
use super::frame::new_flow;
use super::perform;
use crate::app::App;
use crate::begin;
use crate::orders::images;
use crate::random;

/// What a dry run found.
#[derive(Debug)]
pub enum Dry {
    /// What would be done, and what the guard would say.
    Planned {
        /// The plan.
        plan: Box<Plan>,
        /// `permit`, `ask` or `refuse`.
        decision: &'static str,
        /// Why not `permit`.
        reasons: Vec<String>,
        /// What was shown of the plan; absent when it would be refused.
        proof: Option<Proof>,
    },
    /// There is nothing to do, or it failed: the document's own end.
    Ended {
        /// How it ended.
        status: Status,
        /// The image that it had read by then.
        image: Option<Value>,
    },
}

/// So many steps: reading a group with thousands of rules takes some.
const STEPS_MAX: usize = 2_000;
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Runs a playbook's response for a resource up to its gate.
///
/// # Errors
/// In words.
pub async fn dry_run(app: &App, playbook: &Playbook, resource: Resource) -> Result<Dry, String> {
    let now = app.clock.now();
    let run = begin::imagined(playbook, resource, now);
    let run = images::told(&*app.state, run, playbook, now).await;
    dry_run_of(app, playbook, &run).await
}

/// Reads a resource as a playbook does: the image that its document has before it decides anything.
///
/// # Errors
/// In words. What could only be read in part is no image.
pub async fn read_image(
    app: &App,
    playbook: &Playbook,
    resource: Resource,
) -> Result<Value, String> {
    let run = begin::imagined(playbook, resource, app.clock.now());
    let nothing = || format!("{} read nothing of {}", playbook.id, run.resource.arn);
    match dry_run_of(app, playbook, &run).await? {
        Dry::Planned { plan, .. } => Ok(plan.before),
        Dry::Ended {
            status: Status::Failed { error, cause },
            ..
        } if error.as_deref() == Some("Quell.ReadFailed") => Err(cause.unwrap_or_default()),
        Dry::Ended { image, .. } => image.ok_or_else(nothing),
    }
}

/// The same, as a certain run would do it.
///
/// # Errors
/// In words.
pub(crate) async fn dry_run_of(app: &App, playbook: &Playbook, run: &Run) -> Result<Dry, String> {
    let mut flow = new_flow(app, playbook, run);
    let mut event = Event::Started;
    for _ in 0..STEPS_MAX {
        let moment = Moment::new(
            app.clock.now().millis(),
            random::seed().map_err(|e| e.to_string())?,
        );
        flow.apply(LogEntry::Input { event, moment });
        if *flow.status() != Status::Running {
            let status = flow.status().clone();
            let image = flow.image();
            return Ok(Dry::Ended { status, image });
        }
        let next = flow.tasks().next().map(|awaited| awaited.request.clone());
        let Some(request) = next else {
            event = wait(app, &flow).await?;
            continue;
        };
        event = match effects::want(app, playbook, run, &request) {
            Want::Permit(plan) => return planned(app, playbook, run, plan).await,
            Want::Read(scope, work) => match perform::read(app, &scope, &work).await {
                Outcome::Succeeded { output, .. } => Event::TaskSucceeded {
                    task: request.task,
                    output,
                },
                Outcome::Failed { error, cause, .. } => Event::TaskFailed {
                    task: request.task,
                    error,
                    cause,
                },
                Outcome::Elsewhere { .. } => {
                    return Err("the document waits for a task token".to_owned());
                }
                Outcome::TimedOut => return Err("a read took too long".to_owned()),
            },
            Want::Change(..) => {
                return Err("the document changes something before it asks for a permit".to_owned());
            }
            Want::Impossible(fault) => return Err(fault.to_string()),
        };
    }
    Err(format!(
        "the document made more than {STEPS_MAX} steps without a plan"
    ))
}

/// Waits for the next timer.
async fn wait(app: &App, flow: &Flow) -> Result<Event, String> {
    let (timer, due) = flow.next_timer().ok_or("the document waits for nothing")?;
    let millis = u64::try_from(due.millis_since(app.clock.now())).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(millis).min(WAIT_MAX)).await;
    Ok(Event::TimerFired { timer })
}

async fn planned(
    app: &App,
    playbook: &Playbook,
    run: &Run,
    plan: serde_json::Value,
) -> Result<Dry, String> {
    let plan: Plan =
        serde_json::from_value(plan).map_err(|e| format!("the plan cannot be read: {e}"))?;
    let budgets = Budgets::read(app, &run.resource, &plan, app.clock.now())
        .await
        .map_err(|e| e.to_string())?;
    let left = budgets.left();
    let decision = effects::decide(app, playbook, run, &plan, &left).await;
    let proof = decision.proof().cloned();
    let (decision, reasons) = match decision {
        // The permit ends here, unused.
        Decision::Permit(_) => ("permit", Vec::new()),
        Decision::Ask { reasons, .. } => ("ask", reasons),
        Decision::Refuse { reasons } => ("refuse", reasons),
    };
    Ok(Dry::Planned {
        plan: Box::new(plan),
        decision,
        reasons,
        proof,
    })
}
