//! What an operation takes and answers, as its model says.

use quell_aws::model::{Kind, Service, View};
use quell_aws::{is_read_only, registry};
use serde::Serialize;

use crate::commands::{Failure, Global};
use crate::output::table;

/// Members nested deeper than this are left out: what is deeper is looked up when it is needed.
const DEPTH_MAX: usize = 5;
/// More rows than this are no help. Few operations have more.
const ROWS_MAX: usize = 400;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    service: &'static str,
    operation: String,
    reads: bool,
    pages: bool,
    waiters: Vec<String>,
    parameters: Vec<Member>,
    answer: Vec<Member>,
    /// Whether some members are left out, for their depth or their number.
    is_cut: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    /// `Filters[].Values[]`.
    path: String,
    #[serde(rename = "type")]
    kind: String,
    required: bool,
    /// «1–1000», of what the type counts: characters, bytes, items; or the number itself.
    limits: String,
    sensitive: bool,
    /// Filled in when it is left out.
    filled: bool,
    /// Exactly one of its members must be given.
    one_of: bool,
}

/// Prints what the operation takes and answers.
pub(super) fn run(service: &'static str, operation: &str, global: &Global) -> Result<(), Failure> {
    let described = describe(service, operation)?;
    global.output.print(&described, text);
    Ok(())
}

fn describe(service: &'static str, operation: &str) -> Result<Described, Failure> {
    let (model, found) = registry::operation(service, operation)?;
    let view = |model: &'static Service, of: Option<_>| of.map(|of| model.view(of));
    let mut takes = Walk::new(DEPTH_MAX);
    if let Some(input) = view(model, found.input.as_ref()) {
        takes.members(input, "");
    }
    let mut answers = Walk::new(1);
    if let Some(output) = view(model, found.output.as_ref()) {
        answers.members(output, "");
    }
    let waiters = model.waiters.iter();
    let of_this = waiters.filter(|(_, waiter)| waiter.operation == operation);
    Ok(Described {
        service,
        operation: operation.to_owned(),
        reads: is_read_only(service, operation),
        pages: model.paginators.contains_key(operation),
        waiters: of_this.map(|(name, _)| name.clone()).collect(),
        parameters: takes.found,
        answer: answers.found,
        is_cut: takes.is_cut,
    })
}

/// A walk over the members below a structure.
struct Walk<'a> {
    found: Vec<Member>,
    /// The shapes on the way down: some contain themselves.
    above: Vec<&'a str>,
    depth_max: usize,
    is_cut: bool,
}

impl<'a> Walk<'a> {
    fn new(depth_max: usize) -> Self {
        Self {
            found: Vec::new(),
            above: Vec::new(),
            depth_max,
            is_cut: false,
        }
    }

    fn members(&mut self, view: View<'a>, before: &str) {
        if self.above.len() == self.depth_max || self.above.contains(&view.shape_name()) {
            self.is_cut = true;
            return;
        }
        self.above.push(view.shape_name());
        for (name, member) in view.members() {
            if self.found.len() == ROWS_MAX {
                self.is_cut = true;
                break;
            }
            let path = format!("{before}{name}");
            let required = view.required().iter().any(|required| required == name);
            self.found.push(Member {
                path: path.clone(),
                kind: kind(member),
                required,
                limits: limits(member),
                sensitive: member.is_sensitive(),
                filled: member.is_idempotency_token(),
                one_of: member.is_union(),
            });
            self.below(member, &path);
        }
        self.above.pop();
    }

    /// The members of what a member is made of in the end.
    fn below(&mut self, member: View<'a>, path: &str) {
        match (member.kind(), member.item(), member.value()) {
            (Kind::List, Some(item), _) => self.below(item, &format!("{path}[]")),
            (Kind::Map, _, Some(value)) => self.below(value, &format!("{path}{{}}")),
            (Kind::Structure, ..) if !member.is_document() => {
                self.members(member, &format!("{path}."));
            }
            _ => {}
        }
    }
}

