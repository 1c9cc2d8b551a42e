//! What runs a playbook's documents on a world: cases, and a small frame around them with the real guard in it.

pub mod case;
pub mod drive;
pub mod judge;
pub mod life;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use quell_respond::Playbook;

/// Where the playbooks are.
pub fn playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/playbooks")
}

/// The ids of all playbooks: every folder is one. `QUELL_PLAYBOOK` names the only one to try.
pub fn ids() -> Vec<String> {
    let folders = std::fs::read_dir(playbooks()).unwrap();
    let folders = folders.map(|entry| entry.unwrap());
    let mut ids: Vec<String> = folders
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    if let Some(only) = std::env::var_os("QUELL_PLAYBOOK") {
        ids.retain(|id| *id.as_str() == *only);
    }
    ids.sort();
    assert!(!ids.is_empty());
    ids
}

/// The files of a playbook, by name.
pub fn files(id: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(playbooks().join(id)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let text = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    paths.filter(|path| path.is_file()).map(text).collect()
}

/// A playbook from its files.
pub fn read(id: &str, files: &BTreeMap<String, String>) -> Playbook {
    Playbook::load(&format!("playbooks/{id}"), files).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// A playbook by its id.
pub fn load(id: &str) -> Playbook {
    read(id, &files(id))
}
