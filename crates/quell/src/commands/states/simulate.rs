//! `quell states run`.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use clap::Args;
use quell_states::{
    Definition, Effect, Event, Execution, HistoryEvent, Moment, Status, TaskRequest, TimerId, Work,
};
use quell_store::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load;
use super::mock::{self, Mock};
use crate::commands::{Failure, Global};
use crate::input::{json, refuse_second_stdin};
use crate::output::safe;
use crate::random;

const EXAMPLES: &str = "\
Examples:
  quell states run workflow.asl.json --input '{\"severity\": 8, \"instance\": \"i-1\"}' \\
    --mocks '{\"Stop\": {\"result\": {\"StoppingInstances\": [{}]}}}'

  The first attempt is throttled, the second and all others succeed:
    --mocks '{\"Stop\": [{\"errorOutput\": {\"error\": \"Ec2.Ec2Exception\"}}, {\"result\": {}}]}'

Nothing is called, and waits are over at once: time is made up. --output json has the whole history, in
the event types of GetExecutionHistory.";

/// Run a whole document, the work of its tasks done by mocks; exit code 1 when it does not succeed
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Simulate {
    /// The file with the document; - is standard input
    file: PathBuf,
    /// The input: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    input: String,
    /// For each state that calls something, how its work ends, or a list with one for each attempt, the last for all
    /// that follow; each {"result": JSON} or {"errorOutput": {"error": …, "cause": …}}: JSON, @FILE, or -
    #[arg(long, value_name = "JSON", default_value = "{}")]
    mocks: String,
}

/// How the work of a state ends each time.
#[derive(Deserialize)]
#[serde(untagged)]
enum Mocks {
    Each(VecDeque<Mock>),
    Always(Mock),
}

/// How the execution ended, as DescribeExecution says it, and its history.
#[derive(Serialize)]
struct Ended {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    history: Vec<HistoryEvent>,
}

impl Simulate {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let from = [&self.input, &self.mocks].map(PathBuf::from);
        refuse_second_stdin(&[from.as_slice(), std::slice::from_ref(&self.file)].concat());
        let definition = load(&self.file)?;
        let mocks = serde_json::from_value(json("--mocks", &self.mocks)?);
        let mocks = mocks.map_err(|e| Failure::Usage(format!("--mocks: {e}")))?;
        let seed = random::seed().map_err(|e| Failure::Remote(e.to_string()))?;
        let mut simulation = Simulation {
            mocks,
            now: Moment::new(SystemClock.now().millis(), seed),
            tasks: VecDeque::new(),
            timers: BTreeMap::new(),
            history: Vec::new(),
        };
        let execution = mock::execution(json("--input", &self.input)?);
        let status = simulation.run(&definition, execution)?;
        let ended = Ended::of(status, simulation.history);
        global.output.print(&ended, Ended::text);
        match ended.status {
            "SUCCEEDED" => Ok(()),
            status => Err(Failure::Check(format!("the execution ended {status}"))),
        }
    }
}

/// An execution under way on made-up time. It ends, since a history has at most 25,000 events, with 256 KiB of data each.
struct Simulation {
    mocks: BTreeMap<String, Mocks>,
    now: Moment,
    tasks: VecDeque<TaskRequest>,
    timers: BTreeMap<TimerId, i64>,
    history: Vec<HistoryEvent>,
}

impl Simulation {
    fn run(
        &mut self,
        definition: &Definition,
        mut execution: Execution,
    ) -> Result<Status, Failure> {
        let mut event = Event::Started;
        loop {
            self.now.seed = self.now.seed.wrapping_add(1);
            let step = execution.step(definition, event, self.now);
            execution = step.execution;
            self.history.extend(step.history);
            step.effects
                .into_iter()
                .for_each(|effect| self.note(effect));
            if *execution.status() != Status::Running {
                return Ok(execution.status().clone());
            }
            event = match self.tasks.pop_front() {
                Some(task) => self.work(task)?,
                None => self.timer()?,
            };
        }
    }

    fn note(&mut self, effect: Effect) {
        match effect {
            Effect::StartTask(task) => self.tasks.push_back(task),
            Effect::SetTimer { timer, due } => drop(self.timers.insert(timer, due)),
            Effect::CancelTimer { timer } => drop(self.timers.remove(&timer)),
            Effect::CancelTask { task } => self.tasks.retain(|open| open.task != task),
            Effect::Finished => {}
        }
    }

    /// The end of a task, as its mock says.
    fn work(&mut self, request: TaskRequest) -> Result<Event, Failure> {
        let mock = match self.mocks.get_mut(&request.state) {
            Some(Mocks::Each(list)) if list.len() > 1 => list.pop_front(),
            Some(Mocks::Each(list)) => list.front().cloned(),
            Some(Mocks::Always(mock)) => Some(mock.clone()),
            None => None,
        };
        let mock = mock.ok_or_else(|| {
            let text = format!(
                "the state {} calls {}, and nothing is called here: say in --mocks how it ends",
                request.state, request.resource
            );
            Failure::Usage(safe(&text))
        })?;
        let task = request.task;
        Ok(match mock.into() {
            Work::Result(output) => Event::TaskSucceeded { task, output },
            Work::Error { error, cause } => Event::TaskFailed { task, error, cause },
        })
    }

    /// Time passes until the next timer.
    fn timer(&mut self) -> Result<Event, Failure> {
        let next = self.timers.iter().min_by_key(|(_, due)| **due);
        let (timer, due) = next
            .map(|(timer, due)| (*timer, *due))
            .ok_or_else(|| Failure::Check("the execution waits for nothing".to_owned()))?;
        self.timers.remove(&timer);
        self.now = Moment::new(self.now.millis.max(due), self.now.seed);
        Ok(Event::TimerFired { timer })
    }
}

impl Ended {
    fn of(status: Status, history: Vec<HistoryEvent>) -> Self {
        let (status, output, error, cause) = match status {
            Status::Running => ("RUNNING", None, None, None),
            Status::Succeeded { output } => ("SUCCEEDED", Some(output), None, None),
            Status::Failed { error, cause } => ("FAILED", None, error, cause),
            Status::TimedOut => ("TIMED_OUT", None, None, None),
            Status::Aborted { error, cause } => ("ABORTED", None, Some(error), Some(cause)),
        };
        Self {
            status,
            output,
            error,
            cause,
            history,
        }
    }

    fn text(&self) -> String {
        let entered = self.history.iter().filter_map(|event| {
            let details = event.details.get("stateEnteredEventDetails")?;
            details.get("name")?.as_str()
        });
        let states: Vec<&str> = entered.collect();
        let states = states.join(" → ");
        super::named(
            &[
                ("status", Some(self.status)),
                ("states", Some(&states)),
                ("error", self.error.as_deref()),
                ("cause", self.cause.as_deref()),
            ],
            self.output.as_ref(),
        )
    }
}
