//! Rules tried on records that are not stored: what they would have said, and what incidents would have been opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use quell_detect::baseline::{Memory, Subject};
use quell_detect::correlation::{Correlation, Correlator, Fired, Group, Hit};
use quell_detect::{About, Came, Scratch};
use quell_model::{Event, Finding, Origin, Record, RecordId, Resource, Severity, Timestamp};
use quell_normalize::chain::{Caller, Chains, Step, caller};
use quell_normalize::principal;
use quell_triage::Board;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::assess::{Assessed, Matched, assess, of_ruled};
use crate::content::Content;

/// More findings than this are counted and not kept: a year of a large organisation must not take all memory.
const FINDINGS_MAX: usize = 500_000;
/// More records than this are not given to the correlations, for the same reason.
const CORRELATED_MAX: usize = 200_000;

/// More records than this are not given to the baselines: they are kept whole until all have come.
const COMPARED_MAX: usize = 100_000;

/// What became of the records of a trial.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All that came: `matched` + `unmatched` + `quarantined`.
    pub accepted: u64,
    /// Records with at least one finding.
    pub matched: u64,
    /// Records without.
    pub unmatched: u64,
    /// What is no record, or none that can be understood.
    pub quarantined: u64,
}

/// A trial of all rules of some content.
pub struct Trial<'a> {
    content: &'a Content,
    scratch: Scratch,
    /// What became of the records so far.
    pub counts: Counts,
    /// How often each detection matched.
    pub by_rule: BTreeMap<String, u64>,
    /// How many findings of each severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// The first reasons for putting something aside.
    pub reasons: Vec<String>,
    findings: Vec<Vec<Finding>>,
    kept: usize,
    hits: Vec<(&'a Correlation, Group, Hit)>,
    /// What the records are about that correlations are given.
    about: BTreeMap<RecordId, Arc<About>>,
    /// Which sessions were made, and who made the calls that findings are of.
    chains: Chains,
    callers: BTreeMap<RecordId, (Caller, Timestamp)>,
    /// What the baselines are given, and whose past it is part of.
    compared: Vec<(Record, Event, Vec<Subject>)>,
    /// Records that the baselines were not given: there were too many.
    pub not_compared: u64,
    /// Records that the correlations were not given: there were too many.
    pub not_correlated: u64,
}

/// So many reasons are kept: more would tell nobody more.
const REASONS_MAX: usize = 20;

impl<'a> Trial<'a> {
    /// A trial without records yet.
    pub fn new(content: &'a Content) -> Self {
        Self {
            content,
            scratch: Scratch::default(),
            counts: Counts::default(),
            by_rule: BTreeMap::new(),
            by_severity: BTreeMap::new(),
            reasons: Vec::new(),
            findings: Vec::new(),
            kept: 0,
            hits: Vec::new(),
            about: BTreeMap::new(),
            chains: Chains::default(),
            callers: BTreeMap::new(),
            compared: Vec::new(),
            not_compared: 0,
            not_correlated: 0,
        }
    }

    /// Tries the rules on a record; the event and its findings, when there are any. What several records say together is known
    /// when there are no more: [`Trial::complete`].
    pub fn add(&mut self, record: &Record) -> Option<(Event, Vec<Finding>)> {
        let now = Timestamp::EPOCH;
        let assessed = assess(self.content, record, |_| false, now, &mut self.scratch);
        self.take(record, assessed)
    }

    /// As [`Trial::add`], for a record that was read where it stands: the rules look at it there.
    pub fn add_read(&mut self, came: Came<'_>) -> Option<(Event, Vec<Finding>)> {
        let now = Timestamp::EPOCH;
        let record = match RawValue::from_string(came.reading.body().raw().to_owned()) {
            Ok(body) => Record {
                id: came.id.clone(),
                origin: Origin::File {
                    path: String::new(),
                },
                received_at: came.received_at,
                envelope: came.envelope.cloned(),
                body,
            },
            Err(error) => {
                self.refuse(error.to_string());
                return None;
            }
        };
        let engine = &self.content.engine;
        let ruled = engine.assess_read(came, |_| false, now, &mut self.scratch);
        let assessed = of_ruled(self.content, &record, ruled, |_| false, now);
        self.take(&record, assessed)
    }

    fn take(&mut self, record: &Record, assessed: Assessed<'a>) -> Option<(Event, Vec<Finding>)> {
        self.counts.accepted += 1;
        match assessed {
            Assessed::Matched(matched) => {
                let Matched {
                    event,
                    findings,
                    hits,
                    about,
                    subjects,
                    link,
                } = *matched;
                if let Some(about) = about {
                    self.correlate(record, &event, hits, about);
                }
                self.compare(record, &event, subjects);
                if let Some(link) = link {
                    self.chains.add(link);
                }
                if !findings.is_empty() {
                    self.counts.matched += 1;
                    self.call(record, &event);
                    self.keep(findings.clone());
                    return Some((event, findings));
                }
                self.counts.unmatched += 1;
            }
            Assessed::Reported(reports) => {
                self.counts.matched += 1;
                reports
                    .faults
                    .into_iter()
                    .for_each(|fault| self.reason(fault));
                // Each is about a resource of its own.
                for finding in reports.findings {
                    self.keep(vec![finding]);
                }
            }
            Assessed::Unmatched(_) => self.counts.unmatched += 1,
            Assessed::Quarantined(error) => {
                self.counts.quarantined += 1;
                self.reason(error);
            }
        }
        None
    }

