//! What a folder holds: the name, the length and the contents of everything below it, to see whether somebody changed it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The contents of a folder at one moment. Two are equal when no name, length or byte differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest(BTreeMap<PathBuf, Item>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Folder,
    File {
        bytes: u64,
        hash: u64,
    },
    /// Something that cannot be read through, such as a pipe.
    Other,
}

impl Digest {
    /// Reads everything below a folder; nothing where there is no folder.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut items = BTreeMap::new();
        if folder.exists() {
            add(folder, Path::new(""), &mut items)?;
        }
        Ok(Self(items))
    }

    /// Returns what is different in `later`, one sentence for each name.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (path, before) in &self.0 {
            let after = later.0.get(path);
            let path = path.display();
            match (before, after) {
                (before, Some(after)) if before == after => {}
                (Item::File { bytes: before, .. }, Some(Item::File { bytes: after, .. }))
                    if before != after =>
                {
                    changes.push(format!("{path} had {before} bytes and has {after}"));
                }
                (_, Some(_)) => changes.push(format!("{path} has other contents")),
                (_, None) => changes.push(format!("{path} is gone")),
            }
        }
        let new = later.0.keys().filter(|path| !self.0.contains_key(*path));
        changes.extend(new.map(|path| format!("{} is new", path.display())));
        changes
    }
}

fn add(folder: &Path, below: &Path, items: &mut BTreeMap<PathBuf, Item>) -> io::Result<()> {
    for item in fs::read_dir(folder.join(below))? {
        let item = item?;
        let (kind, path) = (item.file_type()?, below.join(item.file_name()));
        let found = if kind.is_dir() {
            add(folder, &path, items)?;
            Item::Folder
        } else if kind.is_file() {
            file(&item.path())?
        } else {
            Item::Other
        };
        items.insert(path, found);
    }
    Ok(())
}

fn file(path: &Path) -> io::Result<Item> {
    let mut file = File::open(path)?;
    let mut hasher = DefaultHasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(Item::File { bytes, hash: hasher.finish() });
        }
        hasher.write(chunk.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_change_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("in")).unwrap();
        for (name, text) in [("same", "a"), ("longer", "a"), ("in/other", "a"), ("gone", "")] {
            fs::write(path(name), text).unwrap();
        }
        let before = Digest::of(folder.path()).unwrap();
        assert_eq!(before.changes(&Digest::of(folder.path()).unwrap()), Vec::<String>::new());
        fs::write(path("longer"), "ab").unwrap();
        fs::write(path("in/other"), "b").unwrap();
        fs::remove_file(path("gone")).unwrap();
        fs::create_dir(path("made")).unwrap();
        let after = Digest::of(folder.path()).unwrap();
        let expected =
            ["gone is gone", "in/other has other contents", "longer had 1 bytes and has 2", "made is new"];
        assert_eq!(before.changes(&after), expected);
        assert_eq!(Digest::of(&path("nowhere")).unwrap(), Digest::default());
    }
}
