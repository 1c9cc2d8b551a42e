//! Service models as botocore writes them (`service-2.json`), read-only and checked once.
//!
//! [`Service`] is the file; [`View`] is one use of a shape, with the traits of the place that uses it laid over
//! the shape's own, as the protocols need them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// A service's model.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// What holds for every operation.
    #[serde(default)]
    pub metadata: Metadata,
    /// The operations by name.
    #[serde(default)]
    pub operations: BTreeMap<String, Operation>,
    /// How to page through them.
    #[serde(default)]
    pub paginators: BTreeMap<String, Value>,
    #[serde(skip)]
    errors: Vec<Reference>,
    #[serde(default)]
    shapes: BTreeMap<String, Shape>,
}

/// What holds for every operation of a service.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct Metadata {
    pub api_version: String,
    pub aws_query_compatible: Option<Value>,
    pub endpoint_prefix: String,
    pub global_endpoint: Option<String>,
    pub json_version: Option<String>,
    pub protocol: String,
    pub protocols: Vec<String>,
    pub service_id: String,
    pub signing_name: Option<String>,
    pub target_prefix: Option<String>,
    pub xml_namespace: Option<Namespace>,
}

/// One operation.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct Operation {
    pub name: String,
    pub http: Http,
    pub input: Option<Reference>,
    pub output: Option<Reference>,
    pub errors: Vec<Reference>,
    pub endpoint: Option<EndpointTrait>,
    pub authtype: Option<String>,
    pub http_checksum: Option<HttpChecksum>,
    pub http_checksum_required: bool,
    #[serde(rename = "requestcompression")]
    pub request_compression: Option<RequestCompression>,
}

/// The checksums of an operation's bodies.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpChecksum {
    /// The input member that names the algorithm for the request.
    pub request_algorithm_member: Option<String>,
    /// Whether a request without a checksum is refused.
    pub request_checksum_required: bool,
    /// The input member that asks for a checksum of the answer.
    pub request_validation_mode_member: Option<String>,
    /// The algorithms that the answer may have a checksum of.
    pub response_algorithms: Vec<String>,
}

/// The encodings that a request's body may be compressed with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct RequestCompression {
    pub encodings: Vec<String>,
}

/// Where a request goes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct Http {
    pub method: String,
    pub request_uri: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            method: "POST".to_owned(),
            request_uri: "/".to_owned(),
        }
    }
}

/// What an operation puts before the host.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "botocore's own names")]
pub struct EndpointTrait {
    pub host_prefix: String,
}

/// An XML namespace.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "botocore's own names")]
pub enum Namespace {
    Plain(String),
    Prefixed { uri: String, prefix: Option<String> },
}

/// The type of a shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "botocore's own names")]
pub enum Kind {
    Structure,
    List,
    Map,
    Boolean,
    #[serde(alias = "long", alias = "short", alias = "byte", alias = "biginteger")]
    Integer,
    #[serde(alias = "double", alias = "bigdecimal")]
    Float,
    Timestamp,
    Blob,
    #[default]
    #[serde(other)]
    String,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Structure => "an object",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Boolean => "true or false",
            Self::Integer => "an integer",
            Self::Float => "a number",
            Self::Timestamp => "a time (RFC 3339, or seconds since 1970)",
            Self::Blob => "base64 text",
            Self::String => "text",
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    members: BTreeMap<String, Reference>,
    required: Vec<String>,
    member: Option<Reference>,
    key: Option<Reference>,
    value: Option<Reference>,
    payload: Option<String>,
    error: Option<ErrorTrait>,
    document: bool,
    union: bool,
    flattened: bool,
    sensitive: bool,
    location_name: Option<String>,
    timestamp_format: Option<String>,
    xml_namespace: Option<Namespace>,
    location: Option<String>,
    streaming: bool,
    eventstream: bool,
    exception: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorTrait {
    code: Option<String>,
}

/// A use of a shape, with the traits of the place.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reference {
    /// The shape's name.
    pub shape: String,
    location: Option<String>,
    location_name: Option<String>,
    query_name: Option<String>,
    result_wrapper: Option<String>,
    flattened: bool,
    xml_attribute: bool,
    idempotency_token: bool,
    host_label: bool,
    jsonvalue: bool,
    streaming: bool,
    eventheader: bool,
    eventpayload: bool,
    payload: Option<String>,
    timestamp_format: Option<String>,
    xml_namespace: Option<Namespace>,
}

