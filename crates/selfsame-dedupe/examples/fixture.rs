//! Writes the fixture of the format of today into a folder: `fixtures/dedupe/v1`.

use std::path::PathBuf;

use selfsame_dedupe::{Config, Dedupe};
use selfsame_event::{Position, Time};

fn main() {
    let dir = PathBuf::from(std::env::args().nth(1).expect("a folder"));
    let mut dedupe = Dedupe::open(&dir, None, &Config::default()).expect("opens");
    for part in 0..3_u64 {
        for number in part * 100..(part + 1) * 100 {
            let id = ((u128::from(number) << 64) | u128::from(number))
                .wrapping_mul(0x0123_4567_89ab_cdef);
            let at = Position::embedded(1_000 + number).item(3);
            let hour = if part == 2 { 3_600_000 } else { 0 };
            let now = Time::from_millis(1_700_000_000_000 + hour);
            dedupe.admit(id.to_be_bytes(), 42, at, now, None).expect("admits");
        }
        let info = dedupe.freeze().write(&dir).expect("writes");
        dedupe.installed(info);
    }
    let merge = dedupe.plan_merge().expect("an hour has passed");
    dedupe.installed(merge.run().expect("merges"));
    let manifest = dedupe.manifest();
    std::fs::write(dir.join("manifest"), &manifest).expect("writes");
    dedupe.stored(&[&manifest]).remove().expect("removes");
    let hash: Vec<String> =
        dedupe.canonical_hash().expect("reads").iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(dir.join("hash"), hash.concat()).expect("writes");
}
