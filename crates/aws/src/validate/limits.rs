//! How large a value may be.

use std::cmp::Ordering;

use serde_json::Number;

use super::{Measure, Problem};
use crate::model::View;

/// What is wrong with the value of a number.
pub(super) fn value(view: View<'_>, given: &Number) -> Option<Problem> {
    too_small(view, given, Measure::Value).or_else(|| {
        let most = view.max().filter(|max| is_less(max, given))?;
        Some(Problem::TooLarge { most: most.clone() })
    })
}

/// What is wrong with the length of anything else. An empty part of a path or host would name another thing.
pub(super) fn length(view: View<'_>, given: usize, measure: Measure) -> Option<Problem> {
    let names_a_place = view.location() == Some("uri") || view.is_host_label();
    if given == 0 && names_a_place {
        let least = Number::from(1);
        return Some(Problem::TooSmall { least, measure });
    }
    too_small(view, &Number::from(given), measure)
}

fn too_small(view: View<'_>, given: &Number, measure: Measure) -> Option<Problem> {
    let least = view.min().filter(|min| is_less(given, min))?.clone();
    Some(Problem::TooSmall { least, measure })
}

/// Integers of 64 bits are compared as they are: not all of them are a float.
fn is_less(a: &Number, b: &Number) -> bool {
    let order = match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64().partial_cmp(&b.as_f64()),
    };
    order == Some(Ordering::Less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        let number = |n: i64| Number::from(n);
        assert!(is_less(&number(i64::MAX - 1), &number(i64::MAX)));
        assert!(!is_less(&number(i64::MAX), &number(i64::MAX)));
        assert!(is_less(&number(-1), &Number::from(u64::MAX)));
        let half = Number::from_f64(0.5).unwrap();
        assert!(is_less(&number(0), &half) && is_less(&half, &number(1)));
    }
}
