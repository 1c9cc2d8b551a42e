//! Task: one piece of work done elsewhere, with its timeouts, retries and catches.

use super::{Exit, catch, retry};
use crate::diagnostic::{DiagnosticCode, Faults};
use crate::document::fields::{Fields, Seconds, Transition};
use crate::effect::{Effect, TaskRequest};
use crate::execution::{Awaiting, Heartbeat, Outstanding, Visit};
use crate::failure::{Failure, HEARTBEAT_TIMEOUT, TIMEOUT};
use crate::history::HistoryEventType;
use crate::ids::TaskId;
use crate::jsonata::Scope;
use crate::random::task_token;
use crate::resource::{Pattern, Resource};
use crate::run::{Flow, Run};
use crate::template::{Template, wrong_type};
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    arguments: Option<Template>,
    credentials_role: Option<Template>,
    timeout: Option<Seconds>,
    heartbeat: Option<Seconds>,
    retriers: Vec<retry::Retrier>,
    catchers: Vec<catch::Catcher>,
    assign: Option<Template>,
    output: Option<Template>,
    transition: Transition,
}

impl Task {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Task> {
        fields.require(&["Resource"], faults);
        let timeout = fields.seconds("TimeoutSeconds", 1, faults);
        let heartbeat = fields.seconds("HeartbeatSeconds", 1, faults);
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
            arguments: fields.template("Arguments", faults),
            credentials_role: read_credentials(fields, faults),
            timeout,
            heartbeat,
            retriers: retry::read(fields, faults),
            catchers: catch::read(fields, faults),
            assign: fields.assign(faults),
            output: fields.template("Output", faults),
            transition: fields.transition(faults),
        };
        let resource = read_resource(fields, faults)?;
        Some(Task { resource, ..task })
    }

    /// Evaluates the arguments and asks for the work.
    pub(super) fn attempt(&self, run: &mut Run<'_>, visit: Visit) -> Flow {
        let task = run.name_task();
        let token = (self.resource.pattern() == Pattern::WaitForTaskToken)
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
        let scope = run.scope(visit).token(token.as_deref()).finish();
        let arguments = match &self.arguments {
            Some(template) => template.evaluate("Arguments", &scope)?,
            None => visit.input.clone(),
        };
        run.within_limit(&arguments, &visit.state)?;
        let role = match &self.credentials_role {
            Some(template) => Some(role_text(template, &scope)?),
            None => None,
        };
        let millis = |seconds: &Option<Seconds>, field: &str| match seconds {
            Some(seconds) => seconds.evaluate(field, 1, &scope).map(|s| Some(s * 1000)),
            None => Ok(None),
        };
        Ok(TaskRequest {
            task,
            state: visit.state.clone(),
            resource: self.resource.clone(),
            arguments,
            credentials_role: role,
            timeout: millis(&self.timeout, "TimeoutSeconds")?,
            heartbeat: millis(&self.heartbeat, "HeartbeatSeconds")?,
            token,
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
        let scope = run.scope(&visit).result(&result).finish();
        let exit = Exit {
            event: HistoryEventType::TaskStateExited,
            assign: self.assign.as_ref(),
            output: self.output.as_ref(),
            transition: &self.transition,
            prefix: "",
        };
        match run.leave(&visit, exit, &scope, &result) {
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
        let scope = run.scope(visit).error_output(&error_output).finish();
        let prefix = format!("Catch[{n}]/");
        let exit = Exit {
            event: HistoryEventType::TaskStateExited,
            assign: catcher.assign.as_ref(),
            output: catcher.output.as_ref(),
            transition: &catcher.transition,
            prefix: &prefix,
        };
        run.leave(visit, exit, &scope, &error_output)
            .unwrap_or_else(|failure| run.fail(visit, failure))
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
