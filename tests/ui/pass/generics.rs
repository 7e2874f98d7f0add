//! Generics, const generics, lifetimes, `impl Trait` on both sides.

use resilient::{Rejected, resilient};
use std::fmt::Display;
use std::io;
use std::str::FromStr;

#[resilient(retries = 2, timeout = "1s")]
async fn parse<T>(text: &str) -> Result<T, T::Err>
where
    T: FromStr,
    T::Err: From<Rejected>,
{
    text.parse()
}

#[resilient(retries = 2)]
fn parse_sync<T: FromStr>(text: &str) -> Result<T, T::Err> {
    text.parse()
}

#[resilient(retries = N, timeout = "1s")]
async fn counted<const N: u32, T: Display>(value: T) -> io::Result<String> {
    Ok(format!("{N}{value}"))
}

#[resilient(retries = 2, timeout = "1s")]
async fn own_error<E: From<Rejected>>(fail: impl Fn() -> Result<u32, E>) -> Result<u32, E> {
    fail()
}

#[resilient(retries = 2)]
fn implied(names: impl IntoIterator<Item = &'static str> + Clone) -> io::Result<usize> {
    Ok(names.clone().into_iter().count())
}

#[resilient(retries = 2)]
fn returns_implied(up_to: u32) -> io::Result<impl Iterator<Item = u32> + Clone> {
    Ok(0..up_to)
}

#[resilient(retries = 2, timeout = "1s")]
async fn returns_implied_async(up_to: u32) -> io::Result<impl Fn(u32) -> u32> {
    Ok(move |x| x + up_to)
}

#[resilient(retries = 2, timeout = "1s")]
async fn coerced(flag: bool) -> io::Result<Box<dyn Fn() -> u32>> {
    if flag { Ok(Box::new(|| 1)) } else { Ok(Box::new(|| 2)) }
}

#[resilient(retries = 2, timeout = "1s")]
async fn only_ok() -> Result<&'static str, io::Error> {
    Ok("x")
}

#[resilient(retries = 2, timeout = "1s")]
async fn question_mark(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    if text.is_empty() {
        return Ok(0);
    }
    Ok(text.parse::<u32>()?)
}

#[resilient(retries = 2)]
fn question_mark_sync(text: &str) -> Result<u32, Box<dyn std::error::Error>> {
    let number: u32 = text.parse()?;
    Ok(number)
}

type Answer = Result<u32, io::Error>;
type Res<T> = std::result::Result<T, io::Error>;

#[resilient(retries = 2, timeout = "1s")]
async fn aliased() -> Answer {
    Ok(1)
}

#[resilient(retries = 2)]
fn aliased_with_argument() -> Res<()> {
    Ok(())
}

struct Wrapper<'a, T>(&'a T);

impl<'a, T: Clone> Wrapper<'a, T> {
    #[resilient(retries = 2, timeout = "1s")]
    async fn get(&self) -> io::Result<&'a T> {
        Ok(self.0)
    }

    #[resilient(retries = 2)]
    fn pair<U>(&self, other: U) -> io::Result<(T, usize)>
    where
        U: AsRef<[u8]>,
    {
        Ok((self.0.clone(), other.as_ref().len()))
    }
}

mod shadowed {
    #![expect(dead_code, non_camel_case_types)]

    pub struct Result;
    pub struct Option;
    pub struct Duration;
    pub struct Call;
    pub struct u32;

    #[resilient::resilient(retries = 2, timeout = "1s")]
    pub async fn types(flag: bool) -> std::io::Result<bool> {
        Ok(flag)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    assert_eq!(parse_sync::<u8>("7").ok(), Some(7));
    let _ = async { parse::<Text>("").await };
    assert_eq!(counted::<2, _>("x").await?, "2x");
    assert_eq!(own_error(|| Ok::<_, io::Error>(1)).await?, 1);
    assert_eq!(implied(["a", "b"])?, 2);
    assert_eq!(returns_implied(3)?.clone().sum::<u32>(), 3);
    assert_eq!(returns_implied_async(3).await?(1), 4);
    assert_eq!(coerced(true).await?(), 1);
    assert_eq!(only_ok().await?, "x");
    assert_eq!(question_mark("").await.ok(), Some(0));
    assert_eq!(question_mark_sync("5").ok(), Some(5));
    assert_eq!(aliased().await?, 1);
    aliased_with_argument()?;
    assert_eq!(*Wrapper(&1).get().await?, 1);
    assert_eq!(Wrapper(&1).pair("ab")?, (1, 2));
    assert!(shadowed::types(true).await?);
    Ok(())
}

struct Text;

impl FromStr for Text {
    type Err = io::Error;

    fn from_str(_: &str) -> io::Result<Self> {
        Ok(Self)
    }
}
