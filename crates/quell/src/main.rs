//! Quell: see `quell --help`.

mod app;
mod begin;
mod commands;
mod config;
mod content;
mod desk;
mod loops;
mod output;
mod random;
mod range_host;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    commands::Cli::parse().run()
}
