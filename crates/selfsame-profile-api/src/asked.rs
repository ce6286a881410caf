//! What a request asks: who it is from, and the parts of its path and query, all checked.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use selfsame_event::{Collection, Time};
use selfsame_pipeline::{Found, ProfileRef, SpaceRead};

use crate::api::ProfileApi;
use crate::params::{Params, decode, profile_ref};
use crate::problem::Problem;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `v1/spaces/{space}/collections/{collection}/profiles/{id}`
const SPACE: usize = 2;
const COLLECTION: usize = 4;
const PROFILE: usize = 6;
/// Not a profile: where batches are sent to.
const BATCH: &str = "batch";

/// A request that may read its space.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) space: String,
    pub(crate) collection: Collection,
    pub(crate) profile: Option<ProfileRef>,
    pub(crate) params: Params,
}

impl FromRequestParts<ProfileApi> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &ProfileApi) -> Result<Self, Problem> {
        // The framework decodes the parts of a path before it hands them over, and passes on what it
        // cannot decode. Here each is decoded once, and checked.
        let path: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
        let part = |number: usize| path.get(number).copied();
        let space = decode(part(SPACE).unwrap_or_default())?;
        api.admit(parts, Some(&space))?;
        Ok(Self {
            space,
            collection: collection(&decode(part(COLLECTION).unwrap_or_default())?)?,
            profile: part(PROFILE)
                .filter(|id| *id != BATCH)
                .map(|id| profile_ref(&decode(id)?))
                .transpose()?,
            params: Params::read(parts.uri.query().unwrap_or_default())?,
        })
    }
}

impl Asked {
    /// The profile that the path names.
    pub(crate) fn find<'s>(&self, read: &'s SpaceRead) -> Result<Found<'s>, Problem> {
        let wanted = self.profile.as_ref().ok_or(Problem::Profile)?;
        read.find(self.collection, wanted)?.ok_or(Problem::Profile)
    }

    /// The time that is asked about.
    pub(crate) fn at(&self) -> Result<Option<Time>, Problem> {
        self.params.time("at")
    }
}

fn collection(name: &str) -> Result<Collection, Problem> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return Err(Problem::invalid("The collection has invalid characters."));
    }
    Collection::from_name(name).ok_or(Problem::Missing("Collection"))
}

/// The user name of `Basic`, or the token of `Bearer`.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, rest) = value.split_once(' ')?;
    let token = if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
        decoded.split_once(':').map_or(decoded.as_str(), |(user, _)| user).to_owned()
    } else if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else {
        return None;
    };
    Some(token).filter(|token| !token.is_empty())
}
