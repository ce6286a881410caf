//! How requests prove who sends them, read.

use selfsame_mapping::Tree;
use serde_json::Value;

use super::{Reader, and, items, known, nothing, text, word};
use crate::auth::{Algorithm, Auth, Hmac, Jwt, OAuth2, SigV4};
use crate::problem::below;

/// A value, where it is, and which names are in reach there.
type Place<'p> = (&'p Value, &'p str, &'p [&'p str]);

impl Reader<'_> {
    fn part(&mut self, (value, at, names): Place<'_>, key: &str) -> Option<Tree> {
        self.tree(value.get(key)?, &below(at, key), names)
    }

    fn need(&mut self, place: Place<'_>, key: &str) -> Tree {
        self.part(place, key).unwrap_or_else(nothing)
    }

    pub(super) fn auth(&mut self, value: &Value, names: &[&str]) -> Auth {
        let Some((kind, one)) = value.as_object().and_then(|map| map.iter().next()) else {
            return Auth::None;
        };
        let at = below("/auth", kind);
        let place = (one, at.as_str(), names);
        match kind.as_str() {
            "basic" => {
                let username = self.need(place, "username");
                Auth::Basic { username, password: self.part(place, "password") }
            }
            "bearer" => Auth::Bearer(self.need(place, "token")),
            "header" => Auth::Headers(self.pairs(Some(one), &at, names)),
            "query" => Auth::Query(self.pairs(Some(one), &at, names)),
            "oauth2" => Auth::OAuth2(Box::new(OAuth2 {
                access_token: known("=auth.access_token"),
                refresh_token: known("=auth.refresh_token"),
                authorize_url: self.part(place, "authorize_url"),
                token_url: self.need(place, "token_url"),
                client_id: self.need(place, "client_id"),
                client_secret: self.need(place, "client_secret"),
                client_in_header: text(one, "client_in") == "header",
                client_credentials: text(one, "grant") == "client_credentials",
                scopes: items(one.get("scopes"))
                    .filter_map(|(_, one)| one.as_str().map(str::to_owned))
                    .collect(),
            })),
            "jwt" => Auth::Jwt(Box::new(Jwt {
                algorithm: match text(one, "algorithm").as_str() {
                    "RS256" => Algorithm::Rs256,
                    _ => Algorithm::Hs256,
                },
                key: self.need(place, "key"),
                key_id: self.part(place, "key_id"),
                claims: self.pairs(one.get("claims"), &below(&at, "claims"), names),
                seconds: one.get("seconds").and_then(Value::as_i64).unwrap_or(300),
                header: word(one, "header"),
            })),
            "sigv4" => Auth::SigV4(Box::new(SigV4 {
                access_key_id: self.need(place, "access_key_id"),
                secret_access_key: self.need(place, "secret_access_key"),
                session_token: self.part(place, "session_token"),
                region: self.need(place, "region"),
                service: self.need(place, "service"),
            })),
            "hmac" => Auth::Hmac(Box::new(self.hmac(one, &at, names))),
            _ => Auth::None,
        }
    }

    pub(super) fn hmac(&mut self, value: &Value, at: &str, names: &[&str]) -> Hmac {
        let signs = value.get("signs");
        Hmac {
            header: text(value, "header"),
            key: self.tree(&value["key"], &below(at, "key"), names).unwrap_or_else(nothing),
            key_is_base64: text(value, "key_encoding") == "base64",
            signs: signs
                .and_then(|one| self.tree(one, &below(at, "signs"), &and(names, &["body"]))),
            sha1: text(value, "algorithm") == "sha1",
            base64: text(value, "encoding") == "base64",
            prefix: text(value, "prefix"),
        }
    }
}
