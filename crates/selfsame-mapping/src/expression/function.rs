//! The functions of expressions.

/// A function, for the documents and for editors.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// What it is called.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// What it gives.
    pub about: &'static str,
    pub(super) id: Name,
    pub(super) takes: &'static [Takes],
}

/// What stands at a place of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// What the function is of.
    Subject,
    Value,
    /// What may be left out.
    Maybe,
    /// Any number of values.
    More,
    /// A function of an element.
    Each,
    /// A regular expression.
    Pattern,
}

/// All functions, by subject.
pub fn functions() -> &'static [Function] {
    TABLE
}

pub(super) fn find(name: &str) -> Option<&'static Function> {
    TABLE.iter().find(|function| function.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|function| function.name)
}

macro_rules! functions {
    ($($id:ident $name:literal [$($takes:ident)*] $signature:literal $about:literal)*) => {
        /// A function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Name {
            $($id),*
        }

        const TABLE: &[Function] = &[$(Function {
            name: $name,
            signature: $signature,
            about: $about,
            id: Name::$id,
            takes: &[$(Takes::$takes),*],
        }),*];
    };
}

functions! {
    Text "text" [Subject] "text(value)"
        "The value as text: numbers as JavaScript writes them, lists with commas."
    Lower "lower" [Subject] "lower(text)"
        "In lower case."
    Upper "upper" [Subject] "upper(text)"
        "In upper case."
    Trim "trim" [Subject] "trim(text)"
        "Without space around it."
    Clean "clean" [Subject] "clean(text)"
        "Without space around it, in lower case; undefined if nothing is left."
    Capitalize "capitalize" [Subject] "capitalize(text)"
        "With its first letter in upper case."
    Replace "replace" [Subject Value Value] "replace(text, what, with)"
        "With every occurrence replaced."
    ReplaceMatches "replace_matches" [Subject Pattern Value] "replace_matches(text, pattern, with)"
        "With every match of a regular expression replaced; `$1` is a group."
    Matches "matches" [Subject Pattern] "matches(text, pattern)"
        "Whether a regular expression is found in it; false of what is no text."
    Extract "extract" [Subject Pattern] "extract(text, pattern)"
        "The first group that a regular expression finds, or all of the match if it has none."
    Split "split" [Subject Value] "split(text, between)"
        "The parts of a text."
    Join "join" [Subject Maybe] "join(list, between)"
        "The elements as one text; null and undefined are empty. `between` is `,` if it is not given."
    Contains "contains" [Subject Value] "contains(value, part)"
        "Whether a text has a part, or a list an element; false of anything else."
    StartsWith "starts_with" [Subject Value] "starts_with(text, part)"
        "Whether it begins so; false of what is no text."
    EndsWith "ends_with" [Subject Value] "ends_with(text, part)"
        "Whether it ends so; false of what is no text."
    Slice "slice" [Subject Value Maybe] "slice(value, start, end)"
        "The characters of a text or the elements of a list from `start` up to `end`; negative ones count from the end."
    PadStart "pad_start" [Subject Value Maybe] "pad_start(text, length, with)"
        "With characters in front until it is so long, at most 1,000; `with` is a space if it is not given."
    Truncate "truncate" [Subject Value] "truncate(text, length)"
        "Its first characters."
    Length "length" [Subject] "length(value)"
        "How many characters a text has, elements a list, fields an object."
    Digits "digits" [Subject] "digits(text)"
        "Its digits."
    Alphanumeric "alphanumeric" [Subject] "alphanumeric(text)"
        "Its letters and digits."
    Json "json" [Subject] "json(value)"
        "As JSON text."
    ParseJson "parse_json" [Subject] "parse_json(text)"
        "The value that the JSON text is of; undefined if it is of none."
    UrlEncode "url_encode" [Subject] "url_encode(text)"
        "As `encodeURIComponent` writes it."
    UrlDecode "url_decode" [Subject] "url_decode(text)"
        "Read as `decodeURIComponent` does; undefined if it cannot be."
    Query "query" [Subject] "query(object)"
        "Its fields as `a=1&b=2`; of a list, once for each element; null and undefined are left out."
    Raw "raw" [Subject] "raw(text)"
        "The text itself: in a URL it is not encoded."
    EscapeHtml "escape_html" [Subject] "escape_html(text)"
        "With `&`, `<`, `>`, `\"` and `'` as entities."
    Sha256 "sha256" [Subject Maybe] "sha256(text, form)"
        "SHA-256 in hexadecimal, or in `base64` or `base64url` as the form says; undefined of an empty text."
    Hashed "hashed" [Subject] "hashed(text)"
        "The same, but what is a SHA-256 in hexadecimal already stays as it is, in lower case."
    Sha512 "sha512" [Subject] "sha512(text)"
        "SHA-512 in hexadecimal; undefined of an empty text."
    Sha1 "sha1" [Subject] "sha1(text)"
        "SHA-1 in hexadecimal; undefined of an empty text."
    Md5 "md5" [Subject] "md5(text)"
        "MD5 in hexadecimal; undefined of an empty text."
    Hmac "hmac" [Subject Value Maybe Maybe] "hmac(text, key, hash, form)"
        "HMAC by `sha256`, `sha512` or `sha1`, in `hex`, `base64` or `base64url`."
    Base64 "base64" [Subject] "base64(text)"
        "In base64."
    Base64Url "base64url" [Subject] "base64url(text)"
        "In base64 for URLs, without padding."
    Base64Decode "base64_decode" [Subject] "base64_decode(text)"
        "The text that base64 is of; undefined if it is of none."
    UuidOf "uuid_of" [Subject] "uuid_of(text)"
        "A UUID (version 8) that is always the same for the text."
    Number "number" [Subject] "number(value)"
        "A number, or a text or truth value as one; undefined if it is none."
    Integer "integer" [Subject] "integer(value)"
        "The same without what is behind the point."
    Round "round" [Subject Maybe] "round(number, places)"
        "Rounded, half away from zero."
    Floor "floor" [Subject] "floor(number)"
        "Rounded down."
    Ceil "ceil" [Subject] "ceil(number)"
        "Rounded up."
    Abs "abs" [Subject] "abs(number)"
        "Without its sign."
    Fixed "fixed" [Subject Value] "fixed(number, places)"
        "As text with so many places, at most 20."
    Min "min" [Subject More] "min(a, b, …)"
        "The least number of them, or of a list."
    Max "max" [Subject More] "max(a, b, …)"
        "The greatest number of them, or of a list."
    Sum "sum" [Subject] "sum(list)"
        "The sum of its numbers, texts that are numbers included; 0 if it has none."
    Now "now" [] "now()"
        "The time of sending, in milliseconds since 1970."
    EpochMs "epoch_ms" [Subject] "epoch_ms(time)"
        "Milliseconds since 1970 of an ISO 8601 text, or of a number of seconds (below 100 billion), milliseconds or microseconds."
    Epoch "epoch" [Subject] "epoch(time)"
        "The same in whole seconds."
    Iso "iso" [Subject] "iso(time)"
        "The same as ISO 8601 in UTC with milliseconds."
    Date "date" [Subject Maybe] "date(time, zone)"
        "The same as `2026-11-29`, in UTC or the zone."
    FormatTime "format_time" [Subject Value Maybe] "format_time(time, format, zone)"
        "The same by a format such as `%Y-%m-%d %H:%M:%S`, in UTC or the zone."
    AddTime "add_seconds" [Subject Value] "add_seconds(time, seconds)"
        "A time so many seconds later, in milliseconds since 1970."
    Map "map" [Subject Each] "map(list, x => …)"
        "What the function gives for each element; what it gives undefined for is left out."
    Filter "filter" [Subject Each] "filter(list, x => …)"
        "The elements for which it is true."
    Find "find" [Subject Each] "find(list, x => …)"
        "The first element for which it is true."
    Any "any" [Subject Each] "any(list, x => …)"
        "Whether it is true for one of them; false of what is no list."
    All "all" [Subject Each] "all(list, x => …)"
        "Whether it is true for all of them; true of what is no list."
    FlatMap "flat_map" [Subject Each] "flat_map(list, x => …)"
        "The elements of the lists that it gives."
    MapValues "map_values" [Subject Each] "map_values(object, (value, key) => …)"
        "The object with what the function gives for each field; what it gives undefined for is left out."
    MapLeaves "map_leaves" [Subject Each] "map_leaves(object, (value, key) => …)"
        "The same at every depth: for each field that is no object. A list is one value."
    FilterFields "filter_fields" [Subject Each] "filter_fields(object, (value, key) => …)"
        "The fields for which it is true."
    MapKeys "map_keys" [Subject Each] "map_keys(object, (value, key) => …)"
        "The object with the keys that the function gives; a field for which it gives undefined is left out."
    SortBy "sort_by" [Subject Each] "sort_by(list, x => …)"
        "The elements by what it gives: numbers, then texts, then the others as they were."
    GroupBy "group_by" [Subject Each] "group_by(list, x => …)"
        "An object with the lists of the elements for which it gives the same text."
    First "first" [Subject] "first(list)"
        "Its first element."
    Last "last" [Subject] "last(list)"
        "Its last element."
    List "list" [Subject] "list(value)"
        "A list itself; anything else as the one element of one; no element if it is null or undefined."
    Unique "unique" [Subject] "unique(list)"
        "Each element once."
    Compact "compact" [Subject] "compact(list)"
        "Without null and empty texts."
    Reverse "reverse" [Subject] "reverse(list)"
        "From the last to the first."
    Concat "concat" [Subject More] "concat(a, b, …)"
        "The elements of lists, and values that are no lists, as one list."
    Chunks "chunks" [Subject Value] "chunks(list, count)"
        "Lists of so many elements each."
    Keys "keys" [Subject] "keys(object)"
        "Its keys."
    Values "values" [Subject] "values(object)"
        "Its values."
    Entries "entries" [Subject] "entries(object)"
        "A list of `{key, value}`."
    FromEntries "from_entries" [Subject] "from_entries(list)"
        "The object of such a list."
    Pick "pick" [Subject More] "pick(object, key, …)"
        "Only these fields; keys may come as lists."
    Omit "omit" [Subject More] "omit(object, key, …)"
        "All but these fields."
    Merge "merge" [Subject More] "merge(a, b, …)"
        "Their fields; of a key that comes again, the last value."
    DropNull "drop_null" [Subject] "drop_null(value)"
        "Without null, at every depth."
    DropEmpty "drop_empty" [Subject] "drop_empty(value)"
        "Without null, empty texts, empty lists and empty objects, at every depth."
    Flatten "flatten" [Subject Maybe] "flatten(object, between)"
        "One level: keys joined by `.` or what is given; lists stay."
    Get "get" [Subject Value] "get(value, path)"
        "What a path such as `a.b[0]` leads to."
    Has "has" [Subject Value] "has(object, key)"
        "Whether it has the field, and not as null."
    Type "type" [Subject] "type(value)"
        "`string`, `number`, `boolean`, `list`, `object`, `null` or `undefined`."
    IsText "is_text" [Subject] "is_text(value)"
        "Whether it is a text."
    IsNumber "is_number" [Subject] "is_number(value)"
        "Whether it is a number."
    IsBool "is_bool" [Subject] "is_bool(value)"
        "Whether it is true or false."
    IsList "is_list" [Subject] "is_list(value)"
        "Whether it is a list."
    IsObject "is_object" [Subject] "is_object(value)"
        "Whether it is an object."
    IsEmpty "is_empty" [Subject] "is_empty(value)"
        "Whether it is undefined, null, or a text, list or object with nothing in it."
    Bool "bool" [Subject] "bool(value)"
        "A truth value; `true`, `false`, `1`, `0`, `yes`, `no` as one; undefined for anything else."
    Default "default" [Subject Value] "default(value, other)"
        "The other one where the value is undefined, null or an empty text."
    IsEmail "is_email" [Subject] "is_email(text)"
        "Whether it looks like an e-mail address."
    EmailDomain "email_domain" [Subject] "email_domain(text)"
        "What is behind its `@`, in lower case."
    UrlHost "url_host" [Subject] "url_host(url)"
        "The host of an absolute URL."
    UrlPath "url_path" [Subject] "url_path(url)"
        "Its path; `/` if it has none."
    UrlParam "url_param" [Subject Value] "url_param(url, name)"
        "A parameter of its query, decoded."
    UaBrowser "ua_browser" [Subject] "ua_browser(user_agent)"
        "The browser that a user agent names."
    UaOs "ua_os" [Subject] "ua_os(user_agent)"
        "The operating system that it names."
    UaDevice "ua_device" [Subject] "ua_device(user_agent)"
        "`mobile`, `tablet` or `desktop`."
    IsCurrency "is_currency" [Subject] "is_currency(text)"
        "Whether it is a currency code of ISO 4217, in any case."
    UsState "us_state" [Subject] "us_state(text)"
        "The two letters, in lower case, of a state of the USA by name or code."
}
