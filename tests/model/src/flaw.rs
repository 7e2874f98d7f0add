//! Rules that are wrong on purpose, to show that the comparison would notice.

macro_rules! flaws {
    ($($(#[doc = $what:literal])+ $name:ident),* $(,)?) => {
        /// One wrong rule of the model.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Flaw { $($(#[doc = $what])+ $name),* }

        impl Flaw {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

flaws! {
    /// A half-open circuit admits one call more than `half_open_calls`.
    OneProbeTooMany,
    /// A probe that is cancelled keeps its place.
    CancelledProbeKeepsItsPlace,
    /// A window of calls holds one call less.
    WindowOneShort,
    /// A window of time has nine slices.
    WindowOneSliceShort,
    /// A result of an earlier generation is counted.
    LateResultsCount,
    /// A ratio must be exceeded, not reached.
    RatioMustBeExceeded,
    /// One failure in a row more is needed.
    ThresholdOneMore,
    /// A success does not end a row of failures.
    RowOutlivesSuccess,
    /// What is neutral counts as a success.
    NeutralIsSuccess,
    /// A permanent error counts as a failure.
    PermanentIsFailure,
    /// The recovery time does not grow.
    RecoveryDoesNotGrow,
    /// A probe's lease never ends.
    LeaseNeverEnds,
    /// A lease that ran out does not make the next one longer.
    LeaseDoesNotGrow,
    /// A throttled probe gives its place back at once.
    ThrottledProbeGivesBack,
    /// One successful probe too few closes the circuit.
    ClosesOneEarly,
    /// A slow call must take longer by a nanosecond.
    SlowOneLater,
    /// A bucket holds one token more.
    BurstPlusOne,
    /// A caller who gives up takes the token along.
    TokenLostOnCancel,
    /// A hint pauses no bucket.
    HintDoesNotPause,
    /// What was owed is forgotten when the rate changes.
    NewRateForgetsDebt,
    /// A smaller burst in a pause forgives what was taken before it.
    PauseForgivesDebt,
    /// A call that is late uses its token all the same.
    StaleTokenIsUsed,
    /// A token that is due exactly at the end of the longest wait is refused.
    LongestWaitExclusive,
    /// Who came last to the line for places is the first to get one.
    LastComesFirst,
    /// A waiter who leaves with a place takes it along.
    GrantedPlaceLost,
    /// A panic keeps the place.
    PanicKeepsThePlace,
    /// A higher limit admits nobody who waits.
    RaisedLimitIsNotHeard,
    /// The budget has one retry more.
    BudgetOneMore,
    /// A success earns nothing back.
    SuccessEarnsNothing,
    /// One retry too many.
    OneRetryTooMany,
    /// Waits grow one step late.
    BackoffOneStepLate,
    /// A wait that ends exactly at the deadline is begun.
    WaitMayEndAtDeadline,
    /// An attempt that timed out is no failure.
    TimeoutIsNoFailure,
    /// A deadline that stops an attempt is always a failure.
    DeadlineIsAlwaysFailure,
    /// A call that waited for a token does not ask the breaker again.
    BreakerIsAskedOnce,
    /// A retry is waited for although the circuit is open.
    RetriesIntoOpenCircuit,
    /// A shadowed breaker refuses.
    ShadowRefuses,
    /// A wait from nothing is from half of it.
    FullJitterIsEqual,
    /// A wait more or less is never more.
    JitterOnlyShortens,
    /// A wait is at most twice the one before, not three times.
    DecorrelatedTwice,
    /// A retry is told with the number of the coming attempt.
    RetryIsToldAsTheNext,
    /// Why there is no retry is always that none is left.
    OneReasonForAll,
    /// Every refusal is told of, not the first in a while and their number.
    EveryRefusalIsTold,
    /// A timeout is told of as a refusal although a retry may follow.
    EveryTimeoutIsARefusal,
    /// A function without retries is told to have none left.
    NoRetriesAreNoneLeft,
    /// Why a circuit has opened is slow calls, where it is failures too.
    SlowCallsAreToldFirst,
    /// What opens in shadow is told of as if it refused.
    ShadowIsNotTold,
    /// A reset is told of where there is nothing to reset.
    ResetIsAlwaysTold,
    /// Who is refused by a bulkhead is not told which.
    BulkheadsHaveNoName,
    /// Other settings of a function hold for calls that have begun.
    ReloadReachesRunningCalls,
    /// How long to wait is rounded down where a refusal is put into words.
    SentenceRoundsDown,
    /// Who asks for more tokens than there ever are is told of one less.
    ImpossibleTellsOneLess,
}
