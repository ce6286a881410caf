//! The routes of the Profile API.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use selfsame_event::Time;
use selfsame_pipeline::{
    AsOf, EventQuery, Found, HouseholdBudget, JsonArray, JsonObject, Matches, SearchBudget,
    SpaceRead, TraitQuery,
};
use selfsame_profile::{Order, ProfileView, Query};
use serde::Deserialize;

use crate::api::{Cost, ProfileApi};
use crate::asked::Asked;
use crate::cursor;
use crate::params::{Params, profile_ref};
use crate::problem::Problem;
use crate::show::{self, Cursor, Links};
use crate::traits::{self, AnyTrait, Class};

/// How many profiles one batch may ask for.
const BATCH: usize = 100;
const MAP: &str = "map_";

type Answer = Result<Response, Problem>;

impl ProfileApi {
    /// Answers about the profile that the path names.
    async fn about(
        &self,
        asked: Asked,
        cost: Cost,
        show: impl FnOnce(&Asked, &Found<'_>) -> Result<String, Problem> + Send + 'static,
    ) -> Answer {
        let wait_for = asked.params.position("wait_for")?;
        let cost = if asked.at()?.is_some() { Cost::Scan } else { cost };
        let space = asked.space.clone();
        let work = move |read: &SpaceRead| show(&asked, &asked.find(read)?);
        self.answer(space, wait_for, cost, work).await
    }
}

/// `GET …/{id}/traits`
pub(crate) async fn traits(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    let now = api.now();
    api.about(asked, Cost::Read, move |asked, found| {
        let params = &asked.params;
        let (include, limit) = (params.list("include"), params.limit(10)?);
        let (verbose, from) = (params.flag("verbose")?, params.get("next").unwrap_or_default());
        let (class, at) = (params.get("class").map(Class::parse).transpose()?, asked.at()?);
        if at.is_some() && class.is_some_and(Class::is_computed) {
            let message =
                "With `at` there are custom traits only: what definitions come to is known of now.";
            return Err(Problem::invalid(message));
        }
        let is_wanted = |one: &&AnyTrait<'_>| {
            let included = include.is_empty() || include.iter().any(|key| key == one.key());
            class.is_none_or(|class| class == one.class()) && included && one.key() >= from
        };
        with_view(found, at, |view, as_of| {
            let all = all_traits(found, view, as_of, now)?;
            let mut wanted = all.iter().filter(is_wanted);
            let shown = traits::show(found.space(), wanted.by_ref().take(limit), verbose);
            let next = wanted.next().map(|one| one.key().to_owned());
            let cursor = Cursor { next, limit }.show(&show::url(found, "traits"));
            let mut out = JsonObject::default();
            out.raw("traits", &shown).raw("cursor", &cursor);
            say_missing(&mut out, as_of);
            Ok(out.finish())
        })
    })
    .await
}

/// All traits of now, or those that events had set by a time.
fn all_traits<'a>(
    found: &'a Found<'_>,
    view: &'a ProfileView<'_>,
    as_of: Option<&AsOf>,
    now: Time,
) -> Result<Vec<AnyTrait<'a>>, Problem> {
    match as_of {
        Some(_) => Ok(traits::custom(view).collect()),
        None => traits::all(found, view, now),
    }
}

/// `GET …/{id}/external_ids`
pub(crate) async fn external_ids(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    api.about(asked, Cost::Read, |asked, found| {
        let params = &asked.params;
        let (include, limit) = (params.list("include"), params.limit(25)?);
        params.flag("verbose")?;
        let from = params.get("next").map(|next| cursor::key(next, MAP)).transpose()?;
        let (at, is_included) = (asked.at()?, |kind: &str| {
            include.is_empty() || include.iter().any(|one| one.eq_ignore_ascii_case(kind))
        });
        let ids = found.external_ids().skip_while(|id| from.is_some_and(|from| id.key != from));
        let mut ids = ids
            .filter(|id| is_included(id.kind) && at.is_none_or(|at| id.created_at <= at))
            .peekable();
        if from.is_some() && ids.peek().is_none() {
            return Err(Problem::invalid("`next` is not a cursor of this resource."));
        }
        let page = ids.by_ref().take(limit).map(|id| show::external_id(found, &id));
        let data = page.collect::<JsonArray>().finish();
        let next = ids.next().map(|id| cursor::of_key(id.key, MAP));
        let cursor = Cursor { next, limit }.show(&show::url(found, "external_ids"));
        Ok(JsonObject::default().raw("data", &data).raw("cursor", &cursor).finish())
    })
    .await
}

