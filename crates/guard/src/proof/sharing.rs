//! What any plan about whom something is shared with must keep: grants to everybody or to strangers are taken away, and none is
//! ever given but to bring back what was recorded. An account of the installation's own, or one that the playbook's facts allow,
//! is no stranger; what AWS Marketplace sells, and what is published on purpose, stays as it is.

use std::collections::BTreeSet;

use quell_model::{Class, Plan, Timestamp};
use serde_json::{Map, Value, json};

use super::attributes::{Asked, Deed, Image, Subject, Way, attributes, no};
use super::{Claim, Unproven};

/// What each grant is called in the image, before whom it is to.
const SHARE: &str = "share/";
/// What AWS Marketplace sells has some.
const CODES: &str = "product-codes";
/// Whom a grant to everybody is to.
const EVERYBODY: &str = "all";
/// So many at once at most: RDS and Systems Manager take no more.
const GRANTS_MAX: usize = 20;

/// Plans that take back whom a snapshot, an image or a document is shared with.
pub(super) struct Sharing;

impl Subject for Sharing {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        let grants = grants(asked)?;
        if grants.who.is_empty() || grants.who.len() > GRANTS_MAX {
            return Err(no(format!(
                "{} names no one, or more than {GRANTS_MAX}",
                asked.operation
            )));
        }
        match (grants.adds, asked.way) {
            (false, Way::There) => takes_away(asked, &grants),
            (true, Way::Back) => gives_back(&grants),
            (true, Way::There) => Err(no("nobody is ever let in by a response")),
            (false, Way::Back) => Err(no("what takes a response back takes no grant away")),
        }
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        let (Ok(before), Ok(after)) = (
            attributes(&plan.before, "before"),
            attributes(&plan.after, "after"),
        ) else {
            return vec!["it is not known whom it is shared with".to_owned()];
        };
        let gone = before
            .keys()
            .filter(|key| !after.contains_key(*key))
            .filter_map(|key| key.strip_prefix(SHARE));
        let unsure = gone.filter(|who| *who != EVERYBODY && !is_new(who, &plan.facts, claim));
        let ask = |who: &str| {
            format!(
                "it is not known since when it is shared with {who}: somebody may have meant it to be"
            )
        };
        unsure.map(ask).collect()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "nobody is let in who is not now",
            "the installation's own accounts and those that the playbook's facts allow keep what is shared with them",
            "what has product codes of AWS Marketplace stays as it is, and so do images and documents of those who publish",
        ]
    }
}

/// Whom a call lets in or out.
struct Grants {
    adds: bool,
    who: BTreeSet<String>,
    /// What each is given: which version of a document, or simply so.
    value: Value,
}

impl Grants {
    /// From the lists of a call: exactly one of those that add and remove is there, and nobody is in it twice.
    fn of(given: &Map<String, Value>, added: &str, removed: &str) -> Result<Self, Unproven> {
        let (adds, list) = match (given.get(added), given.get(removed)) {
            (Some(list), None) => (true, list),
            (None, Some(list)) => (false, list),
            _ => return Err(no(format!("either {added} or {removed} says whom"))),
        };
        Self::listed(adds, list, Value::as_str)
    }

    fn listed<'a>(
        adds: bool,
        list: &'a Value,
        name: impl Fn(&'a Value) -> Option<&'a str>,
    ) -> Result<Self, Unproven> {
        let all = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let named: Option<BTreeSet<String>> =
            all.iter().map(|one| name(one).map(str::to_owned)).collect();
        let who = named.filter(|who| who.len() == all.len());
        Ok(Self {
            adds,
            who: who.ok_or_else(|| no("whom it is about is not said plainly"))?,
            value: Value::Bool(true),
        })
    }
}

/// What a call says, when it is the one that changes the sharing of such a thing, and is about this one.
fn grants(asked: &Asked<'_>) -> Result<Grants, Unproven> {
    let id = json!(asked.claim.resource.id);
    match (asked.claim.resource.kind.as_str(), asked.operation) {
        ("AWS::EC2::Snapshot", "ec2:ModifySnapshotAttribute") => {
            asked.is("SnapshotId", &id)?;
            of_snapshot(asked)
        }
        ("AWS::EC2::Image", "ec2:ModifyImageAttribute") => {
            asked.is("ImageId", &id)?;
            of_image(asked)
        }
        ("AWS::RDS::DBSnapshot", "rds:ModifyDBSnapshotAttribute") => {
            asked.is("DbSnapshotIdentifier", &id)?;
            of_database(asked, "DbSnapshotIdentifier")
        }
        ("AWS::RDS::DBClusterSnapshot", "rds:ModifyDBClusterSnapshotAttribute") => {
            asked.is("DbClusterSnapshotIdentifier", &id)?;
            of_database(asked, "DbClusterSnapshotIdentifier")
        }
        ("AWS::SSM::Document", "ssm:ModifyDocumentPermission") => {
            asked.is("Name", &id)?;
            of_document(asked)
        }
        (kind, other) => Err(no(format!(
            "{other} does not change whom {kind} is shared with"
        ))),
    }
}

