//! From a record that base rules matched to the hits of its groups.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{RecordId, Timestamp, plain_name, sha256_hex};
use rsigma_eval::{Event, EventValue};

use super::{Correlation, Group, Hit};
use crate::tree::{EVENT_NAME, Tree};

/// A record with lists belongs to a group for each combination of their values; to no more than so many.
const GROUPS_MAX: usize = 64;
/// So many values, and so many numbers, of one record count.
const VALUES_MAX: usize = 64;
/// A longer value is known by its hash: hits are kept by the thousand.
const VALUE_BYTES_MAX: usize = 256;

/// A base rule as one correlation sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Base {
    /// Which of the engine's detections it is.
    pub(crate) detection: usize,
    /// The paths of the fields to group by: aliases have one for each rule.
    pub(crate) group_by: Vec<String>,
    /// The paths of the fields whose values count.
    pub(crate) fields: Vec<String>,
}

/// A record's place in a correlation.
pub(crate) type Seen = (Group, Hit);

impl Correlation {
    /// The hits of a record whose time is `time`, one for each of its groups. `rules` has a bit for each base rule that matched.
    /// A record without one of the fields to group by has no group, and one without a value has nothing to count.
    pub(crate) fn hits(
        &self,
        record: &RecordId,
        tree: &Tree<'_>,
        time: Timestamp,
        rules: u64,
    ) -> Vec<Seen> {
        let mut groups: BTreeMap<Group, Hit> = BTreeMap::new();
        let matched = self
            .bases
            .iter()
            .enumerate()
            .filter(|(at, _)| rules >> at & 1 == 1);
        for (at, base) in matched {
            let (values, numbers) = self.values(base, tree);
            let nothing = self.kind.counts_values() && values.is_empty()
                || self.kind.has_numbers() && numbers.is_empty();
            if nothing {
                continue;
            }
            for group in combinations(&base.group_by, tree) {
                let hit = groups.entry(group).or_insert_with(|| Hit {
                    time,
                    record: record.clone(),
                    rules: 0,
                    values: values.clone(),
                    numbers: numbers.clone(),
                });
                hit.rules |= 1 << at;
            }
        }
        groups.into_iter().take(GROUPS_MAX).collect()
    }

    fn values(&self, base: &Base, tree: &Tree<'_>) -> (Vec<String>, Vec<f64>) {
        if self.kind.counts_values() {
            let several = |group: Group| match group.as_slice() {
                [one] => one.clone(),
                _ => bounded(serde_json::Value::from(group).to_string()),
            };
            let values = combinations(&base.fields, tree).into_iter();
            return (values.take(VALUES_MAX).map(several).collect(), Vec::new());
        }
        let mut numbers = Vec::new();
        if let Some(path) = base.fields.first().filter(|_| self.kind.has_numbers()) {
            tree.get_field(path)
                .iter()
                .for_each(|value| collect_numbers(value, &mut numbers));
            numbers.retain(|n| self.kind.takes(*n));
            numbers.truncate(VALUES_MAX);
        }
        (Vec::new(), numbers)
    }
}

/// All combinations of the fields' values, sorted; none when one of the fields has no value.
fn combinations(paths: &[String], tree: &Tree<'_>) -> BTreeSet<Group> {
    let mut all = BTreeSet::from([Group::new()]);
    for path in paths {
        let mut texts = BTreeSet::new();
        if let Some(value) = tree.get_field(path) {
            collect_texts(&value, path == EVENT_NAME, &mut texts);
        }
        let longer = |group: &Group| -> Vec<Group> {
            let with = |text: &String| group.iter().chain([text]).cloned().collect();
            texts.iter().map(with).collect()
        };
        all = all.iter().flat_map(longer).take(GROUPS_MAX).collect();
    }
    all
}

fn collect_texts(value: &EventValue<'_>, is_name: bool, out: &mut BTreeSet<String>) {
    let text = match value {
        EventValue::Null | EventValue::Map(_) => return,
        EventValue::Array(list) => return list.iter().for_each(|v| collect_texts(v, is_name, out)),
        // The version behind a call's name is not part of it.
        EventValue::Str(text) if is_name => plain_name(text).to_owned(),
        EventValue::Str(text) => text.to_string(),
        EventValue::Int(number) => number.to_string(),
        EventValue::Float(number) => number.to_string(),
        EventValue::Bool(value) => value.to_string(),
    };
    out.insert(bounded(text));
}

fn bounded(text: String) -> String {
    if text.len() > VALUE_BYTES_MAX {
        return format!("sha256:{}", sha256_hex(text));
    }
    text
}

fn collect_numbers(value: &EventValue<'_>, out: &mut Vec<f64>) {
    match value {
        EventValue::Array(list) => list.iter().for_each(|v| collect_numbers(v, out)),
        // CloudTrail writes many a number as a text.
        EventValue::Str(text) => out.extend(text.parse::<f64>().ok().filter(|n| n.is_finite())),
        EventValue::Int(number) => out.push(*number as f64),
        EventValue::Float(number) => out.push(*number),
        EventValue::Null | EventValue::Map(_) | EventValue::Bool(_) => {}
    }
}
