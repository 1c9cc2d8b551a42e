//! Random rules, hits and orders of arrival: what fires is what the reference says of the whole.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{RecordId, Severity, Timestamp};
use rsigma_parser::ConditionOperator as Op;

use super::kinds::{Combination, Threshold};
use super::reference::{holds, reference};
use super::{Correlation, Correlator, Fired, Group, GroupState, Hit, Kind, LATENESS_MILLIS};

/// How many schedules are tried, unless `QUELL_CORRELATION_CASES` says otherwise.
const CASES: u64 = 2_000;

/// Splitmix64: the same schedules every time, each named by its number.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn millis(&mut self, n: i64) -> i64 {
        i64::try_from(self.below(n.unsigned_abs().max(1))).unwrap()
    }

    fn threshold(&mut self) -> Threshold {
        const OPS: [Op; 6] = [Op::Gte, Op::Gt, Op::Lte, Op::Lt, Op::Eq, Op::Neq];
        let mut bounds = vec![(OPS[self.below(6) as usize], self.below(7) as f64)];
        if self.below(4) == 0 {
            bounds.push((OPS[self.below(6) as usize], self.below(9) as f64));
        } else if self.below(2) == 0 {
            bounds[0].0 = Op::Gte;
        }
        Threshold(bounds)
    }

    fn combination(&mut self, rules: u64, depth: u64) -> Combination {
        let list = |dice: &mut Self| {
            let long = 1 + dice.below(3);
            (0..long)
                .map(|_| dice.combination(rules, depth - 1))
                .collect()
        };
        match self.below(if depth == 0 { 2 } else { 6 }) {
            0 | 1 => Combination::Rule(self.below(rules) as u32),
            2 => Combination::Count(self.threshold()),
            3 => Combination::Not(Box::new(self.combination(rules, depth - 1))),
            4 => Combination::And(list(self)),
            _ => Combination::Or(list(self)),
        }
    }

    fn rule(&mut self, rules: u64) -> Correlation {
        let kind = match self.below(8) {
            0 => Kind::EventCount(self.threshold()),
            1 => Kind::ValueCount(self.threshold()),
            2 => Kind::Temporal(self.combination(rules, 2)),
            3 => Kind::TemporalOrdered(rules as usize),
            4 => Kind::ValueSum(self.threshold()),
            5 => Kind::ValueAvg(self.threshold()),
            6 => Kind::ValuePercentile(
                [0, 1, 50, 90, 99, 100][self.below(6) as usize],
                self.threshold(),
            ),
            _ => Kind::ValueMedian(self.threshold()),
        };
        let span = [1_000, 2_000, 10_000, 60_000, 600_000, 3_600_000][self.below(6) as usize];
        correlation(kind, span)
    }

    /// Hits within some spans of a moment, most of them on whole seconds as CloudTrail's are.
    fn hits(&mut self, rule: &Correlation, rules: u64) -> Vec<(Group, Hit)> {
        let count = 1 + self.below(24);
        let range = rule.span_millis * [1, 3, 8][self.below(3) as usize];
        let begin = 1_795_255_200_000 - self.millis(range);
        let groups = 1 + self.below(3);
        let hit = |at: u64| {
            let exact = begin + self.millis(range);
            let time = if self.below(4) == 0 {
                exact
            } else {
                exact / 1000 * 1000
            };
            let values = 1 + self.below(2);
            let number = |dice: &mut Self| dice.below(60) as f64 / 10.0;
            let mut hit = Hit {
                time: Timestamp::from_millis(time),
                record: RecordId::of_name("1", &at.to_string()),
                rules: 1 + self.below((1 << rules) - 1),
                values: (0..values)
                    .map(|_| self.below(6).to_string())
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect(),
                numbers: (0..values).map(|_| number(self)).collect(),
            };
            if !matches!(rule.kind, Kind::ValueSum(_)) && self.below(5) == 0 {
                hit.numbers.iter_mut().for_each(|n| *n = -*n);
            }
            (vec![self.below(groups).to_string()], hit)
        };
        (0..count).map(hit).collect()
    }

    /// When each hit arrives, some of them twice: no later than is allowed.
    fn arrivals(&mut self, hits: &[(Group, Hit)]) -> Vec<(i64, u64, (Group, Hit))> {
        let mut out = Vec::new();
        let most = [1, 30_000, LATENESS_MILLIS + 1][self.below(3) as usize];
        // On the very edge of what is allowed, too.
        let edge = self.below(4) == 0;
        for (group, hit) in hits {
            for _ in 0..1 + self.below(3) / 2 + self.below(8) / 7 {
                let delay = match edge {
                    true => LATENESS_MILLIS * self.millis(2),
                    false => self.millis(most),
                };
                out.push((
                    hit.time.millis() + delay,
                    self.below(1000),
                    (group.clone(), hit.clone()),
                ));
            }
        }
        out.sort_by_key(|(at, tie, _)| (*at, *tie));
        out
    }
}

