//! One path: `$.a['b'][0]`, `$$.Execution.Id`, `$variable.a[*].b`.
//!
//! Step Functions' dialect is older than RFC 9535: a path that can only ever
//! select one value gives that value or fails, any other gives an array.

use super::cursor::Cursor;
use super::filter::Filter;
use super::select;
use crate::limits::PATH_STEPS_MAX;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write as _;

/// A parsed path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    text: String,
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
}

/// What a path begins with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Root {
    /// `$`
    Input,
    /// `$$`
    Context,
    /// `$name`
    Variable(String),
    /// `@`, in a filter.
    Item,
}

/// One selector of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Child(String),
    Children(Vec<String>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>, i64),
    Wildcard,
    /// `..`: the next step applies to everything below.
    Descend,
    Filter(Filter),
    /// `length()`
    Length,
}

impl Path {
    /// Parses a whole text.
    pub(crate) fn parse(text: &str) -> Option<Path> {
        let mut cursor = Cursor::new(text);
        let path = Path::read(&mut cursor)?;
        (cursor.at_end() && path.root != Root::Item).then_some(path)
    }

    /// Reads a path as far as it goes.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Path> {
        let root = read_root(cursor)?;
        let mut steps = Vec::new();
        while let Some('.' | '[') = cursor.peek() {
            read_step(cursor, &mut steps)?;
            if steps.len() > PATH_STEPS_MAX {
                return None;
            }
        }
        if steps.last() == Some(&Step::Descend) {
            return None;
        }
        let mut path = Path {
            text: String::new(),
            root,
            steps,
        };
        path.text = path.canonical();
        Some(path)
    }

    /// Whether the path selects exactly one value or fails.
    pub(crate) fn is_definite(&self) -> bool {
        let last = self.steps.len().saturating_sub(1);
        self.steps.iter().enumerate().all(|(n, step)| match step {
            Step::Child(_) | Step::Index(_) | Step::Length => true,
            Step::Children(_) => n == last,
            _ => false,
        })
    }

    /// Whether the path reads the state's input and selects one place in it.
    pub(crate) fn is_reference(&self) -> bool {
        self.root == Root::Input
            && self
                .steps
                .iter()
                .all(|step| matches!(step, Step::Child(_) | Step::Index(_)))
    }

    /// The path as bracketed text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the path selects below `root`; an error says what is not there.
    pub(super) fn select(&self, root: &Value) -> Result<Value, String> {
        if !self.is_definite() {
            let found = select::all(root, root, &self.steps)
                .ok_or_else(|| "The path selects too many values".to_owned())?;
            return Ok(Value::Array(found.into_iter().cloned().collect()));
        }
        let mut at = String::from("$");
        let mut value = Cow::Borrowed(root);
        for (n, step) in self.steps.iter().enumerate() {
            let _ = write!(at, "{step}");
            let next = match value {
                Cow::Borrowed(value) => select::one(value, step),
                Cow::Owned(value) => {
                    select::one(&value, step).map(|found| Cow::Owned(found.into_owned()))
                }
            };
            value = next.ok_or_else(|| {
                if n + 1 == self.steps.len() {
                    format!("No results for path: {at}")
                } else {
                    format!("Missing property in path {at}")
                }
            })?;
        }
        Ok(value.into_owned())
    }

    fn canonical(&self) -> String {
        let mut text = match &self.root {
            Root::Input => "$".to_owned(),
            Root::Context => "$$".to_owned(),
            Root::Variable(name) => format!("${name}"),
            Root::Item => "@".to_owned(),
        };
        for step in &self.steps {
            let _ = write!(text, "{step}");
        }
        text
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::Child(name) => write!(f, "['{name}']"),
            Step::Children(names) => write!(f, "['{}']", names.join("','")),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Wildcard => f.write_str("[*]"),
            Step::Descend => f.write_str(".."),
            Step::Length => f.write_str(".length()"),
            Step::Indexes(_) | Step::Slice(..) => f.write_str("[]"),
            Step::Filter(_) => f.write_str("[?]"),
        }
    }
}

fn read_root(cursor: &mut Cursor<'_>) -> Option<Root> {
    if cursor.eat("@") {
        return Some(Root::Item);
    }
    if !cursor.eat("$") {
        return None;
    }
    if cursor.eat("$") {
        return Some(Root::Context);
    }
    let name = cursor.take_while(|c| c.is_alphanumeric() || c == '_');
    Some(match name {
        "" => Root::Input,
        name => Root::Variable(name.to_owned()),
    })
}

fn read_step(cursor: &mut Cursor<'_>, steps: &mut Vec<Step>) -> Option<()> {
    if cursor.eat("..") {
        steps.push(Step::Descend);
        if cursor.peek() == Some('[') {
            return Some(());
        }
    } else if cursor.eat("[") {
        steps.push(read_bracket(cursor)?);
        return Some(());
    } else if !cursor.eat(".") {
        return None;
    }
    if cursor.peek() == Some('[') {
        return None;
    }
    if cursor.eat("*") {
        steps.push(Step::Wildcard);
    } else if cursor.eat("length()") {
        steps.push(Step::Length);
    } else {
        let name = cursor.take_while(is_name);
        if name.is_empty() {
            return None;
        }
        steps.push(Step::Child(name.to_owned()));
    }
    Some(())
}

