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
    for field in ["ItemProcessor", "Iterator"] {
        if let Some(inner) = state.get(field) {
            group(inner, &format!("{at}/{field}"), look);
        }
    }
    let branches = state.get("Branches").and_then(Value::as_array);
    for (n, branch) in branches.into_iter().flatten().enumerate() {
        group(branch, &format!("{at}/Branches[{n}]"), look);
    }
}
