//! What people hand in: files, or standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use serde_json::Value;

use crate::commands::{Cli, Failure};

/// How much of a file is read: far above any pattern or parameters, and a day of a busy bus.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The text of a file, or of standard input for `-`, without a byte order mark.
///
/// # Errors
/// [`Failure::Setup`] names the file.
pub fn read(file: &Path) -> Result<String, Failure> {
    let fault = |e: std::io::Error| Failure::Setup(format!("{}: {e}", name(file)));
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin()
            .take(BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(fault)?;
    } else {
        let file = std::fs::File::open(file).map_err(fault)?;
        file.take(BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(fault)?;
    }
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Failure::Setup(format!(
            "{}: more than {BYTES_MAX} bytes",
            name(file)
        )));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Setup(format!("{}: not UTF-8", name(file))))?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}

/// The JSON of an option: on the command line itself, in a file (`@FILE`), or on standard input (`-`).
///
/// # Errors
/// [`Failure`] names the option or the file.
pub fn json(option: &str, given: &str) -> Result<Value, Failure> {
    let (text, from) = match given {
        "-" => (read(Path::new("-"))?, "standard input"),
        given => match given.strip_prefix('@') {
            Some(file) => (read(Path::new(file))?, file),
            None => (given.to_owned(), option),
        },
    };
    let read: Result<Value, _> = serde_json::from_str(&text);
    read.map_err(|e| Failure::Usage(format!("{from}: not valid JSON: {e}")))
}

/// Ends the process as any wrong command line does, when two of what it reads are standard input.
pub fn refuse_second_stdin(files: &[PathBuf]) {
    if files.iter().filter(|file| *file == Path::new("-")).count() > 1 {
        let kind = clap::error::ErrorKind::ArgumentConflict;
        Cli::command()
            .error(kind, "only one file can be standard input (-)")
            .exit();
    }
}

/// What a file is called in messages.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let failure = read(Path::new("/no/such/file")).unwrap_err();
        assert!(matches!(&failure, Failure::Setup(text) if text.starts_with("/no/such/file: ")));
    }
}