fn kind(view: View<'_>) -> String {
    let of = |part: Option<View<'_>>| part.map(kind).unwrap_or_default();
    match view.kind() {
        Kind::Structure if view.is_document() => "any JSON".to_owned(),
        Kind::Structure => "object".to_owned(),
        Kind::List => format!("list of {}", of(view.item())),
        Kind::Map => format!("map of {}", of(view.value())),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Integer => "integer".to_owned(),
        Kind::Float => "number".to_owned(),
        Kind::Timestamp => "time".to_owned(),
        Kind::Blob => "base64".to_owned(),
        Kind::String => "text".to_owned(),
    }
}

fn limits(view: View<'_>) -> String {
    let unit = match view.kind() {
        Kind::String => " characters",
        Kind::Blob => " bytes",
        Kind::List | Kind::Map => " items",
        _ => "",
    };
    match (view.min(), view.max()) {
        (Some(least), Some(most)) => format!("{least}–{most}{unit}"),
        (Some(least), None) => format!("at least {least}{unit}"),
        (None, Some(most)) => format!("at most {most}{unit}"),
        (None, None) => String::new(),
    }
}

fn text(described: &Described) -> String {
    let Described {
        service, operation, ..
    } = described;
    let reads = if described.reads {
        "reads"
    } else {
        "does not only read: a playbook with a permit may call it, this command may not"
    };
    let mut out = format!("{service} {operation} {reads}");
    if described.pages {
        out.push_str("; it answers in pages (--all)");
    }
    if !described.waiters.is_empty() {
        out.push_str(&format!(
            "\nto wait for (--wait): {}",
            described.waiters.join(", ")
        ));
    }
    out.push_str("\n\n");
    out.push_str(&members("parameters", &described.parameters));
    if described.is_cut {
        out.push_str("\n… and more, deeper");
    }
    out.push_str("\n\n");
    out.push_str(&members("answer", &described.answer));
    out
}

fn members(of: &str, members: &[Member]) -> String {
    if members.is_empty() {
        return format!("{of}: none");
    }
    let rows = members.iter().map(|member| {
        let words = [
            (member.required, "required"),
            (member.filled, "filled in when left out"),
            (member.one_of, "exactly one of its members"),
            (member.sensitive, "sensitive"),
        ];
        let words = words.iter().filter(|(is_so, _)| *is_so);
        let words: Vec<&str> = words.map(|(_, word)| *word).collect();
        vec![
            member.path.clone(),
            member.kind.clone(),
            member.limits.clone(),
            words.join(", "),
        ]
    });
    table(&[of, "type", "limits", ""], rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_told_with_what_holds_for_them() {
        let described = describe("sqs", "ReceiveMessage").unwrap();
        let of = |path: &str| described.parameters.iter().find(|m| m.path == path);
        assert!(of("QueueUrl").unwrap().required);
        assert_eq!(of("AttributeNames").unwrap().kind, "list of text");
        let described = describe("ec2", "DescribeInstances").unwrap();
        assert!(described.reads && described.pages);
        assert!(described.waiters.contains(&"InstanceRunning".to_owned()));
        let paths: Vec<&str> = described
            .parameters
            .iter()
            .map(|m| m.path.as_str())
            .collect();
        assert!(paths.contains(&"Filters[].Values"), "{paths:?}");
        let shown = text(&described);
        assert!(
            shown.starts_with("ec2 DescribeInstances reads; it answers in pages"),
            "{shown}"
        );
    }

    #[test]
    fn every_operation_is_described_within_the_limits() {
        for service in registry::SERVICES {
            for operation in registry::service(service).unwrap().operations.keys() {
                let described = describe(service, operation).unwrap();
                assert!(
                    described.parameters.len() <= ROWS_MAX,
                    "{service} {operation}"
                );
            }
        }
    }
}
