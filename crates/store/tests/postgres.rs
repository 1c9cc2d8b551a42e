//! PostgreSQL passes the suite and keeps what it acknowledged. A real server, in a temporary folder, on a free port.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test says what is wrong by failing"
)]
mod suite;

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use quell_model::Timestamp;
use quell_store::postgres::PostgresState;
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use tempfile::TempDir;

/// Who runs the server when the tests run as root, which PostgreSQL refuses to.
const NOBODY: u32 = 65534;

/// A server that ends with the value.
struct Server {
    folder: TempDir,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let port = free_port();
        let server = Self { folder, port };
        let data = server.data();
        let locale = ["--auth=trust", "--username=quell", "--no-sync", "--pgdata"];
        run(tool("initdb").args(locale).arg(&data));
        server.up();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn control(&self) -> Command {
        let mut control = tool("pg_ctl");
        control.arg("--silent").arg("--pgdata").arg(self.data());
        control
    }

    /// Starts it, and waits until it answers.
    fn up(&self) {
        let sockets = self.folder.path().display();
        // Deadlocks are found at once, and not after the usual second.
        let options = format!(
            "-p {} -h 127.0.0.1 -k {sockets} -c deadlock_timeout=20ms",
            self.port
        );
        let mut control = self.control();
        control.arg("--log").arg(self.folder.path().join("log"));
        run(control.args(["--wait", "--options", &options, "start"]));
    }

    /// Stops it as a power cut would.
    fn kill(&self) {
        run(self.control().args(["--mode=immediate", "stop"]));
    }

    /// Does something as the owner of everything.
    fn sql(&self, database: &str, sql: &str) {
        run(tool("psql").args(["--quiet", "--command", sql, &self.url(database)]));
    }

    /// From now on everybody but the owner gives a password.
    fn ask_for_passwords(&self) {
        let rules = "host all quell 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(self.data().join("pg_hba.conf"), rules).unwrap();
        run(self.control().arg("reload"));
    }

    async fn state(&self) -> PostgresState {
        PostgresState::connect(&self.url("postgres"), None)
            .await
            .unwrap()
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://quell@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.control().args(["--mode=immediate", "stop"]).status();
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A program of the newest PostgreSQL there is, as somebody who is not root.
fn tool(name: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let folders = versions.map(|version| version.unwrap().path().join("bin"));
    let newest = folders.filter(|bin| bin.join(name).exists()).max();
    let program = newest.unwrap_or_else(|| {
        panic!("PostgreSQL is not installed (scripts/setup-test installs Debian's)")
    });
    let mut command = Command::new(program.join(name));
    command.current_dir(Path::new("/")).stdout(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_the_suite() {
    let server = Server::start();
    let state = server.state().await;
    suite::run(&state).await;
    state.close().await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let server = Server::start();
    let state = server.state().await;
    let first = Document::new(Kind::Run, "a", "running", Timestamp::default(), &1).unwrap();
    let second = Document::new(Kind::Run, "b", "running", Timestamp::default(), &2).unwrap();
    let insert = |document: &Document| Batch::new().with(Write::Insert(document.clone()));
    state.commit(insert(&first)).await.unwrap();
    server.kill();
    let error = state.commit(insert(&second)).await.unwrap_err();
    assert_eq!(error.kind(), quell_model::ErrorKind::Unavailable, "{error}");
    server.up();
    assert_eq!(state.get(Kind::Run, "a").await.unwrap(), Some(first));
    assert_eq!(state.get(Kind::Run, "b").await.unwrap(), None);
    state.commit(insert(&second)).await.unwrap();
}

#[tokio::test]
async fn a_killed_writer_has_kept_its_word() {
    let server = Server::start();
    let state = server.state().await;
    suite::kill::writers(&state, &server.url("postgres")).await;
}

/// A value that the database refuses is its own batch's fault, in whatever company it comes.
#[tokio::test]
async fn a_refused_value_among_many_fails_alone() {
    let server = Server::start();
    let state = server.state().await;
    let commit = |n: usize| {
        let id = if n == 3 {
            "a\0b".to_owned()
        } else {
            n.to_string()
        };
        let document = Document::new(Kind::Run, id, "running", Timestamp::default(), &1).unwrap();
        let state = state.clone();
        async move {
            (
                n,
                state
                    .commit(Batch::new().with(Write::Insert(document)))
                    .await,
            )
        }
    };
    let ended: Vec<_> = (0..8)
        .map(commit)
        .collect::<tokio::task::JoinSet<_>>()
        .join_all()
        .await;
    for (n, ended) in ended {
        assert_eq!(ended.is_ok(), n != 3, "{n}: {ended:?}");
    }
}

#[tokio::test]
async fn two_processes_may_make_the_tables_at_once() {
    let server = Server::start();
    let (one, two) = tokio::join!(server.state(), server.state());
    let document = Document::new(Kind::Run, "r", "running", Timestamp::default(), &1).unwrap();
    let insert = Batch::new().with(Write::Insert(document.clone()));
    one.commit(insert).await.unwrap();
    assert_eq!(two.get(Kind::Run, "r").await.unwrap(), Some(document));
}

/// What cannot be opened says what to mend, and never the password.
#[tokio::test]
async fn what_cannot_be_opened_says_what_to_mend() {
    let server = Server::start();
    let state = server.state().await;
    for sql in [
        "CREATE ROLE guest LOGIN PASSWORD 'right'",
        "CREATE DATABASE frozen",
        "ALTER DATABASE frozen SET default_transaction_read_only = on",
        "CREATE DATABASE newer",
    ] {
        server.sql("postgres", sql);
    }
    let newer = server.url("newer");
    PostgresState::connect(&newer, None)
        .await
        .unwrap()
        .close()
        .await;
    let later = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), true, '', 1)";
    server.sql("newer", later);
    server.ask_for_passwords();
    let guest = server.url("postgres").replace("quell@", "guest@");
    let closed = format!("postgres://quell@127.0.0.1:{}/postgres", free_port());
    for (url, says) in [
        (server.url("nowhere"), "createdb"),
        (server.url("frozen"), "may only be read"),
        (newer, "A newer Quell"),
        (guest.clone(), "store.password"),
        (closed, "Is the server up"),
        ("not a URL".to_owned(), "postgres://USER@HOST"),
    ] {
        let error = PostgresState::connect(&url, Some("planted"))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Connect { .. }), "{error}");
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(says) && !text.contains("planted"),
            "{url}: {text}"
        );
    }
    // With the right password the guest is let in, and may not make tables.
    server.sql("postgres", "DROP TABLE _sqlx_migrations");
    let error = PostgresState::connect(&guest, Some("right"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("best own it"), "{error}");
    state.close().await;
}
