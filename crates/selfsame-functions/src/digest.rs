//! Digests and keyed digests, by the names of Node's `crypto`.

use hmac::Mac as _;
use md5::Digest as _;

/// The digest of the bytes; `None` for a name that is none of the five.
pub(crate) fn digest(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
    let algorithm = match name {
        "md5" => return Some(md5::Md5::digest(bytes).to_vec()),
        "sha1" => &SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => &SHA256,
        "sha384" => &SHA384,
        "sha512" => &SHA512,
        _ => return None,
    };
    Some(digest(algorithm, bytes).as_ref().to_vec())
}

/// The keyed digest (HMAC) of the bytes.
pub(crate) fn keyed(name: &str, key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    use ring::hmac::{
        HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, Key, sign,
    };
    let algorithm = match name {
        "md5" => {
            let mut mac = hmac::Hmac::<md5::Md5>::new_from_slice(key).ok()?;
            mac.update(bytes);
            return Some(mac.finalize().into_bytes().to_vec());
        }
        "sha1" => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => HMAC_SHA256,
        "sha384" => HMAC_SHA384,
        "sha512" => HMAC_SHA512,
        _ => return None,
    };
    Some(sign(&Key::new(algorithm, key), bytes).as_ref().to_vec())
}
