//! XML answers, read by the model. Shared by query, EC2 and REST-XML.

mod tree;

use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::Malformed;
use crate::model::{Kind, View};
use crate::scalar::{float_to_answer, integer_to_answer, parse_time_text, time_to_answer};

pub(crate) use tree::{Document, Node};

/// The members of a structure that `node` holds, in the order in which it holds them.
pub(crate) fn structure(view: View<'_>, node: Node<'_>) -> Result<Value, Malformed> {
    let mut parsed = Map::with_capacity(node.child_count());
    for child in node.children() {
        let members = view.members_on_wire(child.name());
        for (name, member) in members.filter(|(_, member)| member.is_in_answer_body()) {
            add(&mut parsed, name, member, child)?;
        }
    }
    if !node.attributes().is_empty() {
        let members = view.members().filter(|(_, member)| member.is_attribute());
        for (name, member) in members {
            if let (Some(value), Entry::Vacant(place)) =
                (attribute(member, node), parsed.entry(name))
            {
                place.insert(value);
            }
        }
    }
    if view.is_union()
        && parsed.is_empty()
        && let Some(unknown) = node.children().next()
    {
        let named = serde_json::json!({ "name": unknown.name() });
        parsed.insert("SDK_UNKNOWN_MEMBER".to_owned(), named);
    }
    Ok(Value::Object(parsed))
}

/// Adds what `node` says of the member: to a flattened list or map each of its elements adds, of any other the first
/// holds.
fn add(
    parsed: &mut Map<String, Value>,
    name: &str,
    member: View<'_>,
    node: Node<'_>,
) -> Result<(), Malformed> {
    match (parsed.entry(name), member.is_flattened()) {
        (Entry::Vacant(place), _) => {
            if let Some(value) = value(member, node)? {
                place.insert(value);
            }
        }
        (Entry::Occupied(mut place), true) => match place.get_mut() {
            Value::Array(items) => push_item(member, node, items)?,
            Value::Object(entries) => insert_entry(member, node, entries)?,
            _ => {}
        },
        (Entry::Occupied(_), false) => {}
    }
    Ok(())
}

fn attribute(member: View<'_>, node: Node<'_>) -> Option<Value> {
    let wanted = member.wire_name()?;
    let mut attributes = node.attributes().iter();
    let (_, value) = attributes.find(|(name, _)| name == wanted)?;
    Some(value.as_str().into())
}

/// The value that `node` holds; nothing when a number or time is empty.
fn value(view: View<'_>, node: Node<'_>) -> Result<Option<Value>, Malformed> {
    match view.kind() {
        Kind::Structure => structure(view, node).map(Some),
        Kind::List => {
            let mut items = Vec::new();
            if view.is_flattened() {
                push_item(view, node, &mut items)?;
            } else {
                items.reserve(node.child_count());
                for child in node.children() {
                    push_item(view, child, &mut items)?;
                }
            }
            Ok(Some(Value::Array(items)))
        }
        Kind::Map => {
            let mut entries = Map::new();
            if view.is_flattened() {
                insert_entry(view, node, &mut entries)?;
            } else {
                for child in node.children() {
                    insert_entry(view, child, &mut entries)?;
                }
            }
            Ok(Some(Value::Object(entries)))
        }
        kind => scalar(kind, node.text())
            .ok_or_else(|| Malformed(format!("<{}> should be {kind}", node.name()))),
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

fn push_item(list: View<'_>, node: Node<'_>, items: &mut Vec<Value>) -> Result<(), Malformed> {
    let item = list
        .item()
        .ok_or_else(|| Malformed::new("a list of nothing"))?;
    items.extend(value(item, node)?);
    Ok(())
}

fn insert_entry(
    map: View<'_>,
    node: Node<'_>,
    entries: &mut Map<String, Value>,
) -> Result<(), Malformed> {
    let (Some(key), Some(item)) = (map.key(), map.value()) else {
        return Err(Malformed::new("a map of nothing"));
    };
    let name = node.child(key.wire_name().unwrap_or("key"));
    let given = node.child(item.wire_name().unwrap_or("value"));
    if let (Some(name), Some(given)) = (name, given)
        && let Some(value) = value(item, given)?
    {
        entries.insert(name.text().to_owned(), value);
    }
    Ok(())
}
