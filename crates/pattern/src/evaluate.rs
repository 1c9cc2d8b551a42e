//! Whether an event satisfies the conditions of one branch, with array consistency.
//!
//! Conditions are taken in order. Each takes a value of its field that one of its matchers accepts, or finds the field
//! absent if `{"exists": false}` allows that. Taking a value that lies inside an array chooses the element it lies in;
//! from then on only values of that element, or from outside the array, can be taken or be in the way of absence.
//!
//! The ways to satisfy the conditions so far differ only in the elements chosen, so the evaluator carries the set of
//! those choices from condition to condition, and forgets a choice as soon as no later field lies in its array. In a
//! well-formed event that leaves at most one choice for each value of the last field.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Choice, Event, Scalar};
use crate::limits::{CHOICES_MAX, STEPS_MAX};
use crate::matcher::Matcher;
use crate::pattern::Condition;

/// What an event has, to whoever asks for it by conditions.
pub(crate) trait Source {
    /// How a condition is named here.
    type Condition;

    /// The values `condition` may have.
    fn matchers<'s>(&'s self, condition: &'s Self::Condition) -> &'s [Matcher];

    /// Shows `each` value of the field of `condition`, with the array element it lies in.
    fn leaves(&self, condition: &Self::Condition, each: &mut dyn FnMut(Option<u32>, Scalar<'_>));

    /// The array elements that `element` is and lies in, outermost first.
    fn choices(&self, element: Option<u32>) -> Vec<Choice>;
}

impl Source for Event {
    type Condition = Condition;

    fn matchers<'s>(&'s self, condition: &'s Condition) -> &'s [Matcher] {
        &condition.matchers
    }

    fn leaves(&self, condition: &Condition, each: &mut dyn FnMut(Option<u32>, Scalar<'_>)) {
        for leaf in self.leaves(&condition.path) {
            each(leaf.element, leaf.value.scalar());
        }
    }

    fn choices(&self, element: Option<u32>) -> Vec<Choice> {
        self.choices(element)
    }
}

/// The elements chosen, at most one of each array, in the order of the arrays.
type Choices = Vec<Choice>;

/// What the event has for one condition: the element choices of its values, sorted and without repetition.
struct Candidates {
    accepted: Vec<Choices>,
    /// The values in the way of absence, when the condition allows that.
    present: Option<Vec<Choices>>,
}

/// Whether all `conditions` hold for `event`.
pub(crate) fn holds<S: Source>(conditions: &[S::Condition], event: &S) -> bool {
    let mut room = CHOICES_MAX;
    let gather = |condition| gather(condition, event, &mut room);
    let Some(candidates) = conditions.iter().map(gather).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let last_use = last_use(&candidates);
    let mut steps = 0;
    let mut ways = BTreeSet::from([Choices::new()]);
    for (at, candidates) in candidates.iter().enumerate() {
        let mut next = BTreeSet::new();
        let still_seen =
            |choice: &Choice| last_use.get(&choice.array).is_some_and(|last| *last > at);
        for way in &ways {
            for taken in consistent(&candidates.accepted, way) {
                next.insert(merge(way, taken, still_seen));
                steps += 1;
            }
            if candidates
                .present
                .as_ref()
                .is_some_and(|present| consistent(present, way).next().is_none())
            {
                next.insert(way.iter().copied().filter(still_seen).collect());
            }
            steps += 1;
            if steps > STEPS_MAX {
                return false;
            }
        }
        ways = next;
    }
    !ways.is_empty()
}

/// What the event has for `condition`; `None` when that is certainly not enough, or too much for the `room` left.
fn gather<S: Source>(condition: &S::Condition, event: &S, room: &mut usize) -> Option<Candidates> {
    let matchers = event.matchers(condition);
    let may_be_absent = matchers.contains(&Matcher::Absent);
    let (mut accepted, mut present) = (BTreeSet::new(), BTreeSet::new());
    event.leaves(condition, &mut |element, value| {
        if matchers.iter().any(|matcher| matcher.accepts(value)) {
            accepted.insert(element);
        }
        if may_be_absent {
            present.insert(element);
        }
    });
    if accepted.is_empty() && !may_be_absent {
        return None;
    }
    let mut choices = |elements| choices(event, elements, room);
    Some(Candidates {
        accepted: choices(accepted)?,
        present: if may_be_absent {
            Some(choices(present)?)
        } else {
            None
        },
    })
}

fn choices<S: Source>(
    event: &S,
    elements: BTreeSet<Option<u32>>,
    room: &mut usize,
) -> Option<Vec<Choices>> {
    let mut all = Vec::new();
    for element in elements {
        let choices = event.choices(element);
        *room = room.checked_sub(choices.len())?;
        all.push(choices);
    }
    all.sort_unstable();
    Some(all)
}

/// The last condition, by its number, with a value in each array.
fn last_use(candidates: &[Candidates]) -> BTreeMap<u32, usize> {
    let mut last_use = BTreeMap::new();
    for (at, candidates) in candidates.iter().enumerate() {
        let all = candidates
            .accepted
            .iter()
            .chain(candidates.present.iter().flatten())
            .flatten();
        last_use.extend(all.map(|choice| (choice.array, at)));
    }
    last_use
}

/// The members of `sorted` that choose no other element than `way` of any array.
///
/// Sorted choices form a tree: those that share their outer choices stand together. So whole runs are taken or left at
/// each depth: where `way` has chosen of an array, only the run of that element is looked at further; where it has
/// not, it cannot have chosen inside either, and the run is taken whole.
fn consistent<'c>(sorted: &'c [Choices], way: &[Choice]) -> impl Iterator<Item = &'c Choices> {
    let mut taken: Vec<&[Choices]> = Vec::new();
    let mut pending = vec![(sorted, 0)];
    while let Some((run, depth)) = pending.pop() {
        let ended = run.partition_point(|choices| choices.len() <= depth);
        let (ends, mut run) = run.split_at_checked(ended).unwrap_or_default();
        taken.push(ends);
        while let Some(array) = run
            .first()
            .and_then(|choices| choices.get(depth))
            .map(|choice| choice.array)
        {
            let (here, others) = split(run, |choices| {
                choices.get(depth).is_some_and(|c| c.array <= array)
            });
            run = others;
            let chosen = way
                .binary_search_by_key(&array, |choice| choice.array)
                .ok()
                .and_then(|at| way.get(at));
            let Some(chosen) = chosen else {
                taken.push(here);
                continue;
            };
            let (_, from) = split(here, |choices| {
                choices.get(depth).is_some_and(|c| c.index < chosen.index)
            });
            let (same, _) = split(from, |choices| {
                choices.get(depth).is_some_and(|c| c.index == chosen.index)
            });
            pending.push((same, depth + 1));
        }
    }
    taken.into_iter().flatten()
}

fn split(run: &[Choices], first_part: impl Fn(&Choices) -> bool) -> (&[Choices], &[Choices]) {
    run.split_at_checked(run.partition_point(first_part))
        .unwrap_or_default()
}

/// The choices of both, which agree, as far as they are `still_seen`.
fn merge(way: &[Choice], taken: &[Choice], still_seen: impl Fn(&Choice) -> bool) -> Choices {
    let mut all: Choices = way
        .iter()
        .chain(taken)
        .copied()
        .filter(still_seen)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Leaf;
    use crate::pattern::Pattern;

    fn matches(pattern: &str, event: &str) -> bool {
        Pattern::parse(pattern)
            .unwrap()
            .matches_json(event)
            .unwrap()
    }

    #[test]
    fn values_of_one_array_come_from_one_element() {
        let pattern = r#"{"d": {"name": ["alice"], "status": ["active"]}}"#;
        assert!(matches(
            pattern,
            r#"{"d": [{"name": "bob"}, {"name": "alice", "status": "active"}]}"#
        ));
        assert!(!matches(
            pattern,
            r#"{"d": [{"name": "alice"}, {"status": "active"}]}"#
        ));
        assert!(matches(
            pattern,
            r#"{"d": {"name": ["bob", "alice"], "status": ["active", "x"]}}"#
        ));
    }

    #[test]
    fn independent_arrays_do_not_bind_each_other() {
        let pattern = r#"{"a": {"x": [1], "y": [2]}, "b": {"x": [1]}}"#;
        assert!(matches(
            pattern,
            r#"{"a": [{"x": 1, "y": 2}], "b": [{"x": 0}, {"x": 1}]}"#
        ));
        let nested = r#"{"a": {"b": {"x": [1]}, "c": {"x": [1]}}}"#;
        assert!(matches(
            nested,
            r#"{"a": [{"b": [{"x": 1}], "c": [{"x": 0}, {"x": 1}]}]}"#
        ));
        assert!(!matches(
            nested,
            r#"{"a": [{"b": [{"x": 1}]}, {"c": [{"x": 1}]}]}"#
        ));
    }

    #[test]
    fn absence_is_judged_in_the_element_chosen_before() {
        let pattern = r#"{"d": {"a": [1], "b": [{"exists": false}]}}"#;
        assert!(matches(pattern, r#"{"d": [{"a": 1}, {"a": 2, "b": 3}]}"#));
        assert!(!matches(pattern, r#"{"d": [{"a": 1, "b": 3}, {"a": 2}]}"#));
        let before = r#"{"d": {"a": [{"exists": false}], "b": [1]}}"#;
        assert!(
            !matches(before, r#"{"d": [{"a": 1}, {"b": 1}]}"#),
            "nothing is chosen yet when a is judged"
        );
    }

    #[test]
    fn a_large_array_is_not_quadratic() {
        let elements: Vec<String> = (0..30_000)
            .map(|n| format!(r#"{{"x":{n},"y":{n}}}"#))
            .collect();
        let event = format!(r#"{{"a": [{{"r": [{}]}}]}}"#, elements.join(","));
        let exists = r#"[{"exists": true}]"#;
        assert!(matches(
            &format!(r#"{{"a.r": {{"x": {exists}, "y": [29999]}}}}"#),
            &event
        ));
        assert!(!matches(
            &format!(r#"{{"a.r": {{"x": {exists}, "y": {exists}, "z": [1]}}}}"#),
            &event
        ));
        assert!(matches(
            &format!(r#"{{"a.r": {{"x": {exists}, "y": {exists}, "z": [{{"exists": false}}]}}}}"#),
            &event
        ));
    }

    #[test]
    fn an_event_of_many_values_deep_in_arrays_is_given_up() {
        let event = |elements: usize, depth: usize| {
            let inside = vec![r#"{"x":1}"#; elements].join(",");
            format!(
                r#"{{"a":{}{inside}{}}}"#,
                "[".repeat(depth),
                "]".repeat(depth)
            )
        };
        let pattern = r#"{"a.x": [1]}"#;
        assert!(matches(pattern, &event(10_000, 300)));
        assert!(
            !matches(pattern, &event(10_000, 900)),
            "it would match, past the limit"
        );
    }

    /// Six arrays of one name allow 300^6 choices; the last field leaves none of them.
    #[test]
    fn an_event_that_repeats_a_name_for_many_arrays_is_given_up() {
        let elements: Vec<String> = (0..300)
            .map(|n| format!(r#"{{"x":{n},"y":{n},"z":{n},"v":{n},"w":{n}}}"#))
            .collect();
        let array = format!(r#""a":[{}]"#, elements.join(","));
        let mut last = vec![array; 6];
        last.push(r#""a":[{"w":-1}]"#.to_owned());
        let fields = ["v", "x", "y", "z"]
            .map(|field| format!(r#""{field}": [{{"exists": true}}]"#))
            .join(",");
        let pattern = |w: &str| format!(r#"{{"a": {{"w": [{w}], {fields}}}}}"#);
        assert!(matches(
            &pattern("-1").replace(&fields, r#""v": [{"exists": true}]"#),
            &format!("{{{}}}", last.join(","))
        ));
        assert!(
            !matches(&pattern("-1"), &format!("{{{}}}", last.join(","))),
            "there is a way, past the limit"
        );
    }

    /// The definition, tried out in every way: exponential, and obviously right.
    fn slow(conditions: &[Condition], event: &Event, way: &[Choice]) -> bool {
        let Some((condition, rest)) = conditions.split_first() else {
            return true;
        };
        let agrees = |leaf: &&&Leaf| {
            let choices = event.choices(leaf.element);
            way.iter().all(|chosen| {
                choices
                    .iter()
                    .all(|c| c.array != chosen.array || c == chosen)
            })
        };
        let leaves = event.leaves(&condition.path);
        let consistent: Vec<&Leaf> = leaves.iter().filter(agrees).copied().collect();
        let take = |leaf: &&Leaf| slow(rest, event, &[way, &event.choices(leaf.element)].concat());
        let accepted = |leaf: &&&Leaf| {
            condition
                .matchers
                .iter()
                .any(|m| m.accepts(leaf.value.scalar()))
        };
        let absent = condition.matchers.contains(&Matcher::Absent) && consistent.is_empty();
        absent && slow(rest, event, way) || consistent.iter().filter(accepted).any(take)
    }

    fn json() -> impl Strategy<Value = String> {
        let key = || prop_oneof![Just("a"), Just("b"), Just("a.b")];
        let leaf = prop_oneof![Just("1".to_owned()), Just("2".to_owned())];
        leaf.prop_recursive(4, 24, 3, move |inner| {
            let members = prop::collection::vec((key(), inner.clone()), 0..3);
            prop_oneof![
                prop::collection::vec(inner, 0..3).prop_map(|all| format!("[{}]", all.join(","))),
                members.prop_map(|all| {
                    let members: Vec<String> =
                        all.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn agrees_with_trying_every_way(
            members in prop::collection::vec((prop_oneof![Just("a"), Just("b")], json()), 1..4),
            fields in prop::collection::btree_map(
                prop_oneof![Just("a"), Just("b"), Just("a.a"), Just("a.b"), Just("b.a"), Just("a.b.a"), Just("a.a.b")],
                prop_oneof![Just("1"), Just("2"), Just("{\"exists\":true}"), Just("{\"exists\":false}"), Just("1,{\"exists\":false}")],
                1..4,
            ),
        ) {
            let text: Vec<String> = members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
            let event = Event::parse(format!("{{{}}}", text.join(",")).as_bytes()).unwrap();
            let pattern: Vec<String> = fields.iter().map(|(k, v)| format!("\"{k}\":[{v}]")).collect();
            let branches = crate::compile::compile(&format!("{{{}}}", pattern.join(","))).unwrap().branches;
            prop_assert_eq!(holds(&branches[0], &event), slow(&branches[0], &event, &[]));
        }
    }
}
