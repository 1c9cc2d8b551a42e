//! XML answers, read by the model in one pass over their bytes. Shared by query, EC2 and REST-XML.

mod elements;

use super::Malformed;
use crate::model::{Kind, View};
use crate::output::{Builder, Dialect, Fields, Label};
use crate::scalar::{Integer, parse_integer, parse_time_text, text_to_double};

pub(super) use elements::{Element, Elements};

/// A document that is read into an output.
pub(super) struct Xml<'a, 'b> {
    pub(super) elements: Elements<'a>,
    pub(super) out: &'b mut Builder,
}

impl<'a, 'b> Xml<'a, 'b> {
    pub(super) fn new(body: &'a [u8], out: &'b mut Builder) -> Result<Self, Malformed> {
        Ok(Self {
            elements: Elements::new(body)?,
            out,
        })
    }

    /// The outermost element, whose children come next.
    pub(super) fn root(&mut self) -> Result<Element<'a>, Malformed> {
        self.elements.root()
    }

    /// The next child of the element which is open; at its end there is none, and it is not open any more.
    pub(super) fn child(&mut self) -> Result<Option<Element<'a>>, Malformed> {
        let child = self.elements.child()?;
        if child.is_some() {
            self.out.spend()?;
        }
        Ok(child)
    }

    /// The open element's own text, which goes no further.
    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        let start = self.out.texts_end();
        self.elements.text(self.out)?;
        let text = self.out.pieces(start).trim().to_owned();
        self.out.drop_pieces(start);
        Ok(text)
    }

    /// The names and texts of the open element's children, which go no further.
    pub(super) fn texts(&mut self) -> Result<Vec<(String, String)>, Malformed> {
        let mut texts = Vec::new();
        while let Some(child) = self.child()? {
            texts.push((child.name().to_owned(), self.text()?));
        }
        Ok(texts)
    }

    /// Leaves the open element out.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        self.elements.skip(self.out)
    }

    /// The open element, which is `element`, as a structure.
    pub(super) fn structure(
        &mut self,
        view: View<'_>,
        element: Element<'a>,
        label: Label,
    ) -> Result<(), Malformed> {
        let mut fields = self.out.structure(label, view)?;
        let first = self.members(view, element, &mut fields)?;
        match first {
            Some(name) if self.out.has_none(&fields) => self.out.close_unknown(fields, &name),
            _ => {
                self.out.close(fields, Dialect::Xml);
                Ok(())
            }
        }
    }

    /// The members of a structure which is open, from the open element. The name of a union's first child is given back.
    pub(super) fn members(
        &mut self,
        view: View<'_>,
        element: Element<'a>,
        fields: &mut Fields,
    ) -> Result<Option<String>, Malformed> {
        if element.has_attributes() {
            self.attributes(view, element, fields)?;
        }
        let mut first = None;
        while let Some(child) = self.child()? {
            let name = child.name();
            if view.is_union() && first.is_none() {
                first = Some(name.to_owned());
            }
            let mut probe = view.probe_in_xml(name);
            let mut next = || {
                loop {
                    let index = view.next_in_xml(name, &mut probe)?;
                    let member = view.member_at(index)?;
                    if member.is_in_answer_body() {
                        return Some((Label(index), member));
                    }
                }
            };
            let Some((label, member)) = next() else {
                self.skip()?;
                continue;
            };
            while let Some((label, member)) = next() {
                let again = self.elements.clone();
                self.member(fields, label, member, child)?;
                self.elements = again;
            }
            self.member(fields, label, member, child)?;
        }
        Ok(first)
    }

    fn attributes(
        &mut self,
        view: View<'_>,
        element: Element<'a>,
        fields: &mut Fields,
    ) -> Result<(), Malformed> {
        let attributes = element.attributes()?;
        for (name, member) in view.members().filter(|(_, member)| member.is_attribute()) {
            let given = attributes
                .iter()
                .find(|(name, _)| Some(name.as_str()) == member.wire_name());
            if let (Some((_, value)), Some(index)) = (given, view.index_of(name)) {
                self.out.begin(fields, Label(index));
                self.out.text(Label(index), value)?;
            }
        }
        Ok(())
    }

    /// What the open element says of a member: to a flattened list or map each of its elements adds, of any other the
    /// first holds.
    fn member(
        &mut self,
        fields: &mut Fields,
        label: Label,
        member: View<'_>,
        element: Element<'a>,
    ) -> Result<(), Malformed> {
        let is_first = self.out.begin(fields, label);
        if !is_first && !member.is_flattened() {
            return self.skip();
        }
        let mark = self.out.mark();
        if !self.value(member, element, label)? && is_first {
            self.out.forget(fields, label, mark);
        }
        Ok(())
    }

    /// The value that the open element holds. There is none when a number or time is empty.
    fn value(
        &mut self,
        view: View<'_>,
        element: Element<'a>,
        label: Label,
    ) -> Result<bool, Malformed> {
        match view.kind() {
            Kind::Structure => self.structure(view, element, label)?,
            Kind::List => {
                let item = view.item();
                let item = item.ok_or_else(|| Malformed::new("a list of nothing"))?;
                let list = self.out.list(label)?;
                if view.is_flattened() {
                    self.value(item, element, Label::NONE)?;
                } else {
                    while let Some(child) = self.child()? {
                        self.value(item, child, Label::NONE)?;
                    }
                }
                self.out.end(list);
            }
            Kind::Map => {
                let map = self.out.map(label)?;
                if view.is_flattened() {
                    self.entry(view)?;
                } else {
                    while self.child()?.is_some() {
                        self.entry(view)?;
                    }
                }
                self.out.end_map(map, true);
            }
            kind => {
                let start = self.out.texts_end();
                self.elements.text(self.out)?;
                let made = scalar(self.out, label, kind, start);
                let wrong = || Malformed::new(format!("<{}> should be {kind}", element.name()));
                return made.ok_or_else(wrong)?;
            }
        }
        Ok(true)
    }

    /// The open element as an entry of a map: when it has a key, and a value that is one.
    fn entry(&mut self, map: View<'_>) -> Result<(), Malformed> {
        let (Some(key), Some(item)) = (map.key(), map.value()) else {
            return Err(Malformed::new("a map of nothing"));
        };
        let key_name = key.wire_name().unwrap_or("key");
        let value_name = item.wire_name().unwrap_or("value");
        let mark = self.out.mark();
        self.out.key("")?;
        let (mut has_key, mut has_value) = (false, None);
        while let Some(child) = self.child()? {
            if child.name() == key_name && !has_key {
                let start = self.out.texts_end();
                self.elements.text(self.out)?;
                self.out.set_key(mark, start)?;
                has_key = true;
            } else if child.name() == value_name && has_value.is_none() {
                has_value = Some(self.value(item, child, Label::NONE)?);
            } else {
                self.skip()?;
            }
        }
        if !has_key || has_value != Some(true) {
            self.out.undo(mark);
        }
        Ok(())
    }
}

