//! Random courses of the world: records come late, twice and in any order; two workers work on one store, in each other's way; commits
//! fail before and after they happened, and workers die. What is said is what the same rules say of all records at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quell_collect::accept;
use quell_detect::correlation::{LATENESS_MILLIS, RULE_HITS_MAX};
use quell_model::{FindingId, Record, Timestamp};
use quell_store::{Kind, ManualClock};

use super::shelf::{Dice, Shelf};
use super::*;
use crate::trial::Trial;

/// How many courses are tried, unless `QUELL_CORRELATION_CASES` says otherwise.
const CASES: u64 = 150;

/// Rules of all sorts: those that fire at once, and those that wait for their windows to close.
fn rules() -> Vec<(&'static str, String)> {
    let field = "    field: requestParameters.size\n";
    let number = |word: &str, n: u64| format!("  condition:\n    {word}: {n}\n");
    let of_field = |word: &str, n: u64| format!("  condition:\n{field}    {word}: {n}\n");
    let words = |text: &str| format!("  condition: {text}\n");
    vec![
        (
            "burst",
            correlation("event_count", "a", "10m", &number("gte", 3)),
        ),
        (
            "storm",
            correlation("event_count", "a, b", "1h", &number("gt", 5)),
        ),
        (
            "few",
            correlation("event_count", "a", "10m", &number("lte", 2)),
        ),
        (
            "two",
            correlation("event_count", "b", "20m", &number("eq", 2)),
        ),
        (
            "sizes",
            correlation("value_count", "a, b", "30m", &of_field("gte", 3)),
        ),
        ("both", correlation("temporal", "a, b", "5m", "")),
        ("then", correlation("temporal_ordered", "a, b", "5m", "")),
        (
            "alone",
            correlation("temporal", "a, b", "10m", &words("a and not b")),
        ),
        (
            "mean",
            correlation("value_avg", "a", "15m", &of_field("gte", 2)),
        ),
    ]
}

/// Some users' calls within some hours, and when they come in: at most an hour later, some of them twice.
fn course(dice: &mut Dice) -> Vec<Record> {
    let range = [LATENESS_MILLIS / 2, 3 * LATENESS_MILLIS][dice.below(2) as usize];
    let late = [1, 60_000, LATENESS_MILLIS][dice.below(3) as usize];
    let users = 1 + dice.below(4);
    let mut out = Vec::new();
    for n in 0..5 + dice.below(40) {
        let at = TEN + dice.millis(range) / 1000 * 1000;
        let name = ["A", "A", "B", "C"][dice.below(4) as usize];
        let user = format!("u{}", dice.below(users));
        let size = dice.below(5);
        for _ in 0..1 + dice.below(4) / 3 {
            let received = at + dice.millis(late);
            out.push(came(&n.to_string(), at, received, name, &user, size));
        }
    }
    out.sort_by_key(|record| record.received_at);
    out
}

/// What the rules say of all records at once, in the order of time.
fn reference(app: &App, records: &[Record]) -> BTreeSet<FindingId> {
    let mut trial = Trial::new(&app.content);
    let once: BTreeMap<_, _> = records.iter().map(|r| (r.id.clone(), r)).collect();
    for record in once.values() {
        trial.add(record);
    }
    trial.complete().into_iter().map(|f| f.id).collect()
}

struct World {
    shelf: Arc<Shelf>,
    clock: Arc<ManualClock>,
    workers: [Worker; 2],
}

impl World {
    fn worker(app: &App) -> Worker {
        Worker::new(app.clock.now(), RULE_HITS_MAX)
    }

    fn turn_to(&self, app: &App, at: Timestamp) {
        self.clock.advance(at.millis_since(app.clock.now()).max(0));
    }

