//! All correlations, and which rules they are of.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{Diagnostic, RecordId, Timestamp};

use super::load::Names;
use super::{Correlation, Draft, Group, Hit};
use crate::engine::Detection;
use crate::tree::Tree;

/// All correlations, and which rules they are of.
#[derive(Debug)]
pub(crate) struct Correlations {
    all: Vec<Correlation>,
    /// By the number of a rule: the correlations that it is a base of, and the bit it has there.
    of: BTreeMap<usize, Vec<(usize, u32)>>,
}

impl Correlations {
    /// Resolves the drafts against the detections, to which their own base rules are added: first those that fire by
    /// themselves. Answers how many detections do.
    pub(crate) fn new(
        mut drafts: Vec<Draft>,
        detections: &mut Vec<Detection>,
        faults: &mut Vec<Diagnostic>,
    ) -> (Self, usize) {
        drafts.sort_by_key(|draft| !draft.generates());
        let mut loud = detections.len();
        let mut own: Vec<BTreeMap<String, usize>> = Vec::new();
        for draft in &mut drafts {
            let mut names = BTreeMap::new();
            for base in std::mem::take(&mut draft.bases) {
                names.extend(
                    base.names
                        .iter()
                        .map(|name| (name.clone(), detections.len())),
                );
                detections.push(base);
            }
            own.push(names);
            if draft.generates() {
                loud = detections.len();
            }
        }
        let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, detection) in detections.iter().enumerate() {
            // A rule whose name is its id is still one.
            for name in detection.names.iter().collect::<BTreeSet<_>>() {
                names.entry(name.clone()).or_default().push(at);
            }
        }
        let correlations: Vec<String> = drafts.iter().flat_map(|d| d.names().cloned()).collect();
        let mut all = Vec::new();
        for (draft, own) in drafts.iter().zip(&own) {
            let names = Names {
                own,
                all: &names,
                correlations: &correlations,
            };
            match draft.resolve(&names) {
                Ok(correlation) => all.push(correlation),
                Err(mut more) => faults.append(&mut more),
            }
        }
        let mut of: BTreeMap<usize, Vec<(usize, u32)>> = BTreeMap::new();
        for (at, correlation) in all.iter().enumerate() {
            for (bit, base) in (0..).zip(&correlation.bases) {
                of.entry(base.detection).or_default().push((at, bit));
            }
        }
        (Self { all, of }, loud)
    }

    pub(crate) fn all(&self) -> &[Correlation] {
        &self.all
    }

    /// Whether a correlation is of the rule with this number.
    pub(crate) fn is_base(&self, rule: usize) -> bool {
        self.of.contains_key(&rule)
    }

    /// The hits of a record that the rules with the numbers `matched` match.
    pub(crate) fn hits(
        &self,
        record: &RecordId,
        time: Timestamp,
        matched: &[usize],
        tree: &Tree<'_>,
    ) -> Vec<(&Correlation, Group, Hit)> {
        let mut rules: BTreeMap<usize, u64> = BTreeMap::new();
        for (at, bit) in matched
            .iter()
            .filter_map(|rule| self.of.get(rule))
            .flatten()
        {
            *rules.entry(*at).or_default() |= 1 << bit;
        }
        if rules.is_empty() {
            return Vec::new();
        }
        let of = |(at, rules): (usize, u64)| {
            let correlation = self.all.get(at)?;
            let hits = correlation.hits(record, tree, time, rules).into_iter();
            Some(hits.map(move |(group, hit)| (correlation, group, hit)))
        };
        rules.into_iter().filter_map(of).flatten().collect()
    }
}
