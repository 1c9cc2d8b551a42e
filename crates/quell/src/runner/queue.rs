//! Who gets the next place: one run of each account in turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use quell_model::RunId;

/// Runs that wait for a place, in the order they came within their account.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: BTreeMap<String, VecDeque<RunId>>,
    queued: BTreeSet<RunId>,
    /// The account that had its turn last.
    last: String,
}

impl Queue {
    /// Adds a run, unless it waits already.
    pub(super) fn push(&mut self, account: &str, run: RunId) {
        if self.queued.insert(run.clone()) {
            match self.lines.get_mut(account) {
                Some(line) => line.push_back(run),
                None => drop(self.lines.insert(account.to_owned(), VecDeque::from([run]))),
            }
        }
    }

    /// The first run of the account after the one that had its turn last.
    pub(super) fn pop(&mut self) -> Option<RunId> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = (Excluded(self.last.as_str()), Unbounded);
        let next = self.lines.range::<str, _>(after).next();
        let account = next.or_else(|| self.lines.first_key_value())?.0.clone();
        let line = self.lines.get_mut(&account)?;
        let run = line.pop_front()?;
        if line.is_empty() {
            self.lines.remove(&account);
        }
        self.queued.remove(&run);
        self.last = account;
        Some(run)
    }

    pub(super) fn len(&self) -> usize {
        self.queued.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> RunId {
        format!("run-{name}").parse().unwrap()
    }

    #[test]
    fn accounts_take_turns_whatever_a_storm_in_one_of_them_brings() {
        let mut queue = Queue::default();
        for n in 0..1_000 {
            queue.push("storm", run(&format!("s{n}")));
        }
        queue.push("quiet", run("q1"));
        queue.push("quiet", run("q2"));
        queue.push("calm", run("c1"));
        queue.push("quiet", run("q1"));
        assert_eq!(queue.len(), 1_003);
        let first: Vec<_> = std::iter::from_fn(|| queue.pop()).take(6).collect();
        let want = ["c1", "q1", "s0", "q2", "s1", "s2"].map(run);
        assert_eq!(first, want);
        assert_eq!(std::iter::from_fn(|| queue.pop()).count(), 997);
    }
}