/// `GET …/{id}/events`
pub(crate) async fn events(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    api.about(asked, Cost::Read, |asked, found| {
        let query = event_query(&asked.params)?;
        let limit = query.range.limit;
        let page = found.events(&query)?;
        let mut data = JsonArray::default();
        for event in &page.events {
            data.raw(&show::event(found, event)?);
        }
        let next = page.next.map(|key| {
            let last = page.events.iter().find(|event| event.key == key);
            let id = last.map(|event| event.message_id()).unwrap_or_default();
            cursor::of_event(key, &id)
        });
        let cursor = Cursor { next, limit }.show(&show::url(found, "events"));
        let mut out = JsonObject::default();
        out.raw("data", &data.finish()).raw("cursor", &cursor);
        if let Some(from) = found.space().history_from()? {
            out.raw("history_from", &show::history_from(from));
        }
        Ok(out.finish())
    })
    .await
}

fn event_query(params: &Params) -> Result<EventQuery, Problem> {
    let order = match params.get("sort") {
        None | Some("desc") => Order::NewestFirst,
        Some("asc") => Order::OldestFirst,
        Some(_) => return Err(Problem::invalid("`sort` must be asc or desc.")),
    };
    let to = [params.time("end")?, params.time("at")?].into_iter().flatten().min();
    Ok(EventQuery {
        range: Query {
            from: params.time("start")?.unwrap_or(Time::EPOCH),
            to: to.unwrap_or(Time::MAX),
            order,
            behind: params.get("next").map(cursor::event).transpose()?,
            limit: params.limit(100)?,
        },
        include: params.list("include"),
        exclude: params.list("exclude"),
    })
}

/// `GET …/{id}/metadata`
pub(crate) async fn metadata(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    api.about(asked, Cost::Read, |asked, found| {
        asked.params.flag("verbose")?;
        let shown = match asked.at()? {
            Some(at) => found.as_of(at)?.metadata(),
            None => found.metadata(),
        };
        let shown = show::metadata(found.space(), shown.as_ref());
        Ok(JsonObject::default().raw("metadata", &shown).finish())
    })
    .await
}

/// `GET …/{id}/links`
pub(crate) async fn links(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    api.about(asked, Cost::Read, |asked, found| {
        let limit = asked.params.limit(20)?;
        with_view(found, asked.at()?, |_, as_of| {
            let linked = links_of(found, as_of)?;
            Ok(JsonObject::default().raw("data", &show::links(&linked, limit)).finish())
        })
    })
    .await
}

/// `GET …/{id}/merges`
pub(crate) async fn merges(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    api.about(asked, Cost::Read, |_, found| {
        let shown = show::merges(found.space(), &found.merges()?);
        Ok(JsonObject::default().raw("data", &shown).finish())
    })
    .await
}

/// `GET …/{id}`
pub(crate) async fn profile(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    let now = api.now();
    api.about(asked, Cost::Read, move |asked, found| {
        let (read, at, verbose) = (found.space(), asked.at()?, asked.params.flag("verbose")?);
        with_view(found, at, |view, as_of| {
            let ids = found.external_ids().filter(|id| at.is_none_or(|at| id.created_at <= at));
            let ids = ids.map(|id| show::external_id(found, &id)).collect::<JsonArray>().finish();
            let metadata = match as_of {
                Some(as_of) => as_of.metadata(),
                None => found.metadata(),
            };
            let mut merges = found.merges()?;
            merges.retain(|row| at.is_none_or(|at| row.event_time <= at));
            let traits = all_traits(found, view, as_of, now)?;
            let mut out = JsonObject::default();
            out.text("id", &found.id().to_string())
                .text("collection", found.collection().name())
                .raw("traits", &traits::show(read, &traits, verbose))
                .raw("external_ids", &ids)
                .raw("metadata", &show::metadata(read, metadata.as_ref()))
                .raw("links", &show::links(&links_of(found, as_of)?, usize::MAX))
                .raw("merges", &show::merges(read, &merges))
                .raw("events", &view.events.to_string());
            say_missing(&mut out, as_of);
            Ok(out.finish())
        })
    })
    .await
}

