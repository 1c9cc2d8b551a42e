//! `quell approve`.

use clap::Args;
use quell_model::RunId;
use quell_server::Desk;

use super::undo::{carry_out, person};
use super::{Failure, Global};

/// Say yes to the plan of a parked run
///
/// The yes is to one plan: `quell run show RUN` prints the plan and its hash. When the resource has changed since,
/// the run plans anew and asks again.
#[derive(Args)]
pub struct Approve {
    /// The run (run-…)
    run: RunId,
    /// The hash of the plan that you looked at
    #[arg(long, value_name = "HASH")]
    plan: String,
}

impl Approve {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        let run = app.approve(&self.run, &self.plan, &person()).await?;
        carry_out(global, &app, &run.id).await
    }
}
