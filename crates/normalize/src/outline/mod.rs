//! A JSON text, read once: where each of its values is. Nothing is copied and nothing is built.
//!
//! What is accepted is what `serde_json` accepts when it keeps nothing; a property test holds the two together.

mod marks;
mod walk;

use std::borrow::Cow;

use walk::Walk;

/// An outline has no more values than this: each takes 24 bytes, and a value can be written in two. CloudTrail's records have some fifty.
const NODES_MAX: usize = 4 * 1024 * 1024;
/// Memory for so many is kept from text to text.
const NODES_KEPT: usize = 256 * 1024;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object.
    Object,
    /// An array.
    Array,
    /// A string that stands in the text as it is.
    Text,
    /// A string with escapes.
    Escaped,
    /// A number.
    Number,
    /// `true`.
    True,
    /// `false`.
    False,
    /// `null`.
    Null,
}

/// Where a value is, and its key when it is a member of an object.
#[derive(Clone, Copy, Debug)]
struct Node {
    key_start: u32,
    key_end: u32,
    /// Of a string, its inside.
    start: u32,
    end: u32,
    /// The first node that does not lie in this one.
    next: u32,
    kind: Kind,
    is_key_escaped: bool,
}

/// The places of the values of a text, in its order. Its memory is used again for the next text.
#[derive(Debug, Default)]
pub struct Outline {
    nodes: Vec<Node>,
}

impl Outline {
    /// Reads a text; `None` when it is not one JSON value, or has more than four million, or 4 GiB.
    pub fn read<'t>(&'t mut self, text: &'t str) -> Option<Part<'t>> {
        u32::try_from(text.len()).ok()?;
        if self.nodes.capacity() > NODES_KEPT {
            self.nodes = Vec::new();
        }
        self.nodes.clear();
        Walk::new(text.as_bytes(), &mut self.nodes).walk()?;
        Part::at(text, &self.nodes, 0)
    }
}

/// A value of a text, with all that lies in it.
#[derive(Clone, Copy, Debug)]
pub struct Part<'t> {
    text: &'t str,
    nodes: &'t [Node],
    at: u32,
    node: &'t Node,
}

impl<'t> Part<'t> {
    #[inline]
    fn at(text: &'t str, nodes: &'t [Node], at: u32) -> Option<Self> {
        let node = nodes.get(usize::try_from(at).ok()?)?;
        Some(Self {
            text,
            nodes,
            at,
            node,
        })
    }

    /// What it is.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.node.kind
    }

    /// Its text, as it stands there.
    pub fn raw(&self) -> &'t str {
        let (start, end) = match self.node.kind {
            Kind::Text | Kind::Escaped => (self.node.start.saturating_sub(1), self.node.end + 1),
            _ => (self.node.start, self.node.end),
        };
        slice(self.text, start, end)
    }

    /// The string that it is, when it has no escapes.
    #[inline]
    pub fn plain(&self) -> Option<&'t str> {
        let is_plain = self.node.kind == Kind::Text;
        is_plain.then(|| slice(self.text, self.node.start, self.node.end))
    }

    /// The string that it is; `None` for half a surrogate pair, which JSON's grammar lets through.
    #[inline]
    pub fn string(&self) -> Option<Cow<'t, str>> {
        match self.node.kind {
            Kind::Text => self.plain().map(Cow::Borrowed),
            Kind::Escaped => serde_json::from_str(self.raw()).ok().map(Cow::Owned),
            _ => None,
        }
    }

    /// The members of an object, or the elements of an array, in order.
    #[inline]
    pub fn inner(&self) -> Inner<'t> {
        let is_open = matches!(self.node.kind, Kind::Object | Kind::Array);
        Inner {
            text: self.text,
            nodes: self.nodes,
            at: self.at + 1,
            end: if is_open { self.node.next } else { 0 },
        }
    }

    /// The value of a key of an object: the last when it stands there twice, as for every reader of JSON that keeps one.
    pub fn child(&self, key: &str) -> Option<Part<'t>> {
        if self.node.kind != Kind::Object {
            return None;
        }
        self.inner().filter(|part| part.has_key(key)).last()
    }

    /// Its key in the object around it, as it stands there.
    #[inline]
    pub fn raw_key(&self) -> &'t str {
        slice(self.text, self.node.key_start, self.node.key_end)
    }

    /// Whether its key has escapes.
    #[inline]
    pub fn is_key_escaped(&self) -> bool {
        self.node.is_key_escaped
    }

    /// Its key in the object around it; `None` for half a surrogate pair.
    #[inline]
    pub fn key(&self) -> Option<Cow<'t, str>> {
        if !self.node.is_key_escaped {
            return Some(Cow::Borrowed(self.raw_key()));
        }
        let (start, end) = (self.node.key_start.saturating_sub(1), self.node.key_end + 1);
        let key = serde_json::from_str(slice(self.text, start, end));
        key.ok().map(Cow::Owned)
    }

    #[inline]
    fn has_key(&self, key: &str) -> bool {
        if self.node.is_key_escaped {
            return self.key().is_some_and(|own| own == key);
        }
        self.raw_key() == key
    }

    /// Its place in the outline.
    #[inline]
    pub fn place(&self) -> u32 {
        self.at
    }

    /// The value at a place of the same outline.
    #[inline]
    pub fn of_place(&self, at: u32) -> Option<Part<'t>> {
        Part::at(self.text, self.nodes, at)
    }
}

