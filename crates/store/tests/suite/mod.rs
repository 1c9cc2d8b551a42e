//! What every state store must do. Each adapter runs all of it on an empty store.

pub(crate) mod kill;

use quell_model::Timestamp;
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};
use serde_json::json;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn doc(id: &str, status: &str, millis: i64) -> Document {
    Document::new(
        Kind::Incident,
        id,
        status,
        at(millis),
        &json!({"id": id, "text": "naïve \u{202e}\0"}),
    )
    .unwrap()
}

fn append(log: &str, seq: i64) -> Write {
    Write::Append {
        log: log.into(),
        seq,
        at: at(seq),
        body: format!("{{\"n\":{seq}}}"),
    }
}

/// Runs the suite.
pub(crate) async fn run(state: &dyn State) {
    versions_guard_updates(state).await;
    batches_are_whole_or_nothing(state).await;
    logs_have_no_gaps(state).await;
    pages_hold_everything_once(state).await;
    concurrent_writers_never_both_win(state).await;
    batches_that_cross_all_end(state).await;
    logs_grow_under_many_hands(state).await;
    what_is_required_is_there_or_nothing_happens(state).await;
    writes_of_a_batch_happen_in_order(state).await;
    one_bad_batch_among_many_fails_alone(state).await;
    batches_happen_in_the_order_in_which_they_were_handed_in(state).await;
    a_large_batch_is_whole(state).await;
}

async fn versions_guard_updates(state: &dyn State) {
    let first = doc("v", "open", 5);
    assert_eq!(
        state
            .commit(Batch::new().with(Write::Insert(first.clone())))
            .await
            .unwrap(),
        [true]
    );
    let again = state
        .commit(Batch::new().with(Write::Insert(first.clone())))
        .await;
    assert!(matches!(
        again,
        Err(StoreError::Conflict {
            kind: "incident",
            ..
        })
    ));
    assert_eq!(
        state
            .commit(Batch::new().with(Write::InsertNew(first.clone())))
            .await
            .unwrap(),
        [false]
    );

    let read = state.get(Kind::Incident, "v").await.unwrap().unwrap();
    assert_eq!(read, first);
    let changed = read.clone().with("resolved", &json!({"n": 2})).unwrap();
    state
        .commit(Batch::new().with(Write::Update(changed.clone())))
        .await
        .unwrap();
    let stale = state
        .commit(Batch::new().with(Write::Update(changed)))
        .await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })));
    let read = state.get(Kind::Incident, "v").await.unwrap().unwrap();
    assert_eq!((read.version, read.status.as_str()), (2, "resolved"));
    assert!(
        state.get(Kind::Run, "v").await.unwrap().is_none(),
        "kinds are apart"
    );
    assert_eq!(
        state.count(Kind::Incident).await.unwrap(),
        [("resolved".to_owned(), 1)]
    );
    state
        .commit(Batch::new().with(Write::Prune(Kind::Incident, at(6))))
        .await
        .unwrap();
    assert!(state.get(Kind::Incident, "v").await.unwrap().is_none());

    state
        .commit(Batch::new().with(Write::Insert(first)))
        .await
        .unwrap();
    let delete = Batch::new().with(Write::Delete(Kind::Incident, "v".into()));
    assert_eq!(state.commit(delete.clone()).await.unwrap(), [true]);
    assert_eq!(state.commit(delete).await.unwrap(), [false]);
}

async fn batches_are_whole_or_nothing(state: &dyn State) {
    let batch = Batch::new()
        .with(Write::Insert(doc("whole", "open", 1)))
        .with(append("whole", 0))
        .with(append("whole", 7));
    assert!(matches!(
        state.commit(batch).await,
        Err(StoreError::Conflict { kind: "log", .. })
    ));
    assert!(state.get(Kind::Incident, "whole").await.unwrap().is_none());
    assert!(state.read_log("whole", 0, 10).await.unwrap().is_empty());
}

