//! What any plan about an identity must keep. A user: only the quarantine policy of this account may be attached, and only
//! once it was read to deny everything; credentials of this user may only be switched off, none is deleted; the deny comes
//! first. A role: one inline policy of an incident, which denies everything to named sessions of this very role and to
//! nobody else. An undo gives back what was there, and no more.

use quell_model::{Plan, Resource};
use serde_json::{Map, Value};

use super::attributes::{Asked, Deed, Image, Subject, Way, attributes, no};
use super::{Claim, Unproven};

/// The managed policy of every account that denies everything.
const QUARANTINE: &str = "QuellQuarantine";
/// Our inline policies are called so, with the id of an incident behind it: `Quell-inc-…`.
const INLINE: &str = "Quell-inc-";
/// A name in IAM has so many characters at most.
const NAME_CHARS_MAX: usize = 128;
/// A session's name has so many characters, as STS takes it.
const SESSION_CHARS: std::ops::RangeInclusive<usize> = 2..=64;

/// Containment of a user or of sessions of a role.
#[derive(Debug)]
pub(super) struct Containment;

/// The calls that switch a credential: operation, the argument that names it, and what it is called in an image.
const CREDENTIALS: &[(&str, &str, &str)] = &[
    ("iam:UpdateAccessKey", "AccessKeyId", "key"),
    (
        "iam:UpdateServiceSpecificCredential",
        "ServiceSpecificCredentialId",
        "credential",
    ),
    ("iam:UpdateSSHPublicKey", "SshPublicKeyId", "ssh-key"),
    (
        "iam:UpdateSigningCertificate",
        "CertificateId",
        "certificate",
    ),
];

impl Subject for Containment {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        let who = Who::of(asked.claim.resource)?;
        let switch = CREDENTIALS.iter().find(|(op, ..)| *op == asked.operation);
        match (who.kind, asked.operation, switch) {
            (Kind::User, "iam:AttachUserPolicy" | "iam:DetachUserPolicy", _) => {
                quarantine(asked, &who)
            }
            (Kind::User, _, Some((_, argument, name))) => switched(asked, &who, argument, name),
            (Kind::Role, "iam:PutRolePolicy", _) => put(asked, &who),
            (Kind::Role, "iam:DeleteRolePolicy", _) => deleted(asked, &who),
            (_, other, _) => Err(no(format!(
                "containment of {} makes no call {other}",
                who.name
            ))),
        }
    }

    fn allows(&self, plan: &Plan, _deeds: &[Deed], claim: &Claim<'_>) -> Result<(), Unproven> {
        let who = Who::of(claim.resource)?;
        match who.kind {
            Kind::User => denied_first(plan, &who),
            Kind::Role => Ok(()),
        }
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        let mut ask = concerns(plan);
        // A playbook that is about credentials that were taken out of instances denies just their sessions.
        if claim.facts.get("deniesInstances") != Some(&Value::Bool(true)) {
            let calls = plan.calls.iter();
            let put = calls.filter(|call| call.resource.ends_with(":iam:putRolePolicy"));
            ask.extend(put.flat_map(|call| instances(&call.arguments)));
        }
        ask
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "a user gets the quarantine policy of its own account and no other, read to deny everything, before anything else",
            "credentials of this user are only switched off; none is deleted",
            "of a role only the named sessions are denied, and every other session goes on",
        ]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    User,
    Role,
}

/// Whom the run is about.
struct Who<'a> {
    kind: Kind,
    name: &'a str,
    /// The quarantine policy of the account.
    quarantine: String,
}

impl<'a> Who<'a> {
    fn of(resource: &'a Resource) -> Result<Self, Unproven> {
        let arn = &resource.arn;
        let named = arn.resource.split_once('/');
        let kind = match (resource.kind.as_str(), named) {
            ("AWS::IAM::User", Some(("user", _))) => Kind::User,
            ("AWS::IAM::Role", Some(("role", _))) => Kind::Role,
            _ => return Err(no(format!("{arn} is neither a user nor a role"))),
        };
        let name = named.map_or("", |(_, path)| path.rsplit('/').next().unwrap_or(path));
        if arn.service != "iam" || !is_name(name) {
            return Err(no(format!("{arn} is no identity that IAM could name so")));
        }
        let (partition, account) = (&arn.partition, &arn.account);
        let quarantine = format!("arn:{partition}:iam::{account}:policy/{QUARANTINE}");
        Ok(Self {
            kind,
            name,
            quarantine,
        })
    }

