//! `quell rule test`.

use std::path::{Path, PathBuf};

use clap::Args;
use quell_detect::{DetectionFile, Scratch};
use quell_model::Record;
use serde::Serialize;

use super::records::{engine, files, only_records, rules};
use super::{Failure, Global};
use crate::input::name;
use crate::output::table;

/// Say which records a rule matches
///
/// Without RECORDS, every rule named is held against the samples beside it: all records of NAME.hit.json must match, none
/// of NAME.miss.json may; exit code 1 when one is otherwise. With RECORDS, exit code 1 when none matches.
#[derive(Args)]
#[command(after_help = "\
Examples:
  quell rule test content/detections                     every rule on its own samples
  quell rule test my-rule.yml records.json.gz            a rule on a CloudTrail file
  aws cloudtrail lookup-events … | quell rule test my-rule.yml -")]
pub struct Test {
    /// A Sigma rule (.yml), an event pattern (.pattern.json), or a folder of them
    rule: PathBuf,
    /// Files with records, or folders of them: CloudTrail files, EventBridge events, JSON lines, gzip of these; - is standard input
    #[arg(value_name = "RECORDS")]
    records: Vec<PathBuf>,
}

/// One record that a rule was tried on.
#[derive(Serialize)]
struct Verdict {
    rule: String,
    file: String,
    /// From 1.
    record: usize,
    matches: bool,
    /// What the samples ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<bool>,
}

impl Test {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        crate::input::refuse_second_stdin(&self.records);
        let mut verdicts = Vec::new();
        let given = self.given()?;
        for (path, file) in rules(&self.rule)? {
            if self.records.is_empty() {
                on_samples(&path, &file, &mut verdicts)?;
            }
            for (from, records) in &given {
                try_on(&file, (from, records), None, &mut verdicts)?;
            }
        }
        let wrong = verdicts
            .iter()
            .filter(|v| v.wanted.is_some_and(|wanted| wanted != v.matches))
            .count();
        let matching = verdicts.iter().filter(|v| v.matches).count();
        let samples = self.records.is_empty();
        global.output.print(&verdicts, |verdicts| {
            let word = |is: bool| if is { "matches" } else { "does not match" };
            let shown = verdicts
                .iter()
                .filter(|v| v.wanted.is_none_or(|wanted| wanted != v.matches));
            let row = |v: &Verdict| {
                let wrong = if v.wanted.is_some() {
                    ", and should"
                } else {
                    ""
                };
                vec![
                    v.rule.clone(),
                    v.file.clone(),
                    v.record.to_string(),
                    format!("{}{wrong}", word(v.matches)),
                ]
            };
            let rows: Vec<Vec<String>> = shown.map(row).collect();
            let summary = match samples {
                true => format!(
                    "{} sample record(s), {wrong} not as they should be",
                    verdicts.len()
                ),
                false => format!("{matching} of {} record(s) match", verdicts.len()),
            };
            match rows.is_empty() {
                true => summary,
                false => format!(
                    "{}\n{summary}",
                    table(&["rule", "file", "record", "verdict"], rows)
                ),
            }
        });
        match (samples, wrong, matching) {
            (true, 0, _) | (false, _, 1..) => Ok(()),
            (true, wrong, _) => Err(Failure::Check(format!(
                "{wrong} sample record(s) are not as they should be"
            ))),
            (false, ..) => Err(Failure::Check("no record matches".to_owned())),
        }
    }

    /// The records that were named, read once however many rules there are: standard input can be read no second time.
    fn given(&self) -> Result<Vec<(PathBuf, Vec<Record>)>, Failure> {
        let mut out = Vec::new();
        for path in &self.records {
            for file in files(path)? {
                let records = only_records(&file)?;
                out.push((file, records));
            }
        }
        Ok(out)
    }
}

/// Tries a rule on the samples beside it. A rule and a pattern of one name share them.
fn on_samples(path: &Path, file: &DetectionFile, out: &mut Vec<Verdict>) -> Result<(), Failure> {
    let shown = path.display().to_string();
    let stem = [".pattern.json", ".yml"]
        .iter()
        .find_map(|ending| shown.strip_suffix(ending));
    for (kind, wanted) in [("hit", true), ("miss", false)] {
        let samples = PathBuf::from(format!("{}.{kind}.json", stem.unwrap_or(&shown)));
        if !samples.is_file() {
            let text = format!("{shown}: there is no {} beside it", name(&samples));
            return Err(Failure::Setup(format!(
                "{text}; name the records to try it on"
            )));
        }
        let records = only_records(&samples)?;
        try_on(file, (&samples, &records), Some(wanted), out)?;
    }
    Ok(())
}

fn try_on(
    file: &DetectionFile,
    (from, records): (&Path, &[Record]),
    wanted: Option<bool>,
    out: &mut Vec<Verdict>,
) -> Result<(), Failure> {
    let (engine, mut scratch) = (engine(file)?, Scratch::default());
    for (record, number) in records.iter().zip(1..) {
        out.push(Verdict {
            rule: file.path.clone(),
            file: name(from),
            record: number,
            matches: !engine.matching(record, &mut scratch).is_empty(),
            wanted,
        });
    }
    Ok(())
}