async fn logs_have_no_gaps(state: &dyn State) {
    for seq in 0..5 {
        state
            .commit(Batch::new().with(append("log", seq)))
            .await
            .unwrap();
    }
    for wrong in [0, 4, 6, -1] {
        assert!(
            state
                .commit(Batch::new().with(append("log", wrong)))
                .await
                .is_err(),
            "{wrong}"
        );
    }
    let tail = state.read_log("log", 3, 100).await.unwrap();
    assert_eq!(tail.iter().map(|e| e.seq).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(tail[0].body, "{\"n\":3}");
    assert_eq!(state.read_log("log", 0, 2).await.unwrap().len(), 2);
}

async fn pages_hold_everything_once(state: &dyn State) {
    let mut batch = Batch::new();
    for n in 0..25 {
        // Many at the same moment: the id breaks the tie.
        let status = if n % 5 == 0 { "parked" } else { "open" };
        batch.push(Write::Insert(
            doc(&format!("p{n:02}"), status, 100 + n / 10).under("mother"),
        ));
    }
    state.commit(batch).await.unwrap();
    for query in [
        Query::all(Kind::Incident),
        Query::all(Kind::Incident).newest(),
    ] {
        let mut query = query.parent("mother").limit(7);
        let mut seen = Vec::new();
        loop {
            let page = state.list(&query).await.unwrap();
            seen.extend(page.documents.iter().map(|d| d.id.clone()));
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((seen.len(), sorted.len()), (25, 25));
    }
    let parked = state
        .list(&Query::all(Kind::Incident).status("parked").limit(100))
        .await
        .unwrap();
    assert_eq!(parked.documents.len(), 5);
    let mut since = Query::all(Kind::Incident);
    since.since = Some(at(102));
    assert_eq!(state.list(&since).await.unwrap().documents.len(), 5);
}

async fn concurrent_writers_never_both_win(state: &dyn State) {
    state
        .commit(Batch::new().with(Write::Insert(doc("race", "open", 9))))
        .await
        .unwrap();
    let read = state.get(Kind::Incident, "race").await.unwrap().unwrap();
    let one = state.commit(
        Batch::new()
            .with(Write::Update(read.clone()))
            .with(append("race", 0)),
    );
    let two = state.commit(
        Batch::new()
            .with(Write::Update(read))
            .with(append("race", 0)),
    );
    let (one, two) = tokio::join!(one, two);
    assert!(one.is_ok() != two.is_ok(), "exactly one wins");
    assert_eq!(state.read_log("race", 0, 10).await.unwrap().len(), 1);
}

/// Batches that touch the same documents in opposite order: a database with row locks has to break one off.
async fn batches_that_cross_all_end(state: &dyn State) {
    let names = ["left", "right"];
    for name in names {
        let insert = Batch::new().with(Write::Insert(doc(name, "open", 3)));
        state.commit(insert).await.unwrap();
    }
    for _ in 0..10 {
        let mut read = Vec::new();
        for name in names {
            read.push(state.get(Kind::Incident, name).await.unwrap().unwrap());
        }
        let there = read.iter().cloned().map(Write::Update);
        let back = read.iter().rev().cloned().map(Write::Update);
        let there = state.commit(there.fold(Batch::new(), Batch::with));
        let back = state.commit(back.fold(Batch::new(), Batch::with));
        let (there, back) = tokio::join!(there, back);
        assert!(there.is_ok() != back.is_ok(), "{there:?} {back:?}");
        let lost = there.and(back).unwrap_err();
        assert!(matches!(lost, StoreError::Conflict { .. }), "{lost}");
    }
}

/// Four writers append to one log, each reading the end again when another was faster: nothing is lost or doubled.
async fn logs_grow_under_many_hands(state: &dyn State) {
    let writer = |name: usize| async move {
        for n in 0..5 {
            loop {
                let end = state.read_log("hands", 0, 1000).await.unwrap().len();
                let entry = Write::Append {
                    log: "hands".into(),
                    seq: i64::try_from(end).unwrap(),
                    at: at(0),
                    body: format!("\"{name}.{n}\""),
                };
                match state.commit(Batch::new().with(entry)).await {
                    Ok(_) => break,
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    tokio::join!(writer(0), writer(1), writer(2), writer(3));
    let log = state.read_log("hands", 0, 1000).await.unwrap();
    let mut bodies: Vec<_> = log.iter().map(|entry| entry.body.clone()).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!((log.len(), bodies.len()), (20, 20));
}

/// What a process requires, nobody changes under it: the fence of those who carry runs.
async fn what_is_required_is_there_or_nothing_happens(state: &dyn State) {
    let claim = doc("claim", "held", 1);
    let insert = Batch::new().with(Write::Insert(claim.clone()));
    state.commit(insert).await.unwrap();
    let require = |id: &str, version: i64| Write::Require {
        kind: Kind::Incident,
        id: id.into(),
        version,
    };
    let step = |seq: i64, fence: Write| Batch::new().with(fence).with(append("fenced", seq));
    let both = state.commit(step(0, require("claim", 1))).await.unwrap();
    assert_eq!(both, [true, true]);
    for (id, version) in [("claim", 2), ("claim", 0), ("no claim", 1)] {
        let error = state.commit(step(1, require(id, version))).await;
        let Err(StoreError::Conflict {
            kind: "incident",
            id: named,
        }) = error
        else {
            panic!("{error:?}")
        };
        assert_eq!(named, id);
    }
    let take = state.commit(Batch::new().with(Write::Update(claim)));
    let late = state.commit(step(1, require("claim", 1)));
    let (take, late) = tokio::join!(take, late);
    take.unwrap();
    let entries = state.read_log("fenced", 0, 10).await.unwrap().len();
    assert_eq!(entries, if late.is_ok() { 2 } else { 1 });
    let error = state.commit(step(2, require("claim", 1))).await;
    assert!(
        matches!(
            error,
            Err(StoreError::Conflict {
                kind: "incident",
                ..
            })
        ),
        "{error:?}"
    );
}

async fn writes_of_a_batch_happen_in_order(state: &dyn State) {
    let first = doc("order", "first", 1);
    let second = Document {
        status: "second".into(),
        ..first.clone()
    };
    let delete = || Write::Delete(Kind::Incident, "order".into());
    let batch = Batch::new()
        .with(delete())
        .with(Write::Insert(first.clone()))
        .with(Write::InsertNew(second.clone()))
        .with(Write::Update(second.clone()))
        .with(append("order", 0))
        .with(append("order", 1));
    let done = state.commit(batch).await.unwrap();
    assert_eq!(done, [false, true, false, true, true, true]);
    let read = state.get(Kind::Incident, "order").await.unwrap().unwrap();
    assert_eq!((read.version, read.status.as_str()), (2, "second"));
    let batch = Batch::new()
        .with(Write::Prune(Kind::Incident, at(2)))
        .with(Write::Insert(first))
        .with(delete());
    assert_eq!(state.commit(batch).await.unwrap(), [true, true, true]);
    assert!(state.get(Kind::Incident, "order").await.unwrap().is_none());
    let twice = Batch::new()
        .with(append("order", 2))
        .with(append("order", 2));
    assert!(matches!(
        state.commit(twice).await,
        Err(StoreError::Conflict { kind: "log", .. })
    ));
    assert_eq!(state.read_log("order", 0, 10).await.unwrap().len(), 2);
}

/// Batches that come at once may share a transaction. Nobody notices, but for the time it takes.
async fn one_bad_batch_among_many_fails_alone(state: &dyn State) {
    let there = Batch::new().with(Write::Insert(doc("crowd", "open", 1)));
    state.commit(there).await.unwrap();
    let one = |n: usize| async move {
        let log = format!("crowd {n}");
        let batch = Batch::new().with(append(&log, 0));
        let batch = match n % 7 {
            // In conflict with what is there, and with each other.
            3 => batch.with(Write::Insert(doc("crowd", "open", 1))),
            5 => batch.with(Write::Insert(doc("same", "open", 1))),
            _ => batch.with(Write::Insert(doc(&log, "open", 1))),
        };
        (log, n % 7, state.commit(batch).await)
    };
    let mut work = Vec::new();
    for n in 0..70 {
        work.push(one(n));
    }
    let mut winners = 0;
    for (log, sort, ended) in all(work).await {
        match (sort, &ended) {
            (3, Err(StoreError::Conflict { id, .. })) => assert_eq!(id, "crowd"),
            (5, Err(StoreError::Conflict { id, .. })) => assert_eq!(id, "same"),
            (5, Ok(_)) => winners += 1,
            (0 | 1 | 2 | 4 | 6, Ok(done)) => assert_eq!(done, &[true, true]),
            _ => panic!("{log}: {ended:?}"),
        }
        let entries = state.read_log(&log, 0, 9).await.unwrap().len();
        assert_eq!(entries, usize::from(ended.is_ok()), "{log}");
    }
    assert_eq!(winners, 1);
}

/// All of them at once, in one task.
async fn all<F: Future>(work: Vec<F>) -> Vec<F::Output> {
    let mut work: Vec<_> = work.into_iter().map(|w| (Box::pin(w), None)).collect();
    std::future::poll_fn(|context| {
        let mut open = false;
        for (future, output) in &mut work {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(done) => *output = Some(done),
                    std::task::Poll::Pending => open = true,
                }
            }
        }
        if open {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    work.into_iter().filter_map(|(_, output)| output).collect()
}

/// Who hands in two batches without waiting for the first gets them done in that order, also when one between them fails.
async fn batches_happen_in_the_order_in_which_they_were_handed_in(state: &dyn State) {
    let batches = (0..50).map(|n| {
        let batch = Batch::new().with(append("queue", n - n / 10));
        state.commit(batch)
    });
    let ended = all(batches.collect()).await;
    for (n, ended) in ended.iter().enumerate() {
        // Every tenth asks for the place of the one before it.
        assert_eq!(ended.is_ok(), n == 0 || n % 10 != 0, "{n}: {ended:?}");
    }
    assert_eq!(state.read_log("queue", 0, 100).await.unwrap().len(), 46);
}

async fn a_large_batch_is_whole(state: &dyn State) {
    let batch = |from: i64| {
        (0..1500).fold(Batch::new(), |batch, n| {
            let document = doc(&format!("large {n}"), "open", 50);
            batch
                .with(append("large", from + n))
                .with(Write::InsertNew(document))
        })
    };
    let changed = |done: Vec<bool>| done.into_iter().filter(|changed| *changed).count();
    assert_eq!(changed(state.commit(batch(0)).await.unwrap()), 3000);
    assert_eq!(changed(state.commit(batch(1500)).await.unwrap()), 1500);
    assert!(state.commit(batch(3001)).await.is_err());
    assert_eq!(state.read_log("large", 0, 9999).await.unwrap().len(), 3000);
}
