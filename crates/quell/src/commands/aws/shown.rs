//! An answer for people: its single values by name, its lists as tables. `--output json` has all of it.

use serde_json::{Map, Value};

use crate::output::{safe, table};

/// So many columns a person can take in at once.
const COLUMNS_MAX: usize = 7;
/// A longer cell is cut.
const CELL_CHARS_MAX: usize = 80;

/// Draws an answer.
pub(super) fn answer(answer: &Value) -> String {
    let mut single = Vec::new();
    let mut lists = Vec::new();
    take_apart("", answer, &mut single, &mut lists);
    let mut parts = Vec::new();
    if !single.is_empty() {
        // There is nothing above the columns.
        parts.push(table(&["", ""], single).trim_start_matches('\n').to_owned());
    }
    parts.extend(lists.iter().map(|(name, items)| list(name, items)));
    if parts.is_empty() {
        return "an answer without content".to_owned();
    }
    parts.join("\n\n")
}

/// Single values with their paths, and lists of objects with theirs.
fn take_apart<'a>(
    path: &str,
    value: &'a Value,
    single: &mut Vec<Vec<String>>,
    lists: &mut Vec<(String, Vec<&'a Map<String, Value>>)>,
) {
    let objects = value
        .as_array()
        .map(|items| items.iter().filter_map(Value::as_object));
    match (value, objects.map(Iterator::collect::<Vec<_>>)) {
        (Value::Object(members), _) => {
            for (name, value) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                take_apart(&path, value, single, lists);
            }
        }
        (_, Some(objects)) if !objects.is_empty() => lists.push((path.to_owned(), objects)),
        (Value::Null, _) => {}
        (value, _) => single.push(vec![path.to_owned(), cell(value)]),
    }
}

fn list(name: &str, items: &[&Map<String, Value>]) -> String {
    let mut columns: Vec<&String> = Vec::new();
    for key in items.iter().flat_map(|item| item.keys()) {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    // What an item is called comes first, then how it is.
    columns.sort_by_key(|column| {
        (
            rank(column),
            items.iter().all(|item| is_nested(item.get(*column))),
        )
    });
    let left_out = columns.len().saturating_sub(COLUMNS_MAX);
    columns.truncate(COLUMNS_MAX);
    let rows = items.iter().map(|item| {
        let cells = columns.iter().map(|c| item.get(*c).map(cell));
        cells.map(Option::unwrap_or_default).collect()
    });
    let headings: Vec<String> = columns.iter().map(|column| safe(column)).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut out = format!(
        "{} ({})\n{}",
        safe(name),
        items.len(),
        table(&headings, rows)
    );
    if left_out > 0 {
        out.push_str(&format!("\n{left_out} more column(s): --output json"));
    }
    out
}

fn rank(column: &str) -> u8 {
    let ends = |endings: &[&str]| {
        endings
            .iter()
            .any(|ending| column.to_lowercase().ends_with(ending))
    };
    if ends(&["name", "id", "arn"]) {
        0
    } else if ends(&["state", "status"]) {
        1
    } else {
        2
    }
}

fn is_nested(value: Option<&Value>) -> bool {
    matches!(value, None | Some(Value::Array(_) | Value::Object(_)))
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) if items.iter().all(|item| !is_nested(Some(item))) => {
            items.iter().map(cell).collect::<Vec<_>>().join(", ")
        }
        Value::Array(items) => format!("[{}]", items.len()),
        other => other.to_string(),
    };
    if text.chars().count() <= CELL_CHARS_MAX {
        return text;
    }
    let kept = text.chars().take(CELL_CHARS_MAX - 1);
    kept.chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn single_values_stand_by_name_and_lists_as_tables() {
        let text = answer(&json!({
            "Account": {"Id": "1", "Tags": ["a", "b"], "Nothing": null, "Empty": []},
            "Users": [{"Path": "/", "UserName": "u1"}, {"UserName": "u2", "Inner": [{"x": 1}]}],
        }));
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(lines.contains(&"Account.Id     1"), "{text}");
        assert!(lines.contains(&"Account.Tags   a, b"), "{text}");
        assert!(lines.contains(&"Account.Empty  none"), "{text}");
        assert!(lines.contains(&"Users (2)"), "{text}");
        assert!(text.contains("USERNAME"), "{text}");
        assert!(!text.contains("Nothing"), "{text}");
        assert_eq!(answer(&json!({})), "an answer without content");
    }

    #[test]
    fn wide_and_long_is_cut_and_said() {
        let item: Map<String, Value> = (0..12).map(|i| (format!("C{i:02}"), json!(i))).collect();
        let text = answer(&json!({"L": [item], "T": "x".repeat(1000)}));
        assert!(text.contains("5 more column(s): --output json"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() < 100),
            "{text}"
        );
    }
}
