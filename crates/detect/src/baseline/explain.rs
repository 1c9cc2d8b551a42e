//! Why a baseline fires, in words.

use std::fmt::Write;

use quell_model::{Finding, Timestamp};

use super::profile::Profile;
use super::rate::Usual;
use super::values::Seen;
use super::{Field, Measure, Subject};

/// What one name or value takes up in a text.
const NAME_CHARS_MAX: usize = 96;

/// A text that somebody else wrote, safe to stand in a sentence: cut, and without control characters, line breaks, and the marks
/// that quote it.
pub(super) fn plain(text: &str) -> String {
    let safe = |c: char| match c {
        '«' | '»' => '"',
        c if c.is_control() || is_invisible(c) => '·',
        c => c,
    };
    let mut out: String = text.chars().take(NAME_CHARS_MAX).map(safe).collect();
    if text.chars().nth(NAME_CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}

/// Characters that turn the direction of a text, or that nobody sees.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What a group knows of a value: its name, its members' first sighting, and how many sightings there were before today.
pub(super) struct Others<'a> {
    pub(super) group: &'a str,
    pub(super) since: Timestamp,
    pub(super) seen: Option<&'a Seen>,
    pub(super) before: u64,
}

/// Who it is, and how long known.
pub(super) fn known(subject: &Subject, profile: &Profile) -> String {
    let (first, calls) = (profile.first().date(), profile.calls());
    format!("{} is known since {first} by {calls} calls.", subject.label)
}

/// What is new or rare about a value, and who else has it.
pub(super) fn value(field: Field, value: &str, how: &str, others: &[Others<'_>]) -> String {
    let what = match field {
        Field::Action => "The action",
        Field::Network => "The network",
        Field::Region => "The Region",
        Field::Agent => "The user agent",
        Field::SourceAccount => "Being assumed from",
    };
    let mut out = format!("{what} «{}» is {how}", plain(value));
    for other in others {
        let group = plain(other.group);
        let _ = match other.seen.filter(|_| other.before > 0) {
            Some(Seen {
                first: Some(first),
                by: Some(by),
                ..
            }) => write!(
                out,
                "; in {group}, {by} had it first, on {}, and it was seen {} times a principal and day",
                first.date(),
                other.before
            ),
            _ if other.before > 0 => {
                write!(
                    out,
                    "; in {group} it was seen {} times a principal and day",
                    other.before
                )
            }
            _ => write!(
                out,
                "; in {group} nobody had it before, since {}",
                other.since.date()
            ),
        };
    }
    out.push('.');
    out
}

/// How an hour differs.
pub(super) fn hour(measure: Measure, count: u32, usual: Usual) -> String {
    let what = match measure {
        Measure::Calls => "calls",
        Measure::Denied => "denied calls",
        Measure::Services => "different services",
    };
    format!(
        "{count} {what} in this hour; usual for this hour of the week are {:.1}, the most in one hour so far were about {:.0} ({} hours are known).",
        usual.mean, usual.peak, usual.hours
    )
}

/// One text, within the bound of a finding.
pub(super) fn join(parts: &[String]) -> String {
    let mut out = parts.join(" ");
    if out.len() > Finding::EXPLANATION_BYTES_MAX {
        let mut end = Finding::EXPLANATION_BYTES_MAX - "…".len();
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_cut_and_harmless() {
        assert_eq!(plain("a\n«b»\u{202e}"), "a·\"b\"·");
        let long = plain(&"x".repeat(500));
        assert_eq!(long.chars().count(), NAME_CHARS_MAX + 1);
        let parts = vec!["é".repeat(5_000)];
        let text = join(&parts);
        assert!(text.len() <= Finding::EXPLANATION_BYTES_MAX && text.ends_with('…'));
    }
}
