//! Map: the same states for every item of a list, inline or as executions of
//! their own.

mod batch;
mod distributed;
mod items;
mod label;
mod processor;
mod reader;
mod s3;
pub(crate) mod transfer;
mod writer;

use super::ending::{Ending, Events};
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::document::machine::Machine;
use crate::failure::Failure;
use crate::family::{End, Family, Item};
use crate::history::{HistoryEventType as Type, details};
use crate::limits;
use crate::resource::Resource;
use crate::run::{Birth, Child, Flow, Outcome, Run};
use crate::seen::{Amount, AmountKind, Bounds, Form};
use crate::thread::{Awaiting, Visit};
use distributed::Distributed;
pub(crate) use distributed::tolerance_exceeded;
use items::Source;
use processor::{read_processor, read_selector};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(crate) struct Map {
    processor: Machine,
    source: Source,
    /// What each iteration gets, instead of its item.
    selector: Option<Form>,
    concurrency: Option<Amount>,
    tolerated_count: Option<Amount>,
    tolerated_percentage: Option<Amount>,
    distributed: Option<Box<Distributed>>,
    ending: Ending,
}

const CONCURRENCY: Bounds = Bounds {
    least: 0.0,
    most: f64::MAX,
    fault: "MaxConcurrency cannot be negative.",
};
const TOLERATED_COUNT: Bounds = Bounds {
    least: 0.0,
    most: f64::MAX,
    fault: "ToleratedFailureCount cannot be negative.",
};
const TOLERATED_PERCENTAGE: Bounds = Bounds {
    least: 0.0,
    most: 100.0,
    fault: "ToleratedFailurePercentage must be between 0 and 100.",
};

impl Map {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Map> {
        let events = Events {
            failed: Some(Type::MapStateFailed),
            exited: Type::MapStateExited,
        };
        let mut amount = |names, kind, bounds| Amount::read(fields, names, kind, bounds, faults);
        let concurrency = amount(
            ("MaxConcurrency", "MaxConcurrencyPath"),
            AmountKind::Integer,
            CONCURRENCY,
        );
        let tolerated_count = amount(
            ("ToleratedFailureCount", "ToleratedFailureCountPath"),
            AmountKind::Integer,
            TOLERATED_COUNT,
        );
        let tolerated_percentage = amount(
            (
                "ToleratedFailurePercentage",
                "ToleratedFailurePercentagePath",
            ),
            AmountKind::Float,
            TOLERATED_PERCENTAGE,
        );
        let source = Source::read(fields, faults);
        let selector = read_selector(fields, faults);
        let ending = Ending::read(fields, false, events, faults);
        let (processor, distributed) = read_processor(fields, faults)?;
        Some(Map {
            processor,
            source,
            selector,
            concurrency,
            tolerated_count,
            tolerated_percentage,
            distributed,
            ending,
        })
    }

    /// The states that every item goes through.
    pub(super) fn processor(&self) -> &Machine {
        &self.processor
    }

