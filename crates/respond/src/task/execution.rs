//! `states:startExecution`: another document, run beside this one or awaited by it.

use quell_model::Call;
use quell_states::{Pattern, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::TaskFault;

/// An execution of another document. It is kept with the run that it becomes, to say how that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionTask {
    call: Call,
    machine: String,
    name: Option<String>,
    /// JSON text, as it was given. The task's token may be in it, and in no other place: the execution has to know it.
    input: String,
    awaits: Awaits,
}

/// When the task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Awaits {
    /// Once the execution is begun.
    Start,
    /// With the execution; its output is text (`.sync`).
    End,
    /// With the execution; its output is JSON (`.sync:2`).
    EndAsJson,
    /// When someone presents the task's token.
    Token,
}

impl Awaits {
    /// Whether the task ends with the execution.
    pub fn is_end(self) -> bool {
        matches!(self, Self::End | Self::EndAsJson)
    }

    pub(super) fn of(pattern: Pattern) -> Self {
        match pattern {
            Pattern::RequestResponse => Self::Start,
            Pattern::Sync => Self::End,
            Pattern::Sync2 => Self::EndAsJson,
            Pattern::WaitForTaskToken => Self::Token,
        }
    }
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildEnd {
    /// The execution's id or ARN.
    pub execution: String,
    /// Its name.
    pub name: String,
    /// When it began, epoch milliseconds.
    pub started_at: i64,
    /// When it ended, epoch milliseconds.
    pub stopped_at: i64,
    /// How.
    pub status: Status,
}

/// What `Name` may not have besides space and control characters.
const FORBIDDEN_IN_NAMES: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";
const NAME_CHARACTERS_MAX: usize = 80;

impl ExecutionTask {
    /// # Errors
    /// What Step Functions would say of the arguments.
    pub(super) fn of(call: Call, token: &str, awaits: Awaits) -> Result<Self, TaskFault> {
        let members = call.params.as_object().ok_or_else(|| {
            TaskFault::arguments("the arguments of states:startExecution must be an object")
        })?;
        let known = ["StateMachineArn", "Name", "Input", "TraceHeader"];
        if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
            let cause = format!("states:startExecution has no parameter '{unknown}'");
            return Err(TaskFault::arguments(cause));
        }
        let machine = members.get("StateMachineArn").and_then(Value::as_str);
        let machine = machine.ok_or_else(|| {
            TaskFault::arguments("states:startExecution needs a StateMachineArn, a string")
        })?;
        Ok(Self {
            machine: machine.to_owned(),
            name: members.get("Name").map(name).transpose()?.flatten(),
            input: members.get("Input").map_or(Ok("{}".to_owned()), input)?,
            awaits,
            call: call.without_token(token),
        })
    }

    /// The call by which it is declared and permitted.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// What to run, by name or ARN.
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// What the execution is to be called.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the document is given.
    pub fn input(&self) -> Value {
        serde_json::from_str(&self.input).unwrap_or_default()
    }

    /// When the task ends.
    pub fn awaits(&self) -> Awaits {
        self.awaits
    }

    /// The result of a task that awaits no end, the output of `TaskSubmitted` of the others. `at` is epoch
    /// milliseconds.
    pub fn started(&self, execution: &str, at: i64) -> Value {
        json!({"ExecutionArn": execution, "StartDate": at})
    }

    /// There is nothing of the name to run.
    pub fn no_such_machine(&self) -> TaskFault {
        TaskFault::new(
            "StepFunctions.StateMachineDoesNotExistException",
            format!("State Machine Does Not Exist: '{}'", self.machine),
        )
    }

    /// Another execution has this name, and another input.
    pub fn name_is_taken(&self, execution: &str) -> TaskFault {
        TaskFault::new(
            "StepFunctions.ExecutionAlreadyExistsException",
            format!("Execution Already Exists: '{execution}'"),
        )
    }

    /// The result of a task that awaited the execution.
    ///
    /// # Errors
    /// `States.TaskFailed`, with the same description as its cause, when the execution did not succeed.
    pub fn ended(&self, end: &ChildEnd) -> Result<Value, TaskFault> {
        let mut said = self.description(end);
        let mut put = |name: &str, value: Value| said.insert(name.to_owned(), value);
        let error = match &end.status {
            Status::Succeeded { output } => {
                put("Output", self.payload(output.to_string()));
                put("OutputDetails", json!({"Included": true}));
                put(
                    "RedriveStatusReason",
                    "Execution is SUCCEEDED and cannot be redriven".into(),
                );
                return Ok(Value::Object(said));
            }
            Status::Failed { error, cause } => (error.as_deref(), cause.as_deref()),
            Status::Aborted { error, cause } => (Some(error.as_str()), Some(cause.as_str())),
            Status::TimedOut | Status::Running => (None, None),
        };
        put(
            "RedriveStatusReason",
            "Quell runs a nested execution once".into(),
        );
        for (name, text) in [("Error", error.0), ("Cause", error.1)] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                put(name, text.into());
            }
        }
        Err(TaskFault::new(
            "States.TaskFailed",
            Value::Object(said).to_string(),
        ))
    }

    fn description(&self, end: &ChildEnd) -> Map<String, Value> {
        let status = match end.status {
            Status::Running => "RUNNING",
            Status::Succeeded { .. } => "SUCCEEDED",
            Status::Failed { .. } => "FAILED",
            Status::TimedOut => "TIMED_OUT",
            Status::Aborted { .. } => "ABORTED",
        };
        let said = json!({
            "ExecutionArn": end.execution, "Name": end.name, "StateMachineArn": self.machine,
            "Input": self.payload(self.input.clone()), "InputDetails": {"Included": true},
            "StartDate": end.started_at, "StopDate": end.stopped_at, "Status": status,
            "RedriveCount": 0, "RedriveStatus": "NOT_REDRIVABLE",
        });
        match said {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// JSON text as it is, or the JSON.
    fn payload(&self, text: String) -> Value {
        let parsed = (self.awaits == Awaits::EndAsJson)
            .then(|| serde_json::from_str(&text).ok())
            .flatten();
        parsed.unwrap_or(Value::String(text))
    }
}

fn name(given: &Value) -> Result<Option<String>, TaskFault> {
    let invalid = |name: &str| {
        let cause = format!("Invalid Name: '{name}'");
        TaskFault::new("StepFunctions.InvalidNameException", cause)
    };
    let name = match given {
        Value::Null => return Ok(None),
        Value::String(name) => name,
        other => return Err(invalid(&other.to_string())),
    };
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || FORBIDDEN_IN_NAMES.contains(c);
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARACTERS_MAX || name.contains(is_bad) {
        return Err(invalid(name));
    }
    Ok(Some(name.clone()))
}

fn input(given: &Value) -> Result<String, TaskFault> {
    match given {
        Value::Null => Ok("{}".to_owned()),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(_) => Ok(text.clone()),
            Err(e) => Err(TaskFault::new(
                "StepFunctions.InvalidExecutionInputException",
                format!("Invalid State Machine Execution Input: '{e}'"),
            )),
        },
        other => Ok(other.to_string()),
    }
}
