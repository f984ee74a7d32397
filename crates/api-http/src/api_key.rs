//! API keys: kept as hashes, compared in constant time, never shown.

use std::fmt;
use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The SHA-256 hash of an API key, in configuration written as `sha256:` and 64 hexadecimal digits.
///
/// ```
/// use price_cache_api_http::ApiKeyHash;
///
/// let of_key = ApiKeyHash::of("key");
/// let written = "sha256:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
/// assert_eq!(written.parse(), Ok(of_key));
/// assert_eq!(of_key.fingerprint(), "2c70e12b");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyHash([u8; 32]);

/// A text that is not the hash of a key. It is not repeated: it may be the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be \"sha256:\" and 64 hexadecimal digits; `printf %s KEY | sha256sum` prints the digits of a key"
)]
pub struct InvalidApiKeyHash;

impl ApiKeyHash {
    /// The hash of this key.
    pub fn of(key: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// The first 8 hexadecimal digits: enough to tell keys apart in a log, useless to a thief.
    pub fn fingerprint(&self) -> String {
        self.0.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl FromStr for ApiKeyHash {
    type Err = InvalidApiKeyHash;

    fn from_str(text: &str) -> Result<Self, InvalidApiKeyHash> {
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64);
        let digits = digits.ok_or(InvalidApiKeyHash)?.as_bytes();
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            let (high, low) = (value(pair[0]), value(pair[1]));
            *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or(InvalidApiKeyHash)?;
        }
        Ok(Self(hash))
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKeyHash({}...)", self.fingerprint())
    }
}

/// The key that let a request in; the guard leaves it on the request and on the response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UsedKey(pub(crate) ApiKeyHash);

/// Why a request with keys configured is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// It has none, or something else than a bearer token.
    Missing,
    /// It has one that is not ours.
    Wrong,
}

/// The configured key that the request carries.
pub(crate) fn presented(keys: &[ApiKeyHash], headers: &HeaderMap) -> Result<ApiKeyHash, NoKey> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else { return Err(NoKey::Missing) };
    let (scheme, token) = given.as_bytes().split_at_checked(7).ok_or(NoKey::Missing)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err(NoKey::Missing);
    }
    let hash = ApiKeyHash::of(token.trim_ascii());
    // Every key is compared, whether or not one before it was the right one.
    let known = keys.iter().fold(Choice::from(0), |known, key| known | key.0.ct_eq(&hash.0));
    if known.into() { Ok(hash) } else { Err(NoKey::Wrong) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn only_a_hash_in_full_is_one_and_nothing_repeats_it() {
        let digits = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        let hash: ApiKeyHash = format!("sha256:{}", digits.to_uppercase()).parse().unwrap();
        assert_eq!(hash, ApiKeyHash::of("key"));
        assert_eq!(format!("{hash:?}"), "ApiKeyHash(2c70e12b...)");
        let not_hexadecimal = format!("sha256:{}", "g".repeat(64));
        for wrong in [digits, "sha256:2c70", "hunter2", "", not_hexadecimal.as_str()] {
            let error = wrong.parse::<ApiKeyHash>().unwrap_err().to_string();
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
        assert!(format!("sha256:{}", "é".repeat(32)).parse::<ApiKeyHash>().is_err());
    }

    #[test]
    fn only_a_bearer_token_that_is_one_of_the_keys_is_let_in() {
        let keys = [ApiKeyHash::of("one"), ApiKeyHash::of("two")];
        let presented = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            presented(&keys, &headers)
        };
        for good in ["Bearer one", "bearer one", "BEARER  one "] {
            assert_eq!(presented(&[good]), Ok(keys[0]), "{good}");
        }
        assert_eq!(presented(&["Bearer two"]), Ok(keys[1]));
        for wrong in ["Bearer three", "Bearer ", "Bearer one two", "Bearer On"] {
            assert_eq!(presented(&[wrong]), Err(NoKey::Wrong), "{wrong}");
        }
        for missing in [&[][..], &["Basic b25l"], &["one"], &["Bearer one", "Bearer one"], &["Bearer"]] {
            assert_eq!(presented(missing), Err(NoKey::Missing), "{missing:?}");
        }
    }
}
