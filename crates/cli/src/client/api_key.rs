//! The API key, read from a file or the environment, so that it appears in no process list and no shell history.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use hyper::header::HeaderValue;

/// A key file is longer than this only by mistake, in bytes.
const KEY_FILE_LENGTH_MAX: u64 = 4096;

/// The variable that has the key where no file is given.
const VARIABLE: &str = "PRICE_CACHE_API_KEY";

/// The `Authorization` header of every request; never shown.
#[derive(Clone)]
pub struct ApiKey(HeaderValue);

/// Why a file gives no API key.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The file cannot be read.
    #[error("cannot read the API key file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not contain a key.
    #[error("the API key file {} must contain one line with the key, visible ASCII characters only", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The environment variable does not contain a key.
    #[error("{VARIABLE} must be the key, visible ASCII characters only")]
    NotAKeyInEnvironment,
}

impl ApiKey {
    /// Returns the key from a file or, without one, from `PRICE_CACHE_API_KEY`; `None` where neither is given.
    ///
    /// # Errors
    /// When the file cannot be read, or what is given is no key.
    pub fn given(file: Option<&Path>) -> Result<Option<Self>, ApiKeyError> {
        match (file, std::env::var_os(VARIABLE)) {
            (Some(file), _) => Self::read(file).map(Some),
            (None, Some(key)) if !key.is_empty() => {
                let key = key.to_str().map(str::trim).and_then(Self::of);
                key.map(Some).ok_or(ApiKeyError::NotAKeyInEnvironment)
            }
            (None, _) => Ok(None),
        }
    }

    /// Returns the key that a text is.
    fn of(key: &str) -> Option<Self> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut header = HeaderValue::try_from(format!("Bearer {key}")).ok()?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    /// Reads the key from a file; white space around it does not count.
    ///
    /// # Errors
    /// When the file cannot be read or does not contain one line of visible ASCII.
    pub fn read(path: &Path) -> Result<Self, ApiKeyError> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(KEY_FILE_LENGTH_MAX + 1).read_to_string(&mut text))
            .map_err(|source| ApiKeyError::Read { path: path.to_owned(), source })?;
        let key = Some(text.trim()).filter(|_| text.len() as u64 <= KEY_FILE_LENGTH_MAX);
        key.and_then(Self::of).ok_or_else(|| ApiKeyError::NotAKey { path: path.to_owned() })
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ApiKey(***)")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::ApiKey;

    #[test]
    fn one_line_is_a_key_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "s3cret-KEY\n").unwrap();
        let key = ApiKey::read(&path).unwrap();
        assert_eq!(key.header(), "Bearer s3cret-KEY");
        assert!(!format!("{key:?} {:?}", key.header()).contains("s3cret"));
    }

    #[test]
    fn what_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let missing = ApiKey::read(&path).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the API key file"), "{missing}");
        let long = "k".repeat(5000);
        for text in ["", " \n", "two words", "two\nlines", "schlüssel", &long] {
            std::fs::write(&path, text).unwrap();
            let error = ApiKey::read(&path).unwrap_err().to_string();
            assert!(error.contains("one line with the key"), "{error}");
        }
    }
}
