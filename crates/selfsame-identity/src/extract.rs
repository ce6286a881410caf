//! Finds the identifiers on an event.
//!
//! Where a value comes from decides whose it is:
//!
//! | Type | Place |
//! |---|---|
//! | `user_id`, `anonymous_id` | `userId`, `anonymousId` |
//! | `email` | `traits.email`, `context.traits.email`; `properties.email` of events that the rules name |
//! | `android.*`, `ios.*` | `context.device`, by its `type`; advertising ids only with tracking enabled |
//! | `ga_client_id` | `context.integrations["Google Analytics"].clientId` |
//! | `group_id` | `groupId` |
//! | custom | its key in `traits` and `context.traits`; in `properties` of events that the rules name |
//! | any listed type | `context.externalIds` |
//!
//! Decisions where the wire format leaves room:
//! * The `traits` of a group call describe the account, so they hold identifiers of accounts only; a
//!   company's `email` is nobody's own. The user's are in `context.traits`, on every call.
//! * `group_id` identifies accounts only. `context.groupId` is not read: it neither makes an account
//!   nor links to one. A `groupId` on another call finds its account without linking the user to it.
//! * E-mail addresses are compared in ASCII lower case without outer white space; every other value
//!   exactly. Whole numbers count as the text they are written as, since phone numbers come so.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use selfsame_event::{Collection, Context, Event, EventType, Kind, Raw, limits};
use smallvec::SmallVec;

use crate::claim::{Claim, Claims, Keys, Previous, Unfit};
use crate::compile::{NamedKey, Rules, Type, fold};
use crate::number::TypeNumber;

const USER_ID: u16 = 0;
const ANONYMOUS_ID: u16 = 5;
const GA_CLIENT_ID: u16 = 6;
const GROUP_ID: u16 = 7;
/// `id`, `idfa`, `push_token`.
const ANDROID: [u16; 3] = [2, 3, 4];
const IOS: [u16; 3] = [8, 9, 10];

/// Finds the identifiers on an event. Pure; the keys are made here because this part may run on many
/// events at once, while resolving may not.
pub fn extract<'e>(event: &'e Event<'_>, rules: &Rules, keys: &Keys<'_>) -> Claims<'e> {
    let mut finder = Finder { rules, keys, claims: Claims::default() };
    finder.claims.links = event.kind == EventType::Group;
    finder.own_ids(event);
    if let Some(traits) = event.traits {
        let keys = match event.kind {
            EventType::Group => &rules.account_keys,
            _ => &rules.user_keys,
        };
        finder.named(traits, keys, |_| true);
    }
    finder.properties(event);
    finder.context(event.context);
    if event.kind == EventType::Alias && rules.options().alias {
        finder.previous(event.previous_id.as_deref());
    }
    let order = |a: &Claim<'_>, b: &Claim<'_>| {
        a.priority.cmp(&b.priority).then_with(|| a.value.cmp(&b.value))
    };
    finder.claims.users.sort_unstable_by(order);
    finder.claims.accounts.sort_unstable_by(order);
    finder.claims
}

/// Finds the text of a context that may hold an identifier. Most hold none, and this is several times
/// cheaper than a walk over their keys. A key with an escape is any key.
static MAY_IDENTIFY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""traits"|"device"|"integrations"|"externalIds"|\\"#).expect("a valid pattern")
});

struct Finder<'r, 'k, 'e> {
    rules: &'r Rules,
    keys: &'r Keys<'k>,
    claims: Claims<'e>,
}

impl<'e> Finder<'_, '_, 'e> {
    fn own_ids(&mut self, event: &'e Event<'_>) {
        let ids = [
            (USER_ID, &event.user_id),
            (ANONYMOUS_ID, &event.anonymous_id),
            (GROUP_ID, &event.group_id),
        ];
        for (built_in, value) in ids {
            if let Some(value) = value {
                self.add_built_in(built_in, Cow::Borrowed(&**value));
            }
        }
        let is_user = |claim: &&Claim<'_>| claim.number == TypeNumber(USER_ID);
        self.claims.user = self.claims.users.iter().find(is_user).map(|claim| claim.key);
    }

    fn properties(&mut self, event: &'e Event<'_>) {
        let Some(properties) = event.properties else { return };
        let name = match event.kind {
            EventType::Page => Some("Page Viewed"),
            EventType::Screen => Some("Screen Viewed"),
            _ => event.event.as_deref(),
        };
        let options = self.rules.options();
        let email = options.properties_email.contains(name);
        let custom = options.custom_ids_in_properties.contains(name);
        if email || custom {
            let rules = self.rules;
            self.named(properties, &rules.user_keys, |key| match &*key.key {
                "email" => email,
                _ => custom,
            });
        }
    }

