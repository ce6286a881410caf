//! The browser SDKs as they are served: a script of each with the write key put in, and their parts.
//!
//! A script is compressed once, in two halves around the key. A key goes between them as a stored
//! block, so that no request compresses anything and nothing is kept per key.

use std::collections::BTreeMap;
use std::io::Write;

use bytes::Bytes;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

use crate::BrowserSdk;

const PLACE: &[u8] = b"__WRITE_KEY__";
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff];

/// The bytes of the browser SDKs, by the one who built them; [`Scripts::default`] has none.
#[derive(Debug, Default)]
pub struct Scripts {
    official: Option<Main>,
    selfsame: Option<Main>,
    bundles: BTreeMap<String, Served>,
}

/// Something to serve, plain and compressed.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) plain: Bytes,
    pub(crate) gzip: Bytes,
    pub(crate) tag: String,
}

#[derive(Debug)]
struct Main {
    before: Half,
    after: Half,
}

#[derive(Debug)]
struct Half {
    plain: Vec<u8>,
    deflated: Vec<u8>,
    crc: Crc,
}

impl Scripts {
    /// With this SDK: a script with `__WRITE_KEY__` in it once, and its parts by their file names.
    #[must_use]
    pub fn with(
        mut self,
        sdk: BrowserSdk,
        script: &[u8],
        bundles: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Self {
        let at = script.windows(PLACE.len()).position(|window| window == PLACE);
        let (before, after) = match at {
            Some(at) => (&script[..at], &script[at + PLACE.len()..]),
            None => (script, &[][..]),
        };
        let main = Main { before: Half::new(before, false), after: Half::new(after, true) };
        match sdk {
            BrowserSdk::Official => self.official = Some(main),
            BrowserSdk::Selfsame => self.selfsame = Some(main),
        }
        self.bundles.extend(bundles.into_iter().map(|(name, plain)| (name, Served::new(plain))));
        self
    }

    /// Whether there is a script.
    pub fn is_built(&self) -> bool {
        self.official.is_some() || self.selfsame.is_some()
    }

    /// The script for a key, which has letters, digits, `-` and `_` only.
    pub(crate) fn script(&self, sdk: BrowserSdk, key: &str) -> Option<Served> {
        let main = match sdk {
            BrowserSdk::Official => &self.official,
            BrowserSdk::Selfsame => &self.selfsame,
        };
        let Main { before, after } = main.as_ref()?;
        let mut crc = Crc::new();
        crc.update(key.as_bytes());
        let plain = [&before.plain, key.as_bytes(), &after.plain].concat();
        let mut whole = Crc::new();
        for part in [&before.crc, &crc, &after.crc] {
            whole.combine(part);
        }
        let length = u16::try_from(key.len()).ok()?;
        let mut gzip = GZIP_HEAD.to_vec();
        gzip.extend_from_slice(&before.deflated);
        gzip.push(0);
        gzip.extend_from_slice(&length.to_le_bytes());
        gzip.extend_from_slice(&(!length).to_le_bytes());
        gzip.extend_from_slice(key.as_bytes());
        gzip.extend_from_slice(&after.deflated);
        gzip.extend_from_slice(&whole.sum().to_le_bytes());
        gzip.extend_from_slice(&whole.amount().to_le_bytes());
        let tag = tag(&whole);
        Some(Served { plain: plain.into(), gzip: gzip.into(), tag })
    }

    /// A part.
    pub(crate) fn bundle(&self, name: &str) -> Option<&Served> {
        self.bundles.get(name)
    }
}

impl Half {
    /// Compressed so that it ends at a whole byte, and as the end of the stream if it is the last.
    fn new(plain: &[u8], last: bool) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).and_then(|()| encoder.flush()).expect("a vector takes all bytes");
        let deflated = if last {
            encoder.finish().expect("a vector takes all bytes")
        } else {
            encoder.get_ref().clone()
        };
        let mut crc = Crc::new();
        crc.update(plain);
        Self { plain: plain.to_vec(), deflated, crc }
    }
}

impl Served {
    fn new(plain: Vec<u8>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&plain).expect("a vector takes all bytes");
        let gzip = encoder.finish().expect("a vector takes all bytes");
        let mut crc = Crc::new();
        crc.update(&plain);
        Self { plain: plain.into(), gzip: gzip.into(), tag: tag(&crc) }
    }
}

fn tag(crc: &Crc) -> String {
    format!("{:08x}-{:x}", crc.sum(), crc.amount())
}

#[cfg(test)]
mod tests;
