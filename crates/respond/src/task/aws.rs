//! Calls to AWS: `aws-sdk` tasks, and the optimised integrations of services.

use quell_model::Call;
use quell_states::{Pattern, Resource, TaskRequest};
use serde_json::{Map, Value, json};

use super::{TaskFault, events, lambda};

/// One call to AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsTask {
    call: Call,
    token: Option<String>,
    form: Form,
    waits: bool,
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// It is the result.
    Sdk,
    /// It is the result, with what HTTP said besides.
    Optimized,
    /// `events:putEvents`: the same, unless an entry was refused.
    Events,
    /// `lambda:invoke`: the same, unless the function failed; the payload is JSON.
    Lambda,
    /// A function by its ARN: what it returned is the result.
    Function,
}

/// What AWS answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The output, spelled as the task wants it ([`AwsTask::is_optimized`]).
    pub value: Value,
    /// The HTTP status.
    pub status: u16,
    /// The HTTP headers, in order.
    pub headers: Vec<(String, String)>,
    /// AWS's request id.
    pub request_id: Option<String>,
}

impl AwsTask {
    pub(super) fn of(call: Call, request: &TaskRequest) -> Self {
        let form = match &request.resource {
            Resource::AwsSdk { .. } => Form::Sdk,
            Resource::Lambda { .. } => Form::Function,
            _ if call.service == "lambda" => Form::Lambda,
            _ if call.service == "events" => Form::Events,
            _ => Form::Optimized,
        };
        let call = match &request.token {
            Some(token) => call.without_token(token),
            None => call,
        };
        Self {
            call,
            token: request.token.clone(),
            form,
            waits: request.resource.pattern() == Pattern::WaitForTaskToken,
        }
    }

    /// The call by which it is declared and permitted: without the task's token.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// The task's token, which stands in the call that is sent wherever `quell:task-token` stands in the planned one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether parameters, answer and errors are spelled as optimised integrations spell them: members as the API
    /// does, errors as the first Java SDK does. An `aws-sdk` task has the spelling of the second.
    pub fn is_optimized(&self) -> bool {
        self.form != Form::Sdk
    }

    /// Whether the task stays open when the call is answered, until someone presents its token.
    pub fn waits_for_token(&self) -> bool {
        self.waits
    }

    /// The task's result; the output of its `TaskSubmitted` when it waits for its token.
    ///
    /// # Errors
    /// How the task fails, when AWS said yes to a call that failed.
    pub fn answered(&self, mut answer: Answer) -> Result<Value, TaskFault> {
        match self.form {
            Form::Sdk => return Ok(answer.value),
            Form::Function => return lambda::returned(&mut answer.value),
            Form::Lambda => lambda::settle(&mut answer.value)?,
            Form::Events => events::settle(&answer.value)?,
            Form::Optimized => {}
        }
        Ok(with_metadata(answer))
    }
}

/// The answer with what the first Java SDK says of its HTTP exchange.
fn with_metadata(answer: Answer) -> Value {
    let mut all: Map<String, Value> = Map::new();
    let mut first: Map<String, Value> = Map::new();
    for (name, value) in answer.headers {
        let values = all.entry(name.clone()).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(value.as_str().into());
        }
        first.entry(name).or_insert_with(|| value.into());
    }
    let mut result = match answer.value {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let http = json!({
        "AllHttpHeaders": all, "HttpHeaders": first, "HttpStatusCode": answer.status,
    });
    result.insert("SdkHttpMetadata".to_owned(), http);
    let id = json!({"RequestId": answer.request_id});
    result.insert("SdkResponseMetadata".to_owned(), id);
    Value::Object(result)
}
