//! The server that gives every case its answer: as little work as possible, in a process of its own, so that its CPU
//! time is nobody's.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::cases::{self, Case};

/// Serves until the parent closes standard input; prints its port first.
pub(crate) async fn serve() {
    let answers: &'static [(&str, Vec<u8>)] =
        cases::all().iter().map(answer).collect::<Vec<_>>().leak();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address").port());
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(connection(stream, answers));
        }
    };
    let orphaned = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    tokio::select! { () = accept => {}, _ = orphaned => {} }
}

fn answer(case: &Case) -> (&'static str, Vec<u8>) {
    let head = format!(
        "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n",
        case.content_type,
        case.headers,
        case.body.len()
    );
    (
        case.needle,
        [head.as_bytes(), case.body.as_bytes()].concat(),
    )
}

async fn connection(mut stream: TcpStream, answers: &[(&str, Vec<u8>)]) {
    let _ = stream.set_nodelay(true);
    let mut request = Vec::new();
    loop {
        while !is_whole(&request) {
            match stream.read_buf(&mut request).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let found = answers
            .iter()
            .find(|(needle, _)| contains(&request, needle.as_bytes()));
        let (_, answer) =
            found.unwrap_or_else(|| panic!("no answer for {}", String::from_utf8_lossy(&request)));
        request.clear();
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Whether `request` has all its bytes. One request is under way at a time.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |text| text.trim().parse().expect("a length"));
    request.len() >= end + 4 + length
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
