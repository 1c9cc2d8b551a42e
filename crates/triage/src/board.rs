//! Incidents in memory, for records that are read once and not stored.

use std::collections::BTreeMap;

use quell_model::{Finding, FindingId, Incident, IncidentId, Timestamp};

use crate::cause::{Cause, Trouble};
use crate::place::{Known, Placed, place};

/// At most so many weak findings of one cause are kept waiting, the newest: more of the same add nothing.
const WAITING_MAX: usize = 200;

/// The incidents of findings that are added in the order of their records, as they would have been opened.
#[derive(Debug, Default)]
pub struct Board {
    incidents: Vec<Incident>,
    /// The newest incident of each cause, by its place.
    newest: BTreeMap<Cause, usize>,
    waiting: BTreeMap<Cause, Vec<Finding>>,
    /// Which incident holds a finding, by its place.
    holder: BTreeMap<FindingId, usize>,
}

impl Board {
    /// Adds the findings of one record.
    pub fn add(&mut self, findings: &[Finding], trouble: Trouble<'_>, received_at: Timestamp) {
        let Some(first) = findings.first() else {
            return;
        };
        let cause = Cause::of(trouble, first);
        let at = self.newest.get(&cause).copied();
        let mut waiting = self.waiting.remove(&cause).unwrap_or_default();
        let since = cause.since(first.event_time);
        waiting.retain(|w| since.is_none_or(|since| w.event_time >= since));
        let known = Known {
            open: at.and_then(|at| self.incidents.get(at)).cloned(),
            waiting: waiting.clone(),
        };
        match place(known, &cause, findings, trouble, received_at) {
            Some(Placed::Opened(incident)) => {
                let at = self.incidents.len();
                self.hold(at, waiting.iter().chain(findings));
                self.incidents.push(incident);
                self.newest.insert(cause, at);
            }
            Some(Placed::Joined(incident)) => {
                if let Some(at) = at {
                    self.hold(at, waiting.iter().chain(findings));
                    self.incidents
                        .get_mut(at)
                        .into_iter()
                        .for_each(|i| i.clone_from(&incident));
                }
            }
            Some(Placed::Waiting) => {
                waiting.extend(findings.iter().cloned());
                let surplus = waiting.len().saturating_sub(WAITING_MAX);
                waiting.drain(..surplus);
                self.waiting.insert(cause, waiting);
            }
            Some(Placed::Known(_)) | None => {}
        }
    }

    fn hold<'a>(&mut self, at: usize, findings: impl Iterator<Item = &'a Finding>) {
        self.holder.extend(findings.map(|f| (f.id.clone(), at)));
    }

    /// The incidents, in the order they were opened.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The incident that holds a finding.
    pub fn incident_of(&self, finding: &FindingId) -> Option<&IncidentId> {
        let at = self.holder.get(finding)?;
        self.incidents.get(*at).map(|incident| &incident.id)
    }
}
