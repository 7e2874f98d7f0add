//! A customer, read as generously as can be done without guessing.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

#[derive(Debug, PartialEq)]
pub(crate) struct Customer {
    pub(crate) id: i64,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) orders: Option<i64>,
    pub(crate) balance_cents: Option<i64>,
    /// Fields that we do not know, as JSON.
    pub(crate) more: Option<String>,
}

/// Why a record is no customer, and whose it was if that can be said.
#[derive(Debug, PartialEq)]
pub(crate) struct Unreadable {
    pub(crate) id: Option<i64>,
    pub(crate) reason: String,
}

impl Customer {
    pub(crate) fn read(record: &RawValue) -> Result<Self, Unreadable> {
        let without_id = |reason| Unreadable { id: None, reason };
        let mut fields = Fields::read(record).map_err(without_id)?;
        let id = fields.integer("id").and_then(|id| id.ok_or_else(|| "there is no `id`".to_owned())).map_err(without_id)?;
        Self::of(id, fields).map_err(|reason| Unreadable { id: Some(id), reason })
    }

    fn of(id: i64, mut fields: Fields) -> Result<Self, String> {
        Ok(Self {
            id,
            name: fields.text("name")?,
            email: fields.text("email")?,
            country: fields.text("country")?,
            orders: fields.integer("orders")?,
            balance_cents: fields.cents("balance")?,
            more: fields.rest(),
        })
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn read(record: &RawValue) -> Result<Self, String> {
        match serde_json::from_str(record.get()) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err("it is no object".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Text, numbers and truth values as text. Missing, null and blank are the same.
    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        let text = match self.0.remove(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            Some(value) => return Err(format!("`{name}` is {value}, which is no text")),
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn integer(&mut self, name: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("`{name}` is {text:?}, which is no whole number"))
    }

    fn cents(&mut self, name: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        cents(&text).map(Some).ok_or_else(|| format!("`{name}` is {text:?}, which is no amount of money"))
    }

    fn rest(self) -> Option<String> {
        (!self.0.is_empty()).then(|| Value::Object(self.0).to_string())
    }
}

/// Exactly: money is no floating-point number.
fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.trim_end_matches('0').len() > 2 {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<2}")[..2].parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(fraction)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::{Customer, Unreadable, cents};
    use serde_json::value::RawValue;

    fn read(text: &str) -> Result<Customer, Unreadable> {
        Customer::read(&RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn odd_fields_are_understood() {
        let odd = read(r#"{"id":" 7 ","name":null,"email":"","country":49,"orders":"12","balance":12.5,"vip":true}"#).unwrap();
        let plain = Customer {
            id: 7,
            name: None,
            email: None,
            country: Some("49".to_owned()),
            orders: Some(12),
            balance_cents: Some(1250),
            more: Some(r#"{"vip":true}"#.to_owned()),
        };
        assert_eq!(odd, plain);
        assert_eq!(read(r#"{"id":1}"#).map(|customer| (customer.id, customer.more)), Ok((1, None)));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_whose_it_was() {
        let unreadable = |text| read(text).map_err(|unreadable| (unreadable.id, unreadable.reason));
        assert_eq!(unreadable("[1]"), Err((None, "it is no object".to_owned())));
        assert_eq!(unreadable(r#"{"name":"Ali"}"#), Err((None, "there is no `id`".to_owned())));
        assert_eq!(unreadable(r#"{"id":1.5}"#), Err((None, "`id` is \"1.5\", which is no whole number".to_owned())));
        let reason = "`balance` is \"a lot\", which is no amount of money".to_owned();
        assert_eq!(unreadable(r#"{"id":3,"balance":"a lot"}"#), Err((Some(3), reason)));
        assert_eq!(unreadable(r#"{"id":3,"name":["A"]}"#), Err((Some(3), "`name` is [\"A\"], which is no text".to_owned())));
    }

    #[test]
    fn deep_nonsense_and_lone_surrogates_are_refused() {
        assert!(read(&format!(r#"{{"id":1,"x":{}{}}}"#, "[".repeat(500), "]".repeat(500))).is_err());
        assert!(read(r#"{"id":1,"name":"\ud800"}"#).is_err());
    }

    #[test]
    fn money_is_counted_exactly() {
        assert_eq!(["0", "1.5", "-0.05", "1234.50", "12.3400"].map(cents), [0, 150, -5, 123_450, 1234].map(Some));
        assert_eq!(["", ".", "1.", "1.005", "1e3", "+1", "99999999999999999999", "1,50", "²"].map(cents), [None; 9]);
    }
}
