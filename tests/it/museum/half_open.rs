//! Bugs 1 to 10: places of probes that are lost, and probes that are too many.
