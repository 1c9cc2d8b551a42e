//! What a process that is killed while it writes had acknowledged is there afterwards, and nothing by halves.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use quell_store::{Kind, State};

/// Kills a writer with eight callers again and again, each time after some more acknowledgements.
pub(crate) async fn writers(state: &dyn State, place: &str) {
    for acknowledged in [1, 20, 50, 100, 200] {
        for (log, last) in killed_after(place, acknowledged) {
            let entries = state.read_log(&log, 0, 100_000).await.unwrap();
            let seqs: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
            let whole: Vec<i64> = (0..).take(seqs.len()).collect();
            assert_eq!(seqs, whole, "{log}");
            assert!(seqs.last() >= Some(&last), "{log}: {last} was acknowledged");
            for seq in seqs {
                let document = state.get(Kind::Run, &format!("{log}#{seq}")).await.unwrap();
                assert!(document.is_some(), "{log}#{seq} is there by half");
            }
        }
    }
}

/// The last number that was acknowledged, by log.
fn killed_after(place: &str, acknowledged: usize) -> BTreeMap<String, i64> {
    let deps = std::env::current_exe().unwrap();
    let program = deps.ancestors().nth(2).unwrap().join("examples/writes");
    let mut writer = Command::new(&program)
        .args([place, "8"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| {
            panic!(
                "{}: {e} (cargo test -p quell-store builds it)",
                program.display()
            )
        });
    let mut said = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut lines: Vec<String> = said
        .by_ref()
        .take(acknowledged)
        .map(Result::unwrap)
        .collect();
    writer.kill().unwrap();
    writer.wait().unwrap();
    lines.extend(said.map_while(Result::ok));
    assert!(lines.len() >= acknowledged, "the writer ended by itself");
    let mut last = BTreeMap::new();
    for line in lines {
        if let Some((log, Ok(seq))) = line.split_once(' ').map(|(log, seq)| (log, seq.parse())) {
            last.insert(log.to_owned(), seq);
        }
    }
    last
}
