//! The query protocol: a form out, XML back. EC2's variant builds on it.

use bytes::Bytes;
use serde_json::Value;

use super::xml::{self, Node};
use super::{Answer, ErrorAnswer, Malformed, WireRequest, WireResponse, error_shape};
use crate::model::{Kind, Operation, Service, View};
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

pub(super) fn read(
    service: &Service,
    operation: &Operation,
    response: &WireResponse,
) -> Result<Answer, Malformed> {
    let Some(output) = operation.output.as_ref().map(|o| service.view(o)) else {
        let request_id = xml::parse(&response.body).ok().and_then(|r| request_id(&r));
        return Ok(Answer {
            value: Value::Object(serde_json::Map::new()),
            request_id,
        });
    };
    if response.body.is_empty() && output.members().next().is_none() {
        return Ok(Answer {
            value: Value::Object(serde_json::Map::new()),
            request_id: None,
        });
    }
    let root = xml::parse(&response.body)?;
    let usual = format!("{}Result", operation.name);
    let start = match output.result_wrapper() {
        Some(wrapper) => root
            .child(wrapper)
            .ok_or_else(|| Malformed(format!("the answer has no <{wrapper}>")))?,
        None => root.child(&usual).unwrap_or(&root),
    };
    Ok(Answer {
        value: xml::structure(output, start)?,
        request_id: request_id(&root),
    })
}

fn request_id(root: &Node) -> Option<String> {
    let id = root.child("ResponseMetadata")?.child("RequestId")?;
    Some(id.text.trim().to_owned())
}

pub(super) fn read_error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    let root = xml::parse(&response.body).ok()?;
    let error = match root.child("Errors") {
        Some(errors) => errors.child("Error")?,
        None if root.name == "Error" => &root,
        None => root.child("Error")?,
    };
    Some(xml_error(error, &root, service, operation))
}

/// The error that an `<Error>` element tells of, within the document `root`.
pub(super) fn xml_error(
    error: &Node,
    root: &Node,
    service: &Service,
    operation: &Operation,
) -> ErrorAnswer {
    let text = |name: &str| error.child(name).map(|n| n.text.trim().to_owned());
    let code = text("Code").unwrap_or_default();
    let shape = error_shape(service, operation, &code);
    let request_id = ["RequestId", "RequestID", "requestId"]
        .iter()
        .find_map(|name| root.child(name));
    ErrorAnswer {
        message: text("Message")
            .or_else(|| text("message"))
            .unwrap_or_default(),
        request_id: request_id.map(|id| id.text.trim().to_owned()),
        shape: shape.map(|s| s.shape_name().to_owned()),
        detail: shape
            .and_then(|s| xml::structure(s, error).ok())
            .unwrap_or_default(),
        code,
    }
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
        assert_eq!(answer.value, json!({"Account": "1"}));
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