    /// One worker has a turn, or both at the same time; one whose commit failed dies, or goes on.
    async fn turn(&mut self, app: &App, dice: &mut Dice) -> bool {
        let [one, two] = &mut self.workers;
        let (first, second) = match dice.below(3) {
            0 => (one.turn(app).await, Ok(false)),
            1 => (Ok(false), two.turn(app).await),
            _ => tokio::join!(one.turn(app), two.turn(app)),
        };
        let more = !matches!((&first, &second), (Ok(false), Ok(false)));
        for (worker, turned) in self.workers.iter_mut().zip([first, second]) {
            if turned.is_err() && dice.below(2) == 0 {
                *worker = Self::worker(app);
            }
        }
        more
    }
}

/// Plays a course to its end; answers whether something was said, and the commits.
async fn play(app: &mut App, case: u64) -> (bool, super::shelf::Tally) {
    let dice = &mut Dice(case);
    let records = course(dice);
    let shelf = Arc::new(Shelf::new(case, [0, 5, 12][dice.below(3) as usize]));
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(TEN)));
    (app.state, app.clock) = (shelf.clone(), clock.clone());
    let workers = [World::worker(app), World::worker(app)];
    let mut world = World {
        shelf,
        clock,
        workers,
    };
    let mut rest = records.as_slice();
    while !rest.is_empty() {
        let (page, after) = rest.split_at(rest.len().min(1 + dice.below(9) as usize));
        rest = after;
        world.turn_to(app, page[page.len() - 1].received_at);
        while accept(&*app.state, page, &[]).await.is_err() {}
        for _ in 0..dice.below(4) {
            world.turn(app, dice).await;
        }
    }
    world.shelf.mend();
    // Hours later something else happens, so that what waited is closed; and later still nothing is remembered.
    for hours in [10, 20] {
        let at = TEN + hours * LATENESS_MILLIS;
        world.turn_to(app, Timestamp::from_millis(at));
        let other = came(&format!("end-{hours}"), at, at, "C", "nobody", 0);
        accept(&*app.state, &[other], &[]).await.unwrap();
        let mut quiet = 0;
        while quiet < 6 {
            quiet = if world.turn(app, dice).await {
                0
            } else {
                quiet + 1
            };
            world.clock.advance(1_000);
        }
    }
    check(app, &world, &records, case);
    (!findings(&world.shelf).is_empty(), world.shelf.tally())
}

fn check(app: &App, world: &World, records: &[Record], case: u64) {
    let shelf = &*world.shelf;
    let said: BTreeSet<FindingId> = findings(shelf).into_iter().map(|f| f.id).collect();
    let expected = reference(app, records);
    assert_eq!(said, expected, "case {case}: {:#?}", findings(shelf));
    for record in shelf.all(Kind::Record) {
        assert_eq!(record.status, "done", "case {case}");
    }
    let held: u64 = incidents(shelf).iter().map(|i| i.finding_count).sum();
    assert_eq!(
        held,
        said.len() as u64,
        "case {case}: each finding is in one incident, once"
    );
    let named: BTreeSet<FindingId> = incidents(shelf)
        .into_iter()
        .flat_map(|i| i.findings)
        .collect();
    assert_eq!(named, said, "case {case}");
    let left = shelf
        .all(Kind::Memory)
        .into_iter()
        .find(|d| d.status != "detector");
    assert_eq!(left, None, "case {case}: nothing is remembered for ever");
}

#[tokio::test]
async fn what_is_said_is_what_the_rules_say_of_all_records_at_once() {
    let wanted = std::env::var_os("QUELL_CORRELATION_CASES");
    let cases = wanted.map_or(CASES, |n| n.to_str().unwrap().parse().unwrap());
    let (mut app, _folder) = app(&rules()).await;
    let (mut fired, mut conflicts, mut lost) = (0, 0, [0, 0]);
    for case in 0..cases {
        let (said, tally) = play(&mut app, case).await;
        fired += u64::from(said);
        conflicts += tally.conflicts;
        lost = [lost[0] + tally.lost_before, lost[1] + tally.lost_after];
    }
    // The courses are worth something.
    assert!(fired > cases / 2, "{fired} of {cases} said something");
    assert!(conflicts > cases, "{conflicts} conflicts");
    assert!(
        lost.iter().all(|n| *n > cases / 3),
        "{lost:?} commits were lost"
    );
}
