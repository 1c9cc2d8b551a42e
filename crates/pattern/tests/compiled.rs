//! The compiled form of many patterns answers exactly as each pattern alone.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails so"
)]

#[path = "compiled/generate.rs"]
mod generate;

use std::collections::BTreeMap;

use generate::Random;
use quell_pattern::{Event, Pattern, Scratch, Set};

/// How many pairs of a pattern and an event are tried, unless `QUELL_PATTERN_CASES` says otherwise.
const CASES: usize = 20_000;

fn cases() -> usize {
    let wanted = std::env::var_os("QUELL_PATTERN_CASES");
    wanted.map_or(CASES, |n| n.to_str().unwrap().parse().unwrap())
}

/// What makes patterns, and what makes events for them.
type Makers = (fn(&mut Random) -> String, fn(&mut Random) -> String);

const MAKERS: [Makers; 3] = [
    (generate::pattern, generate::event),
    (generate::pattern_of_values, generate::event_of_values),
    (generate::pattern_of_arrays, generate::event_of_arrays),
];

/// A set and the same patterns in a list, changed together.
#[derive(Default)]
struct Pair {
    set: Set<u64>,
    plain: BTreeMap<u64, Vec<(String, Pattern)>>,
}

impl Pair {
    fn change(&mut self, random: &mut Random, pattern: fn(&mut Random) -> String) {
        let name = random.below(24);
        if random.one_in(4) {
            let removed = self
                .plain
                .remove(&name)
                .map_or(0, |patterns| patterns.len());
            assert_eq!(self.set.remove(&name), removed);
            return;
        }
        let text = pattern(random);
        let Ok(pattern) = Pattern::parse(&text) else {
            return;
        };
        self.set.add(name, pattern.clone());
        let patterns = self.plain.entry(name).or_default();
        if !patterns.iter().any(|(_, known)| *known == pattern) {
            patterns.push((text, pattern));
        }
    }

    /// Compares the forms on one event, all three if it is in order; gives how many patterns that were, and how many
    /// names matched.
    fn compare(&mut self, event: &str, in_order: bool, scratch: &mut Scratch) -> (usize, usize) {
        let snapshot = self.set.snapshot();
        let found = snapshot.matching(event.as_bytes(), scratch);
        let parsed = match Event::parse(event.as_bytes()) {
            Ok(parsed) => parsed,
            Err(error) => {
                assert_eq!(found.unwrap_err(), error, "{event}");
                return (1, 0);
            }
        };
        let found = found.unwrap();
        if in_order {
            let known = snapshot.matching_known(event, scratch).unwrap();
            assert_eq!(known, found, "{event}\n{:#?}", self.plain);
        }
        for (name, patterns) in &self.plain {
            let plain = patterns.iter().any(|(_, pattern)| pattern.matches(&parsed));
            let compiled = found.contains(&name);
            assert_eq!(
                compiled,
                plain,
                "{event}\n{:#?}",
                patterns.iter().map(|(text, _)| text).collect::<Vec<_>>()
            );
        }
        (self.plain.values().map(Vec::len).sum(), found.len())
    }
}

#[test]
fn plain_and_compiled_agree() {
    let (mut tried, mut matched, mut seed) = (0, 0, 0);
    let mut scratch = Scratch::new();
    while tried < cases() {
        seed += 1;
        let mut random = Random::new(seed);
        random.in_order = random.one_in(2);
        let mut pair = Pair::default();
        let (pattern, event) = MAKERS[usize::try_from(seed % 3).unwrap()];
        for _ in 0..1 + random.below(12) {
            for _ in 0..random.below(16) {
                pair.change(&mut random, pattern);
            }
            for _ in 0..random.below(4) {
                let event = event(&mut random);
                let (patterns, found) = pair.compare(&event, random.in_order, &mut scratch);
                tried += patterns;
                matched += found;
            }
        }
    }
    assert!(
        matched * 100 > tried,
        "{matched} of {tried} matched: too few to tell anything"
    );
    assert!(
        matched * 2 < tried,
        "{matched} of {tried} matched: too many to tell anything"
    );
}

/// Texts near to JSON: the compiled form refuses what the plain one refuses, with the same error.
#[test]
fn plain_and_compiled_refuse_the_same() {
    let mut set = Set::new();
    set.add(0, Pattern::parse(r#"{"a": [1], "b.a": ["x"]}"#).unwrap());
    let (snapshot, mut scratch) = (set.snapshot(), Scratch::new());
    let mut refused = 0;
    for seed in 0..u64::try_from(cases()).unwrap() {
        let mut random = Random::new(seed);
        let event = generate::mutated(&mut random);
        let plain = Event::parse(&event);
        let compiled = snapshot.matching(&event, &mut scratch);
        refused += usize::from(plain.is_err());
        let text = String::from_utf8_lossy(&event);
        let plain = plain.err();
        assert_eq!(compiled.err(), plain, "{text}");
        // What is needed of it may be right.
        let known = snapshot.matching_known(&text, &mut scratch).err();
        assert!(
            known.is_none() || known == Event::parse(text.as_bytes()).err(),
            "{text}"
        );
    }
    assert!(
        refused * 10 > cases() && refused * 10 < cases() * 9,
        "{refused}"
    );
}
