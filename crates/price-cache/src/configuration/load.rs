//! Reads a configuration file and the environment variables that override it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use toml::{Table, Value};

use super::check;
use super::loaded::{ENVIRONMENT_PREFIX, Loaded, variable_of};
use super::old_keys;
use super::{Configuration, ConfigurationError};

/// The largest configuration file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Reads the file, applies overrides from `environment` and checks the whole.
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigurationError> {
    let text = read(path)?;
    let file: Table = toml::from_str(&text).map_err(|error| syntax(path, &error))?;
    if let Some(message) = old_keys::both_names(&file) {
        return Err(ConfigurationError::Syntax(path.to_owned(), message));
    }
    let mut warnings = old_keys::warnings(&file);
    let overrides = environment.into_iter().filter_map(|(name, value)| override_of(&name, value));
    let overrides: Vec<_> = overrides
        .map(|(key, value)| {
            let (key, warning) = old_keys::renamed(&key);
            warnings.extend(warning);
            (key, value)
        })
        .collect();
    for (index, (key, _)) in overrides.iter().enumerate() {
        if overrides[..index].iter().any(|(earlier, _)| earlier == key) {
            let message =
                format!("{key} is set twice, by its old name and its present one; keep {}", variable_of(key));
            return Err(ConfigurationError::Override(message));
        }
    }
    let configuration = parse(path, &text, file, &overrides)?;
    let overridden = overrides.into_iter().map(|(key, _)| key).collect();
    let loaded = Loaded { configuration, path: path.to_owned(), text, overridden, warnings };
    let problems = check::problems(&loaded.configuration);
    if problems.is_empty() { Ok(loaded) } else { Err(ConfigurationError::problems(&loaded, &problems)) }
}

/// Returns where the server of a configuration listens, as far as that can be told without the rest of it. `None` where
/// neither `environment` nor the file says so: this is for commands that need no configuration, so nothing is a mistake.
pub fn listening_at(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Option<SocketAddr> {
    let overrides = environment.into_iter().filter_map(|(name, value)| override_of(&name, value));
    let in_environment = overrides.filter(|(key, _)| key == "server.listen").last().map(|(_, value)| value);
    let in_file = || read(path).ok()?.parse::<Table>().ok()?.get("server")?.get("listen").cloned();
    in_environment.or_else(in_file)?.as_str()?.parse().ok()
}

fn read(path: &Path) -> Result<String, ConfigurationError> {
    let unreadable = |error| ConfigurationError::Unreadable(path.to_owned(), error);
    let size = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ConfigurationError::Missing(path.to_owned()));
        }
        Err(error) => return Err(unreadable(error)),
    };
    if size > FILE_BYTES_MAX {
        let message = format!("it has {size} bytes, at most {FILE_BYTES_MAX} are read");
        return Err(unreadable(std::io::Error::other(message)));
    }
    fs::read_to_string(path).map_err(unreadable)
}

fn syntax(path: &Path, error: &toml::de::Error) -> ConfigurationError {
    ConfigurationError::Syntax(path.to_owned(), without_keys(&error.to_string()))
}

fn parse(
    path: &Path,
    text: &str,
    mut file: Table,
    overrides: &[(String, Value)],
) -> Result<Configuration, ConfigurationError> {
    if overrides.is_empty() {
        // From the text, which knows the places of mistakes.
        return toml::from_str(text).map_err(|error| syntax(path, &error));
    }
    for (key, value) in overrides {
        old_keys::forget_old_name(&mut file, key);
        set(&mut file, key, value.clone())?;
    }
    file.try_into().map_err(|error: toml::de::Error| {
        // What is wrong in the file itself is best shown in the file.
        match toml::from_str::<Configuration>(text) {
            Err(in_file) => syntax(path, &in_file),
            Ok(_) => {
                let names: Vec<_> = overrides.iter().map(|(key, _)| variable_of(key)).collect();
                let error = error.to_string();
                ConfigurationError::Override(format!(
                    "in the environment ({}): {}",
                    names.join(", "),
                    error.trim()
                ))
            }
        }
    })
}

