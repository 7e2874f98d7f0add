//! `return`, `?`, loops, labels, macros, recursion and nesting mean what they mean without the attribute.

use resilient::resilient;
use std::io;

#[resilient(retries = 2, timeout = "1s")]
async fn loops(limit: u32) -> io::Result<u32> {
    let mut sum = 0;
    let found = 'outer: loop {
        for step in 0.. {
            if step > limit {
                break 'outer sum;
            }
            if step % 2 == 0 {
                continue;
            }
            sum += step;
        }
    };
    Ok(found)
}

#[resilient(retries = 2)]
fn early(values: &[i32]) -> io::Result<i32> {
    for value in values {
        if *value < 0 {
            return Err(io::Error::other("negative"));
        }
    }
    let Some(first) = values.first() else { return Ok(0) };
    Ok(*first)
}

#[resilient(retries = 2, base_delay = "1ms")]
async fn recursive(n: u32) -> io::Result<u32> {
    if n == 0 { Ok(0) } else { Ok(1 + Box::pin(recursive(n - 1)).await?) }
}

#[resilient(retries = 2)]
fn recursive_sync(n: u32) -> io::Result<u32> {
    if n == 0 { Ok(0) } else { Ok(1 + recursive_sync(n - 1)?) }
}

#[resilient(retries = 2, timeout = "1s")]
async fn closures(name: &str, list: Vec<u32>) -> io::Result<usize> {
    let async_block = async { name.len() };
    let closure = async |extra: usize| extra + list.len();
    let plain = || list.len() + name.len();
    Ok(async_block.await + closure(1).await + plain())
}

#[resilient(retries = 2, timeout = "1s")]
async fn levels(client: &str, body: String) -> io::Result<usize> {
    Ok(level_two(client, &body).await? + level_two(client, &body).await?)
}

#[resilient(retries = 1, deadline = "1s")]
async fn level_two(client: &str, body: &str) -> io::Result<usize> {
    Ok(client.len() + body.len())
}

#[resilient(retries = 2)]
fn nested(outer: u32) -> io::Result<u32> {
    #[resilient(retries = 1, breaker = "inner")]
    fn inner(outer: u32) -> io::Result<u32> {
        Ok(outer + 1)
    }
    inner(outer)
}

/// # Safety
/// None needed.
#[resilient(retries = 2)]
unsafe fn not_safe(pointer: *const u32) -> io::Result<u32> {
    Ok(unsafe { *pointer })
}

/// # Safety
/// None needed.
#[resilient(retries = 2, timeout = "1s")]
async unsafe fn not_safe_async(value: &u32) -> io::Result<u32> {
    Ok(unsafe { *std::ptr::from_ref(value) })
}

#[resilient(retries = 2, breaker = "foreign", map_err = |_| ())]
#[expect(improper_ctypes_definitions)]
extern "C" fn foreign(value: u32) -> Result<u32, ()> {
    Ok(value)
}

#[unsafe(no_mangle)]
#[resilient(rate = 1000, max_wait = none)]
pub extern "C" fn resilient_ui_exported(value: u32) -> u32 {
    value
}

pub(crate) mod visible {
    #[resilient::resilient(retries = 1)]
    #[must_use = "it says something"]
    #[inline]
    #[cfg(all())]
    pub(super) fn somewhat() -> Result<u32, String> {
        Ok(1)
    }
}

trait Default: Sized {
    #[resilient(retries = 1, deadline = "1s")]
    fn made(self, n: u32) -> io::Result<u32>
    where
        Self: Copy,
    {
        let _copy = self;
        Ok(n)
    }
}

impl Default for u8 {}

macro_rules! generated {
    ($vis:vis $name:ident($argument:ident: $ty:ty) -> $output:ty, $retries:expr, $wait:literal, $body:block) => {
        #[resilient(retries = $retries, timeout = $wait)]
        $vis async fn $name($argument: $ty) -> $output $body

        mod inner {
            #[resilient::resilient(retries = $retries, base_delay = $wait)]
            pub fn $name(mut $argument: $ty) -> $output {
                $argument += 1;
                Ok($argument)
            }
        }
    };
}

generated!(pub generated(value: u32) -> std::io::Result<u32>, 1 + 1, "1s", { Ok(value) });

macro_rules! count {
    ($($name:ident)*) => { 0 $(+ $name)* };
}

#[resilient(retries = 2, timeout = "1s")]
async fn macros(a: u32, mut b: u32) -> io::Result<u32> {
    b += 1;
    let text = format!("{a}{b}");
    println!("{text:>width$}", width = a as usize);
    Ok(count!(a b))
}

#[resilient(retries = 2)]
fn inner_attributes(number: u32) -> io::Result<u32> {
    #![allow(unused_variables)]
    let unused = 1;
    Ok(number)
}

#[resilient(retries = 2, timeout = "1s")]
async fn our_names(__call: u32, __out: u32, __site: u32, __delay: u32, __ret: u32) -> io::Result<u32> {
    Ok(__call + __out + __site + __delay + __ret)
}

#[resilient(retries = 2)]
fn r#type(r#fn: u32, mut r#match: u32) -> io::Result<u32> {
    r#match += 1;
    Ok(r#fn + r#match)
}

#[resilient(retries = 2, clone(r#fn))]
fn raw_cloned(r#fn: String) -> io::Result<String> {
    Ok(r#fn)
}

#[resilient(retries = 1, timeout = "1s")]
async fn configured(#[cfg(all())] mut kept: Vec<u32>, #[cfg(any())] mut dropped: Missing, last: u32) -> io::Result<usize> {
    #[cfg(any())]
    dropped.push(last);
    kept.push(last);
    Ok(kept.len())
}

#[resilient(retries = 1, clone(dropped))]
fn configured_clone(#[cfg(any())] dropped: Missing, last: u32) -> io::Result<u32> {
    Ok(last)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    assert_eq!(loops(4).await?, 4);
    assert_eq!(early(&[3])?, 3);
    assert_eq!((recursive(3).await?, recursive_sync(3)?), (3, 3));
    assert_eq!(closures("ab", vec![1]).await?, 7);
    assert_eq!(levels("ab", "c".into()).await?, 6);
    assert_eq!(nested(1)?, 2);
    assert_eq!(unsafe { not_safe(&7) }?, 7);
    assert_eq!(unsafe { not_safe_async(&7) }.await?, 7);
    assert_eq!(foreign(7), Ok(7));
    assert_eq!(generated(7).await?, 7);
    assert_eq!(inner::generated(7)?, 8);
    assert_eq!((resilient_ui_exported(7), visible::somewhat(), 1_u8.made(7)?), (7, Ok(1), 7));
    assert_eq!(macros(1, 2).await?, 4);
    assert_eq!(inner_attributes(7)?, 7);
    assert_eq!(our_names(1, 2, 3, 4, 5).await?, 15);
    assert_eq!(r#type(1, 2)?, 4);
    assert_eq!(raw_cloned("a".into())?, "a");
    assert_eq!(configured(vec![], 1).await?, 1);
    assert_eq!(configured_clone(1)?, 1);
    Ok(())
}
