//! The format of manifests: every key, what may stand there, and what it says.

use crate::shape::{Key, Named, Shape};

/// The version of the format that this program reads.
pub const FORMAT: u64 = 1;

const KINDS: &[&str] =
    &["string", "text", "number", "integer", "boolean", "datetime", "password", "object"];
const TEXT_FORMATS: &[&str] =
    &["date", "date-time", "email", "hostname", "ipv4", "uri", "uuid", "time"];

pub(crate) static MANIFEST: Named = Named {
    name: "a manifest",
    says: "How one destination is spoken to.",
    keys: &[
        Key::must("manifest", Shape::Count, "The version of the format: 1."),
        Key::must("id", Shape::Text, "The name of its folder."),
        Key::must("name", Shape::Text, "What people call it."),
        Key::must("category", Shape::Text, "What kind of tool it is."),
        Key::must(
            "docs",
            Shape::List(&Shape::Text),
            "The pages of the vendor that it was written from.",
        ),
        Key::must("version", Shape::Text, "The version of this manifest."),
        Key::must("status", Shape::Word(&["native", "beta", "community"]), "How far it is."),
        Key::may("says", Shape::Text, "What it does, in a sentence or two."),
        Key::may(
            "integrations",
            Shape::List(&Shape::Text),
            "Other names that the `integrations` of events have for it.",
        ),
        Key::may(
            "cases",
            Shape::Text,
            "The name of the recorded cases that it is checked against.",
        ),
        Key::may(
            "program",
            Shape::Object(&PROGRAM),
            "The code of the actions pack that its actions run.",
        ),
        Key::may(
            "settings",
            Shape::Map(&Shape::Object(&SETTING)),
            "What a connection has to be told.",
        ),
        Key::may("auth", Shape::Object(&AUTH), "How requests prove who sends them."),
        Key::may(
            "sign",
            Shape::List(&Shape::Object(&HMAC)),
            "Signatures of requests, besides what proves who sends them.",
        ),
        Key::may("limits", Shape::Object(&LIMITS), "What the vendor allows."),
        Key::may("request_defaults", Shape::Object(&REQUEST_DEFAULTS), "Parts of every request."),
        Key::may(
            "responses",
            Shape::List(&Shape::Object(&RESPONSE)),
            "What answers mean; the first that holds.",
        ),
        Key::may("shared", Shape::Literal, "Blocks that are named by anchors and used elsewhere."),
        Key::may("let", Shape::Map(&Shape::Rendered), "Values for every action, in order."),
        Key::must("actions", Shape::Map(&Shape::Object(&ACTION)), "What can be done."),
        Key::may(
            "presets",
            Shape::List(&Shape::Object(&PRESET)),
            "Triggers and mappings to begin with.",
        ),
        Key::may("audience", Shape::Object(&AUDIENCE), "How an audience is kept there."),
        Key::may("delete", Shape::Object(&OPERATION), "How a person is deleted there."),
        Key::may(
            "dynamic_fields",
            Shape::Map(&Shape::Object(&DYNAMIC)),
            "Choices that are asked for.",
        ),
    ],
    one_of: &[],
};

static PROGRAM: Named = Named {
    name: "a program",
    says: "Code of the actions pack: it makes the requests of the actions that say so.",
    keys: &[
        Key::must("name", Shape::Text, "What the pack calls it."),
        Key::may("instead_of", Shape::Text, "The destination that does the same without code."),
        Key::may(
            "partner",
            Shape::Flag,
            "Whether it speaks to an address that the vendor made for the publisher of the pack.",
        ),
        Key::may("refreshes", Shape::Flag, "Whether it can fetch another access token."),
        Key::may("checks", Shape::Flag, "Whether it can say that settings are good."),
    ],
    one_of: &[],
};

static SETTING: Named = Named {
    name: "a setting",
    says: "What a connection has to be told.",
    keys: &[
        Key::must("type", Shape::Word(KINDS), "What it is; a password is kept secret."),
        Key::may("label", Shape::Text, "What people call it."),
        Key::may("help", Shape::Text, "Where to find it."),
        Key::may("required", Shape::Flag, "Whether it has to be there."),
        Key::may("default", Shape::Literal, "What it is if it is not there."),
        Key::may("choices", Shape::List(&Shape::Literal), "What it may be."),
        Key::may("multiple", Shape::Flag, "Whether it is a list."),
        Key::may("format", Shape::Word(TEXT_FORMATS), "What the text has to be."),
    ],
    one_of: &[],
};

