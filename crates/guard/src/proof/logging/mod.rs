//! What any plan about what records must keep: a trail, a recorder of configurations, a detector, a rule of
//! EventBridge. It has them record more, or
//! exactly what a person approved; it stops nothing, deletes nothing, narrows nothing, and has nothing delivered to where
//! nobody approved. Only what takes a response back may do the reverse, and brings back no more than what was there.

mod detector;
mod recorder;
mod rule;
mod selectors;
mod trail;

use quell_model::Plan;
use serde_json::{Map, Value};

use super::attributes::{Asked, Deed, Subject, attributes, no};
use super::{Claim, Unproven};

/// Plans that have a trail record.
pub(super) struct Trail;
/// Plans that have a recorder of configurations record.
pub(super) struct Recorder;
/// Plans that have a detector detect.
pub(super) struct Detector;
/// Plans that have a rule of EventBridge match.
pub(super) struct Rule;

impl Subject for Trail {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        trail::read(asked)
    }

    fn concerns(&self, plan: &Plan, _: &Claim<'_>) -> Vec<String> {
        trail::concerns(plan)
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "logging is not stopped, and no trail is deleted",
            "the trail records at least what it recorded, or exactly what was approved",
            "nothing is delivered to a bucket, topic, log group or under a key that the approved state does not name",
        ]
    }
}

impl Subject for Recorder {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        recorder::read(asked)
    }

    fn concerns(&self, _: &Plan, _: &Claim<'_>) -> Vec<String> {
        Vec::new()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "recording is not stopped, and neither recorder nor delivery channel is deleted",
            "it records at least what it recorded, or exactly what was approved",
            "it works as no other role and delivers to no other bucket than before or as approved",
        ]
    }
}

impl Subject for Detector {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        detector::read(asked)
    }

    fn concerns(&self, _: &Plan, _: &Claim<'_>) -> Vec<String> {
        Vec::new()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[
            "the detector and its features are only switched on, never off",
            "lists of trusted addresses are only switched off, and none that was approved",
        ]
    }
}

impl Subject for Rule {
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven> {
        rule::read(asked)
    }

    fn concerns(&self, _: &Plan, _: &Claim<'_>) -> Vec<String> {
        Vec::new()
    }

    fn keeps(&self) -> &'static [&'static str] {
        &["the rule is switched on; what it matches and whom it tells stay as they are"]
    }
}

/// What a person approved of the resource.
fn approved<'a>(asked: &Asked<'a>) -> Result<Option<&'a Map<String, Value>>, Unproven> {
    let baseline = asked.claim.known.baseline;
    baseline
        .map(|image| attributes(image, "approved"))
        .transpose()
}

/// The same, where nothing else will do.
fn must_be_approved<'a>(asked: &Asked<'a>, what: &str) -> Result<&'a Map<String, Value>, Unproven> {
    approved(asked)?.ok_or_else(|| no(format!("nobody approved {what}")))
}

#[cfg(test)]
mod tests;
