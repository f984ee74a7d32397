//! The real programs against a real upstream: what a shop would miss if it did not hold.

#[path = "end_to_end/bad_answers.rs"]
mod bad_answers;
#[path = "end_to_end/bad_configuration.rs"]
mod bad_configuration;
#[path = "end_to_end/bad_lists.rs"]
mod bad_lists;
#[path = "end_to_end/bad_requests.rs"]
mod bad_requests;
#[path = "end_to_end/browser.rs"]
mod browser;
#[path = "end_to_end/catalogue_changes.rs"]
mod catalogue_changes;
#[path = "end_to_end/command_line.rs"]
mod command_line;
#[path = "end_to_end/crash.rs"]
mod crash;
#[path = "end_to_end/digits.rs"]
mod digits;
#[path = "end_to_end/disk_full.rs"]
mod disk_full;
#[path = "end_to_end/doctor.rs"]
mod doctor;
#[path = "end_to_end/faults.rs"]
mod faults;
#[path = "end_to_end/foreground.rs"]
mod foreground;
#[path = "end_to_end/full_disk_starts.rs"]
mod full_disk_starts;
#[path = "end_to_end/harmed_store.rs"]
mod harmed_store;
#[path = "end_to_end/hostile.rs"]
mod hostile;
#[path = "end_to_end/leftover_snapshots.rs"]
mod leftover_snapshots;
#[path = "end_to_end/monitoring.rs"]
mod monitoring;
#[path = "end_to_end/moves.rs"]
mod moves;
#[path = "end_to_end/newer_store.rs"]
mod newer_store;
#[path = "end_to_end/pacing.rs"]
mod pacing;
#[path = "end_to_end/power_loss.rs"]
mod power_loss;
#[path = "end_to_end/read_only.rs"]
mod read_only;
#[path = "end_to_end/recovering.rs"]
mod recovering;
#[path = "end_to_end/recovery_steps.rs"]
mod recovery_steps;
#[path = "end_to_end/secrets.rs"]
mod secrets;
#[path = "end_to_end/selftest.rs"]
mod selftest;
#[path = "end_to_end/shown_is_durable.rs"]
mod shown_is_durable;
#[path = "end_to_end/sigterm.rs"]
mod sigterm;
#[path = "end_to_end/stage.rs"]
mod stage;
#[path = "end_to_end/stopping.rs"]
mod stopping;
#[path = "end_to_end/stores.rs"]
mod stores;
#[path = "end_to_end/styles.rs"]
mod styles;
#[path = "end_to_end/two_servers.rs"]
mod two_servers;
#[path = "end_to_end/watching.rs"]
mod watching;
