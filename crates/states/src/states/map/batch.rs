//! ItemBatcher: several items for one iteration.

use super::{Map, shown};
use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::Failure;
use crate::family::Item;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::run::Run;
use crate::seen::{Amount, AmountKind, Bounds, Form};
use crate::thread::Visit;
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(super) struct Batcher {
    items_max: Option<Amount>,
    bytes_max: Option<Amount>,
    input: Option<Form>,
}

const ITEMS: Bounds = Bounds {
    least: 1.0,
    most: f64::MAX,
    fault: "MaxItemsPerBatch must be positive.",
};
const BYTES: Bounds = Bounds {
    least: 1.0,
    most: PAYLOAD_BYTES_MAX as f64,
    fault: "MaxInputBytesPerBatch must be from 1 to 262144.",
};

impl Batcher {
    pub(super) fn read(fields: Fields<'_>, faults: &mut Faults) -> Batcher {
        let mut amount =
            |names, bounds| Amount::read(&fields, names, AmountKind::Integer, bounds, faults);
        let items_max = amount(("MaxItemsPerBatch", "MaxItemsPerBatchPath"), ITEMS);
        let bytes_max = amount(
            ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
            BYTES,
        );
        let input = Form::read(&fields, "BatchInput", faults);
        if items_max.is_none() && bytes_max.is_none() {
            faults.schema(
                fields.place(),
                "An ItemBatcher needs one of these fields: [MaxItemsPerBatch, MaxInputBytesPerBatch]",
            );
        }
        fields.finish(faults);
        Batcher {
            items_max,
            bytes_max,
            input,
        }
    }

    /// The selected items in batches, each as the input of one iteration.
    pub(super) fn batches(
        &self,
        map: &Map,
        run: &Run<'_>,
        visit: &Visit,
        items: Vec<Item>,
    ) -> Result<Vec<Item>, Failure> {
        let count = |amount: Option<&Amount>| map.amount(run, visit, amount);
        let items_max = count(self.items_max.as_ref())?.unwrap_or(u64::MAX);
        let bytes_max = count(self.bytes_max.as_ref())?.unwrap_or(PAYLOAD_BYTES_MAX as u64);
        let envelope = self.envelope(map, run, visit)?;
        let mut batches = Vec::new();
        let mut open = Open::new(&envelope);
        for (index, item) in items.into_iter().enumerate() {
            let shown = shown(index, &item);
            let value = map.selected(run, visit, &shown, item)?;
            let bytes = value.to_string().len() + 1;
            let full =
                open.items.len() as u64 >= items_max || (open.bytes + bytes) as u64 > bytes_max;
            if full && !open.items.is_empty() {
                batches.push(std::mem::replace(&mut open, Open::new(&envelope)).close(&envelope));
            }
            open.items.push(value);
            open.bytes += bytes;
        }
        if !open.items.is_empty() {
            batches.push(open.close(&envelope));
        }
        Ok(batches)
    }

    /// A batch without its items.
    fn envelope(&self, map: &Map, run: &Run<'_>, visit: &Visit) -> Result<Value, Failure> {
        let Some(input) = &self.input else {
            return Ok(json!({ "Items": [] }));
        };
        let input = run.seeing(visit, map.ending.shape(), None, |seen| {
            input.evaluate("ItemBatcher/BatchInput", seen)
        })?;
        Ok(json!({ "BatchInput": input, "Items": [] }))
    }
}

/// A batch that is being filled.
struct Open {
    items: Vec<Value>,
    bytes: usize,
}

impl Open {
    fn new(envelope: &Value) -> Open {
        Open {
            items: Vec::new(),
            bytes: envelope.to_string().len(),
        }
    }

    fn close(self, envelope: &Value) -> Item {
        let mut value = envelope.clone();
        if let Value::Object(fields) = &mut value {
            fields.insert("Items".to_owned(), Value::Array(self.items));
        }
        Item { value, key: None }
    }
}
