//! From what fired to a finding.

use quell_model::{Actor, Event, Finding, Product, Resource, Timestamp};

use super::{Correlation, Fired};

/// Who did something to what.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// What the call was.
    pub event_name: String,
    /// Who made it.
    pub actor: Actor,
    /// The resource that it changed, else the principal.
    pub resource: Resource,
    /// Who did it, as a resource.
    pub principal: Resource,
}

impl About {
    /// What an event is about.
    pub fn new(event: &Event, resource: Resource, principal: Resource) -> Self {
        Self {
            event_name: event.name.clone(),
            actor: event.actor.clone(),
            resource,
            principal,
        }
    }
}

impl Correlation {
    /// What is said of a group when it fires. `about` is what its last record is about. `None` when nothing fired.
    pub fn finding(
        &self,
        group: &[String],
        fired: Fired,
        about: About,
        now: Timestamp,
    ) -> Option<Finding> {
        Some(Finding {
            id: self.finding_id(group, fired.stretch),
            detection: self.id.clone(),
            title: self.title.clone(),
            severity: self.severity,
            product: Product::Quell,
            record: fired.records.last()?.clone(),
            records: fired.records,
            record_count: u64::try_from(fired.count).unwrap_or(u64::MAX),
            event_name: about.event_name,
            first_event_time: fired.first,
            event_time: fired.last,
            detected_at: now,
            resource: about.resource,
            principal: about.principal,
            actor: about.actor,
            attack: self.attack.clone(),
            sample: false,
            outsider: false,
            explanation: None,
        })
    }
}
