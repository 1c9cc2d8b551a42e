//! Task: one piece of work done elsewhere, with its timeouts, retries and catches.

use super::{Exit, ShapedExit, catch, retry};
use crate::diagnostic::{DiagnosticCode, Faults};
use crate::document::fields::{Fields, Seconds, Transition};
use crate::effect::{Effect, TaskRequest};
use crate::execution::{Awaiting, Heartbeat, Outstanding, Visit};
use crate::failure::{Failure, HEARTBEAT_TIMEOUT, RUNTIME, TIMEOUT};
use crate::history::HistoryEventType;
use crate::ids::TaskId;
use crate::jsonata::Scope;
use crate::jsonpath::{Payload, Shape, ShapeFields};
use crate::random::task_token;
use crate::resource::{Pattern, Resource};
use crate::run::{Flow, Run};
use crate::template::{Template, wrong_type};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    data: Data,
    timeout: Option<Seconds>,
    heartbeat: Option<Seconds>,
    retriers: Vec<retry::Retrier>,
    catchers: Vec<catch::Catcher>,
    transition: Transition,
}

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a Task is boxed as a whole; most have Jsonata's fields"
)]
enum Data {
    Jsonata {
        arguments: Option<Template>,
        credentials_role: Option<Template>,
        assign: Option<Template>,
        output: Option<Template>,
    },
    JsonPath {
        shape: Box<Shape>,
        credentials: Option<Payload>,
    },
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
            data: Data::read(fields, faults),
            timeout,
            heartbeat,
            retriers: retry::read(fields, faults),
            catchers: catch::read(fields, faults),
            transition: fields.transition(faults),
        };
        let resource = read_resource(fields, faults)?;
        Some(Task { resource, ..task })
    }

    /// Evaluates the arguments and asks for the work.
    pub(super) fn attempt(&self, run: &mut Run<'_>, visit: Visit) -> Flow {
        let task = run.name_task();
        let token = (self.resource.pattern() != Pattern::RequestResponse)
            .then(|| task_token(run.execution_id(), &task.to_string(), run.now().seed));
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
        let asked = match &self.data {
            Data::Jsonata {
                arguments,
                credentials_role,
                ..
            } => {
                let scope = run.scope(visit).token(token.as_deref()).finish();
                let millis = |seconds: &Option<Seconds>, field: &str| match seconds {
                    Some(seconds) => seconds.evaluate(field, 1, &scope).map(|s| Some(s * 1000)),
                    None => Ok(None),
                };
                Asked {
                    arguments: match arguments {
                        Some(template) => template.evaluate("Arguments", &scope)?,
                        None => visit.input.clone(),
                    },
                    role: match credentials_role {
                        Some(template) => Some(role_text(template, &scope)?),
                        None => None,
                    },
                    timeout: millis(&self.timeout, "TimeoutSeconds")?,
                    heartbeat: millis(&self.heartbeat, "HeartbeatSeconds")?,
                }
            }
            Data::JsonPath { shape, credentials } => {
                let context = run.context(visit, token.as_deref());
                let view = run.view(visit, &context);
                let millis = |seconds: &Option<Seconds>| match seconds {
                    Some(seconds) => seconds.evaluate_path(1, &view).map(|s| Some(s * 1000)),
                    None => Ok(None),
                };
                Asked {
                    arguments: shape.input(&view)?,
                    role: match credentials {
                        Some(credentials) => Some(role_of(&credentials.evaluate(&view)?)?),
                        None => None,
                    },
                    timeout: millis(&self.timeout)?,
                    heartbeat: millis(&self.heartbeat)?,
                }
            }
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
        let event = HistoryEventType::TaskStateExited;
        let left = match &self.data {
            Data::Jsonata { assign, output, .. } => {
                let scope = run.scope(&visit).result(&result).finish();
                let exit = Exit {
                    event,
                    assign: assign.as_ref(),
                    output: output.as_ref(),
                    transition: &self.transition,
                    prefix: "",
                };
                run.leave(&visit, exit, &scope, &result)
            }
            Data::JsonPath { shape, .. } => {
                let exit = ShapedExit {
                    event,
                    shape,
                    assign: shape.assign.as_ref(),
                    transition: &self.transition,
                };
                run.leave_shaped(&visit, exit, result)
            }
        };
        match left {
            Ok(flow) => flow,
            Err(failure) => self.failed(run, visit, failure),
        }
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

    /// Retry, else Catch, else the execution fails.
    fn failed(&self, run: &mut Run<'_>, mut visit: Visit, failure: Failure) -> Flow {
        let failure = run.note_failure(&visit, failure);
        let delay = retry::decide(
            &self.retriers,
            &failure.error,
            &mut visit.retries,
            run.random(),
        );
        if let Some(millis) = delay {
            visit.attempt = visit.attempt.saturating_add(1);
            let timer = run.set_timer_after(millis);
            return run.pause(visit, Awaiting::Retry { timer });
        }
        match catch::find(&self.catchers, &failure.error) {
            Some((n, catcher)) => self.caught(run, &visit, &failure, n, catcher),
            None => run.end_failed(Some(failure.error), failure.cause),
        }
    }

    fn caught(
        &self,
        run: &mut Run<'_>,
        visit: &Visit,
        failure: &Failure,
        n: usize,
        catcher: &catch::Catcher,
    ) -> Flow {
        let error_output = serde_json::json!({
            "Error": failure.error,
            "Cause": failure.cause.clone().unwrap_or_default(),
        });
        let event = HistoryEventType::TaskStateExited;
        let left = match &catcher.data {
            catch::Data::Jsonata { assign, output } => {
                let scope = run.scope(visit).error_output(&error_output).finish();
                let prefix = format!("Catch[{n}]/");
                let exit = Exit {
                    event,
                    assign: assign.as_ref(),
                    output: output.as_ref(),
                    transition: &catcher.transition,
                    prefix: &prefix,
                };
                run.leave(visit, exit, &scope, &error_output)
            }
            catch::Data::JsonPath {
                assign,
                result_path,
            } => run.leave_caught(
                visit,
                event,
                (assign.as_ref(), result_path.as_ref()),
                error_output,
                &catcher.transition,
            ),
        };
        left.unwrap_or_else(|failure| run.fail(visit, failure))
    }
}

/// What one attempt asks for.
struct Asked {
    arguments: Value,
    role: Option<String>,
    timeout: Option<u64>,
    heartbeat: Option<u64>,
}

impl Data {
    fn read(fields: &Fields<'_>, faults: &mut Faults) -> Data {
        if fields.in_jsonpath() {
            let has = ShapeFields {
                parameters: true,
                result_selector: true,
                result_path: true,
                assign: true,
            };
            return Data::JsonPath {
                shape: Box::new(Shape::read(fields, has, faults)),
                credentials: fields.payload("Credentials", faults),
            };
        }
        Data::Jsonata {
            arguments: fields.template("Arguments", faults),
            credentials_role: read_credentials(fields, faults),
            assign: fields.assign(faults),
            output: fields.template("Output", faults),
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

fn role_text(template: &Template, scope: &Scope) -> Result<String, Failure> {
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
