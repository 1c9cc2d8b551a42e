//! Conditions as the JSON text of a pattern.

use std::collections::BTreeMap;

use crate::words::{join, quote};

/// The fields that a pattern begins with, and the one it ends with, as people write them.
const FIRST: [&str; 2] = ["source", "detail-type"];
const LAST: &str = "detail";

#[derive(Default)]
struct Node {
    list: Option<String>,
    children: BTreeMap<String, Node>,
}

/// The pattern that asks for these fields: each its names joined by dots, and its list as a pattern writes it.
pub(crate) fn pattern<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut root = Node::default();
    for (path, list) in fields {
        let mut node = &mut root;
        for name in path.split('.') {
            node = node.children.entry(name.to_owned()).or_default();
        }
        node.list = Some(list);
    }
    let mut members: Vec<(String, String)> = members(root);
    members.sort_by_key(|(name, _)| {
        let first = FIRST.iter().position(|first| first == name);
        (name == LAST, first.unwrap_or(FIRST.len()))
    });
    object(members)
}

/// The members of a node's object. One with a list and children of its own needs its dotted names too.
fn members(node: Node) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, child) in node.children {
        let Some(list) = child.list else {
            out.push((name, object(members(child))));
            continue;
        };
        let children = Node {
            list: None,
            children: child.children,
        };
        out.extend(
            members(children)
                .into_iter()
                .map(|(inner, value)| (format!("{name}.{inner}"), value)),
        );
        out.push((name, list));
    }
    out
}

fn object(members: Vec<(String, String)>) -> String {
    let member = |(name, value): (String, String)| format!("{}: {value}", quote(&name));
    format!("{{{}}}", join(members.into_iter().map(member), ", "))
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn nests_names_and_begins_with_what_people_begin_with() {
        let list = || "[1]".to_owned();
        assert_eq!(
            pattern([
                ("account", list()),
                ("detail.a.b", list()),
                ("detail.c", list()),
                ("source", list())
            ]),
            r#"{"source": [1], "account": [1], "detail": {"a": {"b": [1]}, "c": [1]}}"#
        );
    }

    #[test]
    fn a_name_with_a_list_and_children_is_written_with_dots() {
        let list = || "[1]".to_owned();
        assert_eq!(
            pattern([("a", list()), ("a.b", list())]),
            r#"{"a.b": [1], "a": [1]}"#
        );
    }
}
