use hyper::Method;
use selfsame_event::EventType;

use super::Route;

#[test]
fn letters_are_for_browsers_and_names_for_everyone() {
    let of = |path| Route::of(&Method::POST, path);
    let event = |kind, client| Some(Route::Event { kind, client });
    assert_eq!(of("/v1/track"), event(EventType::Track, false));
    assert_eq!(of("/v1/t/"), event(EventType::Track, true));
    assert_eq!(of("/v1/batch"), Some(Route::Batch { client: false }));
    assert_eq!(of("/v1/b"), Some(Route::Batch { client: true }));
    assert_eq!(of("/v1/T"), None);
    assert_eq!(of("/v1/track//"), None);
    assert_eq!(of("/v2/track"), None);
    assert_eq!(of("/v1/tracks"), None);
}

#[test]
fn a_key_in_a_path_may_be_anything_that_is_looked_up_only() {
    let settings = |path| Route::of(&Method::GET, path);
    assert_eq!(settings("/v1/projects/a b/settings"), Some(Route::Settings("a b".to_owned())));
    assert_eq!(settings("/projects//settings"), Some(Route::Settings(String::new())));
    assert_eq!(settings("/v1/v1/projects/a/settings"), None);
}
