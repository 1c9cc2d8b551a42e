use quell_model::{Arn, Resource};
use serde_json::{Value, json};

use super::*;
use crate::proof::{Known, Proof, prove};

const SNAPSHOT: &str = "arn:aws:states:::aws-sdk:ec2:modifySnapshotAttribute";
const IMAGE: &str = "arn:aws:states:::aws-sdk:ec2:modifyImageAttribute";
const DATABASE: &str = "arn:aws:states:::aws-sdk:rds:modifyDBSnapshotAttribute";
const CLUSTER: &str = "arn:aws:states:::aws-sdk:rds:modifyDBClusterSnapshotAttribute";
const DOCUMENT: &str = "arn:aws:states:::aws-sdk:ssm:modifyDocumentPermission";

/// A stranger, and one that the facts allow, and one of the installation's own.
const X: &str = "999911112222";
const ALLOWED: &str = "888811112222";
const OWN: &str = "111122223333";
const ME: &str = "444455556666";

/// What is proven, and against what.
struct Try {
    kind: &'static str,
    id: &'static str,
    plan: Value,
    facts: Value,
    since: Option<&'static str>,
    undo: Option<Value>,
}

fn call(resource: &str, arguments: &Value, sets: &Value, undo: &Value, class: &str) -> Value {
    json!({"resource": resource, "arguments": arguments, "class": class, "sets": sets, "undo": undo})
}

fn plan(before: &Value, after: &Value, calls: &Value, facts: &Value) -> Value {
    json!({
        "playbook": "PB-010", "resource": "r", "summary": "s", "calls": calls,
        "before": {"attributes": before}, "after": {"attributes": after}, "facts": facts,
    })
}

fn of_users(operation: &str, users: &Value) -> Value {
    json!({"SnapshotId": "snap-1", "Attribute": "createVolumePermission", "OperationType": operation, "UserIds": users})
}

fn of_all(operation: &str) -> Value {
    json!({"SnapshotId": "snap-1", "Attribute": "createVolumePermission", "OperationType": operation, "GroupNames": ["all"]})
}

/// A snapshot that is shared with everybody and X, and X was let in after it began.
fn good() -> Try {
    let key = format!("share/{X}");
    let back = |arguments: Value, sets: Value| json!([{"resource": SNAPSHOT, "arguments": arguments, "sets": sets}]);
    Try {
        kind: "AWS::EC2::Snapshot",
        id: "snap-1",
        plan: plan(
            &json!({"share/all": true, &key: true, "share/888811112222": true}),
            &json!({"share/888811112222": true}),
            &json!([
                call(
                    SNAPSHOT,
                    &of_all("remove"),
                    &json!({"share/all": null}),
                    &back(of_all("add"), json!({"share/all": true})),
                    "R1"
                ),
                call(
                    SNAPSHOT,
                    &of_users("remove", &json!([X])),
                    &json!({&key: null}),
                    &back(of_users("add", &json!([X])), json!({&key: true})),
                    "R1"
                ),
            ]),
            &json!({"history": [{"who": X, "at": "2026-11-21T10:00:00Z"}]}),
        ),
        facts: json!({"allowedAccounts": [ALLOWED], "allowedOrganizations": [], "publishers": []}),
        since: Some("2026-11-21T10:00:00.000Z"),
        undo: None,
    }
}

impl Try {
    fn prove(&self) -> Result<Proof, String> {
        let arn: Arn = "arn:aws:ec2:us-east-1:444455556666:any/thing"
            .parse()
            .unwrap();
        let resource = Resource::new(arn, self.kind, self.id);
        let claim = Claim {
            run: "run-1",
            resource: &resource,
            facts: &self.facts,
            undo: self.undo.as_ref(),
            production: true,
            known: Known {
                since: self.since.map(|at| at.parse().unwrap()),
                baseline: None,
                accounts: &[OWN, ME],
                ..Known::default()
            },
        };
        let plan = serde_json::from_value(self.plan.clone()).unwrap();
        prove(self.kind, &plan, &claim).map_err(|e| e.to_string())
    }