    fn keep(&mut self, findings: Vec<Finding>) {
        for finding in &findings {
            *self.by_rule.entry(finding.detection.clone()).or_default() += 1;
            *self.by_severity.entry(finding.severity).or_default() += 1;
        }
        self.kept += findings.len();
        if self.kept <= FINDINGS_MAX {
            self.findings.push(findings);
        }
    }

    /// Notes who made the call of a record that a finding is of.
    fn call(&mut self, record: &Record, event: &Event) {
        if self.callers.len() < FINDINGS_MAX
            && let Some(caller) = caller(event, record)
        {
            self.callers.insert(record.id.clone(), (caller, event.time));
        }
    }

    fn compare(&mut self, record: &Record, event: &Event, subjects: Vec<Subject>) {
        if subjects.is_empty() {
            return;
        }
        if self.compared.len() >= COMPARED_MAX {
            self.not_compared += 1;
            return;
        }
        self.compared
            .push((record.clone(), event.clone(), subjects));
    }

    fn correlate(
        &mut self,
        record: &Record,
        event: &Event,
        hits: Vec<(&'a Correlation, Group, Hit)>,
        (resource, principal): (Resource, Resource),
    ) {
        if hits.is_empty() {
            return;
        }
        if self.about.len() >= CORRELATED_MAX {
            self.not_correlated += 1;
            return;
        }
        self.call(record, event);
        let about = Arc::new(About::new(event, resource, principal));
        self.about.insert(record.id.clone(), about);
        self.hits.extend(hits);
    }

    /// Gives the correlations all hits in the order of time, so that files may come in any; answers what they say.
    pub fn complete(&mut self) -> Vec<Finding> {
        let mut hits = std::mem::take(&mut self.hits);
        hits.sort_by(|(_, _, a), (_, _, b)| (a.time, &a.record).cmp(&(b.time, &b.record)));
        let mut correlator = Correlator::default();
        let mut out = Vec::new();
        for (correlation, group, hit) in hits {
            let fired = correlator.step(correlation, &group, hit).into_iter();
            out.extend(fired.filter_map(|fired| self.finding(correlation, &group, fired)));
        }
        let end = Timestamp::from_millis(i64::MAX);
        for correlation in self.content.engine.correlations() {
            let fired = correlator.advance(correlation, end).into_iter();
            out.extend(fired.filter_map(|(group, f)| self.finding(correlation, &group, f)));
        }
        self.compare_all(&mut out);
        for finding in &out {
            self.keep(vec![finding.clone()]);
        }
        self.initiate();
        out
    }

    /// Gives the baselines all records in the order of time.
    fn compare_all(&mut self, out: &mut Vec<Finding>) {
        let mut compared = std::mem::take(&mut self.compared);
        compared.sort_by(|(a, at, _), (b, bt, _)| (at.time, &a.id).cmp(&(bt.time, &b.id)));
        let baselines = &self.content.baselines;
        let mut memory = Memory::default();
        for (record, event, subjects) in compared {
            for subject in &subjects {
                let fired = memory.step(baselines, &record, event.time, subject);
                if fired.is_empty() {
                    continue;
                }
                self.call(&record, &event);
                let principal = principal(&event);
                let of = |f| baselines.finding(&f, &event, &principal, Timestamp::EPOCH);
                out.extend(fired.into_iter().filter_map(of));
            }
        }
    }

    /// Says of all findings who began it, now that all sessions are known.
    fn initiate(&mut self) {
        for finding in self.findings.iter_mut().flatten() {
            let Some((caller, used)) = self.callers.get(&finding.record) else {
                continue;
            };
            if let Step::Found(initiator) = self.chains.begun_by(caller.clone(), *used) {
                finding.initiator = Some(initiator);
            }
        }
    }

    fn finding(&self, correlation: &Correlation, group: &Group, fired: Fired) -> Option<Finding> {
        let about = self.about.get(fired.records.last()?)?;
        correlation.finding(group, fired, (**about).clone(), Timestamp::EPOCH)
    }

    /// Counts what is no record.
    pub fn refuse(&mut self, fault: String) {
        self.counts.accepted += 1;
        self.counts.quarantined += 1;
        self.reason(fault);
    }

    fn reason(&mut self, reason: String) {
        if self.reasons.len() < REASONS_MAX {
            self.reasons.push(reason);
        }
    }

    /// How many findings are not in the incidents, because there were too many to keep.
    pub fn left_out(&self) -> usize {
        self.kept.saturating_sub(FINDINGS_MAX)
    }

    /// The incidents, as they would have been opened had the records come in the order in which they happened.
    pub fn board(&mut self) -> Board {
        self.complete();
        self.findings
            .sort_by_key(|findings| findings.first().map(|f| (f.event_time, f.record.clone())));
        let mut board = Board::default();
        for findings in &self.findings {
            let all = findings.iter();
            let playbook = all
                .clone()
                .find_map(|finding| self.content.playbook_for(finding));
            let trouble = self.content.trouble(playbook, all);
            board.add(findings, trouble, Timestamp::EPOCH);
        }
        board
    }
}
