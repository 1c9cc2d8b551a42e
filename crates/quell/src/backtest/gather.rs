//! What of the records is of interest, each record by itself.

use std::collections::BTreeMap;

use quell_detect::correlation::{Correlator, Group, Hit};
use quell_detect::{About, Scratch};
use quell_model::{Finding, Record, RecordId, Timestamp};
use quell_respond::Playbook;
use serde::Serialize;

use super::world::{Change, Worlds};
use super::{BacktestError, Window};
use crate::app::App;
use crate::assess::{Assessed, assess};

/// Findings that may begin a run, of one record.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// The record that completed them.
    pub(crate) record: RecordId,
    /// All findings of the record.
    pub(crate) findings: Vec<Finding>,
}

/// What became of the records, and why findings that name the playbook begin nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// All that came.
    pub(crate) records: u64,
    /// Records with findings that name the playbook.
    pub(crate) naming: u64,
    /// Of these: weaker than it begins from.
    pub(crate) too_weak: u64,
    /// Of these: about nothing that it is for; or what an outsider can cause.
    pub(crate) about_nothing: u64,
    /// Of these: another playbook answers the record first.
    pub(crate) answered_by_another: u64,
    /// Events before or after the time that was asked for.
    pub(crate) outside: u64,
    /// What could not be understood.
    pub(crate) quarantined: u64,
    /// The first reasons for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reasons: Vec<String>,
}

/// More would be no help to anybody, and take all memory.
const TRIGGERS_MAX: usize = 200_000;
const CHANGES_MAX: usize = 500_000;
const HITS_MAX: usize = 500_000;
const REASONS_MAX: usize = 20;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(super) counts: Counts,
    pub(super) triggers: Vec<Trigger>,
    pub(super) changes: Vec<Change>,
    /// What records are to the correlations that name the playbook, by the correlation's id.
    hits: Vec<(String, Group, Hit)>,
    about: BTreeMap<RecordId, About>,
}

impl Gathered {
    /// Looks at records. Each is taken as if it had come at once.
    pub(super) fn look(
        &mut self,
        app: &App,
        playbook: &Playbook,
        window: &Window,
        records: &[Record],
    ) {
        let worlds = Worlds::of(playbook);
        let mut scratch = Scratch::default();
        for record in records {
            self.counts.records += 1;
            let is_own = |event: &quell_model::Event| app.is_own(&event.actor, &event.account);
            let now = record.received_at;
            let within = |at: Timestamp| window.since <= at && at < window.until;
            match assess(&app.content, record, is_own, now, &mut scratch) {
                Assessed::Matched(matched) => {
                    if !within(matched.event.time) {
                        self.counts.outside += 1;
                        continue;
                    }
                    self.correlate(
                        playbook,
                        record,
                        &matched.hits,
                        &matched.event,
                        matched.about,
                    );
                    self.trigger(app, playbook, record, matched.findings);
                }
                Assessed::Reported(reports) => {
                    // Each is about a resource of its own.
                    for finding in reports.findings {
                        match within(finding.event_time) {
                            true => self.trigger(app, playbook, record, vec![finding]),
                            false => self.counts.outside += 1,
                        }
                    }
                }
                Assessed::Unmatched(Some(at)) if !within(at) => {
                    self.counts.outside += 1;
                    continue;
                }
                Assessed::Unmatched(_) => {}
                Assessed::Quarantined(error) => {
                    self.counts.records -= 1;
                    self.refuse(error);
                }
            }
            // Also what Quell itself did: it changed the world as much.
            self.changes.extend(worlds.change(record));
        }
    }

    /// What is no record.
    pub(super) fn refuse(&mut self, reason: String) {
        self.counts.records += 1;
        self.counts.quarantined += 1;
        if self.counts.reasons.len() < REASONS_MAX {
            self.counts.reasons.push(reason);
        }
    }

