//! What an id costs.

use divan::counter::ItemsCount;
use selfsame_dedupe::{Config, Dedupe};
use selfsame_event::{Position, Time};

fn main() {
    divan::main();
}

fn id(number: u64) -> [u8; 16] {
    let mixed = u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64;
    (mixed | u128::from(number.wrapping_mul(0xd6e8_feb8_6659_fd93))).to_be_bytes()
}

/// New ids, on top of none; growing tables included.
#[divan::bench(sample_count = 20)]
fn new_ids(bencher: divan::Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a folder");
    bencher
        .counter(ItemsCount::new(100_000_u32))
        .with_inputs(|| Dedupe::open(dir.path(), None, &Config::default()).expect("opens"))
        .bench_values(|mut dedupe| {
            for number in 0..100_000 {
                let at = Position::embedded(number).item(0);
                dedupe.admit(id(number), 0, at, Time::EPOCH, None).expect("admits");
            }
            dedupe
        });
}
