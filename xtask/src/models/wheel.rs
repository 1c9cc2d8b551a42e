//! What lies in botocore's package folder, read as botocore's own loader reads it.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{Object, Result, object, read_text};

/// The package folder of a botocore wheel.
pub(super) struct Wheel<'a> {
    folder: &'a Path,
    /// `botocore 1.2.3`.
    pub(super) source: String,
}

impl<'a> Wheel<'a> {
    pub(super) fn open(folder: &'a Path) -> Result<Self> {
        let text = read_text(&folder.join("__init__.py"))?;
        let version = text
            .lines()
            .find_map(|line| line.strip_prefix("__version__ = "))
            .ok_or("botocore/__init__.py names no version")?
            .trim()
            .trim_matches(['\'', '"']);
        let source = format!("botocore {version}");
        Ok(Self { folder, source })
    }

    /// `data/<name>.json`, which belongs to no service.
    pub(super) fn shared(&self, name: &str) -> Result<Object> {
        let path = self.folder.join("data").join(format!("{name}.json"));
        parse(&path, &read_text(&path)?)
    }

    /// The document `name` of the newest API version of `service`, with what botocore adds to it by hand
    /// (`<name>.sdk-extras.json`). Nothing when there is none.
    pub(super) fn document(&self, service: &str, name: &str) -> Result<Option<Object>> {
        let version = self.newest_version(service)?;
        let Some(mut document) = read(&version, name)? else {
            return Ok(None);
        };
        if let Some(extras) = read(&version, &format!("{name}.sdk-extras"))? {
            merge(&mut document, object(&extras, "merge"));
        }
        Ok(Some(document))
    }

    fn newest_version(&self, service: &str) -> Result<PathBuf> {
        let folder = self.folder.join("data").join(service);
        let versions = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        versions
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_dir())
            .max()
            .ok_or_else(|| format!("{service} has no API version"))
    }
}

/// `<name>.json` of a folder, packed or not.
fn read(folder: &Path, name: &str) -> Result<Option<Object>> {
    let plain = folder.join(format!("{name}.json"));
    if let Ok(text) = fs::read_to_string(&plain) {
        return parse(&plain, &text).map(Some);
    }
    let packed = folder.join(format!("{name}.json.gz"));
    let Ok(bytes) = fs::read(&packed) else {
        return Ok(None);
    };
    let mut text = String::new();
    let read = GzDecoder::new(bytes.as_slice()).read_to_string(&mut text);
    read.map_err(|e| format!("{}: {e}", packed.display()))?;
    parse(&packed, &text).map(Some)
}

fn parse(path: &Path, text: &str) -> Result<Object> {
    serde_json::from_str(text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Objects are merged member by member; anything else is replaced.
fn merge(base: &mut Object, extra: &Object) {
    for (name, value) in extra {
        match (base.get_mut(name), value) {
            (Some(Value::Object(base)), Value::Object(extra)) => merge(base, extra),
            (_, value) => {
                base.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn extras_are_merged_into_objects_and_replace_the_rest() {
        let mut base = json!({"a": {"b": 1, "c": [1]}, "d": 1});
        let extra = json!({"a": {"c": [2], "e": {}}, "d": {}});
        merge(base.as_object_mut().unwrap(), extra.as_object().unwrap());
        assert_eq!(base, json!({"a": {"b": 1, "c": [2], "e": {}}, "d": {}}));
    }
}
