//! A Map whose iterations are executions of their own: the Map Run around them.

use super::Map;
use super::batch::Batcher;
use super::label::read_label;
use super::reader::{ItemReader, Progress};
use super::transfer::{Transfer, Work};
use super::writer::{self, ResultWriter};
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::effect::{Effect, TaskRequest};
use crate::failure::{
    EXCEED_TOLERATED_FAILURE_THRESHOLD, Failure, ITEM_READER_FAILED, RESULT_WRITER_FAILED,
};
use crate::family::{End, Family, Item, MapRun};
use crate::history::{HistoryEventType as Type, details, error_fields};
use crate::resource::Resource;
use crate::run::{Birth, Child, Flow, Outcome, Run};
use crate::thread::{Awaiting, Journal, Visit};
use serde_json::{Value, json};

/// The fields that only a distributed Map has.
#[derive(Clone, Debug)]
pub(crate) struct Distributed {
    label: Option<String>,
    reader: Option<ItemReader>,
    batcher: Option<Batcher>,
    writer: Option<ResultWriter>,
}

/// A run that has not begun.
pub(super) fn map_run(tolerated_count: Option<u64>, tolerated_percentage: Option<f64>) -> MapRun {
    MapRun {
        arn: String::new(),
        tolerated_count,
        tolerated_percentage,
        records: Vec::new(),
    }
}

/// The failure of a run in which too many iterations failed.
pub(crate) fn tolerance_exceeded() -> Failure {
    Failure::task(
        EXCEED_TOLERATED_FAILURE_THRESHOLD,
        Some("The specified tolerated failure threshold was exceeded".to_owned()),
    )
}

impl Distributed {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Distributed {
        Distributed {
            label: read_label(fields, faults),
            reader: fields
                .object("ItemReader", faults)
                .and_then(|reader| ItemReader::read(reader, faults)),
            batcher: fields
                .object("ItemBatcher", faults)
                .map(|batcher| Batcher::read(batcher, faults)),
            writer: fields
                .object("ResultWriter", faults)
                .map(|writer| ResultWriter::read(writer, faults)),
        }
    }

    /// Notes the fields that an inline Map must not have.
    pub(super) fn refuse_inline(fields: &Fields<'_>, faults: &mut Faults) {
        for name in ["ItemReader", "ItemBatcher", "ResultWriter", "Label"] {
            if fields.value(name).is_some() {
                faults.schema_help(
                    fields.at(name),
                    format!("The field '{name}' is not supported in the INLINE mode"),
                    "Write \"ProcessorConfig\": {\"Mode\": \"DISTRIBUTED\"} in the ItemProcessor.",
                );
            }
        }
    }

    pub(super) fn reader(&self) -> Option<&ItemReader> {
        self.reader.as_ref()
    }

    pub(super) fn batcher(&self) -> Option<&Batcher> {
        self.batcher.as_ref()
    }

    /// The calls it makes itself.
    pub(super) fn resources(&self) -> impl Iterator<Item = &Resource> {
        let reads = self.reader.iter().flat_map(ItemReader::resources);
        let writes = self.writer.iter().filter_map(ResultWriter::resource);
        reads.chain(writes)
    }

    /// Begins the Map Run: reads its items, or has them.
    pub(super) fn begin(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        items: Vec<Item>,
        mut family: Family,
    ) -> Flow {
        let arn = self.new_arn(run);
        run.note(
            Type::MapRunStarted,
            details("mapRunStartedEventDetails", json!({ "mapRunArn": arn })),
        );
        if let Some(map_run) = &mut family.map_run {
            map_run.arn = arn;
        }
        let family = Box::new(family);
        let Some(reader) = &self.reader else {
            return self.have_items(map, run, visit, items, family);
        };
        let progress = run.seeing(&visit, map.ending.shape(), None, |seen| reader.begin(seen));
        self.read_on(map, run, visit, family, progress)
    }

    /// `…:stateMachine:NAME` becomes `…:mapRun:NAME/LABEL:UUID`.
    fn new_arn(&self, run: &Run<'_>) -> String {
        let label = self.label.clone().unwrap_or_else(|| run.random().uuid());
        let machine = run.machine_id().replacen(":stateMachine:", ":mapRun:", 1);
        format!("{machine}/{label}:{}", run.random().uuid())
    }

    fn read_on(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        family: Box<Family>,
        progress: Result<Progress, Failure>,
    ) -> Flow {
        match progress {
            Ok(Progress::Items(items)) => self.have_items(map, run, visit, items, family),
            Ok(Progress::Ask(resource, arguments, reading)) => {
                let work = Work::Read(*reading);
                move_object(run, visit, family, (resource, arguments), work)
            }
            Err(failure) => self.run_failed(map, run, visit, failure, Awaiting::Redrive),
        }
    }

    fn have_items(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        items: Vec<Item>,
        mut family: Box<Family>,
    ) -> Flow {
        let items = match &self.batcher {
            Some(batcher) => batcher.batches(map, run, &visit, items),
            None => Ok(items),
        };
        match items {
            Ok(items) => {
                family.await_items(items);
                map.go_on(run, visit, family)
            }
            Err(failure) => self.run_failed(map, run, visit, failure, Awaiting::Redrive),
        }
    }

