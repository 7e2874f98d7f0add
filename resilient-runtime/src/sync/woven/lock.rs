//! A lock: the checker's own as a gate, and behind it a plain one, which is then always free.

use super::{checker, supply};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, OnceLock, PoisonError, TryLockError, TryLockResult};

pub(crate) struct Mutex<T> {
    data: std::sync::Mutex<T>,
    gate: OnceLock<Gate>,
    /// Of a lock that outlives an execution: the gate of the latest.
    later: std::sync::Mutex<Option<&'static Gate>>,
}

struct Gate {
    execution: u64,
    theirs: checker::sync::Mutex<()>,
}

pub(crate) struct MutexGuard<'m, T> {
    data: Option<std::sync::MutexGuard<'m, T>>,
    gate: Option<checker::sync::MutexGuard<'m, ()>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { data: std::sync::Mutex::new(value), gate: OnceLock::new(), later: std::sync::Mutex::new(None) }
    }

    fn gate(&self) -> Option<&checker::sync::Mutex<()>> {
        let execution = supply()?.execution;
        let first = self.gate.get_or_init(|| Gate::new(execution));
        if first.execution == execution {
            return Some(&first.theirs);
        }
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = later.filter(|gate| gate.execution == execution).unwrap_or_else(|| Box::leak(Box::new(Gate::new(execution))));
        *later = Some(gate);
        Some(&gate.theirs)
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let gate = self.gate().map(|gate| gate.lock().unwrap_or_else(PoisonError::into_inner));
        match self.data.try_lock() {
            Ok(data) => Ok(MutexGuard { data: Some(data), gate }),
            Err(TryLockError::Poisoned(data)) => Err(PoisonError::new(MutexGuard { data: Some(data.into_inner()), gate })),
            Err(TryLockError::WouldBlock) if std::thread::panicking() => {
                // Whoever holds it will never go on: this thread's destructors must not wait for that.
                eprintln!("a model failed while one of its threads held a lock that another thread's destructor wants");
                std::process::abort()
            }
            Err(TryLockError::WouldBlock) => unreachable!("behind the gate it is free"),
        }
    }

    pub(crate) fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let gate = match self.gate().map(checker::sync::Mutex::try_lock) {
            None => None,
            Some(Ok(gate)) => Some(gate),
            Some(Err(TryLockError::Poisoned(gate))) => Some(gate.into_inner()),
            Some(Err(TryLockError::WouldBlock)) => return Err(TryLockError::WouldBlock),
        };
        match self.data.try_lock() {
            Ok(data) => Ok(MutexGuard { data: Some(data), gate }),
            Err(TryLockError::Poisoned(data)) => {
                Err(TryLockError::Poisoned(PoisonError::new(MutexGuard { data: Some(data.into_inner()), gate })))
            }
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }

    pub(crate) fn get_mut(&mut self) -> LockResult<&mut T> {
        self.data.get_mut()
    }
}

impl Gate {
    fn new(execution: u64) -> Self {
        Self { execution, theirs: checker::sync::Mutex::new(()) }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.data.fmt(formatter)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.data.as_ref().unwrap_or_else(|| unreachable!("until it is dropped"))
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.data.as_mut().unwrap_or_else(|| unreachable!("until it is dropped"))
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.data = None;
        if std::thread::panicking() {
            std::mem::forget(self.gate.take());
        }
    }
}
