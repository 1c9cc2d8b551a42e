//! `quell rule`.

mod backtest;
mod explain;
mod import;
mod lint;
pub(super) mod records;
mod scorecard;
mod test;

use clap::Subcommand;

use super::{Failure, Global};

/// Detections: try rules on records, see why one matched or not, check them, bring others' in, measure them
#[derive(Subcommand)]
pub enum RuleCommand {
    Test(test::Test),
    Explain(explain::Explain),
    Lint(lint::Lint),
    Backtest(backtest::Backtest),
    Import(import::Import),
    Scorecard(scorecard::Scorecard),
}

impl RuleCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Test(command) => command.run(global),
            Self::Explain(command) => command.run(global),
            Self::Lint(command) => command.run(global),
            Self::Backtest(command) => command.run(global).await,
            Self::Import(command) => command.run(global),
            Self::Scorecard(command) => command.run(global),
        }
    }
}
