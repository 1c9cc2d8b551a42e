//! From a model as it is written to one as it is kept: shapes go by index, and each name is there once.

use std::collections::{BTreeMap, HashMap};

use super::file;
use super::shape::{
    Entries, Inside, Kind, Members, Name, RareOfShape, RareOfUse, Reference, Shape,
};
use super::wire_names::WireNames;
use super::{ModelError, Operation};

/// The shapes that are linked, in the order in which they were first named.
#[derive(Default)]
pub(super) struct Linker {
    /// Each name, with the index of its shape when it is one of a shape.
    names: HashMap<Name, Option<u32>>,
    /// A shape is `None` until it is read.
    shapes: Vec<(Name, Option<Shape>)>,
}

impl Linker {
    /// All shapes.
    ///
    /// # Errors
    /// [`ModelError::NoShape`] when one was used and never read.
    pub(super) fn finish(self) -> Result<Box<[Shape]>, ModelError> {
        let shapes = self.shapes.into_iter();
        shapes
            .map(|(name, shape)| shape.ok_or_else(|| ModelError::NoShape(name.to_string())))
            .collect()
    }

    pub(super) fn operation(&mut self, name: String, operation: file::Operation) -> Operation {
        let errors = operation.errors.into_iter();
        Operation {
            name,
            input: operation.input.map(|input| self.reference(input)),
            output: operation.output.map(|output| self.reference(output)),
            errors: errors.map(|error| self.reference(error)).collect(),
            ..operation.rest
        }
    }

    pub(super) fn shape(&mut self, name: String, shape: file::Shape) {
        let rare = RareOfShape {
            payload: self.maybe_name(shape.payload),
            location: shape.location,
            location_name: self.maybe_name(shape.location_name),
            timestamp_format: self.maybe_name(shape.timestamp_format),
            xml_namespace: shape.xml_namespace,
            error_code: self.maybe_name(shape.error.and_then(|error| error.code)),
            retryable: shape.retryable,
            min: shape.min,
            max: shape.max,
        };
        let inside = match (shape.kind, shape.member, shape.key.zip(shape.value)) {
            (Kind::Structure, _, _) => Inside::Members(Members {
                by_name: self.members(shape.members),
                by_json_name: WireNames::default(),
                by_xml_name: None,
                required: shape.required.into(),
            }),
            (Kind::List, Some(item), _) => Inside::Item(self.reference(item)),
            (Kind::Map, _, Some((key, value))) => Inside::Entries(Box::new(Entries {
                key: self.reference(key),
                value: self.reference(value),
            })),
            _ => Inside::Nothing,
        };
        let index = self.index(name);
        if let Some((name, slot)) = self.shapes.get_mut(index as usize) {
            *slot = Some(Shape {
                name: name.clone(),
                kind: shape.kind,
                exception: shape.exception,
                event: shape.event,
                eventstream: shape.eventstream,
                document: shape.document,
                union: shape.union,
                flattened: shape.flattened,
                sensitive: shape.sensitive,
                streaming: shape.streaming,
                inside,
                rare: boxed(rare),
            });
        }
    }

    fn members(&mut self, members: BTreeMap<String, file::Reference>) -> Box<[(Name, Reference)]> {
        members
            .into_iter()
            .map(|(name, member)| (self.name(name), self.reference(member)))
            .collect()
    }

    fn reference(&mut self, given: file::Reference) -> Reference {
        let rare = RareOfUse {
            query_name: self.maybe_name(given.query_name),
            result_wrapper: self.maybe_name(given.result_wrapper),
            payload: self.maybe_name(given.payload),
            context_param: self.maybe_name(given.context_param.map(|param| param.name)),
            timestamp_format: self.maybe_name(given.timestamp_format),
            xml_namespace: given.xml_namespace,
        };
        Reference {
            shape: self.index(given.shape),
            location: given.location,
            flattened: given.flattened,
            xml_attribute: given.xml_attribute,
            idempotency_token: given.idempotency_token,
            host_label: given.host_label,
            jsonvalue: given.jsonvalue,
            streaming: given.streaming,
            eventheader: given.eventheader,
            eventpayload: given.eventpayload,
            location_name: self.maybe_name(given.location_name),
            rare: boxed(rare),
        }
    }

    /// The index of the shape `name`, whether it is read already or not.
    fn index(&mut self, name: String) -> u32 {
        let name = self.name(name);
        let known = self.names.entry(name.clone()).or_default();
        *known.get_or_insert_with(|| {
            let next = u32::try_from(self.shapes.len()).unwrap_or(u32::MAX);
            self.shapes.push((name, None));
            next
        })
    }

    fn maybe_name(&mut self, name: Option<String>) -> Option<Name> {
        name.map(|name| self.name(name))
    }

    fn name(&mut self, name: String) -> Name {
        if let Some((known, _)) = self.names.get_key_value(name.as_str()) {
            return known.clone();
        }
        let name = Name::from(name);
        self.names.insert(name.clone(), None);
        name
    }
}

/// Nothing, when nothing is in it.
fn boxed<T: Default + PartialEq>(rare: T) -> Option<Box<T>> {
    (rare != T::default()).then(|| Box::new(rare))
}
