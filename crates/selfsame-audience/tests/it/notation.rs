//! Short ways to write down definitions and histories.

mod definition;
mod history;

pub(crate) use definition::{
    In, X, all_users, and, any_user, context, date, days, event, hours, minutes, not, number, or,
    parent, property, seconds, trait_, weeks,
};
pub(crate) use history::{NOW, history, time};
