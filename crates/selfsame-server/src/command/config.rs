//! `selfsame config`: what is set, and by what.

use std::process::ExitCode;

use super::{Common, say};

pub(super) fn run(common: &Common) -> anyhow::Result<ExitCode> {
    let rows = common.load()?.rows();
    let keys = rows.iter().map(|(key, ..)| key.len()).max().unwrap_or(0);
    let values = rows.iter().map(|(_, value, _)| value.len()).max().unwrap_or(0);
    for (key, value, origin) in rows {
        say(&format!("{key:keys$}  {value:values$}  {origin}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
