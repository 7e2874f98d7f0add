//! How a table keeps a key beside its word.

use super::key::hash;
use std::borrow::Borrow;
use std::hash::Hash;

/// A place for a key, which may be empty: the entry's word tells.
pub(super) trait Cell: Send + 'static {
    type Key: Hash + Eq + Send + 'static;

    /// One for a place that no key has; `spare` is any key.
    fn empty(spare: &dyn Fn() -> Self::Key) -> Self;
    fn of(hash: u64, key: Self::Key) -> Self;
    /// The hash of the key that it holds.
    fn hash(&self) -> u64;
    /// Whether it holds that key, if it holds one.
    fn holds<Q: Eq + ?Sized>(&self, hash: u64, key: &Q) -> bool
    where
        Self::Key: Borrow<Q>;
    /// Gives away what is worth dropping.
    fn clear(&mut self) -> Option<Self::Key>;
}

/// A key that need not be dropped, a number say, takes its own space and no more. Where there is none, any key stands in.
pub(super) struct Plain<K>(K);

impl<K: Hash + Eq + Send + 'static> Cell for Plain<K> {
    type Key = K;

    fn empty(spare: &dyn Fn() -> K) -> Self {
        Self(spare())
    }

    fn of(_hash: u64, key: K) -> Self {
        Self(key)
    }

    fn hash(&self) -> u64 {
        hash(&self.0)
    }

    #[inline]
    fn holds<Q: Eq + ?Sized>(&self, _hash: u64, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.borrow() == key
    }

    fn clear(&mut self) -> Option<K> {
        None
    }
}

/// A key that owns something is asked only when its hash is right, so that its memory is not visited in vain.
pub(super) struct Owned<K> {
    hash: u64,
    key: Option<K>,
}

impl<K: Hash + Eq + Send + 'static> Cell for Owned<K> {
    type Key = K;

    fn empty(_spare: &dyn Fn() -> K) -> Self {
        Self { hash: 0, key: None }
    }

    fn of(hash: u64, key: K) -> Self {
        Self { hash, key: Some(key) }
    }

    fn hash(&self) -> u64 {
        self.hash
    }

    #[inline]
    fn holds<Q: Eq + ?Sized>(&self, hash: u64, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.hash == hash && self.key.as_ref().is_some_and(|kept| kept.borrow() == key)
    }

    fn clear(&mut self) -> Option<K> {
        self.key.take()
    }
}