static FIELD: Named = Named {
    name: "a field",
    says: "What an action is given, by a mapping.",
    keys: &[
        Key::must("type", Shape::Word(KINDS), "What it is made, where that is possible."),
        Key::may("label", Shape::Text, "What people call it."),
        Key::may("help", Shape::Text, "What the vendor does with it."),
        Key::may(
            "required",
            Shape::Condition,
            "Whether it has to be there; `payload` is in reach.",
        ),
        Key::may("default", Shape::Mapping, "The mapping that is proposed."),
        Key::may("choices", Shape::List(&Shape::Literal), "What it may be."),
        Key::may("multiple", Shape::Flag, "Whether it is a list."),
        Key::may("allow_null", Shape::Flag, "Whether null is kept."),
        Key::may("format", Shape::Word(TEXT_FORMATS), "What the text has to be."),
        Key::may("minimum", Shape::Number, "The least number, or the least length of a text."),
        Key::may(
            "maximum",
            Shape::Number,
            "The greatest number, or the greatest length of a text.",
        ),
        Key::may("properties", Shape::Map(&Shape::Object(&FIELD)), "The fields of an object."),
        Key::may(
            "additional_properties",
            Shape::Flag,
            "Whether an object keeps what `properties` has not.",
        ),
        Key::may("hidden", Shape::Flag, "Whether people are not shown it."),
    ],
    one_of: &[],
};

static AUTH: Named = Named {
    name: "auth",
    says: "How requests prove who sends them.",
    keys: &[
        Key::may("none", Shape::Object(&NOTHING), "They do not."),
        Key::may("basic", Shape::Object(&BASIC), "A user name and a password."),
        Key::may("bearer", Shape::Object(&BEARER), "A token."),
        Key::may("header", Shape::Map(&Shape::Rendered), "Headers."),
        Key::may("query", Shape::Map(&Shape::Rendered), "Parameters of the address."),
        Key::may(
            "oauth2",
            Shape::Object(&OAUTH2),
            "An access token that is fetched anew when it ends.",
        ),
        Key::may("jwt", Shape::Object(&JWT), "A signed token that is made for each request."),
        Key::may("sigv4", Shape::Object(&SIGV4), "Amazon's signature, version 4."),
        Key::may("hmac", Shape::Object(&HMAC), "A keyed hash of the body."),
    ],
    one_of: &["none", "basic", "bearer", "header", "query", "oauth2", "jwt", "sigv4", "hmac"],
};

static NOTHING: Named = Named { name: "none", says: "Nothing.", keys: &[], one_of: &[] };

static BASIC: Named = Named {
    name: "basic",
    says: "RFC 7617.",
    keys: &[
        Key::must("username", Shape::Rendered, "The user name."),
        Key::may("password", Shape::Rendered, "The password; empty if it is not there."),
    ],
    one_of: &[],
};

static BEARER: Named = Named {
    name: "bearer",
    says: "RFC 6750.",
    keys: &[Key::must("token", Shape::Rendered, "The token.")],
    one_of: &[],
};

static OAUTH2: Named = Named {
    name: "oauth2",
    says: "RFC 6749; `auth.access_token` and `auth.refresh_token` are in reach.",
    keys: &[
        Key::may("authorize_url", Shape::Rendered, "Where people agree."),
        Key::must("token_url", Shape::Rendered, "Where tokens are fetched."),
        Key::may(
            "grant",
            Shape::Word(&["authorization_code", "client_credentials"]),
            "How the first token is got.",
        ),
        Key::may("scopes", Shape::List(&Shape::Text), "What is asked for."),
        Key::must("client_id", Shape::Rendered, "The client; `settings` are in reach."),
        Key::must("client_secret", Shape::Rendered, "Its secret."),
        Key::may(
            "client_in",
            Shape::Word(&["body", "header"]),
            "Where the client is named. Default: body.",
        ),
    ],
    one_of: &[],
};

static JWT: Named = Named {
    name: "jwt",
    says: "RFC 7519.",
    keys: &[
        Key::must("algorithm", Shape::Word(&["HS256", "RS256"]), "How it is signed."),
        Key::must("key", Shape::Rendered, "The secret, or the private key as PEM of PKCS #8."),
        Key::may("key_id", Shape::Rendered, "The `kid` of the header."),
        Key::must("claims", Shape::Map(&Shape::Rendered), "What it says."),
        Key::may("seconds", Shape::Count, "How long it holds: `iat` and `exp`. Default: 300."),
        Key::may(
            "header",
            Shape::Text,
            "The header that it is put into. Default: Authorization, as a bearer.",
        ),
    ],
    one_of: &[],
};

static SIGV4: Named = Named {
    name: "sigv4",
    says: "Amazon's signature, version 4.",
    keys: &[
        Key::must("access_key_id", Shape::Rendered, "The access key."),
        Key::must("secret_access_key", Shape::Rendered, "Its secret."),
        Key::may("session_token", Shape::Rendered, "The token of a session."),
        Key::must("region", Shape::Rendered, "The region."),
        Key::must("service", Shape::Rendered, "The service."),
    ],
    one_of: &[],
};

