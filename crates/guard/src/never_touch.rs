//! What no playbook ever touches, whoever approves it: what Quell and its people come in by, and what AWS keeps for itself.
//!
//! The set is compiled in. Settings add to it and take nothing away.

use quell_model::{Arn, Plan, Resource};
use serde_json::Value;

/// What the settings add.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeverTouch<'a> {
    /// Accounts in which nothing is changed: the management account, Quell's own, the log archive.
    pub accounts: &'a [String],
    /// Roles and users, by name, that people come in by when nothing else works, and those that Quell itself works as.
    pub names: &'a [String],
}

/// Roles that AWS makes for its services and for single sign-on, and those by which the organisation gets into its accounts.
const NAMES: &[&str] = &[
    "OrganizationAccountAccessRole",
    "AWSControlTowerExecution",
    "AWSControlTowerAdmin",
];
/// What the names of such roles begin with. Users are told by their exact names alone: whoever may make one chooses its name. So are Quell's own
/// roles, whose names the settings know.
const ROLE_PREFIXES: &[&str] = &["AWSServiceRoleFor", "AWSReservedSSO_", "stacksets-exec-"];
const PATH_PREFIXES: &[&str] = &["aws-service-role/", "aws-reserved/", "service-role/aws-"];

/// Members of a call's arguments that name an identity.
const NAMING: &[&str] = &["RoleName", "UserName", "PrincipalArn", "RoleArn"];

/// Why the resource, or something that a call of the plan names, may not be touched; `None` when it may.
pub(crate) fn reason(plan: &Plan, resource: &Resource, never: NeverTouch<'_>) -> Option<String> {
    if never.accounts.contains(&resource.account) {
        return Some(format!(
            "account {} is one in which nothing is ever changed",
            resource.account
        ));
    }
    // The account as a whole has the same ARN. What may be done to it is for its own proof to say.
    let is_root = resource.arn.service == "iam" && resource.arn.resource == "root";
    if is_root && resource.kind != "AWS::::Account" {
        return Some("an account's root user is never changed by a playbook".to_owned());
    }
    let own = of_arn(&resource.arn, never);
    own.or_else(|| {
        plan.calls
            .iter()
            .find_map(|call| of_arguments(&call.arguments, never))
    })
}

/// Why whom an ARN names may not be touched; `None` when it may.
pub(crate) fn of_arn(arn: &Arn, never: NeverTouch<'_>) -> Option<String> {
    if arn.service != "iam" && arn.service != "sts" {
        return None;
    }
    let (kind, path) = arn.resource.split_once('/')?;
    let is_identity = matches!(kind, "role" | "user" | "instance-profile" | "assumed-role");
    let name = match kind {
        "assumed-role" => path.split('/').next()?,
        _ => path.rsplit('/').next()?,
    };
    let reserved = PATH_PREFIXES.iter().any(|prefix| path.starts_with(prefix));
    match is_identity && reserved {
        true => Some(no(name)),
        false => is_identity
            .then(|| of_name(name, kind == "user", never))
            .flatten(),
    }
}

fn of_name(name: &str, is_user: bool, never: NeverTouch<'_>) -> Option<String> {
    let is_role = !is_user
        && (NAMES.contains(&name) || ROLE_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
    let known = is_role || never.names.iter().any(|own| own == name);
    known.then(|| no(name))
}

fn no(name: &str) -> String {
    format!("«{name}» is never touched: AWS, Quell or people in need come in by it")
}

/// Any ARN of an identity, at any depth, and any member that names one.
fn of_arguments(arguments: &Value, never: NeverTouch<'_>) -> Option<String> {
    match arguments {
        Value::Object(members) => members.iter().find_map(|(key, value)| {
            let named = value.as_str().filter(|_| NAMING.contains(&key.as_str()));
            named
                .and_then(|name| of_name(name, key == "UserName", never))
                .or_else(|| of_arguments(value, never))
        }),
        Value::Array(items) => items.iter().find_map(|item| of_arguments(item, never)),
        Value::String(text) => text.parse::<Arn>().ok().and_then(|arn| of_arn(&arn, never)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_model::{Class, PlannedCall};
    use serde_json::json;

    fn plan(arguments: Value) -> Plan {
        Plan {
            playbook: "PB-001".into(),
            resource: String::new(),
            summary: String::new(),
            calls: vec![PlannedCall {
                resource: "arn:aws:states:::aws-sdk:iam:putRolePolicy".into(),
                arguments,
                class: Class::R1,
                sets: serde_json::Map::new(),
                undo: Vec::new(),
            }],
            before: Value::Null,
            after: Value::Null,
            facts: Value::Null,
        }
    }

    fn of(arn: &str, arguments: Value) -> Option<String> {
        let accounts = ["999988887777".to_owned()];
        let names = [
            "break-glass",
            "SecurityReader",
            "QuellReader",
            "QuellAct-Network",
        ];
        let names = names.map(str::to_owned);
        let never = NeverTouch {
            accounts: &accounts,
            names: &names,
        };
        let resource = Resource::new(arn.parse().unwrap(), "AWS::IAM::Role", "x");
        reason(&plan(arguments), &resource, never)
    }

    #[test]
    fn what_people_and_aws_come_in_by_is_never_touched() {
        for name in [
            "role/OrganizationAccountAccessRole",
            "role/aws-service-role/ec2.amazonaws.com/AWSServiceRoleForEC2Spot",
            "role/AWSServiceRoleForSupport",
            "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef",
            "role/AWSControlTowerExecution",
            "role/stacksets-exec-0123456789abcdef",
            "role/QuellAct-Network",
            "role/path/QuellReader",
            "user/break-glass",
            "role/SecurityReader",
            "root",
        ] {
            let arn = format!("arn:aws:iam::111122223333:{name}");
            assert!(of(&arn, json!({})).is_some(), "{name}");
            if name != "root" {
                let other = "arn:aws:iam::111122223333:role/app";
                assert!(
                    of(other, json!({"Nested": [{"Arn": arn}]})).is_some(),
                    "{name}"
                );
                let bare = name.rsplit('/').next().unwrap();
                let member = match name.starts_with("user/") {
                    true => "UserName",
                    false => "RoleName",
                };
                assert!(of(other, json!({member: bare})).is_some(), "{name}");
            }
        }
        let (accounts, names) = (Vec::new(), Vec::new());
        let never = NeverTouch {
            accounts: &accounts,
            names: &names,
        };
        let root: Arn = "arn:aws:iam::111122223333:root".parse().unwrap();
        let account = Resource::of_arn(&root).unwrap();
        assert_eq!(
            reason(&plan(json!({})), &account, never),
            None,
            "an account as a whole is its own proof's affair"
        );
        let session = "arn:aws:sts::111122223333:assumed-role/QuellReader/run-1";
        assert!(of(session, json!({})).is_some());
        assert!(of("arn:aws:ec2:us-east-1:999988887777:instance/i-1", json!({})).is_some());
    }

    #[test]
    fn whoever_only_sounds_like_them_is_touched() {
        for name in [
            "role/app",
            "user/eve",
            "role/MyOrganizationAccountAccessRole",
            "policy/QuellThing",
            "user/Quell-helper",
            "user/AWSReservedSSO_eve",
            "role/QuellAct-Backdoor",
        ] {
            let arn = format!("arn:aws:iam::111122223333:{name}");
            assert_eq!(
                of(
                    &arn,
                    json!({"PolicyName": "QuellQuarantine", "UserName": "eve"})
                ),
                None,
                "{name}"
            );
        }
    }
}
