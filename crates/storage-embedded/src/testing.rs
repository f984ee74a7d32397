//! The suites that every embedded database passes: the contract, kills, full disks, damage, recovery.
//!
//! [`embedded_store_tests!`](crate::embedded_store_tests) makes a `#[test]` of each.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

pub mod contract;
pub mod damage;
pub mod full_disk;
pub mod harm;
pub mod kills;
pub mod recovery;
mod sample;
pub mod set_aside;

pub use price_cache_testkit;

/// Expands to one `#[test]` for each sentence of the suites, in a module `suite` of the test binary.
#[macro_export]
macro_rules! embedded_store_tests {
    ($database:ty) => {
        mod suite {
            use $crate::testing::{contract, damage, full_disk, harm, kills, price_cache_testkit, recovery, set_aside};

            price_cache_testkit::store_contract_tests!(contract::Folders::<$database>::new());

            $crate::embedded_store_tests! { @each $database;
                damage: a_second_store_on_the_folder_is_refused_in_one_sentence
                    a_newer_layout_is_refused_and_left_alone
                    damaged_and_newer_records_are_named_and_the_others_stay_readable
                    what_a_crash_left_of_a_reset_is_finished_when_opened;
                set_aside: what_is_set_aside_is_in_the_file_and_not_in_the_store
                    a_plan_page_and_the_run_are_taken_out_whole_and_alone;
                full_disk: a_full_disk_loses_nothing_and_work_goes_on_when_there_is_space
                    a_reset_works_on_a_full_disk_and_frees_it;
                kills: writer what_was_acknowledged_is_there_after_every_kill;
                recovery: a_look_reads_everything_and_changes_no_byte
                    a_look_at_a_destroyed_store_changes_no_byte_either
                    a_copy_is_made_when_it_is_due_and_something_is_new
                    a_destroyed_store_is_rebuilt_from_its_copy
                    what_can_be_read_and_is_newer_is_taken_over
                    a_damaged_copy_gives_what_can_be_read_of_it
                    missing_and_older_entries_are_noticed
                    a_cut_tail_is_noticed
                    deleted_prices_do_not_come_back_from_a_copy;
                harm: reader a_harmed_store_gives_right_values_or_errors;
            }
        }
    };
    (@each $database:ty; $($module:ident: $($name:ident)*;)*) => {
        $($(
            #[test]
            fn $name() {
                $module::$name::<$database>();
            }
        )*)*
    };
}
