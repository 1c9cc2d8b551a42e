//! `quell halt` and `quell resume`: the brake.

use clap::Args;
use quell_store::{Clock, SystemClock};

use super::undo::person;
use super::{Failure, Global};
use crate::brake;
use crate::output::note;
use crate::place::Place;

/// Stop all changes at once, in every run of every process that shares the state store; reading goes on
///
/// The brake is in the state store, and is looked at before every permit and every change.
#[derive(Args)]
pub struct Halt {}

/// Allow changes again
#[derive(Args)]
pub struct Resume {}

impl Halt {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        // Nothing but the store is opened: whatever else is wrong here, the brake works.
        let state = Place::of(&global.settings()?).open().await?;
        brake::pull(&*state, &person(), SystemClock.now()).await?;
        note("halted: no run gets a permit until `quell resume`");
        Ok(())
    }
}

impl Resume {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let settings = global.settings()?;
        let state = Place::of(&settings).open().await?;
        brake::adopt(&*state, &settings.data, SystemClock.now()).await?;
        match brake::release(&*state, &person(), SystemClock.now()).await? {
            true => note("changes are allowed again"),
            false => note("changes were not halted"),
        }
        Ok(())
    }
}
