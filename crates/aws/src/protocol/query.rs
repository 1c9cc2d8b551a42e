//! The query protocol: a form out, XML back. EC2's variant builds on it.

use bytes::Bytes;
use serde_json::Value;

use super::body::Format;
use super::xml::{Element, Elements, Xml};
use super::{Answer, ErrorAnswer, Malformed, WireRequest, WireResponse, error_shape};
use crate::model::{Kind, Operation, Service, View};
use crate::output::Label;
use crate::scalar::{TimeFormat, parse_time, percent_encode, time_to_text, to_text};

/// A form under construction, and how the two variants differ.
pub(super) struct Form {
    text: String,
    pub(super) is_ec2: bool,
}

pub(super) fn write(
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Result<WireRequest, Malformed> {
    Ok(write_form(service, operation, params, false))
}

pub(super) fn write_form(
    service: &Service,
    operation: &Operation,
    params: &Value,
    is_ec2: bool,
) -> WireRequest {
    let mut form = Form {
        text: String::new(),
        is_ec2,
    };
    form.push("Action", &operation.name);
    form.push("Version", &service.metadata.api_version);
    if let Some(input) = &operation.input {
        form.write(service.view(input), params, "");
    }
    let content_type = "application/x-www-form-urlencoded; charset=utf-8";
    WireRequest {
        method: operation.http.method.clone(),
        path: "/".to_owned(),
        headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
        body: Bytes::from(form.text),
        ..WireRequest::default()
    }
}

impl Form {
    fn push(&mut self, name: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(&percent_encode(name, b""));
        self.text.push('=');
        self.text.push_str(&percent_encode(value, b""));
    }

    fn write(&mut self, view: View<'_>, value: &Value, prefix: &str) {
        match (view.kind(), value) {
            (_, Value::Null) => {}
            (Kind::Structure, Value::Object(members)) => {
                for (name, value) in members {
                    if let Some(member) = view.member(name) {
                        let name = self.name(member, name);
                        self.write(member, value, &join(prefix, &name));
                    }
                }
            }
            (Kind::List, Value::Array(items)) => self.write_list(view, items, prefix),
            (Kind::Map, Value::Object(entries)) => self.write_map(view, entries, prefix),
            (Kind::Timestamp, value) => {
                let format = TimeFormat::named(view.timestamp_format(), TimeFormat::Iso8601);
                if let Some(time) = parse_time(value) {
                    self.push(prefix, &time_to_text(time, format));
                }
            }
            (_, value) => self.push(prefix, &to_text(value)),
        }
    }

    fn name(&self, member: View<'_>, name: &str) -> String {
        if !self.is_ec2 {
            return member.wire_name().unwrap_or(name).to_owned();
        }
        if let Some(name) = member.query_name() {
            return name.to_owned();
        }
        let mut letters = member.wire_name().unwrap_or(name).chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }

    fn write_list(&mut self, view: View<'_>, items: &[Value], prefix: &str) {
        let Some(item) = view.item() else { return };
        if items.is_empty() && !self.is_ec2 {
            return self.push(prefix, "");
        }
        let prefix = match (self.is_ec2, view.is_flattened(), item.wire_name()) {
            (true, ..) => prefix.to_owned(),
            (_, false, name) => join(prefix, name.unwrap_or("member")),
            // The member's own name takes the place of the list's last part, unless the list was named where it
            // is used: the Smithy cases have it so, and botocore does not follow them.
            (_, true, Some(name)) if !view.is_named_here() => {
                let parent = prefix.rsplit_once('.').map_or("", |(parent, _)| parent);
                join(parent, name)
            }
            (_, true, _) => prefix.to_owned(),
        };
        for (i, value) in items.iter().enumerate() {
            self.write(item, value, &format!("{prefix}.{}", i + 1));
        }
    }

    fn write_map(
        &mut self,
        view: View<'_>,
        entries: &serde_json::Map<String, Value>,
        prefix: &str,
    ) {
        let (Some(key), Some(value)) = (view.key(), view.value()) else {
            return;
        };
        let prefix = if view.is_flattened() {
            prefix.to_owned()
        } else {
            join(prefix, "entry")
        };
        let (key_name, value_name) = (
            key.wire_name().unwrap_or("key"),
            value.wire_name().unwrap_or("value"),
        );
        for (i, (name, entry)) in entries.iter().enumerate() {
            let place = format!("{prefix}.{}", i + 1);
            self.push(&join(&place, key_name), name);
            self.write(value, entry, &join(&place, value_name));
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

pub(super) fn read<'m>(
    service: &'m Service,
    operation: &'m Operation,
    response: &WireResponse,
) -> Result<Answer<'m>, Malformed> {
    let body = &response.body;
    let output = operation.output.as_ref().map(|o| service.view(o));
    let mut out = Format::Xml.builder(body);
    let request_id = match output {
        // Of an answer that says nothing it does not matter whether it can be read.
        None => request_id(body).unwrap_or_default(),
        Some(output) if body.is_empty() && output.members().next().is_none() => None,
        Some(output) => {
            let usual = format!("{}Result", operation.name);
            let wrapper = output.result_wrapper();
            let (is_there, request_id) = wrapped(
                &mut Xml::new(body, &mut out)?,
                output,
                wrapper.unwrap_or(&usual),
            )?;
            match (is_there, wrapper) {
                (true, _) => {}
                (false, Some(wrapper)) => {
                    return Err(Malformed::new(format!("the answer has no <{wrapper}>")));
                }
                (false, None) => Format::Xml.value(output, body, &mut out, Label::NONE)?,
            }
            request_id
        }
    };
    Ok(Answer {
        value: out.finish(Some(service)),
        request_id,
    })
}

/// Reads a document whose root has the output in an element of its own, and the request's id in another. Whether there
/// was an output.
fn wrapped(
    xml: &mut Xml<'_, '_>,
    output: View<'_>,
    wrapper: &str,
) -> Result<(bool, Option<String>), Malformed> {
    let (mut is_there, mut id) = (false, None);
    xml.root()?;
    while let Some(child) = xml.child()? {
        match child.name() {
            name if name == wrapper && !is_there => {
                xml.structure(output, child, Label::NONE)?;
                is_there = true;
            }
            "ResponseMetadata" => {
                let texts = xml.texts()?;
                id = id.or_else(|| text_of(&texts, "RequestId"));
            }
            _ => xml.skip()?,
        }
    }
    Ok((is_there, id))
}

/// The id in an answer without an output.
fn request_id(body: &[u8]) -> Result<Option<String>, Malformed> {
    let mut out = Format::Xml.builder(&[]);
    let mut xml = Xml::new(body, &mut out)?;
    xml.root()?;
    while let Some(child) = xml.child()? {
        if child.name() == "ResponseMetadata" {
            return Ok(text_of(&xml.texts()?, "RequestId"));
        }
        xml.skip()?;
    }
    Ok(None)
}

pub(super) fn read_error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    xml_error(&response.body, service, operation).ok().flatten()
}

/// The error that a document tells of, in an `<Error>` which is its root or within it, perhaps in `<Errors>`. Nothing
/// when there is none.
pub(super) fn xml_error(
    body: &[u8],
    service: &Service,
    operation: &Operation,
) -> Result<Option<ErrorAnswer>, Malformed> {
    let mut out = Format::Xml.builder(&[]);
    let mut xml = Xml::new(body, &mut out)?;
    let root = xml.root()?;
    let (mut within, mut beside, mut around) = (None, None, Vec::new());
    if root.name() == "Error" {
        let error = Told::read(&mut xml, root)?;
        around.clone_from(&error.texts);
        within = Some(error);
    } else {
        while let Some(child) = xml.child()? {
            match child.name() {
                "Errors" => {
                    while let Some(child) = xml.child()? {
                        let error = Told::read(&mut xml, child)?;
                        within = within.or((error.element.name() == "Error").then_some(error));
                    }
                }
                "Error" => beside = beside.or(Some(Told::read(&mut xml, child)?)),
                name => around.push((name.to_owned(), xml.text()?)),
            }
        }
    }
    let error = within.or(beside);
    Ok(error.map(|error| error.answer(&around, service, operation)))
}

/// An `<Error>`.
struct Told<'a> {
    element: Element<'a>,
    /// Behind its beginning.
    place: Elements<'a>,
    texts: Vec<(String, String)>,
}

