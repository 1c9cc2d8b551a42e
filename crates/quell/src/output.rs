//! What people and scripts see: a table or JSON on standard output, everything else on standard error.

use std::io::Write;
use std::time::Duration;

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For scripts: one JSON value.
    Json,
}

impl Output {
    /// Prints a value: as JSON, or as `table` draws it.
    pub fn print<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) {
        let text = match self {
            Self::Json => serde_json::to_string_pretty(value).unwrap_or_default(),
            Self::Table => table(value),
        };
        line(&text);
    }
}

/// Prints a line. Whoever closed the pipe has seen enough: that is not an error.
pub fn line(text: &str) {
    drop(writeln!(std::io::stdout(), "{}", text.trim_end()));
}

/// Prints a line for the person who watches, apart from the result.
pub fn note(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Turns on standard error while something takes long, when a person watches; so does the time it took so far.
pub fn spinner(text: impl Into<String>) -> ProgressBar {
    let style = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})");
    let bar = ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message(text.into());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Rows under headings. Cells are data that others wrote: what could move the cursor is shown, not done.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.iter().map(|h| h.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| safe(cell)));
    }
    let text = table.to_string();
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Control characters and those that turn the direction of text, shown as escapes.
pub fn safe(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .flat_map(|c| {
            let escape = c.is_control() || turns(c);
            let shown: Vec<char> = if escape {
                c.escape_unicode().collect()
            } else {
                vec![c]
            };
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_move_the_cursor() {
        assert_eq!(
            safe("a\u{1b}[2Jb\u{202e}c\n"),
            "a\\u{1b}[2Jb\\u{202e}c\\u{a}"
        );
        assert_eq!(safe("naïve «ok»"), "naïve «ok»");
    }
}
