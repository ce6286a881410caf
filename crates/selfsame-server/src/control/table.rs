//! Every operation of the Control API. The router, the permissions and the published document are
//! made from this table.

use std::pin::Pin;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use selfsame_identity::RuleSet;
use serde::Serialize;
use serde_json::Value;

use super::alerts::channels as alert_channels;
use super::asked::Asked;
use super::attempts::requests;
use super::definitions::{members, why};
use super::destinations::{authorize, choices, test};
use super::hint::Hinted;
use super::permission::Permission;
use super::problem::Problem;
use super::shape::{Page, Shape, Shapes};
use super::undo::job as undo_job;
use super::{
    Control, accounting, alerts, attempts, audit, backups, catalogue, dead_letters, dead_ranges,
    definitions, destinations, function_uses, functions, identity, identity_keys, imports,
};
use super::{
    insights, oauth, openapi, people, previews, reconcile, rejected, replays, rule_jobs, schemas,
    session, sources, spaces, state, stream, tail, tokens, trace, undo,
};

/// The method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// The word in the document.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;
type Describe = fn(&mut Shapes) -> Value;

/// What the body of a request is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    /// There is none.
    Nothing,
    /// A JSON object of this schema.
    Json(Describe),
    /// Lines, each a JSON event.
    Lines,
}

impl Takes {
    /// How large a body may be.
    pub(crate) const fn most_bytes(self) -> usize {
        match self {
            Self::Nothing | Self::Json(_) => 1 << 20,
            Self::Lines => 8 << 20,
        }
    }

    /// How long a body may take to come.
    pub(crate) const fn patience(self) -> Duration {
        match self {
            Self::Nothing | Self::Json(_) => Duration::from_secs(30),
            Self::Lines => Duration::from_secs(120),
        }
    }
}

/// One operation.
pub(crate) struct Route {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    pub(crate) permission: Permission,
    pub(crate) summary: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) query: &'static [&'static str],
    pub(crate) headers: &'static [&'static str],
    pub(crate) takes: Takes,
    pub(crate) status: u16,
    pub(crate) media: &'static str,
    pub(crate) answer: Describe,
    pub(crate) call: fn(Control, Asked) -> Answering,
}

impl Route {
    /// Whether the answer is a file that takes much away at once.
    pub(crate) fn is_export(&self) -> bool {
        !matches!(self.media, "application/json" | "text/event-stream")
    }
}

/// What an operation may answer with.
pub(crate) trait Answer {
    const MEDIA: &'static str = "application/json";
    fn describe(all: &mut Shapes) -> Value;
    fn answer(self, status: u16) -> Result<Response, Problem>;
}

impl<T: Serialize + Shape> Answer for T {
    fn describe(all: &mut Shapes) -> Value {
        T::schema(all)
    }

    fn answer(self, status: u16) -> Result<Response, Problem> {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        Ok((status, axum::Json(self)).into_response())
    }
}

macro_rules! call {
    ($handler:expr, $status:literal, $answer:ty) => {
        |control, asked| {
            Box::pin(async move {
                let answer: $answer = $handler(control, asked).await?;
                answer.answer($status)
            })
        }
    };
    ($handler:expr, $status:literal, $answer:ty, $body:ty) => {
        |control, asked| {
            Box::pin(async move {
                let body: $body = asked.body()?;
                let answer: $answer = $handler(control, asked, body).await?;
                answer.answer($status)
            })
        }
    };
}

macro_rules! takes {
    () => {
        Takes::Nothing
    };
    (lines) => {
        Takes::Lines
    };
    (body $body:ty) => {
        Takes::Json(<$body as Shape>::schema)
    };
}

