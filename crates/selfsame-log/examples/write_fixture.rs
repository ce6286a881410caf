//! Writes a small log into the folder that is given: the fixture of the format's version.

use std::path::Path;
use std::sync::Arc;

use selfsame_event::{Clock, Position, Time};
use selfsame_log::conformance::numbered;
use selfsame_log::{Log, LogConfig, RealFs, SegmentLog};

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn wall(&self) -> Time {
        Time::from_micros(1_790_000_000_000_000)
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder")?;
    let config = LogConfig { segment_bytes: 4_000, ..LogConfig::new(&folder, [42; 16]) };
    let log = SegmentLog::open(&config, Arc::new(Fixed), Arc::new(RealFs))?;
    for number in 0..30 {
        log.append_wait(numbered(number))?;
    }
    log.seal()?;
    log.erase(&[Position::embedded(7).item(1)])?;
    // The last segments begin in the files of sealed ones.
    for number in 30..130 {
        log.append_wait(numbered(number))?;
        log.seal()?;
    }
    drop(log);
    std::fs::remove_file(Path::new(&folder).join("lock"))?;
    Ok(())
}
