//! What the store knows about all its entries together: written with each group, so that entries that are missing,
//! older than they were or under another key do not go unnoticed.

use price_cache_domain::StoreError;

/// The key in the table [`Meta`](crate::Table::Meta).
pub(crate) const KEY: &[u8] = b"totals";
const VERSION: u8 = 1;
const BYTES: usize = 1 + 8 + 8 + 8 + 4;

/// Totals over all entries as of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// The number of the group, counted over the life of the store.
    pub(crate) sequence: u64,
    /// How many entries there are.
    pub(crate) entries: u64,
    /// The sum of the weights of all entries, modulo 2^64. It does not depend on their order, so that a group changes it
    /// by what it puts and replaces.
    pub(crate) digest: u64,
}

/// Returns a number that stands for an entry: its checksum, spread over 64 bits by the finalizer of SplitMix64
/// (Steele, Lea and Flood 2014), so that sums of it collide no sooner than chance.
fn weight(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&key.len().to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    let mut mixed = u64::from(hasher.finalize()).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Totals {
    /// Counts an entry in.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.digest = self.digest.wrapping_add(weight(key, value));
    }

    /// Counts an entry out.
    pub(crate) fn subtract(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.saturating_sub(1);
        self.digest = self.digest.wrapping_sub(weight(key, value));
    }

    /// Whether two stores have the same entries, as far as totals tell.
    pub(crate) fn has_same_entries(&self, other: &Self) -> bool {
        (self.entries, self.digest) == (other.entries, other.digest)
    }

    pub(crate) fn encode(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0] = VERSION;
        bytes[1..9].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[9..17].copy_from_slice(&self.entries.to_le_bytes());
        bytes[17..25].copy_from_slice(&self.digest.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..25]);
        bytes[25..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged("the totals of the store cannot be read".to_owned());
        let bytes: &[u8; BYTES] = bytes.try_into().map_err(|_| damaged())?;
        let number = |at: usize| bytes[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let checksum = bytes.last_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
        if bytes[0] != VERSION || checksum != Some(crc32fast::hash(&bytes[..25])) {
            return Err(damaged());
        }
        Ok(Self { sequence: number(1), entries: number(9), digest: number(17) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(entries: &[(&str, &str)]) -> Totals {
        let mut totals = Totals::default();
        for (key, value) in entries {
            totals.add(key.as_bytes(), value.as_bytes());
        }
        totals
    }

    #[test]
    fn the_order_of_entries_does_not_matter_and_all_else_does() {
        let totals = over(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert!(totals.has_same_entries(&over(&[("c", "3"), ("a", "1"), ("b", "2")])));
        for other in [
            &[("a", "1"), ("b", "2")][..],
            &[("a", "2"), ("b", "1"), ("c", "3")],
            &[("a", "1"), ("b", "2"), ("c", "4")],
        ] {
            assert!(!totals.has_same_entries(&over(other)), "{other:?}");
        }
        let mut without = totals;
        without.subtract(b"b", b"2");
        assert!(without.has_same_entries(&over(&[("a", "1"), ("c", "3")])));
    }

    #[test]
    fn totals_come_back_and_damaged_ones_are_an_error() {
        let totals = Totals { sequence: 7, ..over(&[("a", "1")]) };
        let bytes = totals.encode();
        assert_eq!(Totals::decode(&bytes), Ok(totals));
        for position in 0..BYTES {
            let mut damaged = bytes;
            damaged[position] ^= 1;
            assert!(Totals::decode(&damaged).is_err(), "byte {position}");
        }
        assert!(Totals::decode(&bytes[1..]).is_err() && Totals::decode(&[]).is_err());
    }
}
