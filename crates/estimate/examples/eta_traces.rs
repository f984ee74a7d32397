//! Prints how the engine's estimate compares with plain ones on made-up runs, as Markdown.
//! `cargo run --release -p price-cache-estimate --example eta_traces [PRODUCTS_MAX [SEEDS]]`

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use price_cache_estimate::Pace;

#[path = "eta_traces/rivals.rs"]
mod rivals;
#[path = "eta_traces/score.rs"]
mod score;
#[path = "eta_traces/traces.rs"]
mod traces;

use score::{Score, mean_score};

const PRODUCTS_MAX: usize = 20_000;
const SEEDS: usize = 100;

/// The constants were chosen on seeds below this.
const SEED_FIRST: u64 = 2_000_000;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default: usize| arguments.next().and_then(Result::ok).unwrap_or(default);
    let products_max = next(PRODUCTS_MAX).max(50);
    let seeds = next(SEEDS).max(1);
    println!("Runs of 50 to {products_max} products, {seeds} of each shape.");
    let score = |shape| mean_score(shape, (SEED_FIRST..).take(seeds), products_max);
    let scores = traces::SHAPES.map(|(name, shape)| (name, score(shape)));
    print_table("error as % of the whole run", &scores, |score| score.of_whole);
    print_table("error as % of what was left", &scores, |score| score.of_rest);
    println!("\n| truth in the range, % | all | first third | second third | last third |");
    println!("|---|{}", "---:|".repeat(4));
    for (name, score) in with_means(&scores) {
        let [first, second, last] = score.coverage.map(|covered| 100.0 * covered);
        println!("| {name} | {:.0} | {first:.0} | {second:.0} | {last:.0} |", 100.0 * score.covered());
    }
}

/// The scores and the means over the named shapes and over all.
fn with_means<'a>(scores: &[(&'a str, Score)]) -> Vec<(&'a str, Score)> {
    let plain: Vec<Score> = scores.iter().map(|(_, score)| *score).collect();
    let mut rows = scores.to_vec();
    rows.insert(traces::NAMED, ("**the named**", Score::mean(&plain[..traces::NAMED])));
    rows.push(("**all**", Score::mean(&plain)));
    rows
}

fn print_table(title: &str, scores: &[(&str, Score)], errors: impl Fn(&Score) -> [f64; 5]) {
    println!("\n| {title} | {} | **engine** | of the best |", rivals::NAMES.join(" | "));
    println!("|---|{}", "---:|".repeat(6));
    for (name, score) in with_means(scores) {
        let errors = errors(&score);
        let cells: Vec<String> = errors.iter().map(|error| format!("{:.1}", 100.0 * error)).collect();
        println!("| {name} | {} | {:.2} |", cells.join(" | "), Score::against_best(&errors));
    }
}