    /// The same with something planted in it.
    fn with(mut self, at: &str, value: Value) -> Self {
        let (place, name) = at.rsplit_once('/').unwrap();
        let place = self.plan.pointer_mut(place).unwrap();
        match (place, name.parse::<usize>()) {
            (Value::Array(list), Ok(index)) => list[index] = value,
            (place, _) => place[name.replace("~1", "/")] = value,
        }
        self
    }

    fn refused(&self, because: &str) {
        let why = self.prove().expect_err(because);
        assert!(why.contains(because), "{why}");
    }
}

/// One call of some kind that takes one grant away.
fn one(
    kind: &'static str,
    id: &'static str,
    resource: &str,
    who: &str,
    there: &Value,
    back: &Value,
    value: &Value,
) -> Try {
    let key = format!("share/{who}");
    let undo = json!([{"resource": resource, "arguments": back, "sets": {&key: value}}]);
    let calls = json!([call(resource, there, &json!({&key: null}), &undo, "R2")]);
    Try {
        kind,
        id,
        plan: plan(&json!({&key: value}), &json!({}), &calls, &json!({})),
        ..good()
    }
}

fn image(entity: &Value) -> Try {
    let who = entity.as_object().unwrap().values().next().unwrap();
    one(
        "AWS::EC2::Image",
        "ami-1",
        IMAGE,
        who.as_str().unwrap(),
        &json!({"ImageId": "ami-1", "LaunchPermission": {"Remove": [entity]}}),
        &json!({"ImageId": "ami-1", "LaunchPermission": {"Add": [entity]}}),
        &json!(true),
    )
}

fn database(who: &str) -> Try {
    one(
        "AWS::RDS::DBSnapshot",
        "nightly",
        DATABASE,
        who,
        &json!({"DbSnapshotIdentifier": "nightly", "AttributeName": "restore", "ValuesToRemove": [who]}),
        &json!({"DbSnapshotIdentifier": "nightly", "AttributeName": "restore", "ValuesToAdd": [who]}),
        &json!(true),
    )
}

fn document(who: &str) -> Try {
    one(
        "AWS::SSM::Document",
        "deploy",
        DOCUMENT,
        who,
        &json!({"Name": "deploy", "PermissionType": "Share", "AccountIdsToRemove": [who]}),
        &json!({"Name": "deploy", "PermissionType": "Share", "AccountIdsToAdd": [who], "SharedDocumentVersion": "$LATEST"}),
        &json!("$LATEST"),
    )
}

#[test]
fn everybody_and_who_is_new_go_and_nobody_is_asked() {
    let proof = good().prove().unwrap();
    assert_eq!(proof.concerns, [""; 0]);
    assert!(
        proof
            .shown
            .contains(&"nobody is let in who is not now".to_owned())
    );
}

#[test]
fn every_kind_of_thing_has_its_own_call() {
    let entities = [
        json!({"Group": "all"}),
        json!({"UserId": X}),
        json!({"OrganizationArn": "arn:aws:organizations::1:organization/o-1"}),
        json!({"OrganizationalUnitArn": "arn:aws:organizations::1:ou/o-1/ou-1"}),
    ];
    for entity in &entities {
        image(entity).prove().unwrap();
    }
    for who in ["all", X] {
        database(who).prove().unwrap();
        document(who).prove().unwrap();
    }
    // Each call is about a thing of its own kind alone.
    let mut cluster = database("all");
    cluster.kind = "AWS::RDS::DBClusterSnapshot";
    cluster.refused("does not change whom AWS::RDS::DBClusterSnapshot is shared with");
    let cluster = one(
        "AWS::RDS::DBClusterSnapshot",
        "orders",
        CLUSTER,
        "all",
        &json!({"DbClusterSnapshotIdentifier": "orders", "AttributeName": "restore", "ValuesToRemove": ["all"]}),
        &json!({"DbClusterSnapshotIdentifier": "orders", "AttributeName": "restore", "ValuesToAdd": ["all"]}),
        &json!(true),
    );
    cluster.prove().unwrap();
}

