//! Bugs 11 to 24: late results, races, windows, time, and circuits that are configured anew.
