//! `quell completion`, and the answers to the shells that ask.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::Shells;

use super::{Cli, Failure};
use crate::output::line;

/// While a shell asks for completions this variable names it.
const VARIABLE: &str = "QUELL_COMPLETE";

/// Print what makes a shell complete commands, flags, AWS services and operations
///
/// For this shell: source <(quell completion bash). For every shell, put that line into ~/.bashrc or ~/.zshrc; in fish,
/// put quell completion fish | source into ~/.config/fish/config.fish. The shell asks this program at each completion,
/// so write the line and not what it prints: they must be of one version.
#[derive(Args)]
pub struct Completion {
    /// The shell
    shell: Shell,
}

/// The shells.
#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completion {
    pub(super) fn run(self) -> Result<(), Failure> {
        let name = match self.shell {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        };
        let failed = |what: String| Failure::Setup(format!("completion for {name}: {what}"));
        let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
        let shells = Shells::builtins();
        let shell = shells
            .completer(name)
            .ok_or_else(|| failed("not built in".to_owned()))?;
        let mut script = Vec::new();
        shell
            .write_registration(
                VARIABLE,
                "quell",
                "quell",
                &program.to_string_lossy(),
                &mut script,
            )
            .map_err(|e| failed(e.to_string()))?;
        line(&String::from_utf8_lossy(&script));
        Ok(())
    }
}

/// Answers a shell that asks for completions, and ends the process; does nothing when none asks.
pub fn answer() {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .complete();
}
