//! `quell halt` and `quell resume`: the brake.

use clap::Args;

use super::{Failure, Global};
use crate::app::HALT_FILE;
use crate::output::note;

/// Stop all changes at once, in every run; reading goes on
///
/// It works by a file in the data folder, which is looked at before every permit and every change.
#[derive(Args)]
pub struct Halt {}

/// Allow changes again
#[derive(Args)]
pub struct Resume {}

impl Halt {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let data = global.settings()?.data;
        std::fs::create_dir_all(&data)
            .and_then(|()| {
                std::fs::write(
                    data.join(HALT_FILE),
                    "changes are halted; `quell resume` allows them again\n",
                )
            })
            .map_err(|e| {
                Failure::Setup(format!(
                    "the brake cannot be pulled: {}: {e}",
                    data.display()
                ))
            })?;
        note("halted: no run gets a permit until `quell resume`");
        Ok(())
    }
}

impl Resume {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let path = global.settings()?.data.join(HALT_FILE);
        match std::fs::remove_file(&path) {
            Ok(()) => note("changes are allowed again"),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => note("changes were not halted"),
            Err(e) => return Err(Failure::Setup(format!("{}: {e}", path.display()))),
        }
        Ok(())
    }
}
