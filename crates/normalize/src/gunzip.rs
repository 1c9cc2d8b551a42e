//! Unpacking what a stranger packed.

use std::io::Read;

use flate2::read::MultiGzDecoder;

/// The bytes are not gzip that we are willing to unpack.
#[derive(Debug, thiserror::Error)]
pub enum GunzipError {
    /// Truncated, damaged, or not gzip at all.
    #[error("the gzip data is damaged: {0}")]
    Damaged(#[from] std::io::Error),
    /// It unpacks to more than the limit: the size in the trailer comes from the sender and is not believed.
    #[error("the gzip data unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It unpacks to more than [`RATIO_MAX`] times what it is: no log does.
    #[error("the gzip data unpacks to more than {RATIO_MAX} times its {packed} bytes")]
    TooDense {
        /// How large it is.
        packed: usize,
    },
}

/// Logs unpack to ten or twenty times what they are, the most monotonous to less than a hundred; gzip allows a thousand.
pub const RATIO_MAX: usize = 200;
/// So much may be unpacked from anything: a short file of one line many times over is no bomb.
pub const RATIO_FREE_BYTES: usize = 4 * 1024 * 1024;

/// Unpacks gzip (all members) into at most `limit` bytes, and beyond [`RATIO_FREE_BYTES`] at most [`RATIO_MAX`] times what it is.
///
/// # Errors
/// [`GunzipError`] when it is damaged or too large; memory stays within the limits and a buffer.
pub fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, GunzipError> {
    let mut out = Vec::new();
    gunzip_into(bytes, limit, &mut out).map(|()| out)
}

/// As [`gunzip`], into memory that is used again.
pub(crate) fn gunzip_into(
    bytes: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), GunzipError> {
    out.clear();
    let bound = limit.min(plausible_bytes(bytes.len()));
    let past = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(bytes).take(past).read_to_end(out)?;
    if out.len() <= bound {
        Ok(())
    } else if bound == limit {
        Err(GunzipError::TooLarge { limit })
    } else {
        let packed = bytes.len();
        Err(GunzipError::TooDense { packed })
    }
}

/// What so many packed bytes may become, to be believed.
pub(crate) fn plausible_bytes(packed: usize) -> usize {
    packed.saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES)
}

/// Whether the bytes begin as gzip does.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn members_are_joined_and_bombs_and_stumps_refused() {
        let two = [pack(b"one "), pack(b"two")].concat();
        assert_eq!(gunzip(&two, 100).unwrap(), b"one two");
        let bomb = pack(&vec![0; 1 << 20]);
        assert!(matches!(
            gunzip(&bomb, 1000),
            Err(GunzipError::TooLarge { limit: 1000 })
        ));
        assert_eq!(gunzip(&bomb, 1 << 20).unwrap().len(), 1 << 20);
        let dense = pack(&vec![0; RATIO_FREE_BYTES + 1]);
        assert!(matches!(
            gunzip(&dense, usize::MAX),
            Err(GunzipError::TooDense { .. })
        ));
        let stump = &two[..two.len() - 5];
        assert!(matches!(gunzip(stump, 100), Err(GunzipError::Damaged(_))));
    }
}
