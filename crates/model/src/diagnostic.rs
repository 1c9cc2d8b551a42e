//! What is wrong with content (a rule, a playbook, a setting), where, and how to mend it.

use serde::{Deserialize, Serialize};

/// One fault of a content file. Loaders report all of a file's faults at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{file}{}: {message}{}", place_text(.line, .place), help_text(.help))]
pub struct Diagnostic {
    /// The file, as the user knows it.
    pub file: String,
    /// The line, from 1, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The place inside the document (`/States/Plan/Next`), or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault of a whole file.
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            place: String::new(),
            message: message.into(),
            help: None,
        }
    }

    /// The same, at a line of the file.
    #[must_use]
    pub fn at_line(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }

    /// The same, at a place in the document.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// The same, with the mend.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

fn place_text(line: &Option<usize>, place: &str) -> String {
    let line = line.map(|n| format!(":{n}")).unwrap_or_default();
    if place.is_empty() {
        line
    } else {
        format!("{line} at {place}")
    }
}

fn help_text(help: &Option<String>) -> String {
    help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default()
}

/// The candidate nearest to `word` by edits, when it is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|c| (edits(word, c), c))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// Levenshtein distance, ignoring ASCII case.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_ascii_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_ascii_lowercase().chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            let cost = usize::from(x != *y);
            left = (diagonal + cost).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_strangers_are_not() {
        let words = ["level", "title", "detection"];
        assert_eq!(nearest("levle", words), Some("level"));
        assert_eq!(nearest("detectoin", words), Some("detection"));
        assert_eq!(nearest("Title", words), Some("title"));
        assert_eq!(nearest("xyzzy", words), None);
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[test]
    fn it_prints_place_and_mend() {
        let d = Diagnostic::new("a.yml", "unknown key «levle»")
            .at_line(Some(3))
            .help("did you mean «level»?");
        assert_eq!(
            d.to_string(),
            "a.yml:3: unknown key «levle» (did you mean «level»?)"
        );
    }
}
