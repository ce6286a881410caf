//! Where the log begins, and with it the bodies of events.

use selfsame_event::{Position, Time};
use selfsame_log::ReadError;

use super::{LookupError, SpaceRead};

/// How often it is looked again while the log is being trimmed.
const LOOKS: usize = 8;

/// Where what is readable begins, after records were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryFrom {
    /// The first record that there is.
    pub position: Position,
    /// When it was received; none where there is no record at all.
    pub received_at: Option<Time>,
}

impl SpaceRead {
    /// Where timelines begin: none while no record was removed. Asked after a page was read, so that
    /// what was removed meanwhile is named too.
    pub fn history_from(&self) -> Result<Option<HistoryFrom>, LookupError> {
        for _ in 0..LOOKS {
            let position = self.log.first();
            if position.offset == 0 {
                return Ok(None);
            }
            match self.log.get(position) {
                Ok(record) => {
                    let received_at = Some(record.time);
                    return Ok(Some(HistoryFrom { position, received_at }));
                }
                Err(ReadError::Trimmed { .. }) => {}
                Err(ReadError::Beyond { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(HistoryFrom { position: self.log.first(), received_at: None }))
    }
}
