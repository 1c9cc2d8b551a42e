//! Writing the history, event by event as Step Functions does.

use super::Run;
use crate::effect::TaskRequest;
use crate::execution::Visit;
use crate::failure::{Failure, Origin};
use crate::history::{HistoryEvent, HistoryEventType as Type, details, error_fields, payload};
use crate::resource::Resource;
use serde_json::{Map, Value, json};

impl Run<'_> {
    /// Writes an event that follows the one before it; returns its id.
    fn note(&mut self, kind: Type, details: Map<String, Value>) -> u64 {
        let previous = self.execution.events_written;
        self.note_after(previous, kind, details)
    }

    fn note_after(&mut self, previous: u64, kind: Type, details: Map<String, Value>) -> u64 {
        self.execution.events_written += 1;
        let id = self.execution.events_written;
        self.history.push(HistoryEvent {
            id,
            previous_event_id: previous,
            timestamp: self.now.millis,
            kind,
            details,
        });
        id
    }

    pub(super) fn note_started(&mut self) {
        let mut fields = payload("input", &self.execution.input);
        fields.insert(
            "roleArn".to_owned(),
            Value::from(self.execution.machine.role_arn.clone()),
        );
        self.note(
            Type::ExecutionStarted,
            details("executionStartedEventDetails", Value::Object(fields)),
        );
    }

    pub(super) fn note_entered(&mut self, kind: Type, name: &str, input: &Value) -> u64 {
        let mut fields = payload("input", input);
        fields.insert("name".to_owned(), Value::from(name));
        // AWS does not count ExecutionStarted as the cause of the first state.
        let previous = match self.execution.events_written {
            1 => 0,
            written => written,
        };
        self.note_after(
            previous,
            kind,
            details("stateEnteredEventDetails", Value::Object(fields)),
        )
    }

    pub(super) fn note_exited(
        &mut self,
        kind: Type,
        name: &str,
        output: &Value,
        assigned: &Map<String, Value>,
    ) {
        let mut fields = payload("output", output);
        fields.insert("name".to_owned(), Value::from(name));
        if !assigned.is_empty() {
            let texts: Map<String, Value> = assigned
                .iter()
                .map(|(name, value)| (name.clone(), Value::from(value.to_string())))
                .collect();
            fields.insert("assignedVariables".to_owned(), Value::Object(texts));
            fields.insert(
                "assignedVariablesDetails".to_owned(),
                json!({ "truncated": false }),
            );
        }
        self.note(
            kind,
            details("stateExitedEventDetails", Value::Object(fields)),
        );
    }

    /// Writes `EvaluationFailed` where one is due, and completes the cause with
    /// the place it happened.
    pub(crate) fn note_failure(&mut self, visit: &Visit, mut failure: Failure) -> Failure {
        if failure.origin == Origin::Task {
            return failure;
        }
        let cause = format!(
            "An error occurred while executing the state '{}' (entered at the event id #{}). {}",
            visit.state,
            visit.entered_event,
            failure.cause.unwrap_or_default()
        );
        if let Origin::Evaluation {
            location,
            in_expression,
        } = &failure.origin
        {
            let fields = json!({
                "cause": cause,
                "error": failure.error,
                "location": location,
                "state": visit.state,
            });
            // Recorded on AWS: a failed expression points past its own state's entry.
            let written = self.execution.events_written;
            let previous = match (in_expression, visit.entered_event == written) {
                (true, true) if written <= 2 => 0,
                (true, true) => written - 1,
                _ => written,
            };
            self.note_after(
                previous,
                Type::EvaluationFailed,
                details("evaluationFailedEventDetails", fields),
            );
        }
        failure.cause = Some(cause);
        failure
    }

    pub(super) fn note_succeeded(&mut self, output: &Value) {
        let fields = Value::Object(payload("output", output));
        self.note(
            Type::ExecutionSucceeded,
            details("executionSucceededEventDetails", fields),
        );
    }

    pub(super) fn note_ended(&mut self, kind: Type, name: &str, fields: Map<String, Value>) {
        self.note(kind, details(name, Value::Object(fields)));
    }

    pub(crate) fn note_task_scheduled(&mut self, request: &TaskRequest) {
        let mut fields = match &request.resource {
            Resource::Lambda { arn } | Resource::Activity { arn } => {
                let mut fields = payload("input", &request.arguments);
                fields.insert("resource".to_owned(), Value::from(arn.clone()));
                fields
            }
            resource => {
                let mut fields = named(resource);
                let parameters = request.arguments.to_string();
                fields.insert("parameters".to_owned(), Value::from(parameters));
                let region = self.execution.machine.region.clone();
                fields.insert("region".to_owned(), Value::from(region));
                fields
            }
        };
        for (name, millis) in [
            ("timeoutInSeconds", request.timeout),
            ("heartbeatInSeconds", request.heartbeat),
        ] {
            if let Some(millis) = millis {
                fields.insert(name.to_owned(), Value::from(millis / 1000));
            }
        }
        if let Some(role) = &request.credentials_role {
            fields.insert("taskCredentials".to_owned(), json!({ "roleArn": role }));
        }
        let names = Names::of(&request.resource);
        self.note(
            names.scheduled,
            details(names.scheduled_details, Value::Object(fields)),
        );
        let started = match &request.resource {
            Resource::Lambda { .. } => Map::new(),
            Resource::Activity { .. } => details("activityStartedEventDetails", json!({})),
            resource => details("taskStartedEventDetails", Value::Object(named(resource))),
        };
        self.note(names.started, started);
    }

    pub(super) fn note_task_submitted(&mut self, resource: &Resource, output: &Value) {
        let mut fields = named(resource);
        fields.extend(payload("output", output));
        self.note(
            Type::TaskSubmitted,
            details("taskSubmittedEventDetails", Value::Object(fields)),
        );
    }

    pub(crate) fn note_task_succeeded(&mut self, resource: &Resource, output: &Value) {
        let names = Names::of(resource);
        let mut fields = named(resource);
        fields.extend(payload("output", output));
        self.note(
            names.succeeded,
            details(names.succeeded_details, Value::Object(fields)),
        );
    }

    pub(crate) fn note_task_failed(&mut self, resource: &Resource, failure: &Failure) {
        let names = Names::of(resource);
        self.note_task_error(names.failed, names.failed_details, resource, failure);
    }

    pub(crate) fn note_task_timed_out(&mut self, resource: &Resource, failure: &Failure) {
        let names = Names::of(resource);
        self.note_task_error(names.timed_out, names.timed_out_details, resource, failure);
    }

    fn note_task_error(&mut self, kind: Type, name: &str, resource: &Resource, failure: &Failure) {
        let mut fields = named(resource);
        fields.extend(error_fields(Some(&failure.error), failure.cause.as_deref()));
        self.note(kind, details(name, Value::Object(fields)));
    }
}

