//! Nothing but its tests: what is known of other crates' errors, tried on real servers.
