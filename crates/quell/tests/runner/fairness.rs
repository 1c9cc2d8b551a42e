//! One account's storm does not starve another.

use serde_json::json;

use crate::clocks::until;
use crate::crashing::Death;
use crate::documents::{READ, single};
use crate::lab::Lab;
use crate::world::Doom;

#[tokio::test]
async fn a_storm_in_one_account_does_not_starve_another() {
    let document = single(json!({"Type": "Task", "Resource": READ, "Arguments": {"Key": "k"}}));
    let lab = Lab::new(&[("d", &document)]).await;
    for n in 0..200 {
        let run = format!("run-storm-{n:03}");
        lab.begin(&run, "d", "111111111111", json!({})).await;
    }
    lab.clock.advance(1);
    // Both come after the storm, and would be the last two of all.
    for run in ["run-quiet-1", "run-quiet-2"] {
        lab.begin(run, "d", "222222222222", json!({})).await;
    }
    let process = lab.mortal(Death::Never, Doom::Never, 2).await;
    let tasks = lab.loop_of(&process);
    until("all have begun", async || {
        lab.world.look().begun.len() == 202
    })
    .await;
    until("all have ended", async || {
        let count = lab.state.count(quell_store::Kind::Run).await.unwrap();
        count == [("succeeded".to_owned(), 202)]
    })
    .await;
    tasks.stop().await;
    let begun = lab.world.look().begun;
    let place = |run: &str| begun.iter().position(|other| other == run).unwrap();
    let (first, second) = (place("run-quiet-1"), place("run-quiet-2"));
    assert!(
        first < 4 && second < 6,
        "they came {first}th and {second}th"
    );
    lab.assert_nothing_left().await;
}
