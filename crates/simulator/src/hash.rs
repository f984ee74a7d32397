//! A small hash that is the same on every machine and in every version: faults and prices are drawn from it.

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Spreads one number over all 64 bits (the finaliser of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A hash of texts (FNV-1a). The texts are separated, so that ("ab", "c") and ("a", "bc") differ.
pub(crate) fn texts(seed: u64, parts: &[&str]) -> u64 {
    let mut hash = FNV_OFFSET ^ mix(seed);
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }
    mix(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_change() {
        // Seeds in bug reports must keep their meaning.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_ne!(texts(1, &["ab", "c"]), texts(1, &["a", "bc"]));
        assert_ne!(texts(1, &["a"]), texts(2, &["a"]));
        assert_eq!(texts(7, &["westeurope", "D2"]), texts(7, &["westeurope", "D2"]));
    }
}
