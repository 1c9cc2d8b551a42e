//! How bad a weakness is, and which packages have it: the products tell the same under different names.

use serde_json::Value;

use super::facts::{Cvss, Package};
use super::look::{LIST_MAX, items, name, text};

/// The scores in the list at `list`. `names`: where an item has the version, the score and the vector.
pub(super) fn scores(value: &Value, list: &str, names: [&str; 3]) -> Vec<Cvss> {
    let [version, score, vector] = names;
    let read = |item: &Value| {
        Some(Cvss {
            version: name(text(item, version)?),
            score: item.pointer(score)?.as_f64()?,
            vector: text(item, vector).map(name),
        })
    };
    let listed = items(value, list).iter().take(LIST_MAX);
    listed.filter_map(read).collect()
}

/// The packages in the list at `list`. `names`: where an item has its name, its
/// version, the version that mends it, and its architecture.
pub(super) fn packages(value: &Value, list: &str, names: [&str; 4]) -> Vec<Package> {
    let [called, version, fixed_in, architecture] = names;
    let read = |item: &Value| {
        Some(Package {
            name: name(text(item, called)?),
            version: name(text(item, version)?),
            fixed_in: text(item, fixed_in).map(name),
            architecture: text(item, architecture).map(name),
        })
    };
    let listed = items(value, list).iter().take(LIST_MAX);
    listed.filter_map(read).collect()
}
