use super::future::ResponseFuture;
use super::layer::PolicyLayer;
use super::refusals::Refuse;
use super::requests::CloneRequest;
use super::verdicts::ClassifyOutcome;
use crate::call::{Call, is_final, no_engine};
use crate::judging::Judged;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service with a [`Policy`](crate::Policy) around it, made by [`PolicyLayer`].
#[derive(Clone)]
pub struct PolicyService<S, C, V, R> {
    pub(super) inner: S,
    pub(super) layer: PolicyLayer<C, V, R>,
}

impl<S, C, V, R> PolicyService<S, C, V, R> {
    /// The service inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: fmt::Debug, C, V, R> fmt::Debug for PolicyService<S, C, V, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PolicyService").field("inner", &self.inner).field("layer", &self.layer).finish()
    }
}

impl<S, Request, C, V, R> Service<Request> for PolicyService<S, C, V, R>
where
    S: Service<Request, Future: Send> + Clone + Send + 'static,
    Request: Send + 'static,
    C: CloneRequest<Request> + Clone + Send + 'static,
    V: ClassifyOutcome<S::Response, S::Error> + Clone + Send + 'static,
    R: Refuse<S::Response, S::Error> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = R::Error;
    type Future = ResponseFuture<S::Response, R::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.poll(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        ResponseFuture(Box::pin(self.start(request)))
    }
}

impl<S: Clone, C: Clone, V: Clone, R: Clone> PolicyService<S, C, V, R> {
    pub(super) fn poll<Request>(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R::Error>>
    where
        S: Service<Request>,
        R: Refuse<S::Response, S::Error>,
    {
        self.inner.poll_ready(context).map_err(|error| self.layer.refusals.error(error))
    }

    /// The call has the service that was found ready; a clone takes its place.
    pub(super) fn start<Request>(
        &mut self,
        request: Request,
    ) -> impl Future<Output = Result<S::Response, R::Error>> + use<S, Request, C, V, R>
    where
        S: Service<Request>,
        C: CloneRequest<Request>,
        V: ClassifyOutcome<S::Response, S::Error>,
        R: Refuse<S::Response, S::Error>,
    {
        let clone = self.inner.clone();
        run(self.layer.clone(), mem::replace(&mut self.inner, clone), request)
    }
}

async fn run<S, Request, C, V, R>(
    layer: PolicyLayer<C, V, R>,
    mut service: S,
    mut request: Request,
) -> Result<S::Response, R::Error>
where
    S: Service<Request>,
    C: CloneRequest<Request>,
    V: ClassifyOutcome<S::Response, S::Error>,
    R: Refuse<S::Response, S::Error>,
{
    let PolicyLayer { policy, requests, verdicts, refusals } = layer;
    let plan = policy.plan();
    let mut engine = no_engine();
    let mut call = Call::new(&plan, &mut engine);
    let mut is_ready = true;
    loop {
        let spare = if call.is_last() { None } else { requests.clone_request(&request) };
        let was_ready = mem::take(&mut is_ready);
        let attempted = call.attempt(attempt(&mut service, request, was_ready)).await;
        let judged = match &attempted {
            Ok(outcome) => Judged::by(verdicts.classify_outcome(outcome)),
            Err(rejected) if is_final(rejected) => return refusals.refuse(*rejected),
            Err(_) => Judged::timed_out(),
        };
        let is_over = call.settle_judged(judged.repeatable_if(spare.is_some()));
        match spare.filter(|_| !is_over) {
            Some(spare) => request = spare,
            None => {
                return match attempted {
                    Ok(outcome) => outcome.map_err(|error| refusals.error(error)),
                    Err(rejected) => refusals.refuse(rejected),
                };
            }
        }
    }
}

async fn attempt<S: Service<Request>, Request>(service: &mut S, request: Request, is_ready: bool) -> Result<S::Response, S::Error> {
    if !is_ready {
        poll_fn(|context| service.poll_ready(context)).await?;
    }
    service.call(request).await
}
