//! A document as a table of elements, which borrow their names and texts from it where they can.
//!
//! A large answer has a hundred thousand elements; one allocation for each would be most of the time it takes.

use std::borrow::Cow;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::Malformed;
use super::super::bounds::{Budget, DEPTH_MAX};

/// The attributes of an element: a limit, because each is compared with all before it.
const ATTRIBUTES_MAX: usize = 50;

/// What an element takes of an answer's bytes, about: room is made for as many.
const ELEMENT_BYTES: usize = 40;

/// A whole document.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// In the order in which they begin: the first is the root.
    elements: Vec<Element<'a>>,
}

/// An element. Names have lost their namespace prefix; attributes keep theirs. It is small, because there are many: few
/// have attributes, and an index of 0 is none (the root is nobody's child).
#[derive(Debug, Default)]
struct Element<'a> {
    name: &'a str,
    text: Cow<'a, str>,
    attributes: Option<Box<[(String, String)]>>,
    children: u32,
    first_child: u32,
    last_child: u32,
    next: u32,
}

/// One element of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'d> {
    document: &'d Document<'d>,
    element: &'d Element<'d>,
}

impl<'d> Node<'d> {
    pub(crate) fn name(self) -> &'d str {
        self.element.name
    }

    /// Its own text, without that of its children.
    pub(crate) fn text(self) -> &'d str {
        &self.element.text
    }

    pub(crate) fn attributes(self) -> &'d [(String, String)] {
        self.element.attributes.as_deref().unwrap_or_default()
    }

    pub(crate) fn child_count(self) -> usize {
        self.element.children as usize
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Node<'d>> {
        let first = self.at(self.element.first_child);
        std::iter::successors(first, move |child| self.at(child.element.next))
    }

    /// The first child of that name.
    pub(crate) fn child(self, name: &str) -> Option<Node<'d>> {
        self.children().find(|child| child.name() == name)
    }

    fn at(self, index: u32) -> Option<Node<'d>> {
        self.document.node(index).filter(|_| index != 0)
    }
}

impl<'a> Document<'a> {
    /// Reads a document. Entities other than XML's own five and document types are refused; nothing is ever fetched.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| Malformed::new("the XML is not UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = Reader::from_str(text);
        let mut growing = Growing {
            elements: Vec::with_capacity(text.len() / ELEMENT_BYTES),
            open: Vec::new(),
        };
        let mut budget = Budget::new();
        loop {
            let event = reader.read_event();
            let end = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let not_xml = || Malformed(format!("not XML at byte {end}"));
            match event.map_err(|_| not_xml())? {
                Event::Start(start) => {
                    budget.spend()?;
                    let element = element(text, &start, end, ">").ok_or_else(not_xml)?;
                    growing.open(element)?;
                }
                Event::Empty(start) => {
                    budget.spend()?;
                    let element = element(text, &start, end, "/>").ok_or_else(not_xml)?;
                    growing.open(element)?;
                    growing.close().ok_or_else(not_xml)?;
                }
                Event::End(_) => growing.close().ok_or_else(not_xml)?,
                Event::Text(text) => growing.push(text.xml_content(XmlVersion::Explicit1_0)),
                Event::CData(text) => growing.push(text.xml_content(XmlVersion::Explicit1_0)),
                Event::GeneralRef(name) => growing.push(entity(&name).ok_or_else(not_xml)?),
                Event::Eof => return Err(Malformed::new("the XML ends too early")),
                Event::DocType(_) => return Err(Malformed::new("the XML has a document type")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
            if growing.is_whole() {
                return Ok(Document {
                    elements: growing.elements,
                });
            }
        }
    }

    /// The outermost element.
    pub(crate) fn root(&self) -> Result<Node<'_>, Malformed> {
        let root = self.node(0);
        root.ok_or_else(|| Malformed::new("the XML is empty"))
    }

    fn node(&self, index: u32) -> Option<Node<'_>> {
        let element = self.elements.get(index as usize)?;
        Some(Node {
            document: self,
            element,
        })
    }
}

/// A document that is being read.
struct Growing<'a> {
    elements: Vec<Element<'a>>,
    open: Vec<u32>,
}

