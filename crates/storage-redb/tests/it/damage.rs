//! Damaged files: the right value or an error, never another value.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use price_cache_domain::StoreError;
use price_cache_storage_embedded::Backend;
use price_cache_storage_redb::RedbDatabase;

use crate::disk::Disk;
use crate::workload::{Contents, Workload, contents, empty_image, groups_in, open, setting, settings};

const PAGE: usize = 4_096;

/// Changes an image somewhere, in one of six ways.
fn damage(image: &mut Vec<u8>, random: &mut Rng) {
    let at = random.usize(0..image.len());
    let page = at / PAGE * PAGE;
    let end = (page + PAGE).min(image.len());
    match random.u8(0..6) {
        0 => image[at] ^= 1 << random.u8(0..8),
        1 => image[page..end].fill(0),
        2 => image[at..end].fill_with(|| random.u8(..)),
        3 => image.truncate(at),
        4 => drop(image.drain(page..end)),
        _ => {
            // The header decides most, and is small.
            let at = random.usize(0..512.min(image.len()));
            image[at] = random.u8(..);
        }
    }
}

fn read_all(image: &[u8]) -> Result<Contents, StoreError> {
    let disk = Disk::new(image.to_vec());
    let read = || {
        let database = RedbDatabase::look_on(disk.clone(), &settings())?;
        let found = contents(&database)?;
        for ((table, key), value) in &found {
            let table =
                price_cache_storage_embedded::Table::ALL.into_iter().find(|known| known.name() == *table);
            assert_eq!(database.get(table.unwrap(), key)?.as_ref(), Some(value));
        }
        Ok(found)
    };
    let result =
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(StoreError::Io("a panic".to_owned())));
    assert_eq!(disk.operations(), 0, "a look wrote");
    result
}

#[test]
fn damage_gives_the_right_values_or_an_error() {
    let workload = Workload::new(60, 9);
    let disk = Disk::new(empty_image());
    let database = open(&disk).unwrap();
    (1..=60).for_each(|number| workload.write(&database, number).unwrap());
    let killed = disk.image();
    database.close().unwrap();
    let closed = disk.image();
    let (mut right, mut errors, mut earlier) = (0, 0, 0);
    for seed in 0..setting("REDB_DAMAGES", 500) {
        let mut random = Rng::with_seed(seed as u64);
        let is_killed = seed % 2 == 0;
        let mut image = if is_killed { killed.clone() } else { closed.clone() };
        damage(&mut image, &mut random);
        match read_all(&image) {
            Ok(found) => {
                let number = groups_in(&found);
                assert!(found == workload.states[number], "damage {seed}: wrong records");
                // A killed file whose last commit is damaged is one whose last commit was torn by a loss of power.
                assert!(number == 60 || (is_killed && number == 59), "damage {seed}: {number} groups");
                right += usize::from(number == 60);
                earlier += usize::from(number != 60);
            }
            Err(_) => errors += 1,
        }
    }
    println!("{right} right, {errors} errors, {earlier} the group before");
    assert!(right > 0 && errors > 0);
}