macro_rules! routes {
    ($(
        $verb:ident $path:literal $permission:ident $summary:literal
        $(query [$($query:literal)*])? $(header [$header:expr])? $(takes [$lines:ident])?
        $(body [$body:ty])? $status:literal [$answer:ty] = $handler:expr;
    )+) => {
        /// Every operation.
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            verb: Verb::$verb,
            path: $path,
            permission: Permission::$permission,
            summary: $summary,
            operation: stringify!($handler),
            query: &[$($($query),*)?],
            headers: &[$($header)?],
            takes: takes!($($lines)? $(body $body)?),
            status: $status,
            media: <$answer as Answer>::MEDIA,
            answer: <$answer as Answer>::describe,
            call: call!($handler, $status, $answer $(, $body)?),
        },)+];
    };
}

routes! {
    Get "/api/openapi.json" Read "This document" 200 [Value] = openapi::show;
    Get "/api/state" Read "Where the engine is, and what it counted" 200 [state::State] = state::show;
    Get "/api/workspace" Read "What there is in the workspace" 200 [state::WorkspaceShown] = state::workspace;

    Get "/api/sources" Read "List sources" 200 [Page<sources::SourceShown>] = sources::list;
    Post "/api/sources" Write "Make a source" body [sources::NewSource] 201 [sources::SourceShown] = sources::create;
    Get "/api/sources/{id}" Read "Show a source" 200 [sources::SourceShown] = sources::show;
    Patch "/api/sources/{id}" Write "Change a source" body [sources::SourceChange] 200 [sources::SourceShown] = sources::update;
    Post "/api/sources/{id}/write-keys" Write "Add a write key" body [sources::NewWriteKey] 201 [sources::AddedWriteKey] = sources::add_key;
    Post "/api/sources/{id}/write-keys/rotate" Write "Rotate write keys: first add one beside the old ones, then, with `finish`, revoke all but the newest" body [sources::Rotation] 200 [sources::SourceShown] = sources::rotate;
    Delete "/api/sources/{id}/write-keys/{key}" Write "Revoke a write key" 200 [sources::SourceShown] = sources::revoke_key;
    Get "/api/sources/{id}/identity-keys" Read "List the keys that check identity tokens" 200 [Page<identity_keys::IdentityKeyShown>] = identity_keys::list;
    Post "/api/sources/{id}/identity-keys" Secrets "Add a key that checks identity tokens, beside those there are" body [identity_keys::NewIdentityKey] 201 [identity_keys::AddedIdentityKey] = identity_keys::add;
    Delete "/api/sources/{id}/identity-keys/{key}" Write "Remove a key that checks identity tokens" 200 [sources::SourceShown] = identity_keys::remove;
    Get "/api/sources/{id}/oauth" Read "Show the OAuth clients of a source" 200 [oauth::OAuthShown] = oauth::show;
    Put "/api/sources/{id}/oauth" Write "Say whether a source takes events only with a token of one of its OAuth clients" body [oauth::OAuthChange] 200 [oauth::OAuthShown] = oauth::change;
    Post "/api/sources/{id}/oauth/clients" Write "Add an OAuth client, which gets tokens at POST /oauth2/token" body [oauth::NewOAuthClient] 201 [oauth::AddedOAuthClient] = oauth::add;
    Delete "/api/sources/{id}/oauth/clients/{client}" Write "Remove an OAuth client; its tokens are refused at once" 200 [oauth::OAuthShown] = oauth::remove;
    Post "/api/sources/{id}/oauth/clients/{client}/keys" Write "Add a public key to an OAuth client, beside the one it has" body [oauth::NewOAuthKey] 200 [oauth::OAuthShown] = oauth::add_key;
    Delete "/api/sources/{id}/oauth/clients/{client}/keys/{key}" Write "Remove a public key of an OAuth client" 200 [oauth::OAuthShown] = oauth::remove_key;
    Get "/api/sources/{id}/function" Read "Show the function that makes events of requests to a source" 200 [function_uses::FunctionUseShown] = function_uses::of_source;
    Put "/api/sources/{id}/function" Write "Have a function make events of requests to a source, at POST /fn/KEY" body [function_uses::FunctionUseAsked] 200 [function_uses::FunctionUseShown] = function_uses::set_of_source;
    Delete "/api/sources/{id}/function" Write "Have no function make events of requests to a source any more" 200 [state::Done] = function_uses::unset_of_source;
    Get "/api/sources/{id}/rejected" Events "List events that were set aside, newest first" query ["day" "limit" "next"] 200 [rejected::Rejected] = rejected::list;
    Get "/api/sources/{id}/schema" Events "What the newest events of a source look like: names, properties, types, how often they are null" 200 [schemas::SourceSchema] = schemas::show;

    Get "/api/functions" Read "List functions" 200 [Page<functions::FunctionShown>] = functions::list;
    Post "/api/functions" Write "Make a function; its code is checked" body [functions::NewFunction] 201 [functions::FunctionShown] = functions::create;
    Get "/api/functions/{id}" Read "Show a function with its code" 200 [functions::FunctionShown] = functions::show;
    Patch "/api/functions/{id}" Write "Change a function: other code or settings make another version, which runs at once" body [functions::FunctionChange] 200 [functions::FunctionShown] = functions::update;
    Delete "/api/functions/{id}" Write "Remove a function that is used nowhere" 200 [state::Done] = functions::remove;
    Get "/api/functions/{id}/versions" Read "List the versions of a function, newest first" 200 [Page<functions::FunctionVersionShown>] = functions::versions;
    Get "/api/functions/{id}/versions/{version}" Read "Show a version of a function with its code, as long as the log has it" 200 [functions::FunctionCode] = functions::show_version;
    Post "/api/functions/{id}/roll-back" Write "Make an earlier version of a function the newest" body [functions::FunctionRollBack] 200 [functions::FunctionShown] = functions::roll_back;
    Get "/api/functions/{id}/logs" Events "List the last calls of a function, newest first, with what it printed" query ["limit"] 200 [Page<functions::FunctionCalled>] = functions::logs;

    Get "/api/catalogue" Read "List the destinations that can be made; with `all=true` also programs of the actions pack for which there is a native one" query ["all"] 200 [Page<catalogue::CatalogueEntry>] = catalogue::list;
    Get "/api/catalogue/{id}" Read "Show what a destination that can be made has to be told, and what it can do" 200 [catalogue::CatalogueShown] = catalogue::show;

    Get "/api/spaces" Read "List spaces" 200 [Page<spaces::SpaceShown>] = spaces::list;
    Post "/api/spaces" Write "Make a space" body [spaces::NewSpace] 201 [spaces::SpaceShown] = spaces::create;
    Get "/api/spaces/{id}" Read "Show a space" 200 [spaces::SpaceShown] = spaces::show;
    Patch "/api/spaces/{id}" Write "Change a space" body [spaces::SpaceChange] 200 [Hinted<spaces::SpaceShown>] = spaces::update;
    Get "/api/spaces/{id}/accounting" Read "What became of everything: what came, what was set aside, and what each destination made of the rest" 200 [accounting::AccountingShown] = accounting::show;
    Post "/api/spaces/{id}/reconcile" Events "What became of each event of a period at two destinations, and which events differ and why; nothing is sent" body [reconcile::ReconcileWish] 200 [reconcile::ReconcileFound] = reconcile::reconcile;
    Get "/api/spaces/{id}/rules" Read "Show identity rules" 200 [RuleSet] = spaces::rules;
    Put "/api/spaces/{id}/rules" Write "Set identity rules, in force for events from now on" body [RuleSet] 200 [Hinted<RuleSet>] = spaces::set_rules;
    Post "/api/spaces/{id}/rules/try" Write "Try identity rules out: what would be different, had they been in force from the first event on" body [RuleSet] 202 [rule_jobs::RuleJobShown] = rule_jobs::try_out;
    Post "/api/spaces/{id}/rules/publish" Write "Put identity rules in force as if they had been so from the first event on" body [RuleSet] 202 [rule_jobs::RuleJobShown] = rule_jobs::publish;
    Get "/api/spaces/{id}/rules/job" Events "How far trying or publishing rules is, and what it found" 200 [rule_jobs::RuleJobShown] = rule_jobs::show;
    Delete "/api/spaces/{id}/rules/job" Write "Stop trying or publishing rules" 200 [rule_jobs::RuleJobShown] = rule_jobs::stop;
    Get "/api/spaces/{id}/indexed-traits" Read "List the traits that searches find" 200 [spaces::IndexedTraits] = spaces::indexed;
    Put "/api/spaces/{id}/indexed-traits" Write "Set the traits that searches find, indexed from now on" body [spaces::IndexedTraits] 200 [spaces::IndexedTraits] = spaces::set_indexed;
    Get "/api/spaces/{id}/insights" Events "List limits, blocks and duplicates that events met, newest first" query ["kind" "limit" "next"] 200 [insights::Insights] = insights::list;
    Get "/api/spaces/{id}/identity/why" Events "Why two identifiers are one profile, or why they are not" query ["from" "to" "collection"] 200 [identity::IdentityWhy] = identity::why;
    Get "/api/spaces/{id}/identity/merges" Events "Every merge of a profile, made and refused, and every device that moved, in the order of the log" query ["of" "collection" "limit"] 200 [identity::IdentityMerges] = identity::merges;
    Get "/api/spaces/{id}/identity/health" Events "How healthy the identity graph is: sizes of profiles, limits that were met, identifiers that many profiles want" query ["collection" "limit"] 200 [identity::IdentityHealthShown] = identity::health;
    Get "/api/spaces/{id}/identity/proposals" Events "Profiles that have more than the rules in force would let them, and how each could be taken apart; nothing is done" query ["collection" "limit" "next"] 200 [identity::IdentityProposals] = identity::proposals;
    Get "/api/spaces/{id}/identity/households" Events "The households of a profile, one for each rule of the space; or one household, by its id" query ["of" "collection"] 200 [identity::IdentityHouseholds] = identity::households;
    Post "/api/spaces/{id}/identity/undo" Identity "Undo a merge, set identifiers apart, split some off or lift that: shows what it would do, and does it with `apply`" body [undo::UndoRequest] 200 [undo::UndoShown] = undo::undo;
    Get "/api/spaces/{id}/identity/undo/job" Events "How far an undo is that a job plans or does, and what it would do or did" 200 [undo::UndoJobShown] = undo_job::show;
    Delete "/api/spaces/{id}/identity/undo/job" Identity "Stop an undo that a job plans or does" 200 [undo::UndoJobShown] = undo_job::stop;
    Get "/api/spaces/{id}/identity/apart" Events "List identifiers that are set apart, with the events that would have joined them" query ["collection" "limit"] 200 [undo::ApartList] = undo::apart;

    Post "/api/spaces/{id}/preview" Audiences "Preview an audience or a computed trait over the history: its size, some members, what they are identified by; nothing is made" body [previews::PreviewWish] 202 [previews::PreviewShown] = previews::start;
    Get "/api/spaces/{id}/preview" Events "How far the preview is, and what it found" 200 [previews::PreviewShown] = previews::show;
    Delete "/api/spaces/{id}/preview" Audiences "Stop the preview" 200 [previews::PreviewShown] = previews::stop;
    Get "/api/spaces/{id}/definitions" Read "List audiences and computed traits" query ["kind"] 200 [Page<definitions::DefinitionShown>] = definitions::list;
    Get "/api/spaces/{id}/definitions/{definition}" Read "Show an audience or a computed trait, and how far it is computed" 200 [definitions::DefinitionShown] = definitions::show;
    Put "/api/spaces/{id}/definitions/{definition}" Audiences "Make an audience or a computed trait, or change it: the earlier one stays in force until the new one is computed" body [definitions::NewDefinition] 200 [definitions::DefinitionShown] = definitions::set;
    Delete "/api/spaces/{id}/definitions/{definition}" Audiences "Remove an audience or a computed trait" 200 [state::Done] = definitions::remove;
    Get "/api/spaces/{id}/definitions/{definition}/counts" Read "How many entered and left an audience on each day, and how many were in it then" 200 [definitions::MemberCounts] = definitions::counts;
    Get "/api/spaces/{id}/definitions/{definition}/why" Events "Why a profile is in an audience or out of it, or has the value that it has: each comparison by itself, with the events that it looks at" query ["of"] 200 [why::DefinitionWhy] = why::why;
    Get "/api/spaces/{id}/definitions/{definition}/members" Events "List the members of an audience, by profile id" query ["limit" "next" "identifiers"] 200 [definitions::MembersShown] = members::list;
    Get "/api/spaces/{id}/definitions/{definition}/members.csv" Events "All members of an audience, as CSV" query ["identifiers"] 200 [members::Csv] = members::csv;
    Get "/api/spaces/{id}/definitions/{definition}/members.jsonl" Events "All members of an audience, one JSON object on each line" query ["identifiers"] 200 [members::JsonLines] = members::json_lines;

    Get "/api/destinations" Read "List destinations with their status" 200 [Page<destinations::DestinationShown>] = destinations::list;
    Post "/api/destinations" Secrets "Make a destination; its secret is shown this once" body [destinations::NewDestination] 201 [destinations::NewSecret] = destinations::create;
    Get "/api/destinations/{id}" Read "Show a destination with its status" 200 [destinations::DestinationShown] = destinations::show;
    Patch "/api/destinations/{id}" Write "Change a destination" body [destinations::DestinationChange] 200 [destinations::DestinationShown] = destinations::update;
    Delete "/api/destinations/{id}" Write "Remove a destination, with its dead letters" 200 [state::Done] = destinations::remove;
    Post "/api/destinations/{id}/test" Write "Send one test event, and show what was answered" 200 [test::TestResult] = test::test;
    Post "/api/destinations/{id}/authorize" Write "Say where somebody agrees that a destination acts for them; the vendor sends them back to /oauth2/callback, and the tokens are sealed" header ["host"] body [authorize::AuthorizeAsked] 200 [authorize::AuthorizeShown] = authorize::authorize;
    Post "/api/destinations/{id}/choices" Write "Ask the tool for the choices of a field of a mapping" body [choices::ChoicesAsked] 200 [choices::ChoicesFound] = choices::choices;
    Get "/api/destinations/{id}/function" Read "Show the function that a destination is" 200 [function_uses::FunctionUseShown] = function_uses::of_destination;
    Put "/api/destinations/{id}/function" Write "Say which function a destination is" body [function_uses::FunctionUseAsked] 200 [function_uses::FunctionUseShown] = function_uses::set_of_destination;
    Delete "/api/destinations/{id}/function" Write "Have a destination wait for a function" 200 [state::Done] = function_uses::unset_of_destination;
    Get "/api/destinations/{id}/insert-function" Read "Show the function in front of a destination" 200 [function_uses::FunctionUseShown] = function_uses::inserted;
    Put "/api/destinations/{id}/insert-function" Write "Have a function change or drop what a destination gets" body [function_uses::FunctionUseAsked] 200 [function_uses::FunctionUseShown] = function_uses::set_inserted;
    Delete "/api/destinations/{id}/insert-function" Write "Have no function in front of a destination any more" 200 [state::Done] = function_uses::unset_inserted;
    Post "/api/destinations/{id}/resume" Write "Send again after the receiver answered 410, refused the credentials or was too far behind, or probe one that is down" 200 [state::Done] = destinations::resume;
    Post "/api/destinations/{id}/secret/rotate" Secrets "Rotate the secret: first sign with both, then, with `finish`, with the new one only" body [destinations::SecretRotation] 200 [destinations::RotatedSecret] = destinations::rotate;
    Get "/api/destinations/{id}/dead-letters" Events "List dead letters" query ["replay" "limit" "next"] 200 [dead_letters::DeadLetters] = dead_letters::list;
    Get "/api/destinations/{id}/dead-letters/causes" Events "List dead letters by cause: the failure, the status, and what the receiver answered without what differs from letter to letter" query ["replay"] 200 [dead_letters::DeadCauses] = dead_letters::causes;
    Post "/api/destinations/{id}/dead-letters/resend" Write "Send dead letters again, as they are rendered now: all, these, those of one failure, or of one cause" body [dead_letters::Resend] 200 [dead_letters::Resent] = dead_letters::resend;

    Get "/api/destinations/{id}/dead-ranges" Read "List dead ranges: what was missed while the destination was too far behind" 200 [dead_ranges::DeadRanges] = dead_ranges::list;
    Post "/api/destinations/{id}/dead-ranges/resend" Write "Send dead ranges again: all, or the one that begins there" body [dead_ranges::RangeResend] 200 [dead_ranges::RangeResent] = dead_ranges::resend;

    Get "/api/destinations/{id}/attempts" Events "Search the attempts of a destination, newest first" query ["status" "position" "profile" "since" "replay" "answers" "limit" "next"] 200 [attempts::AttemptsFound] = attempts::list;
    Get "/api/destinations/{id}/attempts/{position}/requests" Events "The requests that an event is delivered by now, or was by what the destination was told at a time; without secrets, timestamps and signatures" query ["at"] 200 [requests::RequestsShown] = requests::requests;

    Get "/api/destinations/{id}/replays" Read "List the newest replays of a destination, with how far each is" 200 [Page<replays::ReplayShown>] = replays::list;
    Post "/api/destinations/{id}/replays" Write "Send a destination the events of a period again, or for the first time, with the keys that they have for ever" body [replays::ReplayWanted] 202 [replays::ReplayShown] = replays::begin;
    Post "/api/destinations/{id}/replays/preview" Write "Look for what a replay would send; nothing is sent" body [replays::ReplayLook] 200 [replays::ReplayFound] = replays::preview;
    Get "/api/destinations/{id}/replays/{number}" Read "How far a replay is" 200 [replays::ReplayShown] = replays::show;
    Delete "/api/destinations/{id}/replays/{number}" Write "End a replay: what it has not sent is not sent any more" 200 [replays::ReplayShown] = replays::cancel;

    Get "/api/alerts" Read "List alerts, those by default included, with what is raised" 200 [Page<alerts::AlertShown>] = alerts::list;
    Get "/api/alerts/{id}" Read "Show an alert, with what is raised" 200 [alerts::AlertShown] = alerts::show;
    Put "/api/alerts/{id}" Write "Make an alert, or change it; one of the id of an alert by default stands in for that" body [alerts::AlertWanted] 200 [alerts::AlertShown] = alerts::set;
    Delete "/api/alerts/{id}" Write "Remove an alert; one by default that was changed is as by default again" 200 [state::Done] = alerts::remove;
    Put "/api/alerts/{id}/silence" Write "Have nobody told of an alert for a while; what is still raised then is told" body [alerts::SilenceWanted] 200 [alerts::AlertShown] = alerts::silence;
    Delete "/api/alerts/{id}/silence" Write "End a silence of an alert" query ["subject"] 200 [alerts::AlertShown] = alerts::unsilence;
    Get "/api/alert-history" Read "List what was raised and cleared, newest first" query ["alert" "limit"] 200 [Page<alerts::AlertTurn>] = alerts::history;
    Get "/api/alert-channels" Read "List who is told of alerts" 200 [Page<alert_channels::AlertChannelShown>] = alert_channels::list;
    Get "/api/alert-channels/{id}" Read "Show a channel" 200 [alert_channels::AlertChannelShown] = alert_channels::show;
    Put "/api/alert-channels/{id}" Secrets "Make a channel, or change it; a secret that is drawn is shown this once" body [alert_channels::AlertChannelWanted] 200 [alert_channels::AlertChannelSet] = alert_channels::set;
    Delete "/api/alert-channels/{id}" Write "Remove a channel" 200 [state::Done] = alert_channels::remove;
    Post "/api/alert-channels/{id}/test" Write "Tell a channel a test, and show what came of it" 200 [alert_channels::AlertChannelTested] = alert_channels::test;

    Get "/api/session" Open "Who one is, and what one may do" 200 [session::SessionShown] = session::show;
    Post "/api/session" Open "Sign in; the session is in a cookie" body [session::SignIn] 200 [session::Signed] = session::sign_in;
    Delete "/api/session" Open "Sign out" 200 [session::SignedOut] = session::sign_out;
    Post "/api/session/link" Open "What a one-time link is for; it is not used up" body [session::LinkAsked] 200 [session::LinkShown] = session::link;
    Post "/api/session/first" Open "Choose a password with a one-time link, and sign in" body [session::LinkUsed] 200 [session::Signed] = session::first;
    Put "/api/session/password" Read "Choose another password; one's other sessions end" body [session::NewPassword] 200 [state::Done] = session::password;
    Get "/api/session/all" Read "List one's own sessions" 200 [Page<session::OwnSession>] = session::all;
    Delete "/api/session/all/{id}" Read "End one of one's own sessions" 200 [state::Done] = session::end;

    Get "/api/members" Members "List members" 200 [Page<people::MemberShown>] = people::list;
    Post "/api/members" Members "Add a member; the link to choose a password is shown this once" body [people::NewMember] 201 [people::MemberLink] = people::add;
    Patch "/api/members/{id}" Members "Change the name or the role of a member" body [people::MemberChange] 200 [people::MemberShown] = people::update;
    Delete "/api/members/{id}" Members "Remove a member; their sessions end" 200 [state::Done] = people::remove;
    Post "/api/members/{id}/link" Members "Make a link to choose a password anew; it is shown this once" 201 [people::MemberLink] = people::link;
    Delete "/api/members/{id}/sessions" Members "End all sessions of a member" 200 [state::Done] = people::end_sessions;
    Get "/api/audit" Audit "List who did what, newest first" query ["who" "operation" "since" "limit" "next"] 200 [audit::AuditFound] = audit::list;

    Get "/api/tokens" Tokens "List tokens" 200 [Page<tokens::TokenShown>] = tokens::list;
    Post "/api/tokens" Tokens "Make a token; it is shown this once" body [tokens::NewToken] 201 [tokens::MadeToken] = tokens::create;
    Delete "/api/tokens/{id}" Tokens "Revoke a token" 200 [state::Done] = tokens::revoke;

    Get "/api/import/{file}" Read "How far the import of a file is" header [imports::KEY_HEADER] 200 [imports::Progress] = imports::progress;
    Post "/api/import" Write "Import lines of a file, each one JSON event; a line that is there already counts once" query ["file" "first_line" "type"] header [imports::KEY_HEADER] takes [lines] 200 [imports::Outcome] = imports::take;
    Post "/api/backup" Operate "Make a backup in a new folder of the server's machine" body [backups::BackupRequest] 200 [backups::BackupDone] = backups::make;

    Get "/api/trace" Events "Every hop of one event" query ["message_id" "position" "before" "limit"] 200 [trace::Trace] = trace::show;
    Get "/api/stream" Read "Numbers of sources and destinations each second, as server-sent events" 200 [stream::Live] = stream::follow;
    Get "/api/tail" Events "Events as they are decided, as server-sent events" query ["source" "type" "event" "profile" "live"] header [tail::RESUME] 200 [tail::Tail] = tail::follow;
}

#[cfg(test)]
mod tests;
