//! Proofs: what the guard checks about a plan itself, apart from whether it may be carried out.
//!
//! A playbook's document computes the plan; a proof knows only the rules that any plan for such a resource must
//! keep, and is written apart from it. A plan without a proof is not permitted.

mod security_group;

use quell_model::Plan;
use serde_json::Value;

pub use security_group::Exposure;

/// Why a plan is not proven, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unproven(pub String);

/// What a plan has to be proven against.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The id of the resource that the run is about.
    pub resource_id: &'a str,
    /// The playbook's facts.
    pub facts: &'a Value,
    /// For an undo: what the first run recorded.
    pub undo: Option<&'a Value>,
}

/// Who else would feel a plan, in words for the person who is asked; empty when nothing speaks against it. `declared`: the
/// playbook's facts. Of a type that nobody looked at, that is what is said.
pub fn concerns(resource_type: &str, plan: &Plan, declared: &Value) -> Vec<String> {
    match resource_type {
        "AWS::EC2::SecurityGroup" => security_group::concerns(plan, declared),
        other => vec![format!(
            "it is not known who else would feel a change of {other}"
        )],
    }
}

/// Proves a plan for a resource type.
///
/// # Errors
/// [`Unproven`] says which rule it breaks; a type nobody wrote a proof for is unproven.
pub fn prove(resource_type: &str, plan: &Plan, claim: &Claim<'_>) -> Result<(), Unproven> {
    if plan.calls.is_empty() {
        return Err(Unproven("the plan has no calls".into()));
    }
    match (resource_type, claim.undo) {
        ("AWS::EC2::SecurityGroup", None) => security_group::prove_respond(plan, claim),
        ("AWS::EC2::SecurityGroup", Some(undo)) => security_group::prove_undo(plan, claim, undo),
        (other, _) => Err(Unproven(format!(
            "there is no proof for plans about {other}"
        ))),
    }
}
