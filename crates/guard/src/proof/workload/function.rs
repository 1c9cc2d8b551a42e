//! A function of Lambda: nothing of it may run, its URLs ask for a signature, and statements that let everybody call it go.

use quell_model::{Class, Plan};
use serde_json::{Map, Value, json};

use super::super::attributes::{Asked, Deed, Image, Subject, Way, attributes, no};
use super::{is_not_our_own, is_this, of_session};
use crate::proof::{Claim, Unproven};

/// How much is reserved for it.
const CONCURRENCY: &str = "function/concurrency";

/// Services that call a function later again when it is throttled, for hours, and wait for no answer.
const CALL_LATER: &[&str] = &[
    "config.amazonaws.com",
    "events.amazonaws.com",
    "s3.amazonaws.com",
    "ses.amazonaws.com",
    "sns.amazonaws.com",
];

/// Plans about a function.
pub(in crate::proof) struct Function;

impl Subject for Function {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        if let Some(deed) = of_session(asked) {
            return deed;
        }
        is_this(asked, "FunctionName")?;
        match (asked.operation, asked.way) {
            ("lambda:PutFunctionConcurrency", Way::There) => throttle(asked),
            ("lambda:PutFunctionConcurrency", Way::Back) => reserve(asked),
            ("lambda:DeleteFunctionConcurrency", Way::Back) => {
                asked.only(&["FunctionName"])?;
                Ok(Deed::setting(CONCURRENCY, Value::Null))
            }
            ("lambda:DeleteProvisionedConcurrencyConfig", Way::There) => cool(asked),
            ("lambda:PutProvisionedConcurrencyConfig", Way::Back) => warm(asked),
            ("lambda:UpdateFunctionUrlConfig", way) => set_url(asked, way),
            ("lambda:RemovePermission", Way::There) => close(asked),
            ("lambda:AddPermission", Way::Back) => open(asked),
            (other, _) => Err(no(format!("{other} contains no function"))),
        }
    }

    fn allows(&self, plan: &Plan, _: &[Deed], _: &Claim<'_>) -> Result<(), Unproven> {
        is_not_our_own(attributes(&plan.before, "before")?)
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        concerns(plan, claim)
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "nothing is reserved for this function but zero, and no other function is touched",
            "a URL is only ever made to ask for a signature",
            "of its policy only statements that let everybody call it go, and each can be put back to the letter",
            "only this function's own session of its role is denied",
        ]
    }
}

/// Who else would feel it.
fn concerns(plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
    let Ok(image) = attributes(&plan.before, "before") else {
        return vec!["it is not known what calls the function".to_owned()];
    };
    let mut ask: Vec<String> = under(image, "provisioned/")
        .map(|(of, warm)| {
            format!("«{of}» keeps {warm} warm, and is cold for a while when it comes back")
        })
        .collect();
    let mut calls = plan.calls.iter();
    let throttles = calls.any(|call| call.resource.ends_with(":putFunctionConcurrency"));
    if throttles && claim.production && !waits(image) {
        ask.extend(under(image, "url/").map(|(of, _)| format!("the URL of «{of}» answers nobody")));
        let sync = under(image, "statement/").filter(|(_, statement)| !is_later(statement));
        ask.extend(sync.map(|(name, statement)| {
            let who = statement.get("Principal").unwrap_or(&Value::Null);
            format!("{who}, by the statement {name}, is refused and may not call again")
        }));
    }
    ask
}

fn under<'a>(image: &'a Image, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let rest =
        move |(key, value): (&'a String, &'a Value)| Some((key.strip_prefix(prefix)?, value));
    image.iter().filter_map(rest)
}

/// Whether a statement lets nobody in but a service that calls later again.
fn is_later(statement: &Value) -> bool {
    let principal = statement.get("Principal").and_then(Value::as_object);
    let service = principal
        .filter(|principal| principal.len() == 1)
        .and_then(|principal| principal.get("Service")?.as_str());
    let allows = statement.get("Effect") == Some(&Value::from("Allow"));
    allows && service.is_some_and(|service| CALL_LATER.contains(&service))
}

/// Whether all that is known to call it can wait: it is called by queues, streams and events, by something at least, and has no URL.
fn waits(image: &Image) -> bool {
    let statements = || under(image, "statement/").map(|(_, statement)| statement);
    let has_caller = under(image, "source/").next().is_some() || statements().next().is_some();
    let has_url = under(image, "url/").next().is_some();
    has_caller && !has_url && statements().all(is_later)
}

fn throttle(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let name = "ReservedConcurrentExecutions";
    asked.only(&["FunctionName", name])?;
    asked.is(name, &json!(0))?;
    if asked.image.get(CONCURRENCY) == Some(&json!(0)) {
        return Err(no("nothing of it may run already"));
    }
    if under(asked.image, "provisioned/").next().is_some() {
        return Err(no(
            "what is kept warm has to go by a plan of its own before, or Lambda refuses",
        ));
    }
    let class = match waits(asked.image) {
        true => Class::R1,
        false => Class::R2,
    };
    Ok(Deed::setting(CONCURRENCY, 0).of_class(class))
}

