//! `quell states test`.

use std::path::PathBuf;

use clap::Args;
use quell_states::{Definition, Moment, Outline, Trial, Verdict, Work};
use quell_store::{Clock, SystemClock};
use serde::Serialize;
use serde_json::{Map, Value};

use super::load;
use super::mock::{self, Mock};
use crate::commands::{Failure, Global};
use crate::input::{json, refuse_second_stdin};
use crate::output::safe;
use crate::random;

const EXAMPLES: &str = "\
Examples:
  A Choice: where does severity 7 go?
    quell states test workflow.asl.json --state DetermineResponse --input '{\"severity\": 7}'

  A Task, with what AWS would answer, and with an error that it may give:
    quell states test workflow.asl.json --state Stop --mock '{\"result\": {\"StoppingInstances\": []}}'
    quell states test workflow.asl.json --state Stop --retries 3 \\
      --mock '{\"errorOutput\": {\"error\": \"Ec2.Ec2Exception\", \"cause\": \"throttled\"}}'

Nothing is called, nothing is waited for. The answer is that of TestState: SUCCEEDED, CAUGHT_ERROR,
RETRIABLE or FAILED, with the output and the next state.";

/// Run one state on an input, its work done by a mock; exit code 1 when the state fails
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Test {
    /// The file with the document; - is standard input
    file: PathBuf,
    /// The state, also one of a branch or an iteration
    #[arg(long, value_name = "NAME")]
    state: String,
    /// The state's input: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    input: String,
    /// How the work of a Task, Parallel or Map ends, as {"result": JSON} or {"errorOutput": {"error": …, "cause": …}}:
    /// JSON, @FILE, or -
    #[arg(long, value_name = "JSON")]
    mock: Option<String>,
    /// The variables that earlier states assigned, an object: JSON, @FILE, or -
    #[arg(long, value_name = "JSON", default_value = "{}")]
    variables: String,
    /// The context object, instead of one made up: JSON, @FILE, or -
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
    /// How often the state was tried again already
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u64,
}

/// What became of the state, as TestState says it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl Test {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        self.refuse_second_stdin();
        let definition = load(&self.file)?;
        let seed = random::seed().map_err(|e| Failure::Remote(e.to_string()))?;
        let now = Moment::new(SystemClock.now().millis(), seed);
        let execution = mock::execution(json("--input", &self.input)?);
        let verdict = definition.try_state(&self.state, execution, self.trial()?, now);
        let verdict = verdict.ok_or_else(|| self.no_state(&definition))?;
        let answer = Answer::of(verdict)?;
        global.output.print(&answer, Answer::text);
        match answer.status {
            "FAILED" => Err(Failure::Check(format!(
                "the state {} fails",
                safe(&self.state)
            ))),
            _ => Ok(()),
        }
    }

    fn refuse_second_stdin(&self) {
        let optional = [&self.mock, &self.context].into_iter().flatten();
        let given = [&self.input, &self.variables].into_iter().chain(optional);
        let mut read: Vec<PathBuf> = given.map(PathBuf::from).collect();
        read.push(self.file.clone());
        refuse_second_stdin(&read);
    }

    fn trial(&self) -> Result<Trial, Failure> {
        let mock = self.mock.as_ref().map(|mock| json("--mock", mock));
        let context = self.context.as_ref().map(|given| json("--context", given));
        let variables = json("--variables", &self.variables)?;
        let variables: Map<String, Value> = serde_json::from_value(variables)
            .map_err(|e| Failure::Usage(format!("--variables: {e}")))?;
        Ok(Trial {
            work: mock.transpose()?.map(work).transpose()?,
            context: context.transpose()?,
            variables,
            retries: self.retries,
            failed_iterations: 0,
        })
    }

    fn no_state(&self, definition: &Definition) -> Failure {
        let outline = definition.outline();
        let mut names = Vec::new();
        gather(&outline, &mut names);
        let help = match quell_model::nearest(&self.state, names) {
            Some(near) => format!(" (did you mean {near}?)"),
            None => String::new(),
        };
        Failure::Denied(safe(&format!("there is no state {}{help}", self.state)))
    }
}

/// The names of all states, those of branches and iterations too.
fn gather<'o>(outline: &'o Outline, names: &mut Vec<&'o str>) {
    for state in &outline.states {
        names.push(&state.name);
        for inside in &state.inside {
            gather(&inside.outline, names);
        }
    }
}

fn work(mock: Value) -> Result<Work, Failure> {
    let read: Result<Mock, _> = serde_json::from_value(mock);
    read.map(Work::from)
        .map_err(|e| Failure::Usage(format!("--mock: {e}")))
}

impl Answer {
    fn of(verdict: Verdict) -> Result<Self, Failure> {
        let bare = |status| Self {
            status,
            output: None,
            next_state: None,
            error: None,
            cause: None,
        };
        Ok(match verdict {
            Verdict::Succeeded { output, next } => Self {
                output: Some(output),
                next_state: next,
                ..bare("SUCCEEDED")
            },
            Verdict::Caught { output, next } => Self {
                output: Some(output),
                next_state: next,
                ..bare("CAUGHT_ERROR")
            },
            Verdict::Retriable => bare("RETRIABLE"),
            Verdict::Failed { error, cause } => Self {
                error,
                cause,
                ..bare("FAILED")
            },
            Verdict::Waiting => {
                let text = "the state waits for its work, and nothing is called here: say with --mock how it ends";
                return Err(Failure::Usage(text.to_owned()));
            }
        })
    }

    fn text(&self) -> String {
        super::named(
            &[
                ("status", Some(self.status)),
                ("next", self.next_state.as_deref()),
                ("error", self.error.as_deref()),
                ("cause", self.cause.as_deref()),
            ],
            self.output.as_ref(),
        )
    }
}
