//! What makes two requests the same one.

use selfsame_destinations::Request;
use sha2::{Digest as _, Sha256};

/// Method, address and body: not the headers, which have times and tokens in them.
pub(crate) fn of(request: &Request) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [request.method.as_str(), request.url.as_str(), request.body.text()] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
