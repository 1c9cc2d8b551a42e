//! What a plan may do to a database that somebody got into: take a snapshot, which stays, and then take it off the Internet. A change that
//! is made at once makes all that is pending with it, so there is nothing pending.

use quell_model::{Class, Plan};
use serde_json::{Value, json};

use super::attributes::{Asked, Deed, Subject, Way, no};
use super::{Claim, Unproven};

/// Databases.
pub(super) struct Database;

impl Subject for Database {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        match (asked.operation, asked.way) {
            ("rds:CreateDBSnapshot", Way::There) => snapshot(asked),
            ("rds:ModifyDBInstance", way) => open(asked, way),
            (other, _) => Err(no(format!("{other} does not close a database"))),
        }
    }

    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String> {
        let closes = plan.calls.iter().any(|call| call.class > Class::R1);
        closes
            .then(|| {
                format!(
                    "whoever reaches {} from outside its VPC by its public address does so no more, and its name stands for its private address",
                    claim.resource.id
                )
            })
            .into_iter()
            .collect()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "nothing is changed of the database but whether it can be reached from the Internet, and only once a snapshot of this run is there",
            "nothing else was pending that would be applied with it",
        ]
    }
}

fn about<'a>(asked: &Asked<'a>) -> Result<&'a str, Unproven> {
    let id = &asked.claim.resource.id;
    asked.is("DbInstanceIdentifier", &id.as_str().into())?;
    asked.text("DbInstanceIdentifier")
}

/// A snapshot in the run's name.
fn snapshot(asked: &Asked<'_>) -> Result<Deed, Unproven> {
    asked.only(&["DbSnapshotIdentifier", "DbInstanceIdentifier", "Tags"])?;
    about(asked)?;
    let name = format!("quell-{}", asked.claim.run);
    asked.is("DbSnapshotIdentifier", &name.as_str().into())?;
    asked.is(
        "Tags",
        &json!([{"Key": "quell:run", "Value": asked.claim.run}]),
    )?;
    Ok(Deed::setting(format!("snapshot/{name}"), "taken").kept())
}

/// Whether it can be reached from the Internet: no more; or, on the way back, again.
fn open(asked: &Asked<'_>, way: Way) -> Result<Deed, Unproven> {
    asked.only(&[
        "DbInstanceIdentifier",
        "PubliclyAccessible",
        "ApplyImmediately",
    ])?;
    let id = about(asked)?;
    asked.is("PubliclyAccessible", &Value::from(way == Way::Back))?;
    asked.is("ApplyImmediately", &true.into())?;
    let of = |what: &str| asked.image.get(&format!("database/{id}/{what}"));
    if of("pending") != Some(&json!({})) {
        return Err(no(format!(
            "other changes of {id} are pending, or it is not known: they would be applied with this one"
        )));
    }
    if way == Way::There {
        let saved = format!("snapshot/quell-{}", asked.claim.run);
        if asked.image.get(&saved).is_none() {
            return Err(no(format!("there is no snapshot of {id} by this run yet")));
        }
        if of("public") != Some(&true.into()) {
            return Err(no(format!("{id} cannot be reached from the Internet")));
        }
    }
    let deed = Deed::setting(format!("database/{id}/public"), way == Way::Back);
    Ok(deed.of_class(Class::R2))
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