#[test]
fn nobody_is_ever_let_in_by_a_response() {
    for operation in ["add", "ADD", "reset"] {
        let arguments = of_users(operation, &json!([X]));
        assert!(
            good()
                .with("/calls/1/arguments", arguments)
                .prove()
                .is_err()
        );
    }
    good()
        .with("/calls/1/arguments", of_users("add", &json!([X])))
        .refused("nobody is ever let in");
    let both = json!({"Remove": [{"Group": "all"}], "Add": [{"UserId": X}]});
    image(&json!({"Group": "all"}))
        .with("/calls/0/arguments/LaunchPermission", both)
        .refused("either adds or removes");
    database("all")
        .with("/calls/0/arguments/ValuesToAdd", json!([X]))
        .refused("either ValuesToAdd or ValuesToRemove");
    document("all")
        .with("/calls/0/arguments/AccountIdsToAdd", json!([X]))
        .refused("either AccountIdsToAdd or AccountIdsToRemove");
}

#[test]
fn one_s_own_accounts_and_those_that_are_allowed_stay() {
    for (who, because) in [
        (OWN, "an account of one's own"),
        (ME, "an account of one's own"),
        (ALLOWED, "may have it, by the playbook's facts"),
    ] {
        database(who).refused(because);
        document(who).refused(because);
        image(&json!({"UserId": who})).refused(because);
    }
    let organisation = "arn:aws:organizations::1:organization/o-1";
    let mut allowed = image(&json!({"OrganizationArn": organisation}));
    allowed.facts["allowedOrganizations"] = json!([organisation]);
    allowed.refused("may have it");
}

#[test]
fn what_is_sold_or_published_on_purpose_stays() {
    good()
        .with("/before/attributes/product-codes", json!(["abc"]))
        .with("/after/attributes/product-codes", json!(["abc"]))
        .refused("sold on AWS Marketplace");
    let publisher = |mut tried: Try| {
        tried.facts["publishers"] = json!([ME]);
        tried
    };
    publisher(image(&json!({"Group": "all"}))).refused("publishes such things");
    publisher(document("all")).refused("publishes such things");
    publisher(database("all")).prove().unwrap();
    publisher(good()).prove().unwrap();
    // A stranger by name is none of those to whom it is published.
    publisher(image(&json!({"UserId": X}))).prove().unwrap();
}

#[test]
fn a_call_is_about_this_thing_and_says_nothing_else() {
    good()
        .with("/calls/0/arguments/SnapshotId", json!("snap-2"))
        .refused("SnapshotId is \"snap-2\"");
    good()
        .with("/calls/0/arguments/Attribute", json!("productCodes"))
        .refused("Attribute is");
    good()
        .with("/calls/0/arguments/UserIds", json!([X]))
        .refused("either everybody or accounts");
    good()
        .with("/calls/0/arguments/GroupNames", json!(["all", "all"]))
        .refused("either everybody or accounts");
    good()
        .with(
            "/calls/0/arguments/CreateVolumePermission",
            json!({"Add": [{"Group": "all"}]}),
        )
        .refused("no such call needs");
    good()
        .with("/calls/0/arguments/DryRun", json!(true))
        .refused("no such call needs");
    good()
        .with("/calls/1/arguments/UserIds", json!([X, X]))
        .refused("not said plainly");
    good()
        .with("/calls/1/arguments/UserIds", json!(["all"]))
        .refused("not said plainly");
    good()
        .with("/calls/1/arguments/UserIds", json!([]))
        .refused("names no one");
    database("all")
        .with("/calls/0/arguments/AttributeName", json!("other"))
        .refused("AttributeName is");
    document("all")
        .with("/calls/0/arguments/SharedDocumentVersion", json!("1"))
        .refused("a version goes with");
    image(&json!({"Group": "all"}))
        .with(
            "/calls/0/arguments/LaunchPermission",
            json!({"Remove": [{"Group": "all", "UserId": X}]}),
        )
        .refused("not said plainly");
    image(&json!({"Group": "all"}))
        .with(
            "/calls/0/arguments/LaunchPermission",
            json!({"Remove": [{"Group": "most"}]}),
        )
        .refused("not said plainly");
    good()
        .with(
            "/calls/0/resource",
            json!("arn:aws:states:::aws-sdk:ec2:resetSnapshotAttribute"),
        )
        .refused("does not change whom");
}

