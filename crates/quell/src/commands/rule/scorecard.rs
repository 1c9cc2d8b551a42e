//! `quell rule scorecard`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use quell_model::{Event, Finding, Severity};
use serde::{Deserialize, Serialize};

use super::records::{files, records};
use super::{Failure, Global};
use crate::content::Content;
use crate::output::table;
use crate::trial::Trial;

/// Measure the rules on real logs: techniques caught, alerts for each 10,000 events, incidents, coverage, precision
///
/// DATA holds stratus (a file of CloudTrail records for each technique), invictus (an hour of one account, attacks among
/// warm-ups) and traildiscover (calls that attackers use), as far as they are there. Every figure is counted, none is set.
#[derive(Args)]
#[command(after_help = "\
How it counts:
  caught      a technique is caught at a severity by a rule that is about a call in its file, and not by one that matches
              whatever the call (quell rule lint calls those too broad)
  marked      user agents that begin with stratus-red-team_ mark the simulations, their warm-up and clean-up calls too;
              one such name is one simulation
  precision   of the findings at a severity or worse: how many are on marked records. Findings on Terraform's calls, which
              set up the same simulations, and on what the two people did by hand count as wrong here
  covered     an API of traildiscover is covered by name when a rule names it (with its service), and by behaviour when a
              rule without the name matches a plain record of it")]
pub struct Scorecard {
    /// The folder with the data [default: QUELL_DATA in `make scorecard`, else ../shared/data]
    #[arg(default_value = "../shared/data")]
    data: PathBuf,
    /// A folder of content [default: what is in force]
    #[arg(long, value_name = "FOLDER")]
    content: Option<PathBuf>,
}

/// What was measured.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Card {
    rules: usize,
    correlations: usize,
    stratus: Vec<Technique>,
    invictus: Option<Hour>,
    traildiscover: Option<Coverage>,
}

/// One technique of Stratus, and the rules that caught it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Technique {
    technique: String,
    records: u64,
    /// The worst severity of a rule that is about it.
    severity: Option<Severity>,
    rules: BTreeMap<String, Severity>,
}

/// The hour of one account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hour {
    records: crate::trial::Counts,
    /// Findings for each 10,000 records.
    alerts_per_10000: BTreeMap<Severity, f64>,
    incidents: usize,
    incidents_by_severity: BTreeMap<Severity, usize>,
    simulations: usize,
    simulations_with_a_finding: usize,
    simulations_at_medium: usize,
    /// Marked records with a finding, and how many of those have one in an incident.
    marked_matched: usize,
    marked_in_incidents: usize,
    precision: BTreeMap<Severity, f64>,
    noisiest: Vec<(String, u64)>,
}

/// The calls that attackers use.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Coverage {
    apis: usize,
    by_name: usize,
    by_behaviour: usize,
    missing: Vec<String>,
}

impl Scorecard {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = match &self.content {
            Some(folder) => Some(folder.clone()),
            None => global.settings()?.content,
        };
        let content = Content::load(folder.as_deref())
            .map_err(|e| Failure::Setup(format!("content: {e}")))?;
        let there = |name: &str| Some(self.data.join(name)).filter(|path| path.is_dir());
        let mut card = Card {
            rules: content.engine.detections().len(),
            correlations: content.engine.correlations().len(),
            ..Card::default()
        };
        if let Some(folder) = there("stratus") {
            card.stratus = stratus(&content, &folder)?;
        }
        if let Some(folder) = there("invictus") {
            card.invictus = Some(hour(&content, &folder)?);
        }
        if let Some(folder) = there("traildiscover") {
            card.traildiscover = Some(coverage(&content, &folder)?);
        }
        if card.stratus.is_empty() && card.invictus.is_none() && card.traildiscover.is_none() {
            let text = format!(
                "{}: there is neither stratus nor invictus nor traildiscover in it",
                self.data.display()
            );
            return Err(Failure::Setup(text));
        }
        global.output.print(&card, text);
        Ok(())
    }
}

fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let files = files(folder)?.into_iter();
    Ok(files
        .filter(|file| file.extension().is_some_and(|e| e == "json" || e == "gz"))
        .collect())
}

