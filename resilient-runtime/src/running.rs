//! The body, while it runs.

use crate::call::{Way, build};
use crate::engine::Engine;
use crate::nesting;
use crate::plan::Plan;

/// Dropped only by a panic of the body.
pub(crate) struct Running<'c, 'p> {
    plan: &'p Plan<'p>,
    way: Way,
    engine: &'c mut Option<Engine<'p>>,
}

impl<'c, 'p> Running<'c, 'p> {
    /// From here on the calls that the body makes are nested.
    #[inline]
    pub(crate) fn start(plan: &'p Plan<'p>, way: Way, engine: &'c mut Option<Engine<'p>>) -> Self {
        match way {
            Way::Clear | Way::Short(_) => nesting::descend(plan.pools),
            Way::Long => swap_scopes(engine),
        }
        Self { plan, way, engine }
    }

    /// The body has not panicked.
    #[inline]
    pub(crate) fn finish(self) {
        leave(self.way, self.engine);
        std::mem::forget(self);
    }
}

#[inline]
fn leave(way: Way, engine: &mut Option<Engine<'_>>) {
    match way {
        Way::Clear | Way::Short(_) => nesting::ascend(),
        Way::Long => swap_scopes(engine),
    }
}

#[cold]
#[inline(never)]
fn swap_scopes(engine: &mut Option<Engine<'_>>) {
    if let Some(engine) = engine {
        engine.swap_scopes();
    }
}

impl Drop for Running<'_, '_> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what is lent cannot stay in registers")]
    fn drop(&mut self) {
        panicked(self.plan, self.way, self.engine);
    }
}

#[cold]
#[inline(never)]
fn panicked<'p>(plan: &'p Plan<'p>, way: Way, engine: &mut Option<Engine<'p>>) {
    leave(way, engine);
    build(engine, plan, way).body_panicked();
}