    fn key(&self, of: &str, id: &str) -> String {
        let kind = match self.kind {
            Kind::User => "user",
            Kind::Role => "role",
        };
        format!("{kind}/{}/{of}/{id}", self.name)
    }

    /// The id that IAM gave it: another one under the same name has another.
    fn id<'i>(&self, image: &'i Image) -> Result<&'i str, Unproven> {
        let key = self.key("id", "");
        let found = image.get(key.trim_end_matches('/')).and_then(Value::as_str);
        found.ok_or_else(|| no(format!("the image does not say which {} it is", self.name)))
    }
}

/// `[\w+=,.@-]`, as IAM and STS take names.
fn is_legal(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    text.bytes().all(legal)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_CHARS_MAX && is_legal(text)
}

/// Attaching the quarantine, or taking it off.
fn quarantine(asked: &Asked<'_>, who: &Who<'_>) -> Result<Deed, Unproven> {
    asked.only(&["UserName", "PolicyArn"])?;
    asked.is("UserName", &who.name.into())?;
    asked.is("PolicyArn", &who.quarantine.as_str().into())?;
    who.id(asked.image)?;
    let key = who.key("policy", &who.quarantine);
    match (asked.operation, asked.way) {
        ("iam:AttachUserPolicy", Way::There) => {
            denies_everything(asked.facts, &who.quarantine)?;
            match asked.image.contains_key(&key) {
                true => Err(no(format!("{} is attached already", who.quarantine))),
                false => Ok(Deed::setting(key, "attached")),
            }
        }
        ("iam:DetachUserPolicy", Way::Back) => {
            comes_back(asked, &key)?;
            Ok(Deed::setting(key, Value::Null))
        }
        (other, _) => Err(no(format!(
            "{other} would take the deny off, or put it back"
        ))),
    }
}

/// The policy was read, and what it said denies everything to whoever it is attached to.
fn denies_everything(facts: &Value, arn: &str) -> Result<(), Unproven> {
    let read = facts.get("quarantine");
    let is_it = read.and_then(|r| r.get("arn")).and_then(Value::as_str) == Some(arn);
    let statements = read.and_then(|r| r.pointer("/document/Statement"));
    let is_sound = match statements {
        Some(Value::Array(list)) => list.iter().any(denies_all),
        Some(one) => denies_all(one),
        None => false,
    };
    match is_it && is_sound {
        true => Ok(()),
        false => Err(no(format!(
            "{arn} was not read to deny everything on everything without a condition"
        ))),
    }
}

/// One statement that denies everything on everything. No other can lift it.
fn denies_all(statement: &Value) -> bool {
    let Some(members) = statement.as_object() else {
        return false;
    };
    let known = ["Sid", "Effect", "Action", "Resource"];
    let all = |name: &str| match members.get(name) {
        Some(Value::String(one)) => one == "*",
        Some(Value::Array(many)) => many.iter().any(|one| one == "*"),
        _ => false,
    };
    members.keys().all(|key| known.contains(&key.as_str()))
        && members.get("Effect").and_then(Value::as_str) == Some("Deny")
        && all("Action")
        && all("Resource")
}

/// A credential of the user, off; as part of an undo, on again when it was on.
fn switched(
    asked: &Asked<'_>,
    who: &Who<'_>,
    argument: &str,
    name: &str,
) -> Result<Deed, Unproven> {
    asked.only(&["UserName", argument, "Status"])?;
    asked.is("UserName", &who.name.into())?;
    let (id, status) = (asked.text(argument)?, asked.text("Status")?);
    let key = who.key(name, id);
    let wanted = match asked.way {
        Way::There => "Inactive",
        Way::Back => "Active",
    };
    if status != wanted {
        return Err(no(format!(
            "{key} may only be made {wanted} here, not {status}"
        )));
    }
    let alphanumeric = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    let known = asked.image.get(&key).and_then(Value::as_str);
    let fits = match asked.way {
        Way::There => known == Some("Active"),
        // An undo may find it on already; one that is gone it cannot bring back.
        Way::Back => known.is_some(),
    };
    if !alphanumeric || !fits {
        return Err(no(format!("{key} was not found to be there and active")));
    }
    comes_back(asked, &key)?;
    Ok(Deed::setting(key, status))
}

