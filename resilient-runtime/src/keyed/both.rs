//! What a name stands for: one resource, and one for each key. They have the same settings and know nothing else of each other.

use super::family::{Family, Kept};
use crate::plan::Declared;
use crate::registry::Shared;
use crate::sync::{Mutex, lock};

pub(crate) struct Both<T: Kept> {
    name: &'static str,
    pub(crate) one: T,
    keyed: Mutex<Keyed<T>>,
}

struct Keyed<T: Kept> {
    settings: T::Settings,
    family: Option<&'static Family<T>>,
}

impl<T: Kept> Both<T> {
    /// Its keys, from the first time on that somebody asks for them.
    pub(crate) fn keyed(&self) -> &'static Family<T> {
        let mut keyed = lock(&self.keyed);
        let settings = keyed.settings;
        keyed.family.get_or_insert_with(|| Family::new(Some(self.name), settings))
    }

    /// Its keys, if somebody has asked for them.
    pub(crate) fn known(&self) -> Option<&'static Family<T>> {
        lock(&self.keyed).family
    }
}

impl<T: Kept> Shared for Both<T> {
    type Settings = T::Settings;
    const WHAT: &'static str = T::WHAT;

    fn inline(declared: &Declared) -> Option<(&'static str, T::Settings)> {
        T::inline(declared)
    }

    fn built_in(said: &T::Settings) -> T::Settings {
        T::built_in(said)
    }

    fn create(name: &'static str, settings: T::Settings) -> Self {
        Self { name, one: T::create(name, settings), keyed: Mutex::new(Keyed { settings, family: None }) }
    }

    fn change(&self, settings: T::Settings) {
        self.one.change(settings);
        let mut keyed = lock(&self.keyed);
        keyed.settings = settings;
        if let Some(family) = keyed.family {
            family.change(settings);
        }
    }
}
