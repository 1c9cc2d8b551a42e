//! How many wildcard prefixes one field value can keep alive at once: EventBridge's measure of "too complex".
//!
//! The wildcards that are tried on the same field at the same moment form one machine that reads the value, quotes
//! included, byte by byte. Its nodes are the prefixes of the wildcards. Reading "abb", `a*b*b` has four prefixes alive:
//! `a*`, `a*b`, `a*b*` and `a*b*b`. The complexity is the most that any value keeps alive.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Fault;
use crate::limits::COMPLEXITY_MAX;
use crate::matcher::Matcher;
use crate::pattern::{Branch, Condition};
use crate::wildcard::Wildcard;

/// How many sets of living prefixes are looked at before a machine counts as too complex. Few wildcards with few
/// prefixes alive have few sets: about their length times the orders in which their stars can be reached.
const SETS_MAX: usize = 100_000;

/// Refuses branches with a field whose wildcards are too complex together.
pub(super) fn check(branches: &[Branch]) -> Result<(), Fault> {
    match most(branches) {
        Some((_, complexity)) if complexity > COMPLEXITY_MAX => Err(Fault::TooComplex),
        _ => Ok(()),
    }
}

/// The field whose wildcards are the most complex, with the measure of them; past the limit, the first.
pub(crate) fn most(branches: &[Branch]) -> Option<(&str, usize)> {
    let any_wildcard =
        |condition: &Condition| condition.matchers.iter().any(|m| !m.wildcards().is_empty());
    if !branches.iter().flatten().any(any_wildcard) {
        return None;
    }
    let mut most = None;
    // Branches that agree up to a field read that field in the same machine.
    let mut pending: Vec<(Vec<&Branch>, usize)> = vec![(branches.iter().collect(), 0)];
    while let Some((together, depth)) = pending.pop() {
        for fields in group(&together, depth, |a, b| a.path == b.path) {
            let lists = || fields.iter().filter_map(|branch| branch.get(depth));
            let path = lists().next().map_or("", |condition| &*condition.path);
            let mut machine = Machine::default();
            lists().for_each(|condition| {
                condition
                    .matchers
                    .iter()
                    .for_each(|matcher| machine.add(matcher))
            });
            let measured = (path, machine.complexity());
            if measured.1 > COMPLEXITY_MAX {
                return Some(measured);
            }
            most = most
                .filter(|(_, known)| *known >= measured.1)
                .or(Some(measured));
            let agreeing = group(&fields, depth, |a, b| a.matchers == b.matchers);
            pending.extend(agreeing.into_iter().map(|branches| (branches, depth + 1)));
        }
    }
    most
}

