//! All baselines.

use quell_model::{Diagnostic, Event, Finding, Resource, Timestamp};

use super::{Baseline, Fired, HashKey, load};
use crate::content::{DetectionFile, Language};

/// All baselines, and the key under which values are hashed.
#[derive(Debug)]
pub struct Baselines {
    pub(super) all: Vec<Baseline>,
    pub(super) key: HashKey,
    /// What the states are kept under: under another key they would say nothing.
    pub(super) memory: String,
}

impl Baselines {
    /// The baselines that are right, and the faults of those that are not. Files of other languages are passed over.
    pub fn load(files: &[DetectionFile], key: HashKey) -> (Baselines, Vec<Diagnostic>) {
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for file in files {
            if let Some((Language::Baseline, id)) = Language::of(&file.path) {
                match load::load(id, file) {
                    Ok(baseline) => all.push(baseline),
                    Err(mut more) => faults.append(&mut more),
                }
            }
        }
        let empty = Baselines {
            all,
            key,
            memory: String::new(),
        };
        (empty.with_key(key), faults)
    }

    /// The baselines.
    pub fn all(&self) -> &[Baseline] {
        &self.all
    }

    /// The same baselines under another key. States that were made under the old one know nothing under the new.
    #[must_use]
    pub fn with_key(self, key: HashKey) -> Baselines {
        let mark = key.hash(&["quell", "baselines"]);
        Baselines {
            key,
            memory: format!("baselines-{mark:016x}"),
            ..self
        }
    }

    /// What fired, as a finding about the principal. `None` when the baseline is not there.
    pub fn finding(
        &self,
        fired: &Fired,
        event: &Event,
        principal: &Resource,
        now: Timestamp,
    ) -> Option<Finding> {
        let baseline = self.all.iter().find(|b| b.id() == fired.baseline)?;
        let detection = &baseline.detection;
        Some(Finding {
            id: fired.finding.clone(),
            detection: detection.id.clone(),
            title: detection.title.clone(),
            severity: detection.severity,
            product: Default::default(),
            record: fired.record.clone(),
            records: vec![fired.record.clone()],
            record_count: 1,
            event_name: event.name.clone(),
            first_event_time: fired.first,
            event_time: event.time,
            detected_at: now,
            resource: principal.clone(),
            principal: principal.clone(),
            actor: event.actor.clone(),
            attack: detection.attack.clone(),
            initiator: None,
            report: None,
            sample: false,
            outsider: false,
            explanation: Some(fired.explanation.clone()),
        })
    }
}