fn of_snapshot(asked: &Asked<'_>) -> Result<Grants, Unproven> {
    let names = ["SnapshotId", "Attribute", "OperationType"];
    let given = asked.only(&[names[0], names[1], names[2], "GroupNames", "UserIds"])?;
    asked.is("Attribute", &json!("createVolumePermission"))?;
    let adds = match asked.text("OperationType")? {
        "add" => true,
        "remove" => false,
        other => return Err(no(format!("OperationType is «{other}»"))),
    };
    match (given.get("GroupNames"), given.get("UserIds")) {
        (Some(groups), None) if *groups == json!([EVERYBODY]) => {
            Grants::listed(adds, groups, Value::as_str)
        }
        (None, Some(accounts)) => Grants::listed(adds, accounts, |one| {
            one.as_str().filter(|text| is_account(text))
        }),
        _ => Err(no("either everybody or accounts are named, by themselves")),
    }
}

fn of_image(asked: &Asked<'_>) -> Result<Grants, Unproven> {
    let given = asked.only(&["ImageId", "LaunchPermission"])?;
    let permission = given.get("LaunchPermission").and_then(Value::as_object);
    let lists: Vec<_> = permission.into_iter().flatten().collect();
    let [(way, list)] = lists.as_slice() else {
        return Err(no("LaunchPermission either adds or removes"));
    };
    let adds = match way.as_str() {
        "Add" => true,
        "Remove" => false,
        other => return Err(no(format!("LaunchPermission has {other}"))),
    };
    Grants::listed(adds, list, |entity| {
        let mut members = entity.as_object()?.iter();
        let (kind, who) = members.next().filter(|_| members.next().is_none())?;
        let who = who.as_str()?;
        let plain = match kind.as_str() {
            "Group" => who == EVERYBODY,
            "UserId" => is_account(who),
            "OrganizationArn" => who.contains(":organization/"),
            "OrganizationalUnitArn" => who.contains(":ou/"),
            _ => false,
        };
        plain.then_some(who)
    })
}

fn of_database(asked: &Asked<'_>, id: &str) -> Result<Grants, Unproven> {
    let given = asked.only(&[id, "AttributeName", "ValuesToAdd", "ValuesToRemove"])?;
    asked.is("AttributeName", &json!("restore"))?;
    Grants::of(given, "ValuesToAdd", "ValuesToRemove")
}

fn of_document(asked: &Asked<'_>) -> Result<Grants, Unproven> {
    let (added, removed) = ("AccountIdsToAdd", "AccountIdsToRemove");
    let version = "SharedDocumentVersion";
    let given = asked.only(&["Name", "PermissionType", added, removed, version])?;
    asked.is("PermissionType", &json!("Share"))?;
    let grants = Grants::of(given, added, removed)?;
    match (grants.adds, given.get(version)) {
        (true, Some(version)) if version.is_string() => Ok(Grants {
            value: version.clone(),
            ..grants
        }),
        (false, None) => Ok(grants),
        _ => Err(no(
            "a version goes with whom a document is given to, and only with them",
        )),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Takes grants away that are there, from nobody who may have them.
fn takes_away(asked: &Asked<'_>, grants: &Grants) -> Result<Deed, Unproven> {
    let (image, claim) = (asked.image, asked.claim);
    if image.contains_key(CODES) {
        return Err(no("it is sold on AWS Marketplace, and left alone"));
    }
    let mut sets = Map::new();
    for who in &grants.who {
        let key = format!("{SHARE}{who}");
        if !image.contains_key(&key) {
            return Err(no(format!("it is not shared with {who}")));
        }
        may_go(who, claim)?;
        sets.insert(key, Value::Null);
    }
    let surely = |who: &String| who == EVERYBODY || is_new(who, asked.facts, claim);
    Ok(Deed {
        sets,
        class: match grants.who.iter().all(surely) {
            true => Class::R1,
            false => Class::R2,
        },
        kept: false,
    })
}

/// Whoever may be let in stays let in.
fn may_go(who: &str, claim: &Claim<'_>) -> Result<(), Unproven> {
    let listed = |fact: &str, value: &str| {
        let all = claim.facts.get(fact).and_then(Value::as_array);
        { all.into_iter().flatten() }.any(|one| one.as_str() == Some(value))
    };
    let (account, kind) = (&claim.resource.account, claim.resource.kind.as_str());
    let publishes = matches!(kind, "AWS::EC2::Image" | "AWS::SSM::Document");
    if who == EVERYBODY {
        return match publishes && listed("publishers", account) {
            true => Err(no(format!("account {account} publishes such things"))),
            false => Ok(()),
        };
    }
    if who == account || claim.known.accounts.contains(&who) {
        return Err(no(format!("{who} is an account of one's own")));
    }
    match listed("allowedAccounts", who) || listed("allowedOrganizations", who) {
        true => Err(no(format!("{who} may have it, by the playbook's facts"))),
        false => Ok(()),
    }
}

/// Gives grants again; that they were there before is what the whole proof shows.
fn gives_back(grants: &Grants) -> Result<Deed, Unproven> {
    let given = grants.who.iter();
    let sets = given.map(|who| (format!("{SHARE}{who}"), grants.value.clone()));
    Ok(Deed {
        sets: sets.collect::<Image>(),
        class: Class::R1,
        kept: false,
    })
}

/// Whether the event history, as the plan tells it, has somebody let in after the first event of what the run is about.
fn is_new(who: &str, facts: &Value, claim: &Claim<'_>) -> bool {
    let history = facts.get("history").and_then(Value::as_array);
    let told = |entry: &&Value| entry.get("who").and_then(Value::as_str) == Some(who);
    let at = |entry: &Value| -> Option<Timestamp> { entry.get("at")?.as_str()?.parse().ok() };
    let after = |at: Timestamp| claim.known.since.is_some_and(|since| at >= since);
    { history.into_iter().flatten() }
        .filter(told)
        .any(|entry| at(entry).is_some_and(after))
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
