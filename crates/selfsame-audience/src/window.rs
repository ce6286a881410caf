//! Windows that count from now, as ranges of time.

use selfsame_event::Time;
use selfsame_expr::query::Which;
use smallvec::SmallVec;

use crate::calendar::Calendar;
use crate::elements::Element;
use crate::moment::Moment;
use crate::plan::Window;

/// Leaves the last session, which are those at the front; none if it is over. Says when it will be.
pub(crate) fn last_session(
    newest_first: &mut SmallVec<[Element<'_>; 16]>,
    gap: i64,
    now: Time,
) -> Moment {
    let last = newest_first.first()?.when.time;
    let over = last.plus_micros(gap.saturating_add(1));
    if over <= now {
        newest_first.clear();
        return None;
    }
    let neighbours = newest_first.windows(2).position(|pair| {
        matches!(pair, [later, earlier]
            if later.when.time.micros() - earlier.when.time.micros() > gap)
    });
    if let Some(at) = neighbours {
        newest_first.truncate(at + 1);
    }
    Some(over)
}

/// The times that a window leaves: from `start` until just before `end`.
pub(crate) struct Range {
    pub(crate) start: Time,
    pub(crate) end: Time,
    /// When the whole range becomes another one.
    pub(crate) turns: Moment,
    /// How long after an event it enters, and how long after it leaves, where the range moves along.
    moves: Option<(i64, i64)>,
}

impl Range {
    pub(crate) fn new(window: Option<&Window>, now: Time) -> Self {
        let all = Self { start: Time::EPOCH, end: Time::MAX, turns: None, moves: None };
        match window {
            None | Some(Window::Session(_)) => all,
            Some(Window::Within(span)) => {
                Self { start: now.plus_micros(1 - span), moves: Some((0, *span)), ..all }
            }
            Some(Window::Between(from, to)) => Self {
                start: now.plus_micros(1 - to),
                end: now.plus_micros(1 - from),
                moves: Some((*from, *to)),
                ..all
            },
            Some(Window::Calendar(which, calendar)) => {
                let current = calendar.start(now);
                let end = calendar.end(now);
                match which {
                    Which::This => Self { start: current, end, turns: Some(end), moves: None },
                    Which::Previous => Self {
                        start: calendar.previous_start(now),
                        end: current,
                        turns: Some(end),
                        moves: None,
                    },
                }
            }
        }
    }

    pub(crate) fn enters(&self, time: Time) -> Moment {
        self.moves.map(|(from, _)| time.plus_micros(from))
    }

    pub(crate) fn leaves(&self, time: Time) -> Moment {
        self.moves.map(|(_, to)| time.plus_micros(to))
    }
}

/// When a period begins, seen from a moment.
pub(crate) trait Start {
    fn start(self, calendar: &Calendar, now: Time) -> Time;
}

impl Start for Which {
    fn start(self, calendar: &Calendar, now: Time) -> Time {
        match self {
            Self::This => calendar.start(now),
            Self::Previous => calendar.previous_start(now),
        }
    }
}
