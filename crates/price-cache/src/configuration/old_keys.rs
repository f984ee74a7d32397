//! Keys that have another name now. The old names still work, with a warning; both at once are refused.

use toml::{Table, Value};

/// Each old key with the name that takes its place in the same section.
const RENAMED: [(&str, &str, &str); 2] = [
    ("run", "undurable_records_max", "max_unsynced_writes"),
    ("run.retry", "second_pass", "end_of_market_retry"),
];

/// Returns the present name of a dotted key, and the warning where it is an old one.
pub(super) fn renamed(key: &str) -> (String, Option<String>) {
    for (section, old, new) in RENAMED {
        if key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) == Some(old) {
            return (format!("{section}.{new}"), Some(warning(section, old, new)));
        }
    }
    (key.to_owned(), None)
}

/// Returns a warning for each old key in a file.
pub(super) fn warnings(file: &Table) -> Vec<String> {
    let used = RENAMED.iter().filter(|(section, old, _)| {
        section_of(file, section).is_some_and(|section| section.contains_key(*old))
    });
    used.map(|(section, old, new)| warning(section, old, new)).collect()
}

/// Returns what is wrong with a file that gives a key both of its names.
pub(super) fn both_names(file: &Table) -> Option<String> {
    let (section, old, new) = RENAMED.into_iter().find(|(section, old, new)| {
        section_of(file, section).is_some_and(|table| table.contains_key(*old) && table.contains_key(*new))
    })?;
    Some(format!(
        "{section}.{old} and {section}.{new} are the same key; keep the second, which is its present name"
    ))
}

/// Removes what the file says under an old name of a key that is about to be set.
pub(super) fn forget_old_name(file: &mut Table, key: &str) {
    for (section, old, new) in RENAMED {
        if key == format!("{section}.{new}") {
            let mut table = Some(file);
            for part in section.split('.') {
                table = table.and_then(|table| table.get_mut(part)).and_then(Value::as_table_mut);
            }
            if let Some(table) = table {
                table.remove(old);
            }
            return;
        }
    }
}

fn section_of<'a>(file: &'a Table, section: &str) -> Option<&'a Table> {
    section.split('.').try_fold(file, |table, part| table.get(part)?.as_table())
}

fn warning(section: &str, old: &str, new: &str) -> String {
    format!("{section}.{old} is now {section}.{new}; the old name still works")
}
