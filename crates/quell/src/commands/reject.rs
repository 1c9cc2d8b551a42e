//! `quell reject`.

use clap::Args;
use quell_model::RunId;
use quell_server::Desk;

use super::undo::{carry_out, person};
use super::{Failure, Global};

/// Say no to the plan of a parked run
///
/// Nothing is done, and the incident stays open for a person. The no is to one plan: when the resource changes and another plan is
/// made for it, that one is asked about.
#[derive(Args)]
pub struct Reject {
    /// The run (run-…)
    run: RunId,
    /// The hash of the plan that you looked at
    #[arg(long, value_name = "HASH")]
    plan: String,
    /// Why, for whoever looks at it later
    #[arg(long)]
    reason: String,
}

impl Reject {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        let run = app
            .reject(&self.run, &self.plan, &person(), &self.reason)
            .await?;
        carry_out(global, &app, &run.id).await
    }
}
