//! The npm package in a process of its own, asked line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::Tried;

pub(crate) struct Npm {
    node: Child,
    asks: ChildStdin,
    tells: BufReader<ChildStdout>,
}

impl Npm {
    pub(crate) fn start(modules: &str, millis: u64, rounds: u32) -> Tried<Npm> {
        let mut node = Command::new("node")
            .args(["benches/jsonata/bench.mjs", modules])
            .args([millis.to_string(), rounds.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let asks = node.stdin.take().ok_or("node has no input")?;
        let tells = node.stdout.take().ok_or("node has no output")?;
        Ok(Npm {
            node,
            asks,
            tells: BufReader::new(tells),
        })
    }

    /// The value of a case and what it takes.
    pub(crate) fn ask(&mut self, case: &Value) -> Tried<Value> {
        writeln!(self.asks, "{case}")?;
        let mut line = String::new();
        match self.tells.read_line(&mut line)? {
            0 => Err(format!("node ended: {}, over {case:.300}", self.node.wait()?).into()),
            _ => Ok(serde_json::from_str(&line)?),
        }
    }
}
