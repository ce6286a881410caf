use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, HeaderValue};

use super::{Encoding, encoding};
use crate::{CollectConfig, Problem};

#[test]
fn one_layer_of_gzip_is_taken_however_it_is_written() {
    let of = |values: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        encoding(&headers)
    };
    assert_eq!(of(&[]), Ok(Encoding::Plain));
    assert_eq!(of(&["", "Identity"]), Ok(Encoding::Plain));
    assert_eq!(of(&["GZIP"]), Ok(Encoding::Gzip));
    assert_eq!(of(&["identity, x-gzip"]), Ok(Encoding::Gzip));
    assert_eq!(of(&["gzip", "gzip"]), Err(Problem::EncodingUnknown));
    assert_eq!(of(&["gzip, br"]), Err(Problem::EncodingUnknown));
    assert_eq!(of(&["br"]), Err(Problem::EncodingUnknown));
}

#[test]
fn patience_grows_with_what_has_come_and_has_an_end() {
    let config = CollectConfig::default();
    assert_eq!(config.patience(0), Duration::from_secs(10));
    assert_eq!(config.patience(10 << 10), Duration::from_secs(20));
    assert_eq!(config.patience(usize::MAX), Duration::from_secs(60));
}