/// Shows the profile of now, or as of a time.
fn with_view<T>(
    found: &Found<'_>,
    at: Option<Time>,
    show: impl FnOnce(&ProfileView<'_>, Option<&AsOf>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    match at {
        Some(at) => {
            let as_of = found.as_of(at)?;
            show(&as_of.view(), Some(&as_of))
        }
        None => show(&found.view(), None),
    }
}

/// Says how many events of the past the log no longer has, if there are any.
fn say_missing(out: &mut JsonObject, as_of: Option<&AsOf>) {
    if let Some(as_of) = as_of.filter(|as_of| as_of.missing > 0) {
        out.raw("missing_events", &as_of.missing.to_string());
    }
}

/// The accounts at the other end of group calls, and behind them the households of now.
fn links_of<'s>(found: &Found<'s>, as_of: Option<&AsOf>) -> Result<Links<'s>, Problem> {
    Ok(match as_of {
        // What was said then is known; who else said it is not.
        Some(as_of) => Links { linked: found.links_as_of(as_of)?, households: Vec::new() },
        None => {
            let budget = HouseholdBudget::default();
            let households = found.space().households_of(found, &budget)?;
            Links { linked: found.links()?, households }
        }
    })
}

/// The body of a batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    ids: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

/// `POST …/profiles/batch`
pub(crate) async fn batch(
    State(api): State<ProfileApi>,
    asked: Asked,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let body = body.map_err(|_| Problem::Body("The body could not be read.".into()))?;
    let batch: Batch = serde_json::from_slice(&body)
        .map_err(|_| Problem::Body("The body is not `{\"ids\": […], \"include\": […]}`.".into()))?;
    if batch.ids.len() > BATCH {
        return Err(Problem::invalid(format!("A batch has at most {BATCH} ids.")));
    }
    let wait_for = asked.params.position("wait_for")?;
    let (space, now) = (asked.space.clone(), api.now());
    let work = move |read: &SpaceRead| {
        let mut data = JsonArray::default();
        for id in &batch.ids {
            let found = read.find(asked.collection, &profile_ref(id)?)?;
            let mut out = JsonObject::default();
            out.text("requested", id);
            match &found {
                Some(found) => {
                    let view = found.view();
                    let all = traits::all(found, &view, now)?;
                    let wanted = all.iter().filter(|one| {
                        batch.include.is_empty() || batch.include.iter().any(|key| key == one.key())
                    });
                    out.text("id", &found.id().to_string());
                    out.raw("traits", &traits::show(read, wanted, false));
                }
                None => _ = out.raw("id", "null"),
            }
            data.raw(&out.finish());
        }
        Ok(JsonObject::default().raw("data", &data.finish()).finish())
    };
    api.answer(space, wait_for, Cost::Read, work).await
}

/// `GET …/search`
pub(crate) async fn search(State(api): State<ProfileApi>, asked: Asked) -> Answer {
    let wait_for = asked.params.position("wait_for")?;
    let space = asked.space.clone();
    let work = move |read: &SpaceRead| {
        let params = &asked.params;
        let (limit, collection) = (params.limit(25)?, asked.collection);
        let matches = match (params.get("identifier"), params.get("trait"), params.get("value")) {
            (Some(identifier), None, None) => {
                let mut found = read.search_identifier(collection, identifier)?;
                found.truncate(limit);
                Matches { examined: found.len(), found, next: None }
            }
            (None, Some(name), Some(value)) => {
                let behind = params.get("next").map(|next| cursor::key(next, "")).transpose()?;
                let budget = SearchBudget::default();
                read.search_trait(collection, &TraitQuery { name, value, behind, limit, budget })?
            }
            _ => return Err(Problem::invalid("Give `identifier`, or `trait` and `value`.")),
        };
        let data = matches.found.iter().map(|found| {
            let ids = found.external_ids().map(|id| show::external_id(found, &id));
            JsonObject::default()
                .text("id", &found.id().to_string())
                .raw("external_ids", &ids.collect::<JsonArray>().finish())
                .finish()
        });
        let data = data.collect::<JsonArray>().finish();
        let next = matches.next.map(|key| cursor::of_key(key, ""));
        let complete = if next.is_none() { "true" } else { "false" };
        let url =
            format!("/v1/spaces/{}/collections/{}/search", read.space().id, collection.name());
        Ok(JsonObject::default()
            .raw("data", &data)
            .raw("complete", complete)
            .raw("cursor", &Cursor { next, limit }.show(&url))
            .finish())
    };
    api.answer(space, wait_for, Cost::Scan, work).await
}
