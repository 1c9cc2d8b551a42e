//! The rest of IAM's policies, beside what `iam.rs` answers for: groups, inline policies of users, attachments of roles and
//! groups, boundaries, trust policies, versions.
//!
//! A case may have, beside what `iam.rs` says, `groups`: by name, `{"id", "attached", "inline", "created"}`; of a user `groups`
//! (their names), `boundary`, `created`, `made` (`{key: date}`), `passwordMade`; of a role `trust`, `boundary`, `created`; of a
//! policy `made` (its date), `versionsMade` (`{"v2": date}`).

use serde_json::{Value, json};

use super::{ATTACHED_MAX, Answer, Iam, encoded, gone, list, text_of};
use quell_model::Call;

/// What was made before anybody came.
const LONG_AGO: &str = "2025-03-04T05:06:07Z";

/// A date of a case, or one long ago.
pub(super) fn date(said: &Value) -> Value {
    match said.is_null() {
        true => LONG_AGO.into(),
        false => said.clone(),
    }
}

/// What users and roles have beside what `iam.rs` shows of them.
pub(super) fn describe(kind: &str, who: &Value, out: &mut Value) {
    out["CreateDate"] = date(&who["created"]);
    if let Some(arn) = who["boundary"].as_str() {
        out["PermissionsBoundary"] =
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn});
    }
    if kind == "Role" && !who["trust"].is_null() {
        out["AssumeRolePolicyDocument"] = encoded(&text_of(&who["trust"])).into();
    }
}

/// `DetachGroupPolicy` is `Detach*Policy` of a group.
fn general(operation: &str) -> (Option<&'static str>, String) {
    let kind = ["User", "Role", "Group"]
        .into_iter()
        .find(|kind| operation.contains(kind));
    let shape = kind.map(|kind| operation.replacen(kind, "*", 1));
    (kind, shape.unwrap_or_else(|| operation.to_owned()))
}

/// What `iam.rs` does not answer itself.
pub(super) fn answered(iam: &mut Iam, call: &Call) -> Answer {
    let params = &call.params;
    let (kind, shape) = general(&call.operation);
    match (kind, shape.as_str()) {
        (_, "ListAttached*Policies") => attached(iam, kind.unwrap(), params),
        (_, "List*Policies") => inline_names(iam, kind.unwrap(), params),
        (_, "Get*Policy") => inline(iam, kind.unwrap(), params),
        (_, "Attach*Policy") => attach(iam, kind.unwrap(), params),
        (_, "Detach*Policy") => detach(iam, kind.unwrap(), params),
        (_, "Put*Policy") => put(iam, kind.unwrap(), params),
        (_, "Delete*Policy") => delete(iam, kind.unwrap(), params),
        (_, "Put*PermissionsBoundary" | "Delete*PermissionsBoundary") => {
            boundary(iam, kind.unwrap(), params)
        }
        (_, "Add*ToGroup" | "Remove*FromGroup") => member(iam, params, shape.starts_with("Add")),
        (_, "UpdateAssume*Policy") => trust(iam, params),
        (_, "List*sFor*") | (_, "ListGroupsFor*") | (_, "List*sForUser") => groups_of(iam, params),
        (_, "Get*") if kind == Some("Group") => group(iam, params),
        (None, "ListPolicyVersions") => versions(iam, params),
        (None, "SetDefaultPolicyVersion") => put_in_force(iam, params),
        (None, "ListEntitiesForPolicy") => entities(iam, params),
        (_, other) => panic!("the world knows no {other} ({})", call.operation),
    }
}

fn who<'a>(iam: &'a mut Iam, kind: &str, params: &Value) -> Result<&'a mut Value, String> {
    let name = params[format!("{kind}Name")].as_str().unwrap();
    let all = match kind {
        "User" => &mut iam.users,
        "Role" => &mut iam.roles,
        _ => &mut iam.groups,
    };
    all.get_mut(name).ok_or_else(|| gone(name))
}

