//! Wrong requests.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use expect_test::expect_file;

use crate::world::{World, ask, send};

fn world() -> World {
    let mut world = World::new();
    world.send(&[r#"{"type":"identify","userId":"u","traits":{"a":1}}"#]);
    world
}

#[tokio::test]
async fn wrong_parameters_and_paths_are_answered_in_segments_words() {
    let world = world();
    let mut seen = String::new();
    for path in [
        "/users/profiles/user_id:nobody/traits",
        "/users/profiles/user_id/traits",
        "/users/profiles/user_id:/traits",
        "/users/profiles/user_id:%ff/traits",
        "/users/profiles/user_id:%4/traits",
        "/us!ers/profiles/user_id:u/traits",
        "/people/profiles/user_id:u/traits",
        "/users/profiles/user_id:u/nothing",
        "/users/profiles/user_id:u/traits?limit=0",
        "/users/profiles/user_id:u/traits?limit=10001",
        "/users/profiles/user_id:u/traits?class=other",
        "/users/profiles/user_id:u/traits?verbose=yes",
        "/users/profiles/user_id:u/traits?at=soon",
        "/users/profiles/user_id:u/traits?wait_for=7",
        "/users/profiles/user_id:u/traits?include=%zz",
        "/users/profiles/user_id:u/external_ids?next=browser",
        "/users/profiles/user_id:u/events?next=browser",
        "/users/profiles/user_id:u/events?sort=up",
        "/users/profiles/user_id:u/events?start=x",
        "/users/search",
        "/users/search?trait=a",
        "/users/search?trait=a&value=1&next=zz",
    ] {
        let answer = world.get(path).await;
        let error = &answer.json()["error"];
        let (status, code) = (answer.status.as_u16(), error["code"].as_str().expect("a code"));
        seen.push_str(&format!(
            "{path}\n  {status} {code}: {}\n",
            error["message"].as_str().expect("text")
        ));
    }
    expect_file!["shapes/errors.txt"].assert_eq(&seen);
}

#[tokio::test]
async fn a_space_that_is_not_there_is_not_found() {
    let uri = "/v1/spaces/other/collections/users/profiles/user_id:u/traits";
    let answer = ask(world().router(), "GET", uri, "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.json()["error"]["code"], "not_found");
}

#[tokio::test]
async fn other_methods_are_refused_and_there_is_no_cors() {
    let uri = "/v1/spaces/default/collections/users/profiles/user_id:u/traits";
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = ask(world().router(), method, uri, "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        let cors = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors.count(), 0);
    }
}

#[tokio::test]
async fn without_a_token_for_the_space_nothing_is_told() {
    let world = world();
    let with = async |space: &str, token: Option<&str>| {
        let uri = format!("/v1/spaces/{space}/collections/users/profiles/user_id:u/traits");
        let mut request = Request::builder().uri(uri);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token);
        }
        send(world.router(), request.body(Body::empty()).expect("a request")).await
    };
    // `secret`, `secret:`, `secret:x`, and the token of `Bearer`.
    for good in ["Basic c2VjcmV0", "basic c2VjcmV0Og==", "Basic c2VjcmV0Ong=", "Bearer secret"] {
        assert_eq!(with("default", Some(good)).await.status, StatusCode::OK, "{good}");
    }
    for bad in [
        None,
        Some(""),
        Some("Basic"),
        Some("Basic !!"),
        Some("Basic d3Jvbmc6"),
        Some("Other secret"),
    ] {
        for space in ["default", "nowhere"] {
            let answer = with(space, bad).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{bad:?}");
            assert_eq!(answer.json()["error"]["code"], "authentication_error");
            assert_eq!(answer.headers["www-authenticate"], "Basic");
        }
    }
    let forbidden = with("forbidden", Some("Basic c2VjcmV0")).await;
    assert_eq!(forbidden.status, StatusCode::UNAUTHORIZED);
}
