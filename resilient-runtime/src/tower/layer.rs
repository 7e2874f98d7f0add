use super::local::Local;
use super::refusals::Boxed;
use super::requests::{Cloned, Once};
use super::service::PolicyService;
use super::verdicts::ByType;
use crate::policy::Policy;
use crate::rejected::Rejected;
use crate::verdict::Verdict;
use std::fmt;
use tower_layer::Layer;

/// Runs a [`Policy`] around a service; see [the module](super).
///
/// `C` makes requests for further attempts, `V` says what outcomes mean, `R` what becomes of a refusal. All services of a layer and of
/// its clones share the policy's own bucket, bulkhead and budget.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::Policy;
/// use resilient::tower::PolicyLayer;
///
/// let policy = Policy::builder().name("reports").concurrency(8).breaker("reports").build()?;
/// let layer = PolicyLayer::new(policy).once();
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct PolicyLayer<C = Cloned, V = ByType, R = Boxed> {
    pub(super) policy: Policy,
    pub(super) requests: C,
    pub(super) verdicts: V,
    pub(super) refusals: R,
}

impl PolicyLayer {
    /// A layer for requests that are `Clone`, outcomes that say by type what they mean, and errors that may be boxed.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, requests: Cloned, verdicts: ByType, refusals: Boxed }
    }
}

impl From<Policy> for PolicyLayer {
    fn from(policy: Policy) -> Self {
        Self::new(policy)
    }
}

impl<C, V, R> PolicyLayer<C, V, R> {
    /// How to make the request of a further attempt, as in tower's `retry::Policy::clone_request`. A request of which this makes `None`
    /// is tried no further: what became of it is the outcome, with no wait.
    ///
    /// It is asked before each attempt that another may follow.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::Policy;
    /// use resilient::tower::PolicyLayer;
    ///
    /// struct Upload { file: String, is_repeatable: bool }
    ///
    /// let policy = Policy::builder().name("upload").retries(3).build()?;
    /// let layer = PolicyLayer::new(policy).clone_request(|upload: &Upload| {
    ///     upload.is_repeatable.then(|| Upload { file: upload.file.clone(), ..*upload })
    /// });
    /// # Ok::<(), resilient::ConfigError>(())
    /// ```
    pub fn clone_request<Q, F: Fn(&Q) -> Option<Q>>(self, clone: F) -> PolicyLayer<F, V, R> {
        let Self { policy, verdicts, refusals, .. } = self;
        PolicyLayer { policy, requests: clone, verdicts, refusals }
    }

    /// Runs each request once, whatever the policy says of retries: for requests that cannot be sent again, or must not be.
    pub fn once(self) -> PolicyLayer<Once, V, R> {
        let Self { policy, verdicts, refusals, .. } = self;
        PolicyLayer { policy, requests: Once, verdicts, refusals }
    }

    /// What an outcome of the service means, responses included. It is the whole say; only a timed-out attempt is transient anyway.
    ///
    /// For errors that have no [`Classify`](crate::Classify), look through their causes:
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::tower::PolicyLayer;
    /// use resilient::{Classify as _, Policy, Verdict};
    /// use std::error::Error;
    ///
    /// fn verdict<T, E: Error + 'static>(outcome: &Result<T, E>) -> Verdict {
    ///     match outcome {
    ///         Ok(_) => Verdict::Success,
    ///         Err(error) => (error as &dyn Error).classify(), // a lost connection is transient, a refusal stays one, …
    ///     }
    /// }
    ///
    /// let policy = Policy::builder().name("upload").retries(3).build()?;
    /// let layer = PolicyLayer::new(policy).classify(verdict::<String, std::fmt::Error>);
    /// # Ok::<(), resilient::ConfigError>(())
    /// ```
    pub fn classify<T, E, F: Fn(&Result<T, E>) -> Verdict>(self, classify: F) -> PolicyLayer<C, F, R> {
        let Self { policy, requests, refusals, .. } = self;
        PolicyLayer { policy, requests, verdicts: classify, refusals }
    }

    /// What the caller gets for a refusal: an error of the service's own type, which the layer then keeps, or a response.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::tower::PolicyLayer;
    /// use resilient::{Policy, Rejected};
    /// use std::io;
    ///
    /// let policy = Policy::builder().name("reports").concurrency(8).build()?;
    /// let layer = PolicyLayer::new(policy.clone()).refuse_with(|rejected| Err::<String, io::Error>(rejected.into()));
    /// let layer = PolicyLayer::new(policy).refuse_with(|_| io::Result::Ok("come back later".to_owned()));
    /// # Ok::<(), resilient::ConfigError>(())
    /// ```
    ///
    /// With the feature `axum` a [`Rejected`] is a response already: `refuse_with(|rejected| Ok(rejected.into_response()))`.
    pub fn refuse_with<T, E, F: Fn(Rejected) -> Result<T, E>>(self, refuse: F) -> PolicyLayer<C, V, F> {
        let Self { policy, requests, verdicts, .. } = self;
        PolicyLayer { policy, requests, verdicts, refusals: refuse }
    }

    /// The same for services, requests or futures that are not `Send`.
    pub fn local(self) -> Local<Self> {
        Local(self)
    }
}

impl<S, C: Clone, V: Clone, R: Clone> Layer<S> for PolicyLayer<C, V, R> {
    type Service = PolicyService<S, C, V, R>;

    fn layer(&self, inner: S) -> Self::Service {
        PolicyService { inner, layer: self.clone() }
    }
}

impl<C, V, R> fmt::Debug for PolicyLayer<C, V, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PolicyLayer").field("policy", &self.policy).finish_non_exhaustive()
    }
}
