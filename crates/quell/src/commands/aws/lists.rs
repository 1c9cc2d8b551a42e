//! The services there are, and the operations of one.

use quell_aws::{is_read_only, registry};
use serde_json::{Value, json};

use super::names::with_dashes;
use crate::commands::{Failure, Global};
use crate::output::{spinner, table};

/// Prints the services, how many operations they have, and how many of those read.
pub(super) fn services(global: &Global) -> Result<(), Failure> {
    let bar = spinner("reading the models");
    let mut list = Vec::new();
    for name in registry::SERVICES {
        let model = registry::service(name)?;
        let reading = model.operations.keys().filter(|o| is_read_only(name, o));
        list.push(json!({
            "service": name,
            "id": model.metadata.service_id,
            "operations": model.operations.len(),
            "reading": reading.count(),
        }));
    }
    bar.finish_and_clear();
    global.output.print(&list, |list| {
        let rows = list.iter().map(|row| {
            let columns = ["service", "id", "operations", "reading"];
            columns.map(|name| cell(row, name)).to_vec()
        });
        let rows = table(
            &["service", "AWS's own name", "operations", "that read"],
            rows,
        );
        format!("{rows}\n\nquell aws SERVICE lists the operations of one")
    });
    Ok(())
}

/// Prints the operations of a service, which of them read, and which answer in pages.
pub(super) fn operations(service: &str, global: &Global) -> Result<(), Failure> {
    let model = registry::service(service)?;
    let list: Vec<Value> = model
        .operations
        .keys()
        .map(|name| {
            json!({
                "operation": name,
                "spelling": with_dashes(name),
                "reads": is_read_only(service, name),
                "pages": model.paginators.contains_key(name),
            })
        })
        .collect();
    global.output.print(&list, |list| {
        let mark = |row: &Value, name: &str| match row.get(name) {
            Some(Value::Bool(true)) => name.to_owned(),
            _ => String::new(),
        };
        let rows = list.iter().map(|row| {
            vec![
                cell(row, "operation"),
                cell(row, "spelling"),
                mark(row, "reads"),
                mark(row, "pages"),
            ]
        });
        let rows = table(&["operation", "or", "", ""], rows);
        format!("{rows}\n\nquell aws {service} OPERATION --describe tells what one takes")
    });
    Ok(())
}

fn cell(row: &Value, name: &str) -> String {
    match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