/// The inline policy of the incident.
fn inline<'a>(asked: &Asked<'a>, who: &Who<'_>) -> Result<&'a str, Unproven> {
    asked.is("RoleName", &who.name.into())?;
    let name = asked.text("PolicyName")?;
    let ours = name.strip_prefix(INLINE).is_some_and(|id| !id.is_empty()) && is_name(name);
    match ours {
        true => Ok(name),
        false => Err(no(format!("«{name}» is no policy of an incident"))),
    }
}

fn put(asked: &Asked<'_>, who: &Who<'_>) -> Result<Deed, Unproven> {
    asked.only(&["RoleName", "PolicyName", "PolicyDocument"])?;
    let key = who.key("inline", inline(asked, who)?);
    let text = asked.text("PolicyDocument")?;
    match asked.way {
        Way::There => {
            let id = who.id(asked.image)?;
            let denied = denied_sessions(text, id)?;
            // Whom our policy denied stays denied.
            let before = asked.image.get(&key).and_then(Value::as_str);
            let before = before.and_then(|text| denied_sessions(text, id).ok());
            if let Some(freed) = before.iter().flatten().find(|s| !denied.contains(s)) {
                return Err(no(format!("it would let the session {freed} act again")));
            }
        }
        Way::Back => {
            comes_back(asked, &key)?;
            was_there(asked, who, &key, text)?;
        }
    }
    Ok(Deed::setting(key, text))
}

fn deleted(asked: &Asked<'_>, who: &Who<'_>) -> Result<Deed, Unproven> {
    asked.only(&["RoleName", "PolicyName"])?;
    let key = who.key("inline", inline(asked, who)?);
    match asked.way {
        Way::There => Err(no("a containment deletes no policy")),
        Way::Back => {
            comes_back(asked, &key)?;
            Ok(Deed::setting(key, Value::Null))
        }
    }
}

/// The sessions that a policy denies everything, when it does that and nothing else: one statement, sessions of the role
/// with this id, each named in full by a name that STS gives. In such a name nothing is a wildcard or a variable.
fn denied_sessions(text: &str, role_id: &str) -> Result<Vec<String>, Unproven> {
    let document: Value = serde_json::from_str(text)
        .map_err(|e| no(format!("the policy of the incident is not JSON: {e}")))?;
    let statement = only(&document, &["Version", "Statement"])
        .and_then(|d| d.get("Statement"))
        .and_then(Value::as_array)
        .and_then(|list| list.first().filter(|_| list.len() == 1))
        .and_then(|one| only(one, &["Sid", "Effect", "Action", "Resource", "Condition"]))
        .ok_or_else(|| no("the policy of the incident has not exactly one statement"))?;
    let is = |name: &str, text: &str| statement.get(name).and_then(Value::as_str) == Some(text);
    if !is("Effect", "Deny") || !is("Action", "*") || !is("Resource", "*") {
        return Err(no("the policy of the incident does not deny everything"));
    }
    let sessions = statement
        .get("Condition")
        .and_then(|c| only(c, &["StringEquals"]))
        .and_then(|c| c.get("StringEquals"))
        .and_then(|c| only(c, &["aws:userid"]))
        .and_then(|c| c.get("aws:userid"))
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty())
        .ok_or_else(|| {
            no("the deny is not for named sessions alone: a role is never denied as a whole")
        })?;
    sessions.iter().map(|s| session(s, role_id)).collect()
}

/// An object with no members but these.
fn only<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Map<String, Value>> {
    let members = value.as_object()?;
    let known = members.keys().all(|key| names.contains(&key.as_str()));
    known.then_some(members)
}

fn session(value: &Value, role_id: &str) -> Result<String, Unproven> {
    let text = value.as_str().unwrap_or_default();
    let name = text.strip_prefix(role_id).and_then(|t| t.strip_prefix(':'));
    let is_role = role_id.starts_with("AROA") && role_id.bytes().all(|b| b.is_ascii_alphanumeric());
    match name {
        Some(name) if is_role && SESSION_CHARS.contains(&name.len()) && is_legal(name) => {
            Ok(text.to_owned())
        }
        _ => Err(no(format!(
            "{value} is no session of the role {role_id} by its full name"
        ))),
    }
}

