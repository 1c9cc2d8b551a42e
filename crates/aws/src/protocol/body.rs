//! Bodies in the formats that answers have.

use serde_json::Value;

use super::Malformed;
use super::cbor::Cbor;
use super::json_text::JsonText;
use super::source::{ByModel, Source};
use super::xml::Xml;
use crate::model::View;
use crate::output::{Builder, Fields, Label, Output};

/// What a body, or an event's payload, is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Cbor,
    Xml,
}

/// Of so many bytes of an answer, about, one begins a value: room is made for as many.
const BYTES_PER_VALUE: usize = 32;

impl Format {
    /// Where the answer in `body` is to be put.
    pub(super) fn builder(self, body: &[u8]) -> Builder {
        Builder::new(body.len(), BYTES_PER_VALUE)
    }

    /// JSON may have white space around nothing.
    fn is_missing(self, body: &[u8]) -> bool {
        match self {
            Self::Json => body.trim_ascii().is_empty(),
            Self::Cbor | Self::Xml => body.is_empty(),
        }
    }

    /// A whole body by the model. One that is missing is an object without members, but for XML.
    pub(super) fn value(
        self,
        view: View<'_>,
        body: &[u8],
        out: &mut Builder,
        label: Label,
    ) -> Result<(), Malformed> {
        if self == Self::Xml {
            let mut xml = Xml::new(body, out)?;
            let root = xml.root()?;
            return xml.structure(view, root, label);
        }
        if self.is_missing(body) {
            let map = out.map(label)?;
            out.end(map);
            return Ok(());
        }
        match self {
            Self::Cbor => whole(Cbor::new(body), out, |read| {
                read.value(view, label).map(drop)
            }),
            _ => whole(JsonText::new(body)?, out, |read| {
                read.value(view, label).map(drop)
            }),
        }
    }

    /// The members of a structure which is open, those of them that are `wanted`, from a whole body.
    pub(super) fn members(
        self,
        view: View<'_>,
        body: &[u8],
        out: &mut Builder,
        fields: &mut Fields,
        wanted: fn(View<'_>) -> bool,
    ) -> Result<(), Malformed> {
        match self {
            Self::Xml => {
                let mut xml = Xml::new(body, out)?;
                let root = xml.root()?;
                xml.members(view, root, fields).map(drop)
            }
            _ if self.is_missing(body) => Ok(()),
            Self::Cbor => whole(Cbor::new(body), out, |read| read.body(view, fields, wanted)),
            Self::Json => whole(JsonText::new(body)?, out, |read| {
                read.body(view, fields, wanted)
            }),
        }
    }

    /// A body of JSON or CBOR as it is.
    pub(super) fn parse(self, body: &[u8]) -> Result<Output<'static>, Malformed> {
        let mut out = self.builder(body);
        if !self.is_missing(body) {
            match self {
                Self::Cbor => whole(Cbor::new(body), &mut out, |read| {
                    read.any(Label::NONE).map(drop)
                })?,
                _ => whole(JsonText::new(body)?, &mut out, |read| {
                    read.any(Label::NONE).map(drop)
                })?,
            }
        }
        Ok(out.finish(None))
    }

    /// What an error of the shape says, as JSON; nothing when the body is not what the model promises.
    pub(super) fn detail(self, shape: View<'_>, body: &[u8]) -> Option<Value> {
        let mut out = self.builder(body);
        self.value(shape, body, &mut out, Label::NONE).ok()?;
        Some(out.finish(Some(shape.service())).to_json())
    }
}

/// Reads a source to its end.
fn whole<S: Source>(
    source: S,
    out: &mut Builder,
    read: impl FnOnce(&mut ByModel<'_, S>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut by_model = ByModel::new(source, out);
    read(&mut by_model)?;
    by_model.source.end()
}
