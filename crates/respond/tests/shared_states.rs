//! The frame that documents share: the states that plan, ask, act, resume, verify and fail are the same in all of them, word
//! for word, so that what is proven of one is so of all. `frame/respond.json` and `frame/undo.json` have the text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// It is older than the frame, and its image is a list of rules.
const OWN_FRAME: &[&str] = &["PB-008"];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn shared(document: &str) -> Map<String, Value> {
    let states = json(&here(&format!("tests/frame/{document}.json")));
    states.as_object().unwrap().clone()
}

/// What of the frame is not in a document as it should be.
fn strange(document: &str, states: &Value) -> Vec<String> {
    let shared = shared(document).into_iter();
    let strange = shared.filter(|(name, state)| states.get(name) != Some(state));
    strange.map(|(name, _)| name).collect()
}

#[test]
fn every_document_has_the_frame_word_for_word() {
    let folders = std::fs::read_dir(here("../../content/playbooks")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    let mut looked = Vec::new();
    for folder in folders.filter(|path| path.is_dir()) {
        let id = folder.file_name().unwrap().to_string_lossy().into_owned();
        if OWN_FRAME.contains(&&*id) {
            continue;
        }
        for document in ["respond", "undo"] {
            let states = json(&folder.join(format!("{document}.asl.json")))["States"].take();
            let strange = strange(document, &states);
            assert!(
                strange.is_empty(),
                "{id}, {document}: not as shared: {strange:?}"
            );
        }
        looked.push(id);
    }
    println!("{} playbooks share the frame: {looked:?}", looked.len());
}

#[test]
fn a_word_of_difference_is_found() {
    for document in ["respond", "undo"] {
        let mut states = Value::Object(shared(document));
        assert_eq!(strange(document, &states), [""; 0]);
        states["Verify"]["Default"] = "Verified".into();
        states.as_object_mut().unwrap().remove("Unchanged");
        assert_eq!(strange(document, &states), ["Unchanged", "Verify"]);
    }
}