impl<'a> Growing<'a> {
    fn open(&mut self, element: Element<'a>) -> Result<(), Malformed> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Malformed::new("the XML is too deep"));
        }
        let index = u32::try_from(self.elements.len()).unwrap_or(u32::MAX);
        self.elements.push(element);
        let parent = self.open.last().copied();
        self.open.push(index);
        let Some(parent) = parent.and_then(|parent| self.at(parent)) else {
            return Ok(());
        };
        parent.children += 1;
        let elder = std::mem::replace(&mut parent.last_child, index);
        if elder == 0 {
            parent.first_child = index;
        } else if let Some(elder) = self.at(elder) {
            elder.next = index;
        }
        Ok(())
    }

    fn at(&mut self, index: u32) -> Option<&mut Element<'a>> {
        self.elements.get_mut(index as usize)
    }

    fn close(&mut self) -> Option<()> {
        self.open.pop().map(drop)
    }

    /// Text outside of the root says nothing.
    fn push(&mut self, text: Cow<'a, str>) {
        let open = self.open.last().copied();
        if let Some(element) = open.and_then(|open| self.at(open)) {
            if element.text.is_empty() {
                element.text = text;
            } else {
                element.text.to_mut().push_str(&text);
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.open.is_empty() && !self.elements.is_empty()
    }
}

/// The element that begins with the tag which ends at byte `end` with `closed`.
fn element<'a>(
    text: &'a str,
    start: &BytesStart<'_>,
    end: usize,
    closed: &str,
) -> Option<Element<'a>> {
    let tag = end.checked_sub(closed.len())?.checked_sub(start.len())?;
    let name = text.get(tag..)?.get(..start.name().as_ref().len())?;
    Some(Element {
        name: name.rsplit_once(':').map_or(name, |(_, local)| local),
        attributes: match start.attributes_raw() {
            "" => None,
            _ => Some(attributes(start)?),
        },
        ..Element::default()
    })
}

fn attributes(start: &BytesStart<'_>) -> Option<Box<[(String, String)]>> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        if attributes.len() >= ATTRIBUTES_MAX {
            return None;
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Some(attributes.into())
}

fn entity<'a>(name: &BytesRef<'_>) -> Option<Cow<'a, str>> {
    if name.is_char_ref() {
        let resolved = name.resolve_char_ref().ok()??;
        return Some(Cow::Owned(resolved.to_string()));
    }
    let text = match name.xml10_content().as_ref() {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    };
    Some(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::super::super::bounds::VALUES_MAX;
    use super::*;

    #[test]
    fn reads_entities_namespaces_cdata_and_attributes() {
        let document = Document::parse(
            b"\xef\xbb\xbf<?xml version=\"1.0\"?><a xmlns:x='u'><x:b x:t=\"1&amp;2\">&lt;&#65;\r\nz</x:b>\
              <n:e n:f='g'/><c ><![CDATA[<&]]></c></a>",
        )
        .unwrap();
        let root = document.root().unwrap();
        let names: Vec<&str> = root.children().map(Node::name).collect();
        assert_eq!((root.name(), &names[..]), ("a", &["b", "e", "c"][..]));
        assert_eq!(root.child_count(), 3);
        let b = root.child("b").unwrap();
        assert_eq!(b.text(), "<A\nz");
        assert_eq!(b.attributes(), [("x:t".to_owned(), "1&2".to_owned())]);
        assert_eq!(root.child("c").unwrap().text(), "<&");
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
            assert!(Document::parse(text.as_bytes()).is_err(), "{:.20}", text);
        }
        assert!(Document::parse(b"<a>\xff</a>").is_err());
        let attributes: String = (0..=ATTRIBUTES_MAX).map(|i| format!(" a{i}=''")).collect();
        assert!(Document::parse(format!("<a{attributes}/>").as_bytes()).is_err());
        let many = format!("<a>{}</a>", "<b/>".repeat(VALUES_MAX));
        assert_eq!(
            Document::parse(many.as_bytes()).unwrap_err().0,
            format!("more than {VALUES_MAX} values")
        );
    }
}
