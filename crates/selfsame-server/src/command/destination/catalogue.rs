//! `selfsame destination catalogue`: what destinations could be made.

use std::path::{Path, PathBuf};

use clap::Args;

use super::super::say;
use crate::manifests::{Manifests, Offered};
use crate::pack::{NONE, pack};

#[derive(Debug, Args)]
pub(super) struct List {
    /// Also programs of the actions pack for which there is a native destination.
    #[arg(long)]
    all: bool,
    /// Whose work is in the actions pack, and under which terms.
    #[arg(long)]
    licences: bool,
    /// A folder of manifests, beside those of the program.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.licences {
            return match pack() {
                Some(pack) => say(&pack.licences()?),
                None => say(NONE),
            };
        }
        let manifests = Manifests::of(self.folder.as_deref().unwrap_or_else(|| Path::new("")))?;
        let mut offered = manifests.offered();
        offered.retain(|one| self.all || one.instead_of.is_none());
        // What cannot be used as it is comes last.
        let (apart, plain): (Vec<_>, Vec<_>) =
            offered.iter().partition(|one| one.partner || !one.application.is_empty());
        plain.into_iter().try_for_each(line)?;
        if !apart.is_empty() {
            say("")?;
            say(
                "Of these, an application has to be registered with the vendor first, or the vendor asked whether its",
            )?;
            say("address, which it made for the publisher of the pack, may be used:")?;
            apart.into_iter().try_for_each(line)?;
        }
        let count = |status: &str| offered.iter().filter(|one| one.status == status).count();
        say("")?;
        say(&format!("{} destinations, {} of them community", offered.len(), count("community")))?;
        match pack() {
            None => say(NONE),
            Some(pack) if self.all => {
                for (name, why) in pack.left_out() {
                    say(&format!("left out of the actions pack: {name}, which {why}"))?;
                }
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }
}

fn line(one: &Offered) -> anyhow::Result<()> {
    let note = match (&one.instead_of, one.application.as_slice()) {
        (Some(native), _) => format!("  prefer {native}"),
        (None, []) if one.partner => "  an address for the pack's publisher".to_owned(),
        (None, []) => String::new(),
        (None, names) => format!("  needs {}", names.join(", ")),
    };
    let Offered { id, name, category, status, actions, .. } = one;
    say(&format!("{id:<40} {status:<10} {actions:>3} actions  {name} ({category}){note}"))
}
