//! How fast AWS is called: a limit, a line and a retry quota for each account, Region and service, shared by every
//! caller of a client. AWS counts so too, and what Quell takes the customer's own automation does not get.

mod adaptive;
mod line;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::retry::{Quota, Reason, RetryMode};
use adaptive::Adaptive;
pub use line::Limit;
use line::{Line, Ticket, Turn};

/// Where calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The account; empty for Quell's own while it is not known.
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) is_changing: bool,
}

/// How fast the calls of a service may go, in one account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLimits {
    /// Calls that only read.
    pub reads: Limit,
    /// Calls that change something.
    pub changes: Limit,
}

/// The limits by service, by botocore's names; what is not named has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits(pub BTreeMap<String, ServiceLimits>);

impl Default for Limits {
    /// EC2 alone. AWS has a bucket for each action, of 100 that fill at 20 a second when it reads, and of 50 and 5 when
    /// it changes something. Here all that read share one, and so do all that change something.
    fn default() -> Self {
        let limit = |per_second, burst| Limit { per_second, burst };
        let ec2 = ServiceLimits {
            reads: limit(50.0, 100.0),
            changes: limit(10.0, 50.0),
        };
        Self(BTreeMap::from([("ec2".to_owned(), ec2)]))
    }
}

impl Limits {
    /// Says what is wrong with them.
    pub(crate) fn fault(&self) -> Option<String> {
        let bad = |limit: &Limit| {
            !(limit.per_second > 0.0 && limit.per_second.is_finite() && limit.burst >= 1.0)
        };
        let (service, _) = self
            .0
            .iter()
            .find(|(_, limits)| bad(&limits.reads) || bad(&limits.changes))?;
        Some(format!(
            "the limit of {service} must let more than 0 calls a second and at least 1 at once"
        ))
    }

    fn of(&self, key: &Key) -> Option<Limit> {
        let limits = self.0.get(&key.service)?;
        Some(if key.is_changing {
            limits.changes
        } else {
            limits.reads
        })
    }
}

/// So many places are kept. Enough for an organisation; a limit, because scopes come from events.
const PLACES_MAX: usize = 16_384;

/// All places of a client.
pub(crate) struct Places {
    limits: Limits,
    mode: RetryMode,
    places: Mutex<HashMap<Key, Arc<Place>>>,
}

impl Places {
    pub(crate) fn new(limits: Limits, mode: RetryMode) -> Self {
        Self {
            limits,
            mode,
            places: Mutex::default(),
        }
    }

    pub(crate) fn of(&self, key: Key) -> Arc<Place> {
        let mut places = lock(&self.places);
        if places.len() >= PLACES_MAX && !places.contains_key(&key) {
            // Those that somebody uses stay; the rest only forget how busy AWS was.
            places.retain(|_, place| Arc::strong_count(place) > 1);
        }
        let place = places
            .entry(key)
            .or_insert_with_key(|key| Arc::new(Place::new(self.limits.of(key), self.mode)));
        Arc::clone(place)
    }
}

/// One account, Region and service.
pub(crate) struct Place {
    start: Instant,
    limit: Option<Limit>,
    state: Mutex<State>,
    /// Told whenever the line has changed.
    moved: Notify,
}

struct State {
    line: Line,
    adaptive: Option<Adaptive>,
    quota: Quota,
}

/// Why a call did not get its turn. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoTurn(line::Refused);

impl fmt::Display for NoTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            line::Refused::Full => write!(f, "{} calls wait already", line::WAITING_MAX),
            line::Refused::Late => f.write_str("its turn would come after its deadline"),
        }
    }
}

