//! Events of a few names, and definitions that look at a tenth of them each.

use bytes::Bytes;
use selfsame_pipeline::workspace::{Definition, DefinitionKind};

use crate::folded::{self, Input};

const EVENT_NAMES: u64 = 10;

/// A hundred traits for each two hundred audiences, of every kind; each event name is in a tenth of them.
fn definition(number: u64) -> Definition {
    let name = number / 3 % EVENT_NAMES;
    let n = number / 30;
    let (kind, query) = match number % 3 {
        0 => {
            let query = match n % 8 {
                0 => format!("event('E{name}').count()"),
                1 => format!("event('E{name}').sum(property('price'))"),
                2 => format!("event('E{name}').max(property('price'))"),
                3 => format!("event('E{name}').mode(property('sku'))"),
                4 => format!("event('E{name}').last(property('sku'))"),
                5 => format!("event('E{name}').unique(property('sku')).count()"),
                6 => format!("event('E{name}').within({} days).count()", 1 + n % 30),
                _ => format!("event('E{name}').within({} days).sum(property('price'))", 7 + n % 30),
            };
            (DefinitionKind::ComputedTrait, query)
        }
        side => {
            let n = 2 * n + side;
            let query = match n % 7 {
                0 => format!("event('E{name}').count() >= {}", 1 + n % 9),
                1 => {
                    format!("event('E{name}').within({} days).count() >= {}", 1 + n % 30, 1 + n % 5)
                }
                2 => {
                    format!("event('E{name}').where(property('price') >= {}).count() >= 2", n % 90)
                }
                3 => format!("event('E{name}').within({} days).count() = 0", 1 + n % 30),
                4 => format!("event('E{name}').sum(property('price')) > {}", 50 * (1 + n % 20)),
                5 => format!(
                    "event('E{name}').where(property('sku') = 's{}').within({} days).count() >= 1",
                    n % 50,
                    2 + n % 20
                ),
                _ => format!("event('E{name}').count() >= 1 and trait('plan') = 'p{}'", n % 4),
            };
            (DefinitionKind::Audience, query)
        }
    };
    folded::definition(format!("d{number}"), kind, query)
}

/// The definitions, and a space of events.
pub(crate) fn make(definitions: usize, events: u64, profiles: u64) -> Input {
    let definitions = (0..definitions as u64).map(definition).collect();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let events = (0..events).map(|id| {
        let (user, name) = (roll(profiles), roll(EVENT_NAMES));
        let (price, sku, plan) = (roll(100), roll(50), roll(4));
        Bytes::from(match roll(12) {
            0 => format!(
                r#"{{"type":"identify","userId":"u{user}","messageId":"m{id}","traits":{{"plan":"p{plan}","email":"u{user}@x.y"}}}}"#
            ),
            _ => format!(
                r#"{{"type":"track","event":"E{name}","userId":"u{user}","messageId":"m{id}","properties":{{"price":{price},"sku":"s{sku}","currency":"EUR"}}}}"#
            ),
        })
    });
    Input::new(definitions, events, 0)
}