/// `resource` and `resourceType`, which Lambda and activity events do without.
fn named(resource: &Resource) -> Map<String, Value> {
    match resource {
        Resource::Lambda { .. } | Resource::Activity { .. } => Map::new(),
        _ => Map::from_iter([
            ("resource".to_owned(), Value::from(resource.history_name())),
            (
                "resourceType".to_owned(),
                Value::from(resource.history_type()),
            ),
        ]),
    }
}

/// The event names of one kind of task.
struct Names {
    scheduled: Type,
    scheduled_details: &'static str,
    started: Type,
    succeeded: Type,
    succeeded_details: &'static str,
    failed: Type,
    failed_details: &'static str,
    timed_out: Type,
    timed_out_details: &'static str,
}

impl Names {
    fn of(resource: &Resource) -> Names {
        match resource {
            Resource::Lambda { .. } => Names {
                scheduled: Type::LambdaFunctionScheduled,
                scheduled_details: "lambdaFunctionScheduledEventDetails",
                started: Type::LambdaFunctionStarted,
                succeeded: Type::LambdaFunctionSucceeded,
                succeeded_details: "lambdaFunctionSucceededEventDetails",
                failed: Type::LambdaFunctionFailed,
                failed_details: "lambdaFunctionFailedEventDetails",
                timed_out: Type::LambdaFunctionTimedOut,
                timed_out_details: "lambdaFunctionTimedOutEventDetails",
            },
            Resource::Activity { .. } => Names {
                scheduled: Type::ActivityScheduled,
                scheduled_details: "activityScheduledEventDetails",
                started: Type::ActivityStarted,
                succeeded: Type::ActivitySucceeded,
                succeeded_details: "activitySucceededEventDetails",
                failed: Type::ActivityFailed,
                failed_details: "activityFailedEventDetails",
                timed_out: Type::ActivityTimedOut,
                timed_out_details: "activityTimedOutEventDetails",
            },
            Resource::AwsSdk { .. } | Resource::Optimized { .. } | Resource::Other { .. } => {
                Names {
                    scheduled: Type::TaskScheduled,
                    scheduled_details: "taskScheduledEventDetails",
                    started: Type::TaskStarted,
                    succeeded: Type::TaskSucceeded,
                    succeeded_details: "taskSucceededEventDetails",
                    failed: Type::TaskFailed,
                    failed_details: "taskFailedEventDetails",
                    timed_out: Type::TaskTimedOut,
                    timed_out_details: "taskTimedOutEventDetails",
                }
            }
        }
    }
}
