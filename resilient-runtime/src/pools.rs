//! The retry budgets that a nested call's retries are paid from.

use crate::budget::Budget;
use crate::clock::Instant;
use crate::sync::{OnceBox, seeded};

/// A call's pool in front of those of the calls around it, each pool once. Chains are made once and live for the process, so that
/// handing one down is copying a reference.
#[derive(Debug)]
pub(crate) struct Pools {
    budget: Option<&'static Budget>,
    outer: Option<&'static Pools>,
    /// The chains that have one pool more, as a list.
    first_inner: OnceBox<Pools>,
    next: OnceBox<Pools>,
}

/// As many chains may extend one: enough for code that was written, little enough for policies that a program keeps making.
const MOST_INNER: usize = 64;

/// Handed down with a deadline by calls that have no pool.
pub(crate) static NO_POOL: Pools = Pools::new(None, None);

impl Pools {
    pub(crate) const fn new(budget: Option<&'static Budget>, outer: Option<&'static Self>) -> Self {
        Self { budget, outer, first_inner: OnceBox::new(), next: OnceBox::new() }
    }

    pub(crate) fn has_pool(&self) -> bool {
        self.budget.is_some()
    }

    fn budgets(&'static self) -> impl Iterator<Item = &'static Budget> + Clone {
        std::iter::successors(Some(self), |pools| pools.outer).filter_map(|pools| pools.budget)
    }

    /// These with `own` in front. What would be one chain too many stays as it is: the calls further in then spare that pool.
    pub(crate) fn with(&'static self, own: &'static Self) -> &'static Self {
        let Some(budget) = own.budget else { return self };
        if !self.has_pool() {
            return own;
        }
        if self.budgets().any(|outer| std::ptr::eq(outer, budget)) {
            return self;
        }
        let mut place = &self.first_inner;
        for _ in 0..MOST_INNER {
            let new = || Box::new(Self::new(Some(budget), Some(self)));
            if seeded!("pools: a look, then a chain")
                && place.get().is_none()
                && let Err(second) = place.set(new())
            {
                return Box::leak(second);
            }
            let inner = place.get_or_init(new);
            if inner.budget.is_some_and(|inner| std::ptr::eq(inner, budget)) {
                return inner;
            }
            place = &inner.next;
        }
        self
    }
}

/// One retry, from a call's own pool and from every enclosing call's; or nothing from any.
pub(crate) fn take(own: &Budget, chain: Option<&'static Pools>, now: Instant) -> bool {
    let outer = chain.into_iter().flat_map(Pools::budgets).filter(|outer| !std::ptr::eq(*outer, own));
    // A look first, so that a pool of which nothing will be taken seems empty to nobody.
    if !outer.clone().all(|outer| outer.has(now)) || !own.take(now) {
        return false;
    }
    let refusing = outer.clone().position(|outer| !outer.take(now));
    if let Some(taken) = refusing {
        if !seeded!("budget: not put back") {
            own.put_back();
        }
        outer.take(taken).for_each(Budget::put_back);
    }
    refusing.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::RetryBudget;

    const NOW: Instant = Instant::from_nanos(1_000_000_000_000);

    fn pool(retries: u32) -> &'static Budget {
        Box::leak(Box::new(Budget::new(RetryBudget::new().pool(retries))))
    }

    fn chain(outermost: &'static Budget, inner: &[&'static Budget]) -> &'static Pools {
        let alone = |budget: &'static Budget| budget.pools().expect("it has an end");
        inner.iter().fold(alone(outermost), |outer, inner| outer.with(alone(inner)))
    }

    fn left(budget: &Budget) -> usize {
        (0..1_000).take_while(|_| budget.take(NOW)).count()
    }

    #[test]
    fn a_retry_is_paid_by_every_pool_once() {
        let (outer, middle, own) = (pool(10), pool(10), pool(10));
        let chain = chain(outer, &[middle, own, outer, middle]);
        assert!(take(own, Some(chain), NOW));
        assert_eq!([outer, middle, own].map(left), [9, 9, 9]);
    }

    #[test]
    fn a_retry_that_one_pool_refuses_takes_nothing_from_the_others() {
        for empty in 0..3 {
            let pools = [0, 1, 2].map(|place| pool(if place == empty { 1 } else { 10 }));
            let chain = chain(pools[0], &pools[1..]);
            assert!(take(pools[2], Some(chain), NOW));
            assert!(!take(pools[2], Some(chain), NOW));
            assert_eq!(pools.map(left), [0, 1, 2].map(|place| if place == empty { 0 } else { 9 }));
        }
    }

    #[test]
    fn a_call_that_has_no_pool_of_its_own_pays_the_others() {
        let outer = pool(2);
        let unlimited = Budget::unlimited();
        assert!(take(&unlimited, outer.pools(), NOW) && take(&unlimited, outer.pools(), NOW));
        assert!(!take(&unlimited, outer.pools(), NOW));
    }

    #[test]
    fn the_same_pools_are_one_chain() {
        let (outer, inner) = (pool(1), pool(1));
        assert!(std::ptr::eq(chain(outer, &[inner]), chain(outer, &[inner])));
        assert!(std::ptr::eq(chain(outer, &[inner, outer]), chain(outer, &[inner])));
        assert!(!std::ptr::eq(chain(outer, &[inner]), chain(inner, &[outer])));
        assert!(std::ptr::eq(chain(outer, &[]), NO_POOL.with(outer.pools().expect("it has an end"))));
        assert!(std::ptr::eq(outer.pools().map(|outer| outer.with(&NO_POOL)).expect("it has an end"), chain(outer, &[])));
    }

    #[test]
    fn threads_that_meet_make_one_chain() {
        let (outer, inner) = (pool(1), (0..8).map(|_| pool(1)).collect::<Vec<_>>());
        let made = |_| {
            let inner = inner.clone();
            std::thread::spawn(move || {
                inner.iter().map(|inner| chain(outer, &[*inner])).map(std::ptr::from_ref).map(<*const _>::addr).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..8).map(made).collect();
        let chains: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        assert!(chains.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn there_are_at_most_so_many_chains_and_beyond_them_own_pools_still_pay() {
        let outer = pool(1_000);
        let inner: Vec<_> = (0..=MOST_INNER).map(|_| pool(5)).collect();
        let chains: Vec<_> = inner.iter().map(|inner| chain(outer, &[*inner])).collect();
        assert!(std::ptr::eq(chains[MOST_INNER], chain(outer, &[])));
        assert!(take(inner[MOST_INNER], Some(chains[MOST_INNER]), NOW));
        assert_eq!((left(inner[MOST_INNER]), left(outer)), (4, 999));
    }
}
