//! Service models, read-only and checked once.
//!
//! `file` is a model as botocore writes it (`service-2.json`); `link` makes a [`Service`] of it, which is small and
//! quick to read. A [`View`] is one use of a shape, with the traits of the place that uses it laid over the shape's
//! own, as the protocols need them.

mod file;
mod link;
mod shape;
mod traits;
mod view;
mod wire_names;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use link::Linker;
use shape::{Inside, Members, Shape};
use wire_names::WireNames;

pub use shape::{Kind, Namespace, Reference};
pub use traits::{
    Acceptor, ClientContextParam, EndpointTrait, Http, HttpChecksum, Matcher, Metadata,
    OperationContextParam, Paginator, RequestCompression, StaticContextParam, Waiter, WaiterState,
};
pub use view::View;
pub(crate) use wire_names::is_same;

/// A service's model.
#[derive(Debug)]
pub struct Service {
    /// What holds for every operation.
    pub metadata: Metadata,
    /// The operations by name.
    pub operations: BTreeMap<String, Operation>,
    /// How to page through them.
    pub paginators: BTreeMap<String, Paginator>,
    /// What can be waited for, by name.
    pub waiters: BTreeMap<String, Waiter>,
    /// What the client's settings say to the endpoint rules.
    pub client_context_params: BTreeMap<String, ClientContextParam>,
    endpoint_rule_set: Option<Box<RawValue>>,
    errors: Box<[Reference]>,
    shapes: Box<[Shape]>,
}

/// One operation.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct Operation {
    pub name: String,
    pub http: Http,
    #[serde(skip)]
    pub input: Option<Reference>,
    #[serde(skip)]
    pub output: Option<Reference>,
    #[serde(skip)]
    pub errors: Vec<Reference>,
    pub endpoint: Option<EndpointTrait>,
    pub auth: Vec<String>,
    pub authtype: Option<String>,
    pub unsigned_payload: bool,
    pub http_checksum: Option<HttpChecksum>,
    pub http_checksum_required: bool,
    pub static_context_params: BTreeMap<String, StaticContextParam>,
    pub operation_context_params: BTreeMap<String, OperationContextParam>,
    #[serde(rename = "requestcompression")]
    pub request_compression: Option<RequestCompression>,
}

/// The model is not one.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It cannot be unpacked.
    #[error("the model cannot be unpacked: {0}")]
    Packed(#[from] std::io::Error),
    /// Not the JSON that is wanted.
    #[error("the model cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A shape is used that is not there.
    #[error("the model uses the shape {0}, which it does not have")]
    NoShape(String),
}

impl Service {
    /// Reads a model and checks that every shape it uses is there.
    ///
    /// # Errors
    /// [`ModelError`] says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, ModelError> {
        let model: file::Model<'_> = serde_json::from_slice(json)?;
        let mut linker = Linker::default();
        let operations = model.operations.into_iter();
        let operations = operations
            .map(|(name, operation)| (name.clone(), linker.operation(name, operation)))
            .collect();
        if let Some(shapes) = model.shapes {
            file::each_entry(shapes, |name, shape| linker.shape(name, shape))?;
        }
        let shapes = linker.finish()?;
        let mut service = Self {
            metadata: model.metadata,
            operations,
            paginators: model.paginators,
            waiters: model.waiters,
            client_context_params: model.client_context_params,
            endpoint_rule_set: model.endpoint_rule_set,
            errors: errors(&shapes),
            shapes,
        };
        service.add_wire_names();
        Ok(service)
    }

    /// The rules that say where requests go, as JSON (`endpoint-rule-set-1.json`, version 1.0).
    pub fn endpoint_rule_set_json(&self) -> Option<&str> {
        self.endpoint_rule_set.as_deref().map(RawValue::get)
    }

    /// The errors that any operation may answer with, those among them that its own model does not name.
    pub fn errors(&self) -> impl Iterator<Item = View<'_>> {
        self.errors.iter().map(|reference| self.view(reference))
    }

    /// One use of a shape. The reference is one of this model.
    #[inline]
    pub fn view<'a>(&'a self, reference: &'a Reference) -> View<'a> {
        // Every reference was linked to a shape, so the fall-back is never taken.
        static MISSING: std::sync::OnceLock<Shape> = std::sync::OnceLock::new();
        let shape = self.shapes.get(reference.shape as usize);
        View {
            service: self,
            shape: shape.unwrap_or_else(|| MISSING.get_or_init(Shape::default)),
            reference,
        }
    }

    /// The name that requests are signed for.
    pub fn signing_name(&self) -> &str {
        let prefix = &self.metadata.endpoint_prefix;
        self.metadata.signing_name.as_ref().unwrap_or(prefix)
    }

    /// What a member is called in an answer depends on the shape it uses, so all shapes must be there before.
    fn add_wire_names(&mut self) {
        let all: Vec<_> = (0..self.shapes.len())
            .map(|shape| self.wire_names(u32::try_from(shape).unwrap_or(u32::MAX)))
            .collect();
        for (shape, (in_json, in_xml)) in self.shapes.iter_mut().zip(all) {
            if let Inside::Members(members) = &mut shape.inside {
                members.by_json_name = in_json;
                members.by_xml_name = in_xml;
            }
        }
    }

    fn wire_names(&self, shape: u32) -> (WireNames, Option<Box<WireNames>>) {
        let members = self.members_of(shape).map_or(&[][..], |m| &m.by_name);
        let members = || members.iter().zip(0..);
        let in_json = members().map(|((name, of), at)| (self.view(of).name_in_json(name), at));
        let in_xml = members().map(|((name, of), at)| (self.view(of).name_in_xml(name), at));
        let (in_json, in_xml): (Vec<_>, Vec<_>) = (in_json.collect(), in_xml.collect());
        let of_xml = (in_xml != in_json).then(|| Box::new(WireNames::new(&in_xml)));
        (WireNames::new(&in_json), of_xml)
    }

    fn members_of(&self, shape: u32) -> Option<&Members> {
        match &self.shapes.get(shape as usize)?.inside {
            Inside::Members(members) => Some(members),
            _ => None,
        }
    }

    /// The names in the API of the members of the structure whose index is `shape`, each by its index.
    #[inline]
    pub(crate) fn member_names<'a>(&'a self, shape: u32) -> impl Fn(u16) -> Option<&'a str> {
        let members = self.members_of(shape).map_or(&[][..], |m| &m.by_name);
        move |index| members.get(usize::from(index)).map(|(name, _)| &**name)
    }

    /// The index of the member `name` of the structure whose index is `shape`.
    pub(crate) fn member_index(&self, shape: u32, name: &str) -> Option<u16> {
        let members = &self.members_of(shape)?.by_name;
        let found = members.binary_search_by(|(known, _)| (**known).cmp(name));
        u16::try_from(found.ok()?).ok()
    }
}

