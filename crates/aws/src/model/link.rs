//! From a model as it is written to one as it is kept: shapes go by index, and each name is there once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::file;
use super::shape::{
    Entries, Inside, Kind, Members, Name, RareOfShape, RareOfUse, Reference, Shape,
};
use super::{ModelError, Operation};

/// What is known of all shapes before the first is linked.
pub(super) struct Linker {
    indexes: HashMap<String, u32>,
    names: HashSet<Name>,
}

impl Linker {
    pub(super) fn new(shapes: &BTreeMap<String, file::Shape>) -> Self {
        Self {
            indexes: shapes.keys().cloned().zip(0..).collect(),
            names: HashSet::new(),
        }
    }

    pub(super) fn operation(
        &mut self,
        name: String,
        operation: file::Operation,
    ) -> Result<Operation, ModelError> {
        let mut linked = operation.rest;
        linked.name = name;
        linked.input = self.maybe(operation.input)?;
        linked.output = self.maybe(operation.output)?;
        let errors = operation.errors.into_iter();
        linked.errors = errors
            .map(|error| self.reference(error))
            .collect::<Result<_, _>>()?;
        Ok(linked)
    }

    pub(super) fn shape(&mut self, name: String, shape: file::Shape) -> Result<Shape, ModelError> {
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
            (Kind::Structure, _, _) => {
                Inside::Members(self.members(shape.members, shape.required)?)
            }
            (Kind::List, Some(item), _) => Inside::Item(self.reference(item)?),
            (Kind::Map, _, Some((key, value))) => Inside::Entries(Box::new(Entries {
                key: self.reference(key)?,
                value: self.reference(value)?,
            })),
            _ => Inside::Nothing,
        };
        Ok(Shape {
            name: self.name(name),
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
        })
    }

    fn members(
        &mut self,
        members: BTreeMap<String, file::Reference>,
        required: Vec<String>,
    ) -> Result<Members, ModelError> {
        let by_name = members
            .into_iter()
            .map(|(name, member)| Ok((self.name(name), self.reference(member)?)))
            .collect::<Result<_, ModelError>>()?;
        Ok(Members {
            by_name,
            by_wire_name: Box::default(),
            required: required.into(),
        })
    }

    fn maybe(&mut self, given: Option<file::Reference>) -> Result<Option<Reference>, ModelError> {
        given.map(|reference| self.reference(reference)).transpose()
    }

    fn reference(&mut self, given: file::Reference) -> Result<Reference, ModelError> {
        let Some(&shape) = self.indexes.get(&given.shape) else {
            return Err(ModelError::NoShape(given.shape));
        };
        let rare = RareOfUse {
            query_name: self.maybe_name(given.query_name),
            result_wrapper: self.maybe_name(given.result_wrapper),
            payload: self.maybe_name(given.payload),
            context_param: self.maybe_name(given.context_param.map(|param| param.name)),
            timestamp_format: self.maybe_name(given.timestamp_format),
            xml_namespace: given.xml_namespace,
        };
        Ok(Reference {
            shape,
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
        })
    }

    fn maybe_name(&mut self, name: Option<String>) -> Option<Name> {
        name.map(|name| self.name(name))
    }

    fn name(&mut self, name: String) -> Name {
        if let Some(known) = self.names.get(name.as_str()) {
            return known.clone();
        }
        let name = Name::from(name);
        self.names.insert(name.clone());
        name
    }
}

/// Nothing, when nothing is in it.
fn boxed<T: Default + PartialEq>(rare: T) -> Option<Box<T>> {
    (rare != T::default()).then(|| Box::new(rare))
}
