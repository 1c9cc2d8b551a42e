//! ItemReader: items from objects in S3. The runner fetches the objects; what
//! is in them is read here.

mod csv;
mod json;
mod listing;
mod manifest;

use super::items::listed;
use super::s3;
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::{Failure, ITEM_READER_FAILED, Origin};
use crate::family::Item;
use crate::limits::{MAP_ITEMS_MAX, OBJECT_BYTES_MAX, OBJECTS_MAX};
use crate::resource::Resource;
use crate::seen::{Amount, AmountKind, Bounds, Form, Seen};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The fields of an ItemReader.
#[derive(Clone, Debug)]
pub(super) struct ItemReader {
    list: Resource,
    object: Resource,
    lists: bool,
    /// Lists objects and reads each, instead of going through the list.
    loads: bool,
    arguments: Form,
    format: Format,
    manifest: Option<manifest::Kind>,
    items_max: Option<Amount>,
}

/// What is in an object.
#[derive(Clone, Debug)]
enum Format {
    Json { pointer: Option<String> },
    Lines,
    Csv(csv::Csv),
}

/// A read under way: plain data, so that it survives any crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reading {
    stage: Stage,
    items: Vec<Value>,
    /// The most items wanted.
    items_max: usize,
    asked: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// The one object with the items.
    Object,
    /// The pages of a list of objects.
    List { arguments: Value },
    /// The object that names the others.
    Manifest { bucket: String },
    /// Objects, one after the other: buckets and keys.
    Objects {
        left: VecDeque<(String, String)>,
        columns: Option<Vec<String>>,
    },
}

/// What follows a step of a read.
pub(super) enum Progress {
    /// Another object is wanted.
    Ask(Resource, Value, Box<Reading>),
    /// These are the items.
    Items(Vec<Item>),
}

const ITEMS: Bounds = Bounds {
    least: 0.0,
    most: f64::MAX,
    fault: "field MaxItems must be positive",
};

impl ItemReader {
    pub(super) fn read(fields: Fields<'_>, faults: &mut Faults) -> Option<ItemReader> {
        fields.require(&["Resource"], faults);
        let action = s3::read_action(&fields, &["getObject", "listObjectsV2"], faults);
        let lists = action == Some("listObjectsV2");
        let arguments = s3::read_arguments(&fields, faults);
        let config = fields.object("ReaderConfig", faults);
        let read = config.map(|config| read_config(config, lists, faults));
        fields.finish(faults);
        let (format, manifest, items_max, loads) = match read {
            Some(read) => read,
            None => (Format::Json { pointer: None }, None, None, false),
        };
        Some(ItemReader {
            list: s3::call("listObjectsV2"),
            object: s3::call("getObject"),
            lists,
            loads,
            arguments: arguments?,
            format,
            manifest,
            items_max,
        })
    }

    /// The calls it makes.
    pub(super) fn resources(&self) -> impl Iterator<Item = &Resource> {
        let list = self.lists.then_some(&self.list);
        let object = (!self.lists || self.loads).then_some(&self.object);
        list.into_iter().chain(object)
    }

    /// The first object to ask for.
    pub(super) fn begin(&self, seen: Seen<'_>) -> Result<Progress, Failure> {
        let arguments = self.arguments.evaluate("ItemReader/Arguments", seen)?;
        let items_max = match &self.items_max {
            Some(amount) => amount.count(seen).map_err(as_reader_failure)?,
            None => 0,
        };
        if let Format::Csv(csv) = &self.format {
            csv.check().map_err(failed)?;
        }
        let reading = Reading {
            stage: match (self.lists, self.manifest) {
                (true, _) => Stage::List {
                    arguments: arguments.clone(),
                },
                (false, Some(_)) => Stage::Manifest {
                    bucket: s3::text(&arguments, "Bucket")
                        .unwrap_or_default()
                        .to_owned(),
                },
                (false, None) => Stage::Object,
            },
            items: Vec::new(),
            items_max: match items_max {
                0 => MAP_ITEMS_MAX,
                most => usize::try_from(most).unwrap_or(MAP_ITEMS_MAX),
            },
            asked: 1,
        };
        let resource = if self.lists { &self.list } else { &self.object };
        Ok(Progress::Ask(
            resource.clone(),
            arguments,
            Box::new(reading),
        ))
    }

    /// Takes an answer: S3's, with the object as text in `Body`.
    pub(super) fn go_on(&self, reading: Reading, answer: &Value) -> Result<Progress, Failure> {
        self.take(reading, answer).map_err(failed)
    }