/// For an undo that was recorded: with all of it done, the attribute is what it was before the response.
fn comes_back(asked: &Asked<'_>, key: &str) -> Result<(), Unproven> {
    let Some(undo) = asked.claim.undo.filter(|_| asked.way == Way::Back) else {
        return Ok(());
    };
    let before = attributes(undo.get("before").unwrap_or(&Value::Null), "before")?;
    let calls = undo.get("calls").and_then(Value::as_array);
    let sets = calls.into_iter().flatten().filter_map(|c| c.get("sets"));
    let last = sets.filter_map(|sets| sets.get(key)).next_back();
    match last == Some(before.get(key).unwrap_or(&Value::Null)) {
        true => Ok(()),
        false => Err(no(format!(
            "{key} would not be what it was before the response"
        ))),
    }
}

/// The text that an undo writes is the one from before, or one of our own.
fn was_there(asked: &Asked<'_>, who: &Who<'_>, key: &str, text: &str) -> Result<(), Unproven> {
    let Some(undo) = asked.claim.undo else {
        return Ok(());
    };
    let before = attributes(undo.get("before").unwrap_or(&Value::Null), "before")?;
    let was = before.get(key).and_then(Value::as_str) == Some(text);
    match was || denied_sessions(text, who.id(asked.image)?).is_ok() {
        true => Ok(()),
        false => Err(no(format!("{key} never said what the undo would write"))),
    }
}

/// The deny holds for everything at once; a credential that is switched off first only tells the intruder to make another.
fn denied_first(plan: &Plan, who: &Who<'_>) -> Result<(), Unproven> {
    let key = who.key("policy", &who.quarantine);
    let (before, after) = (
        attributes(&plan.before, "before")?,
        attributes(&plan.after, "after")?,
    );
    if !after.contains_key(&key) {
        return Err(no(format!("{} would not be denied everything", who.name)));
    }
    let first = plan.calls.first();
    let is_first = first.is_some_and(|call| call.sets.contains_key(&key));
    match before.contains_key(&key) || is_first {
        true => Ok(()),
        false => Err(no("the deny does not come first")),
    }
}

/// Who is left to administer the account, when a user is denied everything.
pub(super) fn concerns(plan: &Plan) -> Vec<String> {
    let mut ask = Vec::new();
    for call in &plan.calls {
        let operation = call.resource.rsplit(':').next().unwrap_or_default();
        if operation == "attachUserPolicy" {
            ask.extend(last_way_in(&plan.facts));
        }
    }
    ask
}

/// Whoever may give themselves rights may be the only one who can. Somebody else must be known who still can.
fn last_way_in(facts: &Value) -> Option<String> {
    let ways = facts.get("waysIn");
    let administrator = ways.and_then(|w| w.get("administrator"));
    let others = ways.and_then(|w| w.get("others")).and_then(Value::as_array);
    let alone = others.is_none_or(Vec::is_empty);
    let said = match administrator.and_then(Value::as_str) {
        Some("no") => return None,
        Some("yes") if !alone => return None,
        Some("yes") => {
            "this user can give themselves any right in the account, and no other way in was found that still works: \
             make sure that you can get in when they are denied"
        }
        _ => {
            "it could not be found out whether this user is the last who can administer the account"
        }
    };
    Some(said.to_owned())
}

/// Sessions that are an instance's own.
fn instances(arguments: &Value) -> Vec<String> {
    let text = arguments.get("PolicyDocument").and_then(Value::as_str);
    let document: Value = serde_json::from_str(text.unwrap_or_default()).unwrap_or_default();
    let sessions = document.pointer("/Statement/0/Condition/StringEquals/aws:userid");
    let sessions = sessions.and_then(Value::as_array).into_iter().flatten();
    let names = sessions.filter_map(|id| id.as_str()?.split_once(':').map(|(_, name)| name));
    let said = |name| {
        format!(
            "{name} is an instance, and the session its own: what runs there loses its rights together with the intruder"
        )
    };
    names.filter(|name| is_instance(name)).map(said).collect()
}

/// `i-0123456789abcdef0`: EC2 names the session of an instance's role so.
fn is_instance(name: &str) -> bool {
    let digits = name.strip_prefix("i-");
    digits.is_some_and(|d| matches!(d.len(), 8 | 17) && d.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "identity_undo_tests.rs"]
mod undo_tests;
