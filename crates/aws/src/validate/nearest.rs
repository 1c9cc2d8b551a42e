//! The name that was perhaps meant.

/// The candidate that `name` was perhaps meant to be: same letters in another case, or at most a third of them off.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name
        .get(..64.min(name.len()))
        .unwrap_or(name)
        .to_lowercase();
    let (distance, found) = candidates
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .min()?;
    (distance <= (name.chars().count() / 3).max(1)).then(|| found.to_owned())
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (cell, cb) in row.iter().skip(1).zip(&b) {
            let replaced = diagonal + usize::from(ca != *cb);
            left = replaced.min(left + 1).min(cell + 1);
            diagonal = *cell;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_near() {
        let all = ["GroupId", "GroupName", "IpPermissions"];
        let found = |name: &str| nearest(name, all.into_iter());
        assert_eq!(found("groupid").as_deref(), Some("GroupId"));
        assert_eq!(found("Tenancy"), None);
    }
}
