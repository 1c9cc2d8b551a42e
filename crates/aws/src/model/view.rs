//! One use of a shape.

use serde_json::Number;

use super::Service;
use super::shape::{
    Entries, Inside, Kind, Location, Members, Name, Namespace, RareOfShape, RareOfUse, Reference,
    Shape,
};
use super::wire_names::{Probe, WireNames};

/// One use of a shape: the shape's traits, with those of the place that uses it laid over them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub(super) service: &'a Service,
    pub(super) shape: &'a Shape,
    pub(super) reference: &'a Reference,
}

impl<'a> View<'a> {
    /// Its type.
    #[inline]
    pub fn kind(self) -> Kind {
        self.shape.kind
    }

    /// The shape's name in the model.
    pub fn shape_name(self) -> &'a str {
        &self.shape.name
    }

    /// The members of a structure, sorted by their names in the API.
    pub fn members(self) -> impl Iterator<Item = (&'a str, View<'a>)> {
        let members = self.inner().map(|members| members.by_name.iter());
        members.into_iter().flatten().map(move |m| self.named(m))
    }

    /// The member `name` of a structure.
    pub fn member(self, name: &str) -> Option<View<'a>> {
        let members = &self.inner()?.by_name;
        let found = members.binary_search_by(|(known, _)| (**known).cmp(name));
        let (_, reference) = members.get(found.ok()?)?;
        Some(self.service.view(reference))
    }

    /// Where to look for the members that go by `wire` in an answer of XML: one, but for a few structures where an old
    /// member and its successor share a name.
    #[inline]
    pub(crate) fn probe_in_xml(self, wire: &str) -> Probe {
        self.xml_names().probe(wire)
    }

    /// The index of the next of them.
    #[inline]
    pub(crate) fn next_in_xml(self, wire: &str, probe: &mut Probe) -> Option<u16> {
        let (names, members) = (self.xml_names(), self.inner()?);
        loop {
            let index = names.next(probe)?;
            let (name, reference) = members.by_name.get(usize::from(index))?;
            if self.service.view(reference).name_in_xml(name) == wire {
                return Some(index);
            }
        }
    }

    #[inline]
    fn xml_names(self) -> &'a WireNames {
        self.inner().map_or(WireNames::none(), |m| {
            m.by_xml_name.as_deref().unwrap_or(&m.by_json_name)
        })
    }

    /// The index of the member that goes by `wire` in an answer of JSON or CBOR.
    #[inline]
    pub(crate) fn find_in_json(self, wire: &str) -> Option<u16> {
        let members = self.inner()?;
        let mut probe = members.by_json_name.probe(wire);
        loop {
            let index = members.by_json_name.next(&mut probe)?;
            let (name, reference) = members.by_name.get(usize::from(index))?;
            if self.service.view(reference).name_in_json(name) == wire {
                return Some(index);
            }
        }
    }

    /// The member of that index.
    #[inline]
    pub(crate) fn member_at(self, index: u16) -> Option<View<'a>> {
        let (_, reference) = self.inner()?.by_name.get(usize::from(index))?;
        Some(self.service.view(reference))
    }

    /// The member of that index, and its name in an answer of JSON or CBOR.
    pub(crate) fn json_member_at(self, index: u16) -> Option<(&'a str, View<'a>)> {
        let (name, reference) = self.inner()?.by_name.get(usize::from(index))?;
        let member = self.service.view(reference);
        Some((member.name_in_json(name), member))
    }

    /// The model it is of.
    pub(crate) fn service(self) -> &'a Service {
        self.service
    }

    /// The index of the member `name`.
    pub(crate) fn index_of(self, name: &str) -> Option<u16> {
        self.service.member_index(self.shape_index(), name)
    }

    /// The shape's index in its model.
    pub(crate) fn shape_index(self) -> u32 {
        self.reference.shape
    }

    /// What the member, which the API calls `name`, is called in the body of an answer of XML. A flattened list goes by
    /// the name of its items, when they have one.
    #[inline]
    pub(super) fn name_in_xml(self, name: &'a str) -> &'a str {
        let of_items = (self.kind() == Kind::List && self.is_flattened())
            .then(|| self.item()?.wire_name())
            .flatten();
        of_items.unwrap_or(self.name_in_json(name))
    }

    /// What the member, which the API calls `name`, is called in the body of an answer of JSON or CBOR.
    #[inline]
    pub(super) fn name_in_json(self, name: &'a str) -> &'a str {
        self.wire_name().unwrap_or(name)
    }

    #[inline]
    fn inner(self) -> Option<&'a Members> {
        match &self.shape.inside {
            Inside::Members(members) => Some(members),
            _ => None,
        }
    }

    fn named(self, (name, reference): &'a (Name, Reference)) -> (&'a str, View<'a>) {
        (name, self.service.view(reference))
    }

    /// The names of the members that must be given.
    pub fn required(self) -> &'a [String] {
        self.inner().map_or(&[], |members| &members.required)
    }

    /// What a list holds.
    #[inline]
    pub fn item(self) -> Option<View<'a>> {
        match &self.shape.inside {
            Inside::Item(item) => Some(self.service.view(item)),
            _ => None,
        }
    }

    /// What a map's keys are.
    pub fn key(self) -> Option<View<'a>> {
        Some(self.service.view(&self.entries()?.key))
    }

    /// What a map's values are.
    pub fn value(self) -> Option<View<'a>> {
        Some(self.service.view(&self.entries()?.value))
    }

    fn entries(self) -> Option<&'a Entries> {
        match &self.shape.inside {
            Inside::Entries(entries) => Some(entries),
            _ => None,
        }
    }

    fn rare_of_shape(self) -> Option<&'a RareOfShape> {
        self.shape.rare.as_deref()
    }

    fn rare_of_use(self) -> Option<&'a RareOfUse> {
        self.reference.rare.as_deref()
    }

    /// `locationName`: its name on the wire, when that is not its name in the API. A structure's own name is for
    /// documents and says nothing about members.
    #[inline]
    pub fn wire_name(self) -> Option<&'a str> {
        let own = || self.own_name().filter(|_| self.kind() != Kind::Structure);
        self.reference.location_name.as_deref().or_else(own)
    }

    /// The `locationName` of the shape itself, which names a whole XML document.
    pub fn own_name(self) -> Option<&'a str> {
        self.rare_of_shape()?.location_name.as_deref()
    }

    /// Whether the place that uses it names it.
    pub fn is_named_here(self) -> bool {
        self.reference.location_name.is_some()
    }

    /// `queryName`: its name in an EC2 request.
    pub fn query_name(self) -> Option<&'a str> {
        self.rare_of_use()?.query_name.as_deref()
    }

    /// The element that wraps a query result.
    pub fn result_wrapper(self) -> Option<&'a str> {
        self.rare_of_use()?.result_wrapper.as_deref()
    }

    /// Whether a list or map has no element of its own around its items.
    #[inline]
    pub fn is_flattened(self) -> bool {
        self.shape.flattened || self.reference.flattened
    }

    /// Where in the HTTP message it is: `uri`, `querystring`, `header`, `headers`, `statusCode`.
    #[inline]
    pub fn location(self) -> Option<&'a str> {
        let own = self.rare_of_shape().and_then(|rare| rare.location);
        self.reference.location.or(own).map(Location::as_str)
    }

    /// Whether an answer has it in its body: in an answer only the headers and the status are elsewhere.
    #[inline]
    pub fn is_in_answer_body(self) -> bool {
        !matches!(self.location(), Some("header" | "headers" | "statusCode"))
    }

    /// Whether it is a stream of bytes.
    pub fn is_streaming(self) -> bool {
        self.shape.streaming || self.reference.streaming
    }

    /// The member that is the whole body.
    pub fn payload(self) -> Option<&'a str> {
        let here = self.rare_of_use().and_then(|r| r.payload.as_deref());
        here.or_else(|| self.rare_of_shape()?.payload.as_deref())
    }

    /// How a time is written.
    pub fn timestamp_format(self) -> Option<&'a str> {
        let here = self
            .rare_of_use()
            .and_then(|r| r.timestamp_format.as_deref());
        here.or_else(|| self.rare_of_shape()?.timestamp_format.as_deref())
    }

    /// The XML namespace to declare: prefix and URI.
    pub fn namespace(self) -> Option<(Option<&'a str>, &'a str)> {
        let here = self.rare_of_use().and_then(|r| r.xml_namespace.as_ref());
        match here.or_else(|| self.rare_of_shape()?.xml_namespace.as_ref())? {
            Namespace::Plain(uri) => Some((None, uri)),
            Namespace::Prefixed { uri, prefix } => Some((prefix.as_deref(), uri)),
        }
    }

    /// Whether the place that uses it declares an XML namespace.
    pub fn is_namespaced_here(self) -> bool {
        self.rare_of_use()
            .is_some_and(|r| r.xml_namespace.is_some())
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

    /// Whether it is one event of a stream.
    pub fn is_event(self) -> bool {
        self.shape.event
    }

    /// Whether it is a header of its event.
    pub fn is_event_header(self) -> bool {
        self.reference.eventheader
    }

    /// Whether it is the whole payload of its event.
    pub fn is_event_payload(self) -> bool {
        self.reference.eventpayload
    }

    /// The parameter of the endpoint rules that takes its value.
    pub fn context_param(self) -> Option<&'a str> {
        self.rare_of_use()?.context_param.as_deref()
    }

    /// The least that it may be: the value of a number, the characters of text, the bytes of a blob, the items of
    /// a list or map.
    pub fn min(self) -> Option<&'a Number> {
        self.rare_of_shape()?.min.as_ref()
    }

    /// The most that it may be, as in [`min`](Self::min).
    pub fn max(self) -> Option<&'a Number> {
        self.rare_of_shape()?.max.as_ref()
    }

    /// Whether an error of this shape may go away by itself.
    pub fn is_retryable(self) -> bool {
        self.rare_of_shape().is_some_and(|r| r.retryable.is_some())
    }

    /// Whether an error of this shape says that too much was asked.
    pub fn is_throttling(self) -> bool {
        let trait_of = self.rare_of_shape().and_then(|r| r.retryable);
        trait_of.is_some_and(|r| r.throttling)
    }

    /// The code an error of this shape carries.
    pub fn error_code(self) -> &'a str {
        let given = self.rare_of_shape().and_then(|r| r.error_code.as_deref());
        given.unwrap_or(&self.shape.name)
    }
}
