//! Task: one piece of work done elsewhere, with its timeouts, retries and catches.

use super::ending::{Ending, Events};
use crate::diagnostic::{DiagnosticCode, Faults};
use crate::document::fields::{Fields, Seconds};
use crate::effect::{Effect, TaskRequest};
use crate::failure::{Failure, HEARTBEAT_TIMEOUT, RUNTIME, TIMEOUT};
use crate::history::HistoryEventType;
use crate::ids::TaskId;
use crate::jsonata::Scope;
use crate::jsonpath::{Payload, Shape};
use crate::random::task_token;
use crate::resource::{Pattern, Resource};
use crate::run::{Flow, Run};
use crate::template::{Template, wrong_type};
use crate::thread::{Awaiting, Heartbeat, Outstanding, Visit};
use serde_json::Value;

const EVENTS: Events = Events {
    failed: None,
    exited: HistoryEventType::TaskStateExited,
};

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    /// JSONata only; JSONPath has its Parameters among what shapes its data.
    arguments: Option<Template>,
    credentials: Option<Credentials>,
    timeout: Option<Seconds>,
    heartbeat: Option<Seconds>,
    ending: Ending,
}

/// The role to call with.
#[derive(Clone, Debug)]
enum Credentials {
    Jsonata(Template),
    JsonPath(Payload),
}

impl Task {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Task> {
        fields.require(&["Resource"], faults);
        let (timeout, heartbeat) = if fields.in_jsonpath() {
            (
                fields.seconds_or_path("TimeoutSeconds", "TimeoutSecondsPath", 1, faults),
                fields.seconds_or_path("HeartbeatSeconds", "HeartbeatSecondsPath", 1, faults),
            )
        } else {
            (
                fields.seconds("TimeoutSeconds", 1, faults),
                fields.seconds("HeartbeatSeconds", 1, faults),
            )
        };
        if let (Some(Seconds::Fixed(timeout)), Some(Seconds::Fixed(heartbeat))) =
            (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            faults.schema(
                fields.at("HeartbeatSeconds"),
                "HeartbeatSeconds must be smaller than TimeoutSeconds",
            );
        }
        let task = Task {
            resource: Resource::Other { uri: String::new() },
            arguments: match fields.in_jsonpath() {
                true => None,
                false => fields.template("Arguments", faults),
            },
            credentials: Credentials::read(fields, faults),
            timeout,
            heartbeat,
            ending: Ending::read(fields, true, EVENTS, faults),
        };
        let resource = read_resource(fields, faults)?;
        Some(Task { resource, ..task })
    }

    /// Evaluates the arguments and asks for the work.
    pub(super) fn attempt(&self, run: &mut Run<'_>, visit: Visit) -> Flow {
        let task = run.name_task();
        let token = (self.resource.pattern() != Pattern::RequestResponse)
            .then(|| task_token(run.execution_id(), &task.to_string(), run.now()));
        match self.request(run, &visit, task, token) {
            Ok(request) => self.start(run, visit, request),
            Err(failure) => self.failed(run, visit, failure),
        }
    }

    fn request(
        &self,
        run: &Run<'_>,
        visit: &Visit,
        task: TaskId,
        token: Option<String>,
    ) -> Result<TaskRequest, Failure> {
        let asked = match self.ending.shape() {
            None => self.ask(run, visit, token.as_deref())?,
            Some(shape) => self.ask_by_path(run, visit, shape, token.as_deref())?,
        };
        run.within_limit(&asked.arguments, &visit.state)?;
        Ok(TaskRequest {
            task,
            state: visit.state.clone(),
            resource: self.resource.clone(),
            arguments: asked.arguments,
            credentials_role: asked.role,
            timeout: asked.timeout,
            heartbeat: asked.heartbeat,
            // A job's own end ends a `.sync` task, whoever holds its token.
            token: token.filter(|_| self.resource.pattern() == Pattern::WaitForTaskToken),
            attempt: visit.attempt,
        })
    }

    fn ask(&self, run: &Run<'_>, visit: &Visit, token: Option<&str>) -> Result<Asked, Failure> {
        let scope = run.scope(visit).token(token).finish();
        let millis = |seconds: &Option<Seconds>, field: &str| match seconds {
            Some(seconds) => seconds.evaluate(field, 1, &scope).map(|s| Some(s * 1000)),
            None => Ok(None),
        };
        Ok(Asked {
            arguments: match &self.arguments {
                Some(template) => template.evaluate("Arguments", &scope)?,
                None => visit.input.clone(),
            },
            role: match &self.credentials {
                Some(Credentials::Jsonata(role)) => Some(role_text(role, &scope)?),
                _ => None,
            },
            timeout: millis(&self.timeout, "TimeoutSeconds")?,
            heartbeat: millis(&self.heartbeat, "HeartbeatSeconds")?,
        })
    }

