//! Development tasks: `cargo xtask TASK`.

mod conformance;
mod models;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask models --botocore DIR [--check]
       cargo xtask conformance DIR [--only FILE] [--show-failures N]

  models   write crates/aws/models from botocore (DIR is the package folder of the pinned wheel);
           with --check, write nothing and fail unless the committed files are what the wheel gives
  conformance
           run every crate's conformance cases from DIR and print a row for each file";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["models", "--botocore", dir] => models::run(dir.as_ref(), false),
        ["models", "--botocore", dir, "--check"] | ["models", "--check", "--botocore", dir] => {
            models::run(dir.as_ref(), true)
        }
        ["conformance", dir, rest @ ..] => conform(dir, rest),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn conform(dir: &str, rest: &[&str]) -> Result<(), String> {
    let (mut only, mut show) = (None, 20);
    let mut rest = rest.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| USAGE.to_owned())?;
        match *name {
            "--only" => only = Some(*value),
            "--show-failures" => show = value.parse().map_err(|_| USAGE.to_owned())?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    conformance::run(dir.as_ref(), only, show)
}
