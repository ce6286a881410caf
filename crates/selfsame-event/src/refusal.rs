//! Why an event was set aside. One table; the wire codes are Segment's where it has one.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $sentence:literal;)+) => {
        /// Why one readable event was set aside instead of accepted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Refusal { $($(#[$doc])* $name = $number,)+ }

        impl Refusal {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code on the wire, in lists and in metrics.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// One sentence for the one who sent it.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }
        }
    };
}

refusals! {
    /// Not a JSON object.
    NotObject = 1, "event_not_object", "The event is not a JSON object.";
    /// `type` is missing or none of the six.
    TypeUnknown = 2, "type_unknown", "`type` must be identify, track, page, screen, group or alias.";
    /// Neither `userId` nor `anonymousId`.
    NoId = 3, "no_user_anon_id", "The event has neither `userId` nor `anonymousId`.";
    /// A required id is missing or empty.
    IdRequired = 4, "id_required", "`groupId` (group) or `userId` and `previousId` (alias) must be non-empty strings.";
    /// An id is not a string.
    IdNotString = 5, "id_not_string", "`userId`, `anonymousId`, `groupId` and `previousId` must be strings.";
    /// `track` without `event`.
    EventNotDefined = 6, "event_not_defined", "A track call needs a non-empty `event`.";
    /// `event` is not a string.
    EventNotString = 7, "event_not_string", "`event` must be a string.";
    /// `properties` is not an object.
    PropertiesNotObject = 8, "properties_not_object", "`properties` must be an object.";
    /// `traits` is not an object.
    TraitsNotObject = 9, "traits_not_object", "`traits` must be an object.";
    /// `name` of a page or screen is not a non-empty string.
    NameNotString = 10, "name_not_string", "`name` must be a non-empty string where it is given.";
    /// `category` of a page or screen is not a string.
    CategoryNotString = 11, "category_not_string", "`category` must be a string.";
    /// `context` is not an object.
    ContextNotObject = 12, "context_not_object", "`context` must be an object.";
    /// `messageId` is too long.
    MessageIdTooLong = 13, "message_id_too_long", "`messageId` must have at most 100 characters.";
    /// `messageId` is not a string.
    MessageIdNotString = 14, "message_id_not_string", "`messageId` must be a string.";
    /// The event is larger than one event may be.
    TooLarge = 15, "event_too_large", "The event is larger than 32 KiB.";
    /// More events than a batch may have.
    BatchTooLong = 16, "batch_too_many_events", "The event is beyond the 2,500th of its batch.";
    /// Too many keys.
    TooManyProperties = 17, "too_many_properties", "`properties` or `traits` has more than 10,000 keys.";
    /// A key is too long.
    KeyTooLong = 18, "key_too_long", "A key of `properties` or `traits` is longer than 512 bytes.";
    /// `context.consent` without its preferences.
    ConsentPreferencesMissing = 19, "consent_categorypreferences_should_exist", "`context.consent` needs `categoryPreferences`.";
    /// Part of `context.consent` is not an object.
    ConsentNotObject = 20, "consent_fields_should_be_object", "`context.consent` and its `categoryPreferences` must be objects.";
    /// A preference is not a boolean.
    ConsentNotBool = 21, "consent_fields_should_be_bool", "Every value of `categoryPreferences` must be true or false.";
    /// `context.consent.version` is not a number.
    ConsentVersionNotNumber = 22, "consent_version_should_be_number", "`context.consent.version` must be a number.";
    /// `context.device.advertisingId` is not a string.
    AdvertisingIdNotString = 23, "device_advertisingid_should_be_string", "`context.device.advertisingId` must be a string.";
}

impl Refusal {
    /// The number that records use.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The reason of that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|refusal| refusal.number() == number)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for Refusal {}