fn attached(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let all = list(&who(iam, kind, params)?["attached"]);
    let named = |arn: &Value| json!({"PolicyArn": arn, "PolicyName": arn.as_str().unwrap().rsplit('/').next()});
    let all: Vec<Value> = all.iter().map(named).collect();
    Ok(iam.paged("AttachedPolicies", &all, params))
}

fn attach(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let arn = params["PolicyArn"].clone();
    if !iam.policies.contains_key(arn.as_str().unwrap()) {
        return Err(gone(arn.as_str().unwrap()));
    }
    let who = who(iam, kind, params)?;
    let mut attached = list(&who["attached"]);
    if attached.len() >= ATTACHED_MAX && !attached.contains(&arn) {
        return Err(format!("Iam.LimitExceededException: PoliciesPer{kind}"));
    }
    if !attached.contains(&arn) {
        attached.push(arn);
    }
    who["attached"] = attached.into();
    Ok(json!({}))
}

fn detach(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let who = who(iam, kind, params)?;
    let mut attached = list(&who["attached"]);
    let there = attached.iter().position(|a| *a == params["PolicyArn"]);
    attached.remove(there.ok_or_else(|| gone("the attachment"))?);
    who["attached"] = attached.into();
    Ok(json!({}))
}

fn inline_names(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let inline = who(iam, kind, params)?["inline"].as_object().cloned();
    let names: Vec<Value> = inline
        .unwrap_or_default()
        .keys()
        .map(|n| json!(n))
        .collect();
    Ok(iam.paged("PolicyNames", &names, params))
}

fn inline(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let name = params["PolicyName"].as_str().unwrap();
    let text = who(iam, kind, params)?["inline"].get(name).map(text_of);
    let text = text.ok_or_else(|| gone(name))?;
    let mut out = json!({"PolicyName": name, "PolicyDocument": encoded(&text)});
    let named = format!("{kind}Name");
    out[&named] = params[&named].clone();
    Ok(out)
}

fn is_policy(text: &str) -> Result<(), String> {
    let read: Value = serde_json::from_str(text).unwrap_or_default();
    match list(&read["Statement"]).is_empty() {
        true => Err("Iam.MalformedPolicyDocumentException: Syntax errors in policy.".to_owned()),
        false => Ok(()),
    }
}

fn put(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let (name, text) = (
        &params["PolicyName"],
        params["PolicyDocument"].as_str().unwrap(),
    );
    is_policy(text)?;
    let who = who(iam, kind, params)?;
    if who["inline"].is_null() {
        who["inline"] = json!({});
    }
    who["inline"][name.as_str().unwrap()] = text.into();
    Ok(json!({}))
}

fn delete(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let name = params["PolicyName"].as_str().unwrap();
    let inline = who(iam, kind, params)?["inline"].as_object_mut();
    let removed = inline.and_then(|inline| inline.remove(name));
    removed.map(|_| json!({})).ok_or_else(|| gone(name))
}

fn boundary(iam: &mut Iam, kind: &str, params: &Value) -> Answer {
    let who = who(iam, kind, params)?.as_object_mut().unwrap();
    match params.get("PermissionsBoundary") {
        Some(arn) => drop(who.insert("boundary".to_owned(), arn.clone())),
        None => drop(who.remove("boundary").ok_or_else(|| gone("the boundary"))?),
    }
    Ok(json!({}))
}

fn member(iam: &mut Iam, params: &Value, joins: bool) -> Answer {
    who(iam, "Group", params)?;
    let user = who(iam, "User", params)?;
    let mut groups = list(&user["groups"]);
    groups.retain(|group| *group != params["GroupName"]);
    if joins {
        groups.push(params["GroupName"].clone());
    }
    groups.sort_by_key(Value::to_string);
    user["groups"] = groups.into();
    Ok(json!({}))
}

fn trust(iam: &mut Iam, params: &Value) -> Answer {
    let text = params["PolicyDocument"].as_str().unwrap();
    is_policy(text)?;
    who(iam, "Role", params)?["trust"] = text.into();
    Ok(json!({}))
}

