//! What a policy grants of one action on one resource.

use serde::Serialize;

use super::document::{Document, Effect, Names, Statement};
use super::pattern::{Form, Pattern};

/// How far a policy grants something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// It does not.
    No,
    /// Under a condition, or unless a denial holds: not the same as open.
    Conditioned,
    /// To whoever has it, without any condition.
    Open,
}

/// How surely a statement is about a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    No,
    Perhaps,
    Yes,
}

impl Document {
    /// How far this policy, standing alone, grants `action` on `resource` (an ARN without wildcards).
    pub fn grants(&self, action: &str, resource: &str) -> Grant {
        let action = Pattern::of(action, Form::Action);
        let resource = Pattern::of(resource, Form::Resource { variables: false });
        let strongest = |effect| {
            let those = self.statements.iter().filter(|s| s.effect == effect);
            let abouts = those.map(|s| about(s, &action, &resource));
            abouts.max().unwrap_or(About::No)
        };
        match (strongest(Effect::Allow), strongest(Effect::Deny)) {
            (About::No, _) | (_, About::Yes) => Grant::No,
            (About::Perhaps, _) | (_, About::Perhaps) => Grant::Conditioned,
            (About::Yes, About::No) => Grant::Open,
        }
    }
}

fn about(statement: &Statement, action: &Pattern, resource: &Pattern) -> About {
    let resources = statement.resources.as_ref();
    let of_resource = resources.map_or(About::Yes, |some| names(some, resource));
    let of_principal = match &statement.principals {
        None => About::Yes,
        Some(Names::Only(those)) if those.iter().any(|p| p.kind == "*") => About::Yes,
        Some(_) => About::Perhaps,
    };
    let of_conditions = match statement.conditions.is_empty() {
        true => About::Yes,
        false => About::Perhaps,
    };
    let parts = [
        names(&statement.actions, action),
        of_resource,
        of_principal,
        of_conditions,
    ];
    parts.into_iter().min().unwrap_or(About::No)
}

fn names(some: &Names<Pattern>, text: &Pattern) -> About {
    let of = |pattern: &Pattern| match (pattern.matches(text), pattern.is_variable()) {
        (false, _) => About::No,
        (true, true) => About::Perhaps,
        (true, false) => About::Yes,
    };
    let strongest = |patterns: &[Pattern]| patterns.iter().map(of).max().unwrap_or(About::No);
    match some {
        Names::Only(patterns) => strongest(patterns),
        Names::AllBut(patterns) => match strongest(patterns) {
            About::No => About::Yes,
            About::Perhaps => About::Perhaps,
            About::Yes => About::No,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn grants(statements: Value) -> Grant {
        let document = Document::of(&json!({"Version": "2012-10-17", "Statement": statements}));
        let probe = "arn:aws:iam::444455556666:policy/quell-probe";
        document.unwrap().grants("iam:CreatePolicyVersion", probe)
    }

    #[test]
    fn open_is_only_what_nothing_limits() {
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let with = |name: &str, value: Value| {
            let mut statement = allow.clone();
            statement[name] = value;
            statement
        };
        assert_eq!(grants(json!([allow])), Grant::Open);
        let reads =
            json!({"Effect": "Allow", "NotAction": "iam:Get*", "NotResource": "arn:aws:s3:::x"});
        assert_eq!(grants(reads), Grant::Open);
        assert_eq!(
            grants(with("Action", json!("IAM:createpolicy*"))),
            Grant::Open
        );
        assert_eq!(
            grants(with("Action", json!(["iam:Get*", "s3:*"]))),
            Grant::No
        );
        let own = with("Resource", json!("arn:aws:iam::*:policy/${aws:username}"));
        assert_eq!(grants(own), Grant::Conditioned);
        let one = with("Resource", json!("arn:aws:iam::444455556666:policy/one"));
        assert_eq!(grants(one), Grant::No);
        let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        assert_eq!(grants(with("Condition", mfa.clone())), Grant::Conditioned);
        let deny = with("Effect", json!("Deny"));
        assert_eq!(grants(json!([allow, deny])), Grant::No);
        let mut deny_once = deny;
        deny_once["Condition"] = mfa;
        assert_eq!(grants(json!([allow, deny_once])), Grant::Conditioned);
    }
}