#[inline]
fn slice(text: &str, start: u32, end: u32) -> &str {
    let (start, end) = (usize::try_from(start), usize::try_from(end));
    let place = start.unwrap_or(0)..end.unwrap_or(0);
    text.get(place).unwrap_or_default()
}

/// The values in an object or array.
#[derive(Clone, Debug)]
pub struct Inner<'t> {
    text: &'t str,
    nodes: &'t [Node],
    at: u32,
    end: u32,
}

impl<'t> Iterator for Inner<'t> {
    type Item = Part<'t>;

    #[inline]
    fn next(&mut self) -> Option<Part<'t>> {
        if self.at >= self.end {
            return None;
        }
        let part = Part::at(self.text, self.nodes, self.at)?;
        self.at = part.node.next;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;

    /// What a part is, built up as `serde_json` would.
    fn built(part: Part<'_>) -> Value {
        match part.kind() {
            Kind::Object => {
                let member = |part: Part<'_>| (part.key().unwrap().into_owned(), built(part));
                part.inner().map(member).collect()
            }
            Kind::Array => part.inner().map(built).collect(),
            Kind::Text | Kind::Escaped => part.string().unwrap().into(),
            _ => serde_json::from_str(part.raw()).unwrap(),
        }
    }

    fn holds(text: &str) -> Result<(), TestCaseError> {
        let mut outline = Outline::default();
        let part = outline.read(text);
        let raw = serde_json::from_str::<&RawValue>(text);
        prop_assert_eq!(
            part.map(|p| p.raw()),
            raw.as_ref().ok().map(|r| r.get()),
            "{}",
            text
        );
        if let (Some(part), Ok(value)) = (part, serde_json::from_str::<Value>(text)) {
            prop_assert_eq!(built(part), value, "{}", text);
        }
        Ok(())
    }

    fn value() -> impl Strategy<Value = String> {
        let scalar = prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0",
            "1e5",
            "-1.5E-3",
            "\"\"",
            "\"a\"",
            "\"\\\"\"",
            "\"\\\\\"",
            "\"\\u00e9\\n\"",
            "\"\u{e9}\\\\\\\" :,{}[]\"",
            "\"\\ud83d\\ude00\"",
            "\"0123456789012345678901234567890123456789\"",
            "18446744073709551615",
            "{}",
            "[]",
        ]);
        let key = prop::sample::select(vec![
            "a",
            "b",
            "a\\u0062",
            "\\\"",
            "a long key that goes on",
            "",
        ]);
        let space = prop::sample::select(vec![
            "",
            "",
            "",
            " ",
            "\n\t",
            "                                  ",
        ]);
        scalar
            .prop_map(str::to_owned)
            .prop_recursive(4, 40, 6, move |inner| {
                let list =
                    prop::collection::vec((inner.clone(), space.clone()), 0..6).prop_map(|items| {
                        let items: Vec<String> = items
                            .iter()
                            .map(|(item, s)| format!("{s}{item}{s}"))
                            .collect();
                        format!("[{}]", items.join(","))
                    });
                let member = (key.clone(), inner, space.clone());
                let object = prop::collection::vec(member, 0..6).prop_map(|members| {
                    let members = members
                        .iter()
                        .map(|(k, v, s)| format!("{s}\"{k}\"{s}:{s}{v}{s}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                });
                prop_oneof![list, object]
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]
        #[test]
        fn reads_what_serde_json_reads(text in value(), at in 0..400usize, other in "[\"\\\\{}\\[\\],:0-9a-z\u{1} ]{0,3}") {
            holds(&text)?;
            let (mut at, mut changed) = (at % (text.len() + 1), text.clone());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            changed.insert_str(at, &other);
            holds(&changed)?;
            holds(text.get(..at).unwrap())?;
        }

        #[test]
        fn reads_no_more_than_serde_json_reads(text in "[\"\\\\{}\\[\\],:0-9eE+.truefalsn\u{1} -]{0,90}") {
            holds(&text)?;
        }
    }

    #[test]
    fn ten_thousand_levels_are_read_without_recursion() {
        for (open, close) in [("[", "]"), ("{\"p\":", "}")] {
            let text = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            let mut outline = Outline::default();
            let mut part = outline.read(&text).unwrap();
            let mut levels = 0;
            while let Some(inner) = part.inner().next() {
                (part, levels) = (inner, levels + 1);
            }
            assert_eq!((levels, part.raw()), (10_000, "1"));
        }
    }

    #[test]
    fn more_values_than_an_outline_has_are_not_read() {
        let text = |values: usize| format!("[{}1]", "1,".repeat(values - 2));
        let mut outline = Outline::default();
        assert!(outline.read(&text(NODES_MAX)).is_some());
        assert!(outline.read(&text(NODES_MAX + 1)).is_none());
        assert!(outline.read("1").is_some() && outline.nodes.capacity() < NODES_KEPT);
    }

    #[test]
    fn of_a_key_that_stands_there_twice_the_last_counts() {
        let mut outline = Outline::default();
        let part = outline.read(r#"{"a":1,"b":{"a":3},"\u0061":2}"#).unwrap();
        assert_eq!(part.child("a").unwrap().raw(), "2");
        assert_eq!(part.child("c").map(|p| p.raw()), None);
    }
}