fn groups_of(iam: &mut Iam, params: &Value) -> Answer {
    let names = list(&who(iam, "User", params)?["groups"]);
    let group = |name: &Value| {
        let group = &iam.groups[name.as_str().unwrap()];
        json!({"GroupName": name, "GroupId": group["id"], "CreateDate": date(&group["created"])})
    };
    let all: Vec<Value> = names.iter().map(group).collect();
    Ok(iam.paged("Groups", &all, params))
}

fn group(iam: &mut Iam, params: &Value) -> Answer {
    let group = who(iam, "Group", params)?.clone();
    let is_in =
        |(_, user): &(&String, &Value)| list(&user["groups"]).contains(&params["GroupName"]);
    let users = iam.users.iter().filter(is_in);
    let users: Vec<Value> = users.map(|(name, _)| json!({"UserName": name})).collect();
    let mut out = iam.paged("Users", &users, params);
    out["Group"] = json!({"GroupName": params["GroupName"], "GroupId": group["id"], "CreateDate": date(&group["created"])});
    Ok(out)
}

fn policy<'a>(iam: &'a mut Iam, params: &Value) -> Result<&'a mut Value, String> {
    let arn = params["PolicyArn"].as_str().unwrap();
    iam.policies.get_mut(arn).ok_or_else(|| gone(arn))
}

/// All that have a policy, as `user/eve`.
fn holders(iam: &Iam, arn: &Value) -> Vec<(&'static str, String)> {
    let kinds = [
        ("User", &iam.users),
        ("Role", &iam.roles),
        ("Group", &iam.groups),
    ];
    let each = kinds.into_iter().flat_map(|(kind, all)| {
        let has = all
            .iter()
            .filter(|(_, who)| list(&who["attached"]).contains(arn));
        has.map(move |(name, _)| (kind, name.clone()))
    });
    each.collect()
}

/// What `iam.rs` leaves out of a policy.
pub(super) fn describe_policy(iam: &Iam, arn: &str, out: &mut Value) {
    let policy = &iam.policies[arn];
    out["CreateDate"] = date(&policy["made"]);
    out["PolicyId"] = policy["id"]
        .as_str()
        .unwrap_or("ANPAEXAMPLE0000000001")
        .into();
    out["AttachmentCount"] = match policy["attachments"].as_u64() {
        Some(said) => said.into(),
        None => holders(iam, &arn.into()).len().into(),
    };
    out["PermissionsBoundaryUsageCount"] = 0.into();
}

fn versions(iam: &mut Iam, params: &Value) -> Answer {
    let policy = policy(iam, params)?.clone();
    let all = policy["versions"].as_object().cloned().unwrap_or_default();
    let version = |id: &String| json!({"VersionId": id, "IsDefaultVersion": policy["default"] == **id, "CreateDate": date(&policy["versionsMade"][id])});
    let all: Vec<Value> = all.keys().map(version).collect();
    assert!(all.len() <= 5, "there are five versions at most");
    Ok(iam.paged("Versions", &all, params))
}

fn put_in_force(iam: &mut Iam, params: &Value) -> Answer {
    let policy = policy(iam, params)?;
    let id = params["VersionId"].as_str().unwrap();
    if policy["versions"].get(id).is_none() {
        return Err(gone(id));
    }
    policy["default"] = id.into();
    Ok(json!({}))
}

fn entities(iam: &mut Iam, params: &Value) -> Answer {
    policy(iam, params)?;
    let all = holders(iam, &params["PolicyArn"]);
    let all: Vec<Value> = all.iter().map(|(kind, name)| json!([kind, name])).collect();
    let mut out = iam.paged("all", &all, params);
    for kind in ["User", "Role", "Group"] {
        let of = list(&out["all"]).into_iter().filter(|item| item[0] == kind);
        let of = of.map(|item| {
            let mut one = json!({});
            one[format!("{kind}Name")] = item[1].clone();
            one
        });
        out[format!("Policy{kind}s")] = of.collect::<Vec<_>>().into();
    }
    out.as_object_mut().unwrap().remove("all");
    Ok(out)
}
