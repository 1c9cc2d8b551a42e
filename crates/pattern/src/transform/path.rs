//! JSON paths, as far as EventBridge supports them: dots, array indices, wildcards.

use super::error::TransformError;
use super::tree::Tree;
use crate::limits::INPUT_PATH_CHARS_MAX;

/// A path into an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Name(String),
    Index(usize),
    All,
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, TransformError> {
        let fault = |reason| TransformError::Path {
            path: text.to_owned(),
            reason,
        };
        if text.chars().count() > INPUT_PATH_CHARS_MAX {
            return Err(fault("it has more than 256 characters"));
        }
        let mut rest = text.strip_prefix('$').ok_or(fault("it begins with $"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (index, after) = inside.split_once(']').ok_or(fault("a ] is missing"))?;
                steps.push(match index {
                    "*" => Step::All,
                    _ => Step::Index(index.parse().map_err(|_| {
                        fault("brackets hold an index or *; names are written with dots")
                    })?),
                });
                rest = after;
            } else {
                let named = rest.strip_prefix('.').ok_or(fault("a dot is missing"))?;
                let end = named.find(['.', '[']).unwrap_or(named.len());
                let (name, after) = named.split_at_checked(end).unwrap_or_default();
                steps.push(match name {
                    "" => return Err(fault("a name is missing")),
                    "*" => Step::All,
                    _ => Step::Name(name.to_owned()),
                });
                rest = after;
            }
        }
        Ok(Self { steps })
    }

    /// The value there, if there is one. A path with a wildcard finds an array, of all there is.
    pub(super) fn find(&self, root: &Tree) -> Option<Tree> {
        let mut found = vec![root];
        for step in &self.steps {
            found = found.into_iter().flat_map(|at| step.from(at)).collect();
        }
        if self.steps.contains(&Step::All) {
            return Some(Tree::Array(found.into_iter().cloned().collect()));
        }
        found.first().map(|at| (*at).clone())
    }
}

impl Step {
    fn from<'t>(&self, tree: &'t Tree) -> Vec<&'t Tree> {
        match (self, tree) {
            (Self::Name(name), _) => tree.member(name).into_iter().collect(),
            (Self::Index(index), Tree::Array(elements)) => {
                elements.get(*index).into_iter().collect()
            }
            (Self::All, Tree::Array(elements)) => elements.iter().collect(),
            (Self::All, Tree::Object(members)) => members.iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_name_index_and_wildcard() {
        let event = r#"{"detail": {"instance-id": "i-1", "list": [{"a": 1}, {"a": 2}, {"b": 3}]}, "a/b": null}"#;
        let event = Tree::parse(event, 100).unwrap();
        let found = |path: &str| {
            Path::parse(path)
                .unwrap()
                .find(&event)
                .map(|tree| tree.json())
        };
        assert_eq!(found("$.detail.instance-id").unwrap(), "\"i-1\"");
        assert_eq!(found("$.detail.list[1]").unwrap(), r#"{"a":2}"#);
        assert_eq!(found("$.detail.list[*].a").unwrap(), "[1,2]");
        assert_eq!(found("$.detail.list.*.b").unwrap(), "[3]");
        assert_eq!(found("$.a/b").unwrap(), "null");
        assert_eq!(found("$").unwrap(), event.json());
        assert_eq!(
            (
                found("$.no"),
                found("$.detail.list[9]"),
                found("$.detail[0]")
            ),
            (None, None, None)
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (path, reason) in [
            ("detail", "it begins with $"),
            ("$detail", "a dot is missing"),
            ("$..detail", "a name is missing"),
            (
                "$.detail['a']",
                "brackets hold an index or *; names are written with dots",
            ),
            ("$.a[0", "a ] is missing"),
        ] {
            let error = Path::parse(path).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{path} is no JSON path EventBridge supports: {reason}")
            );
        }
        assert!(Path::parse(&format!("$.{}", "a".repeat(255))).is_err());
    }
}
