//! The call that a task makes, by name: the one reader of the `Resource` of a Task state outside the states language.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::RunId;

/// One call, by name. Mostly of AWS; what a task asks of Quell's own runner (an execution, an HTTP request, an
/// activity) is named in the same way, so that it is declared and permitted like any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The service as the task's resource names it (`ec2`, `cloudwatchlogs`, `sns`, `http`).
    pub service: String,
    /// The operation as the API names it (`RevokeSecurityGroupIngress`).
    pub operation: String,
    /// The parameters, as the task spells them.
    pub params: Value,
}

/// Which state machine and which execution of it make a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What `$states.context.StateMachine.Id` says.
    pub machine: String,
    /// What `$states.context.Execution.Id` says.
    pub execution: String,
}

impl Caller {
    /// The run `run` of the playbook `playbook`.
    pub fn new(run: &RunId, playbook: &str) -> Self {
        Self {
            machine: format!("quell:playbook/{playbook}"),
            execution: run.to_string(),
        }
    }
}

/// The optimised integrations that are calls, or that Quell's own runner performs: service, action, and what may
/// follow it to say what the task waits for. Step Functions has more; those are no calls here.
const INTEGRATIONS: &[(&str, &str, &[&str])] = &[
    ("dynamodb", "deleteItem", ANSWER),
    ("dynamodb", "getItem", ANSWER),
    ("dynamodb", "putItem", ANSWER),
    ("dynamodb", "updateItem", ANSWER),
    ("events", "putEvents", CALLBACK),
    ("http", "invoke", ANSWER),
    ("lambda", "invoke", CALLBACK),
    ("sns", "publish", CALLBACK),
    ("sqs", "sendMessage", CALLBACK),
    ("states", "startExecution", JOB),
];
const ANSWER: &[&str] = &[""];
const TOKEN: &str = ".waitForTaskToken";
const CALLBACK: &[&str] = &["", TOKEN];
const JOB: &[&str] = &["", ".sync", ".sync:2", TOKEN];

/// What stands in a plan where a call will carry the token of its task: nobody knows that before the task begins.
const TOKEN_TO_COME: &str = "quell:task-token";

impl Call {
    /// The call that a Task state with this `Resource` and these arguments makes:
    /// `arn:aws:states:::aws-sdk:ec2:revokeSecurityGroupIngress` is `ec2`, `RevokeSecurityGroupIngress`;
    /// `arn:aws:states:::sns:publish` is `sns`, `Publish`; a function's ARN is `lambda`, `Invoke`; an activity's is
    /// `activity`, `Offer`. Whether the task then waits for a token or a job does not change the call. `None` for
    /// every other resource.
    pub fn of_task(resource: &str, arguments: &Value) -> Option<Self> {
        let mut parts = resource.splitn(6, ':');
        let mut part = || parts.next();
        let (arn, partition, service) = (part()?, part()?, part()?);
        let (region, account, rest) = (part()?, part()?, part()?);
        if arn != "arn" || !partition.starts_with("aws") {
            return None;
        }
        match (service, region.is_empty(), account.is_empty()) {
            ("states", true, true) => match rest.strip_prefix("aws-sdk:") {
                Some(call) => of_sdk(call, arguments),
                None => of_integration(rest, arguments),
            },
            ("lambda", false, false) if rest.starts_with("function:") => {
                Some(Self::invocation(resource, arguments))
            }
            ("states", false, false) if rest.starts_with("activity:") => Some(Self {
                service: "activity".to_owned(),
                operation: "Offer".to_owned(),
                params: json!({"ActivityArn": resource, "Input": arguments}),
            }),
            _ => None,
        }
    }

    /// A task with a function's ARN gives it all of its input.
    fn invocation(function: &str, input: &Value) -> Self {
        Self {
            service: "lambda".to_owned(),
            operation: "Invoke".to_owned(),
            params: json!({"FunctionName": function, "Payload": input.to_string()}),
        }
    }

