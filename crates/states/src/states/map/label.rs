//! Label: the name of a distributed Map within the ARNs of its runs.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;

/// Characters a label must not have, besides white space and control characters.
const LABEL_REFUSED: &str = "?*<>{}[]:;,\\|^~$#%&`\"/";
const LABEL_CHARS_MAX: usize = 40;

/// Reads `Label`.
pub(super) fn read_label(fields: &Fields<'_>, faults: &mut Faults) -> Option<String> {
    let label = fields.text("Label", faults)?;
    let bad = |c: &char| c.is_whitespace() || c.is_control() || LABEL_REFUSED.contains(*c);
    if let Some(c) = label.chars().find(bad) {
        faults.schema(
            fields.at("Label"),
            format!("Label contains invalid character: '{}'", c.escape_default()),
        );
    }
    if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX {
        faults.schema(
            fields.at("Label"),
            format!("A label has 1 to {LABEL_CHARS_MAX} characters"),
        );
    }
    Some(label.to_owned())
}
