//! Quell: see `quell --help`.

mod app;
mod assess;
mod begin;
mod catalog;
mod commands;
mod config;
mod content;
mod desk;
mod input;
mod loops;
mod output;
mod random;
mod range_host;
mod trial;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A shell that asks for completions is answered here, and the process ends.
    commands::completion::answer();
    commands::Cli::parse().run()
}