fn is_name(character: char) -> bool {
    !character.is_whitespace()
        && !character.is_control()
        && !".[](),'\"<>=!&|?*{}".contains(character)
}

fn read_bracket(cursor: &mut Cursor<'_>) -> Option<Step> {
    cursor.skip_space();
    let step = match cursor.peek()? {
        '*' => {
            cursor.advance();
            Step::Wildcard
        }
        '?' => {
            cursor.advance();
            cursor.expect("(")?;
            let filter = Filter::read(cursor, 0)?;
            cursor.expect(")")?;
            Step::Filter(filter)
        }
        '\'' | '"' => read_names(cursor)?,
        _ => read_indexes(cursor)?,
    };
    cursor.expect("]")?;
    Some(step)
}

fn read_names(cursor: &mut Cursor<'_>) -> Option<Step> {
    let first = cursor.quoted()?;
    let mut names = vec![first.clone()];
    while cursor.eat_spaced(",") {
        cursor.skip_space();
        names.push(cursor.quoted()?);
    }
    Some(match names.len() {
        1 => Step::Child(first),
        _ => Step::Children(names),
    })
}

fn read_indexes(cursor: &mut Cursor<'_>) -> Option<Step> {
    let first = cursor.integer_or_none()?;
    if cursor.eat_spaced(":") {
        cursor.skip_space();
        let end = cursor.integer_or_none()?;
        let step = match cursor.eat_spaced(":") {
            true => cursor.integer_or_none()?.unwrap_or(1),
            false => 1,
        };
        return (step > 0).then_some(Step::Slice(first, end, step));
    }
    let first = first?;
    let mut indexes = vec![first];
    while cursor.eat_spaced(",") {
        cursor.skip_space();
        indexes.push(cursor.integer()?);
    }
    Some(match indexes.len() {
        1 => Step::Index(first),
        _ => Step::Indexes(indexes),
    })
}

impl Cursor<'_> {
    /// An integer, or nothing where none is written; fails on a broken one.
    fn integer_or_none(&mut self) -> Option<Option<i64>> {
        match self.peek()? {
            ':' | ']' | ' ' => Some(None),
            _ => self.integer().map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn select(path: &str, root: Value) -> Result<Value, String> {
        Path::parse(path).unwrap().select(&root)
    }

    #[test]
    fn definite_paths_give_one_value() {
        let root = json!({"a": {"b c": [1, 2, 3]}, "n": null});
        for (path, expected) in [
            ("$", root.clone()),
            ("$.a['b c'][0]", json!(1)),
            ("$.a[\"b c\"][-1]", json!(3)),
            ("$.n", Value::Null),
            ("$.a['b c'].length()", json!(3)),
            ("$['n','a']", root.clone()),
        ] {
            assert_eq!(select(path, root.clone()), Ok(expected), "{path}");
        }
        assert_eq!(
            select("$.x", root.clone()),
            Err("No results for path: $['x']".to_owned())
        );
        assert_eq!(
            select("$.x.y.z", root),
            Err("Missing property in path $['x']".to_owned())
        );
    }

    #[test]
    fn other_paths_give_arrays() {
        let root = json!({"a": [{"n": 1}, {"n": 5, "k": "x"}, {"m": 9}]});
        for (path, expected) in [
            ("$.a[*].n", json!([1, 5])),
            ("$..n", json!([1, 5])),
            ("$.a[0:2].n", json!([1, 5])),
            ("$.a[-1:].m", json!([9])),
            ("$.a[0,2]", json!([{"n": 1}, {"m": 9}])),
            ("$.a[?(@.n > 1)].n", json!([5])),
            (
                "$.a[?(@.k == 'x' || @.m)]",
                json!([{"n": 5, "k": "x"}, {"m": 9}]),
            ),
            ("$.a[?(!@.n)].m", json!([9])),
            ("$.a[?(@.n >= 1 && @.n < 5)].n", json!([1])),
            ("$.b[*]", json!([])),
        ] {
            assert_eq!(select(path, root.clone()), Ok(expected), "{path}");
        }
    }

    #[test]
    fn exploding_paths_end() {
        let nested = (0..90).fold(json!(1), |inner, _| json!([inner]));
        let path = format!("${}", "..[*]".repeat(20));
        assert!(select(&path, nested).is_err());
    }

    #[test]
    fn broken_paths_are_refused() {
        for path in [
            "",
            "a",
            "$.",
            "$..",
            "$.a[",
            "$.a]",
            "$.a['b]",
            "$.a b",
            "$.a[?(@.x]",
            "@.a",
            "$.a[x]",
        ] {
            assert_eq!(Path::parse(path), None, "{path}");
        }
        let deep = format!("$[?({}@.a{})]", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(Path::parse(&deep), None);
    }
}