fn stratus(content: &Content, folder: &Path) -> Result<Vec<Technique>, Failure> {
    let mut out = Vec::new();
    for file in json_files(folder)? {
        let mut trial = Trial::new(content);
        let mut rules = BTreeMap::new();
        let mut findings = Vec::new();
        for record in &records(&file)?.0 {
            let said = trial.add(record).into_iter();
            findings.extend(said.flat_map(|(_, findings)| findings));
        }
        findings.extend(trial.complete());
        for finding in findings {
            if content.engine.names_its_calls(&finding.detection) {
                rules.insert(finding.detection, finding.severity);
            }
        }
        out.push(Technique {
            technique: file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            records: trial.counts.accepted,
            severity: rules.values().max().copied(),
            rules,
        });
    }
    Ok(out)
}

/// What marks a record as one of a simulation: the user agent, which some clients put in brackets.
fn mark(event: &Event) -> Option<String> {
    let agent = event.user_agent.as_deref()?.trim_matches(['[', ']']);
    agent
        .starts_with("stratus-red-team_")
        .then(|| agent.to_owned())
}

fn hour(content: &Content, folder: &Path) -> Result<Hour, Failure> {
    let mut trial = Trial::new(content);
    let mut findings: Vec<(Option<String>, Finding)> = Vec::new();
    let mut simulations = BTreeSet::new();
    let mut marked = BTreeMap::new();
    for file in json_files(folder)? {
        let (records, faults) = records(&file)?;
        for record in &records {
            if let Some(mark) = quell_normalize::event(record).ok().as_ref().and_then(mark) {
                marked.insert(record.id.clone(), mark.clone());
                simulations.insert(mark);
            }
            if let Some((event, more)) = trial.add(record) {
                findings.extend(more.into_iter().map(|finding| (mark(&event), finding)));
            }
        }
        faults.into_iter().for_each(|fault| trial.refuse(fault));
    }
    // What several records say together counts as what its last one does.
    let complete = trial.complete().into_iter();
    findings.extend(complete.map(|finding| (marked.get(&finding.record).cloned(), finding)));
    let board = trial.board();
    let of = |wanted: &dyn Fn(&Finding) -> bool| -> BTreeSet<&String> {
        findings
            .iter()
            .filter(|(_, f)| wanted(f))
            .filter_map(|(mark, _)| mark.as_ref())
            .collect()
    };
    let records_of = |wanted: &dyn Fn(&Finding) -> bool| {
        let marked = findings
            .iter()
            .filter(|(mark, f)| mark.is_some() && wanted(f));
        marked
            .map(|(_, f)| &f.record)
            .collect::<BTreeSet<_>>()
            .len()
    };
    let mut incidents_by_severity = BTreeMap::new();
    for incident in board.incidents() {
        *incidents_by_severity.entry(incident.severity).or_default() += 1;
    }
    let mut noisiest: Vec<(String, u64)> = trial
        .by_rule
        .iter()
        .map(|(id, n)| (id.clone(), *n))
        .collect();
    noisiest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    noisiest.truncate(10);
    let precision = |severity: Severity| {
        let at = findings.iter().filter(|(_, f)| f.severity >= severity);
        let (marked, all) = at.fold((0, 0), |(m, n), (mark, _)| {
            (m + u32::from(mark.is_some()), n + 1)
        });
        (all > 0).then(|| (severity, f64::from(marked) / f64::from(all)))
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of one hour")]
    let rate = |(severity, count): (&Severity, &u64)| {
        (
            *severity,
            *count as f64 * 10_000.0 / trial.counts.accepted as f64,
        )
    };
    Ok(Hour {
        records: trial.counts,
        alerts_per_10000: trial.by_severity.iter().map(rate).collect(),
        incidents: board.incidents().len(),
        incidents_by_severity,
        simulations: simulations.len(),
        simulations_with_a_finding: of(&|_| true).len(),
        simulations_at_medium: of(&|f| f.severity >= Severity::Medium).len(),
        marked_matched: records_of(&|_| true),
        marked_in_incidents: records_of(&|f| board.incident_of(&f.id).is_some()),
        precision: Severity::ALL.into_iter().filter_map(precision).collect(),
        noisiest,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Api {
    event_name: String,
    event_source: String,
}

fn coverage(content: &Content, folder: &Path) -> Result<Coverage, Failure> {
    let path = folder.join("apis.jsonl");
    let text = crate::input::read(&path)?;
    let mut out = Coverage {
        apis: 0,
        by_name: 0,
        by_behaviour: 0,
        missing: Vec::new(),
    };
    let mut scratch = quell_detect::Scratch::default();
    for (line, number) in text.lines().filter(|line| !line.trim().is_empty()).zip(1..) {
        let fault = |e: serde_json::Error| {
            Failure::Setup(format!("{}: line {number}: {e}", path.display()))
        };
        let api: Api = serde_json::from_str(line).map_err(fault)?;
        out.apis += 1;
        if content.engine.names(&api.event_source, &api.event_name) {
            out.by_name += 1;
        } else if plain(&api)
            .is_some_and(|record| !content.engine.matching(&record, &mut scratch).is_empty())
        {
            out.by_behaviour += 1;
        } else {
            out.missing
                .push(format!("{}:{}", api.event_source, api.event_name));
        }
    }
    Ok(out)
}

/// A record of a call, and nothing more: what a rule about behaviour would see at the least.
fn plain(api: &Api) -> Option<quell_model::Record> {
    let body = serde_json::json!({
        "eventVersion": "1.11", "eventTime": "2026-11-21T10:00:00Z", "eventSource": api.event_source, "eventName": api.event_name, "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333", "sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2.15",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "accountId": "111122223333", "userName": "eve"},
    });
    let split = quell_normalize::split(body.to_string().as_bytes());
    let raw = split.records.into_iter().next()?;
    Some(quell_model::Record {
        id: raw.id,
        origin: quell_model::Origin::File {
            path: String::new(),
        },
        received_at: quell_model::Timestamp::EPOCH,
        envelope: None,
        body: raw.body,
    })
}

fn text(card: &Card) -> String {
    let mut out = vec![format!(
        "{} rules, {} correlations",
        card.rules, card.correlations
    )];
    if !card.stratus.is_empty() {
        let caught = card
            .stratus
            .iter()
            .filter(|t| t.severity >= Some(Severity::Medium))
            .count();
        out.push(format!(
            "\nStratus: {caught} of {} techniques at medium or worse",
            card.stratus.len()
        ));
        let row = |t: &Technique| {
            let rules = t
                .rules
                .iter()
                .map(|(rule, severity)| format!("{rule} ({})", severity.as_str()));
            vec![
                t.technique.clone(),
                t.severity.map_or("-", Severity::as_str).to_owned(),
                rules.collect::<Vec<_>>().join(", "),
            ]
        };
        out.push(table(
            &["technique", "caught at", "by"],
            card.stratus.iter().map(row),
        ));
    }
    if let Some(hour) = &card.invictus {
        out.push(format!(
            "\nInvictus: {} records, {} incidents; {} simulations, {} with a finding, {} at medium or worse; {} of {} marked records with a finding are in an incident",
            hour.records.accepted, hour.incidents, hour.simulations, hour.simulations_with_a_finding, hour.simulations_at_medium,
            hour.marked_in_incidents, hour.marked_matched,
        ));
        let row = |severity: &Severity| {
            let number = |map: &BTreeMap<Severity, f64>, digits: usize| {
                map.get(severity)
                    .map_or("-".to_owned(), |n| format!("{n:.digits$}"))
            };
            let incidents = hour
                .incidents_by_severity
                .get(severity)
                .copied()
                .unwrap_or_default();
            vec![
                severity.as_str().to_owned(),
                number(&hour.alerts_per_10000, 1),
                number(&hour.precision, 2),
                incidents.to_string(),
            ]
        };
        out.push(table(
            &[
                "severity",
                "findings in 10,000",
                "precision, so or worse",
                "incidents",
            ],
            Severity::ALL.iter().rev().map(row),
        ));
        let row = |(rule, count): &(String, u64)| vec![count.to_string(), rule.clone()];
        out.push(format!(
            "\n{}",
            table(
                &["findings", "noisiest rules"],
                hour.noisiest.iter().map(row)
            )
        ));
    }
    if let Some(coverage) = &card.traildiscover {
        out.push(format!(
            "\nTrailDiscover: of {} calls that attackers use, {} are covered by name and {} by behaviour; missing: {}",
            coverage.apis, coverage.by_name, coverage.by_behaviour, coverage.missing.join(" ")
        ));
    }
    out.join("\n")
}
