//! Proofs: what the guard checks about a plan itself, apart from whether it may be carried out.
//!
//! A playbook's document computes the plan; a proof knows only the rules that any plan for such a resource must
//! keep, and is written apart from it. A plan without a proof is not permitted.

mod attributes;
mod block;
mod bucket;
mod database;
mod destruction;
mod egress;
mod exfiltration;
mod identity;
mod instance;
mod logging;
mod loss;
mod organization;
mod policy;
mod security_group;
mod session;
mod sharing;
mod workload;

use quell_model::{Plan, Resource, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::never_touch::NeverTouch;
use attributes::Subject;

pub use loss::Lost;
pub use security_group::Exposure;

/// Why a plan is not proven, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unproven(pub String);

/// What a plan has to be proven against.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The id of the run that asks.
    pub run: &'a str,
    /// The resource that the run is about.
    pub resource: &'a Resource,
    /// The playbook's facts.
    pub facts: &'a Value,
    /// For an undo: what the first run recorded.
    pub undo: Option<&'a Value>,
    /// Whether the account is one of production, or not known to be another.
    pub production: bool,
    /// What is known beside the plan.
    pub known: Known<'a>,
}

/// What the frame knows of the resource. A plan's own word for it would not do: its document might say anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// When the first of the events happened that the run is about. What was made after it is new. When it is not known,
    /// nothing is known to be new.
    pub since: Option<Timestamp>,
    /// The image of the resource as a person approved it; absent when nobody did.
    pub baseline: Option<&'a Value>,
    /// After so many hours what the playbook declares for that is taken back by itself; absent when nothing is. The guard sets it
    /// from the declaration.
    pub ends_after_hours: Option<u32>,
    /// The accounts that Quell was told to look after: the installation's own.
    pub accounts: &'a [&'a str],
    /// Who did what the run is about, as the incident's records say: [`quell_model::Actor`]s. Absent when nobody is known.
    pub actors: Option<&'a Value>,
    /// What no playbook ever touches, beside what is compiled in. The guard fills it in.
    pub never_touch: NeverTouch<'a>,
}

/// What plans about a resource of this type may do: one entry for each kind of plan, in the order in which they are tried. Security
/// groups have a proof of their own, over rules.
fn subjects(resource_type: &str) -> &'static [&'static dyn Subject] {
    match resource_type {
        "AWS::S3::Bucket" => &[
            &bucket::Bucket,
            &exfiltration::Exfiltration,
            &destruction::Rescue,
        ],
        "AWS::KMS::Key" | "AWS::RDS::DBCluster" | "AWS::DynamoDB::Table" => &[&destruction::Rescue],
        "AWS::IAM::User" | "AWS::IAM::Role" => &[&identity::Containment, &policy::Drift],
        "AWS::IAM::Group" | "AWS::IAM::ManagedPolicy" => &[&policy::Drift],
        "AWS::EC2::Instance" => &[&instance::Instance, &egress::Egress, &block::Blocks],
        "AWS::RDS::DBInstance" => &[&destruction::Rescue, &block::Blocks, &database::Database],
        "AWS::::Account" => &[&organization::Organization],
        "AWS::EC2::Snapshot"
        | "AWS::EC2::Image"
        | "AWS::RDS::DBSnapshot"
        | "AWS::RDS::DBClusterSnapshot"
        | "AWS::SSM::Document" => &[&sharing::Sharing],
        "AWS::EC2::NetworkInterface" => &[&egress::Egress],
        "AWS::CloudTrail::Trail" => &[&logging::Trail],
        "AWS::Config::ConfigurationRecorder" => &[&logging::Recorder],
        "AWS::GuardDuty::Detector" => &[&logging::Detector],
        "AWS::Events::Rule" => &[&logging::Rule],
        "AWS::ECS::Service" => &[&workload::Service],
        "AWS::ECS::Task" => &[&workload::Task],
        "AWS::EKS::Cluster" => &[&workload::Cluster],
        "AWS::Lambda::Function" => &[&workload::Function],
        _ => &[],
    }
}

/// What was shown of a plan: for whoever has to say yes to it, and for the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What holds of the plan, a sentence each.
    pub shown: Vec<String>,
    /// Who else would feel it, and what could not be found out: a person decides about these. Empty when nothing speaks against it.
    pub concerns: Vec<String>,
    /// What a plan closes, exactly, where the proof can tell: of security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
}

/// Proves a plan for a resource type.
///
/// # Errors
/// [`Unproven`] says which rule it breaks; a type nobody wrote a proof for is unproven.
pub fn prove(resource_type: &str, plan: &Plan, claim: &Claim<'_>) -> Result<Proof, Unproven> {
    if plan.calls.is_empty() {
        return Err(Unproven("the plan has no calls".into()));
    }
    if resource_type == "AWS::EC2::SecurityGroup" {
        return security_group::prove(plan, claim);
    }
    let mut why = Vec::new();
    for subject in subjects(resource_type) {
        match attributes::prove(*subject, plan, claim) {
            Ok(proof) => return Ok(proof),
            Err(Unproven(text)) => why.push(text),
        }
    }
    match why.is_empty() {
        true => Err(Unproven(format!(
            "there is no proof for plans about {resource_type}"
        ))),
        false => Err(Unproven(why.join("; nor is it a plan of another kind: "))),
    }
}
