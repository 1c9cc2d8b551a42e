//! The checksums that S3 knows, over bytes as they come. XXHash is not among them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::digest::Digest as _;
use sha2::{Sha256, Sha512};

/// A way to sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 7] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
    ];

    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }

    /// The header that has the sum of a body.
    pub(crate) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    /// The sum of nothing, to go on with.
    pub(crate) fn start(self) -> Sum {
        match self {
            Self::Crc32 => Sum::Crc32(crc32fast::Hasher::new()),
            Self::Crc32c => Sum::Crc(Crc::new(&CRC32C, u32::MAX.into())),
            Self::Crc64Nvme => Sum::Crc(Crc::new(&CRC64_NVME, u64::MAX)),
            Self::Md5 => Sum::Md5(Md5::new()),
            Self::Sha1 => Sum::Sha1(Sha1::new()),
            Self::Sha256 => Sum::Sha256(Sha256::new()),
            Self::Sha512 => Sum::Sha512(Box::new(Sha512::new())),
        }
    }

    /// The sum of `bytes`, as base64.
    pub(crate) fn of(self, bytes: &[u8]) -> String {
        let mut sum = self.start();
        sum.add(bytes);
        sum.finish()
    }
}

/// A sum so far.
pub(crate) enum Sum {
    Crc32(crc32fast::Hasher),
    Crc(Crc),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Sum {
    /// Goes on with `bytes`.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(sum) => sum.update(bytes),
            Self::Crc(sum) => sum.update(bytes),
            Self::Md5(sum) => sum.update(bytes),
            Self::Sha1(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
            Self::Sha512(sum) => sum.update(bytes),
        }
    }

    /// The sum, as base64.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc32(sum) => BASE64.encode(sum.finalize().to_be_bytes()),
            Self::Crc(sum) => sum.finish(),
            Self::Md5(sum) => BASE64.encode(sum.finalize()),
            Self::Sha1(sum) => BASE64.encode(sum.finalize()),
            Self::Sha256(sum) => BASE64.encode(sum.finalize()),
            Self::Sha512(sum) => BASE64.encode(sum.finalize()),
        }
    }
}

/// A CRC of up to 64 bits, its bits in reflected order, from ones and inverted at the end, as both of S3's are.
pub(crate) struct Crc {
    table: &'static [u64; 256],
    ones: u64,
    rest: u64,
}

/// Castagnoli's polynomial, and the one of NVMe.
static CRC32C: [u64; 256] = table(0x82f6_3b78);
static CRC64_NVME: [u64; 256] = table(0x9a6c_9329_ac4b_c9b5);

#[expect(clippy::indexing_slicing, reason = "the index is below 256")]
const fn table(polynomial: u64) -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 {
                (rest >> 1) ^ polynomial
            } else {
                rest >> 1
            };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
}

impl Crc {
    fn new(table: &'static [u64; 256], ones: u64) -> Self {
        Self {
            table,
            ones,
            rest: ones,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let [.., low] = self.rest.to_be_bytes();
            let step = self.table.get(usize::from(low ^ byte));
            self.rest = step.copied().unwrap_or_default() ^ (self.rest >> 8);
        }
    }

    fn finish(self) -> String {
        let sum = (self.rest ^ self.ones).to_be_bytes();
        let unused = usize::try_from(self.ones.leading_zeros() / 8).unwrap_or_default();
        BASE64.encode(sum.get(unused..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogues of CRCs, and those of the standards of the hashes.
    #[test]
    fn sums_are_those_of_the_standards() {
        for (algorithm, sum) in [
            (Algorithm::Crc32, "y/Q5Jg=="),
            (Algorithm::Crc32c, "4waSgw=="),
            (Algorithm::Crc64Nvme, "rosUhgp5mIg="),
            (Algorithm::Md5, "JfnnlDI7RTiF9RgfG2JNCw=="),
            (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (
                Algorithm::Sha256,
                "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            ),
            (
                Algorithm::Sha512,
                "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==",
            ),
        ] {
            let mut parts = algorithm.start();
            parts.add(b"1234");
            parts.add(b"56789");
            assert_eq!(parts.finish(), sum, "{algorithm:?}");
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::named("XXHASH64"), None);
    }
}
