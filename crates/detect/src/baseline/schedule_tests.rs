//! Random stories in random orders of arrival: what is new follows from the set of records alone, as the plain model says; and what is
//! rare or too much is the same in every order.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{Record, Timestamp};

use super::tests::{ANY, BEGIN, Call, DAY, HOUR, file, loaded};
use super::{Baselines, LATENESS_MILLIS, PEERS_SIGHTINGS_MIN, States, Subject};

/// How many stories are told, unless `QUELL_BASELINE_CASES` says otherwise.
const CASES: u64 = 100;

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % n.unsigned_abs()).unwrap()
    }

    /// Calls of a few principals over four days, many of them close together.
    fn story(&mut self) -> Vec<Call> {
        let mut at = 0;
        let mut out = Vec::new();
        for _ in 0..60 + self.below(60) {
            at += [HOUR / 6, HOUR / 3, HOUR, 3 * HOUR][self.below(4) as usize];
            let who = ["user/a", "user/b", "role/ci-1", "role/ci-2"][self.below(4) as usize];
            let mut call = Call::new(at / 1000 * 1000, who);
            // New values come all the time, and a few again and again.
            let value = |dice: &mut Self| match dice.below(3) {
                0 => dice.below(200),
                _ => dice.below(5),
            };
            call.from = format!("10.0.{}.9", value(self));
            call.region = format!("eu-west-{}", self.below(4));
            let names = ["s3.amazonaws.com:Get", "iam.amazonaws.com:Put"];
            call.action = format!("{}{}", names[self.below(2) as usize], value(self));
            call.error = (self.below(3) == 0).then(|| "AccessDenied".to_owned());
            out.push(call);
        }
        out
    }

    /// The order of arrival: no record later than is allowed, some on the very edge.
    fn arrivals(&mut self, calls: &[Call]) -> Vec<usize> {
        let most = [1, 30_000, LATENESS_MILLIS + 1][self.below(3) as usize];
        let edge = self.below(4) == 0;
        let delay = |dice: &mut Self| match edge {
            true => LATENESS_MILLIS * dice.below(2),
            false => dice.below(most),
        };
        let arrival = |(n, call): (usize, &Call)| (call.at + delay(self), self.below(1000), n);
        let mut order: Vec<(i64, i64, usize)> = calls.iter().enumerate().map(arrival).collect();
        order.sort_unstable();
        order.into_iter().map(|(.., n)| n).collect()
    }
}

fn rules(calls: u64) -> Baselines {
    let learn = format!("learn: {{days: 1, calls: {calls}}}");
    loaded(&[
        file(
            "own",
            &format!("{{kind: first-seen, fields: [network], {learn}}}"),
            ANY,
        ),
        file(
            "two",
            &format!("{{kind: first-seen, fields: [network, action], {learn}}}"),
            ANY,
        ),
        file(
            "peers",
            &format!("{{kind: first-seen, fields: [action], new-to: peers, {learn}}}"),
            ANY,
        ),
        file(
            "account",
            &format!("{{kind: first-seen, fields: [network], new-to: account, {learn}}}"),
            ANY,
        ),
        file(
            "rare",
            &format!("{{kind: rare, field: action, surprise: 2, {learn}}}"),
            ANY,
        ),
        file(
            "rate",
            &format!("{{kind: rate, measure: calls, surprise: 1, at-least: 3, {learn}}}"),
            ANY,
        ),
        file(
            "denied",
            &format!("{{kind: rate, measure: denied, surprise: 1, at-least: 2, {learn}}}"),
            ANY,
        ),
    ])
}

/// What fired: baseline, who, and the values or the hour.
type Said = BTreeSet<(String, String, Vec<String>)>;

fn values(baseline: &str, subject: &Subject, call: &Call) -> Vec<String> {
    let of = |wanted: &[super::Field]| {
        let found = subject
            .values
            .iter()
            .filter(|(field, _)| wanted.contains(field));
        found.map(|(_, value)| value.clone()).collect()
    };
    match baseline {
        "own.baseline" | "account.baseline" => of(&[super::Field::Network]),
        "two.baseline" => of(&[super::Field::Network, super::Field::Action]),
        "peers.baseline" | "rare.baseline" => of(&[super::Field::Action]),
        _ => vec![(call.at / HOUR).to_string()],
    }
}

fn run(
    dice: &mut Dice,
    baselines: &Baselines,
    calls: &[Call],
    order: &[usize],
    repeats: bool,
) -> Said {
    let mut states: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut said = Said::new();
    let mut ids = BTreeSet::new();
    for n in order {
        let (record, at, subject): (Record, Timestamp, Subject) = calls[*n].record(*n);
        for _ in 0..1 + i64::from(repeats) * dice.below(2) {
            let keys = subject.keys();
            // As a restart would: written and read again.
            let read = |key: &Vec<String>| states.get(key).cloned();
            let given = States {
                entity: read(&keys[0]).map(|text| serde_json::from_str(&text).unwrap()),
                peers: keys[1..]
                    .iter()
                    .map(|key| read(key).map(|text| serde_json::from_str(&text).unwrap()))
                    .collect(),
            };
            let before = given.clone();
            let step = baselines.step(given, &record, at, &subject);
            if !step.changed[0] {
                assert_eq!(before.entity, step.states.entity);
            }
            states.insert(
                keys[0].clone(),
                serde_json::to_string(&step.states.entity).unwrap(),
            );
            for (i, key) in keys[1..].iter().enumerate() {
                if step.changed[1 + i] {
                    states.insert(
                        key.clone(),
                        serde_json::to_string(&step.states.peers[i]).unwrap(),
                    );
                }
            }
            for fired in step.fired {
                assert!(ids.insert(fired.finding.clone()), "each once");
                said.insert((
                    fired.baseline.clone(),
                    subject.entity.clone(),
                    values(&fired.baseline, &subject, &calls[*n]),
                ));
            }
        }
    }
    said
}