    /// The same call as `caller` makes it: into the events that a task of `events:putEvents` sends, Step Functions
    /// writes who sends them. Every other call stays as it is.
    #[must_use]
    pub fn made_by(mut self, caller: &Caller) -> Self {
        if (self.service.as_str(), self.operation.as_str()) != ("events", "PutEvents") {
            return self;
        }
        let entries = self.params.get_mut("Entries").and_then(Value::as_array_mut);
        let entries = entries
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut);
        for entry in entries {
            let resources = entry.entry("Resources").or_insert_with(|| json!([]));
            if let Some(resources) = resources.as_array_mut() {
                // Recorded on AWS: in this order, after what the task itself names.
                resources.push(caller.machine.as_str().into());
                resources.push(caller.execution.as_str().into());
            }
        }
        self
    }

    /// The same call as a plan names it: `quell:task-token` where the task's own token is. A permit, a receipt and
    /// evidence know the call so, and the token is in none of them.
    #[must_use]
    pub fn without_token(self, token: &str) -> Self {
        self.replacing(token, TOKEN_TO_COME)
    }

    /// The call as it is sent: the task's token where a plan has `quell:task-token`.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.replacing(TOKEN_TO_COME, token)
    }

    fn replacing(self, from: &str, to: &str) -> Self {
        if from.is_empty() {
            // Nothing is everywhere.
            return self;
        }
        Self {
            params: replaced(self.params, from, to),
            ..self
        }
    }
}

/// No arguments are deep: their reader has a limit.
fn replaced(value: Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => text.replace(from, to).into(),
        Value::Array(items) => {
            let items = items.into_iter();
            items.map(|item| replaced(item, from, to)).collect()
        }
        Value::Object(members) => {
            let members = members.into_iter();
            let replaced = members.map(|(name, value)| (name, replaced(value, from, to)));
            Value::Object(replaced.collect())
        }
        other => other,
    }
}

fn of_sdk(text: &str, arguments: &Value) -> Option<Call> {
    let text = text.strip_suffix(TOKEN).unwrap_or(text);
    let (service, action) = text.split_once(':')?;
    let plain = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric());
    let sound = !service.is_empty() && plain(service) && plain(action);
    sound.then_some(())?;
    named(service, action, arguments.clone())
}

fn of_integration(text: &str, arguments: &Value) -> Option<Call> {
    let (service, action) = text.split_once(':')?;
    let is_meant = |(of, name, suffixes): &&(&str, &str, &[&str])| {
        let suffix = action.strip_prefix(name);
        *of == service && suffix.is_some_and(|suffix| suffixes.contains(&suffix))
    };
    let (_, action, _) = INTEGRATIONS.iter().find(is_meant)?;
    let mut params = arguments.clone();
    if service == "lambda" {
        as_payload(&mut params);
    }
    named(service, action, params)
}

/// A function is given JSON. A payload that is a text with JSON in it is taken for that JSON, any other text is a
/// JSON string, and no payload is an empty object.
fn as_payload(params: &mut Value) {
    let Some(params) = params.as_object_mut() else {
        return;
    };
    let text = match params.get("Payload") {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::String(text)) if serde_json::from_str::<Value>(text).is_ok() => return,
        Some(other) => other.to_string(),
    };
    params.insert("Payload".to_owned(), text.into());
}

