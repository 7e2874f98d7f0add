//! `google.rpc.RetryInfo` in the details of a status, read and written as Protocol Buffers encode it.
//!
//! ```text
//! Status { int32 code = 1; string message = 2; repeated Any details = 3; }
//! Any { string type_url = 1; bytes value = 2; }
//! RetryInfo { Duration retry_delay = 1; }
//! Duration { int64 seconds = 1; int32 nanos = 2; }
//! ```

use std::time::Duration;

const TYPE: &str = "google.rpc.RetryInfo";

/// How long the server asks to stay away. What cannot be read is no wish.
pub(super) fn read(status: &[u8]) -> Option<Duration> {
    Fields(status).filter_map(|field| field.message(3)).find_map(retry_delay)
}

fn retry_delay(any: &[u8]) -> Option<Duration> {
    let type_url = Fields(any).find_map(|field| field.message(1))?;
    let is_retry_info = type_url.rsplit(|byte| *byte == b'/').next() == Some(TYPE.as_bytes());
    let info = Fields(any).find_map(|field| field.message(2)).filter(|_| is_retry_info)?;
    let delay = Fields(info).find_map(|field| field.message(1))?;
    let number = |wanted| Fields(delay).find_map(|field| field.number(wanted)).unwrap_or(0);
    let (seconds, nanos) = (number(1).cast_signed(), number(2).cast_signed());
    // Negative ones are no wish.
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(seconds).ok()?, nanos))
}

/// The details of a status that says so.
pub(super) fn write(code: i32, message: &str, wait: Duration) -> Vec<u8> {
    let mut delay = Vec::new();
    put_number(&mut delay, 1, wait.as_secs());
    put_number(&mut delay, 2, wait.subsec_nanos().into());
    let mut info = Vec::new();
    put_message(&mut info, 1, &delay);
    let mut any = Vec::new();
    put_message(&mut any, 1, format!("type.googleapis.com/{TYPE}").as_bytes());
    put_message(&mut any, 2, &info);
    let mut status = Vec::new();
    put_number(&mut status, 1, i64::from(code).cast_unsigned());
    put_message(&mut status, 2, message.as_bytes());
    put_message(&mut status, 3, &any);
    status
}

struct Field<'b> {
    number: u64,
    value: Value<'b>,
}

enum Value<'b> {
    Number(u64),
    Message(&'b [u8]),
    Fixed,
}

impl<'b> Field<'b> {
    fn message(&self, number: u64) -> Option<&'b [u8]> {
        match self.value {
            Value::Message(bytes) if self.number == number => Some(bytes),
            _ => None,
        }
    }

    fn number(&self, number: u64) -> Option<u64> {
        match self.value {
            Value::Number(value) if self.number == number => Some(value),
            _ => None,
        }
    }
}

/// The fields of a message, as far as they can be read.
struct Fields<'b>(&'b [u8]);

impl<'b> Iterator for Fields<'b> {
    type Item = Field<'b>;

    fn next(&mut self) -> Option<Field<'b>> {
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        field
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Option<Field<'b>> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Message(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        Some(Field { number: tag >> 3, value })
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let &[byte] = self.take(1)? else { return None };
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

fn put_number(bytes: &mut Vec<u8>, field: u8, value: u64) {
    bytes.push(field << 3);
    put_varint(bytes, value);
}

fn put_message(bytes: &mut Vec<u8>, field: u8, value: &[u8]) {
    bytes.push(field << 3 | 2);
    put_varint(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::new(3, 500_000_000);

    /// `{ code: 14, message: "no", details: [DebugInfo {}, RetryInfo { retry_delay: 3.5 s }] }` as `protoc --encode` writes it.
    fn encoded() -> Vec<u8> {
        let mut bytes = b"\x08\x0e\x12\x02no".to_vec();
        bytes.extend_from_slice(b"\x1a\x2c\x0a\x28type.googleapis.com/google.rpc.DebugInfo\x12\x00");
        bytes.extend_from_slice(
            b"\x1a\x36\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x0a\x0a\x08\x08\x03\x10\x80\xca\xb5\xee\x01",
        );
        bytes
    }

    #[test]
    fn it_is_found_among_other_details() {
        assert_eq!(read(&encoded()), Some(WAIT));
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\x08\x0e\x12\x02no"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        for wait in [Duration::ZERO, WAIT, Duration::from_nanos(1), Duration::from_secs(u64::MAX >> 1)] {
            assert_eq!(read(&write(8, "slow down", wait)), Some(wait));
        }
    }

    #[test]
    fn a_negative_delay_is_no_wish() {
        let any = |delay: &[u8]| {
            let mut info = Vec::new();
            put_message(&mut info, 1, delay);
            let mut any = Vec::new();
            put_message(&mut any, 1, TYPE.as_bytes());
            put_message(&mut any, 2, &info);
            any
        };
        let mut delay = Vec::new();
        put_number(&mut delay, 1, (-1_i64).cast_unsigned());
        assert_eq!(retry_delay(&any(&delay)), None);
        assert_eq!(retry_delay(&any(&[])), Some(Duration::ZERO));
        for (nanos, read) in [(999_999_999, Some(Duration::from_nanos(999_999_999))), (1_000_000_000, None)] {
            let mut delay = Vec::new();
            put_number(&mut delay, 2, nanos);
            assert_eq!(retry_delay(&any(&delay)), read, "nanoseconds below a second");
        }
    }

    #[test]
    fn fields_of_every_kind_may_stand_beside_it() {
        for other in [&b"\x79\x01\x02\x03\x04\x05\x06\x07\x08"[..], b"\x7d\x01\x02\x03\x04", b"\x7a\x01\x02", b"\x78\x80\x01"] {
            assert_eq!(read(&[other, &encoded()].concat()), Some(WAIT), "{other:?}");
        }
    }

    #[test]
    fn a_number_that_never_ends_is_none() {
        assert_eq!(Fields(&[0x80; 64]).varint(), None);
        assert_eq!(read(&[&[0x80; 64][..], &encoded()].concat()), None);
    }

    #[test]
    fn what_breaks_off_anywhere_is_read_without_harm() {
        let whole = encoded();
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
        for at in 0..whole.len() {
            for byte in [0x00, 0x07, 0x7f, 0x80, 0xff] {
                let mut garbled = whole.clone();
                garbled[at] = byte;
                read(&garbled);
            }
        }
    }
}
