//! All groups of all correlations, in memory, within bounds.

use std::collections::BTreeMap;

use quell_model::Timestamp;

use super::{Correlation, Fired, Group, GroupState, Hit, RULE_HITS_MAX};

/// The groups of correlations, in memory.
///
/// A rule keeps at most [`RULE_HITS_MAX`] hits. Beyond that the groups that were quiet longest (by event time) are
/// forgotten, an eighth of the hits at once. What is forgotten can no longer complete a finding; it never makes a false one.
#[derive(Debug, Default)]
pub struct Correlator {
    rules: BTreeMap<String, Groups>,
}

#[derive(Debug, Default)]
struct Groups {
    groups: BTreeMap<Group, GroupState>,
    hits: usize,
    /// The newest hit of a group that was forgotten.
    forgotten: Option<Timestamp>,
    /// Nothing earlier is expected any more.
    closed: Option<Timestamp>,
}

impl Correlator {
    /// Takes a hit of a group; answers what fires.
    pub fn step(&mut self, correlation: &Correlation, group: &Group, hit: Hit) -> Vec<Fired> {
        let rule = self.rules.entry(correlation.id.clone()).or_default();
        if rule.closed.is_some_and(|closed| hit.time < closed) {
            return Vec::new();
        }
        let state = rule.groups.remove(group);
        let state = state.unwrap_or_else(|| GroupState::after(rule.forgotten));
        rule.hits = rule.hits.saturating_sub(state.len());
        let step = correlation.step(state, hit);
        rule.hits += step.state.len();
        rule.groups.insert(group.clone(), step.state);
        if rule.hits > RULE_HITS_MAX {
            rule.forget();
        }
        step.fired
    }

    /// Closes the windows of a correlation that end before a moment; answers what fires, by group.
    pub fn advance(&mut self, correlation: &Correlation, to: Timestamp) -> Vec<(Group, Fired)> {
        let Some(rule) = self.rules.get_mut(&correlation.id) else {
            return Vec::new();
        };
        rule.closed = rule.closed.max(Some(to));
        let mut out = Vec::new();
        for (group, state) in std::mem::take(&mut rule.groups) {
            let step = correlation.advance(state, to);
            out.extend(step.fired.into_iter().map(|fired| (group.clone(), fired)));
            if !step.state.is_empty() {
                rule.groups.insert(group, step.state);
            }
        }
        rule.hits = rule.groups.values().map(GroupState::len).sum();
        out
    }

    /// How many hits of a correlation are kept.
    pub fn len_of(&self, correlation: &Correlation) -> usize {
        self.rules.get(&correlation.id).map_or(0, |rule| rule.hits)
    }
}

impl Groups {
    fn forget(&mut self) {
        let mut ages: Vec<(Option<Timestamp>, Group)> = self
            .groups
            .iter()
            .map(|(group, state)| (state.newest(), group.clone()))
            .collect();
        ages.sort_unstable();
        for (newest, group) in ages {
            if self.hits <= RULE_HITS_MAX / 8 * 7 {
                break;
            }
            if let Some(state) = self.groups.remove(&group) {
                self.hits = self.hits.saturating_sub(state.len());
                self.forgotten = self.forgotten.max(newest);
            }
        }
    }
}