fn named(service: &str, action: &str, params: Value) -> Option<Call> {
    let initial = action.chars().next().filter(char::is_ascii_lowercase)?;
    Some(Call {
        service: service.to_owned(),
        operation: initial.to_ascii_uppercase().to_string() + action.get(1..).unwrap_or(""),
        params,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(resource: &str, arguments: Value) -> Call {
        Call::of_task(resource, &arguments).unwrap()
    }

    #[test]
    fn a_task_names_its_call_in_every_partition() {
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            let resource = format!("arn:{partition}:states:::aws-sdk:ec2:describeVpcs");
            let call = call(&resource, json!({"MaxResults": 5}));
            assert_eq!(call.service, "ec2");
            assert_eq!(call.operation, "DescribeVpcs");
            assert_eq!(call.params, json!({"MaxResults": 5}));
        }
    }

    #[test]
    fn what_a_task_waits_for_does_not_change_its_call() {
        for (resource, service, operation) in [
            (
                "aws-sdk:ec2:describeVpcs.waitForTaskToken",
                "ec2",
                "DescribeVpcs",
            ),
            ("sns:publish", "sns", "Publish"),
            ("sns:publish.waitForTaskToken", "sns", "Publish"),
            ("sqs:sendMessage.waitForTaskToken", "sqs", "SendMessage"),
            ("events:putEvents.waitForTaskToken", "events", "PutEvents"),
            ("dynamodb:updateItem", "dynamodb", "UpdateItem"),
            ("states:startExecution", "states", "StartExecution"),
            ("states:startExecution.sync", "states", "StartExecution"),
            ("states:startExecution.sync:2", "states", "StartExecution"),
            (
                "states:startExecution.waitForTaskToken",
                "states",
                "StartExecution",
            ),
            ("http:invoke", "http", "Invoke"),
        ] {
            let call = call(&format!("arn:aws:states:::{resource}"), json!({"A": 1}));
            assert_eq!((&*call.service, &*call.operation), (service, operation));
            assert_eq!(call.params, json!({"A": 1}));
        }
    }

    #[test]
    fn a_function_and_an_activity_are_given_the_whole_input() {
        let function = "arn:aws:lambda:us-east-1:111111111111:function:f:1";
        let invoked = call(function, json!("{\"not\": \"parsed\"}"));
        assert_eq!(
            (&*invoked.service, &*invoked.operation),
            ("lambda", "Invoke")
        );
        let payload = "\"{\\\"not\\\": \\\"parsed\\\"}\"";
        let params = json!({"FunctionName": function, "Payload": payload});
        assert_eq!(invoked.params, params);

        let activity = "arn:aws:states:us-east-1:111111111111:activity:a";
        let offered = call(activity, json!({"x": 1}));
        assert_eq!(
            (&*offered.service, &*offered.operation),
            ("activity", "Offer")
        );
        let params = json!({"ActivityArn": activity, "Input": {"x": 1}});
        assert_eq!(offered.params, params);
    }

    #[test]
    fn a_payload_is_json_text() {
        for (given, sent) in [
            (json!({"F": 1}), json!({"F": 1, "Payload": "{}"})),
            (json!({"Payload": null}), json!({"Payload": "{}"})),
            (
                json!({"Payload": {"a": [1]}}),
                json!({"Payload": "{\"a\":[1]}"}),
            ),
            (
                json!({"Payload": "{\"a\": 1}"}),
                json!({"Payload": "{\"a\": 1}"}),
            ),
            (json!({"Payload": "Hello"}), json!({"Payload": "\"Hello\""})),
            (json!({"Payload": 7}), json!({"Payload": "7"})),
        ] {
            let call = call("arn:aws:states:::lambda:invoke", given);
            assert_eq!(call.params, sent);
        }
    }

    #[test]
    fn a_token_is_in_the_call_that_is_sent_and_nowhere_else() {
        let arguments = json!({"MessageBody": {"Token": "t0k", "n": 1}, "List": ["a t0k", true]});
        let sent = call(
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            arguments,
        );
        let planned = sent.clone().without_token("t0k");
        let body = json!({"Token": "quell:task-token", "n": 1});
        let params = json!({"MessageBody": body, "List": ["a quell:task-token", true]});
        assert_eq!(planned.params, params);
        assert_eq!(planned.with_token("t0k"), sent);
    }

    #[test]
    fn events_say_who_sends_them() {
        let caller = Caller {
            machine: "m".to_owned(),
            execution: "e".to_owned(),
        };
        let entries =
            json!({"Entries": [{"Source": "s"}, {"Resources": ["r"]}, {"Resources": 7}, 8]});
        let sent = call("arn:aws:states:::events:putEvents", entries.clone()).made_by(&caller);
        let with = json!({"Entries": [
            {"Source": "s", "Resources": ["m", "e"]}, {"Resources": ["r", "m", "e"]}, {"Resources": 7}, 8
        ]});
        assert_eq!(sent.params, with);

        let plain = call(
            "arn:aws:states:::aws-sdk:eventbridge:putEvents",
            entries.clone(),
        );
        assert_eq!(
            plain.made_by(&caller).params,
            entries,
            "the SDK's own call is left alone"
        );
    }

    #[test]
    fn what_is_not_exactly_such_a_task_is_no_call() {
        for resource in [
            "",
            "ec2:describeVpcs",
            "arn:aws:states:::batch:submitJob",
            "arn:aws:states:::sns:publish.sync",
            "arn:aws:states:::sns:publishes",
            "arn:aws:states:::dynamodb:putItem.waitForTaskToken",
            "arn:aws:states:::http:invoke.waitForTaskToken",
            "arn:aws:states:::dynamodb:query",
            "arn:aws:states:::states:startExecution.sync:2.waitForTaskToken",
            "arn:aws:states:::aws-sdk:ec2",
            "arn:aws:states:::aws-sdk:ec2:",
            "arn:aws:states:::aws-sdk::describeVpcs",
            "arn:aws:states:::aws-sdk:ec2:DescribeVpcs",
            "arn:aws:states:::aws-sdk:ec2:describeVpcs:1",
            "arn:aws:states:::aws-sdk:ec2:describeVpcs.sync",
            "arn:aws:states:us-east-1::aws-sdk:ec2:describeVpcs",
            "arn:aws:x:states:::aws-sdk:ec2:describeVpcs",
            "arn:aws:lambda:us-east-1::function:f",
            "arn:other:states:::aws-sdk:ec2:describeVpcs",
        ] {
            assert_eq!(Call::of_task(resource, &Value::Null), None, "{resource}");
        }
    }
}
