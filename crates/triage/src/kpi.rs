//! How fast incidents are found and dealt with, from the moments that were recorded.

use std::collections::BTreeMap;

use quell_model::{Handled, Incident, Timestamp, Verdict};
use serde::Serialize;

/// A stage's times, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// Of how many incidents.
    pub n: usize,
    /// Their mean; none of none.
    pub mean_seconds: Option<f64>,
    /// Half of them took no longer.
    pub p50_seconds: Option<f64>,
    /// Nine of ten took no longer.
    pub p90_seconds: Option<f64>,
    /// And nineteen of twenty.
    pub p95_seconds: Option<f64>,
}

/// What became of the incidents of a category.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Incidents.
    pub detections: usize,
    /// Contained by a playbook without a person.
    pub automatic: usize,
    /// Contained with a person, or closed by one without a playbook.
    pub manual: usize,
    /// A person said that what was found did not happen.
    pub false_positives: usize,
}

/// What the incidents of a time say together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kpis {
    /// Incidents in all.
    pub incidents: usize,
    /// From the first event to detection: MTTD is its mean.
    pub detect: Times,
    /// From detection until something was done about it.
    pub acknowledge: Times,
    /// From detection until it was verified to be held back.
    pub contain: Times,
    /// From detection until it was over: MTTR is its mean.
    pub resolve: Times,
    /// By category.
    pub categories: BTreeMap<String, Counts>,
    /// How many were judged.
    pub judged: usize,
    /// The share of false ones among those that were judged; none when none was.
    pub false_positive_rate: Option<f64>,
}

/// Nobody waits for more; a longer list is asked for in parts.
pub const INCIDENTS_MAX: usize = 100_000;

/// What these incidents say together: of [`INCIDENTS_MAX`] at most.
pub fn kpis<'a>(incidents: impl Iterator<Item = &'a Incident>) -> Kpis {
    let mut kpis = Kpis::default();
    let mut stages: [Vec<f64>; 4] = Default::default();
    let mut wrong = 0_u32;
    for incident in incidents.take(INCIDENTS_MAX) {
        kpis.incidents += 1;
        let from = incident.detected_at;
        let moments = [
            Some((incident.first_event_at, from)),
            incident.acknowledged_at.map(|at| (from, at)),
            incident.contained_at.map(|at| (from, at)),
            incident.resolved_at.map(|at| (from, at)),
        ];
        for (stage, moment) in stages.iter_mut().zip(moments) {
            stage.extend(moment.map(|(from, to)| seconds(from, to)));
        }
        let counts = kpis
            .categories
            .entry(incident.category.clone())
            .or_default();
        counts.detections += 1;
        match incident.handled {
            Some(Handled::Automatically) => counts.automatic += 1,
            Some(Handled::WithAPerson) => counts.manual += 1,
            None if incident.disposition.is_some() => counts.manual += 1,
            None => {}
        }
        if let Some(said) = &incident.disposition {
            kpis.judged += 1;
            if said.verdict == Verdict::False {
                counts.false_positives += 1;
                wrong += 1;
            }
        }
    }
    let [detect, acknowledge, contain, resolve] = stages.map(times);
    let judged = u32::try_from(kpis.judged).unwrap_or(u32::MAX);
    Kpis {
        detect,
        acknowledge,
        contain,
        resolve,
        false_positive_rate: (judged > 0).then(|| f64::from(wrong) / f64::from(judged)),
        ..kpis
    }
}

/// From one moment to another, in seconds. Clocks of different machines may disagree by a moment: nothing takes less than no time.
pub fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    let millis = u32::try_from(to.millis_since(from).max(0)).unwrap_or(u32::MAX);
    f64::from(millis) / 1000.0
}

/// What times, in seconds, come to.
pub fn times(mut all: Vec<f64>) -> Times {
    all.sort_unstable_by(f64::total_cmp);
    let n = all.len();
    // The nearest rank.
    let rank = |percent: usize| {
        all.get((n * percent).div_ceil(100).saturating_sub(1))
            .copied()
    };
    let count = u32::try_from(n).unwrap_or(u32::MAX);
    Times {
        n,
        mean_seconds: (n > 0).then(|| all.iter().sum::<f64>() / f64::from(count)),
        p50_seconds: rank(50),
        p90_seconds: rank(90),
        p95_seconds: rank(95),
    }
}

#[cfg(test)]
#[path = "kpi_tests.rs"]
mod tests;
