//! Parameters and answers in the spelling of Step Functions, and in the API's own.
//!
//! In Step Functions every member of a structure begins with a capital, at every depth, and acronyms at the
//! beginning of a name are words (`DbInstanceIdentifier`); keys of maps and documents are left alone. A text
//! parameter may be given as any JSON, and blobs are text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::java;
use crate::model::{Kind, View};
use crate::validate::{Fault, Faults, Place, Problem, Step, nearest};

/// Members that the Java SDK calls by another name: the shape, the member, Step Functions' name.
const RENAMED: &[(&str, &str, &str)] = &[
    ("AttributeValue", "NULL", "Nul"),
    ("FpgaImage", "Public", "IsPublic"),
    ("Image", "Public", "PublicLaunchPermissions"),
];

/// Who spells the members of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `aws-sdk` tasks: the second Java SDK (`Md5OfMessageBody`).
    Sdk,
    /// Optimised integrations: the API itself, with a capital (`MD5OfMessageBody`).
    Optimized,
}

/// The parameters of an operation whose input is `input`, from the spelling of Step Functions to the API's own. What
/// is wrong with them but for names is for [`crate::validate`] to say.
///
/// # Errors
/// The members that Step Functions does not know, with the nearest ones that it does.
pub fn params_from_states(
    input: Option<View<'_>>,
    params: &Value,
    spelling: Spelling,
) -> Result<Value, Vec<Fault>> {
    let mut faults = Faults::default();
    let params = match input {
        Some(input) => from_states(input, params, spelling, &Place::ROOT, &mut faults),
        None => params.clone(),
    };
    let faults = faults.sorted();
    if faults.is_empty() {
        Ok(params)
    } else {
        Err(faults)
    }
}

/// The answer of an operation whose output is `output`, from the API's own spelling to that of Step Functions.
pub fn answer_to_states(output: Option<View<'_>>, answer: Value, spelling: Spelling) -> Value {
    match output {
        Some(output) => to_states(output, answer, spelling),
        None => answer,
    }
}

/// The parameters of an operation whose input is `input`, as Step Functions spells them.
pub fn params_in_states(input: Option<View<'_>>, spelling: Spelling) -> Vec<String> {
    let Some(input) = input else {
        return Vec::new();
    };
    let members = input.members();
    members.map(|(name, _)| spelling.of(input, name)).collect()
}

