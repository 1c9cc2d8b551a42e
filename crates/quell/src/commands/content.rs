//! `quell content`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global};
use crate::content::Content;

/// Detections and playbooks: check a folder of them
#[derive(Subcommand)]
pub enum ContentCommand {
    /// Check a folder of content, or what is built in, with the code that loads it in production
    Check {
        /// The folder [default: what is in force]
        folder: Option<PathBuf>,
    },
}

impl ContentCommand {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Check { folder } = self;
        let folder = folder.or(global.settings()?.content);
        let content = Content::load(folder.as_deref())
            .map_err(|e| Failure::Setup(format!("content: {e}")))?;
        let (detections, playbooks) = (content.engine.detections().len(), content.playbooks.len());
        let correlations = content.engine.correlations().len();
        let network = content.network.detections().len();
        let baselines = content.baselines.all().len();
        let value = json!({
            "detections": detections,
            "correlations": correlations,
            "network": network,
            "baselines": baselines,
            "playbooks": playbooks,
            "faults": content.faults,
        });
        global.output.print(&value, |_| {
            let mut out: Vec<String> = content.faults.iter().map(ToString::to_string).collect();
            out.push(format!(
                "{detections} detection(s), {correlations} correlation(s), {baselines} baseline(s), {network} detection(s) over network logs and {playbooks} playbook(s) are right, {} fault(s)",
                content.faults.len()
            ));
            out.join("\n")
        });
        match content.faults.len() {
            0 => Ok(()),
            n => Err(Failure::Check(format!("{n} fault(s) in content"))),
        }
    }
}
