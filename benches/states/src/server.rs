//! A PostgreSQL server of its own, in a temporary folder.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

/// Who runs the server when the bench runs as root, which PostgreSQL refuses to.
const NOBODY: u32 = 65534;

/// A server that ends with the value.
pub struct Server {
    folder: TempDir,
    port: u16,
    databases: AtomicUsize,
}

impl Server {
    pub fn start(place: &Path) -> Self {
        let folder = tempfile::tempdir_in(place).expect("a folder");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("a folder of the server's");
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let port = free.expect("a free port").port();
        let server = Self {
            folder,
            port,
            databases: AtomicUsize::new(0),
        };
        run(server
            .tool("initdb")
            .args(["--auth=trust", "--username=quell"]));
        let options = format!(
            "-p {port} -h 127.0.0.1 -k {}",
            server.folder.path().display()
        );
        let log = server.folder.path().join("log");
        run(server
            .tool("pg_ctl")
            .args(["--wait", "--options", &options, "start", "--log"])
            .arg(log));
        server
    }

    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("bench{}", self.databases.fetch_add(1, Ordering::Relaxed));
        run(program("createdb")
            .args(["--host=127.0.0.1", "--username=quell"])
            .arg(format!("--port={}", self.port))
            .arg(&name));
        self.url_of(&name)
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://quell@127.0.0.1:{}/{database}", self.port)
    }

    /// A program of PostgreSQL, as somebody who is not root, on this server's data.
    fn tool(&self, name: &str) -> Command {
        let mut command = program(name);
        command.arg("--pgdata").arg(self.folder.path().join("data"));
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

/// A program of the newest PostgreSQL that there is.
fn program(name: &str) -> Command {
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL (scripts/setup-test)");
    let programs = versions.flatten().map(|v| v.path().join("bin").join(name));
    let newest = programs
        .filter(|p| p.exists())
        .max()
        .expect("PostgreSQL's programs");
    let mut command = Command::new(newest);
    command.current_dir("/").stdout(Stdio::null());
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self
            .tool("pg_ctl")
            .args(["--mode=immediate", "stop"])
            .status();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}

fn run(command: &mut Command) {
    assert!(command.status().is_ok_and(|s| s.success()), "{command:?}");
}
