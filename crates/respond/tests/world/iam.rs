//! IAM: users with their credentials, roles with their inline policies, managed policies.
//!
//! A case has
//!
//! * `users`: by name, `{"id", "path", "keys", "credentials", "sshKeys", "certificates": {id: status}, "attached": [arn],
//!   "inline": {name: text}, "password": true, "tags": […]}`;
//! * `roles`: by name, `{"id", "path", "inline": {name: text}, "attached": [arn]}`;
//! * `instanceProfiles`: by name, the role in it, or null;
//! * `policies`: by ARN, `{"default": "v1", "versions": {"v1": {…}}}`;
//! * groups, boundaries, trust policies and versions as `iam_policies.rs` says;
//! * `root`: what the account's summary says of its root user (`AccountAccessKeysPresent`: 1, …); without it that cannot be had;
//! * `pageSize`, which cuts lists into pages of that size;
//! * `simulates`: `false`, when the simulation cannot be had, or what it says of everything (`"allowed"`);
//! * `intruder`: what somebody else does at once after a call: `[{"after": "AttachUserPolicy", "calls": [[operation, {…}]]}]`,
//!   each once.

#[path = "iam_policies.rs"]
mod policies;

use std::collections::BTreeMap;

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

const ACCOUNT: &str = "444455556666";
/// A user's lists of credentials: operation, list in the answer, where they are here, id, date.
const CREDENTIALS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "ListAccessKeys",
        "AccessKeyMetadata",
        "keys",
        "AccessKeyId",
        "CreateDate",
    ),
    (
        "ListServiceSpecificCredentials",
        "ServiceSpecificCredentials",
        "credentials",
        "ServiceSpecificCredentialId",
        "CreateDate",
    ),
    (
        "ListSSHPublicKeys",
        "SshPublicKeys",
        "sshKeys",
        "SshPublicKeyId",
        "UploadDate",
    ),
    (
        "ListSigningCertificates",
        "Certificates",
        "certificates",
        "CertificateId",
        "UploadDate",
    ),
];
const UPDATES: &[(&str, &str)] = &[
    ("UpdateAccessKey", "ListAccessKeys"),
    (
        "UpdateServiceSpecificCredential",
        "ListServiceSpecificCredentials",
    ),
    ("UpdateSSHPublicKey", "ListSSHPublicKeys"),
    ("UpdateSigningCertificate", "ListSigningCertificates"),
];
/// So many managed policies fit on a user.
const ATTACHED_MAX: usize = 10;
/// So many characters fit into a role's inline policies, white space not counted.
const INLINE_MAX: usize = 10_240;

#[derive(Clone)]
pub struct Iam {
    users: BTreeMap<String, Value>,
    roles: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    profiles: BTreeMap<String, Value>,
    policies: BTreeMap<String, Value>,
    page: usize,
    simulates: Value,
    root: Value,
    intruder: Vec<Value>,
    /// The last operation, until the intruder has seen it.
    last: String,
    made: u32,
}

type Answer = Result<Value, String>;

fn gone(what: &str) -> String {
    format!("Iam.NoSuchEntityException: {what} cannot be found")
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes()
        .map(|b| match plain(b) {
            true => char::from(b).to_string(),
            false => format!("%{b:02X}"),
        })
        .collect()
}

/// A policy as it is written in a case: as text, or as the JSON that it is.
fn text_of(policy: &Value) -> String {
    policy
        .as_str()
        .map_or_else(|| policy.to_string(), str::to_owned)
}

