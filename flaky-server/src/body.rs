//! The body of a request, by length or in chunks.

use httparse::{EMPTY_HEADER, Header, InvalidChunkSize, Status};

use crate::request::Malformed;

const MOST_TRAILERS: usize = 16;

enum Framing {
    Length(usize),
    Chunked,
}

/// The body that `bytes` begin with and its length on the wire, or nothing while part of it is missing.
pub(crate) fn parse(headers: &[Header<'_>], bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    match Framing::announced(headers)? {
        Framing::Length(length) => Ok(bytes.get(..length).map(|body| (body.to_vec(), length))),
        Framing::Chunked => unchunk(bytes),
    }
}

impl Framing {
    fn announced(headers: &[Header<'_>]) -> Result<Self, Malformed> {
        if let Some(coding) = value(headers, "Transfer-Encoding") {
            let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
            return if is_chunked { Ok(Self::Chunked) } else { Err(Malformed) };
        }
        let length = value(headers, "Content-Length").unwrap_or(b"0");
        let length = str::from_utf8(length).map_err(|_| Malformed)?;
        length.parse().map(Self::Length).map_err(|_| Malformed)
    }
}

fn value<'h>(headers: &[Header<'h>], name: &str) -> Option<&'h [u8]> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    Some(header.value)
}

fn unchunk(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    let mut body = Vec::new();
    let mut rest = bytes;
    while let Some((chunk, after)) = chunk(rest)? {
        if chunk.is_empty() {
            return Ok(after_trailers(after)?.map(|after| (body, bytes.len() - after.len())));
        }
        body.extend_from_slice(chunk);
        rest = after;
    }
    Ok(None)
}

/// A chunk, empty if it is the last, and what follows it.
type ChunkAndRest<'b> = (&'b [u8], &'b [u8]);

fn chunk(bytes: &[u8]) -> Result<Option<ChunkAndRest<'_>>, Malformed> {
    let Status::Complete((line_length, size)) = httparse::parse_chunk_size(bytes)? else {
        return Ok(None);
    };
    let size = usize::try_from(size).map_err(|_| Malformed)?;
    let Some((chunk, after)) = bytes[line_length..].split_at_checked(size) else {
        return Ok(None);
    };
    if chunk.is_empty() {
        return Ok(Some((chunk, after)));
    }
    Ok(after_line_break(after)?.map(|after| (chunk, after)))
}

fn after_line_break(bytes: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    match bytes {
        [] | [b'\r'] => Ok(None),
        [b'\r', b'\n', after @ ..] => Ok(Some(after)),
        _ => Err(Malformed),
    }
}

fn after_trailers(bytes: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let mut slots = [EMPTY_HEADER; MOST_TRAILERS];
    match httparse::parse_headers(bytes, &mut slots)? {
        Status::Complete((length, _)) => Ok(Some(&bytes[length..])),
        Status::Partial => Ok(None),
    }
}

impl From<InvalidChunkSize> for Malformed {
    fn from(_: InvalidChunkSize) -> Self {
        Self
    }
}
