//! `quell states graph`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use quell_states::{Outline, StateOutline, Transition};

use super::{load, mermaid};
use crate::commands::{Failure, Global};
use crate::output::{Output, line, table};

const EXAMPLES: &str = "\
Examples:
  quell states graph workflow.asl.json
  quell states graph workflow.asl.json --format mermaid      a diagram for Markdown and wikis
  quell states graph workflow.asl.json --output json | jq '.states[].name'";

/// Show the states of a document and where each leads
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Graph {
    /// The file with the document; - is standard input
    file: PathBuf,
    /// How people see it; --output json has all of it for scripts
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line for each way from a state to another
    Text,
    /// A state diagram of Mermaid
    Mermaid,
}

impl Graph {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let outline = load(&self.file)?.outline();
        match (self.format, global.output) {
            (Format::Mermaid, Output::Table) => line(&mermaid::diagram(&outline)),
            _ => global.output.print(&outline, text),
        }
        Ok(())
    }
}

fn text(outline: &Outline) -> String {
    let mut rows = Vec::new();
    add_rows(outline, "", &mut rows);
    table(&["state", "type", "leads to", "when"], rows)
}

/// The rows of a group; `at` is the place of the state it is inside of: `Work/Branches[0]/`.
fn add_rows(outline: &Outline, at: &str, rows: &mut Vec<Vec<String>>) {
    for state in &outline.states {
        rows.extend(ways(state, at));
        for inside in &state.inside {
            let at = format!("{at}{}/{}/", state.name, inside.field);
            add_rows(&inside.outline, &at, rows);
        }
    }
}

/// A row for each way out of a state; name and type are in the first.
fn ways(state: &StateOutline, at: &str) -> Vec<Vec<String>> {
    let mut ways: Vec<(String, String)> = state
        .transitions
        .iter()
        .map(|way| (way.to.clone(), when(way)))
        .collect();
    // As the document is read: the rules, and then what no rule takes.
    let default = state.transitions.first();
    if default.is_some_and(|way| way.field == "Default") {
        ways.rotate_left(1);
    }
    if state.ends {
        ways.insert(0, ("(end)".to_owned(), String::new()));
    }
    let mut first = vec![format!("{at}{}", state.name), state.kind.clone()];
    let rows = ways.into_iter().map(|(to, when)| {
        let mut row = std::mem::replace(&mut first, vec![String::new(); 2]);
        row.extend([to, when]);
        row
    });
    rows.collect()
}

/// When a way is taken, in words.
fn when(way: &Transition) -> String {
    match &way.when {
        Some(errors) if way.field.starts_with("Catch") => format!("catches {errors}"),
        Some(condition) => condition.clone(),
        None if way.field == "Default" => "otherwise".to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_states::Definition;
    use serde_json::json;

    #[test]
    fn a_row_for_each_way() {
        let document = json!({ "QueryLanguage": "JSONata", "StartAt": "All", "States": {
            "All": { "Type": "Map", "Items": [1], "Next": "Judge", "ItemProcessor": {
                "StartAt": "One", "States": { "One": { "Type": "Pass", "End": true } } },
                "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Bad" }] },
            "Judge": { "Type": "Choice", "Default": "Bad",
                "Choices": [{ "Condition": "{% $states.input = 1 %}", "Next": "Good" }] },
            "Good": { "Type": "Succeed" }, "Bad": { "Type": "Fail" },
        } });
        let outline = Definition::parse(&document.to_string()).unwrap().outline();
        let mut rows = Vec::new();
        add_rows(&outline, "", &mut rows);
        assert_eq!(
            rows,
            [
                ["All", "Map", "Judge", ""],
                ["", "", "Bad", "catches States.ALL"],
                ["All/ItemProcessor/One", "Pass", "(end)", ""],
                ["Judge", "Choice", "Good", "{% $states.input = 1 %}"],
                ["", "", "Bad", "otherwise"],
                ["Bad", "Fail", "(end)", ""],
                ["Good", "Succeed", "(end)", ""],
            ]
        );
    }
}
