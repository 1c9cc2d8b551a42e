//! Development tasks: `cargo xtask TASK`.

mod models;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask models --botocore DIR [--check]

  models   write crates/aws/models/*.json from botocore (DIR is the package folder of the pinned wheel);
           with --check, write nothing and fail unless the committed files are what the wheel gives";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["models", "--botocore", dir] => models::run(dir.as_ref(), false),
        ["models", "--botocore", dir, "--check"] | ["models", "--check", "--botocore", dir] => {
            models::run(dir.as_ref(), true)
        }
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
