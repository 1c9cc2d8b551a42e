//! A document as a state diagram of Mermaid (<https://mermaid.js.org/syntax/stateDiagram.html>).

use quell_states::{Outline, StateOutline};

/// The diagram.
pub(super) fn diagram(outline: &Outline) -> String {
    let mut diagram = Diagram {
        lines: vec!["stateDiagram-v2".to_owned()],
        states: 0,
    };
    diagram.group(outline, 1);
    diagram.lines.join("\n")
}

struct Diagram {
    lines: Vec<String>,
    /// States named so far: names of states may be any text, so that Mermaid gets numbers.
    states: usize,
}

impl Diagram {
    fn group(&mut self, outline: &Outline, depth: usize) {
        let first = self.states;
        self.states += outline.states.len();
        let id = |name: &str| {
            let position = outline.states.iter().position(|state| state.name == name);
            format!("s{}", first + position.unwrap_or_default())
        };
        for state in &outline.states {
            self.state(state, &id(&state.name), depth);
        }
        self.add(depth, &format!("[*] --> {}", id(&outline.start_at)));
        for state in &outline.states {
            let from = id(&state.name);
            for way in &state.transitions {
                let label = way
                    .when
                    .as_deref()
                    .or((way.field != "Next").then_some(&way.field));
                let label = label.map(|label| format!(" : {}", escaped(label)));
                let label = label.unwrap_or_default();
                self.add(depth, &format!("{from} --> {}{label}", id(&way.to)));
            }
            if state.ends {
                self.add(depth, &format!("{from} --> [*]"));
            }
        }
    }

    fn state(&mut self, state: &StateOutline, id: &str, depth: usize) {
        let named = format!("state \"{}\" as {id}", escaped(&state.name));
        if state.inside.is_empty() {
            return self.add(depth, &named);
        }
        self.add(depth, &format!("{named} {{"));
        for (n, inside) in state.inside.iter().enumerate() {
            if n > 0 {
                self.add(depth + 1, "--");
            }
            self.group(&inside.outline, depth + 1);
        }
        self.add(depth, "}");
    }

    fn add(&mut self, depth: usize, text: &str) {
        self.lines.push("  ".repeat(depth) + text);
    }
}

/// Text that means nothing to Mermaid: all but letters, numbers and the plainest signs by number.
fn escaped(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " ._-$()=,/".contains(c);
    let shown = text.chars().map(|c| match c {
        c if plain(c) => c.to_string(),
        c => format!("#{};", u32::from(c)),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_states::Definition;
    use serde_json::json;

    #[test]
    fn branches_are_inside_and_names_are_harmless() {
        let branch = |name: &str| json!({ "StartAt": name, "States": { name: { "Type": "Pass", "End": true } } });
        let document = json!({ "QueryLanguage": "JSONata", "StartAt": "All \"}", "States": {
            "All \"}": { "Type": "Parallel", "Next": "Judge", "Branches": [branch("A"), branch("B")] },
            "Judge": { "Type": "Choice", "Default": "Done",
                "Choices": [{ "Condition": "{% $n = 1 %}", "Next": "Judge" }] },
            "Done": { "Type": "Succeed" },
        } });
        let outline = Definition::parse(&document.to_string()).unwrap().outline();
        let expected = r##"stateDiagram-v2
  state "All #34;#125;" as s0 {
    state "A" as s3
    [*] --> s3
    s3 --> [*]
    --
    state "B" as s4
    [*] --> s4
    s4 --> [*]
  }
  state "Judge" as s1
  state "Done" as s2
  [*] --> s0
  s0 --> s1
  s1 --> s2 : Default
  s1 --> s1 : #123;#37; $n = 1 #37;#125;
  s2 --> [*]"##;
        assert_eq!(diagram(&outline), expected);
    }
}
