//! XML answers: a small tree, and its reading by the model. Shared by query, EC2 and REST-XML.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value};

use super::Malformed;
use super::bounds::{Budget, DEPTH_MAX};
use crate::model::{Kind, View};
use crate::scalar::{float_to_answer, integer_to_answer, parse_time_text, time_to_answer};

/// The attributes of an element: a limit, because each is compared with all before it.
const ATTRIBUTES_MAX: usize = 50;

/// An element. Names have lost their namespace prefix; attributes keep theirs.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Node {
    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads a document. Entities other than XML's own five and document types are refused; nothing is ever fetched.
pub(crate) fn parse(body: &[u8]) -> Result<Node, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed::new("the XML is not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Node> = Vec::new();
    let mut budget = Budget::new();
    loop {
        let event = reader.read_event();
        let position = reader.buffer_position();
        let not_xml = || Malformed(format!("not XML at byte {position}"));
        match event.map_err(|_| not_xml())? {
            Event::Start(start) => {
                if open.len() >= DEPTH_MAX {
                    return Err(Malformed::new("the XML is too deep"));
                }
                budget.spend()?;
                open.push(element(&start).ok_or_else(not_xml)?);
            }
            Event::Empty(start) => {
                budget.spend()?;
                let node = element(&start).ok_or_else(not_xml)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => return Ok(node),
                }
            }
            Event::End(_) => {
                let node = open.pop().ok_or_else(not_xml)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => return Ok(node),
                }
            }
            Event::Text(text) => push(&mut open, &text.xml_content(XmlVersion::Explicit1_0)),
            Event::CData(text) => push(&mut open, &text.xml_content(XmlVersion::Explicit1_0)),
            Event::GeneralRef(name) => push(&mut open, &entity(&name).ok_or_else(not_xml)?),
            Event::Eof => return Err(Malformed::new("the XML ends too early")),
            Event::DocType(_) => return Err(Malformed::new("the XML has a document type")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn push(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn element(start: &BytesStart<'_>) -> Option<Node> {
    let mut node = Node {
        name: start.local_name().as_ref().to_owned(),
        ..Node::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        if node.attributes.len() >= ATTRIBUTES_MAX {
            return None;
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
        let name = attribute.key.as_ref().to_owned();
        node.attributes.push((name, value.into_owned()));
    }
    Some(node)
}

fn entity(name: &BytesRef<'_>) -> Option<String> {
    if name.is_char_ref() {
        return name.resolve_char_ref().ok()?.map(String::from);
    }
    let text = match name.xml10_content().as_ref() {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The members of a structure that `node` holds.
pub(crate) fn structure(view: View<'_>, node: &Node) -> Result<Value, Malformed> {
    let mut parsed = Map::new();
    let mut children: Vec<&Node> = node.children.iter().collect();
    children.sort_by(|a, b| a.name.cmp(&b.name));
    for (name, member) in view.members() {
        if !member.is_in_answer_body() {
            continue;
        }
        let nodes = named(&children, member_name(member, name));
        let value = if nodes.is_empty() {
            attribute(member, node)
        } else {
            value(member, nodes)?
        };
        if let Some(value) = value {
            parsed.insert(name.to_owned(), value);
        }
    }
    if let Some(unknown) = node.children.first()
        && view.is_union()
        && parsed.is_empty()
    {
        let named = serde_json::json!({ "name": unknown.name });
        parsed.insert("SDK_UNKNOWN_MEMBER".to_owned(), named);
    }
    Ok(Value::Object(parsed))
}

/// Those of one name, among nodes in the order of their names.
fn named<'a, 'n>(sorted: &'a [&'n Node], name: &str) -> &'a [&'n Node] {
    let start = sorted.partition_point(|node| node.name.as_str() < name);
    let rest = sorted.get(start..).unwrap_or_default();
    let count = rest.partition_point(|node| node.name == name);
    rest.get(..count).unwrap_or_default()
}

/// A flattened list goes by the name of its items, when they have one.
fn member_name<'a>(member: View<'a>, name: &'a str) -> &'a str {
    let of_items = (member.kind() == Kind::List && member.is_flattened())
        .then(|| member.item()?.wire_name())
        .flatten();
    of_items.or(member.wire_name()).unwrap_or(name)
}

fn attribute(member: View<'_>, node: &Node) -> Option<Value> {
    if !member.is_attribute() {
        return None;
    }
    let wanted = member.wire_name()?;
    let found = node.attributes.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str().into())
}

/// The value that `nodes` (all of one name) hold; nothing when a number or time is empty.
pub(crate) fn value(view: View<'_>, nodes: &[&Node]) -> Result<Option<Value>, Malformed> {
    let Some(first) = nodes.first() else {
        return Ok(None);
    };
    match view.kind() {
        Kind::Structure => structure(view, first).map(Some),
        Kind::List if view.is_flattened() => list(view, nodes.iter().copied()).map(Some),
        Kind::List => list(view, first.children.iter()).map(Some),
        Kind::Map if view.is_flattened() => map(view, nodes.iter().copied()).map(Some),
        Kind::Map => map(view, first.children.iter()).map(Some),
        kind => scalar(kind, &first.text)
            .ok_or_else(|| Malformed(format!("<{}> should be {kind}", first.name))),
    }
}

/// A scalar from text: `None` when it is not one, `Some(None)` when it is empty and has no empty form.
pub(crate) fn scalar(kind: Kind, text: &str) -> Option<Option<Value>> {
    let needs_text = matches!(kind, Kind::Integer | Kind::Float | Kind::Timestamp);
    if needs_text && text.trim().is_empty() {
        return Some(None);
    }
    let value = match kind {
        Kind::Boolean => Some((text.trim() == "true").into()),
        Kind::Integer => integer_to_answer(text),
        Kind::Float => float_to_answer(text),
        // An odd time is no reason to lose the rest of the answer: it is given as it came.
        Kind::Timestamp => Some(parse_time_text(text).map_or(text.into(), time_to_answer)),
        _ => Some(text.into()),
    };
    value.map(Some)
}

fn list<'a>(view: View<'_>, nodes: impl Iterator<Item = &'a Node>) -> Result<Value, Malformed> {
    let item = view
        .item()
        .ok_or_else(|| Malformed::new("a list of nothing"))?;
    let mut items = Vec::new();
    for node in nodes {
        items.extend(value(item, &[node])?);
    }
    Ok(Value::Array(items))
}

fn map<'a>(view: View<'_>, entries: impl Iterator<Item = &'a Node>) -> Result<Value, Malformed> {
    let (Some(key), Some(item)) = (view.key(), view.value()) else {
        return Err(Malformed::new("a map of nothing"));
    };
    let (key_name, value_name) = (
        key.wire_name().unwrap_or("key"),
        item.wire_name().unwrap_or("value"),
    );
    let mut parsed = Map::new();
    for entry in entries {
        let name = entry.child(key_name).map(|node| node.text.clone());
        let given = entry.child(value_name).map(|node| value(item, &[node]));
        if let (Some(name), Some(Some(value))) = (name, given.transpose()?) {
            parsed.insert(name, value);
        }
    }
    Ok(Value::Object(parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entities_namespaces_cdata_and_attributes() {
        let root = parse(
            b"<?xml version=\"1.0\"?><a xmlns:x='u'><x:b x:t=\"1&amp;2\">&lt;&#65;\r\nz</x:b><c><![CDATA[<&]]></c></a>",
        )
        .unwrap();
        let b = root.child("b").unwrap();
        assert_eq!(b.text, "<A\nz");
        assert_eq!(b.attributes, [("x:t".to_owned(), "1&2".to_owned())]);
        assert_eq!(root.child("c").unwrap().text, "<&");
    }

    #[test]
    fn refuses_what_is_not_whole() {
        let deep = "<a>".repeat(5_000);
        for text in [
            "",
            "<a>",
            "<a></b>",
            "no",
            "<a>&own;</a>",
            "<!DOCTYPE a><a/>",
            &deep,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{:.20}", text);
        }
        assert!(parse(b"<a>\xff</a>").is_err());
        let attributes: String = (0..=ATTRIBUTES_MAX).map(|i| format!(" a{i}=''")).collect();
        assert!(parse(format!("<a{attributes}/>").as_bytes()).is_err());
        let many = format!("<a>{}</a>", "<b/>".repeat(super::super::bounds::VALUES_MAX));
        assert_eq!(
            parse(many.as_bytes()).unwrap_err().0,
            "more than 2000000 values"
        );
    }
}