static HMAC: Named = Named {
    name: "hmac",
    says: "A keyed hash of the body in a header.",
    keys: &[
        Key::must("header", Shape::Text, "The header."),
        Key::must("key", Shape::Rendered, "The key; no header where it is not there."),
        Key::may(
            "key_encoding",
            Shape::Word(&["text", "base64"]),
            "How the key is written. Default: text.",
        ),
        Key::may(
            "signs",
            Shape::Rendered,
            "What is hashed; `body` is in reach. Default: the body.",
        ),
        Key::may("algorithm", Shape::Word(&["sha1", "sha256"]), "Default: sha256."),
        Key::may("encoding", Shape::Word(&["hex", "base64"]), "Default: hex."),
        Key::may("prefix", Shape::Text, "What stands before it, such as `sha256=`."),
    ],
    one_of: &[],
};

static LIMITS: Named = Named {
    name: "limits",
    says: "What the vendor allows.",
    keys: &[
        Key::may("requests_per_second", Shape::Number, "Requests a second of a connection."),
        Key::may("concurrency", Shape::Count, "Requests at a time."),
        Key::may("max_body_bytes", Shape::Count, "Most bytes of a body."),
        Key::may("timeout_seconds", Shape::Count, "How long an answer is waited for."),
        Key::may("daily_requests", Shape::Count, "Requests a day of a connection."),
        Key::may(
            "daily_counts",
            Shape::Word(&["requests", "events"]),
            "What counts as one: a request, or each event of a batch. Default: requests.",
        ),
        Key::may(
            "daily_zone",
            Shape::Text,
            "The time zone at whose midnight a day begins, such as UTC. Default: a day is any 24 hours.",
        ),
    ],
    one_of: &[],
};

static REQUEST_DEFAULTS: Named = Named {
    name: "request_defaults",
    says: "Parts of every request, unless it has its own.",
    keys: &[
        Key::may("method", Shape::Word(METHODS), "The method. Default: POST."),
        Key::may(
            "headers",
            Shape::Map(&Shape::Rendered),
            "Headers; one that renders to nothing is left out.",
        ),
        Key::may("query", Shape::Map(&Shape::Rendered), "Parameters of the address."),
    ],
    one_of: &[],
};

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

static REQUEST: Named = Named {
    name: "a request",
    says: "One HTTP request.",
    keys: &[
        Key::may("method", Shape::Rendered, "The method. Default: POST."),
        Key::must("url", Shape::Rendered, "The address."),
        Key::may("query", Shape::Map(&Shape::Rendered), "Parameters of the address."),
        Key::may(
            "headers",
            Shape::Map(&Shape::Rendered),
            "Headers; one that renders to nothing is left out.",
        ),
        Key::may("json", Shape::Rendered, "The body, as JSON."),
        Key::may("form", Shape::Map(&Shape::Rendered), "The body, as a form."),
        Key::may("text", Shape::Rendered, "The body, as it is."),
        Key::may("auth", Shape::Flag, "Whether it proves who sends it. Default: true."),
    ],
    one_of: &[],
};

static RESPONSE: Named = Named {
    name: "a response",
    says: "What an answer means; `r.status`, `r.headers` and `r.body` are in reach.",
    keys: &[
        Key::must("when", Shape::Expression, "Which answers."),
        Key::must("outcome", Shape::Word(OUTCOMES), "What is done about them."),
        Key::may("after_seconds", Shape::Expression, "How long is waited before another try."),
        Key::may(
            "items",
            Shape::Expression,
            "For `per_item`: a list with an outcome for each event of a batch.",
        ),
        Key::may("message", Shape::Rendered, "What people are told."),
    ],
    one_of: &[],
};

pub(crate) const OUTCOMES: &[&str] =
    &["ok", "retry", "reject", "auth_error", "refresh_auth", "per_item", "split_batch", "throttle"];

static ACTION: Named = Named {
    name: "an action",
    says: "One thing that can be done with an event.",
    keys: &[
        Key::must("title", Shape::Text, "What people call it."),
        Key::may("says", Shape::Text, "What it does."),
        Key::may("trigger", Shape::Trigger, "The events it is proposed for."),
        Key::may("fields", Shape::Map(&Shape::Object(&FIELD)), "What it is given."),
        Key::may(
            "let",
            Shape::Map(&Shape::Rendered),
            "Values, in order; `payload`, `settings`, `event`, `now` and those before are in reach.",
        ),
        Key::may("require", Shape::List(&Shape::Object(&REQUIREMENT)), "What has to hold."),
        Key::may("skip", Shape::Expression, "Events of which nothing is sent."),
        Key::may(
            "item",
            Shape::Rendered,
            "What one event becomes: `item` in a request, `items` in that of a batch.",
        ),
        Key::may("request", Shape::Object(&REQUEST), "The request."),
        Key::may("steps", Shape::List(&Shape::Object(&STEP)), "The requests, in order."),
        Key::may("program", Shape::Flag, "The program of the manifest makes the requests."),
        Key::may("batch", Shape::Object(&BATCH), "How several events are sent together."),
    ],
    one_of: &["request", "steps", "program"],
};

