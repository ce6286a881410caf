//! What an identity token was found to be. One table; the number is in the record, beside the event.

use std::fmt;

macro_rules! verdicts {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal, $sentence:literal;)+) => {
        /// What the identity token of an event was found to be, when it was received. The token itself
        /// is in no record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum TokenVerdict { $($(#[$doc])* $name = $number,)+ }

        impl TokenVerdict {
            /// Every verdict.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code in traces and in metrics.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// One sentence for the one who signs tokens.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }
        }
    };
}

verdicts! {
    /// It proves the event's user id.
    Valid = 1, "valid", "The token proves the event's `userId`.";
    /// Not a token, or one without what it needs.
    Malformed = 2, "malformed", "The token is not a signed JWT of at most 4 KiB with `sub`, `aud` and `exp`.";
    /// Neither HS256 nor ES256.
    Algorithm = 3, "algorithm", "The token's `alg` is neither HS256 nor ES256.";
    /// The source has no key for it.
    NoKey = 4, "no_key", "The source has no identity key of the token's `kid` and `alg`.";
    /// No key made its signature.
    Signature = 5, "signature", "The token's signature is not of the source's identity key.";
    /// Its time is over.
    Expired = 6, "expired", "The token's `exp` has passed.";
    /// Its time has not begun.
    NotYet = 7, "not_yet", "The token's `nbf` lies ahead.";
    /// It is for another source.
    Audience = 8, "audience", "The token's `aud` is not the write key of the request.";
    /// It is for another user.
    Subject = 9, "subject", "The token's `sub` is not the event's `userId`.";
    /// It is one of too many.
    TooMany = 10, "too_many", "The request has more than 32 different tokens, and this one was not looked at.";
}

impl TokenVerdict {
    /// The number that records use.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The verdict of that number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|verdict| verdict.number() == number)
    }
}

impl fmt::Display for TokenVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
