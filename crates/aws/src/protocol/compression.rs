//! Request bodies compressed where the model allows it, as botocore does by default.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Malformed, WireRequest};
use crate::model::Operation;

/// Less is not worth it: `request_min_compression_size_bytes` as it is when nobody set it.
const BYTES_MIN: usize = 10_240;

/// Compresses the body when the operation takes gzip and it is long enough, and says so in `Content-Encoding`.
pub(super) fn compress(operation: &Operation, request: &mut WireRequest) -> Result<(), Malformed> {
    let allowed = operation.request_compression.as_ref();
    let takes_gzip = allowed.is_some_and(|c| c.encodings.iter().any(|e| e == "gzip"));
    if !takes_gzip || request.body.len() < BYTES_MIN {
        return Ok(());
    }
    let failed = |_| Malformed::new("the body cannot be compressed");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&request.body).map_err(failed)?;
    request.body = Bytes::from(encoder.finish().map_err(failed)?);

    let is_encoding =
        |(name, _): &&mut (String, String)| name.eq_ignore_ascii_case("content-encoding");
    match request.headers.iter_mut().find(is_encoding) {
        Some((_, given)) => given.push_str(",gzip"),
        None => {
            let header = ("Content-Encoding".to_owned(), "gzip".to_owned());
            request.headers.push(header);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::model::RequestCompression;

    fn compressed(bytes: usize, encodings: &[&str], headers: &[(&str, &str)]) -> WireRequest {
        let operation = Operation {
            request_compression: Some(RequestCompression {
                encodings: encodings.iter().map(|&e| e.to_owned()).collect(),
            }),
            ..Operation::default()
        };
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let mut request = WireRequest {
            body: Bytes::from(vec![b'x'; bytes]),
            headers: headers.iter().map(owned).collect(),
            ..WireRequest::default()
        };
        compress(&operation, &mut request).unwrap();
        request
    }

    #[test]
    fn long_bodies_are_compressed_where_the_model_allows_it() {
        let request = compressed(
            BYTES_MIN,
            &["br", "gzip"],
            &[("content-encoding", "custom")],
        );
        let encoding = ("content-encoding".to_owned(), "custom,gzip".to_owned());
        assert_eq!(request.headers, [encoding]);
        let mut body = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&request.body[..]);
        decoder.read_to_end(&mut body).unwrap();
        assert_eq!(body, vec![b'x'; BYTES_MIN]);

        for (bytes, encodings) in [(BYTES_MIN - 1, &["gzip"]), (BYTES_MIN, &["br"])] {
            let request = compressed(bytes, encodings, &[]);
            assert_eq!((request.body.len(), request.headers.len()), (bytes, 0));
        }
    }
}