static REQUIREMENT: Named = Named {
    name: "a requirement",
    says: "What has to hold for an event to be sent.",
    keys: &[
        Key::must("that", Shape::Expression, "What has to hold."),
        Key::must("message", Shape::Rendered, "What people are told where it does not."),
    ],
    one_of: &[],
};

static STEP: Named = Named {
    name: "a step",
    says: "One request of several, or one for each item of a list.",
    keys: &[
        Key::must(
            "id",
            Shape::Text,
            "Its name: `steps.ID.status`, `.headers` and `.body` are in reach of later ones.",
        ),
        Key::may("when", Shape::Expression, "Whether it is taken."),
        Key::may("each", Shape::Expression, "A list: one request for each `one` of it."),
        Key::may("let", Shape::Map(&Shape::Rendered), "Values before the request, in order."),
        Key::may(
            "require",
            Shape::List(&Shape::Object(&REQUIREMENT)),
            "What has to hold before it.",
        ),
        Key::must("request", Shape::Object(&REQUEST), "The request."),
        Key::may(
            "ok",
            Shape::Expression,
            "Which answers are good; default: those from 200 to 299. `r` is in reach.",
        ),
        Key::may(
            "fail",
            Shape::Expression,
            "The reason why the event is refused in spite of a good answer, or nothing.",
        ),
        Key::may("stop", Shape::Expression, "Whether nothing more is sent."),
    ],
    one_of: &[],
};

static BATCH: Named = Named {
    name: "a batch",
    says: "How several events are sent together; `payloads` and `items` are in reach.",
    keys: &[
        Key::must("max_events", Shape::Count, "Most events."),
        Key::may("max_bytes", Shape::Count, "Most bytes of the body."),
        Key::may("max_wait_seconds", Shape::Count, "How long the first one waits."),
        Key::may(
            "ordered",
            Shape::Flag,
            "Whether its events are taken in order, all or none: then it may have several of one person. Where some \
             answer is `per_item` they are not.",
        ),
        Key::may(
            "key",
            Shape::List(&Shape::Expression),
            "Events with other values go into another batch.",
        ),
        Key::may("let", Shape::Map(&Shape::Rendered), "Values, in order."),
        Key::may(
            "require",
            Shape::List(&Shape::Object(&REQUIREMENT)),
            "What has to hold for the batch.",
        ),
        Key::may("request", Shape::Object(&REQUEST), "The request."),
        Key::may("steps", Shape::List(&Shape::Object(&STEP)), "The requests, in order."),
        Key::may("program", Shape::Flag, "The program of the manifest makes the requests."),
    ],
    one_of: &["request", "steps", "program"],
};

static PRESET: Named = Named {
    name: "a preset",
    says: "A trigger and a mapping to begin with.",
    keys: &[
        Key::must("name", Shape::Text, "What people call it."),
        Key::must("action", Shape::Text, "The action."),
        Key::must("trigger", Shape::Trigger, "The events."),
        Key::may(
            "mapping",
            Shape::Map(&Shape::Mapping),
            "Fields that differ from the action's defaults.",
        ),
    ],
    one_of: &[],
};

static AUDIENCE: Named = Named {
    name: "audience",
    says: "How an audience is kept there; `audience.id`, `.name` and `.external_id` are in reach.",
    keys: &[
        Key::may("create", Shape::Object(&OPERATION), "How it is made."),
        Key::may("get", Shape::Object(&OPERATION), "How it is looked for."),
        Key::may("external_id", Shape::Expression, "What it is called there, from the answer `r`."),
        Key::must("add", Shape::Text, "The action that adds a person."),
        Key::must("remove", Shape::Text, "The action that takes one out."),
    ],
    one_of: &[],
};

static OPERATION: Named = Named {
    name: "an operation",
    says: "Requests that are not for an event.",
    keys: &[
        Key::may("request", Shape::Object(&REQUEST), "The request."),
        Key::may("steps", Shape::List(&Shape::Object(&STEP)), "The requests, in order."),
    ],
    one_of: &["request", "steps"],
};

static DYNAMIC: Named = Named {
    name: "a dynamic field",
    says: "Choices that are asked for while a mapping is written.",
    keys: &[
        Key::must("request", Shape::Object(&REQUEST), "The request."),
        Key::must("choices", Shape::Expression, "A list of `{label, value}`, from the answer `r`."),
    ],
    one_of: &[],
};