impl<'a> Told<'a> {
    fn read(xml: &mut Xml<'a, '_>, element: Element<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            element,
            place: xml.elements.clone(),
            texts: xml.texts()?,
        })
    }

    /// `around` are the texts beside it, among them the request's id.
    fn answer(
        self,
        around: &[(String, String)],
        service: &Service,
        operation: &Operation,
    ) -> ErrorAnswer {
        let text = |name: &str| text_of(&self.texts, name);
        let code = text("Code").unwrap_or_default();
        let shape = error_shape(service, operation, &code);
        let mut ids = ["RequestId", "RequestID", "requestId"].iter();
        ErrorAnswer {
            message: text("Message")
                .or_else(|| text("message"))
                .unwrap_or_default(),
            request_id: ids.find_map(|name| text_of(around, name)),
            shape: shape.map(|s| s.shape_name().to_owned()),
            detail: shape.and_then(|s| self.detail(s)).unwrap_or_default(),
            code,
        }
    }

    /// The members of its shape.
    fn detail(self, shape: View<'_>) -> Option<Value> {
        let mut out = Format::Xml.builder(&[]);
        let mut xml = Xml {
            elements: self.place,
            out: &mut out,
        };
        xml.structure(shape, self.element, Label::NONE).ok()?;
        Some(out.finish(Some(shape.service())).to_json())
    }
}

fn text_of(texts: &[(String, String)], name: &str) -> Option<String> {
    let found = texts.iter().find(|(given, _)| given == name);
    found.map(|(_, text)| text.clone())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, form, refusal};
    use serde_json::json;

    #[test]
    fn lists_have_members_and_results_a_wrapper() {
        let params = json!({"RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "s",
            "Tags": [{"Key": "k", "Value": "v w"}]});
        let form = form("sts", "AssumeRole", &params);
        assert!(form.contains(&"Tags.member.1.Key=k".to_owned()), "{form:?}");
        assert!(
            form.contains(&"Tags.member.1.Value=v%20w".to_owned()),
            "{form:?}"
        );

        let xml = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account>\
            </GetCallerIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\
            </GetCallerIdentityResponse>";
        let answer = answer("sts", "GetCallerIdentity", xml).unwrap();
        assert_eq!(answer.value.to_json(), json!({"Account": "1"}));
        assert_eq!(answer.request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn errors_are_told_by_shape() {
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code>\
            <Message>none</Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
        let error = refusal("iam", "GetRole", 404, xml);
        assert_eq!(error.code, "NoSuchEntity");
        assert_eq!(error.shape.as_deref(), Some("NoSuchEntityException"));
        assert_eq!(error.request_id.as_deref(), Some("r-2"));
        assert_eq!(refusal("iam", "GetRole", 503, "<html>").code, "503");
    }
}
