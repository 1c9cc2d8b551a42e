//! Rules over the real logs, multiplied: events a second of processor time, beside `rsigma-eval` on the same rules.
//!
//! Each row is a process of its own, so that its memory is its own. It reads the files from the disk again and again, and
//! writes its findings to a file: all of that is timed, by the time that the thread had a processor, in the kernel too. Quell's way is that of
//! `quell rule backtest`: records are taken out of their files, get their ids, are understood and judged, and a finding is written
//! as it is stored. Before it is timed, both engines are held together hit by hit.

mod engines;
mod random;
mod rules;

use std::collections::BTreeSet;
use std::io::{BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use engines::{Counts, Quell, Reader, Rsigma, records};
use quell_detect::DetectionFile;
use serde_json::{Value, json};

/// The rows: how many rules.
const ROWS: [usize; 3] = [57, 309, 800];
/// What is wanted of Quell: events a second of processor time, by rules.
const BARS: [(usize, f64); 2] = [(57, 350_000.0), (800, 200_000.0)];
const RSS_BYTES_MAX: u64 = 64 * 1024 * 1024;
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [engine, count] => row(engine, count.parse().expect("a number of rules")),
        _ => table(),
    }
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn data() -> PathBuf {
    std::env::var_os("QUELL_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from)
}

fn logs() -> Vec<PathBuf> {
    let files = rules::files(&data().join("invictus"));
    let logs: Vec<PathBuf> = files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "json"))
        .collect();
    assert!(
        !logs.is_empty(),
        "the real logs are wanted: set QUELL_DATA to the folder that holds invictus"
    );
    logs
}

fn load(count: usize) -> Vec<DetectionFile> {
    let apis = std::fs::read_to_string(data().join("traildiscover/apis.jsonl"))
        .expect("traildiscover/apis.jsonl");
    let api = |line: &str| {
        let api: Value = serde_json::from_str(line).expect("an API");
        let text = |name: &str| api[name].as_str().expect("a text").to_owned();
        (text("eventSource"), text("eventName"))
    };
    let apis: Vec<(String, String)> = apis.lines().map(api).collect();
    rules::rules(&root().join("content/detections"), &apis, count)
}

fn reader(engine: &str, rules: &[DetectionFile]) -> Box<dyn Reader> {
    match engine {
        "quell" => Box::new(Quell::new(rules)),
        _ => Box::new(Rsigma::new(rules)),
    }
}

/// Times one engine on so many rules, and prints it as JSON.
fn row(engine: &str, count: usize) {
    let files = logs();
    let rules = load(count);
    let mut reader = reader(engine, &rules);
    let target = std::env::temp_dir().join(format!("bench-detect-{}", std::process::id()));
    let mut best = f64::MAX;
    let mut text = Vec::new();
    let mut counts = Counts::default();
    for _ in 0..ROUNDS {
        counts = Counts::default();
        let mut out = BufWriter::new(std::fs::File::create(&target).expect("a file for findings"));
        let before = processor_time();
        while counts.events < 50_000 {
            for file in &files {
                text.clear();
                let file = std::fs::File::open(file);
                let read = file.and_then(|mut file| file.read_to_end(&mut text));
                read.expect("a log");
                reader.read(&text, &mut out, &mut counts, &mut |_, _| {});
            }
        }
        out.flush().expect("findings are written");
        best = best.min((processor_time() - before).as_secs_f64() / counts.events as f64);
    }
    let written = std::fs::metadata(&target).map_or(0, |m| m.len());
    drop(std::fs::remove_file(&target));
    let line = json!({
        "engine": engine, "rules": count, "eventsPerSecond": 1.0 / best, "events": counts.events, "hits": counts.hits,
        "matchedEvents": counts.matched, "quarantined": counts.quarantined, "bytesWritten": written, "rssBytes": peak(),
    });
    println!("{line}");
}

/// Which rule hit which event, for both engines.
fn hits(engine: &str, rules: &[DetectionFile]) -> BTreeSet<(usize, String)> {
    let mut reader = reader(engine, rules);
    let (mut out, mut counts) = (BTreeSet::new(), Counts::default());
    for file in logs() {
        let text = std::fs::read(file).expect("a log");
        reader.read(&text, &mut std::io::sink(), &mut counts, &mut |at, rule| {
            out.insert((at, rule.to_owned()));
        });
    }
    out
}

fn table() {
    let files = logs();
    let all: Vec<String> = files
        .iter()
        .flat_map(|file| records(&std::fs::read(file).expect("a log")))
        .collect();
    let bytes: usize = all.iter().map(String::len).sum();
    println!(
        "{} real records, {} bytes each, read again and again; best of {ROUNDS}\n",
        all.len(),
        bytes / all.len()
    );
    println!(
        "{:>6} {:>8} {:>14} {:>10} {:>10} {:>8}  hits equal",
        "rules", "engine", "events/CPU-s", "hits", "written", "RSS MB"
    );
    let mut short = Vec::new();
    for count in ROWS {
        let rules = load(count);
        let (ours, theirs) = (hits("quell", &rules), hits("rsigma", &rules));
        for differing in ours.symmetric_difference(&theirs).take(10) {
            println!(
                "  not equal: event {} rule {} ({})",
                differing.0,
                differing.1,
                if ours.contains(differing) {
                    "only Quell"
                } else {
                    "only rsigma-eval"
                }
            );
        }
        let equal = ours == theirs;
        for engine in ["quell", "rsigma"] {
            let row = run(engine, count);
            let rate = row["eventsPerSecond"].as_f64().expect("a number");
            let rss = row["rssBytes"].as_u64().expect("a number");
            println!(
                "{count:>6} {engine:>8} {rate:>14.0} {:>10} {:>10} {:>8.1}  {}",
                row["hits"],
                row["bytesWritten"],
                rss as f64 / 1048576.0,
                if equal { "yes" } else { "NO" }
            );
            let bar = BARS
                .iter()
                .find(|(rules, _)| *rules == count)
                .map_or(0.0, |bar| bar.1);
            if engine == "quell" && (rate < bar || rss > RSS_BYTES_MAX || !equal) {
                short.push(format!("{count} rules: {rate:.0} events/CPU-s (wanted {bar:.0}), {rss} bytes, equal: {equal}"));
            }
        }
    }
    if !short.is_empty() {
        println!("\nfell short:\n  {}", short.join("\n  "));
        std::process::exit(1);
    }
}

fn run(engine: &str, count: usize) -> Value {
    let me = std::env::current_exe().expect("this program");
    let out = Command::new(me)
        .args([engine, &count.to_string()])
        .output()
        .expect("this program runs");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).expect("a row")
}

/// Time that this thread had a processor: the machine may have other work.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanos.expect("nanoseconds"))
}

/// The most memory this process had.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