impl Place {
    fn new(limit: Option<Limit>, mode: RetryMode) -> Self {
        let state = State {
            line: Line::new(limit, Duration::ZERO),
            adaptive: (mode == RetryMode::Adaptive).then(|| Adaptive::new(Duration::ZERO)),
            quota: Quota::default(),
        };
        Self {
            start: Instant::now(),
            limit,
            state: Mutex::new(state),
            moved: Notify::new(),
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits for the turn of a call that must be sent before `deadline`.
    pub(crate) async fn turn(&self, deadline: Instant) -> Result<(), NoTurn> {
        let due = deadline.saturating_duration_since(self.start);
        let ticket = lock(&self.state).line.join(self.now(), due);
        let waiting = Waiting {
            place: self,
            ticket: ticket.map_err(NoTurn)?,
        };
        loop {
            // Made before the question, so that no change between the two is missed.
            let moved = self.moved.notified();
            let turn = lock(&self.state).line.turn(waiting.ticket, self.now());
            match turn {
                Turn::Go => return Ok(()),
                Turn::Wait(wait) => tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = moved => {}
                },
                Turn::Behind => moved.await,
            }
        }
    }

    /// Takes note of an answer: in adaptive mode it says how fast to go on.
    pub(crate) fn answered(&self, is_throttled: bool) {
        let now = self.now();
        let mut state = lock(&self.state);
        let Some(adaptive) = &mut state.adaptive else {
            return;
        };
        let Some(found) = adaptive.answered(now, is_throttled) else {
            return;
        };
        let limit = self.limit.map_or(found, |own| Limit {
            per_second: own.per_second.min(found.per_second),
            burst: own.burst.min(found.burst),
        });
        state.line.set_limit(Some(limit), now);
        let is_empty = state.line.is_empty();
        drop(state);
        if !is_empty {
            self.moved.notify_waiters();
        }
    }

    /// Whether the place can bear a retry; if so it is counted.
    pub(crate) fn may_retry(&self, reason: Reason) -> bool {
        lock(&self.state).quota.take(reason)
    }

    /// Takes note of a success and of why its last attempt was made, when it was not the first.
    pub(crate) fn succeeded(&self, last_retry: Option<Reason>) {
        lock(&self.state).quota.give_back(last_retry);
    }
}

/// A ticket that leaves the line when it is dropped, however the wait ends.
struct Waiting<'a> {
    place: &'a Place,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.place.state);
        state.line.leave(self.ticket);
        let is_empty = state.line.is_empty();
        drop(state);
        if !is_empty {
            self.place.moved.notify_waiters();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: &str) -> Key {
        Key {
            account: account.to_owned(),
            region: "us-east-1".to_owned(),
            service: "ec2".to_owned(),
            is_changing: true,
        }
    }

    fn places(mode: RetryMode) -> Places {
        Places::new(Limits::default(), mode)
    }

    #[tokio::test(start_paused = true)]
    async fn callers_share_a_place_and_wait_their_turn() {
        let places = places(RetryMode::Standard);
        let start = Instant::now();
        let deadline = start + Duration::from_secs(60);
        let mut turns = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let place = places.of(key("1"));
            turns.spawn(async move { place.turn(deadline).await.map(|()| start.elapsed()) });
        }
        let mut went = Vec::new();
        while let Some(turn) = turns.join_next().await {
            went.push(turn.unwrap().unwrap().as_secs_f64());
        }
        went.sort_by(f64::total_cmp);
        assert!(went[49] < 0.001, "50 at once: {}", went[49]);
        let last = went[99];
        assert!((4.99..5.1).contains(&last), "then 10 a second: {last}");
        let elsewhere = places.of(key("2"));
        let before = Instant::now();
        elsewhere.turn(deadline).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_holds_nobody_up() {
        let place = places(RetryMode::Standard).of(key("1"));
        let deadline = Instant::now() + Duration::from_secs(60);
        for _ in 0..50 {
            place.turn(deadline).await.unwrap();
        }
        let near = Instant::now() + Duration::from_secs(2);
        let gives_up = tokio::time::timeout(Duration::from_millis(20), place.turn(near));
        let (gave_up, went) = tokio::join!(gives_up, place.turn(deadline));
        assert!(gave_up.is_err());
        went.unwrap();
        assert!(place.start.elapsed() < Duration::from_millis(110));
        let late = place.turn(Instant::now() + Duration::from_millis(10)).await;
        assert_eq!(late, Err(NoTurn(line::Refused::Late)));
    }

    #[tokio::test(start_paused = true)]
    async fn adaptive_mode_slows_a_place_that_was_told_so() {
        let places = Places::new(Limits(BTreeMap::new()), RetryMode::Adaptive);
        let place = places.of(key("1"));
        let call = async |is_throttled| {
            let deadline = Instant::now() + Duration::from_secs(60);
            place.turn(deadline).await.unwrap();
            place.answered(is_throttled);
        };
        for _ in 0..100 {
            call(false).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        call(true).await;
        let start = Instant::now();
        for _ in 0..10 {
            call(true).await;
        }
        assert!(
            start.elapsed() > Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
    }

    #[test]
    fn limits_that_let_nothing_through_are_a_fault() {
        let mut limits = Limits::default();
        assert_eq!(limits.fault(), None);
        limits.0.get_mut("ec2").unwrap().reads.per_second = 0.0;
        assert!(limits.fault().unwrap().contains("ec2"));
    }
}
