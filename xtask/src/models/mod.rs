//! The service models of `quell-aws`, made from botocore's.

mod compact;
mod wheel;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};

use wheel::Wheel;

type Object = Map<String, Value>;
type Result<T> = std::result::Result<T, String>;

/// Writes the models, or with `check` proves that the committed ones are what `botocore` gives.
pub(crate) fn run(botocore: &Path, check: bool) -> Result<()> {
    let folder = models_folder();
    let wheel = Wheel::open(botocore)?;
    let mut files = vec![("partitions.json".to_owned(), partitions(&wheel)?)];
    for service in services(&read_text(&folder.join("selection.txt"))?) {
        let model = compact::compact(&wheel, &service)?;
        files.push((format!("{service}.json.gz"), model));
    }
    if !check {
        return write_all(&folder, &files);
    }
    let is_stale = |(name, text): &&(String, String)| {
        let committed = read_model(&folder.join(name));
        committed.ok().as_ref() != Some(text)
    };
    let stale = files.iter().filter(is_stale).map(|(name, _)| name.clone());
    let wrong: Vec<String> = stale.chain(left_over(&folder, &files)?).collect();
    if wrong.is_empty() {
        println!("{} files are what {} gives", files.len(), wheel.source);
        return Ok(());
    }
    Err(format!(
        "not what {} gives: {}; run `cargo xtask models --botocore DIR`",
        wheel.source,
        wrong.join(", ")
    ))
}

fn write_all(folder: &Path, files: &[(String, String)]) -> Result<()> {
    let (mut packed, mut plain) = (0, 0);
    for (name, text) in files {
        let path = folder.join(name);
        let bytes = pack(name, text).map_err(|e| format!("{name}: {e}"))?;
        println!("{name}: {} bytes, {} unpacked", bytes.len(), text.len());
        (packed, plain) = (packed + bytes.len(), plain + text.len());
        fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    for name in left_over(folder, files)? {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    println!("{packed} bytes in all, {plain} unpacked");
    Ok(())
}

fn pack(name: &str, text: &str) -> std::io::Result<Vec<u8>> {
    if !is_packed(name) {
        return Ok(text.as_bytes().to_vec());
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(text.as_bytes())?;
    packer.finish()
}

/// The text of a committed file: two versions of a packer may write other bytes for the same text.
fn read_model(path: &Path) -> std::io::Result<String> {
    let bytes = fs::read(path)?;
    let mut text = String::new();
    if is_packed(&path.to_string_lossy()) {
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
    } else {
        bytes.as_slice().read_to_string(&mut text)?;
    }
    Ok(text)
}

fn is_packed(name: &str) -> bool {
    name.ends_with(".gz")
}

/// Files beside the selection that no line of it gives.
fn left_over(folder: &Path, files: &[(String, String)]) -> Result<Vec<String>> {
    let present = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> = present
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name != "selection.txt" && !files.iter().any(|(wanted, _)| wanted == name))
        .collect();
    names.sort();
    Ok(names)
}

fn models_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/aws/models")
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// One service a line.
fn services(selection: &str) -> Vec<String> {
    let lines = selection.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn partitions(wheel: &Wheel<'_>) -> Result<String> {
    let mut partitions = Value::from(wheel.shared("partitions")?);
    partitions.sort_all_objects();
    Ok(format!("{partitions}\n"))
}

fn object<'a>(parent: &'a Object, key: &str) -> &'a Object {
    static EMPTY: std::sync::OnceLock<Object> = std::sync::OnceLock::new();
    parent
        .get(key)
        .and_then(Value::as_object)
        .unwrap_or_else(|| EMPTY.get_or_init(Object::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_one_service_a_line() {
        assert_eq!(services("# why\n\nec2\n sqs \n"), ["ec2", "sqs"]);
    }

    #[test]
    fn what_is_packed_is_read_again() {
        let folder = std::env::temp_dir();
        let path = folder.join(format!("quell-models-{}.json.gz", std::process::id()));
        let name = path.to_string_lossy().into_owned();
        fs::write(&path, pack(&name, "{}").unwrap()).unwrap();
        assert_eq!(read_model(&path).unwrap(), "{}");
        fs::remove_file(&path).unwrap();
    }
}