/// A count of executions.
fn count(asked: &Asked<'_>, name: &str) -> Result<Value, Unproven> {
    let given = asked.arguments.get(name).and_then(Value::as_u64);
    let given = given.ok_or_else(|| no(format!("{} has no {name}", asked.operation)))?;
    Ok(given.into())
}

fn reserve(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let name = "ReservedConcurrentExecutions";
    asked.only(&["FunctionName", name])?;
    Ok(Deed::setting(CONCURRENCY, count(asked, name)?))
}

fn cool(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["FunctionName", "Qualifier"])?;
    let key = format!("provisioned/{}", asked.text("Qualifier")?);
    match asked.image.contains_key(&key) {
        true => Ok(Deed::setting(key, Value::Null).of_class(Class::R2)),
        false => Err(no(format!("{key} is not there"))),
    }
}

fn warm(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let name = "ProvisionedConcurrentExecutions";
    asked.only(&["FunctionName", "Qualifier", name])?;
    let key = format!("provisioned/{}", asked.text("Qualifier")?);
    Ok(Deed::setting(key, count(asked, name)?))
}

/// The alias that a call is about, or the function itself.
fn qualifier<'a>(asked: &Asked<'a>) -> Result<&'a str, Unproven> {
    match asked.arguments.contains_key("Qualifier") {
        true => asked.text("Qualifier"),
        false => Ok("$LATEST"),
    }
}

/// What only closes costs nobody anything once nothing may run.
fn of_the_throttled(asked: &Asked<'_>, deed: Deed) -> Deed {
    match asked.image.get(CONCURRENCY) == Some(&json!(0)) {
        true => deed,
        false => deed.of_class(Class::R2),
    }
}

fn set_url(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    asked.only(&["FunctionName", "Qualifier", "AuthType"])?;
    let key = format!("url/{}", qualifier(asked)?);
    let was = asked.image.get(&key);
    if way == Way::Back {
        return Ok(Deed::setting(key, asked.text("AuthType")?));
    }
    asked.is("AuthType", &"AWS_IAM".into())?;
    match was.and_then(Value::as_str) {
        Some("NONE") => Ok(of_the_throttled(asked, Deed::setting(key, "AWS_IAM"))),
        _ => Err(no(format!("{key} is not there, or is closed already"))),
    }
}

/// Takes away a statement that lets everybody in, and says nothing that could not be said again.
fn close(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["FunctionName", "Qualifier", "StatementId"])?;
    let key = format!(
        "statement/{}/{}",
        qualifier(asked)?,
        asked.text("StatementId")?
    );
    let statement = asked.image.get(&key);
    let statement = statement.ok_or_else(|| no(format!("{key} is not there")))?;
    match is_open(statement) {
        true => Ok(of_the_throttled(asked, Deed::setting(key, Value::Null))),
        false => Err(no(format!(
            "{key} does not let everybody in, or has a condition: whom it is for is a person's to say"
        ))),
    }
}

fn is_open(statement: &Value) -> bool {
    let says = |name: &str, value: &str| statement.get(name) == Some(&value.into());
    let condition = statement.get("Condition").and_then(Value::as_object);
    let mut conditions = condition.into_iter().flatten();
    let opens = |(operator, of): (&String, &Value)| match operator.as_str() {
        "StringEquals" => *of == json!({"lambda:FunctionUrlAuthType": "NONE"}),
        "Bool" => *of == json!({"lambda:InvokedViaFunctionUrl": "true"}),
        _ => false,
    };
    says("Effect", "Allow") && says("Principal", "*") && conditions.all(opens)
}

/// The statement that Lambda makes of a call.
fn open(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    let given = asked.only(&[
        "FunctionName",
        "Qualifier",
        "StatementId",
        "Principal",
        "Action",
        "FunctionUrlAuthType",
        "InvokedViaFunctionUrl",
    ])?;
    let (of, sid) = (qualifier(asked)?, asked.text("StatementId")?);
    let mut condition = Map::new();
    if let Some(auth) = given.get("FunctionUrlAuthType") {
        condition.insert(
            "StringEquals".to_owned(),
            json!({"lambda:FunctionUrlAuthType": auth}),
        );
    }
    if let Some(by_url) = given.get("InvokedViaFunctionUrl") {
        condition.insert(
            "Bool".to_owned(),
            json!({"lambda:InvokedViaFunctionUrl": by_url.to_string()}),
        );
    }
    let own = &asked.claim.resource.arn;
    let mut statement = json!({
        "Sid": sid, "Effect": "Allow", "Principal": asked.text("Principal")?, "Action": asked.text("Action")?,
        "Resource": match of {
            "$LATEST" => own.to_string(),
            alias => format!("{own}:{alias}"),
        },
    });
    if let (false, Some(members)) = (condition.is_empty(), statement.as_object_mut()) {
        members.insert("Condition".to_owned(), condition.into());
    }
    Ok(Deed::setting(format!("statement/{of}/{sid}"), statement))
}
