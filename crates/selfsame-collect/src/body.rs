//! Reading a body within limits of size and time.

use std::io::Read;
use std::pin::pin;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::Body;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT};
use tokio::time::{Instant, timeout_at};

use crate::budget::Held;
use crate::{CollectConfig, Problem};

/// Most bytes that are read and thrown away, so that a client gets to read why.
const DRAIN_BYTES: usize = 4 << 20;
/// Below this size, how well a body is compressed does not matter.
const RATIO_FREE_BYTES: usize = 64 << 10;
/// Reserved at once of what was announced; then what has come is doubled.
const FIRST_BYTES: usize = 16 << 10;

/// Reads a whole body and decompresses it; it has at most `limit` bytes in either form.
pub(crate) async fn read<B>(
    config: &CollectConfig,
    headers: &HeaderMap,
    body: B,
    limit: usize,
    held: &mut Held,
) -> Result<Vec<u8>, Problem>
where
    B: Body<Data = Bytes>,
{
    let encoding = encoding(headers);
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or(0);
    let refused = match encoding {
        Err(problem) => Some(problem),
        Ok(_) if announced > limit => Some(Problem::BodyTooLarge),
        Ok(_) => None,
    };
    if let Some(problem) = refused
        && (headers.contains_key(EXPECT) || announced > DRAIN_BYTES)
    {
        return Err(problem);
    }
    let bytes = gather(config, body, announced, limit, refused, held).await?;
    match encoding? {
        Encoding::Plain => Ok(bytes),
        Encoding::Gzip => inflate(&bytes, limit, config.gzip_ratio, held),
    }
}

/// Reads to the end. Once there is a reason to refuse the body, the rest of it is thrown away.
async fn gather<B>(
    config: &CollectConfig,
    body: B,
    announced: usize,
    limit: usize,
    mut refused: Option<Problem>,
    held: &mut Held,
) -> Result<Vec<u8>, Problem>
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let started = Instant::now();
    let (mut bytes, mut received) = (Vec::new(), 0_usize);
    loop {
        let deadline = started + config.patience(received);
        let Ok(frame) = timeout_at(deadline, body.as_mut().frame()).await else {
            return Err(Problem::BodyTooSlow);
        };
        let Some(frame) = frame else { break };
        let Ok(part) = frame.map_err(|_| Problem::BodyBroken)?.into_data() else { continue };
        received = received.saturating_add(part.len());
        if refused.is_none() && received > limit {
            refused = Some(Problem::BodyTooLarge);
        }
        if refused.is_none() && !held.grow(part.len()) {
            refused = Some(Problem::Busy);
        }
        match refused {
            Some(problem) if received > DRAIN_BYTES => return Err(problem),
            Some(_) => bytes = Vec::new(),
            None => {
                if bytes.capacity() < received {
                    let likely = if announced < received { limit } else { announced };
                    let target =
                        likely.min(received.saturating_mul(2).max(announced.min(FIRST_BYTES)));
                    bytes.reserve_exact(target.max(received) - bytes.len());
                }
                bytes.extend_from_slice(&part);
            }
        }
    }
    refused.map_or(Ok(bytes), Err)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let mut encoding = Encoding::Plain;
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = value.to_str().map_err(|_| Problem::EncodingUnknown)?;
        for name in value.split(',').map(str::trim) {
            let gzip = name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip");
            match encoding {
                _ if name.is_empty() || name.eq_ignore_ascii_case("identity") => {}
                Encoding::Plain if gzip => encoding = Encoding::Gzip,
                _ => return Err(Problem::EncodingUnknown),
            }
        }
    }
    Ok(encoding)
}

/// Decompresses piece by piece, and stops at the piece that goes too far.
fn inflate(bytes: &[u8], limit: usize, ratio: u32, held: &mut Held) -> Result<Vec<u8>, Problem> {
    let most = bytes.len().saturating_mul(ratio as usize).max(RATIO_FREE_BYTES);
    let mut decoder = MultiGzDecoder::new(bytes);
    let mut inflated = Vec::with_capacity((bytes.len() * 8).clamp(512, limit.max(512)));
    let mut piece = [0; 8 << 10];
    loop {
        let count = decoder.read(&mut piece).map_err(|_| Problem::GzipInvalid)?;
        if count == 0 {
            return Ok(inflated);
        }
        let length = inflated.len() + count;
        if length > limit {
            return Err(Problem::BodyTooLarge);
        }
        if length > most {
            return Err(Problem::GzipBomb);
        }
        if !held.grow(count) {
            return Err(Problem::Busy);
        }
        inflated.extend_from_slice(&piece[..count]);
    }
}

#[cfg(test)]
mod tests;