/// The model is not one.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
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
        let mut service: Self = serde_json::from_slice(json)?;
        for (name, operation) in &mut service.operations {
            operation.name.clone_from(name);
        }
        let exceptions = service.shapes.iter().filter(|(_, shape)| shape.exception);
        service.errors = exceptions
            .map(|(name, _)| Reference {
                shape: name.clone(),
                ..Reference::default()
            })
            .collect();
        service.check_references()?;
        Ok(service)
    }

    /// The errors that any operation may answer with, those among them that its own model does not name.
    pub fn errors(&self) -> impl Iterator<Item = View<'_>> {
        self.errors.iter().map(|reference| self.view(reference))
    }

    fn check_references(&self) -> Result<(), ModelError> {
        let of_operations = self.operations.values().flat_map(|operation| {
            operation
                .input
                .iter()
                .chain(&operation.output)
                .chain(&operation.errors)
        });
        let of_shapes = self.shapes.values().flat_map(|shape| {
            shape
                .members
                .values()
                .chain(&shape.member)
                .chain(&shape.key)
                .chain(&shape.value)
        });
        for reference in of_operations.chain(of_shapes) {
            if !self.shapes.contains_key(&reference.shape) {
                return Err(ModelError::NoShape(reference.shape.clone()));
            }
        }
        Ok(())
    }

    /// One use of a shape.
    pub fn view<'a>(&'a self, reference: &'a Reference) -> View<'a> {
        // `check_references` ran, so the fall-back is never taken.
        static MISSING: std::sync::OnceLock<Shape> = std::sync::OnceLock::new();
        let shape = self
            .shapes
            .get(&reference.shape)
            .unwrap_or_else(|| MISSING.get_or_init(Shape::default));
        View {
            service: self,
            shape,
            reference,
        }
    }

    /// The name that requests are signed for.
    pub fn signing_name(&self) -> &str {
        let prefix = &self.metadata.endpoint_prefix;
        self.metadata.signing_name.as_ref().unwrap_or(prefix)
    }
}

/// One use of a shape: the shape's traits, with those of the place that uses it laid over them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    service: &'a Service,
    shape: &'a Shape,
    reference: &'a Reference,
}

impl<'a> View<'a> {
    /// Its type.
    pub fn kind(self) -> Kind {
        self.shape.kind
    }

