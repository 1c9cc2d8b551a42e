//! Rules tried on records that are not stored: what they would have said, and what incidents would have been opened.

use std::collections::BTreeMap;

use quell_detect::Scratch;
use quell_model::{Event, Finding, Record, Severity, Timestamp};
use quell_triage::Board;
use serde::Serialize;

use crate::assess::{Assessed, assess};
use crate::content::Content;

/// More findings than this are counted and not kept: a year of a large organisation must not take all memory.
const FINDINGS_MAX: usize = 500_000;

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
        }
    }

    /// Tries the rules on a record; the event and its findings, when there are any.
    pub fn add(&mut self, record: &Record) -> Option<(Box<Event>, Vec<Finding>)> {
        self.counts.accepted += 1;
        match assess(
            &self.content.engine,
            record,
            |_| false,
            Timestamp::EPOCH,
            &mut self.scratch,
        ) {
            Assessed::Matched(event, findings) => {
                self.counts.matched += 1;
                for finding in &findings {
                    *self.by_rule.entry(finding.detection.clone()).or_default() += 1;
                    *self.by_severity.entry(finding.severity).or_default() += 1;
                }
                self.kept += findings.len();
                if self.kept <= FINDINGS_MAX {
                    self.findings.push(findings.clone());
                }
                return Some((event, findings));
            }
            Assessed::Unmatched => self.counts.unmatched += 1,
            Assessed::Quarantined(error) => {
                self.counts.quarantined += 1;
                self.reason(error.to_string());
            }
        }
        None
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
        self.findings
            .sort_by_key(|findings| findings.first().map(|f| (f.event_time, f.record.clone())));
        let mut board = Board::default();
        for findings in &self.findings {
            let playbook = findings
                .iter()
                .find_map(|finding| self.content.playbook_for(finding));
            board.add(
                findings,
                playbook.map(|p| p.category.as_str()),
                Timestamp::EPOCH,
            );
        }
        board
    }
}
