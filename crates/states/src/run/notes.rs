//! Writing the history, event by event as Step Functions does.

use super::Run;
use crate::effect::TaskRequest;
use crate::execution::ChildEvent;
use crate::failure::{Failure, Origin};
use crate::history::{HistoryEvent, HistoryEventType as Type, details, error_fields, payload};
use crate::limits::HISTORY_EVENTS_MAX;
use crate::resource::Resource;
use crate::thread::{ThreadId, Visit};
use serde_json::{Map, Value, json};

impl Run<'_> {
    /// Writes an event of the thread at work, which the next one follows.
    pub(crate) fn note(&mut self, kind: Type, details: Map<String, Value>) -> u64 {
        let id = self.note_aside(kind, details);
        self.thread.last_event = id;
        id
    }

    /// Writes an event of the thread at work that no other follows.
    pub(crate) fn note_aside(&mut self, kind: Type, details: Map<String, Value>) -> u64 {
        self.write(self.thread.home, self.thread.last_event, kind, details)
    }

    /// Writes an event to a history: the execution's, or that of a distributed
    /// iteration. A full history takes only its last event.
    pub(super) fn write(
        &mut self,
        home: Option<ThreadId>,
        previous: u64,
        kind: Type,
        details: Map<String, Value>,
    ) -> u64 {
        let journal = match home {
            None => &mut self.execution.journal,
            Some(id) => self.execution.children.entry(id).or_default(),
        };
        let last = matches!(
            kind,
            Type::ExecutionAborted
                | Type::ExecutionFailed
                | Type::ExecutionSucceeded
                | Type::ExecutionTimedOut
        );
        if !last && journal.events_written + 1 >= HISTORY_EVENTS_MAX {
            return previous;
        }
        journal.events_written += 1;
        let event = HistoryEvent {
            id: journal.events_written,
            previous_event_id: previous,
            timestamp: self.now.millis,
            kind,
            details,
        };
        let id = event.id;
        match home {
            None => self.history.push(event),
            Some(_) => self.child_history.push(ChildEvent {
                execution: journal.id.clone(),
                event,
            }),
        }
        id
    }

    /// Events written to the history of the thread at work.
    pub(super) fn events_written(&self) -> u64 {
        match self.thread.home {
            None => self.execution.journal.events_written,
            Some(id) => self
                .execution
                .children
                .get(&id)
                .map_or(0, |journal| journal.events_written),
        }
    }

    /// Writes the first event of a history. AWS does not count it as the cause
    /// of the first state.
    pub(super) fn note_started(&mut self, home: Option<ThreadId>) {
        let journal = match home {
            None => Some(&self.execution.journal),
            Some(id) => self.execution.children.get(&id),
        };
        let mut fields = payload("input", journal.map_or(&Value::Null, |j| &j.input));
        fields.insert(
            "roleArn".to_owned(),
            Value::from(self.execution.machine.role_arn.clone()),
        );
        self.write(
            home,
            0,
            Type::ExecutionStarted,
            details("executionStartedEventDetails", Value::Object(fields)),
        );
    }

    pub(super) fn note_entered(&mut self, kind: Type, name: &str, input: &Value) -> u64 {
        let mut fields = payload("input", input);
        fields.insert("name".to_owned(), Value::from(name));
        self.note(
            kind,
            details("stateEnteredEventDetails", Value::Object(fields)),
        )
    }

    /// Writes an event about one iteration of a Map, which no other follows.
    pub(crate) fn note_iteration(&mut self, kind: Type, state: &str, index: usize) -> u64 {
        let name = match kind {
            Type::MapIterationStarted => "mapIterationStartedEventDetails",
            Type::MapIterationSucceeded => "mapIterationSucceededEventDetails",
            Type::MapIterationFailed => "mapIterationFailedEventDetails",
            _ => "mapIterationAbortedEventDetails",
        };
        let fields = json!({ "index": index, "name": state });
        self.note_aside(kind, details(name, fields))
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
            let mut fields = error_fields(failure.error.as_deref(), Some(&cause));
            if let Some(location) = location {
                fields.insert("location".to_owned(), Value::from(location.as_str()));
            }
            fields.insert("state".to_owned(), Value::from(visit.state.as_str()));
            // Recorded on AWS: a failed expression points past its own state's entry.
            if *in_expression && self.thread.last_event == visit.entered_event {
                self.thread.last_event = visit.entered_after;
            }
            self.note(
                Type::EvaluationFailed,
                details("evaluationFailedEventDetails", Value::Object(fields)),
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

    pub(super) fn note_ended(&mut self, kind: Type, name: &str, fields: Value) {
        self.note(kind, details(name, fields));
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

    /// An activity is taken by a worker, not submitted to a service.
    pub(super) fn note_task_submitted(&mut self, resource: &Resource, output: &Value) {
        if matches!(resource, Resource::Activity { .. }) {
            return;
        }
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
        fields.extend(error_fields(
            failure.error.as_deref(),
            failure.cause.as_deref(),
        ));
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
