//! What a Parallel or Map state knows of its branches or iterations.

use crate::limits;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;

/// The children of one visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Family {
    /// Iterations not begun yet, in order.
    waiting: VecDeque<Item>,
    /// The end of each child that has been begun, by index.
    ends: Vec<Option<End>>,
    running: usize,
    failed: usize,
    /// Children that may run at once.
    concurrency: usize,
    /// Bytes of the results kept.
    gathered: usize,
    /// The run of a distributed Map.
    pub(crate) map_run: Option<MapRun>,
}

/// One element of what a Map goes through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) value: Value,
    /// The name of an object's member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum End {
    Succeeded(Value),
    Failed,
}

/// The run of a distributed Map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MapRun {
    pub(crate) arn: String,
    /// Children that may fail, and the share of them in percent.
    pub(crate) tolerated_count: Option<u64>,
    pub(crate) tolerated_percentage: Option<f64>,
    /// What each ended child is told in the result files, when those are written.
    pub(crate) records: Vec<Record>,
}

/// One line of a result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) succeeded: bool,
    pub(crate) fields: Value,
}

impl Family {
    /// Children still to be begun, so many at a time.
    pub(crate) fn of(waiting: Vec<Item>, concurrency: usize) -> Family {
        Family {
            waiting: waiting.into(),
            ends: Vec::new(),
            running: 0,
            failed: 0,
            concurrency,
            gathered: 0,
            map_run: None,
        }
    }

    /// Has the items now that were read.
    pub(crate) fn await_items(&mut self, items: Vec<Item>) {
        self.waiting = items.into();
    }

    /// Keeps what the result files will say of a child.
    pub(crate) fn record(&mut self, record: Record) {
        self.gathered = self
            .gathered
            .saturating_add(record.fields.to_string().len());
        if self.gathered <= limits::RESULTS_BYTES_MAX
            && let Some(map_run) = &mut self.map_run
        {
            map_run.records.push(record);
        }
    }

    /// Takes up the next child, if one may begin now: its index and item. `live`
    /// is the number of threads the whole execution has.
    pub(crate) fn begin(&mut self, live: usize) -> Option<(usize, Item)> {
        // Failed children keep their threads for a redrive, but do nothing.
        let live = live.saturating_sub(self.failed);
        let room = limits::THREADS_MAX
            .saturating_sub(live)
            .max(usize::from(self.running == 0));
        if self.running >= self.concurrency || room == 0 {
            return None;
        }
        let item = self.waiting.pop_front()?;
        self.running += 1;
        self.ends.push(None);
        Some((self.ends.len() - 1, item))
    }

    /// Notes the end of a child.
    pub(crate) fn end(&mut self, index: usize, end: End) {
        self.running = self.running.saturating_sub(1);
        let mut end = end;
        if let End::Succeeded(value) = &mut end {
            self.gathered = self.gathered.saturating_add(value.to_string().len());
            // Too much to be the state's result in any case: not worth keeping.
            if self.gathered > limits::RESULTS_BYTES_MAX {
                *value = Value::Null;
            }
        }
        if end == End::Failed {
            self.failed += 1;
        }
        if let Some(slot) = self.ends.get_mut(index) {
            *slot = Some(end);
        }
    }

    /// Counts a child as running again.
    pub(crate) fn reopen(&mut self, index: usize) {
        if let Some(slot) = self.ends.get_mut(index) {
            if *slot == Some(End::Failed) {
                self.failed = self.failed.saturating_sub(1);
            }
            *slot = None;
            self.running += 1;
        }
    }

    /// Forgets that children run: all were stopped.
    pub(crate) fn stop(&mut self) {
        self.running = 0;
    }

    /// Whether every child has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.running == 0
    }

    /// Children in all.
    fn size(&self) -> usize {
        self.ends.len() + self.waiting.len()
    }

    /// Whether the results are more than any state may hand on.
    pub(crate) fn overflowed(&self) -> bool {
        self.gathered > limits::RESULTS_BYTES_MAX
    }

    /// The results of the children that ended well, in the order of the children.
    pub(crate) fn results(&self) -> Vec<Value> {
        self.ends
            .iter()
            .filter_map(|end| match end {
                Some(End::Succeeded(value)) => Some(value.clone()),
                Some(End::Failed) | None => None,
            })
            .collect()
    }

    /// Whether more children failed than the run tolerates.
    pub(crate) fn beyond_tolerance(&self) -> bool {
        !self.tolerates(self.failed)
    }

    /// Whether so many children may fail.
    pub(crate) fn tolerates(&self, failed: usize) -> bool {
        let Some(run) = &self.map_run else {
            return failed == 0;
        };
        let share = 100.0 * failed as f64 / self.size().max(1) as f64;
        match (run.tolerated_count, run.tolerated_percentage) {
            (None, None) => failed == 0,
            (count, percentage) => {
                count.is_none_or(|count| failed as u64 <= count)
                    && percentage.is_none_or(|percentage| share <= percentage)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn family(size: usize, concurrency: usize) -> Family {
        let item = |n| Item {
            value: json!(n),
            key: None,
        };
        Family::of((0..size).map(item).collect(), concurrency)
    }

    #[test]
    fn no_more_than_allowed_run_at_once() {
        let mut family = family(3, 2);
        assert_eq!(family.begin(1).map(|(n, _)| n), Some(0));
        assert_eq!(family.begin(2).map(|(n, _)| n), Some(1));
        assert_eq!(family.begin(3), None);
        family.end(1, End::Succeeded(json!("b")));
        assert_eq!(family.begin(2).map(|(n, _)| n), Some(2));
        family.end(2, End::Succeeded(json!("c")));
        assert!(!family.is_done());
        family.end(0, End::Succeeded(json!("a")));
        assert!(family.is_done());
        assert_eq!(family.results(), [json!("a"), json!("b"), json!("c")]);
    }

    #[test]
    fn a_full_execution_begins_one_child_at_a_time() {
        let mut family = family(2, 10);
        assert!(family.begin(limits::THREADS_MAX).is_some());
        assert!(family.begin(limits::THREADS_MAX).is_none());
    }

    #[test]
    fn either_tolerance_ends_the_run() {
        let mut family = family(4, 4);
        let run = |tolerated_count, tolerated_percentage| {
            Some(MapRun {
                arn: String::new(),
                tolerated_count,
                tolerated_percentage,
                records: Vec::new(),
            })
        };
        while let Some((index, _)) = family.begin(0) {
            family.end(
                index,
                if index < 2 {
                    End::Failed
                } else {
                    End::Succeeded(json!(1))
                },
            );
        }
        for (count, percentage, beyond) in [
            (None, None, true),
            (Some(2), None, false),
            (Some(1), None, true),
            (None, Some(50.0), false),
            (None, Some(49.9), true),
            (Some(2), Some(10.0), true),
        ] {
            family.map_run = run(count, percentage);
            assert_eq!(
                family.beyond_tolerance(),
                beyond,
                "{count:?} {percentage:?}"
            );
        }
    }
}