/// Inline policies are kept as the texts that they are.
fn with_texts(mut who: Value) -> Value {
    let inline = who.get_mut("inline").and_then(Value::as_object_mut);
    for text in inline.into_iter().flat_map(|all| all.values_mut()) {
        *text = text_of(text).into();
    }
    if let Some(trust) = who.get_mut("trust") {
        *trust = text_of(trust).into();
    }
    who
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

impl Iam {
    pub fn of(case: &Value) -> Self {
        let map = |name: &str| -> BTreeMap<String, Value> {
            let found = case[name].as_object().cloned().unwrap_or_default();
            found.into_iter().collect()
        };
        let who = |name: &str| {
            let all = map(name).into_iter();
            all.map(|(name, who)| (name, with_texts(who))).collect()
        };
        Self {
            users: who("users"),
            roles: who("roles"),
            groups: who("groups"),
            profiles: map("instanceProfiles"),
            policies: map("policies"),
            page: case["pageSize"].as_u64().unwrap_or(100) as usize,
            simulates: case["simulates"].clone(),
            root: case["root"].clone(),
            intruder: list(&case["intruder"]),
            last: String::new(),
            made: 0,
        }
    }

    fn user(&mut self, params: &Value) -> Result<&mut Value, String> {
        let name = params["UserName"].as_str().unwrap();
        self.users.get_mut(name).ok_or_else(|| gone(name))
    }

    fn role(&mut self, params: &Value) -> Result<&mut Value, String> {
        let name = params["RoleName"].as_str().unwrap();
        self.roles.get_mut(name).ok_or_else(|| gone(name))
    }

    /// A page of a list, as IAM gives them.
    fn paged(&self, name: &str, all: &[Value], params: &Value) -> Value {
        let from: usize = params["Marker"].as_str().map_or(0, |m| m.parse().unwrap());
        let to = (from + self.page).min(all.len());
        let mut out = json!({name: all[from..to], "IsTruncated": to < all.len()});
        if to < all.len() {
            out["Marker"] = json!(to.to_string());
        }
        out
    }

    fn principal(&mut self, kind: &str, name: &str) -> Answer {
        let (all, id, arn) = match kind {
            "User" => (&self.users, "UserId", "user"),
            _ => (&self.roles, "RoleId", "role"),
        };
        let found = all.get(name).ok_or_else(|| gone(name))?;
        let path = found["path"].as_str().unwrap_or("/");
        let tags = found["tags"].clone();
        let mut out = json!({
            "Path": path, id: found["id"],
            "Arn": format!("arn:aws:iam::{ACCOUNT}:{arn}{path}{name}"),
        });
        out[format!("{kind}Name")] = name.into();
        policies::describe(kind, found, &mut out);
        if !tags.is_null() {
            out["Tags"] = tags;
        }
        Ok(json!({kind: out}))
    }

    fn profile(&mut self, name: &str) -> Answer {
        let role = self.profiles.get(name).ok_or_else(|| gone(name))?;
        let roles = match role.as_str().map(str::to_owned) {
            Some(role) => vec![self.principal("Role", &role)?["Role"].clone()],
            None => Vec::new(),
        };
        Ok(json!({"InstanceProfile": {
            "InstanceProfileName": name, "Roles": roles,
            "Arn": format!("arn:aws:iam::{ACCOUNT}:instance-profile/{name}"),
        }}))
    }

    fn listed(&mut self, operation: &str, params: &Value) -> Option<Answer> {
        let row = CREDENTIALS.iter().find(|(op, ..)| *op == operation)?;
        let (_, answer, place, id, date) = row;
        let user = match self.user(params) {
            Ok(user) => user.clone(),
            Err(gone) => return Some(Err(gone)),
        };
        let all: Vec<Value> = user[place]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, status)| json!({"UserName": params["UserName"], *id: name, "Status": status, *date: policies::date(&user["made"][name])}))
            .collect();
        Some(Ok(self.paged(answer, &all, params)))
    }

    fn updated(&mut self, operation: &str, params: &Value) -> Option<Answer> {
        let (_, of) = UPDATES.iter().find(|(op, _)| *op == operation)?;
        let (_, _, place, id, _) = CREDENTIALS.iter().find(|(op, ..)| op == of)?;
        let name = params[id].as_str().unwrap();
        let user = match self.user(params) {
            Ok(user) => user,
            Err(gone) => return Some(Err(gone)),
        };
        Some(match user[*place].get(name) {
            None => Err(gone(name)),
            Some(_) => {
                user[*place][name] = params["Status"].clone();
                Ok(json!({}))
            }
        })
    }

    fn attach(&mut self, params: &Value) -> Answer {
        let arn = params["PolicyArn"].clone();
        if !self.policies.contains_key(arn.as_str().unwrap()) {
            return Err(gone(arn.as_str().unwrap()));
        }
        let user = self.user(params)?;
        let mut attached = list(&user["attached"]);
        if attached.contains(&arn) {
            return Ok(json!({}));
        }
        if attached.len() >= ATTACHED_MAX {
            return Err(
                "Iam.LimitExceededException: Cannot exceed quota for PoliciesPerUser: 10".into(),
            );
        }
        attached.push(arn);
        user["attached"] = attached.into();
        Ok(json!({}))
    }

    fn detach(&mut self, params: &Value) -> Answer {
        let user = self.user(params)?;
        let mut attached = list(&user["attached"]);
        let there = attached.iter().position(|a| *a == params["PolicyArn"]);
        attached.remove(there.ok_or_else(|| gone("the attachment"))?);
        user["attached"] = attached.into();
        Ok(json!({}))
    }

    fn attached(&mut self, params: &Value) -> Answer {
        let all = list(&self.user(params)?["attached"]);
        let named = |arn: &Value| json!({"PolicyArn": arn, "PolicyName": arn.as_str().unwrap().rsplit('/').next()});
        let all: Vec<Value> = all.iter().map(named).collect();
        Ok(self.paged("AttachedPolicies", &all, params))
    }

    fn version(&mut self, params: &Value) -> Answer {
        let arn = params["PolicyArn"].as_str().unwrap();
        let policy = self.policies.get(arn).ok_or_else(|| gone(arn))?;
        let id = params["VersionId"].as_str().unwrap();
        let text = policy["versions"].get(id).ok_or_else(|| gone(id))?;
        let is_default = policy["default"] == id;
        Ok(
            json!({"PolicyVersion": {"VersionId": id, "IsDefaultVersion": is_default, "Document": encoded(&text_of(text))}}),
        )
    }

    fn policy(&mut self, params: &Value) -> Answer {
        let arn = params["PolicyArn"].as_str().unwrap();
        let policy = self.policies.get(arn).ok_or_else(|| gone(arn))?;
        let mut out =
            json!({"Arn": arn, "DefaultVersionId": policy["default"], "IsAttachable": true});
        policies::describe_policy(self, arn, &mut out);
        Ok(json!({"Policy": out}))
    }

    fn put(&mut self, params: &Value) -> Answer {
        let text = params["PolicyDocument"].as_str().unwrap();
        if serde_json::from_str::<Value>(text).is_err() {
            return Err("Iam.MalformedPolicyDocumentException: Syntax errors in policy.".into());
        }
        let name = params["PolicyName"].as_str().unwrap();
        let role = self.role(params)?;
        let others = role["inline"].as_object().into_iter().flatten();
        let others = others.filter(|(other, _)| *other != name);
        let size = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let all: usize = others.map(|(_, text)| size(&text_of(text))).sum();
        if all + size(text) > INLINE_MAX {
            return Err(
                "Iam.LimitExceededException: Maximum policy size of 10240 bytes exceeded".into(),
            );
        }
        if role["inline"].is_null() {
            role["inline"] = json!({});
        }
        role["inline"][name] = text.into();
        Ok(json!({}))
    }

    fn delete(&mut self, params: &Value) -> Answer {
        let name = params["PolicyName"].as_str().unwrap();
        let inline = self.role(params)?["inline"].as_object_mut();
        let removed = inline.and_then(|inline| inline.remove(name));
        removed.map(|_| json!({})).ok_or_else(|| gone(name))
    }

    fn inline(&mut self, params: &Value) -> Answer {
        let name = params["PolicyName"].as_str().unwrap();
        let text = self.role(params)?["inline"].get(name).map(text_of);
        let text = text.ok_or_else(|| gone(name))?;
        Ok(
            json!({"RoleName": params["RoleName"], "PolicyName": name, "PolicyDocument": encoded(&text)}),
        )
    }

    fn inline_names(&mut self, params: &Value) -> Answer {
        let inline = self.role(params)?["inline"].as_object().cloned();
        let names = inline.unwrap_or_default();
        let names: Vec<Value> = names.keys().map(|name| json!(name)).collect();
        Ok(self.paged("PolicyNames", &names, params))
    }

    fn last_used(&mut self, params: &Value) -> Answer {
        let key = params["AccessKeyId"].as_str().unwrap();
        let has = |(_, user): &(&String, &Value)| user["keys"].get(key).is_some();
        let (name, _) = self.users.iter().find(has).ok_or_else(|| gone(key))?;
        let used = json!({"LastUsedDate": "2026-11-21T09:00:00Z", "ServiceName": "s3", "Region": "us-east-1"});
        Ok(json!({"UserName": name, "AccessKeyLastUsed": used}))
    }

    fn create_key(&mut self, params: &Value) -> Answer {
        self.made += 1;
        let id = format!("AKIAMADE{:012}", self.made);
        let user = self.user(params)?;
        if user["keys"].is_null() {
            user["keys"] = json!({});
        }
        user["keys"][&id] = json!("Active");
        Ok(
            json!({"AccessKey": {"UserName": params["UserName"], "AccessKeyId": id, "Status": "Active"}}),
        )
    }

    fn delete_key(&mut self, params: &Value) -> Answer {
        let id = params["AccessKeyId"].as_str().unwrap();
        let keys = self.user(params)?["keys"].as_object_mut();
        let removed = keys.and_then(|keys| keys.remove(id));
        removed.map(|_| json!({})).ok_or_else(|| gone(id))
    }

    /// What the principal's policies say of actions, with the condition that a deny of sessions has.
    fn simulated(&mut self, params: &Value) -> Answer {
        if self.simulates == false {
            return Err("Iam.ServiceFailureException: not here".into());
        }
        let arn = params["PolicySourceArn"].as_str().unwrap();
        let name = arn.rsplit('/').next().unwrap();
        let all = match arn.contains(":user/") {
            true => &self.users,
            false => &self.roles,
        };
        let who = all.get(name).ok_or_else(|| gone(arn))?;
        if !arn.ends_with(&format!("{}{name}", who["path"].as_str().unwrap_or("/"))) {
            return Err(gone(arn));
        }
        let attached = list(&who["attached"]);
        let managed = attached.iter().filter_map(|arn| {
            let policy = self.policies.get(arn.as_str()?)?;
            Some(text_of(&policy["versions"][policy["default"].as_str()?]))
        });
        let inline = who["inline"].as_object().into_iter().flatten();
        let texts = managed.chain(inline.map(|(_, text)| text_of(text)));
        let documents = texts.map(|text| serde_json::from_str::<Value>(&text).unwrap());
        let statements: Vec<Value> = documents.flat_map(|d| list(&d["Statement"])).collect();
        let user_id = &params["ContextEntries"][0]["ContextKeyValues"][0];
        let results = list(&params["ActionNames"]).into_iter().map(|action| {
            let said = |effect: &str| {
                let fits = |s: &&Value| s["Effect"] == effect && applies(s, &action, user_id);
                statements.iter().any(|s| fits(&s))
            };
            let decision = match (said("Deny"), said("Allow")) {
                _ if self.simulates.is_string() => self.simulates.as_str().unwrap(),
                (true, _) => "explicitDeny",
                (_, true) => "allowed",
                _ => "implicitDeny",
            };
            json!({"EvalActionName": action, "EvalDecision": decision})
        });
        Ok(json!({"EvaluationResults": results.collect::<Vec<_>>(), "IsTruncated": false}))
    }

    fn answered(&mut self, call: &Call) -> Answer {
        let params = &call.params;
        let operation = call.operation.as_str();
        if let Some(answer) = self.listed(operation, params) {
            return answer;
        }
        if let Some(answer) = self.updated(operation, params) {
            return answer;
        }
        match operation {
            "GetUser" => self.principal("User", params["UserName"].as_str().unwrap()),
            "GetInstanceProfile" => self.profile(params["InstanceProfileName"].as_str().unwrap()),
            "GetRole" => self.principal("Role", params["RoleName"].as_str().unwrap()),
            "GetPolicy" => self.policy(params),
            "GetPolicyVersion" => self.version(params),
            "ListAttachedUserPolicies" => self.attached(params),
            "AttachUserPolicy" => self.attach(params),
            "DetachUserPolicy" => self.detach(params),
            "ListRolePolicies" => self.inline_names(params),
            "GetRolePolicy" => self.inline(params),
            "PutRolePolicy" => self.put(params),
            "DeleteRolePolicy" => self.delete(params),
            "GetAccessKeyLastUsed" => self.last_used(params),
            "CreateAccessKey" => self.create_key(params),
            "DeleteAccessKey" => self.delete_key(params),
            "GetLoginProfile" => match self.user(params)?["password"] == true {
                true => Ok(json!({"LoginProfile": {
                    "UserName": params["UserName"], "CreateDate": policies::date(&self.user(params)?["passwordMade"]),
                }})),
                false => Err(gone("the login profile")),
            },
            "SimulatePrincipalPolicy" => self.simulated(params),
            "GetAccountSummary" => match self.root.is_null() {
                true => Err("Iam.ServiceFailureException: not here".into()),
                false => Ok(json!({"SummaryMap": self.root})),
            },
            _ => policies::answered(self, call),
        }
    }
}

