//! A segment file that someone else may have written: the log refuses it or reads what it truly
//! holds, with bounded memory, and so again after each open.
#![no_main]

use cap::Cap;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/selfsame-log/tests/it/hostile.rs"]
mod hostile;

/// What one input of at most 16 KiB may take beyond what is there before it: its payload grows at
/// most 255-fold, an empty item of 4 bytes takes 32, and both readers hold all of it.
const ROOM: usize = 96 << 20;

#[global_allocator]
static ALLOCATOR: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

fuzz_target!(|input: &[u8]| {
    let limit = ALLOCATOR.allocated() + ROOM;
    ALLOCATOR.set_limit(limit).expect("more than is allocated");
    hostile::check(input);
    ALLOCATOR.set_limit(usize::MAX).expect("no limit");
});
