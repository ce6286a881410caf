//! Random bytes, from the system. The core never sees them but as parts of records.

use selfsame_event::RecordId;

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

/// The id of a new record.
pub(crate) fn record_id() -> RecordId {
    RecordId(bytes())
}

/// A random text of letters and digits.
pub(crate) fn token(prefix: &str, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::from(prefix);
    while text.len() < prefix.len() + length {
        // Bytes that would favour the first letters are drawn again.
        let [byte] = bytes::<1>();
        if usize::from(byte) < ALPHABET.len() * 4 {
            text.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        }
    }
    text
}
