//! Policies that stand in every account before anything happens: the quarantine, who may work as Quell's roles, and the service control policy that
//! keeps both as they are.

use serde_json::{Value, json};

/// The managed policy that every account has, by name: whoever has it may do nothing.
pub const QUARANTINE: &str = "QuellQuarantine";

/// What it says.
pub fn quarantine() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "Quarantined", "Effect": "Deny", "Action": "*", "Resource": "*"}]})
}

/// Who may work as one of Quell's roles: `principal`, with the external id when there is one. Whoever changes something says for which run.
pub fn trust(principal: &str, external_id: Option<&str>, acts: bool) -> Value {
    let mut when = serde_json::Map::new();
    if let Some(id) = external_id {
        when.insert("StringEquals".into(), json!({"sts:ExternalId": id}));
    }
    if acts {
        when.insert("StringLike".into(), json!({"sts:SourceIdentity": "run-*"}));
    }
    let mut statement = json!({
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
    });
    if let Some(statement) = statement.as_object_mut().filter(|_| !when.is_empty()) {
        statement.insert("Condition".into(), Value::Object(when));
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

/// What changes a role or what it may do.
const OF_ROLES: &[&str] = &[
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];

/// The service control policy that keeps the quarantine where it is: nobody but the role that acts in IAM takes it off somebody, and nobody
/// changes what it says, or Quell's roles, but those who are let through by name. `roles` are the names of Quell's roles, `acting` the one that acts
/// in IAM, `except` names or patterns of roles by which people and deployments still can.
pub fn service_control(
    partition: &str,
    roles: &[String],
    acting: &str,
    except: &[String],
) -> Value {
    let role = |name: &str| format!("arn:{partition}:iam::*:role/{name}");
    let all = |names: &[String]| names.iter().map(|name| role(name)).collect::<Vec<_>>();
    let except = all(except);
    let mut may_release = except.clone();
    may_release.push(role(acting));
    let policy = format!("arn:{partition}:iam::*:policy/{QUARANTINE}");
    let but = |who: &[String]| json!({"aws:PrincipalArn": who});
    json!({"Version": "2012-10-17", "Statement": [
        {
            "Sid": "QuarantineStaysOn", "Effect": "Deny", "Resource": "*",
            "Action": ["iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"],
            "Condition": {"ArnLike": {"iam:PolicyARN": policy}, "ArnNotLike": but(&may_release)},
        },
        {
            "Sid": "QuarantineStaysAsItIs", "Effect": "Deny", "Resource": policy,
            "Action": ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"],
            "Condition": {"ArnNotLike": but(&except)},
        },
        {
            "Sid": "RolesStayAsTheyAre", "Effect": "Deny", "Resource": all(roles), "Action": OF_ROLES,
            "Condition": {"ArnNotLike": but(&except)},
        },
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_the_quarantine_off_is_the_acting_role_or_let_through_by_name() {
        let roles = ["QuellReader".to_owned()];
        let except = ["break-glass".to_owned()];
        let scp = service_control("aws", &roles, "QuellAct-IAM", &except);
        let who =
            |n: usize| scp["Statement"][n]["Condition"]["ArnNotLike"]["aws:PrincipalArn"].clone();
        let glass = "arn:aws:iam::*:role/break-glass";
        assert_eq!(who(0), json!([glass, "arn:aws:iam::*:role/QuellAct-IAM"]));
        assert_eq!((who(1), who(2)), (json!([glass]), json!([glass])));
        // An organisation takes no longer one.
        assert!(scp.to_string().len() < 5_120);
    }

    #[test]
    fn whoever_acts_says_for_which_run() {
        let reads = trust("arn:aws:iam::1:role/quell", None, false);
        assert!(reads["Statement"][0].get("Condition").is_none());
        let acts = trust("arn:aws:iam::1:role/quell", Some("x"), true);
        let when = &acts["Statement"][0]["Condition"];
        assert_eq!(when["StringEquals"]["sts:ExternalId"], "x");
        assert_eq!(when["StringLike"]["sts:SourceIdentity"], "run-*");
    }
}
