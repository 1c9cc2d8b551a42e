//! Going through every state of a document that may be faulty, branches and
//! iterations too.

use serde_json::Value;

/// One state as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'v, 'a> {
    pub(crate) name: &'v str,
    pub(crate) state: &'v Value,
    /// Its place: `/States/Plan`.
    pub(crate) at: &'a str,
}

/// Shows every state to `look`: the states of a group first, then those inside them.
pub(crate) fn each_state<'v>(document: &'v Value, look: &mut impl FnMut(Written<'v, '_>)) {
    group(document, "", look);
}

fn group<'v>(group: &'v Value, at: &str, look: &mut impl FnMut(Written<'v, '_>)) {
    let states = || {
        group
            .get("States")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    for (name, state) in states() {
        let at = format!("{at}/States/{name}");
        look(Written {
            name,
            state,
            at: &at,
        });
    }
    for (name, state) in states() {
        inside(state, &format!("{at}/States/{name}"), look);
    }
}

fn inside<'v>(state: &'v Value, at: &str, look: &mut impl FnMut(Written<'v, '_>)) {
    for (field, inner) in groups(state) {
        group(inner, &format!("{at}/{field}"), look);
    }
}

/// The groups of states inside a state, by field: `ItemProcessor`, `Branches[0]`.
pub(crate) fn groups(state: &Value) -> Vec<(String, &Value)> {
    let processors = ["ItemProcessor", "Iterator"].into_iter();
    let mut groups: Vec<(String, &Value)> = processors
        .filter_map(|field| Some((field.to_owned(), state.get(field)?)))
        .collect();
    let branches = state.get("Branches").and_then(Value::as_array);
    for (n, branch) in branches.into_iter().flatten().enumerate() {
        groups.push((format!("Branches[{n}]"), branch));
    }
    groups
}
