//! The same bodies without a fuzzer, for `make test`: over every seed, and over mutations of them that are the same
//! each time.

use std::path::Path;

/// Runs `target` over the seeds in `fuzz/seeds/NAME`, and over `count` mutations.
pub fn run(name: &str, count: usize, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{} has no seeds", folder.display());
    for seed in &seeds {
        checked(seed, target);
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..count {
        let mut bytes = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(4) {
            mutate(&mut bytes, &seeds, &mut dice);
        }
        checked(&bytes, target);
    }
}

/// Says which bytes they were when the target panics.
fn checked(bytes: &[u8], target: fn(&[u8])) {
    struct Tell<'a>(&'a [u8]);
    impl Drop for Tell<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("the bytes were: {}", self.0.escape_ascii());
            }
        }
    }
    let _tell = Tell(bytes);
    target(bytes);
}

fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    const ODD: [u8; 12] = [
        0, 1, 0x7f, 0x80, 0xff, b'"', b'<', b'>', b'&', b'{', b'[', b'\\',
    ];
    let at = dice.below(bytes.len() + 1);
    let end = (at + dice.below(16)).min(bytes.len());
    match dice.below(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = ODD[dice.below(ODD.len())],
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        4 => {
            let again = bytes[at..end].repeat(1 + dice.below(4));
            bytes.splice(at..at, again);
        }
        _ => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len() + 1);
            bytes.splice(at..at, other[from..].iter().copied());
        }
    }
}

/// Xorshift: the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}
