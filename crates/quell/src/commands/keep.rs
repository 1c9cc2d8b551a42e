//! `quell keep`.

use clap::Args;
use quell_model::RunId;
use serde_json::json;

use super::undo::person;
use super::{Failure, Global};

/// Keep a containment that has come to its end, or will
///
/// A containment lasts as long as its playbook says (`containment_hours`). At the end a person is asked; what the playbook declares for
/// that (`taken_back_at_end`) is taken back by itself. This lets it last longer, from now on.
#[derive(Args)]
pub struct Keep {
    /// The run that contained (run-…)
    run: RunId,
    /// For so many hours
    #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=8760))]
    hours: u32,
}

impl Keep {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        let watch = app.keep(&self.run, self.hours, &person()).await?;
        let until = watch.until.unwrap_or_default();
        let value = json!({"run": watch.run, "resource": watch.resource, "until": until});
        global.output.print(&value, |_| {
            format!("{} stays contained until {until}", watch.resource.arn)
        });
        Ok(())
    }
}
