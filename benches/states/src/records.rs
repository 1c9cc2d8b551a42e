//! What the loop makes of stored records: with and without correlations, and what correlations remember of them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use quell::app::App;
use quell::config::Config;
use quell::loops::work_off;
use quell_collect::accept;
use quell_model::{Origin, Record, Timestamp};
use quell_store::Kind;

/// So many accounts have the same hour.
const ACCOUNTS: usize = 35;
/// The account of the hour.
const ACCOUNT: &str = "123837392027";

pub async fn measure() {
    let data = std::env::var("QUELL_DATA").unwrap_or_else(|_| "../shared/data".into());
    let folder = Path::new(&data).join("invictus");
    let Ok(files) = std::fs::read_dir(&folder) else {
        return println!("records: {} is not there", folder.display());
    };
    let files = files.map(|file| file.expect("a file").path());
    let files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    let place = super::bench::place();
    for correlations in [false, true, false, true] {
        let folder = tempfile::tempdir_in(&place).expect("a folder");
        let content = folder.path().join("content");
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content"),
            &content,
            correlations,
        );
        let config = Config {
            data: folder.path().join("data"),
            content: Some(content),
            ..Config::default()
        };
        let app = App::open(config).await.expect("an installation");
        let mut count = 0;
        for account in 0..ACCOUNTS {
            for file in &files {
                let text = std::fs::read_to_string(file).expect("a file");
                let records = records(&text.replace(ACCOUNT, &format!("{:012}", 100 + account)));
                let accepted = accept(&*app.state, &records, &[]).await;
                count += accepted.expect("stored").new;
            }
        }
        let (begin, cpu) = (Instant::now(), cpu_seconds());
        work_off(&app).await.expect("worked off");
        let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let rows = |kind| {
            let state = app.state.clone();
            async move {
                let rows = state.count(kind).await.expect("counted");
                rows.iter().map(|(_, n)| n).sum::<u64>()
            }
        };
        println!(
            "records: {count} {} correlations: {:.0}/s, {:.0}/s of processor time; {} findings, {} incidents, {} rows of memory",
            if correlations { "with" } else { "without" },
            count as f64 / seconds,
            count as f64 / cpu,
            rows(Kind::Finding).await,
            rows(Kind::Incident).await,
            rows(Kind::Memory).await,
        );
    }
}

fn copy(from: &Path, to: &Path, correlations: bool) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the content") {
        let entry = entry.expect("a file");
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            copy(&path, &to.join(name), correlations);
        } else if correlations || !name.to_string_lossy().ends_with(".correlation.yml") {
            std::fs::copy(&path, to.join(name)).expect("copied");
        }
    }
}

fn records(text: &str) -> Vec<Record> {
    let split = quell_normalize::split(text.as_bytes());
    assert_eq!(split.faults, Vec::<String>::new());
    let record = |raw: quell_normalize::RawRecord| Record {
        id: raw.id,
        origin: Origin::File { path: "f".into() },
        received_at: Timestamp::from_millis(1_800_000_000_000),
        envelope: raw.envelope,
        body: raw.body,
    };
    split.records.into_iter().map(record).collect()
}

/// What this process took of the processor.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .expect("a name")
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}