fn errors(shapes: &[Shape]) -> Box<[Reference]> {
    let shapes = shapes.iter().zip(0..);
    shapes
        .filter(|(shape, _)| shape.exception)
        .map(|(_, index)| Reference {
            shape: index,
            ..Reference::default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(shapes: &serde_json::Value) -> Result<Service, ModelError> {
        let operations = serde_json::json!({"Op": {
            "input": {"shape": "In"},
            "http": {"method": "GET", "requestUri": "/x"},
            "staticContextParams": {"UseIt": {"value": true}},
        }});
        let model = serde_json::json!({"operations": operations, "shapes": shapes});
        Service::from_json(model.to_string().as_bytes())
    }

    fn input(service: &Service) -> View<'_> {
        service.view(service.operations["Op"].input.as_ref().unwrap())
    }

    #[test]
    fn an_operation_keeps_its_name_and_traits() {
        let service = read(&serde_json::json!({"In": {"type": "structure"}})).unwrap();
        let operation = &service.operations["Op"];
        assert_eq!(operation.name, "Op");
        assert_eq!(operation.http.request_uri, "/x");
        assert_eq!(operation.static_context_params["UseIt"].value, true);
        assert_eq!(input(&service).shape_name(), "In");
    }

    #[test]
    fn members_are_found_by_both_names() {
        let service = read(&serde_json::json!({
            "In": {"type": "structure", "required": ["B"], "members": {
                "B": {"shape": "Text", "locationName": "a"},
                "A": {"shape": "Text", "locationName": "b"},
                "C": {"shape": "Text"},
                "Old": {"shape": "Text", "locationName": "item"},
                "New": {"shape": "Texts", "locationName": "new"},
                "LongNameOne": {"shape": "Text"},
                "LongNameTwo": {"shape": "Text"},
            }},
            "Text": {"type": "string", "min": 2},
            "Texts": {"type": "list", "flattened": true,
                "member": {"shape": "Text", "locationName": "item"}},
        }))
        .unwrap();
        let view = input(&service);
        let names: Vec<&str> = view.members().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["A", "B", "C", "LongNameOne", "LongNameTwo", "New", "Old"]
        );
        assert_eq!(view.member("B").unwrap().wire_name(), Some("a"));
        assert!(view.member("a").is_none());
        let in_xml = |wire: &str| -> Vec<u16> {
            let mut probe = view.probe_in_xml(wire);
            std::iter::from_fn(|| view.next_in_xml(wire, &mut probe)).collect()
        };
        assert_eq!(in_xml("a"), [1]);
        assert_eq!(in_xml("C"), [2]);
        assert_eq!(in_xml("LongNameTwo"), [4]);
        assert_eq!(in_xml("item"), [5, 6]);
        assert!(in_xml("new").is_empty());
        assert!(in_xml("").is_empty() && in_xml("LongNameTw").is_empty());
        let in_json = |wire: &str| view.find_in_json(wire);
        assert_eq!(
            ["a", "C", "new", "item", "New"].map(in_json),
            [Some(1), Some(2), Some(5), Some(6), None]
        );
        assert_eq!(service.member_names(view.shape_index())(5), Some("New"));
        assert_eq!(service.member_index(view.shape_index(), "New"), Some(5));
    }

    #[test]
    fn a_model_with_a_hole_is_refused() {
        let shapes = serde_json::json!({"In": {"type": "list", "member": {"shape": "Gone"}}});
        let refused = read(&shapes).unwrap_err();
        assert!(matches!(refused, ModelError::NoShape(name) if name == "Gone"));
        assert!(read(&serde_json::json!({})).is_err());
    }
}
