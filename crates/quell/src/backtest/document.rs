//! A playbook's own document, stepped on a world of events up to its gate. Its clock stands still but for the document's own waits.

use std::collections::BTreeSet;

use quell_model::{Caller, Plan, sha256_hex};
use quell_respond::task::Work;
use quell_respond::{Flow, LogEntry, Playbook, Run};
use quell_states::{Event, Moment, Status};
use serde_json::Value;

use super::world::{Seen, World};
use crate::app::App;
use crate::loops::new_flow;

/// What a document came to.
pub(super) enum Came {
    /// It asked for a permit for this plan.
    Planned(Box<Plan>),
    /// There was nothing to do: its own words.
    Nothing(Value),
    /// It failed in a way that is its own.
    Failed(String),
    /// It would have read something that no event tells.
    Unread(String),
}

/// So many steps: reading a group with thousands of rules takes some.
const STEPS_MAX: usize = 2_000;

/// Steps the document. `notes`: what it would have read besides.
pub(super) fn step(
    app: &App,
    playbook: &Playbook,
    run: &Run,
    at: i64,
    world: &dyn World,
    notes: &mut BTreeSet<String>,
) -> Came {
    let caller = Caller::new(&run.id, &run.playbook);
    let mut flow = new_flow(app, playbook, run);
    let (mut event, mut now) = (Event::Started, at);
    let mut unread = None;
    for n in 0..STEPS_MAX {
        flow.apply(LogEntry::Input {
            event,
            moment: Moment::new(now, seed(run, n)),
        });
        match flow.status() {
            Status::Running => {}
            Status::Succeeded { output } => {
                return unread.map_or_else(|| Came::Nothing(output.clone()), Came::Unread);
            }
            Status::Failed { error, cause } => {
                let words = [error.as_deref(), cause.as_deref()];
                let words = words.into_iter().flatten().collect::<Vec<_>>().join(": ");
                return unread.map_or(Came::Failed(words), Came::Unread);
            }
            other => return Came::Failed(format!("{other:?}")),
        }
        let next = flow.tasks().next().map(|awaited| awaited.request.clone());
        let Some(request) = next else {
            match timer(&flow, &mut now) {
                Some(fired) => event = fired,
                None => return Came::Failed("the document waits for nothing".to_owned()),
            }
            continue;
        };
        let task = request.task;
        event = match Work::of(&request, &caller) {
            Ok(Work::Gate(plan)) => {
                return match serde_json::from_value(plan) {
                    Ok(plan) => Came::Planned(Box::new(plan)),
                    Err(e) => Came::Failed(format!("the plan cannot be read: {e}")),
                };
            }
            Ok(work) => match work
                .call()
                .map(|call| (call, world.read(&run.resource, call, notes)))
            {
                Some((_, Seen::Answer(output))) => Event::TaskSucceeded { task, output },
                Some((call, Seen::Untold)) => {
                    let name = format!("{}:{}", call.service, call.operation);
                    // The document decides what it makes of that: some go on with what they have.
                    let cause = format!("no event tells what {name} would have answered");
                    notes.insert(name.clone());
                    unread.get_or_insert(name);
                    let error = "Quell.Untold".to_owned();
                    Event::TaskFailed { task, error, cause }
                }
                None => return Came::Failed(format!("{} is no call", request.resource)),
            },
            Err(fault) => return Came::Failed(fault.to_string()),
        };
    }
    Came::Failed(format!(
        "the document made more than {STEPS_MAX} steps without a plan"
    ))
}

/// The next timer: time goes on to when it is due.
fn timer(flow: &Flow, now: &mut i64) -> Option<Event> {
    let (timer, due) = flow.next_timer()?;
    *now = (*now).max(due.millis());
    Some(Event::TimerFired { timer })
}

/// The same for the same run and step.
fn seed(run: &Run, step: usize) -> u64 {
    let hash = sha256_hex(format!("{}/{step}", run.id));
    let digits = hash.get(..16).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or_default()
}
