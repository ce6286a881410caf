//! What the numbers were measured on.

use std::path::Path;

use anyhow::Result;

use crate::print;

/// Least free space a whole run may need.
const ROOM: u64 = 40 << 30;

pub(crate) fn print(folder: &Path) -> Result<()> {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&processor, "model name").unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism()?;
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = field(&memory, "MemTotal").unwrap_or("unknown");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let disk = rustix::fs::statvfs(folder)?;
    let free = disk.f_bavail * disk.f_frsize;
    print::line(format!(
        "machine: {cores} cores, {model}, {memory} memory, Linux {}",
        kernel.trim()
    ));
    let load = load.split(' ').next().unwrap_or_default();
    print::line(format!(
        "folder: {}, {} free; load before: {load}",
        folder.display(),
        print::mebibytes(free)
    ));
    if free < ROOM {
        print::line("warning: less than 40 GiB are free, which a whole run may need");
    }
    Ok(())
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches([' ', '\t', ':']))
}
