//! The rights in IAM that a playbook says it needs, against the calls that its documents make.

use std::collections::BTreeSet;

use quell_guard::rights::{actions, right};
use quell_model::Call;
use quell_respond::Playbook;

use crate::harness::case::cases;
use crate::harness::drive::{self, End, KIND};
use crate::harness::life::recorded;
use crate::harness::{ids, load};
use crate::world::Worlds;

/// All calls of all cases, there and back: those that read, and those that change something.
fn calls(playbook: &Playbook) -> [Vec<Call>; 2] {
    let (mut reads, mut changes) = (Vec::new(), Vec::new());
    let mut take = |end: &mut End| {
        reads.append(&mut end.reads);
        changes.append(&mut end.made);
    };
    for (_, case) in cases(&playbook.id) {
        let mut world = Worlds::of(&case.world);
        let mut end = drive::respond(playbook, &case, &mut world, KIND);
        if let Some(undo) = recorded(&end) {
            take(&mut drive::undo(playbook, &case, undo, &mut world, KIND));
        }
        take(&mut end);
    }
    [reads, changes]
}

/// Replayed, the calls of all cases need what the playbook says: no right is missing and none is spare.
#[test]
fn a_playbook_says_which_rights_it_needs_and_needs_them_all() {
    for id in ids() {
        let playbook = load(&id);
        let said = [&playbook.iam.read, &playbook.iam.act];
        for (calls, said) in calls(&playbook).iter().zip(said) {
            let needed = calls
                .iter()
                .flat_map(|call| actions(&call.service, &call.operation, &call.params));
            let needed: BTreeSet<String> = needed.collect();
            let said: BTreeSet<String> = said.iter().cloned().collect();
            let missing: Vec<_> = needed.difference(&said).collect();
            let spare: Vec<_> = said.difference(&needed).collect();
            assert!(
                missing.is_empty() && spare.is_empty(),
                "{id}: [iam] of playbook.toml lacks {missing:?}, and no case needs {spare:?}"
            );
            for action in &said {
                right(action, "aws", "444455556666").unwrap();
            }
        }
    }
}
