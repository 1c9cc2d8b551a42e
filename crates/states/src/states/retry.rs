//! Retry: which errors are tried again, how often, and after how long.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::failure::{self, covers};
use crate::limits::{MAX_DELAY_SECONDS_MAX, SECONDS_MAX};
use crate::random::Random;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retrier {
    errors: Vec<String>,
    interval_seconds: u64,
    attempts_max: u64,
    backoff_rate: f64,
    delay_seconds_max: Option<u64>,
    full_jitter: bool,
}

/// Reads the `Retry` list of a state.
pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Vec<Retrier> {
    let Some(Value::Array(items)) = fields.value("Retry") else {
        if fields.value("Retry").is_some() {
            faults.schema(fields.at("Retry"), "Expected value of type Array");
        }
        return Vec::new();
    };
    items
        .iter()
        .enumerate()
        .filter_map(|(n, item)| {
            let at = format!("{}[{n}]", fields.at("Retry"));
            let fields = fields.within(item, &at, faults)?;
            Some(Retrier::read(fields, n + 1 == items.len(), faults))
        })
        .collect()
}

/// Reads `ErrorEquals`; `States.ALL` must be alone, in the last entry.
pub(super) fn read_errors(fields: &Fields<'_>, last: bool, faults: &mut Faults) -> Vec<String> {
    fields.require(&["ErrorEquals"], faults);
    let Some(items) = fields.list("ErrorEquals", faults) else {
        return Vec::new();
    };
    let errors: Vec<String> = items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect();
    let at = fields.at("ErrorEquals");
    if errors.len() != items.len() {
        faults.schema(&at, "Expected an array of strings");
    }
    if errors.iter().any(|error| error == failure::ALL) && (errors.len() > 1 || !last) {
        faults.schema(
            &at,
            "'States.ALL' must appear alone, and only in the last entry of the list",
        );
    }
    errors
}

impl Retrier {
    fn read(fields: Fields<'_>, last: bool, faults: &mut Faults) -> Retrier {
        let errors = read_errors(&fields, last, faults);
        fields.text("Comment", faults);
        let interval = fields.integer("IntervalSeconds", 1, SECONDS_MAX, faults);
        let attempts = fields.integer("MaxAttempts", 0, SECONDS_MAX, faults);
        let delay_max = fields.integer("MaxDelaySeconds", 1, MAX_DELAY_SECONDS_MAX, faults);
        let rate = fields.value("BackoffRate").map(Value::as_f64);
        if rate.is_some_and(|rate| rate.is_none_or(|rate| rate < 1.0)) {
            faults.schema(
                fields.at("BackoffRate"),
                "Expected a number of at least 1.0",
            );
        }
        let jitter = fields.text("JitterStrategy", faults);
        if jitter.is_some_and(|jitter| !matches!(jitter, "FULL" | "NONE")) {
            faults.schema(
                fields.at("JitterStrategy"),
                "Value is not valid. Allowed values: [FULL, NONE]",
            );
        }
        fields.finish(faults);
        Retrier {
            errors,
            interval_seconds: interval.unwrap_or(1),
            attempts_max: attempts.unwrap_or(3),
            backoff_rate: rate.flatten().unwrap_or(2.0),
            delay_seconds_max: delay_max,
            full_jitter: jitter == Some("FULL"),
        }
    }

    /// Milliseconds to wait after `used` retries of this retrier.
    fn delay_millis(&self, used: u64, random: &Random) -> u64 {
        let cap = self.delay_seconds_max.unwrap_or(SECONDS_MAX) as f64;
        let exponent = i32::try_from(used).unwrap_or(i32::MAX);
        let seconds = (self.interval_seconds as f64 * self.backoff_rate.powi(exponent)).min(cap);
        let share = if self.full_jitter {
            random.fraction()
        } else {
            1.0
        };
        (seconds * 1000.0 * share).round() as u64
    }
}

/// What the retriers say of an error: the milliseconds to wait, with the use
/// counted in `used`, or nothing.
pub(super) fn decide(
    retriers: &[Retrier],
    error: &str,
    used: &mut Vec<u64>,
    random: &Random,
) -> Option<u64> {
    used.resize(retriers.len(), 0);
    let (retrier, used) = retriers
        .iter()
        .zip(used.iter_mut())
        .find(|(retrier, _)| retrier.errors.iter().any(|name| covers(name, error)))?;
    if *used >= retrier.attempts_max {
        return None;
    }
    let delay = retrier.delay_millis(*used, random);
    *used += 1;
    Some(delay)
}

/// The retrier that tries a state again for an error, if one does: the first that names it decides.
pub(super) fn retrier_of(retriers: &[Retrier], error: &str) -> Option<usize> {
    let mut named = retriers.iter().enumerate();
    let (n, retrier) =
        named.find(|(_, retrier)| retrier.errors.iter().any(|name| covers(name, error)))?;
    (retrier.attempts_max > 0).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(errors: &[&str], attempts_max: u64) -> Retrier {
        Retrier {
            errors: errors.iter().map(|error| (*error).to_owned()).collect(),
            interval_seconds: 2,
            attempts_max,
            backoff_rate: 3.0,
            delay_seconds_max: Some(20),
            full_jitter: false,
        }
    }

    #[test]
    fn delays_grow_up_to_the_cap() {
        let retriers = [retrier(&["States.TaskFailed"], 4)];
        let (mut used, random) = (Vec::new(), Random::new(0));
        let delays: Vec<Option<u64>> = (0..5)
            .map(|_| decide(&retriers, "Boom", &mut used, &random))
            .collect();
        assert_eq!(
            delays,
            [Some(2000), Some(6000), Some(18000), Some(20000), None]
        );
    }

    #[test]
    fn each_retrier_counts_for_itself() {
        let retriers = [retrier(&["A", "B"], 2), retrier(&["C"], 1)];
        let (mut used, random) = (Vec::new(), Random::new(0));
        let mut next = |error: &str| decide(&retriers, error, &mut used, &random);
        assert_eq!(next("A"), Some(2000));
        assert_eq!(next("B"), Some(6000));
        assert_eq!(next("C"), Some(2000));
        assert_eq!(next("B"), None);
        assert_eq!(next("D"), None);
    }

    #[test]
    fn full_jitter_stays_within_the_delay() {
        let mut jittered = retrier(&["States.ALL"], 1000);
        jittered.full_jitter = true;
        let random = Random::new(3);
        let delays: Vec<u64> = (0..100)
            .map(|_| jittered.delay_millis(0, &random))
            .collect();
        assert!(delays.iter().all(|delay| *delay <= 2000));
        assert!(delays.iter().any(|delay| *delay > 1500) && delays.iter().any(|d| *d < 500));
        assert_eq!(
            jittered.delay_millis(5, &Random::new(9)),
            jittered.delay_millis(5, &Random::new(9))
        );
    }

    #[test]
    fn huge_counts_stay_finite() {
        let mut endless = retrier(&["States.ALL"], u64::MAX);
        endless.delay_seconds_max = None;
        assert_eq!(
            endless.delay_millis(u64::MAX, &Random::new(0)),
            SECONDS_MAX * 1000
        );
    }
}
