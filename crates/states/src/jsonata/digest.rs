//! The digests of `$hash`. MD5 and SHA-1 are written out here because playbooks
//! compare them with what AWS reports; nothing else may rely on them.

use crate::random::hex;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The digest of `bytes` in hexadecimal, or `None` for an unknown algorithm.
pub(crate) fn hexadecimal(algorithm: &str, bytes: &[u8]) -> Option<String> {
    Some(match algorithm {
        "MD5" => hex(&md5(bytes)),
        "SHA-1" => hex(&sha1(bytes)),
        "SHA-256" => hex(&Sha256::digest(bytes)),
        "SHA-384" => hex(&Sha384::digest(bytes)),
        "SHA-512" => hex(&Sha512::digest(bytes)),
        _ => return None,
    })
}

/// The message padded to whole blocks, its length in bits at the end.
fn padded(bytes: &[u8], length: [u8; 8]) -> Vec<u8> {
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend(length);
    message
}

fn bits(bytes: &[u8]) -> u64 {
    (bytes.len() as u64).wrapping_mul(8)
}

fn words(block: &[u8], read: fn([u8; 4]) -> u32) -> Vec<u32> {
    block
        .chunks_exact(4)
        .map(|chunk| read(chunk.try_into().unwrap_or_default()))
        .collect()
}

fn word(words: &[u32], index: usize) -> u32 {
    words.get(index).copied().unwrap_or_default()
}

/// RFC 1321.
fn md5(bytes: &[u8]) -> Vec<u8> {
    const SHIFTS: [[u32; 4]; 4] = [
        [7, 12, 17, 22],
        [5, 9, 14, 20],
        [4, 11, 16, 23],
        [6, 10, 15, 21],
    ];
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded(bytes, bits(bytes).to_le_bytes()).chunks_exact(64) {
        let message = words(block, u32::from_le_bytes);
        let [mut a, mut b, mut c, mut d] = state;
        for (step, round) in (0..64_usize).map(|step| (step, step / 16)) {
            let (mix, index) = match round {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            let sine = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let shift = SHIFTS
                .get(round)
                .and_then(|row| row.get(step % 4))
                .copied()
                .unwrap_or_default();
            let sum = a
                .wrapping_add(mix)
                .wrapping_add(sine)
                .wrapping_add(word(&message, index));
            (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(shift)));
        }
        state = add(state, [a, b, c, d]);
    }
    state.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// FIPS 180-4.
fn sha1(bytes: &[u8]) -> Vec<u8> {
    let mut state = [
        0x6745_2301_u32,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in padded(bytes, bits(bytes).to_be_bytes()).chunks_exact(64) {
        let mut schedule = words(block, u32::from_be_bytes);
        for n in 16..80_usize {
            let mixed = word(&schedule, n - 3)
                ^ word(&schedule, n - 8)
                ^ word(&schedule, n - 14)
                ^ word(&schedule, n - 16);
            schedule.push(mixed.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (step, value) in schedule.into_iter().enumerate() {
            let (mix, constant) = match step / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999_u32),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let sum = a
                .rotate_left(5)
                .wrapping_add(mix)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(value);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, sum);
        }
        state = add(state, [a, b, c, d, e]);
    }
    state.into_iter().flat_map(u32::to_be_bytes).collect()
}

fn add<const N: usize>(mut left: [u32; N], right: [u32; N]) -> [u32; N] {
    for (sum, value) in left.iter_mut().zip(right) {
        *sum = sum.wrapping_add(value);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_test_vectors() {
        let long = "a".repeat(200);
        for (algorithm, text, expected) in [
            ("MD5", "", "d41d8cd98f00b204e9800998ecf8427e"),
            ("MD5", "abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("MD5", &long, "887f30b43b2867f4a9accceee7d16e6c"),
            ("SHA-1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("SHA-1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA-1", &long, "e61cfffe0d9195a525fc6cf06ca2d77119c24a40"),
        ] {
            assert_eq!(
                hexadecimal(algorithm, text.as_bytes()).as_deref(),
                Some(expected),
                "{algorithm} of {} bytes",
                text.len()
            );
        }
        assert_eq!(hexadecimal("SHA-384", b"").map(|d| d.len()), Some(96));
        assert_eq!(hexadecimal("SHA-512", b"").map(|d| d.len()), Some(128));
        assert_eq!(hexadecimal("sha-256", b""), None);
    }
}
