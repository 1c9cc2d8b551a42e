//! What correlations mean, said once more and plainly: it looks at all hits at once, sorted and without duplicates.

use std::collections::{BTreeMap, BTreeSet};

use rsigma_parser::ConditionOperator as Op;

use super::kinds::{Combination, Threshold};
use super::{Correlation, Group, Hit, Kind};

/// Which stretches of which groups fire.
pub(super) fn reference(rule: &Correlation, hits: &[(Group, Hit)]) -> BTreeSet<(Group, i64)> {
    let mut groups: BTreeMap<&Group, BTreeMap<(i64, &str), &Hit>> = BTreeMap::new();
    for (group, hit) in hits {
        let key = (hit.time.millis(), hit.record.as_str());
        groups.entry(group).or_default().insert(key, hit);
    }
    let mut out = BTreeSet::new();
    for (group, hits) in groups {
        for (end, _) in hits.keys() {
            let inside = |h: &&&Hit| (end - rule.span_millis..=*end).contains(&h.time.millis());
            let window: Vec<&Hit> = hits.values().filter(inside).copied().collect();
            if holds(&rule.kind, &window) {
                let stretch = end.div_euclid(rule.span_millis) * rule.span_millis;
                out.insert((group.clone(), stretch));
            }
        }
    }
    out
}

/// Whether a window holds what is asked for.
pub(super) fn holds(kind: &Kind, window: &[&Hit]) -> bool {
    let mut numbers: Vec<f64> = window.iter().flat_map(|h| h.numbers.clone()).collect();
    let sum: f64 = numbers.iter().sum();
    let count = numbers.len();
    if kind.has_numbers() && count == 0 {
        return false;
    }
    let rules = window.iter().fold(0, |all, h| all | h.rules);
    match kind {
        Kind::EventCount(t) => within(t, window.len() as f64),
        Kind::ValueCount(t) => {
            let values: BTreeSet<&String> = window.iter().flat_map(|h| &h.values).collect();
            within(t, values.len() as f64)
        }
        Kind::Temporal(words) => true_of(words, rules),
        Kind::TemporalOrdered(all) => in_order(window, 0, *all, i64::MIN),
        Kind::ValueSum(t) => within(t, sum),
        Kind::ValueAvg(t) => within(t, sum / count as f64),
        Kind::ValuePercentile(percent, t) => {
            numbers.sort_by(f64::total_cmp);
            let few = |n: &&f64| {
                let not_above = numbers.iter().filter(|m| m <= n).count();
                not_above * 100 >= usize::from(*percent) * count
            };
            within(t, *numbers.iter().find(few).unwrap())
        }
        Kind::ValueMedian(t) => {
            numbers.sort_by(f64::total_cmp);
            within(t, numbers[(count - 1) / 2] / 2.0 + numbers[count / 2] / 2.0)
        }
    }
}

/// Whether the rules from `rule` on matched one after the other, none before `after`.
fn in_order(window: &[&Hit], rule: usize, all: usize, after: i64) -> bool {
    let fits = |h: &&&Hit| h.rules >> rule & 1 == 1 && h.time.millis() >= after;
    let next = |h: &&Hit| in_order(window, rule + 1, all, h.time.millis());
    rule == all || window.iter().filter(fits).any(next)
}

fn true_of(words: &Combination, rules: u64) -> bool {
    match words {
        Combination::Count(t) => within(t, (0..64).filter(|n| rules >> n & 1 == 1).count() as f64),
        Combination::Rule(at) => rules >> at & 1 == 1,
        Combination::And(list) => list.iter().all(|w| true_of(w, rules)),
        Combination::Or(list) => list.iter().any(|w| true_of(w, rules)),
        Combination::Not(inner) => !true_of(inner, rules),
    }
}

fn within(threshold: &Threshold, number: f64) -> bool {
    threshold.0.iter().all(|(op, bound)| match op {
        Op::Gte => number >= *bound,
        Op::Gt => number > *bound,
        Op::Lte => number <= *bound,
        Op::Lt => number < *bound,
        Op::Eq => number == *bound,
        Op::Neq => number != *bound,
    })
}