/// The branches that reach `depth`, those with the `same` condition there together.
fn group<'b>(
    branches: &[&'b Branch],
    depth: usize,
    same: fn(&Condition, &Condition) -> bool,
) -> Vec<Vec<&'b Branch>> {
    let mut groups: Vec<(&Condition, Vec<&Branch>)> = Vec::new();
    for branch in branches {
        let Some(condition) = branch.get(depth) else {
            continue;
        };
        match groups.iter_mut().find(|(first, _)| same(first, condition)) {
            Some((_, members)) => members.push(branch),
            None => groups.push((condition, vec![branch])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// The prefixes of wildcards. Node 0 stands for all the empty ones.
#[derive(Debug, Default)]
struct Machine {
    nodes: Vec<Node>,
    matchers: Vec<Matcher>,
}

#[derive(Debug, Default, Clone)]
struct Node {
    /// The prefix ends in a star, which any byte keeps alive.
    star: bool,
    /// The prefixes one byte longer.
    next: Vec<(u8, usize)>,
    /// The prefix one star longer, alive as soon as this one is.
    then_star: Option<usize>,
}

impl Machine {
    /// Adds the wildcards of `matcher`, unless an equal one is there. Up to their first star, wildcards of one matcher
    /// share their prefixes.
    fn add(&mut self, matcher: &Matcher) {
        if matcher.wildcards().is_empty() || self.matchers.contains(matcher) {
            return;
        }
        self.matchers.push(matcher.clone());
        let mut shared = BTreeMap::new();
        matcher
            .wildcards()
            .iter()
            .for_each(|wildcard| self.add_wildcard(wildcard, &mut shared));
    }

    fn add_wildcard(
        &mut self,
        wildcard: &Wildcard,
        shared: &mut BTreeMap<(usize, Option<u8>), usize>,
    ) {
        let mut at = self.node(0);
        let mut stars = 0;
        let symbols = wildcard
            .pieces()
            .iter()
            .enumerate()
            .flat_map(|(piece, text)| {
                let star = (piece > 0).then_some(None);
                star.into_iter().chain(text.bytes().map(Some))
            });
        for symbol in std::iter::once(Some(b'"'))
            .chain(symbols)
            .chain([Some(b'"')])
        {
            let known = if stars == 0 {
                shared.get(&(at, symbol)).copied()
            } else {
                None
            };
            let next = known.unwrap_or_else(|| self.link(at, symbol));
            if stars == 0 {
                shared.insert((at, symbol), next);
            }
            stars += usize::from(symbol.is_none());
            at = next;
        }
    }

    /// A new node, `symbol` (a byte, or `None` for a star) after `at`.
    fn link(&mut self, at: usize, symbol: Option<u8>) -> usize {
        let next = self.node(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(next) {
            node.star = symbol.is_none();
        }
        if let Some(node) = self.nodes.get_mut(at) {
            match symbol {
                Some(byte) => node.next.push((byte, next)),
                None => node.then_star = Some(next),
            }
        }
        next
    }

    /// The node numbered `at`, made if it is the next.
    fn node(&mut self, at: usize) -> usize {
        if at == self.nodes.len() {
            self.nodes.push(Node::default());
        }
        at
    }

    /// The most prefixes any value keeps alive; no more than just above the limit.
    fn complexity(&self) -> usize {
        let mut most = 0;
        let mut seen = BTreeSet::new();
        let mut pending = vec![BTreeSet::from([0])];
        while let Some(alive) = pending.pop() {
            let steps = || {
                alive
                    .iter()
                    .filter_map(|at| self.nodes.get(*at))
                    .flat_map(|node| &node.next)
            };
            // `None` stands for all bytes that continue nothing.
            let bytes: BTreeSet<Option<u8>> =
                steps().map(|(byte, _)| Some(*byte)).chain([None]).collect();
            for byte in bytes {
                let stars = alive
                    .iter()
                    .copied()
                    .filter(|at| self.nodes.get(*at).is_some_and(|node| node.star));
                let longer = steps()
                    .filter(|(next, _)| Some(*next) == byte)
                    .map(|(_, next)| *next);
                let reached: BTreeSet<usize> = stars.chain(longer).collect();
                let then_stars = reached
                    .iter()
                    .filter_map(|at| self.nodes.get(*at)?.then_star);
                let next: BTreeSet<usize> = reached.iter().copied().chain(then_stars).collect();
                most = most.max(next.len());
                if most > COMPLEXITY_MAX || seen.len() > SETS_MAX {
                    return COMPLEXITY_MAX + 1;
                }
                if !next.is_empty() && seen.insert(next.clone()) {
                    pending.push(next);
                }
            }
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    fn complexity(wildcards: &[&str]) -> usize {
        let mut machine = Machine::default();
        for wildcard in wildcards {
            machine.add(&Matcher::Wildcard(Wildcard::parse(wildcard).unwrap()));
        }
        machine.complexity()
    }

    #[test]
    fn counts_the_prefixes_alive() {
        for (wildcards, expected) in [
            (&["abc"][..], 1),
            (&["*ab"], 2),
            (&["a*bc"], 2),
            (&["a*bbb"], 4),
            (&["*ab*ad"], 4),
            (&["*aba*"], 4),
            (&["a*b*bb"], 5),
            (&["a*b*b"], 4),
            (&["ab*c", "x*xx"], 3),
            (&["*abc", "*abcde"], 4),
            (&["a*bcd", "ab*cd"], 4),
            (&["a*aaa", "aa*aa"], 7),
            (&["ab*cd", "ab*wx", "ab*yz"], 6),
            (&["*ab*b*b*"], 7),
            (&["ab*c", "ab*c"], 2),
        ] {
            assert_eq!(complexity(wildcards), expected, "{wildcards:?}");
        }
    }

    #[test]
    fn refuses_what_aws_was_seen_to_refuse_and_nothing_it_was_seen_to_accept() {
        let names = ["Auth", "Data", "Shared", "Monitoring"];
        let stacks: Vec<String> = names.map(|name| format!("*:stack/{name}/*")).into();
        let stacks: Vec<&str> = stacks.iter().map(String::as_str).collect();
        assert!(complexity(stacks.get(..3).unwrap()) <= COMPLEXITY_MAX);
        assert!(complexity(&stacks) > COMPLEXITY_MAX);
        assert!(complexity(&["*.bif", "*.tiff", "*.tif", "*.svs"]) <= COMPLEXITY_MAX);
        let files = [
            "*/datasync/*.bif",
            "*/datasync/*.tif",
            "*/datasync/*.tiff",
            "*/datasync/*.svs",
        ];
        assert!(complexity(files.get(..2).unwrap()) <= COMPLEXITY_MAX);
        assert!(complexity(&files) > COMPLEXITY_MAX);
        assert!(complexity(&["/Users/*/dir/dir/dir/dir/dir/doc.txt"]) <= COMPLEXITY_MAX);
    }

    #[test]
    fn wildcards_count_together_only_where_they_are_tried_together() {
        let wildcards = [
            r#"{"wildcard": "*aaaa"}"#,
            r#"{"wildcard": "*aaab"}"#,
            r#"{"wildcard": "*aaac"}"#,
        ];
        let refused = |text: String| {
            Pattern::parse(&text)
                .err()
                .map(|error| error.fault().clone())
        };
        assert_eq!(
            refused(format!(r#"{{"a": [{}]}}"#, wildcards.join(","))),
            Some(Fault::TooComplex)
        );
        let or = wildcards
            .map(|wildcard| format!(r#"{{"a": [{wildcard}]}}"#))
            .join(",");
        assert_eq!(
            refused(format!(r#"{{"$or": [{or}]}}"#)),
            Some(Fault::TooComplex)
        );
        let [a, b, c] = wildcards;
        assert_eq!(
            refused(format!(r#"{{"a": [{a}], "b": [{b}], "c": [{c}]}}"#)),
            None
        );
    }

    #[test]
    fn a_hostile_wildcard_is_judged_quickly() {
        assert!(complexity(&[&"ab*".repeat(100_000)]) > COMPLEXITY_MAX);
        assert!(complexity(&["a*b", &"abcdefghij".repeat(5_000)]) <= COMPLEXITY_MAX);
    }
}