    fn take(&self, mut reading: Reading, answer: &Value) -> Result<Progress, String> {
        let stage = std::mem::replace(&mut reading.stage, Stage::Object);
        match stage {
            Stage::Object => {
                let items = self.parse(body(answer)?, None)?;
                return reading.close(items);
            }
            Stage::List { arguments } => {
                reading.items.extend(listing::items(answer));
                if let Some(token) = listing::next(answer)
                    && (self.loads || reading.items.len() < reading.items_max)
                {
                    return reading.ask_list(&self.list, arguments, token);
                }
                if !self.loads {
                    let items = std::mem::take(&mut reading.items);
                    return reading.close(listed(Value::Array(items)));
                }
                let bucket = s3::text(&arguments, "Bucket").unwrap_or_default();
                let keys = std::mem::take(&mut reading.items);
                reading.stage = Stage::Objects {
                    left: listing::keys(bucket, &keys),
                    columns: None,
                };
            }
            Stage::Manifest { bucket } => {
                let kind = self.manifest.unwrap_or(manifest::Kind::Inventory);
                let (left, columns) = manifest::objects(kind, body(answer)?, &bucket)?;
                reading.stage = Stage::Objects { left, columns };
            }
            Stage::Objects { left, columns } => {
                let items = self.parse(body(answer)?, columns.as_deref())?;
                reading
                    .items
                    .extend(items.into_iter().map(|item| item.value));
                reading.stage = Stage::Objects { left, columns };
            }
        }
        reading.next_object(&self.object)
    }

    fn parse(&self, text: &str, columns: Option<&[String]>) -> Result<Vec<Item>, String> {
        match (&self.format, columns) {
            (_, Some(columns)) => csv::Csv::given(columns).items(text),
            (Format::Csv(csv), None) => csv.items(text),
            (Format::Lines, None) => json::lines(text),
            (Format::Json { pointer }, None) => json::items(text, pointer.as_deref()),
        }
    }
}

impl Reading {
    fn ask_list(
        mut self,
        list: &Resource,
        mut arguments: Value,
        token: &str,
    ) -> Result<Progress, String> {
        self.count()?;
        if let Value::Object(fields) = &mut arguments {
            fields.insert("ContinuationToken".to_owned(), Value::from(token));
        }
        self.stage = Stage::List {
            arguments: arguments.clone(),
        };
        Ok(Progress::Ask(list.clone(), arguments, Box::new(self)))
    }

    fn next_object(mut self, object: &Resource) -> Result<Progress, String> {
        let full = self.items.len() >= self.items_max;
        let next = match &mut self.stage {
            Stage::Objects { left, .. } if !full => left.pop_front(),
            _ => None,
        };
        let Some((bucket, key)) = next else {
            let items = std::mem::take(&mut self.items);
            return self.close(listed(Value::Array(items)));
        };
        self.count()?;
        let arguments = json!({ "Bucket": bucket, "Key": key });
        Ok(Progress::Ask(object.clone(), arguments, Box::new(self)))
    }

    fn count(&mut self) -> Result<(), String> {
        self.asked += 1;
        match self.asked > OBJECTS_MAX {
            true => Err(format!(
                "The ItemReader would make more than {OBJECTS_MAX} reads"
            )),
            false => Ok(()),
        }
    }

    fn close(self, mut items: Vec<Item>) -> Result<Progress, String> {
        if items.len() > MAP_ITEMS_MAX && self.items_max >= MAP_ITEMS_MAX {
            return Err(format!("There are more than {MAP_ITEMS_MAX} items"));
        }
        items.truncate(self.items_max);
        Ok(Progress::Items(items))
    }
}

type Config = (Format, Option<manifest::Kind>, Option<Amount>, bool);

fn read_config(config: Fields<'_>, lists: bool, faults: &mut Faults) -> Config {
    let items_max = Amount::read(
        &config,
        ("MaxItems", "MaxItemsPath"),
        AmountKind::Integer,
        ITEMS,
        faults,
    );
    let words = ["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"];
    let input_type = config.word("InputType", &words, faults);
    let kind = manifest::Kind::read(&config, faults);
    let transformation = config.word("Transformation", &["NONE", "LOAD_AND_FLATTEN"], faults);
    let csv = csv::Csv::read(&config, input_type == Some("CSV"), faults);
    let pointer = config.text("ItemsPointer", faults).map(str::to_owned);
    if !lists && config.value("InputType").is_none() {
        config.require(&["InputType"], faults);
    }
    let format = match input_type {
        Some("CSV") => Format::Csv(csv),
        Some("JSONL") => Format::Lines,
        Some("PARQUET") => {
            faults.unsupported(
                config.at("InputType"),
                "This version does not read Parquet files",
                "Write the items as JSON, JSONL or CSV.",
            );
            Format::Lines
        }
        _ => Format::Json { pointer },
    };
    let manifest = match (input_type, kind) {
        (Some("MANIFEST"), kind) => Some(kind.unwrap_or(manifest::Kind::Inventory)),
        (_, kind) => kind,
    };
    let loads = transformation == Some("LOAD_AND_FLATTEN");
    config.finish(faults);
    (format, manifest, items_max, loads)
}

/// The text of an object.
fn body(answer: &Value) -> Result<&str, String> {
    let text = s3::text(answer, "Body").ok_or("The object's Body is not text")?;
    match text.len() > OBJECT_BYTES_MAX {
        true => Err(format!(
            "The object is larger than {OBJECT_BYTES_MAX} bytes"
        )),
        false => Ok(text),
    }
}

fn failed(cause: String) -> Failure {
    Failure::task(ITEM_READER_FAILED, Some(cause))
}

/// What an unfit number means to a reader (recorded on AWS for MaxItems).
fn as_reader_failure(failure: Failure) -> Failure {
    match failure.origin {
        Origin::Interpreter => failed(failure.cause.unwrap_or_default()),
        _ => failure,
    }
}