    /// The shape's name in the model.
    pub fn shape_name(self) -> &'a str {
        &self.reference.shape
    }

    /// The members of a structure, by their names in the API.
    pub fn members(self) -> impl Iterator<Item = (&'a str, View<'a>)> {
        let members = self.shape.members.iter();
        members.map(move |(name, reference)| (name.as_str(), self.service.view(reference)))
    }

    /// The member `name` of a structure.
    pub fn member(self, name: &str) -> Option<View<'a>> {
        let reference = self.shape.members.get(name)?;
        Some(self.service.view(reference))
    }

    /// The names of the members that must be given.
    pub fn required(self) -> &'a [String] {
        &self.shape.required
    }

    /// What a list holds.
    pub fn item(self) -> Option<View<'a>> {
        self.shape.member.as_ref().map(|r| self.service.view(r))
    }

    /// What a map's keys are.
    pub fn key(self) -> Option<View<'a>> {
        self.shape.key.as_ref().map(|r| self.service.view(r))
    }

    /// What a map's values are.
    pub fn value(self) -> Option<View<'a>> {
        self.shape.value.as_ref().map(|r| self.service.view(r))
    }

    /// `locationName`: its name on the wire, when that is not its name in the API. A structure's own name is for
    /// documents and says nothing about members.
    pub fn wire_name(self) -> Option<&'a str> {
        let own = self.own_name().filter(|_| self.kind() != Kind::Structure);
        self.reference.location_name.as_deref().or(own)
    }

    /// The `locationName` of the shape itself, which names a whole XML document.
    pub fn own_name(self) -> Option<&'a str> {
        self.shape.location_name.as_deref()
    }

    /// Whether the place that uses it names it.
    pub fn is_named_here(self) -> bool {
        self.reference.location_name.is_some()
    }

    /// `queryName`: its name in an EC2 request.
    pub fn query_name(self) -> Option<&'a str> {
        self.reference.query_name.as_deref()
    }

    /// The element that wraps a query result.
    pub fn result_wrapper(self) -> Option<&'a str> {
        self.reference.result_wrapper.as_deref()
    }

    /// Whether a list or map has no element of its own around its items.
    pub fn is_flattened(self) -> bool {
        self.shape.flattened || self.reference.flattened
    }

    /// Where in the HTTP message it is: `uri`, `querystring`, `header`, `headers`, `statusCode`.
    pub fn location(self) -> Option<&'a str> {
        let own = self.shape.location.as_deref();
        self.reference.location.as_deref().or(own)
    }

    /// Whether an answer has it in its body: in an answer only the headers and the status are elsewhere.
    pub fn is_in_answer_body(self) -> bool {
        !matches!(self.location(), Some("header" | "headers" | "statusCode"))
    }

    /// Whether it is a stream of bytes.
    pub fn is_streaming(self) -> bool {
        self.shape.streaming || self.reference.streaming
    }

    /// The member that is the whole body.
    pub fn payload(self) -> Option<&'a str> {
        let own = self.shape.payload.as_deref();
        self.reference.payload.as_deref().or(own)
    }

    /// How a time is written.
    pub fn timestamp_format(self) -> Option<&'a str> {
        let own = self.shape.timestamp_format.as_deref();
        self.reference.timestamp_format.as_deref().or(own)
    }

    /// The XML namespace to declare: prefix and URI.
    pub fn namespace(self) -> Option<(Option<&'a str>, &'a str)> {
        let own = self.shape.xml_namespace.as_ref();
        match self.reference.xml_namespace.as_ref().or(own)? {
            Namespace::Plain(uri) => Some((None, uri)),
            Namespace::Prefixed { uri, prefix } => Some((prefix.as_deref(), uri)),
        }
    }

    /// Whether the place that uses it declares an XML namespace.
    pub fn is_namespaced_here(self) -> bool {
        self.reference.xml_namespace.is_some()
    }

    /// Whether it is an attribute of its parent's element.
    pub fn is_attribute(self) -> bool {
        self.reference.xml_attribute
    }

    /// Whether it is any JSON value.
    pub fn is_document(self) -> bool {
        self.shape.document
    }

    /// Whether exactly one member is set.
    pub fn is_union(self) -> bool {
        self.shape.union
    }

    /// Whether the client fills it when the caller does not.
    pub fn is_idempotency_token(self) -> bool {
        self.reference.idempotency_token
    }

    /// Whether it is part of the host.
    pub fn is_host_label(self) -> bool {
        self.reference.host_label
    }

    /// Whether it is JSON within a header.
    pub fn is_json_value(self) -> bool {
        self.reference.jsonvalue
    }

    /// Whether it must never be printed.
    pub fn is_sensitive(self) -> bool {
        self.shape.sensitive
    }

    /// Whether it is a stream of events: a union whose members are events.
    pub fn is_event_stream(self) -> bool {
        self.shape.eventstream
    }

    /// Whether it is a header of its event.
    pub fn is_event_header(self) -> bool {
        self.reference.eventheader
    }

    /// Whether it is the whole payload of its event.
    pub fn is_event_payload(self) -> bool {
        self.reference.eventpayload
    }

    /// The code an error of this shape carries.
    pub fn error_code(self) -> &'a str {
        let given = self.shape.error.as_ref().and_then(|e| e.code.as_deref());
        given.unwrap_or(&self.reference.shape)
    }
}
