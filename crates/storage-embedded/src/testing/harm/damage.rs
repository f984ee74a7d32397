//! What happens to the files of a store: random places, from a seed.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const BLOCK_BYTES: u64 = 512;
/// The longest stretch of zeroed blocks: as much as sled writes as one segment.
const ZEROED_BLOCKS_MAX: u64 = 1_024;
/// So near to the end of a log the newest records are.
const TAIL_BYTES: u64 = 64 * 1024;

/// What was done.
pub(crate) struct Harm(Vec<String>);

impl fmt::Display for Harm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(", "))
    }
}

/// Damages the newest generation in `folder`.
pub(crate) fn damage(folder: &Path, seed: u64) -> Harm {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut harm = Harm(Vec::new());
    // Without its snapshot sled reads the whole log, and meets every damage there.
    if random.u8(..4) == 0 {
        for snapshot in files(folder).into_iter().filter(|path| is_snapshot(path)) {
            fs::remove_file(snapshot).unwrap();
        }
        harm.0.push("no snapshot".to_owned());
    }
    for _ in 0..*[1, 1, 1, 2, 4].get(random.usize(..5)).unwrap() {
        let Some(path) = choose(folder, &mut random) else { continue };
        let what = one(&path, &mut random);
        harm.0.push(format!("{} {what}", path.strip_prefix(folder).unwrap().display()));
    }
    harm
}

/// The log most often, because it has the prices.
fn choose(folder: &Path, random: &mut fastrand::Rng) -> Option<PathBuf> {
    let files = files(folder);
    let is_of = |path: &PathBuf, kind: u8| match kind {
        0..6 => is_main(path),
        6 => path.ends_with("conf"),
        7 => is_snapshot(path),
        _ => path.parent().is_some_and(|parent| parent.ends_with("blobs")),
    };
    let kind = random.u8(..9);
    let candidates: Vec<PathBuf> = files.iter().filter(|path| is_of(path, kind)).cloned().collect();
    let main = files.into_iter().find(|path| is_main(path));
    random.choice(candidates).or(main)
}

/// Whether it is the file that has the prices.
fn is_main(path: &Path) -> bool {
    path.ends_with("db") || path.ends_with("store.redb")
}

fn is_snapshot(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."))
}

/// The files of the database, in an order that does not depend on the file system.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = item.file_name().to_string_lossy().into_owned();
        if item.file_type().unwrap().is_dir() {
            found.extend(files(&item.path()));
        } else if name != "lock" && name != "reserve" {
            found.push(item.path());
        }
    }
    found.sort();
    found
}

fn one(path: &Path, random: &mut fastrand::Rng) -> String {
    let length = fs::metadata(path).unwrap().len();
    let is_near_the_end = random.u8(..4) == 0;
    let from = if is_near_the_end { length.saturating_sub(TAIL_BYTES) } else { 0 };
    let place = |random: &mut fastrand::Rng| random.u64(from..length.max(from + 1));
    match random.u8(..16) {
        0 => {
            fs::remove_file(path).unwrap();
            "removed".to_owned()
        }
        1..4 => {
            let length = place(random);
            File::options().write(true).open(path).unwrap().set_len(length).unwrap();
            format!("cut to {length}")
        }
        4..7 => {
            let first = place(random) / BLOCK_BYTES * BLOCK_BYTES;
            // As often a few as many.
            let blocks_max = ZEROED_BLOCKS_MAX >> random.u8(..11);
            let blocks = random.u64(1..=blocks_max);
            let count = (blocks * BLOCK_BYTES).min(length.saturating_sub(first));
            let zeros = vec![0; usize::try_from(count).unwrap()];
            File::options().write(true).open(path).unwrap().write_all_at(&zeros, first).unwrap();
            format!("zeroed at {first} for {count}")
        }
        _ => {
            let file = File::options().read(true).write(true).open(path).unwrap();
            let flips = 1 << random.u8(..5);
            for _ in 0..flips.min(length) {
                let at = place(random);
                let mut byte = [0];
                file.read_exact_at(&mut byte, at).unwrap();
                file.write_all_at(&[byte[0] ^ (1 << random.u8(..8))], at).unwrap();
            }
            format!("{flips} bits flipped")
        }
    }
}
