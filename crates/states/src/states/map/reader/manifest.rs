//! Manifests: objects that name the objects with the items.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::states::map::s3::text as text_of;
use serde_json::Value;
use std::collections::VecDeque;

/// Who wrote a manifest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// An S3 inventory report: JSON, with the columns of the files it names.
    Inventory,
    /// Athena's UNLOAD: a line `s3://bucket/key` for each file.
    Athena,
}

impl Kind {
    pub(super) fn read(config: &Fields<'_>, faults: &mut Faults) -> Option<Kind> {
        let words = ["S3_INVENTORY", "ATHENA_DATA"];
        match config.word("ManifestType", &words, faults)? {
            "ATHENA_DATA" => Some(Kind::Athena),
            _ => Some(Kind::Inventory),
        }
    }
}

type Objects = (VecDeque<(String, String)>, Option<Vec<String>>);

/// The objects a manifest names, and their columns where it says so. `bucket`
/// is the manifest's own.
pub(super) fn objects(kind: Kind, text: &str, bucket: &str) -> Result<Objects, String> {
    match kind {
        Kind::Athena => Ok((athena(text)?, None)),
        Kind::Inventory => inventory(text, bucket),
    }
}

fn athena(text: &str) -> Result<VecDeque<(String, String)>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (bucket, key) = line
                .trim_matches('"')
                .strip_prefix("s3://")
                .and_then(|rest| rest.split_once('/'))
                .ok_or_else(|| format!("'{line}' in the manifest is not an S3 URI"))?;
            Ok((bucket.to_owned(), key.to_owned()))
        })
        .collect()
}

fn inventory(text: &str, bucket: &str) -> Result<Objects, String> {
    let manifest: Value =
        serde_json::from_str(text).map_err(|error| format!("The manifest is not JSON: {error}"))?;
    if text_of(&manifest, "fileFormat").is_some_and(|format| format != "CSV") {
        return Err("Only inventory reports in CSV are read".to_owned());
    }
    let (Some(schema), Some(files)) = (
        text_of(&manifest, "fileSchema"),
        manifest.get("files").and_then(Value::as_array),
    ) else {
        return Err("The manifest has no fileSchema or no files".to_owned());
    };
    let destination = text_of(&manifest, "destinationBucket");
    let bucket = destination.map_or(bucket, |arn| arn.rsplit(':').next().unwrap_or(arn));
    let keys = files.iter().filter_map(|file| text_of(file, "key"));
    let columns = schema.split(',').map(|column| column.trim().to_owned());
    Ok((
        keys.map(|key| (bucket.to_owned(), key.to_owned()))
            .collect(),
        Some(columns.collect()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_names_its_files_and_columns() {
        let text = r#"{"destinationBucket": "arn:aws:s3:::dest", "fileFormat": "CSV",
            "fileSchema": "Bucket, Key", "files": [{"key": "data/1.csv.gz"}]}"#;
        let (left, columns) = objects(Kind::Inventory, text, "own").unwrap();
        assert_eq!(left, [("dest".to_owned(), "data/1.csv.gz".to_owned())]);
        assert_eq!(columns.unwrap(), ["Bucket", "Key"]);
        assert!(objects(Kind::Inventory, r#"{"fileFormat": "ORC"}"#, "own").is_err());
        assert!(objects(Kind::Inventory, "{}", "own").is_err());
    }

    #[test]
    fn athena_lists_uris() {
        let (left, columns) = objects(Kind::Athena, "s3://b/k/1\n\ns3://b/k/2\n", "own").unwrap();
        assert_eq!((left.len(), columns), (2, None));
        assert!(objects(Kind::Athena, "https://b/k", "own").is_err());
    }
}
