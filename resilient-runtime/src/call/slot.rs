//! Where that of a call stands which does not fit into registers.

#![expect(clippy::inline_always, reason = "as in `call`")]

use crate::engine::Engine;
use crate::seat::Seat;
use std::mem::ManuallyDrop;

/// It is the call that drops it: that one knows whether it must.
#[doc(hidden)]
#[derive(Debug)]
pub struct EngineSlot<'p>(ManuallyDrop<Held<'p>>);

#[derive(Debug)]
pub(super) enum Held<'p> {
    Nothing,
    Seat(Seat<'p>),
    Engine(Engine<'p>),
}

impl<'p> EngineSlot<'p> {
    #[inline]
    pub(super) fn engine(&self) -> Option<&Engine<'p>> {
        if let Held::Engine(engine) = &*self.0 { Some(engine) } else { None }
    }

    #[cfg(feature = "tokio")]
    pub(super) fn engine_mut(&mut self) -> Option<&mut Engine<'p>> {
        if let Held::Engine(engine) = &mut *self.0 { Some(engine) } else { None }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(*self.0, Held::Nothing)
    }

    pub(super) fn hold(&mut self, held: Held<'p>) {
        *self.0 = held;
    }

    pub(super) fn held(&mut self) -> &mut Held<'p> {
        &mut self.0
    }

    /// The engine that takes over from whatever there was.
    pub(super) fn engine_or(&mut self, or: impl FnOnce() -> Engine<'p>) -> &mut Engine<'p> {
        match &*self.0 {
            Held::Nothing => self.hold(Held::Engine(or())),
            Held::Seat(seat) => self.hold(Held::Engine(seat.take_over())),
            Held::Engine(_) => {}
        }
        match &mut *self.0 {
            Held::Engine(engine) => engine,
            Held::Nothing | Held::Seat(_) => unreachable!("it was made just now"),
        }
    }
}

#[doc(hidden)]
#[inline(always)]
#[must_use]
pub fn no_engine<'p>() -> EngineSlot<'p> {
    EngineSlot(ManuallyDrop::new(Held::Nothing))
}