    fn trigger(&mut self, app: &App, playbook: &Playbook, record: &Record, findings: Vec<Finding>) {
        let names = |f: &Finding| app.content.names(&f.detection, &playbook.id);
        if !findings.iter().any(names) {
            return;
        }
        self.counts.naming += 1;
        let mut may = findings.iter().filter(|f| f.may_begin_a_change());
        match may.find_map(|f| app.content.playbook_for(f)) {
            Some(answers) if answers.id == playbook.id => {}
            Some(_) => {
                self.counts.answered_by_another += 1;
                return;
            }
            None => {
                let weak = findings.iter().all(|f| f.severity < playbook.begins_from);
                match weak {
                    true => self.counts.too_weak += 1,
                    false => self.counts.about_nothing += 1,
                }
                return;
            }
        }
        let at = findings.iter().map(|f| f.event_time).max();
        self.triggers.push(Trigger {
            at: at.unwrap_or_default(),
            record: record.id.clone(),
            findings,
        });
    }

    fn correlate(
        &mut self,
        playbook: &Playbook,
        record: &Record,
        hits: &[(&quell_detect::correlation::Correlation, Group, Hit)],
        event: &quell_model::Event,
        about: Option<(quell_model::Resource, quell_model::Resource)>,
    ) {
        let Some((resource, principal)) = about else {
            return;
        };
        let ours = |named: &Option<String>| named.as_deref() == Some(playbook.id.as_str());
        let before = self.hits.len();
        let of_ours = hits.iter().filter(|(c, ..)| ours(&c.playbook));
        self.hits
            .extend(of_ours.map(|(c, group, hit)| (c.id.clone(), group.clone(), hit.clone())));
        if self.hits.len() > before {
            let about = About::new(event, resource, principal);
            self.about.insert(record.id.clone(), about);
        }
    }

    /// Takes in another part.
    pub(super) fn join(&mut self, mut other: Self) -> Result<(), BacktestError> {
        let (mine, theirs) = (&mut self.counts, other.counts);
        mine.records += theirs.records;
        mine.naming += theirs.naming;
        mine.too_weak += theirs.too_weak;
        mine.about_nothing += theirs.about_nothing;
        mine.answered_by_another += theirs.answered_by_another;
        mine.outside += theirs.outside;
        mine.quarantined += theirs.quarantined;
        mine.reasons.extend(theirs.reasons);
        mine.reasons.truncate(REASONS_MAX);
        self.triggers.append(&mut other.triggers);
        self.changes.append(&mut other.changes);
        self.hits.append(&mut other.hits);
        self.about.append(&mut other.about);
        let most = [
            (
                "findings that would begin it",
                self.triggers.len(),
                TRIGGERS_MAX,
            ),
            (
                "calls that changed what it looks at",
                self.changes.len(),
                CHANGES_MAX,
            ),
            (
                "records that correlations look at",
                self.hits.len(),
                HITS_MAX,
            ),
        ];
        match most.into_iter().find(|(_, is, max)| is > max) {
            Some((what, _, max)) => Err(BacktestError::TooMany { what, max }),
            None => Ok(()),
        }
    }

    /// What several records say together begins runs too: the hits are given to their correlations in the order of time.
    pub(super) fn correlated(&mut self, app: &App) {
        let mut hits = std::mem::take(&mut self.hits);
        hits.sort_by(|(a, _, x), (b, _, y)| (x.time, &x.record, a).cmp(&(y.time, &y.record, b)));
        let mut correlator = Correlator::default();
        let all = app.content.engine.correlations();
        let mut fired = Vec::new();
        for (id, group, hit) in hits {
            if let Some(correlation) = all.iter().find(|c| c.id == id) {
                let of = correlator.step(correlation, &group, hit).into_iter();
                fired.extend(of.map(|f| (correlation, group.clone(), f)));
            }
        }
        let end = Timestamp::from_millis(i64::MAX);
        for correlation in all {
            let of = correlator.advance(correlation, end).into_iter();
            fired.extend(of.map(|(group, f)| (correlation, group, f)));
        }
        for (correlation, group, f) in fired {
            let last = f.records.last().cloned();
            let about = last.as_ref().and_then(|record| self.about.get(record));
            let made = about
                .cloned()
                .and_then(|about| correlation.finding(&group, f, about, Timestamp::EPOCH));
            if let (Some(finding), Some(record)) = (made, last) {
                self.counts.naming += 1;
                self.triggers.push(Trigger {
                    at: finding.event_time,
                    record,
                    findings: vec![finding],
                });
            }
        }
    }
}