    fn ask_by_path(
        &self,
        run: &Run<'_>,
        visit: &Visit,
        shape: &Shape,
        token: Option<&str>,
    ) -> Result<Asked, Failure> {
        let context = run.context(visit, token);
        let view = run.view(visit, &context);
        let millis = |seconds: &Option<Seconds>| match seconds {
            Some(seconds) => seconds.evaluate_path(1, &view).map(|s| Some(s * 1000)),
            None => Ok(None),
        };
        Ok(Asked {
            arguments: shape.input(&view)?,
            role: match &self.credentials {
                Some(Credentials::JsonPath(payload)) => Some(role_of(&payload.evaluate(&view)?)?),
                _ => None,
            },
            timeout: millis(&self.timeout)?,
            heartbeat: millis(&self.heartbeat)?,
        })
    }

    fn start(&self, run: &mut Run<'_>, visit: Visit, request: TaskRequest) -> Flow {
        run.note_task_scheduled(&request);
        let task = request.task;
        let token = request.token.clone();
        let (timeout, heartbeat) = (request.timeout, request.heartbeat);
        run.ask(Effect::StartTask(request));
        let outstanding = Outstanding {
            task,
            token,
            timeout: timeout.map(|millis| run.set_timer_after(millis)),
            heartbeat: heartbeat.map(|millis| Heartbeat {
                timer: run.set_timer_after(millis),
                millis,
            }),
        };
        run.pause(visit, Awaiting::Task(outstanding))
    }

    /// The task ended well.
    pub(crate) fn succeeded(&self, run: &mut Run<'_>, visit: Visit, result: Value) -> Flow {
        if let Err(failure) = run.within_limit(&result, &self.resource.to_string()) {
            run.note_task_failed(&self.resource, &failure);
            return self.failed(run, visit, failure);
        }
        run.note_task_succeeded(&self.resource, &result);
        self.ending.succeed(run, visit, result)
    }

    /// The task ended badly.
    pub(crate) fn reported(
        &self,
        run: &mut Run<'_>,
        visit: Visit,
        error: String,
        cause: String,
    ) -> Flow {
        let failure = Failure::task(error, Some(cause));
        run.note_task_failed(&self.resource, &failure);
        self.failed(run, visit, failure)
    }

    /// The task was too slow, or fell silent.
    pub(crate) fn timed_out(&self, run: &mut Run<'_>, visit: Visit, silent: bool) -> Flow {
        let error = if silent { HEARTBEAT_TIMEOUT } else { TIMEOUT };
        let failure = Failure::task(error, None);
        run.note_task_timed_out(&self.resource, &failure);
        self.failed(run, visit, failure)
    }

    fn failed(&self, run: &mut Run<'_>, visit: Visit, failure: Failure) -> Flow {
        self.ending.fail(run, visit, failure, Awaiting::Redrive)
    }

    /// How it ends.
    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }
}

/// What one attempt asks for.
struct Asked {
    arguments: Value,
    role: Option<String>,
    timeout: Option<u64>,
    heartbeat: Option<u64>,
}

impl Credentials {
    fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Credentials> {
        match fields.in_jsonpath() {
            true => fields
                .payload("Credentials", faults)
                .map(Credentials::JsonPath),
            false => read_credentials(fields, faults).map(Credentials::Jsonata),
        }
    }
}

fn role_of(credentials: &Value) -> Result<String, Failure> {
    match credentials.get("RoleArn") {
        Some(Value::String(role)) => Ok(role.clone()),
        _ => Err(Failure::interpreter(
            RUNTIME,
            format!("Credentials must have a RoleArn that is a string, but was: {credentials}"),
        )),
    }
}

fn read_resource(fields: &Fields<'_>, faults: &mut Faults) -> Option<Resource> {
    let text = fields.text("Resource", faults)?;
    match text.parse::<Resource>() {
        Ok(resource) => {
            if matches!(resource, Resource::Other { .. }) {
                faults.warning(
                    DiagnosticCode::InvalidResource,
                    fields.at("Resource"),
                    format!("'{text}' is not an AWS resource"),
                    "Step Functions accepts ARNs only.",
                );
            }
            Some(resource)
        }
        Err(error) => {
            faults.schema(fields.at("Resource"), error.to_string());
            None
        }
    }
}

fn read_credentials(fields: &Fields<'_>, faults: &mut Faults) -> Option<Template> {
    let value = fields.value("Credentials")?;
    let credentials = Fields::of(value, &fields.at("Credentials"), faults)?;
    credentials.require(&["RoleArn"], faults);
    credentials.text("RoleArn", faults);
    let role = credentials.template("RoleArn", faults);
    credentials.finish(faults);
    role
}

fn role_text(template: &Template, scope: &Scope<'_>) -> Result<String, Failure> {
    let field = "Credentials/RoleArn";
    match (template.evaluate(field, scope)?, template) {
        (Value::String(role), _) => Ok(role),
        (value, Template::Expression(expression)) => {
            Err(wrong_type(expression, field, "string", &value))
        }
        (value, _) => Err(Failure::unfit(
            field,
            format!("The RoleArn field must be a string, but was: {value}"),
        )),
    }
}