/// A message that shows a line of the file, but not what stands for API keys: it may be a key itself.
fn without_keys(message: &str) -> String {
    let lines = message.lines().map(|line| match line.split_once("api_keys") {
        Some((before, after)) if after.contains('=') => format!("{before}api_keys = (not shown)"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The dotted key and the value that an environment variable sets, if it is one of ours. A value that
/// is not TOML is taken as a text.
fn override_of(name: &str, value: String) -> Option<(String, Value)> {
    let key = name.strip_prefix(ENVIRONMENT_PREFIX)?.to_ascii_lowercase().replace("__", ".");
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok();
    let parsed = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    Some((key, parsed.unwrap_or(Value::String(value))))
}

fn set(table: &mut Table, key: &str, value: Value) -> Result<(), ConfigurationError> {
    let mut table = table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            table.insert(part.to_owned(), value);
            return Ok(());
        }
        let inner = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else {
            return Err(ConfigurationError::Override(format!("{}: {part} is not a table", variable_of(key))));
        };
        table = inner;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::configuration::TEMPLATE;

    /// An old file of a user is read as it was when it was written.
    #[test]
    fn a_file_from_before_the_keys_were_renamed_says_the_same() {
        let old = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/template-before-max_unsynced_writes.toml");
        let old = load(Path::new(old), []).unwrap();
        assert_eq!(old.warnings.len(), 2, "{:?}", old.warnings);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), TEMPLATE).unwrap();
        let new = load(file.path(), []).unwrap();
        assert!(new.warnings.is_empty(), "{:?}", new.warnings);
        assert_eq!(old.configuration.run.options(), new.configuration.run.options());
        let shown = |loaded: &Loaded| serde_json::to_value(&loaded.configuration).unwrap();
        assert_eq!(shown(&old), shown(&new));
    }

    /// What a file with these lines in `[run]` and `[run.retry]` says, with an override.
    fn old_and_new(run: &str, retry: &str, variable: Option<(&str, &str)>) -> Result<Loaded, String> {
        let text = TEMPLATE.replace("[run]\n", &format!("[run]\n{run}\n"));
        let text = text.replace("end_of_market_retry = true", retry);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let environment = variable.map(|(name, value)| (name.to_owned(), value.to_owned()));
        load(file.path(), environment).map_err(|error| error.to_string())
    }

    #[test]
    fn old_names_of_keys_work_with_a_warning_and_both_names_are_refused() {
        let old = old_and_new("undurable_records_max = 7", "second_pass = false", None).unwrap();
        let run = &old.configuration.run;
        assert_eq!((run.max_unsynced_writes.get(), run.retry.end_of_market_retry), (7, false));
        assert_eq!(
            old.warnings,
            [
                "run.undurable_records_max is now run.max_unsynced_writes; the old name still works",
                "run.retry.second_pass is now run.retry.end_of_market_retry; the old name still works"
            ]
        );
        let new = old_and_new("max_unsynced_writes = 7", "end_of_market_retry = false", None).unwrap();
        assert!(new.warnings.is_empty());
        let both = old_and_new("undurable_records_max = 7\nmax_unsynced_writes = 7", "", None).unwrap_err();
        assert!(both.contains("undurable_records_max and run.max_unsynced_writes"), "{both}");
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), TEMPLATE).unwrap();
        let both = ["UNDURABLE_RECORDS_MAX", "MAX_UNSYNCED_WRITES"]
            .map(|name| (format!("PRICE_CACHE__RUN__{name}"), "9".to_owned()));
        let both = load(file.path(), both).unwrap_err().to_string();
        assert!(both.contains("run.max_unsynced_writes is set twice"), "{both}");
        for name in ["PRICE_CACHE__RUN__UNDURABLE_RECORDS_MAX", "PRICE_CACHE__RUN__MAX_UNSYNCED_WRITES"] {
            for in_file in ["", "undurable_records_max = 7", "max_unsynced_writes = 7"] {
                let overridden = old_and_new(in_file, "", Some((name, "9"))).unwrap();
                assert_eq!(overridden.configuration.run.max_unsynced_writes.get(), 9, "{name}, {in_file}");
            }
        }
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_shown() {
        let text = TEMPLATE.replace("# api_keys = [\"sha256:...\"]", "api_keys = \"my plain key\"");
        let error =
            parse(Path::new("price-cache.toml"), &text, text.parse().unwrap(), &[]).unwrap_err().to_string();
        assert!(error.contains("api_keys") && error.contains("must be a list"), "{error}");
        assert!(!error.contains("plain"), "{error}");
        let other = TEMPLATE.replace("listen = \"127.0.0.1:4680\"", "listen = 7");
        let error = parse(Path::new("price-cache.toml"), &other, other.parse().unwrap(), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("listen = 7"), "{error}");
    }
}
