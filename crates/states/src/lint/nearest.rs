//! Names that someone may have meant.

/// Names suggested at once.
const SUGGESTED_MAX: usize = 3;
/// Letters that may be wrong.
const DISTANCE_MAX: usize = 3;
/// Longer names are not compared: no service or action has one.
const NAME_BYTES_MAX: usize = 100;

/// The names nearest to `wanted`, the nearest first.
pub(super) fn nearest(wanted: &str, names: &[String]) -> Vec<String> {
    if wanted.len() > NAME_BYTES_MAX {
        return Vec::new();
    }
    let wanted = wanted.to_lowercase();
    let mut found: Vec<(usize, &String)> = names
        .iter()
        .filter(|name| name.len() <= NAME_BYTES_MAX)
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= DISTANCE_MAX.min(wanted.len() / 2))
        .collect();
    found.sort();
    found
        .into_iter()
        .take(SUGGESTED_MAX)
        .map(|(_, name)| name.clone())
        .collect()
}

/// What to do about an unknown name.
pub(super) fn advice(nearest: &[String]) -> String {
    match nearest.is_empty() {
        true => "Look it up in the reference of the service.".to_owned(),
        false => format!("Did you mean {}?", nearest.join(" or ")),
    }
}

/// Letters to add, remove or change to get from one to the other (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (n, a) in left.chars().enumerate() {
        let mut diagonal = n;
        let mut before = n + 1;
        let mut next = vec![before];
        for (b, above) in right.iter().zip(row.iter().skip(1)) {
            before = (diagonal + usize::from(a != *b))
                .min(above + 1)
                .min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("kitten", "sitting", 3),
            ("describeInstance", "describeInstances", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_come_first() {
        let names = ["runInstances", "stopInstances", "stopInstancess", "x"].map(str::to_owned);
        assert_eq!(
            nearest("stopInstance", &names),
            ["stopInstances", "stopInstancess"]
        );
        assert!(nearest("describeVolumes", &names).is_empty());
    }
}
