//! Quell as a library: what the program is put together from, so that tests and benches can drive the loops without
//! starting a process. Nothing here is a promise to other programs; the binary (`src/main.rs`) only calls [`run`].

mod assess;
mod backtest;
mod begin;
mod brake;
mod catalog;
mod commands;
mod desk;
mod http;
mod input;
mod measures;
pub mod orders;
mod output;
mod random;
mod range_host;
mod sealing;
mod trial;
mod watched;

pub mod app;
pub mod audit;
pub mod claims;
pub mod config;
pub mod content;
pub mod loops;
pub mod place;
pub mod runner;

use std::process::ExitCode;

use clap::Parser;

/// The whole program: reads the command line, and does what it says.
pub fn run() -> ExitCode {
    // A shell that asks for completions is answered here, and the process ends.
    commands::completion::answer();
    commands::Cli::parse().run()
}