/// Whether a statement is about an action, of this session. Patterns end in their only asterisk.
fn applies(statement: &Value, action: &Value, user_id: &Value) -> bool {
    let action = action.as_str().unwrap();
    let names = list(&statement["Action"]);
    let fits = |pattern: &Value| {
        let pattern = pattern.as_str().unwrap();
        pattern
            .strip_suffix('*')
            .map_or(pattern == action, |start| action.starts_with(start))
    };
    let condition = &statement["Condition"];
    let meant = list(&condition["StringEquals"]["aws:userid"]);
    names.iter().any(fits) && (condition.is_null() || meant.contains(user_id))
}

impl World for Iam {
    fn call(&mut self, call: &Call) -> Answer {
        self.last.clone_from(&call.operation);
        self.answered(call)
    }

    /// What an intruder does after the last call.
    fn meanwhile(&mut self) {
        let last = std::mem::take(&mut self.last);
        let due = self.intruder.iter().position(|does| does["after"] == *last);
        let Some(due) = due.map(|i| self.intruder.remove(i)) else {
            return;
        };
        for theirs in list(&due["calls"]) {
            let call = Call {
                service: "iam".into(),
                operation: theirs[0].as_str().unwrap().into(),
                params: theirs[1].clone(),
            };
            self.answered(&call).unwrap();
        }
    }

