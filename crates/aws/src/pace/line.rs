//! A token bucket and the line of those who wait at it. Pure: the time is an argument, counted from any fixed start.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How fast something may go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Calls a second in the long run; more than 0.
    pub per_second: f64,
    /// Calls at once after a pause; at least 1.
    pub burst: f64,
}

/// So many may wait at one place; more are refused at once.
pub(crate) const WAITING_MAX: usize = 1000;

/// A place in the line: the nearest deadline goes first, then who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    deadline: Duration,
    number: u64,
}

/// What the holder of a ticket does now.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn {
    /// It goes; its token is taken and it has left the line.
    Go,
    /// It is first, and asks again in so long.
    Wait(Duration),
    /// It asks again when the line has changed.
    Behind,
}

/// Why nobody waits here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many wait already.
    Full,
    /// Its turn would come after its deadline.
    Late,
}

/// A bucket of tokens with those who wait for one. Without a limit nobody waits.
#[derive(Debug)]
pub(crate) struct Line {
    limit: Option<Limit>,
    tokens: f64,
    /// When `tokens` was right.
    at: Duration,
    waiting: BTreeSet<Ticket>,
    next: u64,
}

impl Line {
    pub(crate) fn new(limit: Option<Limit>, now: Duration) -> Self {
        Self {
            limit,
            tokens: limit.map_or(0.0, |limit| limit.burst),
            at: now,
            waiting: BTreeSet::new(),
            next: 0,
        }
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Changes the speed from now on. What was saved up is kept, as far as the new burst allows.
    pub(crate) fn set_limit(&mut self, limit: Option<Limit>, now: Duration) {
        self.refill(now);
        if let Some(limit) = limit {
            // From no limit to one: start empty, there was a reason.
            self.tokens = self.tokens.min(limit.burst);
        }
        self.limit = limit;
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        if let Some(limit) = self.limit {
            self.tokens = (self.tokens + passed * limit.per_second).min(limit.burst);
        }
    }

    /// How long until there are `count` tokens.
    fn until(&self, count: f64) -> Duration {
        let Some(limit) = self.limit else {
            return Duration::ZERO;
        };
        let seconds = (count - self.tokens).max(0.0) / limit.per_second;
        // A nanosecond more, lest rounding asks again at once.
        Duration::try_from_secs_f64(seconds).map_or(Duration::MAX, |wait| {
            if wait.is_zero() {
                wait
            } else {
                wait.saturating_add(Duration::from_nanos(1))
            }
        })
    }

    /// Takes a place in the line.
    pub(crate) fn join(&mut self, now: Duration, deadline: Duration) -> Result<Ticket, Refused> {
        self.refill(now);
        if self.waiting.len() >= WAITING_MAX {
            return Err(Refused::Full);
        }
        let number = self.next;
        let ticket = Ticket { deadline, number };
        let ahead = self.waiting.range(..ticket).count();
        let ahead = u32::try_from(ahead).map_or(f64::MAX, f64::from);
        if now.saturating_add(self.until(ahead + 1.0)) > deadline {
            return Err(Refused::Late);
        }
        self.next += 1;
        self.waiting.insert(ticket);
        Ok(ticket)
    }

    /// Asks whether it is the ticket's turn.
    pub(crate) fn turn(&mut self, ticket: Ticket, now: Duration) -> Turn {
        self.refill(now);
        if self.limit.is_some() {
            if self.waiting.first() != Some(&ticket) {
                return Turn::Behind;
            }
            if self.tokens < 1.0 {
                return Turn::Wait(self.until(1.0));
            }
            self.tokens -= 1.0;
        }
        self.waiting.remove(&ticket);
        Turn::Go
    }

    /// Leaves the line without having had a turn.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR_EVER: Duration = Duration::from_secs(1_000_000);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn line(per_second: f64, burst: f64) -> Line {
        Line::new(Some(Limit { per_second, burst }), Duration::ZERO)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let mut line = line(10.0, 5.0);
        let mut now = Duration::ZERO;
        let mut went = Vec::new();
        for _ in 0..25 {
            let ticket = line.join(now, FOR_EVER).unwrap();
            while let Turn::Wait(wait) = line.turn(ticket, now) {
                now += wait;
            }
            went.push(now.as_millis());
        }
        assert_eq!(went[..5], [0; 5]);
        assert_eq!(went[5..8], [100, 200, 300]);
        assert_eq!(went[24], 2000);
    }

    #[test]
    fn the_nearest_deadline_goes_first_then_who_came_first() {
        let mut line = line(1.0, 1.0);
        let go = line.join(at(0), FOR_EVER).unwrap();
        assert_eq!(line.turn(go, at(0)), Turn::Go);
        let late = line.join(at(0), at(60_000)).unwrap();
        let same = line.join(at(0), at(60_000)).unwrap();
        let soon = line.join(at(0), at(30_000)).unwrap();
        assert_eq!(line.turn(late, at(1000)), Turn::Behind);
        assert_eq!(line.turn(soon, at(1001)), Turn::Go);
        assert_eq!(line.turn(same, at(2002)), Turn::Behind);
        assert_eq!(line.turn(late, at(2002)), Turn::Go);
        assert_eq!(line.turn(same, at(3003)), Turn::Go);
        assert!(line.is_empty());
    }

    #[test]
    fn who_cannot_be_in_time_does_not_wait() {
        let mut line = line(1.0, 1.0);
        let first = line.join(at(0), FOR_EVER).unwrap();
        assert_eq!(line.turn(first, at(0)), Turn::Go);
        assert_eq!(line.join(at(0), at(900)), Err(Refused::Late));
        let ticket = line.join(at(0), at(1500)).unwrap();
        assert_eq!(line.join(at(0), at(1600)), Err(Refused::Late));
        line.leave(ticket);
        assert!(line.join(at(0), at(1600)).is_ok());
    }

    #[test]
    fn only_so_many_wait() {
        let mut line = line(0.001, 1.0);
        for _ in 0..WAITING_MAX {
            line.join(at(0), Duration::MAX).unwrap();
        }
        assert_eq!(line.join(at(0), Duration::MAX), Err(Refused::Full));
    }

    #[test]
    fn without_a_limit_nobody_waits_and_a_new_limit_starts_empty() {
        let mut line = Line::new(None, at(0));
        for _ in 0..10_000 {
            let ticket = line.join(at(0), at(0)).unwrap();
            assert_eq!(line.turn(ticket, at(0)), Turn::Go);
        }
        let limit = Limit {
            per_second: 2.0,
            burst: 2.0,
        };
        line.set_limit(Some(limit), at(5000));
        let ticket = line.join(at(5000), FOR_EVER).unwrap();
        assert!(matches!(line.turn(ticket, at(5000)), Turn::Wait(_)));
        assert_eq!(line.turn(ticket, at(5501)), Turn::Go);
    }
}