/// Makes a scalar of the pieces of text from `start` on: `None` when they are none, `Some(Ok(false))` when they are empty
/// and it has no empty form.
pub(super) fn scalar(
    out: &mut Builder,
    label: Label,
    kind: Kind,
    start: usize,
) -> Option<Result<bool, Malformed>> {
    let text = out.pieces(start);
    let needs_text = matches!(kind, Kind::Integer | Kind::Float | Kind::Timestamp);
    if needs_text && text.trim().is_empty() {
        out.drop_pieces(start);
        return Some(Ok(false));
    }
    let made = match kind {
        Kind::Boolean => {
            let is_true = text.trim() == "true";
            out.drop_pieces(start);
            out.bool(label, is_true)
        }
        Kind::Integer => {
            let number = parse_integer(text)?;
            out.drop_pieces(start);
            match number {
                Integer::Signed(number) => out.integer(label, number),
                Integer::Unsigned(number) => out.unsigned(label, number),
            }
        }
        Kind::Float => {
            let number = text_to_double(text)?;
            out.drop_pieces(start);
            out.float(label, number)
        }
        Kind::Timestamp => match parse_time_text(text) {
            Some(time) => {
                out.drop_pieces(start);
                out.time(label, time)
            }
            // An odd time is no reason to lose the rest of the answer: it is given as it came.
            None => out.text_from(label, start),
        },
        _ => out.text_from(label, start),
    };
    Some(made.map(|()| true))
}
