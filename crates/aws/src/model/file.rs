//! A model as botocore writes it.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer as _, MapAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

use super::shape::{Kind, Location, Namespace};
use super::traits::{ClientContextParam, Metadata, Paginator, Waiter};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Model<'a> {
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) operations: BTreeMap<String, Operation>,
    #[serde(default)]
    pub(super) paginators: BTreeMap<String, Paginator>,
    #[serde(default)]
    pub(super) waiters: BTreeMap<String, Waiter>,
    #[serde(default)]
    pub(super) client_context_params: BTreeMap<String, ClientContextParam>,
    pub(super) endpoint_rule_set: Option<Box<RawValue>>,
    /// By far the most of it: read one by one with [`each_entry`].
    #[serde(borrow)]
    pub(super) shapes: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Operation {
    pub(super) input: Option<Reference>,
    pub(super) output: Option<Reference>,
    #[serde(default)]
    pub(super) errors: Vec<Reference>,
    #[serde(flatten)]
    pub(super) rest: super::Operation,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Shape {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) members: BTreeMap<String, Reference>,
    pub(super) required: Vec<String>,
    pub(super) member: Option<Reference>,
    pub(super) key: Option<Reference>,
    pub(super) value: Option<Reference>,
    pub(super) payload: Option<String>,
    pub(super) error: Option<ErrorTrait>,
    pub(super) exception: bool,
    pub(super) retryable: Option<Retryable>,
    pub(super) event: bool,
    pub(super) eventstream: bool,
    pub(super) min: Option<Number>,
    pub(super) max: Option<Number>,
    pub(super) document: bool,
    pub(super) union: bool,
    pub(super) flattened: bool,
    pub(super) sensitive: bool,
    pub(super) location_name: Option<String>,
    pub(super) timestamp_format: Option<String>,
    pub(super) xml_namespace: Option<Namespace>,
    pub(super) location: Option<Location>,
    pub(super) streaming: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reference {
    pub(super) shape: String,
    pub(super) location: Option<Location>,
    pub(super) location_name: Option<String>,
    pub(super) query_name: Option<String>,
    pub(super) result_wrapper: Option<String>,
    pub(super) flattened: bool,
    pub(super) xml_attribute: bool,
    pub(super) idempotency_token: bool,
    pub(super) host_label: bool,
    pub(super) jsonvalue: bool,
    pub(super) streaming: bool,
    pub(super) payload: Option<String>,
    pub(super) eventheader: bool,
    pub(super) eventpayload: bool,
    pub(super) context_param: Option<ContextParam>,
    pub(super) timestamp_format: Option<String>,
    pub(super) xml_namespace: Option<Namespace>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorTrait {
    pub(super) code: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Retryable {
    pub(super) throttling: bool,
}

#[derive(Deserialize)]
pub(super) struct ContextParam {
    pub(super) name: String,
}

/// Gives each entry of a JSON object to `take` as soon as it is read, so that they are never all in memory.
pub(super) fn each_entry<T: DeserializeOwned>(
    object: &RawValue,
    take: impl FnMut(String, T),
) -> serde_json::Result<()> {
    struct Entries<T, F>(F, PhantomData<T>);
    impl<'de, T: Deserialize<'de>, F: FnMut(String, T)> Visitor<'de> for Entries<T, F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
            while let Some((name, value)) = entries.next_entry()? {
                (self.0)(name, value);
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(object.get());
    reader.deserialize_map(Entries(take, PhantomData))
}