/// A record of the plain model.
struct Plain {
    at: i64,
    subject: Subject,
    call: Call,
}

/// The plain model: it sees all records at once and has no states.
fn reference(calls: &[Call], least: u64) -> Said {
    let plain = |(n, call): (usize, &Call)| Plain {
        at: call.at,
        subject: call.record(n).2,
        call: call.clone(),
    };
    let all: Vec<Plain> = calls.iter().enumerate().map(plain).collect();
    let mut said = Said::new();
    for r in &all {
        for (baseline, fields, level) in [
            ("own.baseline", vec![super::Field::Network], 0),
            (
                "two.baseline",
                vec![super::Field::Network, super::Field::Action],
                0,
            ),
            ("peers.baseline", vec![super::Field::Action], 1),
            ("account.baseline", vec![super::Field::Network], usize::MAX),
        ] {
            let new = fields.iter().all(|field| {
                let top = r.subject.peers.len();
                let Some(level) =
                    (level.min(top)..=top).find(|l| speaks(&all, r, *l, *field, least))
                else {
                    return false;
                };
                first(&all, r, 0, *field) >= r.at - LATENESS_MILLIS
                    && first(&all, r, level, *field) >= r.at - LATENESS_MILLIS
            });
            if new {
                said.insert((
                    baseline.to_owned(),
                    r.subject.entity.clone(),
                    values(baseline, &r.subject, &r.call),
                ));
            }
        }
    }
    said
}

fn members<'a>(all: &'a [Plain], r: &'a Plain, level: usize) -> impl Iterator<Item = &'a Plain> {
    all.iter().filter(move |other| match level {
        0 => other.subject.entity == r.subject.entity,
        _ => other.subject.peers.contains(&r.subject.peers[level - 1]),
    })
}

fn value_of(plain: &Plain, field: super::Field) -> Option<&String> {
    plain
        .subject
        .values
        .iter()
        .find(|(of, _)| *of == field)
        .map(|(_, value)| value)
}

fn first(all: &[Plain], r: &Plain, level: usize, field: super::Field) -> i64 {
    members(all, r, level)
        .filter(|o| value_of(o, field) == value_of(r, field))
        .map(|o| o.at)
        .min()
        .unwrap()
}

fn speaks(all: &[Plain], r: &Plain, level: usize, field: super::Field, least: u64) -> bool {
    let settled = r.at - LATENESS_MILLIS;
    if members(all, r, level).map(|o| o.at).min().unwrap() > settled - DAY {
        return false;
    }
    if level == 0 {
        let calls = members(all, r, 0)
            .filter(|o| o.at / HOUR < settled / HOUR)
            .count();
        return calls as u64 >= least;
    }
    let sightings: BTreeSet<(&str, Option<&String>, i64)> = members(all, r, level)
        .filter(|o| o.at / DAY < settled / DAY)
        .map(|o| (o.subject.entity.as_str(), value_of(o, field), o.at / DAY))
        .collect();
    sightings.len() as u64 >= PEERS_SIGHTINGS_MIN
}

fn cases() -> u64 {
    let wanted = std::env::var_os("QUELL_BASELINE_CASES");
    wanted.map_or(CASES, |n| n.to_str().unwrap().parse().unwrap())
}

#[test]
fn what_is_new_is_what_the_plain_model_says_in_every_order() {
    let (mut fired, mut levels) = (0, BTreeSet::new());
    for case in 0..cases() {
        let dice = &mut Dice(case);
        let calls = dice.story();
        assert!(calls.last().unwrap().at < BEGIN + 60 * DAY);
        let order = dice.arrivals(&calls);
        // Repetition adds to how many calls are known; that one is enough makes it not matter.
        let (least, repeats) = if case % 2 == 0 { (1, true) } else { (5, false) };
        let mut said = run(dice, &rules(least), &calls, &order, repeats);
        said.retain(|(baseline, ..)| {
            !["rare.baseline", "rate.baseline", "denied.baseline"].contains(&baseline.as_str())
        });
        let expected = reference(&calls, least);
        assert_eq!(said, expected, "case {case}");
        fired += u64::from(!said.is_empty());
        levels.extend(said.into_iter().map(|(baseline, ..)| baseline));
    }
    assert!(
        fired * 10 > cases() * 9 && levels.len() == 4,
        "{fired} {levels:?}"
    );
}

#[test]
fn what_is_rare_or_too_much_is_the_same_in_every_order() {
    let mut kinds = BTreeMap::new();
    for case in 0..cases() {
        let dice = &mut Dice(case);
        let calls = dice.story();
        let rules = rules(3);
        let in_order: Vec<usize> = (0..calls.len()).collect();
        let expected = run(dice, &rules, &calls, &in_order, false);
        let order = dice.arrivals(&calls);
        assert_eq!(
            run(dice, &rules, &calls, &order, false),
            expected,
            "case {case}"
        );
        for (baseline, ..) in expected {
            *kinds.entry(baseline).or_insert(0) += 1;
        }
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}