#[test]
fn what_is_not_shared_is_not_taken_away_and_twenty_one_are_too_many() {
    good()
        .with("/calls/1/arguments/UserIds", json!([X, "777711112222"]))
        .with(
            "/calls/1/sets",
            json!({"share/999911112222": null, "share/777711112222": null}),
        )
        .refused("not shared with 777711112222");
    let many: Vec<String> = (0..21)
        .map(|n| format!("{}", 500_000_000_000_u64 + n))
        .collect();
    good()
        .with("/calls/1/arguments/UserIds", json!(many))
        .refused("more than 20");
}

#[test]
fn the_way_back_is_whole_and_exact() {
    good()
        .with("/calls/1/undo", json!([]))
        .refused("does not bring back what was there");
    good()
        .with("/calls/1/undo/0/arguments", of_users("remove", &json!([X])))
        .refused("takes no grant away");
    good()
        .with(
            "/calls/1/undo/0/arguments",
            of_users("add", &json!([X, "777711112222"])),
        )
        .with(
            "/calls/1/undo/0/sets",
            json!({"share/999911112222": true, "share/777711112222": true}),
        )
        .refused("does not bring back what was there");
    // Another version of the document would be another grant.
    document("all")
        .with(
            "/calls/0/undo/0/arguments/SharedDocumentVersion",
            json!("$DEFAULT"),
        )
        .with("/calls/0/undo/0/sets", json!({"share/all": "$DEFAULT"}))
        .refused("does not bring back what was there");
    good()
        .with("/after/attributes/share~1777711112222", json!(true))
        .refused("the predicted state is not");
    good()
        .with("/calls/0/sets", json!({}))
        .refused("is said to set");
}

#[test]
fn of_whom_it_is_not_known_since_when_a_person_is_asked() {
    let unsure = |tried: Try| {
        let proof = tried.with("/calls/1/class", json!("R2")).prove().unwrap();
        assert_eq!(proof.concerns.len(), 1, "{proof:?}");
        assert!(proof.concerns[0].contains(X));
    };
    let at = |when: &str| good().with("/facts/history", json!([{"who": X, "at": when}]));
    unsure(at("2026-11-21T09:59:59Z"));
    unsure(at("soon"));
    unsure(good().with(
        "/facts/history",
        json!([{"who": ALLOWED, "at": "2026-11-21T10:00:00Z"}]),
    ));
    unsure(good().with("/facts", json!({})));
    unsure(Try {
        since: None,
        ..good()
    });
    // And the plan may not call that gentle.
    at("2026-11-21T09:59:59Z").refused("is of class R2 at least");
}

#[test]
fn an_undo_gives_what_was_recorded_and_nothing_else() {
    let key = format!("share/{X}");
    let recorded = json!({"resource": SNAPSHOT, "arguments": of_users("add", &json!([X])), "sets": {&key: true}});
    let undo = json!({"before": {"attributes": {&key: true}}, "after": {"attributes": {}}, "calls": [recorded]});
    let back = |who: &str| {
        let key = format!("share/{who}");
        let calls = json!([call(
            SNAPSHOT,
            &of_users("add", &json!([who])),
            &json!({&key: true}),
            &json!([]),
            "R1"
        )]);
        Try {
            plan: plan(&json!({}), &json!({&key: true}), &calls, &json!({})),
            undo: Some(undo.clone()),
            ..good()
        }
    };
    back(X).prove().unwrap();
    back("777711112222").refused("none of the recorded undo calls");
}
