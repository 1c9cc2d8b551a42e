//! When nothing earlier will come.

use quell_detect::correlation::LATENESS_MILLIS;
use quell_model::Timestamp;

/// What this process heard of the course of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    /// Since when it listens.
    started: Timestamp,
    /// When the last record came, by the clock.
    last: Option<Timestamp>,
    /// When the newest event happened.
    newest: Option<Timestamp>,
}

impl Heard {
    /// Nothing yet.
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            started,
            last: None,
            newest: None,
        }
    }

    /// A record was received that happened `at`. What claims to have happened after that has not.
    pub(super) fn record(&mut self, at: Timestamp, received_at: Timestamp) {
        self.last = self.last.max(Some(received_at));
        self.newest = self.newest.max(Some(at.min(received_at)));
    }

    /// The moment of event time before which nothing is expected any more: an hour before the newest event, or, when nothing at
    /// all came for an hour in which somebody listened, two hours ago. What waits to be looked at holds it back: `pending` is
    /// when the oldest of that came. `None` while nothing is known.
    pub(super) fn closing(&self, pending: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let quiet_since = self
            .last
            .map_or(self.started, |last| last.max(self.started));
        let hour_ago = now.plus_millis(-LATENESS_MILLIS);
        let quiet = (quiet_since <= hour_ago).then_some(hour_ago);
        let newest = self.newest.max(quiet)?;
        Some(
            newest
                .min(pending.unwrap_or(now))
                .plus_millis(-LATENESS_MILLIS),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = LATENESS_MILLIS;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours * HOUR)
    }

    #[test]
    fn windows_close_an_hour_before_the_newest_event() {
        let mut heard = Heard::new(at(100));
        assert_eq!(heard.closing(None, at(100)), None, "nothing is known yet");
        heard.record(at(90), at(100));
        heard.record(at(80), at(100));
        assert_eq!(heard.closing(None, at(100)), Some(at(89)));
        heard.record(at(500), at(100));
        assert_eq!(
            heard.closing(None, at(100)),
            Some(at(99)),
            "not what is yet to come"
        );
    }

    #[test]
    fn what_waits_to_be_looked_at_holds_them_open() {
        let mut heard = Heard::new(at(100));
        heard.record(at(100), at(100));
        assert_eq!(heard.closing(Some(at(94)), at(100)), Some(at(93)));
    }

    #[test]
    fn silence_closes_them_only_after_an_hour_of_listening() {
        let mut heard = Heard::new(at(100));
        heard.record(at(50), at(100));
        assert_eq!(
            heard.closing(None, Timestamp::from_millis(101 * HOUR - 1)),
            Some(at(49))
        );
        assert_eq!(heard.closing(None, at(101)), Some(at(99)));
        assert_eq!(Heard::new(at(100)).closing(None, at(110)), Some(at(108)));
    }
}
