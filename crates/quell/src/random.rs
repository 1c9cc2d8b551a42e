//! Randomness, from the system and from nowhere else.

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

/// So many random bytes.
///
/// # Errors
/// [`NoRandomness`]; nothing may go on with a guess.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut out = [0; N];
    getrandom::fill(&mut out).map_err(NoRandomness)?;
    Ok(out)
}

/// A random number.
///
/// # Errors
/// [`NoRandomness`].
pub fn seed() -> Result<u64, NoRandomness> {
    bytes::<8>().map(u64::from_le_bytes)
}
