//! To find members by their names in answers: a hash table for each structure, which holds no names, only where they are.

/// A place in the table that holds no member. No structure has so many.
const FREE: u16 = u16::MAX;

/// Indexes of members, each at or soon after the place that the hash of its name says. Half of the places are free.
#[derive(Debug, Default)]
pub(super) struct WireNames(Box<[u16]>);

impl WireNames {
    /// A table of nothing.
    pub(super) fn none() -> &'static Self {
        static NONE: std::sync::OnceLock<WireNames> = std::sync::OnceLock::new();
        NONE.get_or_init(Self::default)
    }

    /// The table of these names and the indexes of their members; of one name the first goes first.
    pub(super) fn new(names: &[(&str, u16)]) -> Self {
        let mut table = Self(vec![FREE; (2 * names.len()).next_power_of_two()].into());
        for (name, index) in names {
            let mut probe = table.probe(name);
            while table.next(&mut probe).is_some() {}
            let free = probe.at.wrapping_sub(1) & table.0.len().wrapping_sub(1);
            if let Some(place) = table.0.get_mut(free) {
                *place = *index;
            }
        }
        table
    }

    /// Where to look for `name`.
    #[inline]
    pub(super) fn probe(&self, name: &str) -> Probe {
        Probe {
            at: usize::try_from(hash(name) >> 32).unwrap_or_default(),
            steps: self.0.len(),
        }
    }

    /// The next member that may go by the name: all that do come, and now and then another.
    #[inline]
    pub(super) fn next(&self, probe: &mut Probe) -> Option<u16> {
        probe.steps = probe.steps.checked_sub(1)?;
        // The length is a power of two.
        let place = self.0.get(probe.at & self.0.len().wrapping_sub(1))?;
        probe.at = probe.at.wrapping_add(1);
        (*place != FREE).then_some(*place)
    }
}

/// How far the search for a name has come.
pub(crate) struct Probe {
    at: usize,
    steps: usize,
}

/// The first and the last eight bytes of a name and its length: what names of one structure differ in.
#[inline]
fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => {
            let short = bytes
                .iter()
                .fold(0, |short, byte| short << 8 | u64::from(*byte));
            (short, 0)
        }
    };
    let mixed = first ^ last.rotate_left(25) ^ (name.len() as u64).rotate_left(57);
    // The upper bits depend on all the lower ones.
    mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Whether two names are the same. Most are of 4 to 16 bytes, which is two looks.
#[inline]
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn ends_are_same<const N: usize>(one: &[u8], other: &[u8]) -> bool {
        one.first_chunk::<N>() == other.first_chunk() && one.last_chunk::<N>() == other.last_chunk()
    }
    one.len() == other.len()
        && match one.len() {
            4..=8 => ends_are_same::<4>(one, other),
            9..=16 => ends_are_same::<8>(one, other),
            17..=32 => ends_are_same::<16>(one, other),
            _ => one == other,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_name_are_found_in_their_order_and_a_stranger_ends() {
        let names = ["a", "b", "LongNameOne", "LongNameTwo", "a", "", "c"];
        let indexed: Vec<(&str, u16)> = names.into_iter().zip(0..).collect();
        let table = WireNames::new(&indexed);
        let found = |name: &str| -> Vec<u16> {
            let mut probe = table.probe(name);
            let found = std::iter::from_fn(|| table.next(&mut probe));
            found.filter(|at| names[usize::from(*at)] == name).collect()
        };
        assert_eq!(found("a"), [0, 4]);
        assert_eq!(found("LongNameTwo"), [3]);
        assert_eq!(found(""), [5]);
        assert!(found("LongNameTw").is_empty());
        for none in [WireNames::default(), WireNames::new(&[])] {
            assert_eq!(none.next(&mut none.probe("a")), None);
        }
    }

    #[test]
    fn names_are_the_same_when_all_their_bytes_are() {
        let long = "abcdefghijklmnopqrstuvwxyz";
        for length in 0..=long.len() {
            let name = &long.as_bytes()[..length];
            assert!(is_same(name, name));
            assert!(!is_same(name, long.as_bytes()) || length == long.len());
            for at in 0..length {
                let mut other = name.to_vec();
                other[at] ^= 0x20;
                assert!(!is_same(name, &other), "{length} bytes, {at}");
            }
        }
    }
}