pub(super) fn correlation(kind: Kind, span_millis: i64) -> Correlation {
    Correlation {
        id: "t".into(),
        title: "T".into(),
        severity: Severity::Low,
        attack: Vec::new(),
        playbook: None,
        group_by: vec!["who".into()],
        memory: "t".into(),
        span_millis,
        kind,
        bases: Vec::new(),
    }
}

/// All that fires when hits arrive like that, and at the end nothing more is expected.
fn run(
    dice: &mut Dice,
    rule: &Correlation,
    arrivals: &[(i64, u64, (Group, Hit))],
) -> Vec<(Group, Fired)> {
    let mut out = Vec::new();
    let mut states: BTreeMap<Group, GroupState> = BTreeMap::new();
    let mut correlator = Correlator::default();
    let in_memory = dice.below(2) == 0;
    let ticks = dice.below(2) == 0;
    let end = arrivals
        .last()
        .map_or(0, |(at, ..)| at + 10 * LATENESS_MILLIS);
    for (now, _, (group, hit)) in arrivals {
        let closed = Timestamp::from_millis(now - LATENESS_MILLIS);
        if in_memory {
            if ticks && dice.below(3) == 0 {
                out.extend(correlator.advance(rule, closed));
            }
            let fired = correlator.step(rule, group, hit.clone());
            out.extend(fired.into_iter().map(|f| (group.clone(), f)));
            continue;
        }
        let mut state = states.remove(group).unwrap_or_default();
        if ticks && dice.below(3) == 0 {
            let step = rule.advance(state, closed);
            out.extend(step.fired.into_iter().map(|f| (group.clone(), f)));
            state = step.state;
        }
        // As a restart would: written and read again.
        let text = serde_json::to_string(&state).unwrap();
        let step = rule.step(serde_json::from_str(&text).unwrap(), hit.clone());
        out.extend(step.fired.into_iter().map(|f| (group.clone(), f)));
        states.insert(group.clone(), step.state);
    }
    let end = Timestamp::from_millis(end);
    out.extend(correlator.advance(rule, end));
    for (group, state) in states {
        let step = rule.advance(state, end);
        out.extend(step.fired.into_iter().map(|f| (group.clone(), f)));
        assert!(step.state.is_empty(), "nothing is kept for ever");
    }
    out
}

/// Neither the order of arrival nor repetition changes what fires, for any kind of rule.
#[test]
fn what_fires_is_what_the_reference_says_in_every_order() {
    let wanted = std::env::var_os("QUELL_CORRELATION_CASES");
    let cases = wanted.map_or(CASES, |n| n.to_str().unwrap().parse().unwrap());
    let (mut fired_cases, mut waiting) = (0, 0);
    for case in 0..cases {
        let dice = &mut Dice(case);
        let rules = 1 + dice.below(4);
        let rule = dice.rule(rules);
        let hits = dice.hits(&rule, rules);
        let arrivals = dice.arrivals(&hits);
        let fired = run(dice, &rule, &arrivals);
        let expected = reference(&rule, &hits);
        let stretches: BTreeSet<(Group, i64)> = fired
            .iter()
            .map(|(group, f)| (group.clone(), f.stretch.millis()))
            .collect();
        assert_eq!(stretches, expected, "case {case}: {rule:#?} {arrivals:#?}");
        assert_eq!(fired.len(), expected.len(), "case {case}: each once");
        for (group, fired) in &fired {
            let named: Vec<&Hit> = fired
                .records
                .iter()
                .map(|id| {
                    hits.iter()
                        .find(|(g, h)| g == group && h.record == *id)
                        .map(|(_, h)| h)
                        .unwrap()
                })
                .collect();
            assert!(
                holds(&rule.kind, &named),
                "case {case}: it names what it rests on"
            );
            assert_eq!(
                (named[0].time, named.len()),
                (fired.first, fired.count),
                "case {case}"
            );
            assert_eq!(named.last().unwrap().time, fired.last, "case {case}");
        }
        fired_cases += u64::from(!fired.is_empty());
        waiting += u64::from(rule.waits());
    }
    // The schedules are worth something: many fire, many do not, and both sorts of rule are among them.
    for count in [fired_cases, cases - fired_cases, waiting, cases - waiting] {
        assert!(
            count * 10 > cases,
            "{fired_cases} fired, {waiting} waited, of {cases}"
        );
    }
}
