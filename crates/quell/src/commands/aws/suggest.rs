//! What the shell may complete: services, operations and waiters, from the models.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use quell_aws::registry;

use super::names::{self, with_dashes};

/// Services that begin as `current` does.
pub(super) fn services(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, registry::SERVICES.iter().copied())
}

/// Operations of the service on the command line that begin as `current` does: in the API's spelling, or with dashes
/// when it begins so.
pub(super) fn operations(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(model) = model() else {
        return Vec::new();
    };
    let names = model.operations.keys();
    let is_dashed = current
        .to_string_lossy()
        .starts_with(|c: char| c.is_ascii_lowercase());
    if is_dashed {
        candidates(current, names.map(|name| with_dashes(name)))
    } else {
        candidates(current, names)
    }
}

/// Waiters of the service on the command line.
pub(super) fn waiters(current: &OsStr) -> Vec<CompletionCandidate> {
    model().map_or_else(Vec::new, |model| candidates(current, model.waiters.keys()))
}

/// The model of the service on the command line that is being completed: the first word after `aws` that is one.
fn model() -> Option<&'static quell_aws::model::Service> {
    let words = std::env::args_os().filter_map(|word| word.into_string().ok());
    let mut after = words.skip_while(|word| word != "aws").skip(1);
    let service = after.find_map(|word| names::service(&word).ok())?;
    registry::service(service).ok()
}

fn candidates<T: AsRef<str>>(
    current: &OsStr,
    names: impl Iterator<Item = T>,
) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    names
        .filter(|name| name.as_ref().starts_with(&*current))
        .map(|name| CompletionCandidate::new(name.as_ref()))
        .collect()
}
