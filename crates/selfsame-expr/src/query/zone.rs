//! Time zones, from the database that is built in.

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The time zone of a name of the IANA database. Whatever zones the machine has, they are not
/// looked at.
pub fn zone(name: &str) -> Option<TimeZone> {
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    // Names are written as the database writes them, so that each has one spelling.
    (zone.iana_name() == Some(name) && !zone.is_unknown()).then_some(zone)
}