    /// Begins one iteration as an execution of its own.
    pub(super) fn spawn(&self, run: &mut Run<'_>, birth: Birth<'_>, map_run: &MapRun) {
        let name = run.random().uuid();
        let group = map_run.arn.replacen(":mapRun:", ":execution:", 1);
        let group = group
            .rsplit_once(':')
            .map_or(group.as_str(), |(group, _)| group);
        let journal = Journal {
            id: format!("{group}:{name}"),
            name,
            input: birth.input.clone(),
            started_at: Some(run.now().millis),
            ..Journal::default()
        };
        run.spawn(Birth {
            item: None,
            journal: Some(journal),
            ..birth
        });
    }

    pub(super) fn child_ended(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        mut family: Box<Family>,
        child: &Child,
        outcome: Outcome,
    ) -> Flow {
        if self.writer.is_some()
            && let Some(record) = writer::record(run, child, &outcome)
        {
            family.record(record);
        }
        match outcome {
            Ok(output) => {
                run.forget_journal(child.id);
                family.end(child.index, End::Succeeded(output));
            }
            Err(_) => family.end(child.index, End::Failed),
        }
        if !family.beyond_tolerance() {
            return map.go_on(run, visit, family);
        }
        run.stop_children(&visit.state, false);
        family.stop();
        self.run_failed(
            map,
            run,
            visit,
            tolerance_exceeded(),
            Awaiting::Children(family),
        )
    }

    /// Every iteration ended, well enough: writes the results, or hands them on.
    pub(super) fn complete(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        family: Box<Family>,
    ) -> Flow {
        run.disown();
        let Some(writer) = &self.writer else {
            let result = Value::Array(family.results());
            return self.run_succeeded(map, run, visit, result);
        };
        let files = run.seeing(&visit, map.ending.shape(), None, |seen| {
            writer.files(seen, &family)
        });
        match files {
            Ok(files) => self.write_on(map, run, visit, family, files.writes.into(), files.result),
            Err(failure) => self.run_failed(map, run, visit, failure, Awaiting::Redrive),
        }
    }

    fn write_on(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        family: Box<Family>,
        mut left: std::collections::VecDeque<Value>,
        result: Value,
    ) -> Flow {
        let resource = self.writer.as_ref().and_then(ResultWriter::resource);
        match (left.pop_front(), resource) {
            (Some(arguments), Some(resource)) => {
                let work = Work::Write { left, result };
                move_object(run, visit, family, (resource.clone(), arguments), work)
            }
            _ => self.run_succeeded(map, run, visit, result),
        }
    }

    pub(super) fn object_moved(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        transfer: Transfer,
        outcome: Result<Value, (String, String)>,
    ) -> Flow {
        let Transfer { family, work, .. } = transfer;
        match (work, outcome, &self.reader) {
            (Work::Read(reading), Ok(answer), Some(reader)) => {
                let progress = reader.go_on(reading, &answer);
                self.read_on(map, run, visit, family, progress)
            }
            (Work::Write { left, result }, Ok(_), _) => {
                self.write_on(map, run, visit, family, left, result)
            }
            (work, Err((error, cause)), _) => {
                let name = match work {
                    Work::Read(_) => ITEM_READER_FAILED,
                    Work::Write { .. } => RESULT_WRITER_FAILED,
                };
                let failure = Failure::task(name, Some(format!("{error}: {cause}")));
                self.run_failed(map, run, visit, failure, Awaiting::Redrive)
            }
            (Work::Read(_), Ok(_), None) => {
                let failure = run.mismatch(&visit.state);
                self.run_failed(map, run, visit, failure, Awaiting::Redrive)
            }
        }
    }

    fn run_succeeded(&self, map: &Map, run: &mut Run<'_>, visit: Visit, result: Value) -> Flow {
        let started = run.last_event();
        run.note(Type::MapRunSucceeded, serde_json::Map::new());
        run.note_aside(Type::MapStateSucceeded, serde_json::Map::new());
        // Recorded on AWS since November 2024: the exit follows the start of the run.
        run.follow(started);
        map.succeed(run, visit, result)
    }

    pub(super) fn run_failed(
        &self,
        map: &Map,
        run: &mut Run<'_>,
        visit: Visit,
        failure: Failure,
        left: Awaiting,
    ) -> Flow {
        let fields = error_fields(failure.error.as_deref(), failure.cause.as_deref());
        run.note(
            Type::MapRunFailed,
            details("mapRunFailedEventDetails", Value::Object(fields)),
        );
        map.ending.fail(run, visit, failure, left)
    }
}

/// Asks for a read or a write, and waits for it.
fn move_object(
    run: &mut Run<'_>,
    visit: Visit,
    family: Box<Family>,
    (resource, arguments): (Resource, Value),
    work: Work,
) -> Flow {
    let task = run.name_task();
    run.ask(Effect::StartTask(TaskRequest {
        task,
        state: visit.state.clone(),
        resource,
        arguments,
        credentials_role: None,
        timeout: None,
        heartbeat: None,
        token: None,
        attempt: visit.attempt,
    }));
    let transfer = Transfer { task, family, work };
    run.pause(visit, Awaiting::Object(Box::new(transfer)))
}
