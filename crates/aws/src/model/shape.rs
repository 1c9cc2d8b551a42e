//! Shapes and their uses as they are kept: few bytes each, since a service has thousands, and what most do not have
//! apart.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Number;

use super::file::Retryable;
use super::wire_names::WireNames;

/// A name. All uses of one name share it.
pub(super) type Name = Arc<str>;

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

/// Where in the HTTP message a member is, when it is not in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Location {
    Uri,
    #[serde(rename = "querystring")]
    QueryString,
    Header,
    Headers,
    StatusCode,
}

impl Location {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::QueryString => "querystring",
            Self::Header => "header",
            Self::Headers => "headers",
            Self::StatusCode => "statusCode",
        }
    }
}

/// An XML namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "botocore's own names")]
pub enum Namespace {
    Plain(String),
    Prefixed { uri: String, prefix: Option<String> },
}

#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) name: Name,
    pub(super) kind: Kind,
    pub(super) exception: bool,
    pub(super) event: bool,
    pub(super) eventstream: bool,
    pub(super) document: bool,
    pub(super) union: bool,
    pub(super) flattened: bool,
    pub(super) sensitive: bool,
    pub(super) streaming: bool,
    pub(super) inside: Inside,
    pub(super) rare: Option<Box<RareOfShape>>,
}

/// What a shape is made of.
#[derive(Debug, Default)]
pub(super) enum Inside {
    #[default]
    Nothing,
    Members(Members),
    Item(Reference),
    Entries(Box<Entries>),
}

/// The keys and values of a map.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) key: Reference,
    pub(super) value: Reference,
}

#[derive(Debug, Default)]
pub(super) struct Members {
    /// Sorted by their names in the API.
    pub(super) by_name: Box<[(Name, Reference)]>,
    /// To find members by their names in answers of JSON.
    pub(super) by_json_name: WireNames,
    /// And of XML; `None` when the names are the same, as they nearly always are.
    pub(super) by_xml_name: Option<Box<WireNames>>,
    pub(super) required: Box<[String]>,
}

/// What few shapes have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RareOfShape {
    pub(super) payload: Option<Name>,
    pub(super) location: Option<Location>,
    pub(super) location_name: Option<Name>,
    pub(super) timestamp_format: Option<Name>,
    pub(super) xml_namespace: Option<Namespace>,
    pub(super) error_code: Option<Name>,
    pub(super) retryable: Option<Retryable>,
    pub(super) min: Option<Number>,
    pub(super) max: Option<Number>,
}

/// A use of a shape, with the traits of the place. [`Service::view`](super::Service::view) reads it.
#[derive(Debug, Default)]
pub struct Reference {
    /// The index of the shape.
    pub(super) shape: u32,
    pub(super) location: Option<Location>,
    pub(super) flattened: bool,
    pub(super) xml_attribute: bool,
    pub(super) idempotency_token: bool,
    pub(super) host_label: bool,
    pub(super) jsonvalue: bool,
    pub(super) streaming: bool,
    pub(super) eventheader: bool,
    pub(super) eventpayload: bool,
    pub(super) location_name: Option<Name>,
    pub(super) rare: Option<Box<RareOfUse>>,
}

/// What few uses have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RareOfUse {
    pub(super) query_name: Option<Name>,
    pub(super) result_wrapper: Option<Name>,
    pub(super) payload: Option<Name>,
    pub(super) context_param: Option<Name>,
    pub(super) timestamp_format: Option<Name>,
    pub(super) xml_namespace: Option<Namespace>,
}
