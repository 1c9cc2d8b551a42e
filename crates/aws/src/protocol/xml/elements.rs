//! A document, element after element.

use std::borrow::Cow;

use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::Malformed;
use super::super::bounds::DEPTH_MAX;
use crate::output::Builder;

/// The attributes of an element: a limit, because each is compared with all before it.
const ATTRIBUTES_MAX: usize = 50;

/// A place in a document. A copy of it reads the same again.
#[derive(Clone)]
pub(crate) struct Elements<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    depth: usize,
}

/// The beginning of an element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    name: &'a str,
    attributes: &'a str,
}

impl<'a> Element<'a> {
    /// The element whose tag ends before the byte `end` of `text`.
    #[inline]
    fn new(text: &'a str, start: &BytesStart<'_>, end: usize) -> Option<Self> {
        let tag = text.get(..end)?.strip_suffix('>')?;
        let tag = tag.strip_suffix('/').unwrap_or(tag);
        let tag = tag.get(tag.len().checked_sub(start.len())?..)?;
        let (name, attributes) = tag.split_at_checked(start.name().0.len())?;
        let colon = name.bytes().position(|byte| byte == b':');
        Some(Self {
            name: colon.and_then(|at| name.get(at + 1..)).unwrap_or(name),
            attributes,
        })
    }

    /// Its name without the namespace's prefix.
    pub(crate) fn name(self) -> &'a str {
        self.name
    }

    pub(crate) fn has_attributes(self) -> bool {
        !self.attributes.is_empty()
    }

    /// Names, with their prefixes, and values.
    pub(crate) fn attributes(self) -> Result<Vec<(String, String)>, Malformed> {
        let mut attributes = Vec::new();
        for attribute in Attributes::new(self.attributes, 0) {
            let broken = || Malformed::new("an element with broken attributes");
            let attribute = attribute.map_err(|_| broken())?;
            if attributes.len() >= ATTRIBUTES_MAX {
                return Err(Malformed::new(format!(
                    "an element with more than {ATTRIBUTES_MAX} attributes"
                )));
            }
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.map_err(|_| broken())?.into_owned();
            attributes.push((attribute.key.as_ref().to_owned(), value));
        }
        Ok(attributes)
    }
}

impl<'a> Elements<'a> {
    /// Entities other than XML's own five and document types are refused; nothing is ever fetched.
    pub(crate) fn new(body: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| Malformed::new("the XML is not UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self {
            text,
            reader,
            depth: 0,
        })
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    #[cold]
    fn not_xml(&self) -> Malformed {
        Malformed::new(format!("not XML at byte {}", self.position()))
    }

    #[inline]
    fn open(&mut self, start: &BytesStart<'_>) -> Result<Element<'a>, Malformed> {
        if self.depth >= DEPTH_MAX {
            return Err(Malformed::new("the XML is too deep"));
        }
        self.depth += 1;
        Element::new(self.text, start, self.position()).ok_or_else(|| self.not_xml())
    }

    /// The outermost element. Text before it says nothing.
    pub(crate) fn root(&mut self) -> Result<Element<'a>, Malformed> {
        let root = self.child()?;
        root.ok_or_else(|| self.not_xml())
    }

    /// The next child of the open element, whose own text is left out; `None` at its end.
    #[inline]
    pub(crate) fn child(&mut self) -> Result<Option<Element<'a>>, Malformed> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(start)) => return self.open(&start).map(Some),
                Ok(Event::End(_)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(None);
                }
                Ok(Event::Text(_) | Event::CData(_)) => {}
                other => self.aside(other).map(drop)?,
            }
        }
    }

    /// What is neither an element nor its text: what it says, or why it must not be there.
    #[cold]
    fn aside(
        &self,
        event: Result<Event<'a>, quick_xml::Error>,
    ) -> Result<Option<Cow<'a, str>>, Malformed> {
        match event {
            Ok(Event::GeneralRef(name)) => entity(&name).map(Some).ok_or_else(|| self.not_xml()),
            Ok(Event::Eof) => Err(Malformed::new("the XML ends too early")),
            Ok(Event::DocType(_)) => Err(Malformed::new("the XML has a document type")),
            Ok(_) => Ok(None),
            Err(_) => Err(self.not_xml()),
        }
    }

    /// Reads the open element to its end, and leaves it out. What it holds counts all the same.
    pub(crate) fn skip(&mut self, out: &mut Builder) -> Result<(), Malformed> {
        let depth = self.depth;
        while self.depth >= depth {
            if self.child()?.is_some() {
                out.spend()?;
            }
        }
        Ok(())
    }

    /// Reads the open element to its end, and adds its own text, without that of its children, to the text that is
    /// being made.
    pub(crate) fn text(&mut self, out: &mut Builder) -> Result<(), Malformed> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Text(text)) => out.push_piece(&text.xml_content(XmlVersion::Explicit1_0)),
                Ok(Event::End(_)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(());
                }
                Ok(Event::CData(text)) => {
                    out.push_piece(&text.xml_content(XmlVersion::Explicit1_0));
                }
                Ok(Event::Start(start)) => {
                    out.spend()?;
                    self.open(&start)?;
                    self.skip(out)?;
                }
                other => {
                    if let Some(piece) = self.aside(other)? {
                        out.push_piece(&piece);
                    }
                }
            }
        }
    }
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

    fn read(body: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
        let mut out = Builder::new(0, 1);
        let mut elements = Elements::new(body)?;
        let root = elements.root()?;
        root.attributes()?;
        let mut read = vec![(root.name().to_owned(), String::new())];
        while let Some(child) = elements.child()? {
            out.spend()?;
            for (name, value) in child.attributes()? {
                read.push((format!("@{name}"), value));
            }
            let start = out.texts_end();
            elements.text(&mut out)?;
            read.push((child.name().to_owned(), out.pieces(start).to_owned()));
        }
        Ok(read)
    }

    #[test]
    fn reads_entities_namespaces_cdata_and_attributes() {
        let body = b"\xef\xbb\xbf<?xml version=\"1.0\"?><a xmlns:x='u'>no<x:b x:t=\"1&amp;2\">&lt;<d>no</d>&#65;\r\nz</x:b>\
              <n:e n:f='g'/><c ><![CDATA[<&]]></c></a>ignored";
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let expected = [
            ("a", ""),
            ("@x:t", "1&2"),
            ("b", "<A\nz"),
            ("@n:f", "g"),
            ("e", ""),
            ("c", "<&"),
        ];
        assert_eq!(read(body).unwrap(), expected.map(owned));
    }

    #[test]
    fn refuses_what_is_not_whole() {
        let deep = "<a>".repeat(5_000);
        for text in [
            "",
            "<a>",
            "<a></b>",
            "<a><b></a></b>",
            "no",
            "<a>&own;</a>",
            "<a><b>&own;</b></a>",
            "<!DOCTYPE a><a/>",
            "<a b='1' b='2'/>",
            &deep,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:.20}");
        }
        assert!(read(b"<a>\xff</a>").is_err());
        let attributes: String = (0..=ATTRIBUTES_MAX).map(|i| format!(" a{i}=''")).collect();
        assert!(read(format!("<a{attributes}/>").as_bytes()).is_err());
        let many = format!("<a>{}</a>", "<b/>".repeat(VALUES_MAX + 1));
        let nested = format!("<a><c>{}</c></a>", "<b/>".repeat(VALUES_MAX + 1));
        for many in [many, nested] {
            let refused = read(many.as_bytes()).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("more than {VALUES_MAX} values")
            );
        }
    }
}
