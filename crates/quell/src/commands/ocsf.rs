//! `quell ocsf`.

use std::path::PathBuf;

use clap::Args;
use quell_model::Timestamp;
use quell_normalize::ocsf::of_record;

use super::rule::records::{files, records};
use super::{Failure, Global};
use crate::content::Content;
use crate::output::{line, note};

/// Print deliveries in OCSF, one event a line: CloudTrail, flow, DNS and WAF logs, findings, changes that Config saw
#[derive(Args)]
#[command(after_help = "\
Examples:
  quell ocsf logs/                         a folder of CloudTrail files (gz too)
  quell ocsf finding.json | jq .class_name
  cat event.json | quell ocsf -

What cannot be written is named on standard error, and stops nothing else. docs/findings.md says what becomes of what.")]
pub struct Ocsf {
    /// Files with deliveries, or folders of them; - is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Ocsf {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let folder = global.settings()?.content;
        let content = Content::load(folder.as_deref())
            .map_err(|e| Failure::Setup(format!("content: {e}")))?;
        let mut count = 0;
        for path in &self.files {
            for file in files(path)? {
                let (records, mut faults) = records(&file)?;
                for record in &records {
                    // When findings were made is not in OCSF: the same delivery is the same text at any time.
                    let written = of_record(record, &content.guardduty, Timestamp::EPOCH);
                    written
                        .events
                        .iter()
                        .for_each(|event| line(&event.to_line()));
                    faults.extend(written.faults);
                }
                count += faults.len();
                for fault in faults {
                    note(&format!("{}: {fault}", file.display()));
                }
            }
        }
        match count {
            0 => Ok(()),
            n => Err(Failure::Check(format!("{n} could not be written in OCSF"))),
        }
    }
}