    /// How it ends.
    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// What it calls itself, besides the tasks of its iterations.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.distributed
            .iter()
            .flat_map(|distributed| distributed.resources())
    }

    /// Reads the items and begins the first iterations.
    pub(super) fn attempt(&self, run: &mut Run<'_>, visit: Visit) -> Flow {
        match self.prepare(run, &visit) {
            Ok((items, family)) => match &self.distributed {
                Some(distributed) => distributed.begin(self, run, visit, items, family),
                None => self.go_on(run, visit, Box::new(family)),
            },
            Err(failure) => self.ending.fail(run, visit, failure, Awaiting::Redrive),
        }
    }

    /// Evaluates what the state says of its items, as far as that needs no
    /// object: the items of a distributed Map, and the family of an inline one.
    fn prepare(&self, run: &mut Run<'_>, visit: &Visit) -> Result<(Vec<Item>, Family), Failure> {
        let items = match self.distributed.as_ref().and_then(|d| d.reader()) {
            Some(_) => Vec::new(),
            None => self.source.items(run, visit, self)?,
        };
        let asked = self.amount(run, visit, self.concurrency.as_ref())?;
        let most = match self.distributed {
            Some(_) => limits::THREADS_MAX,
            None => limits::INLINE_CONCURRENCY_MAX,
        };
        let concurrency = match asked {
            None | Some(0) => most,
            Some(asked) => usize::try_from(asked).unwrap_or(most).min(most),
        };
        run.note(
            Type::MapStateStarted,
            details(
                "mapStateStartedEventDetails",
                json!({ "length": items.len() }),
            ),
        );
        let count = self.amount(run, visit, self.tolerated_count.as_ref())?;
        let percentage = match &self.tolerated_percentage {
            Some(amount) => Some(run.seeing(visit, self.ending.shape(), None, |seen| {
                amount.evaluate(seen)
            })?),
            None => None,
        };
        if self.distributed.is_none() {
            return Ok((Vec::new(), Family::of(items, concurrency)));
        }
        let mut family = Family::of(Vec::new(), concurrency);
        family.map_run = Some(distributed::map_run(count, percentage));
        Ok((items, family))
    }

    fn amount(
        &self,
        run: &Run<'_>,
        visit: &Visit,
        amount: Option<&Amount>,
    ) -> Result<Option<u64>, Failure> {
        match amount {
            Some(amount) => run
                .seeing(visit, self.ending.shape(), None, |seen| amount.count(seen))
                .map(Some),
            None => Ok(None),
        }
    }

    /// Begins as many iterations as may run now; ends the state after the last.
    fn go_on(&self, run: &mut Run<'_>, visit: Visit, mut family: Box<Family>) -> Flow {
        while let Some((index, item)) = family.begin(run.live()) {
            if let Err(failure) = self.spawn(run, &visit, index, item, &family) {
                return self.break_off(run, visit, failure);
            }
        }
        if !family.is_done() {
            return run.pause(visit, Awaiting::Children(family));
        }
        match &self.distributed {
            Some(distributed) => distributed.complete(self, run, visit, family),
            None => {
                run.note_aside(Type::MapStateSucceeded, serde_json::Map::new());
                self.succeed(run, visit, Value::Array(family.results()))
            }
        }
    }

    fn succeed(&self, run: &mut Run<'_>, visit: Visit, result: Value) -> Flow {
        match run.within_limit(&result, &visit.state) {
            Ok(()) => self.ending.succeed(run, visit, result),
            Err(failure) => self.ending.fail(run, visit, failure, Awaiting::Redrive),
        }
    }

    /// Begins one iteration.
    fn spawn(
        &self,
        run: &mut Run<'_>,
        visit: &Visit,
        index: usize,
        item: Item,
        family: &Family,
    ) -> Result<(), Failure> {
        let shown = shown(index, &item);
        let input = match self.distributed.as_ref().and_then(|d| d.batcher()) {
            // The items of a batch were selected when it was filled.
            Some(_) => item.value,
            None => self.selected(run, visit, &shown, item)?,
        };
        run.within_limit(&input, &visit.state)?;
        let birth = Birth {
            index,
            start_at: &self.processor.start_at,
            input,
            item: Some(shown),
            last_event: 0,
            journal: None,
        };
        match (&self.distributed, &family.map_run) {
            (Some(distributed), Some(map_run)) => distributed.spawn(run, birth, map_run),
            _ => {
                let state = &visit.state;
                let last_event = run.note_iteration(Type::MapIterationStarted, state, index);
                run.spawn(Birth {
                    last_event,
                    ..birth
                });
            }
        }
        Ok(())
    }

    /// What one iteration gets of its item.
    fn selected(
        &self,
        run: &Run<'_>,
        visit: &Visit,
        shown: &Value,
        item: Item,
    ) -> Result<Value, Failure> {
        let field = "ItemSelector";
        match (&self.selector, item.key) {
            (Some(selector), _) => run.seeing(visit, self.ending.shape(), Some(shown), |seen| {
                selector.evaluate(field, seen)
            }),
            (None, Some(key)) => Ok(json!({ "Key": key, "Value": item.value })),
            (None, None) => Ok(item.value),
        }
    }

    /// An iteration ended.
    pub(crate) fn child_ended(
        &self,
        run: &mut Run<'_>,
        visit: Visit,
        mut family: Box<Family>,
        child: &Child,
        outcome: Outcome,
    ) -> Flow {
        if let Some(distributed) = &self.distributed {
            return distributed.child_ended(self, run, visit, family, child, outcome);
        }
        run.follow(child.last_event);
        match outcome {
            Ok(output) => {
                let ended =
                    run.note_iteration(Type::MapIterationSucceeded, &visit.state, child.index);
                family.end(child.index, End::Succeeded(output));
                if family.is_done() {
                    run.follow(ended);
                }
                self.go_on(run, visit, family)
            }
            Err((error, cause)) => {
                run.note_iteration(Type::MapIterationFailed, &visit.state, child.index);
                run.abort_children(&visit.state, child, true);
                family.stop();
                let failure = Failure::passed_on(error, cause);
                self.ending
                    .fail(run, visit, failure, Awaiting::Children(family))
            }
        }
    }

    /// The object that a distributed Map read or wrote is there, or is not.
    pub(crate) fn object_moved(
        &self,
        run: &mut Run<'_>,
        visit: Visit,
        transfer: transfer::Transfer,
        outcome: Result<Value, (String, String)>,
    ) -> Flow {
        match &self.distributed {
            Some(distributed) => distributed.object_moved(self, run, visit, transfer, outcome),
            None => {
                let failure = run.mismatch(&visit.state);
                self.ending.fail(run, visit, failure, Awaiting::Redrive)
            }
        }
    }

    /// An iteration could not begin: the others are of no use.
    fn break_off(&self, run: &mut Run<'_>, visit: Visit, failure: Failure) -> Flow {
        run.stop_children(&visit.state, self.distributed.is_none());
        run.disown();
        match &self.distributed {
            Some(distributed) => {
                distributed.run_failed(self, run, visit, failure, Awaiting::Redrive)
            }
            None => self.ending.fail(run, visit, failure, Awaiting::Redrive),
        }
    }
}

/// An item as `$states.context.Map.Item` shows it.
fn shown(index: usize, item: &Item) -> Value {
    let mut shown = json!({ "Index": index, "Value": item.value });
    if let (Some(key), Value::Object(fields)) = (&item.key, &mut shown) {
        fields.insert("Key".to_owned(), Value::from(key.as_str()));
    }
    shown
}
