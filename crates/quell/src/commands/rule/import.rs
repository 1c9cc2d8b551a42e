//! `quell rule import`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use quell_detect::{DetectionFile, Source, source};
use serde_json::{Value, json};

use super::records::files;
use super::{Failure, Global};
use crate::output::table;

/// Take over others' Sigma rules for CloudTrail, with their licence
///
/// A folder as SigmaHQ has it is searched; rules for product aws, service cloudtrail that load are copied as they are
/// into detections/imported of a content folder, with the licence files of the folder. Everything else is counted with
/// the reason. A rule that is there already is left as it is, unless --replace.
#[derive(Args)]
#[command(after_help = "\
Examples:
  quell rule import sigma/rules/cloud/aws --to my-content
  quell rule import sigma --to my-content --dry-run --output json

A content folder stands in the place of what is built in: begin with a copy of the project's folder content.")]
pub struct Import {
    /// The folder with rules
    from: PathBuf,
    /// The content folder
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Only say what would be taken
    #[arg(long)]
    dry_run: bool,
    /// Write over rules that are there already
    #[arg(long)]
    replace: bool,
}

/// Files that hold the terms of a whole folder of rules.
const LICENCE_FILES: [&str; 6] = [
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
    "LICENSE.Detection.Rules.md",
    "LICENCE",
    "NOTICE",
];

struct Taken {
    path: PathBuf,
    below: PathBuf,
    author: Option<String>,
    licence: Option<String>,
}

impl Import {
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let licences = licence_files(&self.from);
        let (mut taken, mut left, mut licence_missing) =
            (Vec::new(), BTreeMap::<String, usize>::new(), 0_usize);
        let target = self.to.join("detections/imported");
        for path in files(&self.from)? {
            if !path
                .extension()
                .is_some_and(|ending| ending == "yml" || ending == "yaml")
            {
                continue;
            }
            let below = path
                .strip_prefix(&self.from)
                .unwrap_or(&path)
                .with_extension("yml");
            match judge(&path, &below) {
                Ok(source) if source.licence.is_none() && licences.is_empty() => {
                    licence_missing += 1;
                    *left
                        .entry(
                            "neither the rule nor a file beside the folder names a licence"
                                .to_owned(),
                        )
                        .or_default() += 1;
                }
                Ok(_) if !self.replace && target.join(&below).exists() => {
                    *left
                        .entry("it is there already (--replace writes over it)".to_owned())
                        .or_default() += 1;
                }
                Ok(source) => taken.push(Taken {
                    path,
                    below,
                    author: source.author,
                    licence: source.licence,
                }),
                Err(reason) => *left.entry(reason).or_default() += 1,
            }
        }
        if !self.dry_run {
            self.copy(&taken, &licences, &target)?;
        }
        let rule = |t: &Taken| json!({"rule": t.below, "author": t.author, "licence": t.licence});
        let value = json!({
            "taken": taken.iter().map(rule).collect::<Vec<Value>>(), "left": left, "licences": licences, "into": target, "dryRun": self.dry_run,
        });
        global.output.print(&value, |_| {
            let word = if self.dry_run {
                "would be taken"
            } else {
                "taken"
            };
            let mut out = vec![format!(
                "{} rule(s) {word} into {}",
                taken.len(),
                target.display()
            )];
            if !left.is_empty() {
                let row =
                    |(reason, count): (&String, &usize)| vec![count.to_string(), reason.clone()];
                out.push(format!(
                    "\n{}",
                    table(&["left", "because"], left.iter().map(row))
                ));
            }
            out.join("\n")
        });
        match licence_missing {
            0 => Ok(()),
            n => Err(Failure::Check(format!(
                "{n} rule(s) without a licence: put theirs beside them as LICENSE"
            ))),
        }
    }

    fn copy(&self, taken: &[Taken], licences: &[PathBuf], target: &Path) -> Result<(), Failure> {
        let fault =
            |path: &Path, e: std::io::Error| Failure::Setup(format!("{}: {e}", path.display()));
        for rule in taken {
            let to = target.join(&rule.below);
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder).map_err(|e| fault(folder, e))?;
            }
            std::fs::copy(&rule.path, &to).map_err(|e| fault(&to, e))?;
        }
        for licence in licences.iter().filter(|_| !taken.is_empty()) {
            let to = target.join(licence.file_name().unwrap_or_default());
            std::fs::copy(licence, &to).map_err(|e| fault(&to, e))?;
        }
        Ok(())
    }
}

/// The licence files of a folder, or of the folders that it lies in (a part of a repository may be named).
fn licence_files(folder: &Path) -> Vec<PathBuf> {
    let here = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let found = here.ancestors().take(5).map(|folder| {
        let files = LICENCE_FILES.iter().map(|name| folder.join(name));
        files.filter(|file| file.is_file()).collect::<Vec<_>>()
    });
    found
        .into_iter()
        .find(|files| !files.is_empty())
        .unwrap_or_default()
}

/// What a rule brings, or why it is left.
fn judge(path: &Path, below: &Path) -> Result<Source, String> {
    let text = crate::input::read(path).map_err(|_| "it cannot be read".to_owned())?;
    let file = DetectionFile {
        path: format!("imported/{}", below.display()),
        text,
    };
    source(&file)
}
