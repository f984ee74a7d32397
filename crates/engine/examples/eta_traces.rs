//! Prints how the engine's estimate compares with plain ones on made-up runs, as Markdown.
//! `cargo run --release -p price-cache-engine --example eta_traces [PRODUCTS [SEEDS]]`

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use price_cache_engine::Pace;

#[path = "eta_traces/rivals.rs"]
mod rivals;
#[path = "eta_traces/score.rs"]
mod score;
#[path = "eta_traces/traces.rs"]
mod traces;

use score::{Score, score};

const PRODUCTS: usize = 1_500;
const SEEDS: u64 = 10;

/// The constants were chosen on seeds below this.
const SEED_FIRST: u64 = 101;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>());
    let mut next = |default: u32| arguments.next().and_then(Result::ok).unwrap_or(default);
    let products = next(PRODUCTS as u32).max(2) as usize;
    let seeds = u64::from(next(SEEDS as u32).max(1));
    println!("{products} products, {seeds} seeds.");
    for (title, names) in [("", &traces::NAMES[..]), ("Other shapes: ", &traces::OTHER_NAMES)] {
        let of_trace = |name: &&str| {
            let scores: Vec<Score> =
                (SEED_FIRST..).take(seeds as usize).map(|seed| score(name, seed, products)).collect();
            Score::mean(&scores)
        };
        let scores: Vec<Score> = names.iter().map(of_trace).collect();
        print_table(&format!("{title}error as % of the whole run"), names, &scores, |score| score.of_whole);
        print_table(&format!("{title}error as % of what was left"), names, &scores, |score| score.of_rest);
    }
}

fn print_table(title: &str, names: &[&str], scores: &[Score], errors: impl Fn(&Score) -> [f64; 5]) {
    let mean = Score::mean(scores);
    println!("\n| {title} | {} | **engine** | of the best | in range |", rivals::NAMES.join(" | "));
    println!("|---|{}", "---:|".repeat(7));
    let rows = names.iter().copied().zip(scores).chain([("**all**", &mean)]);
    for (name, score) in rows {
        let errors = errors(score);
        let cells: Vec<String> = errors.iter().map(|error| format!("{:.1}", 100.0 * error)).collect();
        let against_best = Score::against_best(&errors);
        println!("| {name} | {} | {against_best:.2} | {:.0} % |", cells.join(" | "), 100.0 * score.coverage);
    }
}
