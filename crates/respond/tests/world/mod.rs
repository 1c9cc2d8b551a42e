//! Small worlds made of data: just enough of AWS for the documents of playbooks to run on. One file for each service.
//!
//! A case says what is there, by world: `"world": {"ec2": {…}, "iam": {…}}`. Calls go to the world that answers for their
//! service. A new world is a file here and a row in [`WORLDS`].

mod cloudtrail;
mod cloudwatch;
mod config;
mod dynamodb;
mod ec2;
mod ecs;
mod eks;
mod eventbridge;
mod firewall;
mod guardduty;
mod iam;
mod kms;
mod lambda;
mod organizations;
mod rds;
mod s3;
mod ssm;
mod waf;

use std::collections::BTreeMap;

use quell_model::Call;
use serde_json::{Map, Value};

/// Something that calls are made to.
pub trait World {
    /// Makes a call, as the service does. `Err` is the error's name as Step Functions spells it, and after a colon what it
    /// says: `Iam.NoSuchEntityException: the user with name eve cannot be found`.
    fn call(&mut self, call: &Call) -> Result<Value, String>;

    /// All of its state that somebody would miss. Two states that mean the same are equal: what is a set is in order,
    /// what AWS gives anew (the id of a rule) is left out.
    fn image(&self) -> Value;

    /// What is kept on purpose, and is not in the image: snapshots, tags.
    fn evidence(&self) -> Value {
        Value::Null
    }

    /// Somebody else changes something of the resource that `call` is about, and that the call does not change.
    fn meddle(&mut self, call: &Call);

    /// What somebody else does before the next call comes. In most worlds there is nobody.
    fn meanwhile(&mut self) {}

    /// The same world once more.
    fn copy(&self) -> Box<dyn World>;
}

/// A world by its name in a case, the services that it answers for as tasks name them, and its maker.
type Maker = (
    &'static str,
    &'static [&'static str],
    fn(&Value) -> Box<dyn World>,
);

const WORLDS: &[Maker] = &[
    ("cloudtrail", &["cloudtrail"], |state| {
        Box::new(cloudtrail::CloudTrail::of(state))
    }),
    ("cloudwatch", &["cloudwatch"], |state| {
        Box::new(cloudwatch::CloudWatch::of(state))
    }),
    ("config", &["config"], |state| {
        Box::new(config::Config::of(state))
    }),
    ("dynamodb", &["dynamodb"], |state| {
        Box::new(dynamodb::DynamoDb::of(state))
    }),
    (
        "ec2",
        &[
            "ec2",
            "autoscaling",
            "elasticloadbalancing",
            "elasticloadbalancingv2",
        ],
        |state| Box::new(ec2::Ec2::of(state)),
    ),
    ("firewall", &["networkfirewall"], |state| {
        Box::new(firewall::Firewall::of(state))
    }),
    ("rds", &["rds"], |state| Box::new(rds::Rds::of(state))),
    ("waf", &["wafv2"], |state| Box::new(waf::Waf::of(state))),
    ("ecs", &["ecs"], |state| Box::new(ecs::Ecs::of(state))),
    ("eks", &["eks"], |state| Box::new(eks::Eks::of(state))),
    ("eventbridge", &["eventbridge"], |state| {
        Box::new(eventbridge::EventBridge::of(state))
    }),
    ("guardduty", &["guardduty"], |state| {
        Box::new(guardduty::GuardDuty::of(state))
    }),
    ("iam", &["iam"], |state| Box::new(iam::Iam::of(state))),
    ("kms", &["kms"], |state| Box::new(kms::Kms::of(state))),
    ("organizations", &["organizations"], |state| {
        Box::new(organizations::Organizations::of(state))
    }),
    ("lambda", &["lambda"], |state| {
        Box::new(lambda::Lambda::of(state))
    }),
    ("organizations", &["organizations"], |state| {
        Box::new(organizations::Organizations::of(state))
    }),
    ("s3", &["s3", "s3control", "kms"], |state| {
        Box::new(s3::S3::of(state))
    }),
    ("ssm", &["ssm"], |state| Box::new(ssm::Ssm::of(state))),
];

/// The worlds of a case, as one.
pub struct Worlds(BTreeMap<&'static str, Box<dyn World>>);

impl Worlds {
    /// From the `world` of a case.
    pub fn of(state: &Value) -> Self {
        let state = state.as_object().expect("a world for each service");
        let make = |(name, state): (&String, &Value)| {
            let known = WORLDS.iter().find(|(world, ..)| world == name);
            let (name, _, maker) = known.unwrap_or_else(|| {
                panic!("there is no world «{name}»: a file in crates/respond/tests/world/")
            });
            (*name, maker(state))
        };
        Self(state.iter().map(make).collect())
    }

    fn world(&mut self, call: &Call) -> &mut dyn World {
        let Call {
            service, operation, ..
        } = call;
        // The keys of a bucket are in its world, where the case has none of KMS.
        let answers = |(name, services, _): &&Maker| {
            services.contains(&service.as_str()) && self.0.contains_key(name)
        };
        let (name, ..) = WORLDS
            .iter()
            .find(answers)
            .unwrap_or_else(|| panic!("no world answers {service}:{operation}"));
        let world = self.0.get_mut(name);
        &mut **world.unwrap_or_else(|| panic!("the case has no «{name}» for {operation}"))
    }

    fn each(&self, of: impl Fn(&dyn World) -> Value) -> Value {
        let each = self.0.iter();
        let each = each.map(|(name, world)| ((*name).to_owned(), of(&**world)));
        Value::Object(each.collect::<Map<_, _>>())
    }
}

impl World for Worlds {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        self.world(call).call(call)
    }

    fn image(&self) -> Value {
        self.each(|world| world.image())
    }

    fn evidence(&self) -> Value {
        self.each(|world| world.evidence())
    }

    fn meddle(&mut self, call: &Call) {
        self.world(call).meddle(call);
    }

    fn meanwhile(&mut self) {
        self.0.values_mut().for_each(|world| world.meanwhile());
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}

impl Clone for Worlds {
    fn clone(&self) -> Self {
        let copies = self.0.iter().map(|(name, world)| (*name, world.copy()));
        Self(copies.collect())
    }
}
