//! Quell: see `quell --help`.

mod app;
mod begin;
mod brake;
mod catalog;
mod claims;
mod commands;
mod config;
mod content;
mod desk;
mod input;
mod loops;
mod output;
mod place;
mod random;
mod range_host;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A shell that asks for completions is answered here, and the process ends.
    commands::completion::answer();
    commands::Cli::parse().run()
}
