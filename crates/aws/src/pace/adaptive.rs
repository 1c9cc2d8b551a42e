//! The adaptive mode of the AWS SDKs: a client that is told «slower» measures how fast it called, goes on at 0.7 of
//! that, and speeds up again by the cubic curve of TCP CUBIC. As botocore's `retries/adaptive.py` and
//! `retries/throttling.py` have it. Pure: the time is an argument.

use std::time::Duration;

use super::line::Limit;

/// How much a new measurement counts against what was known.
const SMOOTHING: f64 = 0.8;
/// The rate is measured over half seconds.
const MEASURES_A_SECOND: f64 = 2.0;
const SCALE: f64 = 0.4;
const BETA: f64 = 0.7;
/// Never slower than this, in calls a second.
const RATE_MIN: f64 = 0.5;

/// How fast a place can be called, as far as its answers tell.
#[derive(Debug)]
pub(crate) struct Adaptive {
    measured: f64,
    measured_at: f64,
    count: f64,
    /// The rate at which «slower» was said last, and when.
    rate_max: f64,
    throttled_at: f64,
    was_throttled: bool,
    rate: f64,
}

impl Adaptive {
    pub(crate) fn new(now: Duration) -> Self {
        let now = now.as_secs_f64();
        Self {
            measured: 0.0,
            measured_at: now.floor(),
            count: 0.0,
            rate_max: 0.0,
            throttled_at: now,
            was_throttled: false,
            rate: 1.0,
        }
    }

    /// Takes note of an answer. Gives the speed to keep from here on; none until AWS first said «slower».
    pub(crate) fn answered(&mut self, now: Duration, is_throttled: bool) -> Option<Limit> {
        let now = now.as_secs_f64();
        let measured = self.measure(now);
        let wanted = if is_throttled {
            let from = if self.was_throttled {
                measured.min(self.rate)
            } else {
                measured
            };
            self.was_throttled = true;
            self.rate_max = from;
            self.throttled_at = now;
            from * BETA
        } else {
            let plateau = (self.rate_max * (1.0 - BETA) / SCALE).cbrt();
            SCALE * (now - self.throttled_at - plateau).powi(3) + self.rate_max
        };
        let wanted = wanted.min(2.0 * measured);
        self.rate = wanted.max(RATE_MIN);
        self.was_throttled.then_some(Limit {
            per_second: self.rate,
            burst: wanted.max(1.0),
        })
    }

    fn measure(&mut self, now: f64) -> f64 {
        let bucket = (now * MEASURES_A_SECOND).floor() / MEASURES_A_SECOND;
        self.count += 1.0;
        if bucket > self.measured_at {
            let current = self.count / (bucket - self.measured_at);
            self.measured = current * SMOOTHING + self.measured * (1.0 - SMOOTHING);
            self.count = 0.0;
            self.measured_at = bucket;
        }
        self.measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What botocore 1.44.5 makes of the same answers (`ClientRateLimiter` on a clock that is set by hand):
    /// milliseconds, whether it was throttled, calls a second, calls at once.
    const BOTOCORE: &[(u64, bool, f64, f64)] = &[
        (0, false, 0.500000000, 1.000000000),
        (90, false, 0.500000000, 1.000000000),
        (180, false, 0.500000000, 1.000000000),
        (270, false, 0.500000000, 1.000000000),
        (360, false, 0.500000000, 1.000000000),
        (450, false, 0.500000000, 1.000000000),
        (540, false, 0.500000000, 1.000000000),
        (630, false, 0.500000000, 1.000000000),
        (720, false, 0.500000000, 1.000000000),
        (810, false, 0.500000000, 1.000000000),
        (900, false, 0.500000000, 1.000000000),
        (990, false, 0.500000000, 1.000000000),
        (1080, false, 0.503884800, 1.000000000),
        (1170, false, 0.640645200, 1.000000000),
        (1260, false, 0.800150400, 1.000000000),
        (1350, false, 0.984150000, 1.000000000),
        (1440, false, 1.194393600, 1.194393600),
        (1530, false, 1.432630800, 1.432630800),
        (1620, false, 1.700611200, 1.700611200),
        (1710, false, 2.000084400, 2.000084400),
        (1800, false, 2.332800000, 2.332800000),
        (1890, false, 2.700507600, 2.700507600),
        (1980, false, 3.104956800, 3.104956800),
        (2070, false, 3.547897200, 3.547897200),
        (2160, false, 4.031078400, 4.031078400),
        (2250, false, 4.556250000, 4.556250000),
        (2340, false, 5.125161600, 5.125161600),
        (2430, false, 5.739562800, 5.739562800),
        (2520, false, 6.401203200, 6.401203200),
        (2610, false, 7.111832400, 7.111832400),
        (2700, true, 7.234304000, 7.234304000),
        (2830, false, 7.806033972, 7.806033972),
        (3230, false, 9.117704785, 9.117704785),
        (3630, false, 6.586777600, 6.586777600),
        (4030, false, 4.517355520, 4.517355520),
        (4430, false, 4.517355520, 4.517355520),
        (4830, false, 7.303471104, 7.303471104),
        (5230, true, 1.631242977, 1.631242977),
        (5240, true, 1.141870084, 1.141870084),
        (5940, false, 1.611058756, 1.611058756),
        (6840, false, 1.690952067, 1.690952067),
        (7740, false, 2.213285554, 2.213285554),
        (8640, false, 2.042657111, 2.042657111),
        (9540, false, 2.008531422, 2.008531422),
        (10440, false, 3.601706284, 3.601706284),
        (11340, false, 2.320341257, 2.320341257),
        (12240, false, 2.064068251, 2.064068251),
    ];

    #[test]
    fn the_speed_is_that_of_botocore() {
        let mut adaptive = Adaptive::new(Duration::ZERO);
        let mut throttled = false;
        for &(millis, is_throttled, rate, burst) in BOTOCORE {
            let limit = adaptive.answered(Duration::from_millis(millis), is_throttled);
            throttled |= is_throttled;
            assert_eq!(limit.is_some(), throttled, "{millis} ms");
            if let Some(limit) = limit {
                assert!(
                    (limit.per_second - rate).abs() < 1e-6,
                    "{millis}: {limit:?}"
                );
                assert!((limit.burst - burst).abs() < 1e-6, "{millis}: {limit:?}");
            }
        }
    }

    #[test]
    fn it_slows_down_when_told_and_recovers() {
        let mut adaptive = Adaptive::new(Duration::ZERO);
        let mut speed = |millis: u64, is_throttled| {
            let limit = adaptive.answered(Duration::from_millis(millis), is_throttled);
            limit.map(|limit| limit.per_second)
        };
        for millis in (0..5000).step_by(50) {
            assert_eq!(speed(millis, false), None);
        }
        let slowed = speed(5000, true).unwrap();
        assert!((13.0..15.0).contains(&slowed), "{slowed}");
        let recovered = (5050..15_000).step_by(50).map(|t| speed(t, false));
        assert!(recovered.last().flatten().unwrap() > 20.0);
    }
}
