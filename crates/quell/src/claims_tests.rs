use super::*;
use quell_store::ManualClock;
use quell_store::sqlite::SqliteState;

struct Store {
    folder: tempfile::TempDir,
    state: Arc<dyn State>,
    clock: Arc<ManualClock>,
}

impl Store {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap();
        Self {
            folder,
            state: Arc::new(state),
            clock: Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000))),
        }
    }

    /// A process somewhere, or one of those that share a file on this machine.
    async fn process(&self, same_machine: bool) -> Claims {
        let file = self.folder.path().join("q.db");
        let file = same_machine.then_some(&file);
        let claims = Claims::new(self.state.clone(), self.clock.clone(), file);
        claims.join().await.unwrap();
        claims
    }

    /// Time goes by on every clock, and nobody does anything.
    async fn pass(&self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
        self.clock.advance(i64::try_from(time.as_millis()).unwrap());
    }

    /// A step of a run under a claim.
    async fn step(&self, claim: &Claim, seq: i64) -> Result<Vec<bool>, StoreError> {
        let (log, at, body) = ("run-1".into(), self.clock.now(), "0".into());
        let append = Write::Append { log, seq, at, body };
        let batch = Batch::new().with(claim.fence()).with(append);
        self.state.commit(batch).await
    }
}

fn run() -> RunId {
    "run-1".parse().unwrap()
}

#[tokio::test]
async fn a_run_has_one_carrier_until_that_one_ends() {
    let store = Store::new().await;
    let (one, two) = (store.process(false).await, store.process(false).await);
    let claim = one.take(&run()).await.unwrap().unwrap();
    assert!(one.are_good(&claim));
    assert!(two.take(&run()).await.unwrap().is_none());
    two.beat().await.unwrap();
    assert!(two.are_elsewhere(&run()));
    let again = one.take(&run()).await.unwrap().unwrap();
    assert_eq!(again.document, claim.document, "its own is its own");
    store.step(&claim, 0).await.unwrap();
    one.leave().await;
    assert!(!one.are_good(&claim));
    two.beat().await.unwrap();
    assert!(!two.are_elsewhere(&run()));
    let taken = two.take(&run()).await.unwrap().unwrap();
    let late = store.step(&claim, 1).await;
    assert!(
        matches!(late, Err(StoreError::Conflict { kind: "claim", .. })),
        "{late:?}"
    );
    store.step(&taken, 1).await.unwrap();
    let end = Batch::new().with(taken.fence()).with(taken.give_back());
    store.state.commit(end).await.unwrap();
    assert_eq!(store.state.count(Kind::Claim).await.unwrap(), []);
}

#[tokio::test]
async fn who_stands_still_is_gone_after_a_while_and_knows_it_before_the_others() {
    let store = Store::new().await;
    let (one, two) = (store.process(false).await, store.process(false).await);
    let claim = one.take(&run()).await.unwrap().unwrap();
    two.beat().await.unwrap();
    store.pass(GOOD_FOR).await;
    assert!(!one.are_good(&claim), "it may be taken for gone soon");
    two.beat().await.unwrap();
    assert!(two.take(&run()).await.unwrap().is_none(), "it is not yet");
    store.pass(GONE_AFTER - GOOD_FOR).await;
    two.beat().await.unwrap();
    let taken = two.take(&run()).await.unwrap().unwrap();
    // It wakes, and believes that nothing happened.
    let late = store.step(&claim, 0).await;
    assert!(
        matches!(late, Err(StoreError::Conflict { kind: "claim", .. })),
        "{late:?}"
    );
    one.beat().await.unwrap();
    assert!(!one.are_good(&claim));
    assert!(one.take(&run()).await.unwrap().is_none());
    assert!(two.are_good(&taken));
    store.step(&taken, 0).await.unwrap();
}

#[tokio::test]
async fn who_says_that_it_is_there_is_never_gone() {
    let store = Store::new().await;
    let (one, two) = (store.process(false).await, store.process(false).await);
    let claim = one.take(&run()).await.unwrap().unwrap();
    for _ in 0..20 {
        store.pass(BEAT).await;
        one.beat().await.unwrap();
        two.beat().await.unwrap();
        assert!(one.are_good(&claim));
        assert!(two.take(&run()).await.unwrap().is_none());
    }
    assert_eq!(
        (one.others().await.unwrap(), two.others().await.unwrap()),
        (1, 1)
    );
    let mut shares = [one.share(), two.share()];
    shares.sort();
    assert_eq!(shares, [(0, 2), (1, 2)]);
}

/// After a machine was suspended its steady clock may know nothing of it; the other one does.
#[tokio::test]
async fn a_machine_that_slept_is_not_sure_of_its_claims() {
    let store = Store::new().await;
    let one = store.process(false).await;
    let claim = one.take(&run()).await.unwrap().unwrap();
    store.clock.advance(3_600_000);
    assert!(!one.are_good(&claim));
    one.beat().await.unwrap();
    assert!(one.are_good(&claim), "nobody was there to take it");
    // A clock that goes back makes nothing good for longer.
    store.clock.advance(-3_600_000);
    store.pass(GOOD_FOR).await;
    assert!(!one.are_good(&claim));
}

#[tokio::test]
async fn a_process_that_died_on_this_machine_is_known_at_once() {
    let store = Store::new().await;
    let (one, two) = (store.process(true).await, store.process(true).await);
    one.take(&run()).await.unwrap().unwrap();
    assert!(two.take(&run()).await.unwrap().is_none());
    two.beat().await.unwrap();
    // The system lets go of its files, as it does for a process that was killed.
    drop(one);
    two.beat().await.unwrap();
    assert!(two.take(&run()).await.unwrap().is_some());
    two.leave().await;
    let left = std::fs::read_dir(store.folder.path()).unwrap();
    let marks = left.filter(|f| {
        f.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("car-")
    });
    assert_eq!(marks.count(), 0);
}

#[tokio::test]
async fn of_many_who_want_a_run_one_gets_it() {
    let store = Store::new().await;
    let mut processes = Vec::new();
    for _ in 0..8 {
        processes.push(store.process(false).await);
    }
    let run = run();
    let takers = processes.iter().map(|p| p.take(&run));
    let taken = futures_util::future::join_all(takers).await;
    let claims: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(claims.len(), 1);
}
