//! Plans that save what would be destroyed, and plans of a hostile document that must not pass for one.

mod buckets;
mod databases;
mod keys;

use quell_model::{Class, Plan, PlannedCall, Resource, UndoCall};
use serde_json::{Map, Value, json};

use crate::proof::{Claim, Known, Proof, Unproven, prove};

const OWNER: &str = "444455556666";
const KEY: &str = "arn:aws:kms:us-east-1:444455556666:key/0a1b2c3d";
const SINCE: &str = "2026-11-21T10:00:00.000Z";

fn resource(kind: &str, arn: &str, id: &str) -> Resource {
    Resource::new(arn.parse().unwrap(), kind, id).told_to_be_in(OWNER, "us-east-1")
}

fn key() -> Resource {
    resource("AWS::KMS::Key", KEY, "0a1b2c3d")
}

fn bucket() -> Resource {
    resource("AWS::S3::Bucket", "arn:aws:s3:::shop-data", "shop-data")
}

fn database() -> Resource {
    let arn = "arn:aws:rds:us-east-1:444455556666:db:shop";
    resource("AWS::RDS::DBInstance", arn, "shop")
}

fn table() -> Resource {
    let arn = "arn:aws:dynamodb:us-east-1:444455556666:table/carts";
    resource("AWS::DynamoDB::Table", arn, "carts")
}

/// What is tried: a plan of one call, and what is known beside it.
struct Trial {
    about: Resource,
    before: Value,
    call: PlannedCall,
    facts: Value,
    baseline: Option<Value>,
    asks: Value,
}

fn said(operation: &str, arguments: Value, key: &str, value: Value) -> UndoCall {
    UndoCall {
        resource: format!("arn:aws:states:::aws-sdk:{operation}"),
        arguments,
        sets: Map::from_iter([(key.to_owned(), value)]),
    }
}

impl Trial {
    fn new(about: Resource, before: Value, there: UndoCall, back: Option<UndoCall>) -> Self {
        let call = PlannedCall {
            resource: there.resource,
            arguments: there.arguments,
            class: Class::R1,
            sets: there.sets,
            undo: back.into_iter().collect(),
        };
        Self {
            about,
            before,
            call,
            facts: json!({"historyIsWhole": true, "history": []}),
            baseline: None,
            asks: json!({"refuseCustomerKeys": true}),
        }
    }

    fn telling(mut self, history: Value) -> Self {
        self.facts["history"] = history;
        self
    }

    fn fact(mut self, name: &str, value: Value) -> Self {
        self.facts[name] = value;
        self
    }

    fn approved(mut self, image: Value) -> Self {
        self.baseline = Some(json!({"attributes": image}));
        self
    }

    fn of_class(mut self, class: Class) -> Self {
        self.call.class = class;
        self
    }

    fn argument(mut self, name: &str, value: Value) -> Self {
        self.call.arguments[name] = value;
        self
    }

    fn prove(&self) -> Result<Proof, Unproven> {
        let mut after = self.before.clone();
        for (key, value) in &self.call.sets {
            let image = after.as_object_mut().unwrap();
            match value {
                Value::Null => drop(image.remove(key)),
                value => drop(image.insert(key.clone(), value.clone())),
            }
        }
        let plan = Plan {
            playbook: "PB-013".into(),
            resource: self.about.arn.to_string(),
            summary: String::new(),
            calls: vec![self.call.clone()],
            before: json!({"attributes": self.before}),
            after: json!({"attributes": after}),
            facts: self.facts.clone(),
        };
        let claim = Claim {
            run: "run-1",
            resource: &self.about,
            facts: &self.asks,
            undo: None,
            production: true,
            known: Known {
                since: Some(SINCE.parse().unwrap()),
                baseline: self.baseline.as_ref(),
                ..Known::default()
            },
        };
        prove(&self.about.kind, &plan, &claim)
    }

    /// It may be done, and nobody is asked.
    fn holds(&self) {
        let proof = self.prove().unwrap();
        assert_eq!(proof.concerns, Vec::<String>::new());
    }

    /// It may be done once a person has said yes, and is disruptive whatever the plan says.
    fn doubted(self, says: &str) {
        self.refused("is of class R2 at least");
        let proof = self.of_class(Class::R2).prove().unwrap();
        assert!(proof.concerns.iter().any(|c| c.contains(says)), "{proof:?}");
    }

    fn refused(&self, says: &str) {
        let no = self.prove().expect_err(says).to_string();
        assert!(no.contains(says), "wanted «{says}», got «{no}»");
    }
}
