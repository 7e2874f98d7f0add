//! Every rule about paths and answers.

use crate::answer::{Answer, Ending};
use crate::error::Error;

/// They frame the message: a wrong one would be a fault that nobody scripted.
const WRITTEN_BY_THE_SERVER: [&str; 4] = ["Connection", "Content-Length", "Date", "Transfer-Encoding"];

pub(crate) fn path(path: &str) -> Result<(), Error> {
    let is_valid = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#');
    ensure(is_valid, || Error::Path(path.to_owned()))
}

pub(crate) fn answer(answer: &Answer) -> Result<(), Error> {
    status(answer.status)?;
    body(answer)?;
    answer.headers.iter().try_for_each(|(name, value)| header(name, value))
}

fn status(status: u16) -> Result<(), Error> {
    ensure((200..=999).contains(&status), || Error::Status(status))
}

fn body(answer: &Answer) -> Result<(), Error> {
    let wants_body = !answer.body.is_empty() || answer.ending == Ending::CutMidBody;
    ensure(may_have_body(answer.status) || !wants_body, || Error::Bodiless(answer.status))
}

pub(crate) fn may_have_body(status: u16) -> bool {
    !matches!(status, 204 | 304)
}

fn header(name: &str, value: &str) -> Result<(), Error> {
    let is_reserved = WRITTEN_BY_THE_SERVER.iter().any(|reserved| reserved.eq_ignore_ascii_case(name));
    let is_valid = !name.is_empty() && name.bytes().all(is_name_byte) && value.bytes().all(is_value_byte);
    ensure(is_valid && !is_reserved, || Error::Header(name.to_owned()))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

fn ensure(holds: bool, error: impl FnOnce() -> Error) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(error()) }
}
