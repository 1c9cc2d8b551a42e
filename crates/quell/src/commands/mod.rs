//! The command line. One file a command; exit codes are in [`Failure`].

mod approve;
mod auth;
mod aws;
mod backtest;
pub mod completion;
mod config;
mod content;
mod demo;
mod doctor;
mod evidence;
mod exception;
mod freeze;
mod halt;
mod iam;
mod image;
mod incident;
mod keep;
mod ocsf;
mod pattern;
mod playbook;
mod policy;
mod range;
mod reject;
mod rule;
mod run;
mod serve;
mod states;
mod undo;
mod when;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::app::{App, AppError};
use crate::config::{Config, ConfigError, load};
use crate::output::{Output, note};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a check failed: it is drifted, refused, unhealthy, or wrong
  2    the command line is wrong
  3    the configuration, content or data folder is wrong
  4    not allowed, or no such thing
  5    something else does not answer (AWS, the range, the state store)

Start here:
  quell demo                  see the whole job done once, against a test range
  quell serve                 collect, detect, respond
  quell incident list         what happened
  quell undo RUN              take a response back, exactly";

/// Quell finds trouble in AWS accounts, and answers it with playbooks that are planned, permitted, verified and
/// undoable.
#[derive(Parser)]
#[command(name = "quell", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Clone)]
pub struct Global {
    /// The settings file [default: ./quell.toml when it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder where state is kept [default: ~/.local/share/quell]
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value = "table")]
    output: Output,
    /// Say more on standard error (twice: everything)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// What each does is said at its own type.
#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    #[command(subcommand)]
    Range(range::Range),
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    #[command(subcommand)]
    Run(run::RunCommand),
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    #[command(subcommand)]
    Playbook(playbook::PlaybookCommand),
    Backtest(backtest::Backtest),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Iam(iam::IamCommand),
    #[command(subcommand)]
    Exception(exception::ExceptionCommand),
    #[command(subcommand)]
    Freeze(freeze::FreezeCommand),
    #[command(subcommand)]
    Image(image::ImageCommand),
    Approve(approve::Approve),
    Reject(reject::Reject),
    Keep(keep::Keep),
    Undo(undo::Undo),
    Halt(halt::Halt),
    Resume(halt::Resume),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Auth(auth::Auth),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    #[command(subcommand)]
    Content(content::ContentCommand),
    #[command(subcommand)]
    Rule(rule::RuleCommand),
    Ocsf(ocsf::Ocsf),
    #[command(subcommand)]
    Pattern(pattern::PatternCommand),
    #[command(subcommand)]
    States(states::StatesCommand),
    Aws(aws::Aws),
    Completion(completion::Completion),
}

/// Why a command did not do what was asked, by exit code.
#[derive(Debug)]
pub enum Failure {
    /// 1: a check failed.
    Check(String),
    /// 2: the command line is wrong, in a way that only shows when it is carried out.
    Usage(String),
    /// 3: configuration, content or data folder.
    Setup(String),
    /// 4: not allowed, or no such thing.
    Denied(String),
    /// 5: something else does not answer.
    Remote(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Check(_) => 1,
            Self::Usage(_) => 2,
            Self::Setup(_) => 3,
            Self::Denied(_) => 4,
            Self::Remote(_) => 5,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Check(t)
            | Self::Usage(t)
            | Self::Setup(t)
            | Self::Denied(t)
            | Self::Remote(t) => t,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(e: ConfigError) -> Self {
        Self::Setup(format!("settings: {e}"))
    }
}

impl From<AppError> for Failure {
    fn from(e: AppError) -> Self {
        match &e {
            AppError::Store(quell_store::StoreError::Connect { .. }) => Self::Remote(e.to_string()),
            _ => Self::Setup(e.to_string()),
        }
    }
}

impl From<quell_store::StoreError> for Failure {
    fn from(e: quell_store::StoreError) -> Self {
        Self::Remote(e.to_string())
    }
}

impl From<crate::runner::signal::SignalError> for Failure {
    fn from(e: crate::runner::signal::SignalError) -> Self {
        match e {
            crate::runner::signal::SignalError::Store(e) => e.into(),
            _ => Self::Denied(e.to_string()),
        }
    }
}

impl From<crate::orders::OrderError> for Failure {
    fn from(e: crate::orders::OrderError) -> Self {
        match e {
            crate::orders::OrderError::Store(e) => e.into(),
            crate::orders::OrderError::Random(_) => Self::Remote(e.to_string()),
            _ => Self::Denied(e.to_string()),
        }
    }
}

impl From<quell_server::DeskError> for Failure {
    fn from(e: quell_server::DeskError) -> Self {
        match e {
            quell_server::DeskError::NotFound { .. } => Self::Denied(e.to_string()),
            quell_server::DeskError::Store(e) => e.into(),
            _ => Self::Check(e.to_string()),
        }
    }
}

impl Global {
    /// The settings.
    fn settings(&self) -> Result<Config, Failure> {
        Ok(load(self.config.as_deref(), self.data.as_deref())?)
    }

    /// The parts, put together.
    async fn app(&self) -> Result<Arc<App>, Failure> {
        Ok(App::open(self.settings()?).await?)
    }
}

impl Cli {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        start_logging(self.global.verbose);
        let runtime = match tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(e) => {
                note(&format!("error: the system gives no threads: {e}"));
                return ExitCode::from(5);
            }
        };
        match runtime.block_on(self.command.run(&self.global)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                note(&format!("error: {}", failure.text()));
                ExitCode::from(failure.code())
            }
        }
    }
}

impl Command {
    async fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Self::Demo(c) => c.run(global).await,
            Self::Serve(c) => c.run(global).await,
            Self::Range(c) => c.run(global).await,
            Self::Incident(c) => c.run(global).await,
            Self::Run(c) => c.run(global).await,
            Self::Evidence(c) => c.run(global).await,
            Self::Playbook(c) => c.run(global).await,
            Self::Backtest(c) => c.run(global).await,
            Self::Iam(c) => c.run(global),
            Self::Policy(c) => c.run(global),
            Self::Exception(c) => c.run(global).await,
            Self::Freeze(c) => c.run(global).await,
            Self::Image(c) => c.run(global).await,
            Self::Approve(c) => c.run(global).await,
            Self::Reject(c) => c.run(global).await,
            Self::Keep(c) => c.run(global).await,
            Self::Undo(c) => c.run(global).await,
            Self::Halt(c) => c.run(global).await,
            Self::Resume(c) => c.run(global).await,
            Self::Doctor(c) => c.run(global).await,
            Self::Auth(c) => c.run(global).await,
            Self::Config(c) => c.run(global),
            Self::Content(c) => c.run(global),
            Self::Rule(c) => c.run(global).await,
            Self::Ocsf(c) => c.run(global),
            Self::Pattern(c) => c.run(global),
            Self::States(c) => c.run(global),
            Self::Aws(c) => c.run(global).await,
            Self::Completion(c) => c.run(),
        }
    }
}

fn start_logging(verbose: u8) {
    let default = match verbose {
        0 => "warn,quell=info",
        1 => "info,quell=debug",
        _ => "debug,hyper_util=info",
    };
    let wanted = crate::config::environment("QUELL_LOG").unwrap_or_else(|| default.to_owned());
    let filter = tracing_subscriber::EnvFilter::try_new(&wanted).unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
}