fn from_states(
    view: View<'_>,
    given: &Value,
    spelling: Spelling,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Value {
    if place.is_too_deep() {
        faults.add(place, Problem::TooDeep);
        return Value::Null;
    }
    match (view.kind(), given) {
        (Kind::Structure, Value::Object(members)) if !view.is_document() => {
            structure_from_states(view, members, spelling, place, faults)
        }
        (Kind::List, Value::Array(items)) => {
            let converted = items.iter().enumerate().map(|(index, given)| {
                let place = &place.then(Step::Index(index));
                part(view.item(), given, spelling, place, faults)
            });
            converted.collect()
        }
        (Kind::Map, Value::Object(entries)) => {
            let converted = entries.iter().map(|(key, given)| {
                let place = &place.then(Step::Name(key));
                (
                    key.clone(),
                    part(view.value(), given, spelling, place, faults),
                )
            });
            converted.collect()
        }
        (Kind::Blob, given) if !given.is_null() => BASE64.encode(as_text(given)).into(),
        (Kind::String, given) if !given.is_null() && !view.is_json_value() => as_text(given).into(),
        _ => given.clone(),
    }
}

fn part(
    view: Option<View<'_>>,
    given: &Value,
    spelling: Spelling,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Value {
    match view {
        Some(view) => from_states(view, given, spelling, place, faults),
        None => given.clone(),
    }
}

fn structure_from_states(
    view: View<'_>,
    given: &Map<String, Value>,
    spelling: Spelling,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Value {
    let spelled: Vec<(String, &str, View<'_>)> = view
        .members()
        .map(|(name, member)| (spelling.of(view, name), name, member))
        .collect();
    let mut converted = Map::new();
    for (key, value) in given {
        let place = &place.then(Step::Name(key));
        if let Some((_, name, member)) = spelled.iter().find(|(spelled, ..)| spelled == key) {
            let value = from_states(*member, value, spelling, place, faults);
            converted.insert((*name).to_owned(), value);
        } else {
            let known = spelled.iter().map(|(spelled, ..)| spelled.as_str());
            let nearest = nearest(key, known);
            faults.add(place, Problem::Unknown { nearest });
        }
    }
    Value::Object(converted)
}

/// No answer is deep: its reader has a limit.
fn to_states(view: View<'_>, answer: Value, spelling: Spelling) -> Value {
    match (view.kind(), answer) {
        (Kind::Structure, Value::Object(members)) if !view.is_document() => members
            .into_iter()
            .map(|(name, value)| match view.member(&name) {
                Some(member) => (spelling.of(view, &name), to_states(member, value, spelling)),
                None => (name, value),
            })
            .collect(),
        (Kind::List, Value::Array(items)) => {
            let items = items.into_iter();
            items
                .map(|value| answer_to_states(view.item(), value, spelling))
                .collect()
        }
        (Kind::Map, Value::Object(entries)) => {
            let entries = entries.into_iter();
            entries
                .map(|(key, value)| (key, answer_to_states(view.value(), value, spelling)))
                .collect()
        }
        (Kind::Blob, Value::String(text)) => plain_text(text).into(),
        (_, value) => value,
    }
}

impl Spelling {
    /// What Step Functions calls the member `name` of the structure `view`.
    fn of(self, view: View<'_>, name: &str) -> String {
        if self == Self::Optimized {
            return java::capitalised(name);
        }
        let shape = view.shape_name();
        let mut renamed = RENAMED.iter();
        match renamed.find(|(of, member, _)| *of == shape && *member == name) {
            Some((.., states)) => (*states).to_owned(),
            None => java::property(name),
        }
    }
}

/// Text as it is, anything else as JSON.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A blob's bytes as text; what is no text stays base64.
fn plain_text(base64: String) -> String {
    let bytes = BASE64.decode(&base64).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or(base64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Operation, Service};
    use crate::registry;
    use serde_json::json;
    use std::collections::HashSet;

    fn model(service: &str, operation: &str) -> (&'static Service, &'static Operation) {
        registry::operation(service, operation).unwrap()
    }

    fn params(service: &str, operation: &str, given: &Value) -> Result<Value, Vec<String>> {
        let (service, operation) = model(service, operation);
        let input = operation.input.as_ref().map(|input| service.view(input));
        let converted = params_from_states(input, given, Spelling::Sdk);
        converted.map_err(|faults| faults.iter().map(Fault::to_string).collect())
    }

    fn answer(service: &str, operation: &str, given: Value) -> Value {
        let (service, operation) = model(service, operation);
        let output = operation.output.as_ref().map(|output| service.view(output));
        answer_to_states(output, given, Spelling::Sdk)
    }

    #[test]
    fn parameters_are_in_the_apis_spelling_at_every_depth() {
        let given = json!({"DetectorId": "d", "FindingCriteria": {
            "Criterion": {"type": {"EqualsValue": ["x"], "GreaterThan": 1}}}});
        assert_eq!(
            params("guardduty", "ListFindings", &given).unwrap(),
            json!({"DetectorId": "d", "FindingCriteria": {
                "Criterion": {"type": {"Equals": ["x"], "GreaterThan": 1}}}})
        );
        assert_eq!(
            params(
                "stepfunctions",
                "SendTaskFailure",
                &json!({"TaskToken": "t"})
            )
            .unwrap(),
            json!({"taskToken": "t"})
        );
        assert_eq!(
            params("sqs", "ListQueues", &json!("odd")).unwrap(),
            json!("odd"),
            "validation says what is wrong with it"
        );
    }

    #[test]
    fn other_spellings_are_unknown() {
        assert_eq!(
            params(
                "rds",
                "StopDBInstance",
                &json!({"DBInstanceIdentifier": "d"})
            ),
            Err(vec![
                "DBInstanceIdentifier is not a parameter (did you mean DbInstanceIdentifier?)"
                    .to_owned()
            ])
        );
    }

    #[test]
    fn what_is_nested_without_end_is_refused() {
        let mut item = json!({"S": "x"});
        for _ in 0..100 {
            item = json!({"L": [item]});
        }
        let faults = params("dynamodb", "PutItem", &json!({"Item": {"a": item}})).unwrap_err();
        assert!(
            faults.concat().ends_with(" is nested too deep"),
            "{faults:?}"
        );
    }

    #[test]
    fn text_may_be_any_json_and_blobs_are_text() {
        let given = json!({"StateMachineArn": "a", "Input": {"b": [1]}});
        assert_eq!(
            params("stepfunctions", "StartExecution", &given).unwrap(),
            json!({"stateMachineArn": "a", "input": "{\"b\":[1]}"})
        );
        let given = json!({"Bucket": "b", "Key": "k", "Body": true, "Acl": null});
        assert_eq!(
            params("s3", "PutObject", &given).unwrap(),
            json!({"Bucket": "b", "Key": "k", "Body": "dHJ1ZQ==", "ACL": null})
        );
        assert_eq!(
            answer(
                "s3",
                "GetObject",
                json!({"Body": "dHJ1ZQ==", "ETag": "\"e\""})
            ),
            json!({"Body": "true", "ETag": "\"e\""})
        );
        let binary = json!({"Body": "//79"});
        assert_eq!(answer("s3", "GetObject", binary.clone()), binary);
    }

    #[test]
    fn answers_are_in_the_spelling_of_step_functions() {
        assert_eq!(
            answer(
                "rds",
                "DescribeDBInstances",
                json!({"DBInstances": [{"DBInstanceStatus": "s"}]})
            ),
            json!({"DbInstances": [{"DbInstanceStatus": "s"}]})
        );
        assert_eq!(
            answer(
                "dynamodb",
                "GetItem",
                json!({"Item": {"id": {"S": "x"}, "n": {"NULL": true}}})
            ),
            json!({"Item": {"id": {"S": "x"}, "n": {"Nul": true}}})
        );
    }

    #[test]
    fn optimised_integrations_spell_as_the_api_does() {
        let (service, operation) = model("sqs", "SendMessage");
        let output = operation.output.as_ref().map(|output| service.view(output));
        let sent = json!({"MD5OfMessageBody": "m", "MessageId": "i"});
        let told = answer_to_states(output, sent.clone(), Spelling::Optimized);
        assert_eq!(told, sent);
        let told = answer_to_states(output, sent, Spelling::Sdk);
        assert_eq!(told, json!({"Md5OfMessageBody": "m", "MessageId": "i"}));

        let (service, operation) = model("dynamodb", "PutItem");
        let input = operation.input.as_ref().map(|input| service.view(input));
        let given = json!({"TableName": "t", "Item": {"n": {"NULL": true}, "b": {"BOOL": false}, "s": {"SS": ["x"]}}});
        let params = params_from_states(input, &given, Spelling::Optimized);
        assert_eq!(params.unwrap(), given);

        let (service, operation) = model("lambda", "Invoke");
        let input = operation.input.as_ref().map(|input| service.view(input));
        let given = json!({"FunctionName": "f", "Payload": "{\"a\":1}"});
        let params = params_from_states(input, &given, Spelling::Optimized);
        assert_eq!(
            params.unwrap(),
            json!({"FunctionName": "f", "Payload": "eyJhIjoxfQ=="})
        );
    }

    /// No structure has two members of one spelling, so that each is found again.
    #[test]
    fn every_member_of_every_operation_goes_there_and_back() {
        for name in registry::SERVICES {
            let service = registry::service(name).unwrap();
            for spelling in [Spelling::Sdk, Spelling::Optimized] {
                let mut seen = HashSet::new();
                for operation in service.operations.values() {
                    for reference in operation.input.iter().chain(&operation.output) {
                        check(service.view(reference), spelling, &mut seen);
                    }
                }
            }
        }
    }

    fn check<'a>(view: View<'a>, spelling: Spelling, seen: &mut HashSet<&'a str>) {
        if !seen.insert(view.shape_name()) {
            return;
        }
        let spelled: HashSet<String> = view.members().map(|(n, _)| spelling.of(view, n)).collect();
        assert_eq!(
            spelled.len(),
            view.members().count(),
            "{}",
            view.shape_name()
        );
        assert!(
            spelled
                .iter()
                .all(|name| name.starts_with(|c: char| c.is_ascii_uppercase())),
            "{spelled:?}"
        );
        for (_, member) in view.members() {
            check(member, spelling, seen);
        }
        for inner in [view.item(), view.value()].into_iter().flatten() {
            check(inner, spelling, seen);
        }
    }
}
