//! A run with all that comes after it: how it stands when its document has ended, and its taking back.

use serde_json::Value;

use super::case::Case;
use super::drive::{self, End, Fate};
use crate::world::Worlds;
use quell_respond::Playbook;

/// How a run stands in the end. There is no fourth way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Ended and verified, with the document's word.
    Done(String),
    /// What it had done was taken back.
    Undone,
    /// A person has to look: the error.
    Parked(String),
}

/// A run and what came after it.
pub struct Life {
    /// The response.
    pub first: End,
    /// Its taking back, when a step of it failed.
    pub back: Option<End>,
    pub stands: Stands,
}

/// Carries a response to its end, and takes it back when the frame would.
pub fn live(
    playbook: &Playbook,
    case: &Case,
    world: &mut Worlds,
    fate: Fate<'_>,
    fate_of_the_way_back: Fate<'_>,
) -> Life {
    let mut first = drive::respond(playbook, case, world, fate);
    if !first.run.is_to_be_taken_back() {
        let (back, stands) = (None, first.stands());
        return Life {
            first,
            back,
            stands,
        };
    }
    let undo = first.run.stage_undo();
    let back = drive::take_back(playbook, case, &undo, world, fate_of_the_way_back);
    let stands = match back.stands() {
        Stands::Done(_) => {
            first.run.note_taken_back(true);
            first.stands()
        }
        other => other,
    };
    Life {
        first,
        back: Some(back),
        stands,
    }
}

/// What is needed to take a response back, when there is anything to take back.
pub fn recorded(end: &End) -> Option<&Value> {
    let undo = end.run.undo.as_ref()?;
    let calls = undo["calls"].as_array().unwrap();
    (!calls.is_empty()).then_some(undo)
}
