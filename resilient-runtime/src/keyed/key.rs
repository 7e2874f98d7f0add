//! What can be a key, and how it is hashed.

use super::hasher::Secret;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

/// One secret for the whole process, so that a key is hashed once for all that it keys. Keys come from outside: whoever does not know
/// the secret cannot choose many that fall into one place, short of measuring times; `SipHash`, which is safe from that too, costs
/// about 15 % of a keyed call, measured.
static SECRET: LazyLock<Secret> = LazyLock::new(Secret::new);

pub(super) fn hash<Q: Hash + ?Sized>(key: &Q) -> u64 {
    SECRET.hash_one(key)
}

/// Strips the reference that a key is given by, so that a `&str` is a `str`: [`ToOwned`] of a reference is the reference.
#[doc(hidden)]
pub trait Peel {
    fn resilient_peel(&self) -> Peeled<'_, Self> {
        Peeled(self)
    }
}

impl<Q: ?Sized> Peel for Q {}

/// A key without the reference that it was given by.
#[doc(hidden)]
#[derive(Debug)]
pub struct Peeled<'k, Q: ?Sized>(pub(super) &'k Q);

/// The key as one's own.
#[doc(hidden)]
#[must_use]
pub fn kept<Q: Key<Kept: Clone> + ?Sized>(Peeled(key): Peeled<'_, Q>) -> Q::Kept {
    key.keep()
}

/// What `key` takes: it is compared and hashed as it is, borrowed or not, and owned once it is kept.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a `key`",
    label = "this `{Self}` cannot be kept, compared and hashed",
    note = "a key is text, a number, a tuple, or a type of yours that derives `Clone`, `PartialEq`, `Eq` and `Hash` and is `Send`"
)]
pub trait Key: Hash + Eq {
    type Kept: Borrow<Self> + Hash + Eq + Send + 'static;
    fn keep(&self) -> Self::Kept;
}

#[diagnostic::do_not_recommend]
impl<Q> Key for Q
where
    Q: ToOwned + Hash + Eq + ?Sized,
    Q::Owned: Hash + Eq + Send + 'static,
{
    type Kept = Q::Owned;

    fn keep(&self) -> Q::Owned {
        self.to_owned()
    }
}
