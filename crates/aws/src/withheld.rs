//! What the answer of a task never has, because it goes to the log of a run, to evidence and to people: secrets in the
//! environment of functions and containers, and links that open code for whoever has them.

use serde_json::Value;

use crate::sensitive::HIDDEN;

/// Answers are trees of a few levels; what is deeper is left out altogether.
const DEPTH_MAX: usize = 64;

/// Takes them out of an answer in the API's spelling, wherever they stand in it.
pub(crate) fn withhold(service: &str, answer: &mut Value) {
    match service {
        "lambda" => walk(answer, &of_lambda, DEPTH_MAX),
        "ecs" => walk(answer, &of_ecs, DEPTH_MAX),
        _ => {}
    }
}

fn walk(value: &mut Value, hide: &impl Fn(&str, &mut Value), depth: usize) {
    let Some(depth) = depth.checked_sub(1) else {
        *value = HIDDEN.into();
        return;
    };
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                hide(name, value);
                walk(value, hide, depth);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, hide, depth)),
        _ => {}
    }
}

/// `Environment.Variables` of a configuration, and the link of `Code.Location`.
fn of_lambda(name: &str, value: &mut Value) {
    let member = match name {
        "Environment" => "Variables",
        "Code" => "Location",
        _ => return,
    };
    if let Some(secret) = value.get_mut(member) {
        match secret {
            Value::Object(variables) => {
                variables.values_mut().for_each(|v| *v = HIDDEN.into());
            }
            link => *link = HIDDEN.into(),
        }
    }
}

/// `environment: [{name, value}]` of containers, of their overrides, and of definitions.
fn of_ecs(name: &str, value: &mut Value) {
    let variables = value.as_array_mut().filter(|_| name == "environment");
    for variable in variables.into_iter().flatten() {
        if let Some(secret) = variable.get_mut("value") {
            *secret = HIDDEN.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_of_functions_and_containers_are_taken_out_and_nothing_else() {
        let mut function = json!({
            "Configuration": {"Role": "r", "Environment": {"Variables": {"TOKEN": "s3cret"}}},
            "Code": {"RepositoryType": "S3", "Location": "https://bucket/x?X-Amz-Signature=s3cret"},
        });
        withhold("lambda", &mut function);
        let wanted = json!({
            "Configuration": {"Role": "r", "Environment": {"Variables": {"TOKEN": HIDDEN}}},
            "Code": {"RepositoryType": "S3", "Location": HIDDEN},
        });
        assert_eq!(function, wanted);
        let variables = json!([{"name": "TOKEN", "value": "s3cret"}]);
        let mut task = json!({
            "tasks": [{"group": "service:web", "overrides": {"containerOverrides": [{"environment": variables}]}}],
            "taskDefinition": {"taskRoleArn": "r", "containerDefinitions": [{"environment": variables}]},
        });
        withhold("ecs", &mut task);
        assert!(!task.to_string().contains("s3cret"), "{task}");
        assert_eq!(task["tasks"][0]["group"], "service:web");
        assert_eq!(task["taskDefinition"]["taskRoleArn"], "r");
        let mut other = json!({"environment": variables});
        withhold("ec2", &mut other);
        assert!(other.to_string().contains("s3cret"));
    }

    #[test]
    fn what_is_nested_without_end_is_left_out() {
        let mut deep = json!("s3cret");
        for _ in 0..200 {
            deep = json!([deep]);
        }
        withhold("lambda", &mut deep);
        assert!(!deep.to_string().contains("s3cret"));
    }
}
