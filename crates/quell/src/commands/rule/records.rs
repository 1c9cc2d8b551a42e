//! What the commands read: rules and records, from files, folders and standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use quell_detect::{Detection, DetectionFile, Engine, Language};
use quell_model::{Origin, Record, Timestamp};
use quell_normalize::{DELIVERY_BYTES_MAX, split};

use super::Failure;
use crate::input::name;

/// The files that a path is, or holds, in order. A folder is searched to its depths.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fault = |path: &Path, e: std::io::Error| Failure::Setup(format!("{}: {e}", name(path)));
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut waiting, mut out) = (vec![path.to_owned()], Vec::new());
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| fault(&folder, e))? {
            let entry = entry.map_err(|e| fault(&folder, e))?;
            // A link could lead back to where it is.
            match entry.file_type().map_err(|e| fault(&folder, e))? {
                kind if kind.is_dir() => waiting.push(entry.path()),
                kind if kind.is_file() => out.push(entry.path()),
                _ => {}
            }
        }
    }
    out.sort();
    Ok(out)
}

/// The bytes of a file, or of standard input for `-`.
pub fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    read(file, &mut out).map(|()| out)
}

/// As [`bytes`], into memory that is used again.
pub fn read(file: &Path, out: &mut Vec<u8>) -> Result<(), Failure> {
    out.clear();
    let fault = |e: std::io::Error| Failure::Setup(format!("{}: {e}", name(file)));
    let limit = DELIVERY_BYTES_MAX as u64;
    if file == Path::new("-") {
        std::io::stdin()
            .take(limit + 1)
            .read_to_end(out)
            .map_err(fault)?;
    } else {
        let file = std::fs::File::open(file).map_err(fault)?;
        file.take(limit + 1).read_to_end(out).map_err(fault)?;
    }
    if out.len() as u64 > limit {
        return Err(Failure::Setup(format!(
            "{}: more than {limit} bytes",
            name(file)
        )));
    }
    Ok(())
}

/// The records of a delivery in a file, and the faults of what is none.
pub fn records(file: &Path) -> Result<(Vec<Record>, Vec<String>), Failure> {
    Ok(records_in(file, &bytes(file)?))
}

/// The records of a delivery that came from a file, and the faults of what is none.
pub fn records_in(file: &Path, bytes: &[u8]) -> (Vec<Record>, Vec<String>) {
    let split = split(bytes);
    let origin = Origin::File { path: name(file) };
    let record = |raw: quell_normalize::RawRecord| Record {
        id: raw.id,
        origin: origin.clone(),
        received_at: Timestamp::EPOCH,
        envelope: raw.envelope,
        body: raw.body,
    };
    (
        split.records.into_iter().map(record).collect(),
        split.faults,
    )
}

/// The records of a file, all of which must be records, and at least one.
pub fn only_records(file: &Path) -> Result<Vec<Record>, Failure> {
    let (records, faults) = records(file)?;
    match faults.first() {
        Some(fault) => Err(Failure::Setup(format!("{}: {fault}", name(file)))),
        None if records.is_empty() => Err(Failure::Setup(format!(
            "{}: there is no record in it",
            name(file)
        ))),
        None => Ok(records),
    }
}

/// The detection files that a path is, or holds. The id of a file is its path below `detections`, where it lies in such a
/// folder.
pub fn rules(path: &Path) -> Result<Vec<(PathBuf, DetectionFile)>, Failure> {
    let mut out = Vec::new();
    for file in files(path)? {
        let shown = file.display().to_string();
        // Correlations are of several rules, baselines of many records, and others of lines: `quell content check` reads them.
        let language = Language::of(&shown).map(|(language, _)| language);
        let is_rule = matches!(language, Some(Language::Sigma | Language::Pattern));
        if language.is_none() || (path.is_dir() && !is_rule) {
            continue;
        }
        let below = shown
            .rsplit_once("detections/")
            .map(|(_, rest)| rest.to_owned());
        let text = crate::input::read(&file)?;
        out.push((
            file,
            DetectionFile {
                path: below.unwrap_or(shown),
                text,
            },
        ));
    }
    if out.is_empty() {
        let text = format!(
            "{}: there is no rule: Sigma rules end in .yml, event patterns in .pattern.json",
            name(path)
        );
        return Err(Failure::Setup(text));
    }
    Ok(out)
}

/// One rule, loaded.
pub fn rule(file: &DetectionFile) -> Result<Detection, Failure> {
    file.load().map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::Setup(lines.join("\n"))
    })
}

/// An engine of one rule.
pub fn engine(file: &DetectionFile) -> Result<Engine, Failure> {
    rule(file)?;
    Ok(Engine::load(std::slice::from_ref(file)).0)
}