    fn image(&self) -> Value {
        let in_order = |mut who: Value| {
            if let Some(attached) = who.get_mut("attached").and_then(Value::as_array_mut) {
                attached.sort_by_key(Value::to_string);
                if attached.is_empty() {
                    who.as_object_mut().unwrap().remove("attached");
                }
            }
            if who["inline"].as_object().is_some_and(|all| all.is_empty()) {
                who.as_object_mut().unwrap().remove("inline");
            }
            who
        };
        let all = |of: &BTreeMap<String, Value>| -> BTreeMap<String, Value> {
            let each = of
                .iter()
                .map(|(name, who)| (name.clone(), in_order(who.clone())));
            each.collect()
        };
        json!({"users": all(&self.users), "roles": all(&self.roles), "groups": all(&self.groups), "policies": self.policies})
    }

    /// Somebody else makes the user or the role anew, under the same name.
    fn meddle(&mut self, call: &Call) {
        let params = &call.params;
        self.made += 1;
        let made = self.made;
        let id = |start: &str| Value::from(format!("{start}MADEANEW{made:09}"));
        let arn = params.get("PolicyArn").and_then(Value::as_str);
        if let Some(policy) = arn.and_then(|arn| self.policies.get_mut(arn)) {
            policy["id"] = id("ANPA");
        }
        match ["UserName", "RoleName", "GroupName"].map(|name| params[name].as_str()) {
            [Some(_), ..] => self.user(params).unwrap()["id"] = id("AIDA"),
            [_, Some(_), _] => self.role(params).unwrap()["id"] = id("AROA"),
            [.., Some(name)] => self.groups.get_mut(name).unwrap()["id"] = id("AGPA"),
            _ => assert!(arn.is_some(), "{call:?}"),
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
