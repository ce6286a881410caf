//! What definitions cost the fold: events folded in a second with none, 10, 100, 300 and 500 of them in force,
//! in turns over the same events, and how many definitions an event touches.
//!
//! `EVENTS=1000000 DEFINITIONS=0,300 cargo bench -p selfsame-pipeline --bench definitions`
//!
//! Of a shop that `selfsame-harness shop --folder FOLDER` wrote, behind its history, with none and with the first so
//! many of its definitions:
//!
//! `SHOP=FOLDER DEFINITIONS=0,300 cargo bench -p selfsame-pipeline --bench definitions`

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures, and prints a table"
)]

mod folded;
mod made;
mod shop;

use std::time::Duration;

use self::folded::{Input, fold};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 3;

fn main() {
    let number = |name: &str, default| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let rounds = number("ROUNDS", ROUNDS as u64);
    let counts = std::env::var("DEFINITIONS").unwrap_or_else(|_| "0,10,100,300,500".to_owned());
    let counts: Vec<usize> =
        counts.split(',').filter_map(|count| count.trim().parse().ok()).collect();
    let input: Box<dyn Fn(usize) -> Input> = match std::env::var("SHOP") {
        Ok(folder) => Box::new(move |count| shop::read(folder.as_ref(), count)),
        Err(_) => {
            let events = number("EVENTS", 300_000);
            let profiles = number("PROFILES", events / 20);
            Box::new(move |count| made::make(count, events, profiles))
        }
    };
    let inputs: Vec<_> = counts.iter().map(|count| (count, input(*count))).collect();
    let events = inputs.first().map_or(0, |(_, input)| input.measured());
    println!("{events} events, the best of {rounds} rounds");
    println!(
        "definitions  events/s  of none  ns/event more  effects/event  sections B/profile  values B/profile"
    );
    let mut best = vec![(Duration::MAX, folded::Folded::default()); inputs.len()];
    for _ in 0..rounds {
        for ((_, input), best) in inputs.iter().zip(&mut best) {
            let folded = fold(input);
            if folded.spent < best.0 {
                *best = (folded.spent, folded);
            }
        }
    }
    let none = best.first().map_or(0.0, |(spent, _)| spent.as_secs_f64());
    for ((count, _), (spent, folded)) in inputs.iter().zip(&best) {
        #[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
        let (events, profiles, effects, sections, values) = (
            events as f64,
            folded.profiles as f64,
            folded.effects as f64,
            folded.sections as f64,
            folded.values as f64,
        );
        let spent = spent.as_secs_f64();
        println!(
            "{count:>11}  {:>8.0}  {:>7.2}  {:>13.0}  {:>13.2}  {:>18.0}  {:>16.0}",
            events / spent,
            none / spent,
            (spent - none) / events * 1e9,
            effects / events,
            sections / profiles,
            values / profiles,
        );
    }
}
