//! What is run over the texts of policies, which whoever may write a policy chooses.

use quell_guard::policies::{Document, Grant, adds_nothing, keeps_conditioned, narrows};

/// So short that a policy has too few pieces for the comparison to give up.
const SURE_BYTES_MAX: usize = 500;

const PROBES: [(&str, &str); 3] = [
    ("iam:PassRole", "arn:aws:iam::444455556666:role/quell-probe"),
    ("s3:GetObject", "arn:aws:s3:::shop/one"),
    ("sts:AssumeRole", "arn:aws:iam::444455556666:role/a:b"),
];

/// Two policies, each on lines of its own with a blank line between: what narrows another grants nothing openly that the other
/// does not, and each is as wide as itself.
pub fn policies(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (first, second) = text.split_once("\n\n").unwrap_or((text, text));
    let (Ok(first), Ok(second)) = (Document::of_text(first), Document::of_text(second)) else {
        return;
    };
    if text.len() <= SURE_BYTES_MAX {
        assert_eq!(narrows(&first, &first), Ok(()));
        assert_eq!(keeps_conditioned(&first, &first), Ok(()));
    }
    let is_narrower = narrows(&first, &second).is_ok();
    assert!(!is_narrower || adds_nothing(&first, &second).is_ok());
    for (action, resource) in PROBES {
        let (wide, narrow) = (
            first.grants(action, resource),
            second.grants(action, resource),
        );
        assert!(!is_narrower || narrow != Grant::Open || wide == Grant::Open);
        assert!(!is_narrower || wide != Grant::No || narrow == Grant::No);
    }
}