    fn context(&mut self, context: Context<'e>) {
        const TRAITS: usize = 0;
        const DEVICE: usize = 1;
        const INTEGRATIONS: usize = 2;
        const EXTERNAL_IDS: usize = 3;
        // One walk over each object; the event's own keys stand before its batch's.
        let mut parts = [None::<Raw<'e>>; 4];
        let objects = [context.shared, context.own].into_iter().flatten();
        // An own key hides the batch's even when it is null, so all are walked or none.
        if !objects.clone().any(|object| MAY_IDENTIFY.is_match(object.text())) {
            return;
        }
        for object in objects {
            object.each_field(|key, value| {
                let part = match key {
                    "traits" => TRAITS,
                    "device" => DEVICE,
                    "integrations" => INTEGRATIONS,
                    "externalIds" => EXTERNAL_IDS,
                    _ => return,
                };
                parts[part] = Some(value);
            });
        }
        if let Some(traits) = parts[TRAITS] {
            let rules = self.rules;
            self.named(traits, &rules.user_keys, |_| true);
        }
        if let Some(device) = parts[DEVICE].filter(|_| self.rules.reads_device) {
            self.device(device);
        }
        let analytics =
            parts[INTEGRATIONS].and_then(|all| all.at(&["Google Analytics", "clientId"]));
        if let Some(value) = analytics.and_then(text) {
            self.add_built_in(GA_CLIENT_ID, value);
        }
        if let Some(ids) = parts[EXTERNAL_IDS] {
            ids.elements().for_each(|element| self.external_id(element));
        }
    }

    fn device(&mut self, device: Raw<'e>) {
        let (mut kind, mut id, mut advertising, mut tracking, mut token) =
            (None, None, None, None, None);
        device.each_field(|key, value| match key {
            "type" => kind = Some(value),
            "id" => id = Some(value),
            "advertisingId" => advertising = Some(value),
            "adTrackingEnabled" => tracking = Some(value),
            "token" => token = Some(value),
            _ => {}
        });
        let types = match kind.and_then(Raw::string).as_deref() {
            Some("android") => ANDROID,
            Some("ios") => IOS,
            _ => return,
        };
        let advertising = advertising.filter(|_| tracking.and_then(Raw::bool) == Some(true));
        for (built_in, value) in types.into_iter().zip([id, advertising, token]) {
            if let Some(value) = value.and_then(text) {
                self.add_built_in(built_in, value);
            }
        }
    }

    fn external_id(&mut self, element: Raw<'e>) {
        let (mut id, mut kind, mut collection, mut encoding) = (None, None, None, None);
        element.each_field(|key, value| match key {
            "id" => id = text(value),
            "type" => kind = value.string(),
            "collection" => collection = value.string(),
            "encoding" => encoding = value.string(),
            _ => {}
        });
        let collection = collection.as_deref().and_then(Collection::from_name);
        let is_plain = encoding.as_deref() == Some("none");
        let (Some(id), Some(kind), Some(collection), true) = (id, kind, collection, is_plain)
        else {
            self.claims.malformed = self.claims.malformed.saturating_add(1);
            return;
        };
        if let Some(number) = self.rules.number(collection, &kind) {
            self.add(number, id);
        }
    }

    /// Values under keys that the rules name.
    fn named(&mut self, object: Raw<'e>, keys: &[NamedKey], wanted: impl Fn(&NamedKey) -> bool) {
        // Of a repeated key the last value counts, so values are only taken after the walk.
        let mut found: SmallVec<[Option<Raw<'e>>; 8]> = SmallVec::from_elem(None, keys.len());
        object.each_field(|key, value| {
            if let Some(index) = keys.iter().position(|one| *one.key == *key) {
                found[index] = Some(value);
            }
        });
        for (key, value) in keys.iter().zip(found) {
            if let Some(value) = value.filter(|_| wanted(key)).and_then(text) {
                self.add(key.number, value);
            }
        }
    }

    fn previous(&mut self, value: Option<&'e str>) {
        let Some(value) = value else { return };
        let rules = self.rules;
        let read = |built_in| rules.built_in(built_in).and_then(|number| rules.of(number));
        let anonymous = read(ANONYMOUS_ID).and_then(|one| self.fit(one, Cow::Borrowed(value)));
        let user = read(USER_ID).and_then(|one| self.fit(one, Cow::Borrowed(value)));
        self.claims.previous = Some(Box::new(Previous { anonymous, user }));
    }

    fn add_built_in(&mut self, index: u16, value: Cow<'e, str>) {
        if let Some(number) = self.rules.built_in(index) {
            self.add(number, value);
        }
    }

    fn add(&mut self, number: TypeNumber, value: Cow<'e, str>) {
        let rules = self.rules;
        let Some(one) = rules.of(number) else { return };
        let Some(claim) = self.fit(one, value) else { return };
        let is_new = |claims: &[Claim<'_>]| {
            !claims.iter().any(|other| other.number == number && other.value == claim.value)
        };
        match one.collection {
            Collection::Users if is_new(&self.claims.users) => self.claims.users.push(claim),
            Collection::Accounts if is_new(&self.claims.accounts) => {
                self.claims.accounts.push(claim);
            }
            Collection::Users | Collection::Accounts => {}
        }
    }

    /// The claim that a value makes, unless it cannot identify.
    fn fit(&mut self, one: &Type, value: Cow<'e, str>) -> Option<Claim<'e>> {
        let value = if one.fold_case { fold(value) } else { value };
        if value.trim().is_empty() {
            return None;
        }
        let number = one.number;
        let too_long = value.len() > limits::IDENTIFIER_CHARS
            && value.chars().count() > limits::IDENTIFIER_CHARS;
        if too_long || one.blocked.contains(&value) {
            let list = if too_long { &mut self.claims.too_long } else { &mut self.claims.blocked };
            let unfit = Unfit { number, value };
            if !list.contains(&unfit) {
                list.push(unfit);
            }
            return None;
        }
        let Keys { hasher, space } = *self.keys;
        let key = hasher.identifier(space, one.collection, &one.name, &value);
        Some(Claim { number, priority: one.priority, key, value })
    }
}

/// A string, or a whole number as it is written.
fn text(value: Raw<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::String => value.string(),
        Kind::Number => {
            let text = value.text();
            text.bytes().all(|byte| byte.is_ascii_digit()).then_some(Cow::Borrowed(text))
        }
        Kind::Null | Kind::Bool | Kind::Array | Kind::Object => None,
    }
}

#[cfg(test)]
mod tests;
